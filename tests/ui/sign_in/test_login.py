"""A sign-in's answer is checked before its code is used: its own state, and begun within ten minutes."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.timeouts import LONG_S


def authenticator(state: str | None, age_s: float) -> None:
    import time

    import streamlit as st

    from core.errors import SignInError
    from core.ui.sign_in.login import Attempt, _check

    attempt = Attempt(begun_at_s=time.monotonic() - age_s)
    st.session_state[f"state-{attempt.key}"] = "expected"
    try:
        _check({"code": "c", "state": state}, attempt)
        st.text("taken")
    except SignInError as err:
        st.text(err.message)


@pytest.mark.parametrize(
    ("state", "age_s", "says"),
    [
        ("expected", 590, "taken"),
        ("expected", 601, "This sign-in was begun more than ten minutes ago. Sign in again."),
        ("another", 1, "This answer belongs to another sign-in. Sign in again."),
        (None, 1, "This answer belongs to another sign-in. Sign in again."),
    ],
)
def test_only_a_young_answer_with_its_own_state_is_taken(state: str | None, age_s: float, says: str) -> None:
    app = AppTest.from_function(authenticator, args=(state, age_s)).run(timeout=LONG_S)
    assert not app.exception
    assert [text.value for text in app.text] == [says]
