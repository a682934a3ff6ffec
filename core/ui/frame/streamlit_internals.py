"""Streamlit's internals: what the studio uses of it, and of its OAuth button, that neither of them documents.

`tests/ui/frame/test_streamlit_internals.py` fails when a new version of either behaves differently.
"""

from __future__ import annotations

from typing import Any, Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_RACE: Final = "dictionary changed size during iteration"


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
