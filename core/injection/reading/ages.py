"""Reads the age of whoever is meant: numbers first, then stages of life such as "teenager" or "중년"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.injection.reading.age_match import AgeMatch
from core.injection.reading.age_numbers import ages_in_numbers
from core.injection.reading.negation import Negation
from core.injection.reading.people import PeopleFinding
from core.injection.reading.words.lexicon import Match, Stretches
from core.injection.reading.words.text import PromptText
from core.injection.reading.words.words import AgeRange, ReadingWords, Sign

_CHILD = 12
_GROWN_UP = 18
# What follows one of these is where somebody is: "a man over 60 in a house".
_PLACING = frozenset({"in", "on", "at", "by", "near", "behind", "beside", "under", "inside", "outside", "with"})


@dataclass(frozen=True, slots=True)
class AgeFinding:
    """The one age range of the prompt, or None, and every range that was read."""

    ages: AgeRange | None
    read: tuple[AgeMatch, ...]


class AgeReader:
    """Numbers first, stages of life where no number is given; a contradiction gives no age."""

    def __init__(self, words: ReadingWords) -> None:
        self._words, self._signs = words.ages, words.signs
        self._stages, self._adjectives = words.stages, words.aged

    def numbers(self, text: PromptText, negation: Negation, people: PeopleFinding) -> tuple[AgeMatch, ...]:
        """Ages in numbers; those of whisky, counted cars and customers left out, and what is denied."""
        customers = Stretches.of(people.dismissed)
        return tuple(
            match
            for match in ages_in_numbers(text.text)
            if not self._is_of_a_thing(text, match)
            and not negation.denies_age(match)
            and not customers.overlap(match.start, text.word_end(match.end - 1) + 2)
        )

    def read(
        self, text: PromptText, negation: Negation, numbers: tuple[AgeMatch, ...], people: PeopleFinding
    ) -> AgeFinding:
        """The age of whoever is meant."""
        if not all(match.is_bound for match in numbers):
            common = _common(numbers)
            is_child = common is not None and common[1] <= _CHILD
            if is_child and any(self._words.elders.scan(text)):
                common = None  # "엄마와 여덟 살 딸"
            return AgeFinding(common, numbers)
        taken = [Stretches.of(people.dismissed), Stretches((match.start, match.end) for match in numbers)]
        found = [match for match in self._stages.scan(text) if None not in match.meanings]
        denied = negation.find_denied(found)
        stages = [
            match
            for match in found
            if match.start not in denied and not any(one.overlap(match.start, match.end) for one in taken)
        ]
        stages = stages or list(self._find_described(text, negation, people))
        ages = tuple(
            AgeMatch(low, high, match.start, match.end)
            for match, before in zip(stages, [None, *stages], strict=False)
            if before is None or text.text[before.tail : match.start] != " "  # "중학생 아이들": the first is more exact
            for low, high in sorted(filter(None, match.meanings))
        )
        common = _common(ages)
        if common and self._is_contradicted(text, common, stages):
            common = None
        if numbers:
            common = _grown_up(_common((*ages, *numbers)) or _common(numbers))
        return AgeFinding(common, tuple(sorted((*ages, *numbers), key=lambda match: match.start)))

    def _find_described(
        self, text: PromptText, negation: Negation, people: PeopleFinding
    ) -> Iterator[Match[AgeRange | None]]:
        """Adjectives with a name among the next two words: "old jazz trumpeter"."""
        named = {match.start for match in people.named}
        for adjective in self._adjectives.scan(text):
            if negation.is_unwanted(adjective):
                continue
            first = text.next_word(adjective.tail)
            second = text.next_word(first[1]) if first else None
            if None not in adjective.meanings and any(word and word[0] in named for word in (first, second)):
                yield adjective

    def _is_of_a_thing(self, text: PromptText, match: AgeMatch) -> bool:
        """What has the age is a thing, or a number of them: "12-year-old single malt", "자동차 20대"."""
        at = text.word_end(match.end - 1)
        for _ in range(3):
            word = text.next_word(at)
            if word is None or text.text[word[0] : word[1]] in _PLACING:
                break
            if self._words.things.at(text, word[0]):
                return True
            at = word[1]
        before = text.text.rfind(" ", 0, max(0, match.start - 1)) + 1
        noun = self._signs.at(text, before) if match.start and before < match.start - 1 else None
        is_count = noun is not None and noun.end == noun.tail == match.start - 1
        return is_count and noun is not None and Sign.OBJECT in noun.meanings and text.text[match.end - 1] == "대"

    def _is_contradicted(self, text: PromptText, ages: AgeRange, stages: list[Match[AgeRange | None]]) -> bool:
        """A child beside a grown-up, or an old person beside a grandchild."""
        low, high = ages
        others = self._words.grown_ups if high <= 19 else self._words.younger if low >= 40 else None
        if others is None:
            return False
        own, starts = Stretches.of(stages), {stage.start for stage in stages}
        tails = {stage.tail for stage in stages if stage.end == stage.tail}
        return any(
            not own.overlap(other.start, other.end)
            and other.start - 1 not in tails  # "teen couple"
            and (other.tail + 1 not in starts or other.end < other.tail)  # "여자 아이", not "선생님과 아이들"
            for other in others.scan(text)
        )


def _grown_up(ages: AgeRange | None) -> AgeRange | None:
    """Of "under 30" alone those who are grown up; of "under 12" all."""
    return (_GROWN_UP, ages[1]) if ages and ages[0] == 0 and ages[1] > _GROWN_UP else ages


def _common(ages: tuple[AgeMatch, ...]) -> AgeRange | None:
    """The range that all agree on."""
    low = max((match.low for match in ages), default=1)
    high = min((match.high for match in ages), default=0)
    return (low, high) if low <= high else None
