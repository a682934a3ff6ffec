"""The slot strip: what goes into each side, why, and what can be done about it, before, while and after it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import LiteralString

import streamlit as st

from core.generation.planning import Planned
from core.generation.records.comparison import SideRecord
from core.images.thumbnails import THUMBNAIL_SIDES
from core.injection.request.slots import Loosen, NearMiss, Slot
from core.injection.request.wishes import Mode, Strength, WishedFrom, Wishes
from core.references.vocabulary import Role, Vocabulary
from core.studio import Studio
from core.ui.frame.layout import row
from core.ui.frame.session import absolute
from core.ui.frame.words.markdown import Markdown, breakable, fill, joined, plain
from core.ui.frame.words.names import ROLES, STRENGTHS
from core.ui.generate.composer import draft
from core.ui.generate.slots.candidate_picker import candidate_picker
from core.ui.generate.slots.near_miss_words import near_miss_words
from core.ui.generate.slots.slot_cards import Account, SlotCard, is_dead_end, letters_of, slot_cards
from core.ui.generate.slots.slot_trail import trail
from core.ui.generate.slots.wrong_match import is_reported
from core.web.http.addresses import image_url

_WAYS_OUT = {True: 1, False: 4}  # buttons on a card, by whether it is compact; the others are behind its name
WrongMatch = Callable[[Slot], None]


def slot_strip(studio: Studio, planned: Planned, wrong_match: WrongMatch, *, is_compact: bool) -> None:
    """All slots in a row, the same one of several sides once: compact above a stage, large where there is none.

    `wrong_match` is called for a picture that a person says does not belong where it stands.
    """
    strip = st.container(
        horizontal=True,
        wrap=not is_compact,
        gap="xsmall" if is_compact else "small",
        key="strip-compact" if is_compact else "strip-large",
    )
    for number, card in enumerate(slot_cards(planned.sides), 1):
        kind = card.slot.role.value
        with strip, st.container(horizontal=True, width="content", gap="xsmall", key=f"slot-{kind}-{number}"):
            if card.slot.filled:
                size = THUMBNAIL_SIDES[0] if is_compact else THUMBNAIL_SIDES[1]
                st.image(_url(card.slot, size), alt=_alt(card.slot))
            with st.container(gap=None, width="content"):
                _head(studio, planned, card, wrong_match)
                if card.slot.filled:
                    _holding(card, planned.sides, is_compact=is_compact)
                else:
                    _empty(studio, planned, card, is_compact=is_compact)


def _head(studio: Studio, planned: Planned, card: SlotCard, wrong_match: WrongMatch) -> None:
    """The card's name, behind which another picture or a way out is chosen, where it goes to, and why."""
    slot = card.slot
    with row(spread=True, gap="xsmall", key=f"head-{card.place}"):
        chooser = st.popover(plain(card.name), type="tertiary", key=f"choose-{card.place}", on_change="rerun")
        if chooser.open:
            with chooser, st.container(key=f"chooser-{card.place}", gap="xsmall"):
                _choices(studio, planned, card)
        st.caption(_about(card, planned.injection.wishes), width="content")
        with st.popover("Why", type="tertiary", key=f"why-{card.place}"):
            for account in card.accounts:
                st.markdown(trail(account.slot, _told_by(card.name, account, planned.sides), studio.vocabulary))
            if slot.filled:
                if is_reported(slot):
                    st.caption(fill(":material/flag: {} is queued for label review.", slot.name))
                else:
                    _button("Wrong match", card.place, partial(wrong_match, slot))


def _choices(studio: Studio, planned: Planned, card: SlotCard) -> None:
    """What could stand in a slot; of one that nothing fits, every way out."""
    slot = card.slot
    if not slot.filled:
        st.markdown(plain(slot.why))
        _ways_out(slot, f"{card.place}-all", studio.vocabulary, slot.near)
    if slot.filled or (slot.id in draft.draft().pins and not is_dead_end(slot)):
        candidate_picker(studio, planned, slot, card.place)


def _holding(card: SlotCard, sides: Sequence[SideRecord], *, is_compact: bool) -> None:
    """How closely the picture is followed, what can be done with the slot, and in short why it is there."""
    with row(gap="xsmall", key=f"hand-{card.place}"):
        _strength(card)
        _actions(card.slot, card.place)
    if not is_compact:
        st.caption(fill("{}  \n{}", breakable(card.slot.group or ""), card.slot.why))
        _asides(card, sides)


def _empty(studio: Studio, planned: Planned, card: SlotCard, *, is_compact: bool) -> None:
    """Why nothing goes in, and the ways out."""
    slot = card.slot
    with row(gap="xsmall", key=f"hand-{card.place}"):
        st.caption(plain(slot.why))
        if not is_dead_end(slot):  # it stands in the place of a slot that is the other side's
            _actions(slot, card.place)
        _ways_out(slot, card.place, studio.vocabulary, shown_ways(slot.near, _WAYS_OUT[is_compact]))
    if not is_compact:
        _asides(card, planned.sides)


def _asides(card: SlotCard, sides: Sequence[SideRecord]) -> None:
    """Why nothing goes into the other side."""
    for aside in card.asides:
        st.caption(fill("{}: {}", letters_of(aside, sides), aside.slot.why))


def _actions(slot: Slot, place: str) -> None:
    """Pin, re-roll and off. They go by slot id, and so act on every side that has the slot."""
    held = draft.draft()
    by_chance = slot.role is Role.TONE and (slot.wished is None or slot.wished_from == WishedFrom.CHANCE)
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


def shown_ways(near: Sequence[NearMiss], count: int) -> list[NearMiss]:
    """The ways out that stand on a card itself: the first ones, but giving up the balance is always among them."""
    if len(near) <= count:
        return list(near)
    alone = [miss for miss in near if miss.loosen == Loosen.BALANCED][:1]
    others = [miss for miss in near if miss not in alone]
    return [*others[: count - len(alone)], *alone]


def _ways_out(slot: Slot, place: str, vocabulary: Vocabulary, near: Sequence[NearMiss]) -> None:
    """Near misses as buttons, each of which changes the one wish that it names."""
    for number, miss in enumerate(near):
        label = near_miss_words(miss, slot, vocabulary)
        st.button(label, key=f"loosen-{place}-{number}", wrap=True, on_click=partial(draft.loosen, miss))


def _button(label: LiteralString, place: str, action: Callable[[], None], *, disabled: bool = False) -> None:
    st.button(label, key=f"{label}-{place}", type="tertiary", on_click=action, disabled=disabled)


def _strength(card: SlotCard) -> None:
    """Four steps as a level; style.css draws the bars and keeps the words for who hears them or points at one."""
    widget = f"strength-{card.place}"
    st.session_state[widget] = draft.draft().strengths.get(card.slot.id, Strength.NORMAL)
    st.segmented_control(
        fill("How closely {} is followed", card.name),
        list(Strength),
        format_func=STRENGTHS.__getitem__,
        key=widget,
        required=True,
        label_visibility="collapsed",
        on_change=partial(draft.set_strength, card.slot.id, widget),
    )


def _about(card: SlotCard, wishes: Wishes) -> Markdown:
    """Whose picture it is, which sides it goes to, and how closely it is followed where that has been changed or is
    what varies.
    """
    strength = draft.draft().strengths.get(card.slot.id, Strength.NORMAL)
    said = [_called(card.slot), card.goes_to]
    if card.slot.filled and wishes.mode is Mode.COMPARE and card.slot.id in wishes.strengths_b:
        said.append(fill("A **{}**, B **{}**", strength.value, wishes.strengths_b[card.slot.id].value))
    elif card.slot.filled and strength is not Strength.NORMAL:
        said.append(fill("**{}**", strength.value))
    return joined(" · ", filter(None, said))


def _told_by(name: str, account: Account, sides: Sequence[SideRecord]) -> str:
    letters = letters_of(account, sides)
    return f"{name}, {letters}" if letters else name


def _called(slot: Slot) -> str:
    """The person in a picture, else its file's name without what it ends with."""
    if slot.name is None:
        return ""
    return slot.persona or slot.name.rsplit(".", 1)[0]


def _url(slot: Slot, size: int) -> str:
    return absolute(image_url(slot.key or "", slot.etag or "", size))


def _alt(slot: Slot) -> str:
    return f"{ROLES[slot.role].lower()} reference {slot.name} from the group {slot.group}"
