"""The prompt box: text that reaches the server while it is typed, without losing focus or place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from core.ui.components.component import Component, memory, message

_component = Component(
    Path(__file__).with_suffix(".js"),
    html='<div class="prompt"><textarea spellcheck="false" dir="auto"></textarea></div>',
)


@dataclass(frozen=True, slots=True)
class PromptData:
    """What the browser draws. `number` is that of the newest message that was heard."""

    part: str
    label: str
    placeholder: str
    height: int
    text: str
    number: int


@dataclass(slots=True)
class PromptMemory:
    """What outlives a rerun beside the text: the number of the newest message that was heard."""

    number: int = 0


def prompt_box(label: str, *, key: str, placeholder: str, submitted: str, height: int) -> None:
    """Draw the box. `st.session_state[key]` holds the text, and setting it sets the box.

    Ctrl+Enter sets `st.session_state[submitted]` to True for the run that answers it.
    """
    mount = f"{key}:box"
    text = st.session_state.setdefault(key, "")
    _component.draw(
        PromptData(part=key, label=label, placeholder=placeholder, height=height, text=text, number=heard(key)),
        key=mount,
        height=height,
        on_typed_change=partial(_take, mount, key, "typed", None),
        on_submitted_change=partial(_take, mount, key, "submitted", submitted),
    )
    # A session that has just been made calls nobody back: it knows its widgets once they are drawn.
    _take(mount, key, "typed", None)
    _take(mount, key, "submitted", submitted)


def heard(key: str) -> int:
    """The number of the newest message that was taken from the box."""
    return memory(f"{key}:box", PromptMemory).number


def put(key: str, text: str, *, number: int) -> None:
    """Set the box to what it showed a server before, after so many messages. Call before it is drawn."""
    st.session_state[key] = text
    memory(f"{key}:box", PromptMemory).number = max(number, heard(key))


def _take(mount: str, key: str, field: str, submitted: str | None) -> None:
    """Keep what the browser says; it comes numbered, and an older message never undoes a newer one."""
    told = message(mount, field)
    if not isinstance(told, Mapping):
        return
    text, number = told.get("text"), told.get("number")
    if not (isinstance(text, str) and isinstance(number, int) and number > heard(key)):
        return
    st.session_state[key] = text
    memory(mount, PromptMemory).number = number
    if submitted is not None:
        st.session_state[submitted] = True
