"""The stored draft: all that the composer holds as plain JSON, and back again from a browser that is not trusted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import streamlit as st

from core.injection.wishes import SEED_MAX, Mode, Strength
from core.references.vocabulary import Role, Term
from core.studio import Studio
from core.ui.components import prompt_box, tiles
from core.ui.frame.state import Key
from core.ui.generate.draft import AGE_SPAN, FROM_PROMPT, GENDER_CHOICES, PERSON_CHOICES, SIZES, Draft, draft, new_seed
from core.ui.generate.engine_choice import chosen_engine, engine_choices

V = TypeVar("V")
Stored = dict[str, Any]

_NO_TEXTS: Final[tuple[str, ...]] = ()
_REROLLS_MAX: Final = 10_000
_ENTRIES_MAX: Final = 500
_TEXT_MAX: Final = 1024  # characters of a slot's id or a key, of which S3 allows no more bytes
_WIDGETS: Final = {
    "mode": Key.MODE,
    "folder": Key.FOLDER,
    "person": Key.PERSON,
    "gender": Key.GENDER,
    "ages": Key.AGES,
    "size": Key.SIZE,
    "engine": Key.ENGINE,
    "quality": Key.QUALITY,
}


def picks_now() -> Stored:
    """The prompt, the picks on the tiles, and what is set slot by slot."""
    held = draft()
    return {
        "prompt": st.session_state.get(Key.PROMPT) or "",
        "tone": tiles.held(Key.TONE, held.tone),
        "angle": tiles.held(Key.ANGLE, held.angle),
        "tone_by_chance": held.tone_by_chance,
        "seed": held.seed,
        "recent": list(held.recent),
        "pins": dict(held.pins),
        "rerolls": dict(held.rerolls),
        "off": sorted(held.off),
        "strengths": {slot_id: strength.value for slot_id, strength in held.strengths.items()},
    }


def widgets_now() -> Stored:
    """What the composer's own widgets are set to, once they have been drawn."""
    values = {name: st.session_state.get(key) for name, key in _WIDGETS.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def heard_now() -> dict[str, int]:
    """How many messages were taken from those parts that the browser knows best."""
    return {"prompt": prompt_box.heard(Key.PROMPT), "tone": tiles.heard(Key.TONE), "angle": tiles.heard(Key.ANGLE)}


def put_back(content: Mapping[str, object], heard: Mapping[str, object], studio: Studio) -> tuple[str, ...]:
    """Set the composer to a stored draft, before it is drawn, and return the names of what could not be set.

    Every field is taken for itself: one that is damaged, or names what is no longer there, is left out.
    """
    reader = _Reader(content)
    numbers = _Reader(heard)
    state = st.session_state
    prompt_box.put(Key.PROMPT, reader.take("prompt", "prompt", _text, ""), number=numbers.take("prompt", "", _count, 0))
    tone = reader.take("tone", "tone", _optional(_among(_ids(studio.vocabulary.tones))), None)
    angle = reader.take("angle", "angle", _optional(_among(_ids(studio.vocabulary.angles))), None)
    tiles.put(Key.TONE, tone, turn=numbers.take("tone", "", _count, 0))
    tiles.put(Key.ANGLE, angle, turn=numbers.take("angle", "", _count, 0))
    state[Key.DRAFT] = Draft(
        seed=reader.take("seed", "seed", _whole_number(SEED_MAX), new_seed()),
        recent=reader.take("recent", "seed", _texts, _NO_TEXTS),
        tone=tone,
        angle=angle,
        tone_by_chance=reader.take("tone_by_chance", "tone by chance", _claim, False),
        pins=reader.take("pins", "pins", _by_slot(_short_text), {}),
        rerolls=reader.take("rerolls", "re-rolls", _by_slot(_whole_number(_REROLLS_MAX)), {}),
        off=frozenset(reader.take("off", "switched-off slots", _texts, _NO_TEXTS)),
        strengths=reader.take("strengths", "strengths", _by_slot(Strength), {}),
    )
    state[Key.MODE] = reader.take("mode", "mode", Mode, Mode.COMPARE)
    folders = [folder.path for folder in studio.catalog.index.folders_of(Role.MODEL)]
    state[Key.FOLDER] = reader.take("folder", "model folder", _optional(_among(folders)), None)
    state[Key.PERSON] = reader.take("person", "person", _among(PERSON_CHOICES), FROM_PROMPT)
    state[Key.GENDER] = reader.take("gender", "gender", _among(GENDER_CHOICES), FROM_PROMPT)
    state[Key.AGES] = reader.take("ages", "age", _ages, AGE_SPAN)
    state[Key.SIZE] = reader.take("size", "size", _among(SIZES), next(iter(SIZES)))
    engines = engine_choices(studio)
    state[Key.ENGINE] = reader.take("engine", "engine", _optional(_among(engines)), None) or next(iter(engines))
    engine, model = chosen_engine(studio)
    state[Key.QUALITY] = reader.take("quality", "quality", _optional(_among(engine.qualities(model))), None)
    return tuple(reader.left_out)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes one field after the other out of what a browser has kept."""

    content: Mapping[str, object]
    left_out: dict[str, None] = field(default_factory=dict)

    def take(self, name: str, words: str, check: Callable[[Any], V], otherwise: V) -> V:
        """The checked field; a bad one is noted in `words`, one that an older version did not know is not."""
        if name not in self.content:
            return otherwise
        try:
            return check(self.content[name])
        except (TypeError, ValueError, AttributeError):
            self.left_out[words] = None
            return otherwise


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _short_text(value: object) -> str:
    text = _text(value)
    if len(text.encode()) > _TEXT_MAX:  # which half a character does not survive either
        raise ValueError
    return text


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _ENTRIES_MAX:
        raise TypeError
    return tuple(_short_text(each) for each in value)


def _claim(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _whole_number(most: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if type(value) is not int or not 0 <= value <= most:
            raise ValueError
        return value

    return check


_count: Final = _whole_number(2**31)


def _ages(value: Any) -> tuple[int, int]:
    low, high = (_whole_number(AGE_SPAN[1])(each) for each in value)
    if low > high:
        raise ValueError
    return low, high


def _among(choices: Collection[str]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if _text(value) not in choices:
            raise ValueError
        return str(value)

    return check


def _optional(check: Callable[[Any], V]) -> Callable[[Any], V | None]:
    return lambda value: None if value is None else check(value)


def _by_slot(check: Callable[[Any], V]) -> Callable[[Any], dict[str, V]]:
    def checked(value: Any) -> dict[str, V]:
        if len(value) > _ENTRIES_MAX:
            raise ValueError
        return {_short_text(slot_id): check(each) for slot_id, each in value.items()}

    return checked


def _ids(terms: tuple[Term, ...]) -> frozenset[str]:
    return frozenset(term.id for term in terms)
