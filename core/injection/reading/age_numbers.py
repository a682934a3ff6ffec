"""Finds ages written in numbers, in figures and words, English and Korean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_DECADES = {"teens": 10} | {f"{word[:-1]}ies": number for word, number in _TENS.items()}
_KOREAN_TENS = {
    "열": 10, "스물": 20, "스무": 20, "서른": 30, "마흔": 40,
    "쉰": 50, "예순": 60, "일흔": 70, "여든": 80, "아흔": 90,
}  # fmt: skip
_KOREAN_UNITS = {
    "하나": 1, "한": 1, "두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4,
    "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9,
}  # fmt: skip
_SINO_TENS = {f"{digit}십": 10 * number for number, digit in enumerate(["", *"이삼사오육칠팔구"], start=1)}
_PARTS = {
    "": (0, 9),
    "early": (0, 4), "early to mid": (0, 6), "mid": (4, 6), "middle": (4, 6), "mid to late": (4, 9), "late": (5, 9),
    "초반": (0, 4), "초": (0, 4), "초중반": (0, 6), "중반": (4, 6), "중": (4, 6), "중후반": (4, 9),
    "후반": (5, 9), "후": (5, 9), "말": (7, 9),
}  # fmt: skip
_OLDEST = 90
_READ_MAX = 110
_BARE_LOW = 13  # a bare number below it beside a person counts persons, pictures or lines
_ZOOMS = frozenset({(16, 35), (17, 40), (17, 55), (18, 55), (24, 70), (28, 70), (28, 75)})
_ZOOM_YEARS = 45  # a lens such as 24-105 or 35-150; no casting spans as much

_UNIT = "|".join(_UNITS[1:])
_TEN = "|".join(_TENS)
_NUMBER = rf"(?:\d{{1,3}}|(?:{_TEN})(?: (?:{_UNIT}))?|{'|'.join(_TEENS)}|{_UNIT})"
_DECADE = rf"(?:[1-9]0s|{'|'.join(_DECADES)})"
_PART = r"early to mid|mid to late|early|middle|mid|late"
_WHO = (
    "woman|women|man|men|female|male|females|males|girl|boy|guy|lady|model|models|person|people|adult|adults|couple"
    "|actor|actress|someone|somebody|dad|mom|mum|father|mother|husband|wife"
)
_START, _END = r"(?<![^ ,.])", r"(?![^ ,.])"
_KOREAN_PART = r"(?: ?(?P<part>초중반|중후반|초반|중반|후반))?"
_NOT_FOR = r"(?! ?(?:타깃|타겟|취향|여성용|남성용|를 위한|을 위한|를 대상|을 대상))"


_NO_AGE = (
    r"(?! (?:cm|mm|m|km|kg|g|degrees?|percent|minutes?|hours?|seconds?|days?|weeks?|months?"
    r"|euros?|dollars?|pieces?|am|pm)"
    r"(?![^ ,.]))"
)


@dataclass(frozen=True, slots=True)
class AgeMatch:
    """An age range read from a stretch of the text.

    `is_bound` says that only one end was given ("under 30"), `is_loose` that the number may be of something else as
    well: it is an age only where the prompt means a person.
    """

    low: int
    high: int
    start: int
    end: int
    is_bound: bool = False
    is_loose: bool = False


_YEARS_OLD = re.compile(
    rf"{_START}(?P<low>{_NUMBER})(?:(?:-| to | or | and )(?P<high>{_NUMBER}))?"
    rf" (?:years?|yrs?) (?:olds?|of age){_END}"
    rf"|{_START}(?P<short>\d{{1,2}}) (?:yo|y,o|yos){_END}"
)
_AGED = re.compile(
    rf"{_START}(?:aged|ages|age|age range)[ ,](?:between |of |around |about )?"
    rf"(?P<low>{_NUMBER})(?:(?:-| to | and )(?P<high>{_NUMBER}))?+{_NO_AGE}{_END}"
)
_BETWEEN = re.compile(
    rf"{_START}between (?:the )?(?:ages (?:of )?)?(?P<low>{_NUMBER})(?:-| to | and )(?P<high>{_NUMBER}){_NO_AGE}{_END}"
)
_BESIDE_WHO = re.compile(
    rf"{_START}(?:{_WHO})[ ,-](?:of |about |around |roughly |approximately )?"
    r"(?P<low>\d\d)(?:-(?P<high>\d\d))?(?=[,.]|$)"
)
_YEARS = r"(?: (?:years?|yrs?)(?: (?:olds?|of age))?| yo)"
_NOT_UNDER = r"(?:not?|never) (?:be )?(?:under|below|younger than|less than)"
_NOT_OVER = r"(?:not?|never) (?:be )?(?:over|above|older than|more than)"
# A limit of an age: which end it is, and whether the number itself is still meant. "Over 60" is said of those of 60 too.
_LIMIT = (
    rf"(?:(?P<lowest>{_NOT_UNDER}|at least|minimum(?: age)?(?: of)?|min(?: age)?|older than|over|above|past|upwards of)"
    rf"|(?P<highest>{_NOT_OVER}|at most|up to|maximum(?: age)?(?: of)?|max(?: age)?)"
    r"|(?P<below>under|below|younger than|less than|not yet)) (?:the age of )?"
)
_ONE_END = re.compile(rf"{_START}{_LIMIT}(?P<years>{_NUMBER})(?P<unit>{_YEARS})?{_NO_AGE}{_END}")
_OTHER_END = re.compile(
    rf"{_START}(?P<years>{_NUMBER})(?P<unit>{_YEARS})?"
    rf" (?:(?P<lowest>plus|and over|and older|or over|or older|and up|and above|or above|upwards|minimum|min)"
    rf"|(?P<highest>and under|and younger|or under|or younger|and below|or below|maximum|max)){_END}"
)
_OWN_LIMIT = re.compile(r"(?:older|younger) than|the age of|(?:max|min)(?:imum)? age")  # said of nothing but ages
_AGE_BEFORE = re.compile(rf"(?:{_WHO}|age|aged|ages)(?: (?:who|is|are|of|aged|age|just|slightly|well)){{0,2}}[ ,]$")
_AGE_BEFORE_CHARS = 40
_CLAUSE_AFTER = re.compile(r"[,.]|$")
_ABOUT = re.compile(
    rf"{_START}(?:(?:around|about|roughly|approximately|approx|circa|ca|nearly|almost|close to|pushing|turning) "
    rf"(?P<about>{_NUMBER})(?P<unit>{_YEARS})?(?=[,.]|$)|(?P<ish>{_NUMBER}) ?(?:ish|or so|give or take){_END})"
)
_WHOSE = r"(?:(?:in )?(?:her|his|their|my|our|your) )"
_DECADES_RANGE = re.compile(
    rf"{_START}{_WHOSE}?(?:(?P<part>{_PART}) )?(?P<low>{_DECADE})(?:-| to | or | and )"
    rf"(?:(?P<part_high>{_PART}) )?(?P<high>{_DECADE}){_END}"
)
_IN_DECADE = re.compile(
    rf"{_START}(?P<the>the )?(?P<whose>{_WHOSE}|in )?(?:very )?"
    rf"(?:(?P<part>{_PART}) )?(?P<decade>{_DECADE}){_END}"
)
_SOMETHING = re.compile(rf"{_START}(?:aged? )?(?P<tens>{_TEN}|[2-9]0) ?(?:somethings?|odd){_END}")
_WHO_BEFORE = re.compile(rf"(?:{_WHO})[ ,]$")
_WHO_AFTER = re.compile(rf"[ ,](?:{_WHO}){_END}")

_KOREAN_DECADE = re.compile(
    rf"(?<!\d)(?P<low>[1-9]0)(?:(?:대(?: ?(?P<low_part>초중반|중후반|초반|중반|후반))?)?(?:[-,]|에서 ?|부터 ?)"
    rf"(?P<high>[1-9]0))?(?:대(?!리석|각선)| 대(?=[ ,.]|$|[의가는은로와]|[초중후]|이[상하 ]|미만|여[성자]|남[성자]))"
    rf"{_KOREAN_PART}{_NOT_FOR}"
)
_KOREAN_GENERATION = re.compile(r"(?<!\d)(?P<low>[1-8])0(?P<high>[2-9])0 ?(?:세대|대|여성|남성)")
_SINO_TEN = "|".join(sorted(_SINO_TENS, key=len, reverse=True))
_SINO_DECADE = re.compile(rf"(?<![가-힣])(?P<tens>{_SINO_TEN})대{_KOREAN_PART}")
_KOREAN_YEARS = re.compile(
    r"(?<!\d)(?P<low>\d{1,3})(?: ?[살세])?(?:(?:-|에서 ?|부터 ?)(?P<high>\d{1,3}))?"
    r"(?: ?살(?![짝구])|세(?![대기트계련월탁])| 세(?=[ ,.]|$|의|인|가|로 보|이[상하]|미만|초과|정도|쯤|가량|전후|안팎|[여남]|[초중후]))"
)
_KOREAN_AGED = re.compile(
    r"(?<![가-힣])(?:나이|연령|연령대|만)[은는이가]?[ ,](?:만 )?(?P<low>\d{1,3})(?:(?:-|에서 ?|부터 ?)(?P<high>\d{1,3}))?"
    r"(?! ?[대살세]|\d)(?=[ ,.]|$|이|정도|쯤)"
)
_KOREAN_TEN, _KOREAN_UNIT = "|".join(_KOREAN_TENS), "|".join(_KOREAN_UNITS)
_KOREAN_COUNT = re.compile(
    rf"(?<![가-힣])(?:(?P<tens>{_KOREAN_TEN}) ?)?(?P<units>{_KOREAN_UNIT})? ?살(?![짝구])"
    rf"|(?<![가-힣])(?P<bare>서른|마흔|예순|일흔|여든)(?P<more>{_KOREAN_UNIT})?"
    r"(?=(?:을|를|이)? ?(?:넘은|넘긴)| ?(?:즈음|언저리|무렵|중반|의|쯤|[ ,.]|$))"
    rf"|(?<![가-힣])(?P<twenty>스물)(?P<twenty_more>{_KOREAN_UNIT})(?=[ ,.]|$|의)"
)

_KOREAN_LIMIT = re.compile(
    r" ?(?:살|세)?(?:(?:이|을|를)? ?(?P<lowest>넘은|넘긴|넘어)|(?:은|는)? ?(?:(?P<or_more>이상|부터)|(?P<highest>이하|까지)"
    r"|(?P<below>미만|아래|안 된|안된)|(?P<above>초과)))"
)


def ages_in_numbers(text: str) -> list[AgeMatch]:
    """Every age in numbers; where two rules read the same words, the first counts."""
    ages: list[AgeMatch] = []
    for match in sorted(_number_matches(text), key=lambda match: match.start):  # stable: rules keep their order
        if not ages or match.start >= ages[-1].end:
            ages.append(match)
    return ages


def _number_matches(text: str) -> Iterator[AgeMatch]:
    yield from _limits(text)
    for found in _SOMETHING.finditer(text):
        tens = _TENS.get(found["tens"]) or int(found["tens"])
        yield from _age(tens, tens + 9, found)
    for pattern in (_YEARS_OLD, _AGED, _BETWEEN, _KOREAN_AGED, _KOREAN_YEARS):
        for found in pattern.finditer(text):
            groups = found.groupdict()
            low = _number(groups["low"] or groups.get("short") or "")
            yield from _korean_limit(text, low, _number(groups["high"]) if groups["high"] else low, found)
    for found in _BESIDE_WHO.finditer(text):
        low = int(found["low"])
        high = int(found["high"] or low)
        if low >= _BARE_LOW and (low, high) not in _ZOOMS and high - low < _ZOOM_YEARS:
            yield from _age(low, high, found)
    for found in _ABOUT.finditer(text):
        years = _number(found["about"] or found["ish"])
        if years >= _BARE_LOW or found["unit"]:
            yield replace(next(_age(years, years, found)), is_loose=True)
    yield from _decades(text)
    yield from _korean_decades(text)
    yield from _korean_counts(text)


def _limits(text: str) -> Iterator[AgeMatch]:
    """ "Under 30", "no older than 25", "60 and over": of one end of a range the other is open."""
    for pattern in (_ONE_END, _OTHER_END):
        for found in pattern.finditer(text):
            years, groups = _number(found["years"]), found.groupdict()
            is_own = bool(found["unit"] or _OWN_LIMIT.search(text, found.start(), found.end()))
            if not is_own and (years < _BARE_LOW or not _is_of_somebody(text, found)):
                continue
            if years > _READ_MAX:
                continue
            if groups.get("below"):
                yield AgeMatch(0, max(0, years - 1), *found.span(), is_bound=True, is_loose=True)
            elif groups["highest"]:
                yield AgeMatch(0, years, *found.span(), is_bound=True, is_loose=True)
            else:
                yield AgeMatch(years, max(years, _OLDEST), *found.span(), is_bound=True, is_loose=True)


def _is_of_somebody(text: str, found: re.Match[str]) -> bool:
    """Whether a limit stands behind somebody, or ends its clause: not "over 60 balloons"."""
    before = max(0, found.start() - _AGE_BEFORE_CHARS)
    return bool(_CLAUSE_AFTER.match(text, found.end()) or _AGE_BEFORE.search(text, before, found.start()))


def _korean_limit(text: str, low: int, high: int, found: re.Match[str]) -> Iterator[AgeMatch]:
    """An age with what Korean says behind it: "25세 이하", "30대 미만", "마흔을 넘은"."""
    limit = _KOREAN_LIMIT.match(text, found.end())
    if limit is None or max(low, high) > _READ_MAX:
        yield from _age(low, high, found)
        return
    end = limit.end()
    if limit["below"]:
        yield AgeMatch(0, max(0, low - 1), found.start(), end, is_bound=True)
    elif limit["highest"]:
        yield AgeMatch(0, high, found.start(), end, is_bound=True)
    elif limit["above"]:
        yield AgeMatch(min(high + 1, _OLDEST), max(high, _OLDEST), found.start(), end, is_bound=True)
    else:
        yield AgeMatch(low, max(low, _OLDEST), found.start(), end, is_bound=True)


def _decades(text: str) -> Iterator[AgeMatch]:
    for found in _DECADES_RANGE.finditer(text):
        first = _decade(found["low"]) + _PARTS[found["part"] or ""][0]
        yield from _age(first, _decade(found["high"]) + _PARTS[found["part_high"] or ""][1], found)
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
        first = _PARTS[(found["low_part"] if found["high"] else found["part"]) or ""][0]
        last = _PARTS[found["part"] or ""][1]
        yield from _korean_limit(text, _teens_start(low, first), int(found["high"] or low) + last, found)
    for found in _KOREAN_GENERATION.finditer(text):
        yield from _age(int(found["low"]) * 10, int(found["high"]) * 10 + 9, found)
    for found in _SINO_DECADE.finditer(text):
        yield from _within(_SINO_TENS[found["tens"]], found["part"], found)


def _korean_counts(text: str) -> Iterator[AgeMatch]:
    for found in _KOREAN_COUNT.finditer(text):
        tens = _KOREAN_TENS.get(found["tens"] or found["bare"] or found["twenty"] or "", 0)
        units = _KOREAN_UNITS.get(found["units"] or found["more"] or found["twenty_more"] or "", 0)
        if tens + units:
            yield from _korean_limit(text, tens + units, tens + units, found)


def _within(decade: int, part: str | None, found: re.Match[str]) -> Iterator[AgeMatch]:
    """A decade or part of it."""
    first, last = _PARTS[part or ""]
    yield from _age(_teens_start(decade, first), decade + last, found)


def _teens_start(decade: int, first: int) -> int:
    """The teens start at 13."""
    return max(decade + first, 13) if decade == 10 else decade + first


def _age(low: int, high: int, found: re.Match[str]) -> Iterator[AgeMatch]:
    if low > high:
        low, high = high, low
    if high <= _READ_MAX:
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
