"""Attacks by what a browser sends back: too long, of another shape, half a character, and names of what was not shown.

Each comes to a sentence and a counter; nothing is kept, and no incident is reported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import pytest

from core.injection.request.wishes import PROMPT_CHARS_MAX
from core.ui.components.component import UNREADABLE
from core.ui.references.label_values import seal_shown
from tests.support.dashboards.production import KEY, PAGES, SECRET, Production, session
from tests.support.dashboards.socket_page import SocketPage
from tests.support.s3.servers import client_of
from tests.support.timeouts import until

ADMIN, DESK = "ada@studio.example", "label_desk"
HALF = "\ud83d"  # of an emoji
OpenPage = Callable[..., SocketPage]
# What a program may put into a widget's state, whatever the widget is.
VALUES: dict[str, dict[str, Any]] = {
    "truth": {"bool_value": True},
    "float": {"double_value": 1.5},
    "not a number": {"double_value": float("nan")},
    "number": {"int_value": -(2**53)},
    "text": {"string_value": "x" * 5000},
    "floats": {"double_array_value": {"data": [1.5, 2.5, 3.5]}},
    "numbers": {"int_array_value": {"data": [7] * 9}},
    "texts": {"string_array_value": {"data": ["x", "y"]}},
    "bytes": {"bytes_value": b"\xff" * 9},
    "broken JSON": {"json_value": "{"},
    "JSON of the deep": {"json_value": "[" * 5000 + "]" * 5000},
    "JSON list": {"json_value": "[1]"},
    "trigger": {"json_trigger_value": '[{"event": "opened", "value": 1}, 2]'},
}
# What each component of ours may be said to have said.
SAID: dict[str, list[dict[str, Any]]] = {
    "prompt:box": [
        {"typed": {"text": 1, "number": 1}},
        {"typed": {"text": "x", "number": "1"}},
        {"typed": {"text": "x", "number": 10**400}},
        {"typed": ["x"]},
        {"typed": "x"},
    ],
    "tone_tiles": [
        {"answer": {"turn": 1, "picked": ["noir"]}},
        {"answer": {"turn": 1, "picked": {"noir": 1}}},
        {"answer": {"turn": True, "picked": "noir"}},
        {"answer": {"turn": 1, "picked": "x" * 10_000}},
    ],
    "draft-taken": [
        {"kept": {"number": 1, "from": "", "shown": None, "draft": [], "heard": {}}},
        {"kept": {"number": 1, "from": "x" * 10_000, "shown": None, "draft": {}, "heard": {}}},
        {"kept": {"number": 1, "from": "", "shown": None, "draft": {str(n): n for n in range(1000)}, "heard": {}}},
    ],
    "draft-shown": [{"problem": 7}, {"problem": {"says": "x" * 10_000}}],
    "reference_grid": [
        {"selection": {"ids": "refs/x", "turn": 1, "epoch": 0}},
        {"selection": {"ids": [1, None], "turn": 1, "epoch": 0}},
        {"selection": {"ids": ["x"] * 10_000, "turn": 1, "epoch": 0}},
        {"selection": {"ids": ["x" * 10_000], "turn": 1, "epoch": 0}},
    ],
    DESK: [{"outbox": 1}, {"outbox": {"decisions": "x"}}, {"outbox": {"decisions": [{}] * 10_000}}],
}
PAGE_OF = {"reference_grid": "references", DESK: "labels"}


@pytest.fixture
def open_page(studio: Production) -> Iterator[OpenPage]:
    """Opens a page for an admin, once the library is listed."""
    with ExitStack() as sockets:

        def open_one(page: str = "generate", *, until_drawn: str = "") -> SocketPage:
            cookie = studio.cookie(session(ADMIN))
            opened = SocketPage(sockets.enter_context(studio.websocket(cookie)), page)
            return opened.until(until_drawn) if until_drawn else opened.run()

        yield open_one


@pytest.fixture(autouse=True)
def _no_incidents(studio: Production) -> Iterator[None]:
    """Whatever was sent."""
    yield
    assert counter(studio, "studio_incidents_total") == 0


def counter(studio: Production, name: str) -> float:
    """What /metrics counts under a name, with whatever labels."""
    lines = [line for line in studio.figures().splitlines() if line.startswith(name)]
    assert lines or name == "studio_refusals_total"
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def saved(studio: Production) -> list[dict[str, Any]]:
    """Every save of the review log."""
    s3 = client_of(studio.s3)
    rows = s3.list_objects_v2(Bucket=studio.s3.bucket, Prefix="studio/reviews/log/").get("Contents", ())
    return [json.loads(s3.get_object(Bucket=studio.s3.bucket, Key=row["Key"])["Body"].read()) for row in rows]


def decision(**changes: Any) -> dict[str, Any]:
    shown = seal_shown(SECRET, KEY, changes.pop("etag", ""), {})
    return {"id": "d1", "kind": "correct", "item": KEY, "seen": shown, "values": {"hair": "brown long"}} | changes


def decide(page: SocketPage, **changes: Any) -> SocketPage:
    """Send one decision, as the desk does."""
    return page.tell(DESK, outbox={"turn": "1", "decisions": [decision(**changes)]}).run()


@pytest.mark.parametrize("component", SAID)
def test_what_a_component_cannot_have_said_is_a_sentence_and_nothing_else(
    component: str, studio: Production, open_page: OpenPage
) -> None:
    for said in SAID[component]:
        page = open_page(PAGE_OF.get(component, "generate"), until_drawn=component)
        before = counter(studio, "studio_refusals_total")
        page.tell(component, **said).run()
        assert page.says(UNREADABLE), said
        assert component in page.ids, "the page is there"
        assert counter(studio, "studio_refusals_total") > before
    assert saved(studio) == []


@pytest.mark.parametrize("name", PAGES[1:])
def test_a_value_of_another_type_breaks_no_page(name: str, open_page: OpenPage) -> None:
    """In every widget at once, one type after the other in one session, which still works after each."""
    page = open_page(name)
    for kind, value in VALUES.items():
        for key in page.ids:
            if key != "None" and not key.startswith("Sign out"):  # whoever is pressed is pressed, by whatever value
                page.set(key, **value)
        page.run()
        page.states.clear()
        assert "person-menu-popover" in page.run().ids, kind


def test_half_a_character_in_a_prompt_is_replaced_once_and_told(open_page: OpenPage) -> None:
    page = open_page(until_drawn="prompt:box")
    page.tell("prompt:box", typed={"text": f"a red chair {HALF}", "number": 1}).run()
    assert page.says("A character could not be read")
    assert page.says("a red chair \N{REPLACEMENT CHARACTER}")


def test_a_prompt_that_is_too_long_is_refused_before_it_is_read(studio: Production, open_page: OpenPage) -> None:
    """It costs the server about what an ordinary one does, and is neither drawn nor kept."""
    page = open_page(until_drawn="prompt:box")
    used = process_of(studio)
    ordinary = seconds_for(used, page, "Ada in a linen shirt, three-quarter view. " * 200, 1)
    endless = seconds_for(used, page, "Ada is 30, " * 181_819, 2)
    assert page.says("The prompt has 2,000,009 characters and at most 30,000 can be sent")
    assert not page.says("Ada is 30, Ada")
    assert endless < 0.5 + 3 * ordinary, f"{endless:.2f} s of processor against {ordinary:.2f} s"
    page.tell("prompt:box", typed={"text": "Ada again", "number": 3}).run()
    assert not page.says("at most 30,000 can be sent")


def test_the_longest_prompt_is_taken_and_one_more_character_is_not(open_page: OpenPage) -> None:
    page = open_page(until_drawn="prompt:box")
    page.tell("prompt:box", typed={"text": "가" * PROMPT_CHARS_MAX, "number": 1}).run()
    assert not page.says("characters and at most")
    page.tell("prompt:box", typed={"text": "가" * (PROMPT_CHARS_MAX + 1), "number": 2}).run()
    assert page.says("The prompt has 30,001 characters and at most 30,000 can be sent: shorten it by 1.")


def process_of(studio: Production) -> psutil.Process:
    """The server's process, by the port it listens on."""
    port = int(studio.url.rsplit(":", 1)[1])
    (found,) = {
        each.pid
        for each in psutil.net_connections("tcp")
        if each.laddr and each.laddr.port == port and each.status == "LISTEN"
    }
    return psutil.Process(found)


def seconds_for(used: psutil.Process, page: SocketPage, text: str, number: int) -> float:
    """Seconds of processor that the run takes in which this is typed."""
    before = sum(used.cpu_times()[:2])
    page.tell("prompt:box", typed={"text": text, "number": number}).run()
    return sum(used.cpu_times()[:2]) - before


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seen": json.dumps(["forged", {}])}, "That decision cannot be read"),
        ({"seen": seal_shown("another secret than the server's own", KEY, "e", {})}, "That decision cannot be read"),
        ({"seen": "e" * 300_000}, UNREADABLE),
        ({"etag": "e" * 64}, "This picture has changed in S3 since it was shown"),
        ({"item": "refs/another.jpg"}, "That decision is about another picture"),
        ({"item": "x" * 300_000}, UNREADABLE),
        ({"values": {"hair": HALF}}, "Hair holds a character that cannot be read"),
        ({"values": {"hair": "x" * 501}}, "Hair has 501 characters and at most 500 can be kept"),
        ({"values": {"notes": "x" * 300_000}}, UNREADABLE),
        ({"values": {"tone": "mauve"}}, "is no tone of the studio"),
        ({"values": {"age": "old"}}, "is no age range"),
        ({"values": {"x" * 300: "y"}}, UNREADABLE),
        ({"kind": "publish"}, UNREADABLE),
        ({"kind": "undo", "undoes": "nothing"}, "There is nothing to undo"),
        ({"id": "x" * 90}, UNREADABLE),
        ({"id": 7}, UNREADABLE),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "-".join(value),
)
def test_a_decision_that_was_not_made_at_the_desk_is_told_and_not_saved(
    changes: dict[str, Any], says: str, studio: Production, open_page: OpenPage
) -> None:
    page = open_page("labels", until_drawn=DESK)
    decide(page, **({"etag": studio.etags[KEY]} | changes))
    assert page.says(says)
    assert saved(studio) == []


def test_what_the_desk_has_shown_is_saved(studio: Production, open_page: OpenPage) -> None:
    """Or the attacks above would prove nothing. It is the last of this file: the log stays."""
    page = open_page("labels", until_drawn=DESK)
    decide(page, etag=studio.etags[KEY])
    ((event,),) = until(lambda: [save["events"] for save in saved(studio)], "it is saved")
    assert (event["key"], event["etag"]) == (KEY, studio.etags[KEY])
