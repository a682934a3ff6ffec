"""The sent prompt: what goes to the image model with the references, part by part."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.generation.records.comparison import SideRecord
from core.ui.frame.markdown import fill

SIDE_LETTERS: Final = "AB"


def sent_prompt(*sides: SideRecord) -> None:
    """A button that opens what is sent to each of these sides."""
    with st.popover("Sent prompt", type="tertiary", key=f"sent-{'-'.join(side.side.value for side in sides)}"):
        for at, side in enumerate(sides):
            if len(sides) > 1:
                st.markdown(fill("**{}** {}", SIDE_LETTERS[at], side.side.heading))
            sections(side)


def sections(side: SideRecord) -> None:
    """The sent prompt part by part: as typed, and what was added."""
    for section in side.sections:
        st.caption(fill("{} · {}", section.title, "as typed" if section.typed else "added"))
        st.code(section.text or "(empty)", language=None, wrap_lines=True)
