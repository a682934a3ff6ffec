"""The contract with Streamlit and its OAuth button: what is documented by neither is as the studio takes it to be."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.state import SafeSessionState, SessionState
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.session_state import WStates
from streamlit.testing.v1 import AppTest

from core.logs.refusals import counted
from core.ui.frame.streamlit_internals import guard_browser_values, is_session_race, session_id
from tests.support.timeouts import LONG_S


@pytest.fixture(autouse=True)
def _main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of Streamlit leaves its script as the main module, which processes that are forked later would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def name_the_session() -> None:
    import streamlit as st

    from core.ui.frame.streamlit_internals import session_id

    st.text(type(session_id()).__name__)


def draw_what_the_address_says() -> None:
    import streamlit as st

    from core.ui.frame.streamlit_internals import rewrite_address

    if st.query_params.get("tone") == "natural-film":
        rewrite_address("tone", "Natural film")
    st.selectbox("Tone", ["Noir", "Natural film"], index=None, key="tone", bind="query-params")
    st.text(f"{st.session_state['tone']} {st.query_params.get('tone')}")


def draw_the_oauth_button() -> None:
    import streamlit as st
    from httpx_oauth.oauth2 import OAuth2
    from streamlit_oauth import OAuth2Component

    from core.ui.frame.streamlit_internals import forget_oauth, oauth_answer, oauth_state

    client = OAuth2("id", "secret", "https://google.example/authorize", "https://google.example/token")
    OAuth2Component(client=client).authorize_button("Sign in", "https://here", "openid", key="button", pkce="S256")
    before = sorted(str(key) for key in st.session_state)
    st.text(f"{before} {oauth_answer('button')} {len(oauth_state('button')) > 16}")
    forget_oauth("button")
    st.text(f"{[key for key in st.session_state if key != 'button']}")


def shown(app: AppTest) -> list[str]:
    assert not app.exception
    return [text.value for text in app.text]


def test_a_run_knows_its_session_and_there_is_none_outside() -> None:
    assert session_id() is None
    assert shown(AppTest.from_function(name_the_session).run(timeout=LONG_S)) == ["str"]


def test_a_bound_widget_reads_what_the_address_was_rewritten_to() -> None:
    app = AppTest.from_function(draw_what_the_address_says)
    app.query_params["tone"] = "natural-film"
    assert shown(app.run(timeout=LONG_S)) == ["Natural film Natural film"]
    assert shown(app.selectbox[0].select("Noir").run(timeout=LONG_S))[0].startswith("Noir")


def test_each_run_locks_the_session_for_itself_so_two_can_race() -> None:
    state = SessionState()
    first, second = (SafeSessionState(state, lambda: None) for _ in range(2))
    assert first._state is second._state
    assert first._lock is not second._lock  # once they share one, nothing has to be run again


def test_a_race_is_known_by_what_python_says() -> None:
    kept = {1: 1}
    numbers = iter(kept)
    kept[2] = 2
    with pytest.raises(RuntimeError) as raised:
        next(numbers)
    assert is_session_race(raised.value)
    assert not is_session_race(RuntimeError("anything else"))


def test_the_oauth_button_keeps_its_answer_its_state_and_its_pkce_pair_under_these_keys() -> None:
    before, after = shown(AppTest.from_function(draw_the_oauth_button).run(timeout=LONG_S))
    assert before == "['button', 'pkce-button', 'state-button'] None True"
    assert after == "[]"


def draw_widgets() -> None:
    import streamlit as st

    state = [
        st.text_input("a"),
        st.text_area("b"),
        st.number_input("c"),
        st.number_input("d", value=0),
        st.slider("e"),
        st.selectbox("f", ["x", "y"]),
        st.multiselect("g", ["x", "y"]),
        st.toggle("h"),
        st.radio("i", ["x", "y"]),
        st.pills("j", ["x", "y"]),
        st.segmented_control("k", ["x", "y"]),
        st.date_input("l", value=None),
        st.button("m"),
        st.select_slider("n", ["x", "y"]),
    ]
    st.text(state)


@pytest.fixture
def _guarded() -> Iterator[None]:
    kept = WStates.__getitem__
    guard_browser_values()
    yield
    WStates.__getitem__ = kept


@pytest.mark.usefixtures("_guarded")
def test_what_the_scripts_of_widgets_send_is_read_as_it_was_sent() -> None:
    """Each says it in one kind of value, which is the one that its widget registers."""
    app = AppTest.from_function(draw_widgets).run(timeout=LONG_S)
    before = counted().get(("message_refused", "malformed value"), 0)
    app.text_input[0].set_value("typed")
    app.text_area[0].set_value("two\nlines")
    app.number_input[0].set_value(0.5)
    app.number_input[1].set_value(7)
    app.slider[0].set_value(9)
    app.selectbox[0].set_value("y")
    app.multiselect[0].set_value(["y", "x"])
    app.toggle[0].set_value(True)
    app.radio[0].set_value("y")
    app.button_group[0].set_value("y")
    app.button_group[1].set_value("y")
    app.date_input[0].set_value(date(2026, 11, 29))
    app.select_slider[0].set_value("y")
    app.button[0].click()
    shown_values = shown(app.run(timeout=LONG_S))[0]
    assert shown_values == (
        "['typed', 'two\\nlines', 0.5, 7, 9, 'y', ['y', 'x'], True, 'y', 'y', 'y', "
        "datetime.date(2026, 11, 29), True, 'y']"
    )
    assert counted().get(("message_refused", "malformed value"), 0) == before


@pytest.mark.usefixtures("_guarded")
def test_a_value_counts_after_an_empty_one_though_no_run_has_drawn_its_widget_in_between() -> None:
    """A run that is cut short draws no widgets: what is typed while it works comes on top of what was empty before."""
    number = WidgetMetadata("n", lambda value: value, lambda value: value, "double_value", clearable=True)
    states = WStates(widget_metadata={"n": number})
    states.set_widget_from_proto(WidgetState(id="n"))
    assert states["n"] is None
    states.set_widget_from_proto(WidgetState(id="n", double_value=4.5))
    assert states["n"] == 4.5

    states.set_widget_from_proto(WidgetState(id="n"))
    assert states["n"] is None
    states.set_widget_from_proto(WidgetState(id="n", string_value="no number"))
    assert states.get("n") is None
