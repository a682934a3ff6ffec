"""The contract with Streamlit and its OAuth button: what is documented by neither is as the studio takes it to be."""

from __future__ import annotations

import pytest
from streamlit.runtime.state import SafeSessionState, SessionState
from streamlit.testing.v1 import AppTest

from core.ui.frame.streamlit_internals import is_session_race, session_id
from tests.support.timeouts import LONG_S


def name_the_session() -> None:
    import streamlit as st

    from core.ui.frame.streamlit_internals import session_id

    st.text(type(session_id()).__name__)


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
