"""The stored draft: all that the composer holds as plain JSON, and back again from a browser that is not trusted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from typing import Annotated, Any, Final, TypeVar

import streamlit as st
from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt, StrictStr, ValidationError, ValidationInfo

from core.generation.records.comparison import TAKES_MAX
from core.injection.choices import Overruled
from core.injection.request.wishes import PROMPT_CHARS_MAX, SEED_MAX, Ages, Mode, PersonWish, Strength, Varies, Wishes
from core.labels.published.schema import Gender
from core.objects.objects import KEY_BYTES_MAX
from core.references.vocabulary import Role
from core.studio import Studio
from core.ui.components.fields import prompt_box, tiles
from core.ui.frame.state import Key
from core.ui.generate.composer.draft import (
    AGE_SPAN,
    FROM_PROMPT,
    GENDER_CHOICES,
    PERSON_CHOICES,
    SIZES,
    Draft,
    chosen_engine,
    draft,
    engine_choices,
    hear_late_picks,
    new_seed,
)
from core.ui.generate.composer.render_fields import second_engine
from core.ui.generate.composer.varied import STEERED, STRENGTH_OF_B

M = TypeVar("M", bound=BaseModel)
Stored = dict[str, Any]

_REROLLS_MAX: Final = 10_000
_ENTRIES_MAX: Final = 500
_WIDGETS: Final = {
    "mode": Key.MODE,
    "folder": Key.FOLDER,
    "person": Key.PERSON,
    "gender": Key.GENDER,
    "ages": Key.AGES,
    "size": Key.SIZE,
    "engine": Key.ENGINE,
    "quality": Key.QUALITY,
    "varies": Key.VARIES,
    "balanced": Key.BALANCED,
    "strength_of": Key.STRENGTH_OF,
    "strength_b": Key.STRENGTH_B,
    "engine_b": Key.ENGINE_B,
    "quality_b": Key.QUALITY_B,
    "takes": Key.TAKES,
}


# What a person is told of a field that could not be set, where that is not its name.
_WORDS: Final = {
    "recent": "seed",
    "tone_by_chance": "tone by chance",
    "rerolls": "re-rolls",
    "off": "switched-off slots",
    "persona": "person",
    "held": "recorded pictures",
    "overruled": "last Undo",
    "is_toneless": "tone",
    "folder": "person folder",
    "ages": "age",
    "varies": "what varies",
    "strength_of": "varied strength",
    "strength_b": "strength of B",
    "engine_b": "second engine",
    "quality_b": "second quality",
}


def _check_offered(value: str, info: ValidationInfo) -> str:
    if info.context is None or value not in info.context[info.field_name]:
        raise ValueError("it is not there any more")
    return value


def _check_length(text: str) -> str:
    if len(text.encode()) > KEY_BYTES_MAX:
        raise ValueError("it is too long")
    return text


def _check_order(ages: tuple[int, int]) -> tuple[int, int]:
    if ages[0] > ages[1]:
        raise ValueError("the lower age stands first")
    return ages


_Choice = Annotated[StrictStr, AfterValidator(_check_offered)]
_ShortText = Annotated[StrictStr, AfterValidator(_check_length)]
_Age = Annotated[StrictInt, Field(ge=0, le=AGE_SPAN[1])]
_Ages = Annotated[tuple[_Age, _Age], AfterValidator(_check_order)]
_Keys = Annotated[dict[_ShortText, _ShortText], Field(max_length=_ENTRIES_MAX)]
_Count = Annotated[StrictInt, Field(ge=0, le=2**31)]
_Rerolls = Annotated[StrictInt, Field(ge=0, le=_REROLLS_MAX)]


class _StoredChoices(BaseModel):
    """What a designer has chosen by hand, but for what native widgets hold in words of their own."""

    tone: _Choice | None = None
    angle: _Choice | None = None
    persona: _ShortText | None = None
    pins: _Keys = {}
    held: _Keys = {}
    rerolls: Annotated[dict[_ShortText, _Rerolls], Field(max_length=_ENTRIES_MAX)] = {}
    off: Annotated[frozenset[_ShortText], Field(max_length=_ENTRIES_MAX)] = frozenset()


class _StoredBefore(_StoredChoices):
    """The choices from before an act."""

    folder: _Choice | None = None
    person: PersonWish = PersonWish.AUTO
    gender: Gender | None = None
    ages: _Ages | None = None
    varies: Varies = Varies.ANGLE
    balanced: StrictBool = True
    strengths_b: Annotated[dict[_Choice, Strength], Field(max_length=1)] = {}


class _StoredOverruled(BaseModel):
    """What the last act overruled."""

    act: _ShortText
    gave_way: Annotated[tuple[_ShortText, ...], Field(min_length=1, max_length=_ENTRIES_MAX)]
    before: _StoredBefore

    def restored(self) -> Overruled:
        """The same as the draft keeps it."""
        before = self.before.model_dump(exclude={"ages"})
        ages = Ages(*self.before.ages) if self.before.ages else None
        return Overruled(self.act, self.gave_way, Wishes(**before, ages=ages))


class _StoredDraft(_StoredChoices):
    """What a browser has kept, checked; the context of the check are the choices there are now, by field."""

    prompt: Annotated[StrictStr, Field(max_length=PROMPT_CHARS_MAX)] = ""
    seed: Annotated[StrictInt, Field(ge=0, le=SEED_MAX)] = Field(default_factory=new_seed)
    recent: Annotated[tuple[_ShortText, ...], Field(max_length=_ENTRIES_MAX)] = ()
    tone_by_chance: StrictBool = False
    overruled: _StoredOverruled | None = None
    is_toneless: StrictBool = False
    strengths: Annotated[dict[_ShortText, Strength], Field(max_length=_ENTRIES_MAX)] = {}
    mode: Mode = Mode.COMPARE
    folder: _Choice | None = None
    person: _Choice = FROM_PROMPT
    gender: _Choice = FROM_PROMPT
    ages: _Ages = AGE_SPAN
    size: _Choice = next(iter(SIZES))
    engine: _Choice | None = None
    quality: StrictStr | None = None
    varies: Varies = Varies.ANGLE
    balanced: StrictBool = True
    strength_of: _Choice = next(iter(STEERED))
    strength_b: Strength = STRENGTH_OF_B
    engine_b: _Choice | None = None
    quality_b: StrictStr | None = None
    takes: Annotated[StrictInt, Field(ge=1, le=TAKES_MAX)] = 1


class _Heard(BaseModel):
    """How many messages a server had taken from each part that the browser knows best."""

    prompt: _Count = 0
    tone: _Count = 0
    angle: _Count = 0


def picks_now() -> Stored:
    """The prompt, the picks on the tiles, and what is set slot by slot."""
    held = draft()
    return asdict(held) | {
        "prompt": st.session_state.get(Key.PROMPT) or "",
        "tone": tiles.held(Key.TONE, held.tone),
        "angle": tiles.held(Key.ANGLE, held.angle),
        "recent": list(held.recent),
        "off": sorted(held.off),
        "strengths": {slot_id: strength.value for slot_id, strength in held.strengths.items()},
        "overruled": _overruled_now(held.overruled) if held.overruled else None,
    }


def _overruled_now(said: Overruled) -> Stored:
    was = said.before
    before = {name: getattr(was, name) for name in _StoredBefore.model_fields}
    before |= {"off": sorted(was.off), "ages": [was.ages.low, was.ages.high] if was.ages else None}
    return {"act": said.act, "gave_way": list(said.gave_way), "before": before}


def widgets_now() -> Stored:
    """What the composer's own widgets are set to, once they have been drawn."""
    values = {name: st.session_state.get(key) for name, key in _WIDGETS.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def heard_now() -> dict[str, int]:
    """How many messages were taken from those parts that the browser knows best."""
    return {"prompt": prompt_box.heard(Key.PROMPT), "tone": tiles.heard(Key.TONE), "angle": tiles.heard(Key.ANGLE)}


def refused_chars() -> int:
    """How many characters the prompt in the box has, if it is too long to be taken; else 0."""
    return prompt_box.refused_chars(Key.PROMPT)


def put_back(content: Mapping[str, object], heard: Mapping[str, object], studio: Studio) -> tuple[str, ...]:
    """Set the composer to a stored draft, before it is drawn, and return the names of what could not be set.

    Every field is taken for itself: one that is damaged, or names what is no longer there, is left out. Without any
    the composer is as a new tab has it.
    """
    stored, left_out = _read(_StoredDraft, content, _offered(studio))
    numbers, _ = _read(_Heard, heard, {})
    prompt_box.put(Key.PROMPT, stored.prompt, number=numbers.prompt)
    tiles.put(Key.TONE, stored.tone, turn=numbers.tone)
    tiles.put(Key.ANGLE, stored.angle, turn=numbers.angle)
    kept = stored.model_dump(include={each.name for each in fields(Draft)}, exclude={"overruled"})
    said = stored.overruled.restored() if stored.overruled else None
    st.session_state[Key.DRAFT] = Draft(**kept, overruled=said)
    for name, key in _WIDGETS.items():
        st.session_state[key] = getattr(stored, name)
    st.session_state[Key.ENGINE] = stored.engine or next(iter(engine_choices(studio)))
    hear_late_picks(studio)
    for name, key, (engine, model) in (
        ("quality", Key.QUALITY, chosen_engine(studio)),
        ("quality_b", Key.QUALITY_B, second_engine(studio)),
    ):
        quality = getattr(stored, name)
        if quality is not None and quality not in engine.qualities(model):
            st.session_state[key] = None
            left_out.append(name)
    return tuple(dict.fromkeys(_WORDS.get(name, name) for name in left_out))


def _offered(studio: Studio) -> dict[str, Collection[str]]:
    """The choices there are now, by the fields that hold one of them."""
    return {
        "tone": {term.id for term in studio.vocabulary.tones},
        "angle": {term.id for term in studio.vocabulary.angles},
        "folder": {folder.path for folder in studio.catalog.index.folders_of(Role.MODEL)},
        "person": PERSON_CHOICES,
        "gender": GENDER_CHOICES,
        "size": SIZES,
        "engine": engine_choices(studio),
        "engine_b": engine_choices(studio),
        "strength_of": STEERED,
        "strengths_b": STEERED,
    }


def _read(model: type[M], content: Mapping[str, object], offered: Mapping[str, Collection[str]]) -> tuple[M, list[str]]:
    """The content without its bad fields, and their names; what an older version did not know is not bad."""
    try:
        return model.model_validate(dict(content), context=offered), []
    except ValidationError as err:
        bad = {error["loc"][0] for error in err.errors(include_input=False)}
        good = {name: value for name, value in content.items() if name not in bad}
        return model.model_validate(good, context=offered), [name for name in model.model_fields if name in bad]
