"""A query: the words that somebody searches the library for, and what each of them may mean.

It is no sentence: every part counts, in any order, and a word that says something of the pictures may stand in a name
as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.injection.reading.reader import Evidence, OfflineReader, Reading
from core.injection.reading.words.text import PromptText
from core.injection.reading.words.words import reading_words
from core.labels.published.label_index import Claim
from core.labels.published.schema import AGE_RANGES, Gender
from core.references.vocabulary import Role, TagKind, Vocabulary
from core.unicode import searchable

# A reader of prompts takes "young", "30s" and "60+" for somebody's age only where somebody is spoken of.
_SOMEBODY: Final = " person"
_WORDS_MAX: Final = 6  # of one phrase: "shot on a film camera"
_AROUND: Final = ",;\"'“”‘’"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is searched for: pictures whose keys have all the words, or that are what the words mean.

    At most one of the meanings is there. `words` are in the form in which texts are searched.
    """

    words: tuple[str, ...]
    role: Role | None = None
    tone: str | None = None
    angle: str | None = None
    claim: Claim | None = None

    @property
    def has_meaning(self) -> bool:
        """Whether it is more than words in a name."""
        return any((self.role, self.tone, self.angle, self.claim))


class QueryReader:
    """Reads queries in English and Korean by the vocabulary and the words that prompts are read by."""

    def __init__(self, vocabulary: Vocabulary, prompts: OfflineReader) -> None:
        self._vocabulary = vocabulary
        self._prompts = prompts
        words = reading_words()
        self._small_words = words.negation.small_words
        self._tone_nouns, self._angle_nouns = words.picture.tone_nouns, words.picture.angle_nouns

    def read(self, text: str) -> tuple[Part, ...]:
        """What has to hold of a picture, all of it. Never raises; takes time in proportion to the text's length."""
        words = [bare for word in text.split() if (bare := word.strip(_AROUND))]
        parts: list[Part] = []
        rest: list[str] = []
        at = 0
        while at < len(words):
            size, part = self._phrase_at(words, at)
            if part is None:
                rest.append(words[at])
            else:
                parts.append(part)
                size += self._nouns_at(words, at + size, part)
            at += size
        parts += (part for part in self._read_prompt(rest) if part.words or part.has_meaning)
        if any(part.has_meaning for part in parts):  # "woman in a café": nothing is called "in"
            return tuple(part for part in parts if part.has_meaning or not self._small_words.issuperset(part.words))
        return tuple(parts)

    def _phrase_at(self, words: Sequence[str], at: int) -> tuple[int, Part | None]:
        """The longest phrase here that has a meaning by itself, and of how many words it is."""
        for size in range(min(_WORDS_MAX, len(words) - at), 0, -1):
            phrase = words[at : at + size]
            if part := self._meaning_of(phrase):
                return size, part
        return 1, None

    def _nouns_at(self, words: Sequence[str], at: int, part: Part) -> int:
        """How many words here only say that a tone, or an angle, was meant: the look of "noir look"."""
        nouns = self._tone_nouns if part.tone else self._angle_nouns if part.angle else None
        text = PromptText.of(words[at]) if nouns and at < len(words) else None
        match = nouns.at(text, 0) if nouns and text else None
        return int(match is not None and text is not None and match.tail == len(text.text))

    def _meaning_of(self, phrase: Sequence[str]) -> Part | None:
        text, words = " ".join(phrase), _searched(phrase)
        if term := self._vocabulary.term(text) or self._vocabulary.term(searchable(text)):
            if term.kind is TagKind.TONE:
                return Part(words, tone=term.id)
            return Part(words, angle=term.id)
        if role := self._vocabulary.role(text):
            return Part(words, role=role)
        wanted = searchable(text)
        age_range = next((name for name, _, _ in AGE_RANGES if searchable(name) == wanted), None)
        return Part(words, claim=Claim(age_range=age_range)) if age_range else None

    def _read_prompt(self, words: Sequence[str]) -> Iterator[Part]:
        """What a reader of prompts makes of these words, together and then of each it could not use alone."""
        together, left = self._parts_of(words)
        yield from together
        for word in left:
            alone, _ = self._parts_of([word]) if len(words) > 1 else ([], [])
            yield from alone or [Part(_searched([word]))]

    def _parts_of(self, words: Sequence[str]) -> tuple[list[Part], list[str]]:
        """The parts that are read from these words, and the words that none was read from."""
        text = " ".join(words)
        reading = self._prompts.read(text + _SOMEBODY) if words else None
        starts = [len(" ".join(words[:at])) + bool(at) for at in range(len(words))]
        parts, used = [], set[int]()
        for evidence in reading.evidence if reading else ():
            spoken = [at for at, start in enumerate(starts) if _overlaps(evidence, start, start + len(words[at]))]
            phrase = _searched([words[at] for at in spoken])
            part = _part_of(reading, evidence, phrase) if reading and spoken else None
            if part and not all(word.isdigit() for word in phrase):  # a bare number is a picture's before an age
                parts.append(part)
                used.update(spoken)
        return list(dict.fromkeys(parts)), [word for at, word in enumerate(words) if at not in used]


def _part_of(reading: Reading, evidence: Evidence, words: tuple[str, ...]) -> Part | None:
    """What was read from this stretch; None where the text says two things at once, or nothing."""
    match evidence.field:
        case "gender" if reading.gender:
            return Part(words, claim=Claim(gender=Gender(reading.gender)))
        case "age" if reading.age_low is not None and reading.age_high is not None:
            return Part(words, claim=Claim(ages=(reading.age_low, reading.age_high)))
        case "tone" if reading.tone:
            return Part(words, tone=reading.tone)
        case "angle" if reading.angle:
            return Part(words, angle=reading.angle)
    return None


def _overlaps(evidence: Evidence, start: int, end: int) -> bool:
    return evidence.start < end and start < evidence.end


def _searched(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(searched for word in words for searched in searchable(word).split())
