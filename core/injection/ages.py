"""Reads an age range from a prompt: "in her late thirties", "25-year-old", "30대 초반", "대학생"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.injection.lexicon import Match
from core.injection.people import SignMatch
from core.injection.reading_words import AgeRange, AgeWords, ReadingWords, Sign
from core.injection.text import PromptText

_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_DECADES = {
    "teens": 10, "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50,
    "sixties": 60, "seventies": 70, "eighties": 80, "nineties": 90,
}  # fmt: skip
_KOREAN_TENS = {
    "열": 10, "스물": 20, "스무": 20, "서른": 30, "마흔": 40,
    "쉰": 50, "예순": 60, "일흔": 70, "여든": 80, "아흔": 90,
}  # fmt: skip
_KOREAN_UNITS = {
    "하나": 1, "한": 1, "두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4,
    "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9,
}  # fmt: skip
_SINO_TENS = {"십": 10, "이십": 20, "삼십": 30, "사십": 40, "오십": 50, "육십": 60, "칠십": 70, "팔십": 80, "구십": 90}
_PARTS = {
    "early": (0, 4), "early to mid": (0, 6), "mid": (4, 6), "middle": (4, 6), "mid to late": (4, 9), "late": (5, 9),
    "초반": (0, 4), "초": (0, 4), "초중반": (0, 6), "중반": (4, 6), "중": (4, 6), "중후반": (4, 9),
    "후반": (5, 9), "후": (5, 9), "말": (7, 9),
}  # fmt: skip
_OLDEST = 90

_NUMBER = rf"(?:\d{{1,3}}|(?:{'|'.join(_TENS)})(?: (?:{'|'.join(_UNITS[1:])}))?|{'|'.join(_TEENS)}|{'|'.join(_UNITS[1:])})"
_DECADE = rf"(?:[1-9]0s|{'|'.join(_DECADES)})"
_PART = r"early to mid|mid to late|early|middle|mid|late"
_WHO = r"woman|women|man|men|female|male|females|males|girl|boy|guy|lady|model|models|person|people|adult|adults|couple|actor|actress"
_START, _END = r"(?<![^ ,.])", r"(?![^ ,.])"
_KOREAN_PART = r"(?: ?(?P<part>초중반|중후반|초반|중반|후반))?"
_NOT_FOR = r"(?! ?(?:타깃|타겟|취향|여성용|남성용|를 위한|을 위한|를 대상|을 대상))"


@dataclass(frozen=True, slots=True)
class AgeMatch:
    """An age range read from a stretch of the text."""

    low: int
    high: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AgeFinding:
    """The one age range of the prompt, or None, and every range that was read."""

    ages: AgeRange | None
    read: tuple[AgeMatch, ...]


_YEARS_OLD = re.compile(
    rf"{_START}(?P<low>{_NUMBER})(?:(?:-| to | or | and )(?P<high>{_NUMBER}))? (?:years?|yrs?|yr) (?:olds?|of age){_END}"
    rf"|{_START}(?P<short>\d{{1,2}}) (?:yo|y,o|yos){_END}"
)
_AGED = re.compile(
    rf"{_START}(?:aged|ages|age|age range|between|between the ages of|between ages)[ ,]"
    rf"(?:between |of |around |about )?(?P<low>{_NUMBER})(?:(?:-| to | and )(?P<high>{_NUMBER}))?"
    rf"(?! (?:cm|mm|m|km|kg|g|degrees?|percent|minutes?|hours?|seconds?|days?|euros?|dollars?|pieces?|weeks?|months?|am|pm){_END}){_END}"
)
_BESIDE_WHO = re.compile(rf"{_START}(?:{_WHO})[ ,](?:of )?(?P<low>\d\d)(?:-(?P<high>\d\d))?(?=[,.]|$)")
_OVER = re.compile(rf"{_START}(?:over|above|past) (?P<low>[4-8]\d){_END}(?! \w)|{_START}(?P<plus>[4-8]\d) (?:plus|and over|and older){_END}")
_DECADES_RANGE = re.compile(rf"{_START}(?P<low>{_DECADE})(?:-| to | or | and )(?P<high>{_DECADE}){_END}")
_IN_DECADE = re.compile(
    rf"{_START}(?P<the>the )?(?P<whose>(?:in )?(?:her|his|their|my|our|your) |in )?(?:very )?(?:(?P<part>{_PART}) )?(?P<decade>{_DECADE}){_END}"
)
_SOMETHING = re.compile(rf"{_START}(?P<tens>{'|'.join(_TENS)}|[2-9]0) ?somethings?{_END}")
_WHO_BEFORE = re.compile(rf"(?:{_WHO})[ ,]$")
_WHO_AFTER = re.compile(rf"[ ,](?:{_WHO}){_END}")

_KOREAN_DECADE = re.compile(
    rf"(?<!\d)(?P<low>[1-9]0)(?:대?(?:[-,]|에서 ?|부터 ?)(?P<high>[1-9]0))? ?대{_KOREAN_PART}(?P<over> ?이상)?{_NOT_FOR}"
)
_KOREAN_GENERATION = re.compile(r"(?<!\d)(?P<low>[1-8])0(?P<high>[2-9])0 ?(?:세대|대|여성|남성)")
_SINO_DECADE = re.compile(rf"(?<![가-힣])(?P<tens>{'|'.join(sorted(_SINO_TENS, key=len, reverse=True))})대{_KOREAN_PART}")
_KOREAN_YEARS = re.compile(
    r"(?<!\d)(?P<low>\d{1,3})(?: ?[살세])?(?:(?:-|에서 ?|부터 ?)(?P<high>\d{1,3}))? ?(?:살(?![짝구])|세(?![대기트계련월탁]))"
)
_KOREAN_COUNT = re.compile(
    rf"(?<![가-힣])(?:(?P<tens>{'|'.join(_KOREAN_TENS)}) ?)?(?P<units>{'|'.join(_KOREAN_UNITS)})? ?살(?![짝구])"
    rf"|(?<![가-힣])(?P<bare>서른|마흔|예순|일흔|여든)(?P<more>{'|'.join(_KOREAN_UNITS)})?(?= ?(?:즈음|언저리|무렵|중반|의|쯤|[ ,.]|$))"
    rf"|(?<![가-힣])(?P<twenty>스물)(?P<twenty_more>{'|'.join(_KOREAN_UNITS)})(?=[ ,.]|$|의)"
)


class AgeReader:
    """Numbers first, stages of life where no number is given; a contradiction gives no age."""

    def __init__(self, words: ReadingWords) -> None:
        self._words: AgeWords = words.ages
        self._people = words.people

    def numbers(self, text: PromptText) -> tuple[AgeMatch, ...]:
        """Ages in numbers, those of whisky and counted cars left out."""
        return tuple(match for match in _numbers(text.text) if not self._is_of_a_thing(text, match))

    def read(
        self, text: PromptText, numbers: tuple[AgeMatch, ...], dismissed: tuple[SignMatch, ...]
    ) -> AgeFinding:
        """The age of whoever is meant. `dismissed` are words that name nobody in the picture."""
        if numbers:
            return AgeFinding(_common(numbers), numbers)
        stages = [
            match
            for match in self._words.stages.scan(text)
            if None not in match.meanings and not any(match.overlaps(other) for other in dismissed)
        ]
        ages = tuple(
            AgeMatch(low, high, match.start, match.end)
            for match in stages
            for low, high in sorted(filter(None, match.meanings))
        )
        common = _common(ages)
        if common and self._is_contradicted(text, common, stages):
            common = None
        return AgeFinding(common, ages)

    def _is_of_a_thing(self, text: PromptText, match: AgeMatch) -> bool:
        """"12-year-old single malt", "자동차 20대"."""
        at = text.word_end(match.end - 1)
        for _ in range(3):
            word = text.next_word(at)
            if word is None:
                break
            if self._words.things.at(text, word[0]):
                return True
            at = word[1]
        before = text.text.rfind(" ", 0, max(0, match.start - 1)) + 1
        noun = self._people.at(text, before) if match.start and before < match.start - 1 else None
        is_count = noun is not None and noun.end == noun.tail == match.start - 1
        return is_count and noun is not None and Sign.OBJECT in noun.meanings and text.text[match.end - 1] == "대"

    def _is_contradicted(
        self, text: PromptText, ages: AgeRange, stages: list[Match[AgeRange | None]]
    ) -> bool:
        """A child beside a grown-up, or an old person beside a grandchild."""
        low, high = ages
        others = self._words.older if high <= 19 else self._words.younger if low >= 40 else None
        if others is None:
            return False
        return not all(
            any(other.overlaps(stage) or other.tail + 1 == stage.start for stage in stages)
            for other in others.scan(text)
        )


def _numbers(text: str) -> Iterator[AgeMatch]:
    """Every age in numbers; what one rule has read is not read again by the next."""
    taken: list[tuple[int, int]] = []
    for match in _number_matches(text):
        if not any(start < match.end and match.start < end for start, end in taken):
            taken.append((match.start, match.end))
            yield match


def _number_matches(text: str) -> Iterator[AgeMatch]:
    for pattern in (_YEARS_OLD, _AGED, _BESIDE_WHO, _KOREAN_YEARS):
        for found in pattern.finditer(text):
            groups = found.groupdict()
            low = _number(groups["low"] or groups.get("short") or "")
            yield from _age(low, _number(groups["high"]) if groups["high"] else low, found)
    for found in _OVER.finditer(text):
        yield from _age(int(found["low"] or found["plus"]), _OLDEST, found)
    for found in _SOMETHING.finditer(text):
        tens = _TENS.get(found["tens"]) or int(found["tens"])
        yield from _age(tens, tens + 9, found)
    yield from _decades(text)
    yield from _korean_decades(text)
    yield from _korean_counts(text)


def _decades(text: str) -> Iterator[AgeMatch]:
    for found in _DECADES_RANGE.finditer(text):
        yield from _age(_decade(found["low"]), _decade(found["high"]) + 9, found)
    for found in _IN_DECADE.finditer(text):
        decade, whose = _decade(found["decade"]), found["whose"] or ""
        is_era = found["the"] or (not found["part"] and not _is_personal(text, found, decade, whose))
        if not is_era:
            yield from _within(decade, found["part"], found)


def _is_personal(text: str, found: re.Match[str], decade: int, whose: str) -> bool:
    """Whether a bare decade is somebody's age and no era: "her 30s", "30s woman", not "80s fashion"."""
    if whose.strip() not in ("", "in"):
        return True
    is_young = decade <= 40
    if whose:
        return is_young
    is_beside = _WHO_BEFORE.search(text, 0, found.start()) or _WHO_AFTER.match(text, found.end())
    return bool(is_beside) and (is_young or text[found.start() - 1 : found.start()] == ",")


def _korean_decades(text: str) -> Iterator[AgeMatch]:
    for found in _KOREAN_DECADE.finditer(text):
        low = int(found["low"])
        if found["over"]:
            yield from _age(low, _OLDEST, found)
        elif found["high"]:
            yield from _age(low, int(found["high"]) + 9, found)
        else:
            yield from _within(low, found["part"], found)
    for found in _KOREAN_GENERATION.finditer(text):
        yield from _age(int(found["low"]) * 10, int(found["high"]) * 10 + 9, found)
    for found in _SINO_DECADE.finditer(text):
        yield from _within(_SINO_TENS[found["tens"]], found["part"], found)


def _korean_counts(text: str) -> Iterator[AgeMatch]:
    for found in _KOREAN_COUNT.finditer(text):
        tens = _KOREAN_TENS.get(found["tens"] or found["bare"] or found["twenty"] or "", 0)
        units = _KOREAN_UNITS.get(found["units"] or found["more"] or found["twenty_more"] or "", 0)
        if tens + units:
            yield from _age(tens + units, tens + units, found)


def _within(decade: int, part: str | None, found: re.Match[str]) -> Iterator[AgeMatch]:
    """A decade or part of it; the teens start at 13."""
    first, last = _PARTS[part] if part else (0, 9)
    low = max(decade + first, 13) if decade == 10 else decade + first
    yield from _age(low, decade + last, found)


def _age(low: int, high: int, found: re.Match[str]) -> Iterator[AgeMatch]:
    if low > high:
        low, high = high, low
    if high <= 110:
        yield AgeMatch(low, high, found.start(), found.end())


def _number(words: str) -> int:
    if words.isdigit():
        return int(words)
    if words in _TEENS:
        return 10 + _TEENS.index(words)
    tens, _, units = words.rpartition(" ")
    if units in _TENS:
        return _TENS[units]
    return _TENS.get(tens, 0) + _UNITS.index(units)


def _decade(words: str) -> int:
    return _DECADES[words] if words in _DECADES else int(words[:-1])


def _common(ages: tuple[AgeMatch, ...]) -> AgeRange | None:
    """The range that all agree on."""
    low = max((match.low for match in ages), default=1)
    high = min((match.high for match in ages), default=0)
    return (low, high) if low <= high else None
