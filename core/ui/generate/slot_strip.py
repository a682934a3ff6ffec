"""The slot strip: what goes into each side, and why, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import LiteralString

import streamlit as st

from core.generation.records.comparison import SideRecord
from core.injection.slots import Slot, Step
from core.injection.wishes import Strength, WishedFrom
from core.references.vocabulary import Role
from core.ui.frame.layout import row
from core.ui.frame.markdown import Markdown, breakable, code, fill, joined, plain
from core.ui.frame.quantities import count_of
from core.ui.frame.session import absolute
from core.ui.frame.state import Key
from core.ui.generate import draft
from core.web.addresses import image_url

_SIDE_LETTERS = "AB"
_COLUMNS_MIN = 4  # fewer would make banners of portraits
STRENGTHS = {strength: strength.value.capitalize() for strength in Strength}
_SOURCES: dict[str | None, str] = {
    WishedFrom.PICKED: "picked by you",
    WishedFrom.PROMPT: "read from the prompt",
    WishedFrom.CHANCE: "by chance",
}


def slot_strip(sides: tuple[SideRecord, ...], wrong_match: Callable[[Slot], None]) -> None:
    """Every side's slots in a row, with pin, re-roll, off and the full trail.

    `wrong_match` is called for a picture that a person says does not belong where it stands.
    """
    letters = len(sides) > 1
    columns = max(_COLUMNS_MIN, *(len(side.slots) for side in sides))
    for number, side in enumerate(sides):
        title = f"{_SIDE_LETTERS[number]} · {side.side.heading}" if letters else side.side.heading
        with st.container(gap=None):
            with row():
                filled = sum(slot.filled for slot in side.slots)
                summary = f"{count_of(filled, 'reference')} {'goes' if filled == 1 else 'go'} in"
                st.markdown(fill("**{}**  :gray[{}]", title, summary), width="content")
                sent_prompt(side)
            grid = st.grid(columns, wrap=False, min_column_width=116, key=f"strip-{side.side.value}")
            for at, (slot, name) in enumerate(zip(side.slots, _names(side.slots), strict=True)):
                with grid.cell():
                    _slot(slot, name, f"{side.side.value}-{at}", wrong_match)


def folded_strip(sides: tuple[SideRecord, ...]) -> None:
    """The same as thumbnails in one line, once the stage shows what was made from them."""
    columns = st.columns(len(sides))
    for side, column in zip(sides, columns, strict=True):
        filled = [slot for slot in side.slots if slot.filled]
        with column, row(gap="xsmall", key=f"fold-{side.side.value}"):
            for slot in filled:
                st.image(_url(slot), width=44, alt=_alt(slot))
            with st.popover(plain(count_of(len(filled), "reference")), type="tertiary"):
                for slot, name in zip(side.slots, _names(side.slots), strict=True):
                    holds = code(slot.name) if slot.filled else fill(":gray[empty]")
                    st.markdown(fill("**{}** {}  \n:gray[{}]", name, holds, slot.why))
                sections(side)


def _slot(slot: Slot, name: str, place: str, wrong_match: Callable[[Slot], None]) -> None:
    with st.container(key=f"slot-{place}", gap=None):
        if slot.filled:
            st.image(_url(slot), alt=_alt(slot))
        else:
            with st.container(key=f"plate-{place}"):
                st.markdown(":gray[—]", text_alignment="center")
        with row(spread=True, gap="xsmall"):
            st.markdown(fill("**{}**", name))
            with st.popover("Why", type="tertiary", key=f"why-{place}"):
                st.markdown(trail(slot, name))
                if slot.filled:
                    _strength(slot, place)
                    _button("Wrong match", place, partial(wrong_match, slot))
        with st.container(gap=None):
            st.markdown(fill(":small[{}]", breakable(slot.group or "")) if slot.filled else ":small[:gray[empty]]")
            st.caption(plain(slot.why))
        _actions(slot, place)
        _way_out(slot, place)


def _actions(slot: Slot, place: str) -> None:
    """Pin, re-roll and off. They go by slot id, so on a shared slot either side's buttons act on both."""
    held = draft.draft()
    by_chance = slot.role is Role.TONE and (slot.wished is None or slot.wished_from == WishedFrom.CHANCE)
    if not (slot.filled or by_chance or slot.id in held.off or slot.id in held.pins):
        return
    with st.container(horizontal=True):
        if slot.id in held.off:
            _button("Switch on", place, partial(draft.switch_on, slot.id))
            return
        if slot.id in held.pins:
            _button("Unpin", place, partial(draft.unpin, slot.id))
        elif slot.key:
            _button("Pin", place, partial(draft.pin, slot.id, slot.key))
        if by_chance and not slot.filled:
            _button("Let chance pick", place, partial(draft.set_draft, tone_by_chance=True))
        elif by_chance:
            _button("No chance", place, partial(draft.set_draft, tone_by_chance=False))
        if slot.filled:
            _button("Re-roll", place, partial(draft.reroll, slot.id), disabled=slot.choices < 2)
            _button("Off", place, partial(draft.switch_off, slot.id))


def _way_out(slot: Slot, place: str) -> None:
    """The nearest other model folder as a button: the one wish that one click can loosen."""
    folder = next((miss for miss in slot.near if miss.loosen == "folder"), None)
    if folder is not None:
        name = " / ".join(folder.to.split("/")[-2:])
        _button(fill("Use {}", name), place, partial(st.session_state.__setitem__, Key.FOLDER, folder.to))


def _button(label: LiteralString | Markdown, place: str, action: Callable[[], None], *, disabled: bool = False) -> None:
    st.button(label, key=f"{label}-{place}", type="tertiary", on_click=action, disabled=disabled)


def _strength(slot: Slot, place: str) -> None:
    widget = f"strength-{place}"
    st.session_state[widget] = draft.draft().strengths.get(slot.id, Strength.NORMAL)
    st.segmented_control(
        "How closely it is followed",
        list(Strength),
        format_func=STRENGTHS.__getitem__,
        key=widget,
        required=True,
        help="The model knows no weights: this is said to it in words.",
        on_change=partial(draft.set_strength, slot.id, widget),
    )


def sent_prompt(side: SideRecord) -> None:
    """A button that opens what is sent."""
    with st.popover("Sent prompt", type="tertiary", key=f"sent-{side.side.value}"):
        sections(side)


def sections(side: SideRecord) -> None:
    """The sent prompt part by part: as typed, and what was added."""
    for section in side.sections:
        st.caption(fill("{} · {}", section.title, "as typed" if section.typed else "added"))
        st.code(section.text or "(empty)", language=None, wrap_lines=True)


def trail(slot: Slot, name: str) -> Markdown:
    """The whole explanation of a slot."""
    lines = [fill("**{}**: {}", name, slot.why)]
    if slot.wished:
        lines.append(fill("Wished: {} ({})", slot.wished, slot.wished_from))
    if slot.steps:
        rows = joined("", (fill("\n| {}{} | {:,} |", step.step, _source(step), step.left) for step in slot.steps))
        lines.append(fill("| Step | Left |\n|---|---:|{}", rows))
    if slot.key:
        lines.append(code(slot.key))
    lines += [fill("- {} → {}: {:,} pictures", miss.loosen, miss.to, miss.pictures) for miss in slot.near]
    return joined("\n\n", lines)


def _source(step: Step) -> Markdown:
    return fill(" :gray[· {}]", _SOURCES[step.source]) if step.source in _SOURCES else fill("")


def _names(slots: tuple[Slot, ...]) -> list[str]:
    names, models = [], 0
    for slot in slots:
        if slot.role is Role.MODEL:
            models += 1
            names.append(f"Model {models}")
        else:
            names.append(slot.role.value.capitalize())
    return names


def _url(slot: Slot) -> str:
    return absolute(image_url(slot.key or "", slot.etag or ""))


def _alt(slot: Slot) -> str:
    return f"{slot.role.value} reference {slot.name} from the group {slot.group}"
