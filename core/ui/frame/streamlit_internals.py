"""Streamlit's internals: what the studio uses of it, and of its OAuth button, that neither of them documents.

`tests/ui/frame/test_streamlit_internals.py` fails when a new version of either behaves differently.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

import streamlit as st
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.query_params import _coerce_value_for_query_url
from streamlit.runtime.state.session_state import Serialized, WStates
from streamlit.web.server import server_util

from core.logs.refusals import refuse
from core.settings import is_loopback
from core.web.sockets.browser_message import BrowserMessage, NotAMessage

DEEPEST: Final = 32  # values within values
_HALF_OF_A_PAIR: Final = re.compile("[\ud800-\udfff]")
_JSON: Final = ("json_value", "json_trigger_value")
_read_by_streamlit: Final = WStates.__getitem__
_RACE: Final = "dictionary changed size during iteration"
# What a page of ours sends. The other kinds empty everybody's caches, ask for uploads, or are for debugging.
_KINDS: Final = frozenset({"rerun_script", "stop_script", "app_heartbeat", "backend_operation_request"})
# Values that count once: Streamlit's own list, in runtime/scriptrunner_utils/script_requests.py
_PRESSES: Final = frozenset({"trigger_value", "string_trigger_value", "chat_input_value", "json_trigger_value"})


def session_id() -> str | None:
    """The id of the browser session whose script runs, which is as good as a key to it; None outside of a run."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else None


def forget_session() -> None:
    """Empty the session whose script runs: its values, its widgets, what they have been sent, and their callbacks."""
    context = get_script_run_ctx()
    if context is not None:
        state = context.session_state._state
        state.clear()
        state._new_widget_state.widget_metadata.clear()


def rewrite_address(name: str, value: str) -> None:
    """Put another value into the address, before the widget that is bound to it is drawn: that reads this one.

    `st.query_params` alone tells the browser, while a widget reads what the address was when the page was opened.
    """
    st.query_params[name] = value
    context = get_script_run_ctx()
    if context is not None:
        with context.session_state.query_params() as params:
            params._initial_query_params[name] = [value]


def learn_address() -> None:
    """Let the server's copy of the address say what the widgets of this run do that are bound to it.

    With a changed widget the browser sends the address of before the change. Whatever in the same run takes a parameter
    out of the copy sends the whole copy back: without this the change would be gone from the browser's address.
    """
    context = get_script_run_ctx()
    if context is None:
        return
    state = context.session_state._state
    drawn = context.shared.widget_ids_this_run.snapshot()
    with context.session_state.query_params() as params:
        for name, binding in params._bindings_by_param.items():
            metadata = state._new_widget_state.widget_metadata.get(binding.widget_id)
            if metadata is None or binding.widget_id not in drawn:
                continue
            value = state[binding.widget_id]
            if value == metadata.deserializer(None):
                params.discard_param_no_forward_msg(name)
            else:
                said = _coerce_value_for_query_url(metadata.serializer(value), metadata.value_type)
                params.set_with_no_forward_msg(name, said)


def own_url() -> str:
    """Where somebody on this machine opens the server, by the port it listens on in the end."""
    address = config.get_option("server.address") or ""
    is_everywhere = address in ("", "0.0.0.0", "::")  # noqa: S104 - compared, not listened on
    name = "localhost" if is_everywhere or is_loopback(address) else address
    if config.is_manually_set("browser.serverAddress"):
        name = config.get_option("browser.serverAddress")
    url: str = server_util.get_url(name)
    return url


def is_session_race(err: RuntimeError) -> bool:
    """Whether a run read the session's state while the end of the run before took widgets out of it.

    Each of Streamlit's script runners keeps the same state behind a lock of its own.
    """
    return str(err) == _RACE


def oauth_answer(button: str) -> Any:
    """What the pop-up of the OAuth button with this key has returned; None while it has not."""
    return st.session_state.get(button)


def oauth_state(button: str) -> str:
    """The state that this button's answer has to carry; empty if there is none."""
    return str(st.session_state.get(f"state-{button}") or "")


def forget_oauth(button: str) -> None:
    """Take all out of the session that the button has put there: its answer, its state and its PKCE pair."""
    for key in (button, f"state-{button}", f"pkce-{button}"):
        st.session_state.pop(key, None)


class _Refused(Serialized):
    """In the place of a value that was refused: of its widget nothing has been said."""


def guard_browser_values() -> None:
    """From now on a value that a widget's own script cannot have sent counts as not said, where Streamlit reads it.

    Streamlit hands a widget whatever somebody sends under its name; what cannot be read ends this run of the session
    and every later one.
    """
    WStates.__getitem__ = _read  # type: ignore[method-assign]


def _read(states: WStates, widget: str) -> Any:
    """The value of a widget, as `WStates` reads it. Raises KeyError for none, and for one that is refused."""
    state = states.states.get(widget)
    if isinstance(state, _Refused):
        raise KeyError(widget)
    metadata = states.widget_metadata.get(widget)
    if isinstance(state, Serialized) and metadata is not None:
        try:
            states.states[widget] = Serialized(_checked(state.value, metadata))
            value = _read_by_streamlit(states, widget)
            # Streamlit takes the kind of what came for the widget's own, and a cleared value has none.
            states.set_widget_metadata(metadata)
            return value
        except Exception as err:  # noqa: BLE001 - whatever a widget of Streamlit's makes of a value that is none of its own
            refuse("message_refused", reason="malformed value", error=type(err).__name__)
            states.states[widget] = _Refused(WidgetState(id=widget))
            raise KeyError(widget) from None
    return _read_by_streamlit(states, widget)


def _checked(state: WidgetState, metadata: WidgetMetadata[Any]) -> WidgetState:
    """The value as it is to be read. Raises ValueError or RecursionError for one that this widget does not send."""
    kind = state.WhichOneof("value")
    if kind is None:  # cleared
        return state
    if kind != metadata.value_type:
        raise ValueError(f"{kind} instead of {metadata.value_type}")
    if kind not in _JSON:
        return state
    value = json.loads(getattr(state, kind), parse_constant=_no_number)
    mended = WidgetState(id=state.id)
    setattr(mended, kind, json.dumps(_mended(value, DEEPEST)))
    return mended


def _mended(value: Any, deepest: int) -> Any:
    """The same value with a replacement character for every half of an emoji, which no text that is sent may hold."""
    if deepest == 0:
        raise ValueError("too deep")
    if isinstance(value, str):
        return _HALF_OF_A_PAIR.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(each, deepest - 1) for each in value]
    if isinstance(value, dict):
        return {_mended(name, deepest - 1): _mended(each, deepest - 1) for name, each in value.items()}
    return value


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def read_message(data: bytes) -> BrowserMessage:
    """What a page says in these bytes. Raises NotAMessage for what no page of ours says."""
    said = BackMsg()
    try:
        said.ParseFromString(data)
    except Exception as err:  # protobuf's DecodeError, and whatever else its parser says
        raise NotAMessage("These bytes are no message of a browser's.") from err
    kind = said.WhichOneof("type")
    if kind not in _KINDS:
        raise NotAMessage("No page of ours sends such a message.")
    if kind != "rerun_script":
        return BrowserMessage(len(data))
    widgets = said.rerun_script.widget_states.widgets
    has_press = any(map(_is_press, widgets))
    count = len(widgets)
    said.rerun_script.ClearField("widget_states")
    return BrowserMessage(len(data), said.SerializeToString(deterministic=True), count, has_press)


def _is_press(state: WidgetState) -> bool:
    return state.WhichOneof("value") in _PRESSES
