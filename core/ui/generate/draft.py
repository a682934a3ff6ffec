"""The draft: what the composer holds beyond its widgets, what they offer, and how a comparison is recalled into it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import streamlit as st

from core.generation.engines.engine import Engine
from core.generation.records.comparison import Comparison, Size
from core.injection.wishes import SEED_MAX, Ages, Mode, PersonWish, Strength, Wishes
from core.labels.published.schema import Gender
from core.studio import Studio
from core.ui.components.prompt_box import set_text
from core.ui.components.tiles import hand_over
from core.ui.frame.state import Key, session_value

V = TypeVar("V")
AGE_SPAN = (0, 100)  # the whole span of the slider stands for "any age"
FROM_PROMPT = "From prompt"
PERSON_CHOICES = {FROM_PROMPT: PersonWish.AUTO, "Yes": PersonWish.YES, "No": PersonWish.NO}
GENDER_CHOICES = {FROM_PROMPT: None, "Woman": Gender.FEMININE, "Man": Gender.MASCULINE}
SIZES = {
    "4:5 · 1024 × 1280": Size(width=1024, height=1280),
    "1:1 · 1024 × 1024": Size(width=1024, height=1024),
    "3:2 · 1536 × 1024": Size(width=1536, height=1024),
    "9:16 · 1152 × 2048": Size(width=1152, height=2048),
    "4:5 large · 2048 × 2560": Size(width=2048, height=2560),
}


@dataclass(frozen=True)
class Draft:
    """Seed, pins, re-rolls and off-switches of the composer, and the picks its tiles were given.

    `recent` are the keys this person was given last time when the seed was drawn; it changes only with the
    seed, so that a plan on screen does not move by itself.
    """

    seed: int
    recent: tuple[str, ...] = ()
    tone: str | None = None
    angle: str | None = None
    tone_by_chance: bool = False
    pins: dict[str, str] = field(default_factory=dict)
    rerolls: dict[str, int] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    strengths: dict[str, Strength] = field(default_factory=dict)


def draft() -> Draft:
    """The session's draft; a new session starts with a new seed."""
    return session_value(Key.DRAFT, Draft, lambda: Draft(seed=new_seed()))


def set_draft(**changes: object) -> None:
    """Change parts of the draft."""
    st.session_state[Key.DRAFT] = replace(draft(), **changes)  # type: ignore[arg-type]  # fields checked by name


def new_seed() -> int:
    """A seed for the draws, short enough to be read out."""
    return secrets.randbelow(1_000_000)


def pin(slot_id: str, key: str) -> None:
    """Keep this picture in its slot."""
    set_draft(pins={**draft().pins, slot_id: key}, rerolls=_without(draft().rerolls, slot_id))


def unpin(slot_id: str) -> None:
    """Let the draw decide again."""
    set_draft(pins=_without(draft().pins, slot_id))


def reroll(slot_id: str) -> None:
    """Take the next picture in the draw's order."""
    rerolls = draft().rerolls
    set_draft(rerolls={**rerolls, slot_id: rerolls.get(slot_id, 0) + 1}, pins=_without(draft().pins, slot_id))


def switch_off(*slot_ids: str) -> None:
    """Leave these slots empty."""
    set_draft(off=draft().off | set(slot_ids))


def switch_on(slot_id: str) -> None:
    """Fill the slot again."""
    set_draft(off=draft().off - {slot_id})


def set_strength(slot_id: str, widget: str) -> None:
    """Take over how closely a slot's reference is to be followed from its widget."""
    said = st.session_state.get(widget)  # in a callback: whatever somebody has sent
    chosen = next((strength for strength in Strength if strength == said), Strength.NORMAL)
    set_draft(strengths={**draft().strengths, slot_id: chosen})


def shuffle(recent: tuple[str, ...]) -> None:
    """Draw everything anew, away from what this person was given last time."""
    set_draft(seed=new_seed(), recent=recent, rerolls={})


def wishes_from_widgets(tone: str | None, angle: str | None) -> Wishes:
    """What the composer asks for right now."""
    state, held = st.session_state, draft()
    low, high = state.get(Key.AGES) or AGE_SPAN
    return Wishes(
        prompt=state.get(Key.PROMPT) or "",
        mode=Mode(state.get(Key.MODE) or Mode.COMPARE),
        tone=tone,
        tone_by_chance=held.tone_by_chance and tone is None,
        angle=angle,
        folder=state.get(Key.FOLDER),
        person=PERSON_CHOICES[state.get(Key.PERSON) or FROM_PROMPT],
        gender=GENDER_CHOICES[state.get(Key.GENDER) or FROM_PROMPT],
        ages=None if (low, high) == AGE_SPAN else Ages(low, high),
        seed=held.seed,
        pins=held.pins,
        rerolls=held.rerolls,
        off=held.off,
        strengths=held.strengths,
    )


def chosen_size() -> Size:
    """The size both sides are made in."""
    return SIZES.get(st.session_state.get(Key.SIZE) or "", next(iter(SIZES.values())))


def engine_choices(studio: Studio) -> dict[str, tuple[Engine, str]]:
    """Every engine with every model, by the words on screen; the default first."""
    return {
        f"{engine.server} · {model}" if engine.server else "Preview, no AI": (engine, model)
        for engine in studio.engines.values()
        for model in engine.models
    }


def chosen_engine(studio: Studio) -> tuple[Engine, str]:
    """The engine and model that are picked."""
    choices = engine_choices(studio)
    return choices.get(st.session_state.get(Key.ENGINE) or "", next(iter(choices.values())))


def recall(comparison: Comparison) -> None:
    """Put a comparison's whole composer state back, empty slots included. Call before widgets are drawn."""
    wishes, state = comparison.wishes, st.session_state
    set_text(Key.PROMPT, wishes.prompt)
    state[Key.MODE] = wishes.mode
    state[Key.FOLDER] = wishes.folder
    state[Key.PERSON] = _label_of(PERSON_CHOICES, wishes.person)
    state[Key.GENDER] = _label_of(GENDER_CHOICES, wishes.gender)
    state[Key.AGES] = (min(wishes.ages.low, 100), min(wishes.ages.high, 100)) if wishes.ages else AGE_SPAN
    if comparison.size in SIZES.values():
        state[Key.SIZE] = _label_of(SIZES, comparison.size)
    # what was drawn is pinned, for the draw also depended on what the person had been given before
    drawn = {slot.id: slot.key for side in comparison.sides for slot in side.slots if slot.key}
    _hand_over(
        seed=max(0, min(wishes.seed, SEED_MAX)),
        recent=(),
        tone=wishes.tone,
        angle=wishes.angle,
        tone_by_chance=wishes.tone_by_chance,
        pins=drawn | wishes.pins,
        rerolls=wishes.rerolls,
        off=wishes.off,
        strengths=wishes.strengths,
    )


def adopt(wishes: Wishes) -> None:
    """Take these wishes over into the composer, as changed from what it asks for now."""
    state = st.session_state
    state[Key.FOLDER] = wishes.folder
    state[Key.PERSON] = _label_of(PERSON_CHOICES, wishes.person)
    _hand_over(tone=wishes.tone, angle=wishes.angle, pins=wishes.pins, rerolls=wishes.rerolls, off=wishes.off)


def _hand_over(**changes: object) -> None:
    """Change the draft so that its tone and angle win over what was picked on the tiles."""
    for key in (Key.TONE, Key.ANGLE):
        hand_over(key)
    set_draft(**changes)


def _label_of(choices: Mapping[str, object], value: object) -> str:
    return next(label for label, choice in choices.items() if choice == value)


def _without(mapping: Mapping[str, V], key: str) -> dict[str, V]:
    return {name: value for name, value in mapping.items() if name != key}
