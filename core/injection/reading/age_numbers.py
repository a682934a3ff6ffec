"""Finds ages written in numbers: in English here, in figures and words, and with the Korean ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.injection.reading.age_match import OLDEST, OLDEST_READ, PARTS, AgeMatch, ages_from, part_of_decade
from core.injection.reading.korean_ages import korean_ages

_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_DECADES = {"teens": 10} | {f"{word[:-1]}ies": number for word, number in _TENS.items()}
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
_BARE_LOW = 13  # a bare number below it beside a person counts persons, pictures or lines
_ZOOMS = frozenset({(16, 35), (17, 40), (17, 55), (18, 55), (24, 70), (28, 70), (28, 75)})
_ZOOM_YEARS = 45  # a lens such as 24-105 or 35-150; no casting spans as much
_NO_AGE = (
    r"(?! (?:cm|mm|m|km|kg|g|degrees?|percent|minutes?|hours?|seconds?|days?|weeks?|months?"
    r"|euros?|dollars?|pieces?|am|pm)"
    r"(?![^ ,.]))"
)

_YEARS_OLD = re.compile(
    rf"{_START}(?P<low>{_NUMBER})(?:(?:-| to | or | and )(?P<high>{_NUMBER}))?"
    rf" (?:years?|yrs?) (?:olds?|of age){_END}"
    rf"|{_START}(?P<short>\d{{1,2}}) (?:yo|y[,.]o|yos){_END}"
)
_AGED = re.compile(
    rf"{_START}(?:aged|ages|age|age range)[ ,](?:between |of |around |about )?"
    rf"(?P<low>{_NUMBER})(?:(?:-| to | and )(?P<high>{_NUMBER}))?+{_NO_AGE}{_END}"
)
_BETWEEN = re.compile(
    rf"{_START}between (?:the )?(?:ages (?:of )?)?(?P<low>{_NUMBER})(?:-| to | and )(?P<high>{_NUMBER}){_NO_AGE}{_END}"
)
_BESIDE_WHO = re.compile(
    rf"{_START}(?:{_WHO}|여자|여성|남자|남성|남녀|배우)[ ,-]"
    r"(?:of |from |about |around |roughly |approximately |who is |who are )?"
    rf"(?P<low>\d\d|(?:{_TEN})(?: (?:{_UNIT}))?)(?:(?:-| to )(?P<high>\d\d))?(?=[,.]|$)"
)
_NUMBERED = re.compile(r"(?:models?|person|people) \d+")  # "Model 14" is the fourteenth
_YEARS = r"(?: (?:years?|yrs?)(?: (?:olds?|of age))?| yo)"
# As `PromptText` writes them, without apostrophes.
_NEVER = (
    r"(?:not?|never|nor|neither|nobody|no one|cant|cannot|shouldnt|mustnt|wont|isnt|arent|exclude|excluding)"
    r"(?: be)?(?: a day)?"
)
_NOT_UNDER = rf"{_NEVER} (?:under|below|younger than|less than)"
_NOT_OVER = rf"{_NEVER} (?:over|above|older than|more than)|not (?:to exceed|exceeding)"
# A limit of an age: which end it is, and whether the number itself is still meant. "Over 60" takes in those of 60.
_LIMIT = (
    rf"(?:(?P<lowest>{_NOT_UNDER}|at least|minimum(?: age)?(?: of)?|min(?: age)?|older than|over|above|past|upwards of)"
    rf"|(?P<highest>{_NOT_OVER}|at most|up to|maximum(?: age)?(?: of)?|max(?: age)?)"
    r"|(?P<below>under|below|younger than|less than)) (?:the age of )?"
)
_ONE_END = re.compile(rf"{_START}{_LIMIT}(?P<years>{_NUMBER})(?:(?P<many>s)|(?P<unit>{_YEARS}))?{_NO_AGE}{_END}")
_OTHER_END = re.compile(
    rf"{_START}(?:(?:aged?|ages) )?(?P<years>{_NUMBER})(?P<unit>{_YEARS})?"
    rf" (?:(?P<lowest>plus|and over|and older|or over|or older|and up|and above|or above|upwards|minimum|min)"
    rf"|(?P<highest>and under|and younger|or under|or younger|and below|or below|maximum|max|at(?: the)? most"
    rf"|tops)){_END}"
)
_OWN_LIMIT = re.compile(r"(?:older|younger) than|the age of|(?:max|min)(?:imum)? age")  # said of nothing but ages
_AGE_BEFORE = re.compile(
    rf"(?:{_WHO}|child|children|kids?|boys|girls|teens?|teenagers?|students?|age|aged|ages)"
    r"(?: (?:who|is|are|of|aged|age|just|slightly|well)){0,2}[ ,]$"
)
_AGE_BEFORE_CHARS = 40
_ONE_AFTER = re.compile(
    rf" (?:woman|man|female|male|model|person|adult|couple|actor|actress|lady|guy){_END}"
)  # "30+ woman"
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
_BEYOND = re.compile(rf" (?:or|and) (?:(?P<older>older|above|over|up|beyond)|younger|under|below){_END}")
_SOMETHING = re.compile(rf"{_START}(?:aged? )?(?P<tens>{_TEN}|[2-9]0) ?(?:somethings?|odd){_END}")
_WHO_BEFORE = re.compile(rf"(?:{_WHO})[ ,]$")
_WHO_AFTER = re.compile(rf"[ ,](?:{_WHO}){_END}")


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
        yield from ages_from(tens, tens + 9, found)
    for pattern in (_YEARS_OLD, _AGED, _BETWEEN):
        for found in pattern.finditer(text):
            groups = found.groupdict()
            low = _number(groups["low"] or groups.get("short") or "")
            yield from ages_from(low, _number(groups["high"]) if groups["high"] else low, found)
    yield from _beside_somebody(text)
    for found in _ABOUT.finditer(text):
        years = _number(found["about"] or found["ish"])
        if years >= _BARE_LOW or found["unit"]:
            yield from ages_from(years, years, found, is_loose=True)
    yield from _decades(text)
    yield from korean_ages(text)


def _beside_somebody(text: str) -> Iterator[AgeMatch]:
    """Bare numbers: "woman, 35", not "model 24-70" nor "person 14"."""
    for found in _BESIDE_WHO.finditer(text):
        low = _number(found["low"])
        high = int(found["high"] or low)
        is_zoom = (low, high) in _ZOOMS or high - low >= _ZOOM_YEARS
        if low >= _BARE_LOW and not is_zoom and not _NUMBERED.fullmatch(found[0]):
            yield from ages_from(low, high, found)


def _limits(text: str) -> Iterator[AgeMatch]:
    """ "Under 30", "no older than 25", "60 and over": of one end of a range the other is open."""
    for pattern in (_ONE_END, _OTHER_END):
        for found in pattern.finditer(text):
            years, groups = _number(found["years"]), found.groupdict()
            is_own = bool(found["unit"] or groups.get("many") or _OWN_LIMIT.search(text, found.start(), found.end()))
            if years > OLDEST_READ or not (is_own or _is_of_somebody(text, found, years)):
                continue
            low = 0 if groups.get("below") or groups["highest"] else years
            high = max(years - bool(groups.get("below")), 0) if low == 0 else max(years, OLDEST)
            is_loose = not (groups.get("many") or text.startswith("age", found.start()))
            yield AgeMatch(low, high, *found.span(), is_bound=True, is_loose=is_loose)


def _is_of_somebody(text: str, found: re.Match[str], years: int) -> bool:
    """Whether a limit stands behind somebody or ends its clause, a child's both: not "over 60 balloons"."""
    is_end = bool(_CLAUSE_AFTER.match(text, found.end()))
    is_behind = bool(_AGE_BEFORE.search(text, max(0, found.start() - _AGE_BEFORE_CHARS), found.start()))
    if years < _BARE_LOW:
        return is_end and is_behind
    return is_end or is_behind or bool(_ONE_AFTER.match(text, found.end()))


def _decades(text: str) -> Iterator[AgeMatch]:
    for found in _DECADES_RANGE.finditer(text):
        first = _decade(found["low"]) + PARTS[found["part"] or ""][0]
        yield from ages_from(first, _decade(found["high"]) + PARTS[found["part_high"] or ""][1], found)
    for found in _IN_DECADE.finditer(text):
        decade, whose = _decade(found["decade"]), found["whose"] or ""
        is_era = found["the"] or (not found["part"] and not _is_personal(text, found, decade, whose))
        if not is_era:
            yield from _open_decade(text, decade, found) or part_of_decade(decade, found["part"], found)


def _open_decade(text: str, decade: int, found: re.Match[str]) -> list[AgeMatch]:
    """ "In her 30s or older": the decade and what lies beyond; empty if nothing does."""
    beyond = _BEYOND.match(text, found.end())
    if beyond is None:
        return []
    ages = (decade, max(decade + 9, OLDEST)) if beyond["older"] else (0, decade + 9)
    return [AgeMatch(*ages, found.start(), beyond.end(), is_bound=True)]


def _is_personal(text: str, found: re.Match[str], decade: int, whose: str) -> bool:
    """Whether a bare decade is somebody's age and no era: "her 30s", "30s woman", not "80s fashion"."""
    if whose.strip() not in ("", "in"):
        return True
    is_young = decade <= 40
    if whose:
        return is_young
    is_beside = _WHO_BEFORE.search(text, 0, found.start()) or _WHO_AFTER.match(text, found.end())
    return bool(is_beside) and (is_young or text[found.start() - 1 : found.start()] == ",")


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
