"""On the stage: which comparison a tab shows, in its session and in its address, and which it has shown."""

from __future__ import annotations

import streamlit as st

from core.ui.frame.state import COMPARISON_PARAM, Key


def put_on_stage(comparison_id: str) -> None:
    """This comparison is shown from now on, and a reload finds it again."""
    st.session_state[Key.SEEN] = seen() | {comparison_id}
    st.session_state[Key.SHOWN] = comparison_id
    st.query_params[COMPARISON_PARAM] = comparison_id


def seen() -> frozenset[str]:
    """The comparisons that this tab has shown: who presses Generate for the same once more means another one."""
    before: frozenset[str] = st.session_state.get(Key.SEEN, frozenset())
    shown = st.session_state.get(Key.SHOWN)
    return before | {shown} if shown else before
