"""The token page: what people see of a demo that asks for its start-up token."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import streamlit as st

from core.errors import StudioError
from core.identity.start_token import PARAMETER
from core.ui.frame.account.session_request import send_login_token
from core.ui.frame.problems import show_problem
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import plain
from core.ui.sign_in.login import door

_LONGEST = 2_000  # characters; an address has about seventy


def ask_for_token(reason: StudioError) -> None:
    """The page for who has not brought the token; `reason` says so, or that it was another start's."""
    token = st.session_state.pop(Key.LOGIN_TOKEN, None)
    if isinstance(token, str):
        with door("Opening the dashboard…"):
            send_login_token(token)
        return
    problem = st.session_state.pop(Key.SIGN_IN_PROBLEM, None)
    with door(plain(reason)), st.form(key=Key.TOKEN_FORM, border=False, clear_on_submit=True):
        if isinstance(problem, StudioError):
            show_problem(problem)
        typed = st.text_input(
            "Address or token", type="password", max_chars=_LONGEST, key=Key.TOKEN_FIELD, autocomplete="off"
        )
        if st.form_submit_button("Open the dashboard", type="primary", width="stretch") and typed.strip():
            st.session_state[Key.LOGIN_TOKEN] = _token_in(typed.strip())
            st.rerun()


def _token_in(typed: str) -> str:
    """The token of an address that was pasted as a whole, or what else was typed."""
    try:
        return parse_qs(urlsplit(typed).query)[PARAMETER][0]
    except (ValueError, KeyError):
        return typed
