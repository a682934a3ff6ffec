"""The prompt box: text that reaches the server while it is typed, without losing focus or place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import streamlit as st

_HERE = Path(__file__)
_component = st.components.v2.component(
    "studio.prompt_box",
    html='<div class="prompt"><textarea spellcheck="false" dir="auto"></textarea></div>',
    css=_HERE.with_suffix(".css").read_text("utf-8"),
    js=_HERE.with_suffix(".js").read_text("utf-8"),
)


def prompt_box(label: str, *, key: str, placeholder: str, submitted: str, height: int) -> None:
    """Draw the box. `st.session_state[key]` holds the text, and setting it sets the box.

    Ctrl+Enter sets `st.session_state[submitted]` to True for the run that answers it.
    """
    mount = f"{key}:box"
    _component(
        key=mount,
        height=height,
        data={
            "label": label,
            "placeholder": placeholder,
            "height": height,
            "text": st.session_state.setdefault(key, ""),
            "echo": st.session_state.get(f"{mount}:echo", 0),
        },
        on_typed_change=partial(_take, mount, key, "typed", None),
        on_submitted_change=partial(_take, mount, key, "submitted", submitted),
    )


def _take(mount: str, key: str, field: str, submitted: str | None) -> None:
    """Keep what the browser says; it comes numbered, and an older message never undoes a newer one."""
    message = (st.session_state.get(mount) or {}).get(field)
    if not isinstance(message, Mapping):
        return
    text, number = message.get("text"), message.get("number")
    echo = f"{mount}:echo"
    if isinstance(text, str) and isinstance(number, int) and number > st.session_state.get(echo, 0):
        st.session_state[key] = text
        st.session_state[echo] = number
    if submitted is not None:
        st.session_state[submitted] = True
