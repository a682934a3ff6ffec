"""A machine's answer about a portrait, field by field: what can be used, and what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.labels.published.schema import AGE_MAX, FRAMINGS, Gender, LabelField
from core.openai.schema import INTEGER_OR_NULL, STRING_OR_NULL, Schema, closed_object, one_of_or_null

PERSONS: Final = ("one", "several", "none")
_TEXT_MAX: Final = 200
_CONFIDENT_ON: Final = tuple(each for each in LabelField if each is not LabelField.NOTES)


@dataclass(frozen=True, slots=True)
class LabelAnswer:
    """The usable fields of a label, by name, how sure the machine is of them, and what could not be used.

    `problems` are parts of sentences: “the age ‘thirty’ is no number of years”.
    """

    person: str
    fields: Mapping[str, Any]
    confidence: Mapping[LabelField, float]
    problems: tuple[str, ...] = ()


def answer_schema(tones: Collection[str], angles: Collection[str]) -> Schema:
    """The JSON schema of an answer."""
    return closed_object(
        {
            "person": {"type": "string", "enum": list(PERSONS)},
            "age_low": INTEGER_OR_NULL,
            "age_high": INTEGER_OR_NULL,
            "gender_presentation": one_of_or_null([gender.value for gender in Gender]),
            "hair": STRING_OR_NULL,
            "expression": STRING_OR_NULL,
            "framing": one_of_or_null(FRAMINGS),
            "tone": one_of_or_null(sorted(tones)),
            "angle": one_of_or_null(sorted(angles)),
            "notes": STRING_OR_NULL,
            "confidence": closed_object({each.value: {"type": "number"} for each in _CONFIDENT_ON}),
        }
    )


@dataclass(slots=True)
class _Usable:
    """What has been found usable in an answer so far."""

    said: Mapping[str, Any]
    fields: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def take(self, name: str, is_usable: Callable[[Any], bool], otherwise: str) -> None:
        value = self.said.get(name)
        if value is None:
            return
        if is_usable(value):
            self.fields[name] = value.strip() if isinstance(value, str) else value
        else:
            self.problems.append(f"the {name.replace('_', ' ')} {_quote(value)} {otherwise}")


def read_answer(
    said: Mapping[str, Any], *, tones: Collection[str] | None, angles: Collection[str] | None
) -> LabelAnswer:
    """Keep what can be used, name what cannot; None for tones or angles takes any word. Never raises."""
    usable = _Usable(said)
    _take_ages(usable)
    usable.take("gender_presentation", lambda value: value in tuple(Gender), "is none of feminine, masculine")
    usable.take("framing", lambda value: value in FRAMINGS, f"is none of {', '.join(FRAMINGS)}")
    usable.take("tone", lambda value: _is_one(value, tones), "is not in the vocabulary")
    usable.take("angle", lambda value: _is_one(value, angles), "is not in the vocabulary")
    for name in ("hair", "expression", "notes"):
        usable.take(name, _is_text, "is no short text")
    person = said.get("person")
    if person not in PERSONS:
        usable.problems.append(f"the person {_quote(person)} is none of {', '.join(PERSONS)}")
        person = "one"
    return LabelAnswer(
        person, usable.fields, _confidence(said.get("confidence"), usable.fields), tuple(usable.problems)
    )


def _take_ages(usable: _Usable) -> None:
    low, high = usable.said.get("age_low"), usable.said.get("age_high")
    if low is None and high is None:
        return
    for value in (low, high):
        if not _is_age(value):
            usable.problems.append(f"the age {_quote(value)} is no number of years from 0 to {AGE_MAX}")
            return
    if low > high:  # type: ignore[operator]  # both are whole numbers by now
        usable.problems.append(f"the ages {low} to {high} run backwards")
        return
    usable.fields |= {"age_low": low, "age_high": high}


def _is_age(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= AGE_MAX


def _is_one(value: object, known: Collection[str] | None) -> bool:
    return _is_text(value) if known is None else value in known if isinstance(value, str) else False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= _TEXT_MAX


def _confidence(said: object, fields: Mapping[str, Any]) -> dict[LabelField, float]:
    """How sure the machine is of the fields that it has filled; other numbers speak of nothing."""
    given = said if isinstance(said, Mapping) else {}
    found: dict[LabelField, float] = {}
    for each in _CONFIDENT_ON:
        value = given.get(each.value)
        has_it = ("age_low" if each is LabelField.AGE else each.value) in fields
        if has_it and isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            found[each] = float(value)
    return found


def _quote(value: object) -> str:
    text = " ".join(str(value).split())
    return f"“{text if len(text) <= 40 else text[:40] + '…'}”"
