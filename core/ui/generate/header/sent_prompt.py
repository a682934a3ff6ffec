"""The sent prompt: what goes to the image model with the references, part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

import streamlit as st

from core.generation.records.comparison import SideRecord
from core.injection.request.prompt import Section
from core.injection.request.wishes import SideName
from core.ui.frame.words.markdown import fill, joined

SIDE_LETTERS: Final = "AB"


@dataclass(frozen=True, slots=True)
class SentPart:
    """One section of the prompt, and the letters of the sides that are sent it in these very words."""

    section: Section
    letters: str


def sent_prompt(sides: Sequence[SideRecord], titles: Mapping[SideName, str] = {}) -> None:
    """A button that opens what is sent to each of these sides: of two, what both are sent stands there once.

    `titles` say what each side is, where its own name does not.
    """
    with st.popover("Sent prompt", type="tertiary", key=f"sent-{'-'.join(side.side.value for side in sides)}"):
        if len(sides) == 1:
            sections(sides[0])
            return
        named = zip(SIDE_LETTERS, sides, strict=False)
        st.markdown(
            joined(
                " · ", (fill("**{}** {}", letter, titles.get(side.side, side.side.heading)) for letter, side in named)
            )
        )
        for part in parts_of(sides):
            _part(part.section, "both" if len(part.letters) == len(sides) else f"{part.letters} only")


def sections(side: SideRecord) -> None:
    """The sent prompt part by part: as typed, and what was added."""
    for section in side.sections:
        _part(section)


def parts_of(sides: Sequence[SideRecord]) -> tuple[SentPart, ...]:
    """The sections of all sides in the order in which they are sent, those in the same words once."""
    places: dict[str, int] = {}
    letters: dict[Section, str] = {}
    for letter, side in zip(SIDE_LETTERS, sides, strict=False):
        for place, section in enumerate(side.sections):
            places[section.title] = max(place, places.get(section.title, 0))
            letters[section] = letters.get(section, "") + letter
    return tuple(SentPart(each, letters[each]) for each in sorted(letters, key=lambda each: places[each.title]))


def _part(section: Section, goes_to: str = "") -> None:
    origin: LiteralString = "as typed" if section.typed else "added"
    st.caption(
        fill("{} · {}", section.title, origin) if not goes_to else fill("{} · {} · {}", section.title, origin, goes_to)
    )
    st.code(section.text or "(empty)", language=None, wrap_lines=True)
