"""The prompt box: text that reaches the server while it is typed, without losing focus or place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from core.ui.components.component import Component, Count, Told, memory, message
from core.unicode import UNREAD

_component = Component(
    Path(__file__).with_suffix(".js"),
    html='<div class="prompt"><textarea spellcheck="false" dir="auto" aria-describedby="count"></textarea>'
    '<p id="count" class="count" role="status"></p></div>',
)


@dataclass(frozen=True, slots=True)
class PromptData:
    """What the browser draws. `number` is that of the newest message that was heard.

    Of a text of more than `chars_max` characters the browser tells the length alone; `refused_chars` is that of the
    one in the box, 0 for one that was taken.
    """

    part: str
    label: str
    placeholder: str
    height: int
    text: str
    number: int
    chars_max: int
    refused_chars: int


@dataclass(slots=True)
class PromptMemory:
    """What outlives a rerun beside the text: the newest message that was heard, and how long a text was refused."""

    number: int = 0
    refused_chars: int = 0


class _Typed(Told):
    """What is in the box, or how long it is: a program may send any text, so its length is looked at before it is."""

    text: str
    number: Count
    chars: Count = 0


def prompt_box(label: str, *, key: str, placeholder: str, submitted: str, height: int, chars_max: int) -> None:
    """Draw the box. `st.session_state[key]` holds the text, and setting it sets the box.

    A text of more than `chars_max` characters is none; `refused_chars` tells how long it is.
    Ctrl+Enter sets `st.session_state[submitted]` to True for the run that answers it.
    """
    mount = f"{key}:box"
    if len(st.session_state.setdefault(key, "")) > chars_max:  # of a record that was brought in from elsewhere
        _refuse(key, len(st.session_state[key]))
    _component.draw(
        PromptData(
            part=key,
            label=label,
            placeholder=placeholder,
            height=height,
            text=st.session_state[key],
            number=heard(key),
            chars_max=chars_max,
            refused_chars=refused_chars(key),
        ),
        key=mount,
        height=height,
        on_typed_change=partial(_take, mount, key, "typed", None, chars_max),
        on_submitted_change=partial(_take, mount, key, "submitted", submitted, chars_max),
    )
    # A session that has just been made calls nobody back: it knows its widgets once they are drawn.
    _take(mount, key, "typed", None, chars_max)
    _take(mount, key, "submitted", submitted, chars_max)
    if UNREAD in st.session_state[key]:
        st.caption(":material/edit: A character could not be read: � stands in its place.")


def refused_chars(key: str) -> int:
    """How many characters the text in the box has, if it was refused as too long; else 0."""
    return memory(f"{key}:box", PromptMemory).refused_chars


def heard(key: str) -> int:
    """The number of the newest message that was taken from the box."""
    return memory(f"{key}:box", PromptMemory).number


def put(key: str, text: str, *, number: int) -> None:
    """Set the box to what it showed a server before, after so many messages. Call before it is drawn."""
    set_text(key, text)
    memory(f"{key}:box", PromptMemory).number = max(number, heard(key))


def set_text(key: str, text: str) -> None:
    """Set the box, before it is drawn, to a text of ours."""
    st.session_state[key] = text
    memory(f"{key}:box", PromptMemory).refused_chars = 0


def _take(mount: str, key: str, field: str, submitted: str | None, chars_max: int) -> None:
    """Keep what the browser says; it comes numbered, and an older message never undoes a newer one."""
    told = message(mount, field, _Typed)
    if told is None or told.number <= heard(key):
        return
    memory(mount, PromptMemory).number = told.number
    if (chars := max(len(told.text), told.chars)) > chars_max:
        _refuse(key, chars)
    else:
        set_text(key, told.text)
    if submitted is not None:
        st.session_state[submitted] = True


def _refuse(key: str, chars: int) -> None:
    st.session_state[key] = ""
    memory(f"{key}:box", PromptMemory).refused_chars = chars
