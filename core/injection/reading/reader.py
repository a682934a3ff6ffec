"""Owns the reading of a prompt: what it wishes, and from which words that was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from core.injection.reading.age_match import AgeMatch
from core.injection.reading.ages import AgeFinding, AgeReader
from core.injection.reading.names import names_of_others
from core.injection.reading.negation import Negation
from core.injection.reading.pasted import Pasted
from core.injection.reading.people import PeopleFinding, PeopleReader
from core.injection.reading.tag_words import TagFinding, TagReader
from core.injection.reading.words.lexicon import Match, Stretches
from core.injection.reading.words.text import PromptText
from core.injection.reading.words.words import reading_words
from core.references.vocabulary import TagKind, Vocabulary

Gender = Literal["feminine", "masculine"]
Field = Literal["person", "gender", "age", "tone", "angle"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words of the prompt a field was read from: `words == prompt[start:end]`."""

    field: Field
    words: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a prompt wishes; None where it says nothing, or says two things at once.

    `note` tells people when another reader had to serve than the one that was asked.
    """

    reader: str
    person: bool
    gender: Gender | None
    age_low: int | None
    age_high: int | None
    tone: str | None
    angle: str | None
    evidence: tuple[Evidence, ...]
    note: str = ""


class OfflineReader:
    """Reads prompts in English and Korean by word lists and the studio's vocabulary."""

    name = "offline"

    def __init__(self, vocabulary: Vocabulary) -> None:
        words = reading_words()
        self._negation_words = words.negation
        self._people = PeopleReader(words)
        self._ages = AgeReader(words)
        self._tags = TagReader(vocabulary, words)

    def read(self, prompt: str) -> Reading:
        """Read one prompt. Never raises; takes time in proportion to the prompt's length."""
        pasted = Pasted.of(prompt)
        text = PromptText.of(pasted.plain)
        negation = Negation(self._negation_words, text, Stretches(text.locate(pasted.unwanted)))
        people = self._people.read(text, negation, Stretches(text.locate(names_of_others(pasted.plain))))
        numbers = self._ages.numbers(text, negation, people)
        is_aged = not all(match.is_loose for match in numbers)
        person = people.person or (is_aged and not people.is_ruled_out)
        ages = self._ages.read(text, negation, numbers, people) if person else AgeFinding(None, ())
        tags = self._tags.read(text, negation)
        tone, angle = tags[TagKind.TONE], tags[TagKind.ANGLE]
        age_low, age_high = ages.ages or (None, None)
        return Reading(
            reader=self.name,
            person=person,
            gender=cast("Gender | None", people.gender),
            age_low=age_low,
            age_high=age_high,
            tone=tone.id,
            angle=angle.id,
            evidence=tuple(_evidence(prompt, text, people, ages, tone, angle)),
        )


def _evidence(
    prompt: str, text: PromptText, people: PeopleFinding, ages: AgeFinding, tone: TagFinding, angle: TagFinding
) -> Iterator[Evidence]:
    fields: tuple[tuple[Field, Sequence[Match[Any] | AgeMatch]], ...] = (
        ("person", people.meant),
        ("gender", people.gendered),
        ("age", ages.read),
        ("tone", tone.asked),
        ("angle", angle.asked),
    )
    for field, matches in fields:
        for start, end in sorted((match.start, match.end) for match in matches):
            first, last = text.span(start, end)
            yield Evidence(field, prompt[first:last], first, last)
