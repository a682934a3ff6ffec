"""Label values: what a field can say, in words on screen and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from itsdangerous import BadData

from core.errors import InputError
from core.identity.session import sealer_for
from core.labels.published.schema import AGE_RANGES, FRAMINGS, Gender, LabelField, age_range_of
from core.labels.review.reviews import Value
from core.references.vocabulary import Vocabulary
from core.ui.components.review_focus.review_focus import Choice, FocusField
from core.ui.frame.quantities import year_span

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
_FREE: Final = frozenset({LabelField.HAIR, LabelField.EXPRESSION, LabelField.NOTES})
_BOUNDS: Final = {name: (low, high) for name, low, high in AGE_RANGES}
# What people write most; any other word can be typed.
_SUGGESTED: Final[Mapping[LabelField, tuple[str, ...]]] = {
    LabelField.HAIR: ("black short", "black long", "brown short", "brown long", "blond short", "grey short"),
    LabelField.EXPRESSION: ("neutral", "smile", "laughing", "serious", "looking away"),
}


def focus_fields(vocabulary: Vocabulary) -> tuple[FocusField, ...]:
    """Every field of a label in the order of its keys."""
    return tuple(
        FocusField(field.value, name, field_choices(field, vocabulary), is_free=field in _FREE)
        for field, name in FIELD_NAMES.items()
    )


def field_choices(field: LabelField, vocabulary: Vocabulary) -> tuple[Choice, ...]:
    """The values a field offers."""
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
    return tuple(Choice(word, word) for word in words.get(field, ()))


def describe_value(value: Value) -> str | None:
    """A value as a person reads it; an age that is no whole range says its years too."""
    if not isinstance(value, tuple):
        return value
    low, high = value
    name = age_range_of(low, high)
    if _BOUNDS[name] == value:
        return name
    return f"{name} · {year_span(low, high)}"


def parse_value(field: LabelField, words: str | None) -> Value:
    """A value from the words that were chosen. Raises InputError for an age that is no range."""
    if words is None or field is not LabelField.AGE:
        return words.strip() if words else None
    if words not in _BOUNDS:
        raise InputError("“{}” is no age range: choose {}.", words, ", ".join(_BOUNDS))
    return _BOUNDS[words]


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
