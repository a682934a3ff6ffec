"""A machine's answer about a portrait, field by field: what can be used, and what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.labels.published.schema import AGE_MAX, FRAMINGS, Gender, LabelField

PERSONS: Final = ("one", "several", "none")
_TEXT_MAX: Final = 200
_CONFIDENT_ON: Final = tuple(each for each in LabelField if each is not LabelField.NOTES)
ANSWER_FIELDS: Final = (
    "person",
    "age_low",
    "age_high",
    "gender_presentation",
    "hair",
    "expression",
    "framing",
    "tone",
    "angle",
    "notes",
    "confidence",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The usable fields of a label, by name, how sure the machine is of them, and what could not be used.

    `problems` are parts of sentences: “the age ‘thirty’ is no number of years”.
    """

    person: str
    fields: Mapping[str, Any]
    confidence: Mapping[LabelField, float]
    problems: tuple[str, ...] = ()


def answer_schema(tones: Collection[str], angles: Collection[str]) -> dict[str, Any]:
    """The JSON schema of an answer in the strict subset that structured output takes.

    https://developers.openai.com/api/docs/guides/structured-outputs
    """

    def one_of(values: Collection[str]) -> dict[str, Any]:
        return {"type": ["string", "null"], "enum": [*values, None]}

    years, text = {"type": ["integer", "null"]}, {"type": ["string", "null"]}
    properties: dict[str, Any] = {
        "person": {"type": "string", "enum": list(PERSONS)},
        "age_low": years,
        "age_high": years,
        "gender_presentation": one_of([gender.value for gender in Gender]),
        "hair": text,
        "expression": text,
        "framing": one_of(FRAMINGS),
        "tone": one_of(sorted(tones)),
        "angle": one_of(sorted(angles)),
        "notes": text,
        "confidence": _closed({each.value: {"type": "number"} for each in _CONFIDENT_ON}),
    }
    return _closed(properties)


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@dataclass(slots=True)
class _Reader:
    said: Mapping[str, Any]
    fields: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def take(self, name: str, usable: Callable[[Any], bool], otherwise: str) -> None:
        value = self.said.get(name)
        if value is None:
            return
        if usable(value):
            self.fields[name] = value.strip() if isinstance(value, str) else value
        else:
            self.problems.append(f"the {name.replace('_', ' ')} {_quoted(value)} {otherwise}")


def read_answer(said: Mapping[str, Any], *, tones: Collection[str] | None, angles: Collection[str] | None) -> Answer:
    """Keep what can be used, name what cannot; None for tones or angles takes any word. Never raises."""
    reader = _Reader(said)
    _take_ages(reader)
    reader.take("gender_presentation", lambda value: value in tuple(Gender), "is none of feminine, masculine")
    reader.take("framing", lambda value: value in FRAMINGS, f"is none of {', '.join(FRAMINGS)}")
    reader.take("tone", lambda value: _is_one(value, tones), "is not in the vocabulary")
    reader.take("angle", lambda value: _is_one(value, angles), "is not in the vocabulary")
    for name in ("hair", "expression", "notes"):
        reader.take(name, _is_text, "is no short text")
    person = said.get("person")
    if person not in PERSONS:
        reader.problems.append(f"the person {_quoted(person)} is none of {', '.join(PERSONS)}")
        person = "one"
    return Answer(person, reader.fields, _confidence(said.get("confidence"), reader.fields), tuple(reader.problems))


def _take_ages(reader: _Reader) -> None:
    low, high = reader.said.get("age_low"), reader.said.get("age_high")
    if low is None and high is None:
        return
    for value in (low, high):
        if not _is_age(value):
            reader.problems.append(f"the age {_quoted(value)} is no number of years from 0 to {AGE_MAX}")
            return
    if low > high:  # type: ignore[operator]  # both are whole numbers by now
        reader.problems.append(f"the ages {low} to {high} run backwards")
        return
    reader.fields |= {"age_low": low, "age_high": high}


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


def _quoted(value: object) -> str:
    text = " ".join(str(value).split())
    return f"“{text if len(text) <= 40 else text[:40] + '…'}”"
