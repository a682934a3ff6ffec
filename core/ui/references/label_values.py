"""Label values: what a field can say, in words on screen and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from itsdangerous import BadData

from core.errors import InputError
from core.identity.session import sealer_for
from core.labels.decisions.reviews import Value
from core.labels.published.schema import AGE_RANGES, FRAMINGS, Gender, LabelField, age_range_of
from core.references.vocabulary import Vocabulary
from core.studio import running_studio
from core.ui.components.review_focus.focus_data import Choice, FocusField
from core.ui.frame.words.quantities import year_span

FIELD_NAMES: Final[Mapping[LabelField, str]] = {
    LabelField.AGE: "Age range",
    LabelField.GENDER: "Gender presentation",
    LabelField.HAIR: "Hair",
    LabelField.EXPRESSION: "Expression",
    LabelField.FRAMING: "Framing",
    LabelField.TONE: "Tone",
    LabelField.ANGLE: "Angle",
    LabelField.NOTES: "Notes",
}
_SHOWN: Final = "studio.shown.1"  # what is sealed with this name was on a screen
FREE: Final = frozenset({LabelField.HAIR, LabelField.EXPRESSION, LabelField.NOTES})
PERSONAL: Final = (LabelField.AGE, LabelField.GENDER, LabelField.HAIR)  # a person's, on all their pictures
_OFFERED: Final = 16  # of a free field's values
_KNOWN_CHARS_MAX: Final = 40  # a word that is longer is typed, not chosen
_YEARS: Final = re.compile(r" · (\d{1,3})(?:–(\d{1,3}))?$", re.ASCII)  # as `describe_value` ends an age
_BOUNDS: Final = {name: (low, high) for name, low, high in AGE_RANGES}
KnownValues = Callable[[LabelField], Sequence[str]]
# What people write most; any other word can be typed.
_SUGGESTED: Final[Mapping[LabelField, tuple[str, ...]]] = {
    LabelField.HAIR: ("black short", "black long", "brown short", "brown long", "blond short", "grey short"),
    LabelField.EXPRESSION: ("neutral", "smile", "laughing", "serious", "looking away"),
}


def focus_fields(vocabulary: Vocabulary, known: KnownValues) -> tuple[FocusField, ...]:
    """Every field of a label in the order of its keys."""
    return tuple(
        FocusField(
            field.value,
            name,
            field_choices(field, vocabulary, known),
            is_free=field in FREE,
            is_personal=field in PERSONAL,
        )
        for field, name in FIELD_NAMES.items()
    )


def field_choices(field: LabelField, vocabulary: Vocabulary, known: KnownValues) -> tuple[Choice, ...]:
    """The values a field offers: in a free one what is suggested, always in its place, then what labels say most."""
    if field is LabelField.TONE:
        return tuple(Choice(term.id, term.name) for term in vocabulary.tones)
    if field is LabelField.ANGLE:
        return tuple(Choice(term.id, term.name) for term in vocabulary.angles)
    words: Mapping[LabelField, tuple[str, ...]] = {
        **_SUGGESTED,
        LabelField.AGE: tuple(_BOUNDS),
        LabelField.GENDER: tuple(each.value for each in Gender),
        LabelField.FRAMING: FRAMINGS,
    }
    offered = dict.fromkeys(words.get(field, ()))
    if field in FREE and field is not LabelField.NOTES:
        offered |= dict.fromkeys(word for word in known(field) if len(word) <= _KNOWN_CHARS_MAX)
    return tuple(Choice(word, word) for word in list(offered)[:_OFFERED])


def describe_value(value: Value) -> str | None:
    """A value as a person reads it; an age that is no whole range says its years too."""
    if not isinstance(value, tuple):
        return value
    low, high = value
    name = age_range_of(low, high)
    if _BOUNDS[name] == value:
        return name
    return f"{name} · {year_span(low, high)}"


def say_value(value: Value) -> str | None:
    """The same for sentences and tables: a tone or an angle by its name."""
    described, studio = describe_value(value), running_studio()
    return studio.vocabulary.name(described) if described and studio else described


def parse_value(field: LabelField, words: str | None) -> Value:
    """A value from the words that were chosen, or that describe one. Raises InputError for an age that is no range."""
    if words is None or field is not LabelField.AGE:
        return words.strip() if words else None
    if words in _BOUNDS:
        return _BOUNDS[words]
    described = _YEARS.search(words)
    years = (int(described[1]), int(described[2] or described[1])) if described else None
    if years is None or describe_value(years) != words:
        raise InputError("“{}” is no age range: choose {}.", words, ", ".join(_BOUNDS))
    return years


def seal_shown(secret: str, key: str, etag: str, values: Mapping[LabelField, Value]) -> str:
    """What the screen shows of a picture, for the browser to send back: nobody else can write it."""
    shown = [key, etag, {field.value: value for field, value in values.items()}]
    return sealer_for(secret, _SHOWN).dumps(shown)


def unseal_shown(secret: str, key: str, sealed: str) -> tuple[str, dict[LabelField, Value]]:
    """The etag and the values that were shown of this picture. Raises InputError for what was not sealed here."""
    try:
        of, etag, rows = sealer_for(secret, _SHOWN).loads(sealed)
        seen = {LabelField(name): tuple(value) if isinstance(value, list) else value for name, value in rows.items()}
    except (BadData, ValueError, RecursionError) as err:
        raise InputError("That decision cannot be read: reload the page and decide again.") from err
    if of != key:
        raise InputError("That decision is about another picture: reload the page and decide again.")
    return etag, seen
