"""The prompt box: text that reaches the server while it is typed, without losing focus or place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import streamlit as st

from core.ui.components.draft_in_browser import with_draft

_HERE = Path(__file__)
_component = st.components.v2.component(
    "studio.prompt_box",
    html='<div class="prompt"><textarea spellcheck="false" dir="auto"></textarea></div>',
    css=_HERE.with_suffix(".css").read_text("utf-8"),
    js=with_draft(_HERE.with_suffix(".js")),
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
            "part": key,
            "label": label,
            "placeholder": placeholder,
            "height": height,
            "text": st.session_state.setdefault(key, ""),
            "echo": st.session_state.get(f"{mount}:echo", 0),
        },
        on_typed_change=partial(_take, mount, key, "typed", None),
        on_submitted_change=partial(_take, mount, key, "submitted", submitted),
    )
    # A session that has just been made calls nobody back: it knows its widgets once they are drawn.
    _take(mount, key, "typed", None)
    _take(mount, key, "submitted", submitted)


def heard(key: str) -> int:
    """The number of the newest message that was taken from the box."""
    return int(st.session_state.get(f"{key}:box:echo", 0))


def put(key: str, text: str, *, number: int) -> None:
    """Set the box to what it showed a server before, after so many messages. Call before it is drawn."""
    st.session_state[key] = text
    st.session_state[f"{key}:box:echo"] = max(number, heard(key))


def _take(mount: str, key: str, field: str, submitted: str | None) -> None:
    """Keep what the browser says; it comes numbered, and an older message never undoes a newer one."""
    message = (st.session_state.get(mount) or {}).get(field)
    if not isinstance(message, Mapping):
        return
    text, number = message.get("text"), message.get("number")
    if not (isinstance(text, str) and isinstance(number, int) and number > heard(key)):
        return
    st.session_state[key] = text
    st.session_state[f"{mount}:echo"] = number
    if submitted is not None:
        st.session_state[submitted] = True
