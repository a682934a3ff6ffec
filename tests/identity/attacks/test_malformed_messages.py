"""Attacks by malformed messages: what a stranger sends to the sign-in page is refused and counted, and is no incident.

That each line of the log stays an event, and that none of them repeats itself, is what `conftest.py` looks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import product

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.identity.attacks.forgeries import door_only
from tests.support.dashboards.production import ORIGIN, Production, frames_of

OF_A_SOCKET = 14  # messages, and their bytes: as many as a stranger may send without being slowed down
HALF_AN_EMOJI = '"\\ud83d"'
JSONS = (
    *("", "x", "{", "null", "true", "7", '"text"', "[]", "{}", "[1]", "NaN", "-Infinity", "9" * 5_000, "[" * 5_000),
    *("[" * 900 + "]" * 900, HALF_AN_EMOJI, f'{{"returned": {HALF_AN_EMOJI}}}', f"[{HALF_AN_EMOJI}]"),
    *('{"returned": {"returned": []}}', '{"event": "returned"}', '[{"event": 7}]', '{"event": []}', '{"value": 1}'),
    *('{"state": 7}', '{"state": "x", "code": "y"}', f'{{"state": {HALF_AN_EMOJI}}}', '{"state": null, "error": {}}'),
    *('{"error": "access_denied"}', '{"text": "\\u0000\\u001b[31m\\u009b31m\\u202e"}', '"' + "A" * 15_000 + '"'),
)


def values() -> Iterator[WidgetState]:
    """A value of every kind and shape there is."""
    for said in JSONS:
        yield WidgetState(json_value=said)
    for said in JSONS[:20:4]:
        yield WidgetState(json_trigger_value=said)
    yield WidgetState(string_value="x")
    yield WidgetState()
    yield WidgetState(trigger_value=True)
    yield WidgetState(bool_value=True)
    for number in (float("nan"), float("inf"), -1e308):
        yield WidgetState(double_value=number)
        yield WidgetState(double_array_value={"data": [number] * 3})
    for whole in (-1, 2**62, -(2**62)):
        yield WidgetState(int_value=whole)
        yield WidgetState(int_array_value={"data": [whole] * 3})
    yield WidgetState(string_array_value={"data": ["x", ""]})
    yield WidgetState(string_trigger_value={"data": "x"})
    yield WidgetState(bytes_value=b"\xff\x00")
    yield WidgetState(arrow_value={"data": b"\xff", "index": b"", "columns": b"x"})
    info = {"file_id": "x", "name": "y", "size": 7, "file_urls": {"upload_url": "z"}}
    yield WidgetState(file_uploader_state_value={"uploaded_file_info": [info]})
    yield WidgetState(chat_input_value={"data": "x", "file_uploader_state": {"uploaded_file_info": [info]}})


def batched(all_values: list[WidgetState], size: int) -> list[list[WidgetState]]:
    return [all_values[at : at + size] for at in range(0, len(all_values), size)]


def rerun(*widgets: WidgetState, url: str = f"{ORIGIN}/references", **changes: str) -> BackMsg:
    asked = BackMsg()
    asked.rerun_script.context_info.url = url
    asked.rerun_script.page_name = "references"
    asked.rerun_script.widget_states.widgets.extend(widgets)
    for name, value in changes.items():
        setattr(asked.rerun_script, name, value)
    return asked


def answered(line: ClientConnection, asked: BackMsg) -> list[bytes]:
    """All that is sent until the run this asks for has ended."""
    line.send(asked.SerializeToString())
    return [*frames_of(line)]


def widgets_in(frames: list[bytes]) -> list[str]:
    """The names of all widgets that are drawn."""
    elements = (ForwardMsg.FromString(frame).delta.new_element for frame in frames)
    kinds = ((element, element.WhichOneof("type")) for element in elements)
    found = [str(getattr(getattr(element, kind), "id", "")) for element, kind in kinds if kind]
    return [name for name in found if name.startswith("$$ID-")]


def refused(studio: Production) -> float:
    """How many messages have been refused, while nothing was an incident."""
    told = studio.figures()
    assert "studio_incidents_total 0.0" in told.splitlines()
    counts = re.findall(r"^studio_refusals_total{.*} ([\d.]+)$", told, re.MULTILINE)
    return sum(map(float, counts))


def test_a_value_of_any_kind_and_shape_for_a_widget_of_the_sign_in_page_is_no_incident(studio: Production) -> None:
    """For each that the page has, one after the other in one session, which still works after each."""
    before = refused(studio)
    for at, some in product(range(3), batched([*values()], OF_A_SOCKET)):
        with studio.websocket() as line:
            widgets = widgets_in(answered(line, rerun()))
            assert len(widgets) == 3
            for value in some:
                value.id = widgets[at]
                frames = answered(line, rerun(value))
                assert door_only(b"".join(frames))
                widgets = widgets_in(frames) or widgets  # an answer ends an attempt, and a new one has a new name
    assert refused(studio) > before + 50


@pytest.mark.parametrize("kind", ["json_value", "json_trigger_value"])
def test_a_value_that_comes_before_its_widget_was_ever_drawn_is_no_incident(kind: str, studio: Production) -> None:
    """The names of some widgets are the same for everybody."""
    with studio.websocket() as line:
        known = widgets_in(answered(line, rerun()))
    before = refused(studio)
    for said in JSONS:
        sent = [WidgetState(id=name) for name in known]
        for value in sent:
            setattr(value, kind, said)
        with studio.websocket() as line:
            assert door_only(b"".join(answered(line, rerun(*sent))))
            assert door_only(b"".join(answered(line, rerun())))
    assert refused(studio) > before


ADDRESSES = ("", "x", "http://[", "http://[::1", "//", "https://[v1.x]/", "https://studio.example:99999/", "data:,x")
QUERIES = ("comparison=%ED%A0%BD", "q=%00&q=%ff", "&" * 2_000, "page=1e999&page=-1", "=", "%", ";;", "embed=true")
NAMES = ("../labels", "\x00", "\u202e", "x" * 10_000, "$$ID-none", "None")


@pytest.mark.parametrize(
    "changes",
    [
        *[pytest.param({"url": url}, id=f"the address {url}") for url in ADDRESSES],
        *[pytest.param({"query_string": query}, id=f"the query {query[:20]}") for query in QUERIES],
        *[pytest.param({"page_name": name}, id=f"the page {name[:9]!r}") for name in NAMES],
        *[pytest.param({"page_script_hash": name}, id=f"the hash {name[:9]!r}") for name in NAMES],
        *[pytest.param({"widget": name}, id=f"the widget {name[:9]!r}") for name in ("", "sign_in_attempt", *NAMES)],
    ],
)
def test_no_incident_by_a_message_with(changes: dict[str, str], studio: Production) -> None:
    before = refused(studio)
    more = [WidgetState(id=changes.pop("widget"), json_value="7")] if "widget" in changes else []
    with studio.websocket() as line:
        for _ in range(2):
            assert door_only(b"".join(answered(line, rerun(*more, **changes))))
        assert door_only(b"".join(answered(line, rerun())))
    assert refused(studio) == before  # what nobody asks for is not looked at


def others() -> dict[str, BackMsg]:
    """Everything but a run that Streamlit's own page may ask for."""
    asked = {field.name: BackMsg() for field in BackMsg.DESCRIPTOR.fields if field.name != "rerun_script"}
    for name, message in asked.items():
        if isinstance(getattr(message, name), bool):
            setattr(message, name, True)
        else:
            getattr(message, name).SetInParent()
    asked["nothing"] = BackMsg()
    asked["a fragment of nobody's"] = BackMsg()
    asked["a fragment of nobody's"].rerun_script.fragment_id = "none"
    return asked


def test_no_incident_by_a_message_of_another_kind_and_the_server_serves_on(studio: Production) -> None:
    before = refused(studio)
    for name, message in others().items():
        with studio.websocket(elsewhere=True) as line:
            assert door_only(b"".join(answered(line, rerun()))), name
            with suppress(ConnectionClosed):  # some may cost whoever sends them the connection
                line.send(message.SerializeToString())
                answered(line, rerun())
    assert refused(studio) > before
