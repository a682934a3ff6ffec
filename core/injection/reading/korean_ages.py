"""Finds ages that Korean writes in numbers, in figures and words, with the limits behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.injection.reading.age_match import OLDEST, OLDEST_READ, PARTS, AgeMatch, ages_from, part_of_decade, start_of

_TENS = {
    "열": 10, "스물": 20, "스무": 20, "서른": 30, "마흔": 40,
    "쉰": 50, "예순": 60, "일흔": 70, "여든": 80, "아흔": 90,
}  # fmt: skip
_UNITS = {
    "하나": 1, "한": 1, "두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4,
    "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9,
}  # fmt: skip
_SINO_TENS = {f"{digit}십": 10 * number for number, digit in enumerate(["", *"이삼사오육칠팔구"], start=1)}

_PART = r"(?: ?(?P<part>초중반|중후반|초반|중반|후반))?"
_NOT_FOR = r"(?! ?(?:타깃|타겟|취향|여성용|남성용|를 위한|을 위한|를 대상|을 대상))"

# "2~30대" and "30초반" are how people write it.
_DECADE = re.compile(
    rf"(?<!\d)(?:(?P<first>[1-8])[-,])?(?P<low>[1-9]0)"
    rf"(?:(?:대?(?: ?(?P<low_part>초중반|중후반|초반|중반|후반))?)?(?:[-,]|에서 ?|부터 ?)"
    rf"(?P<high>[1-9]0))?(?:대(?!리석|각선)|(?=초중반|중후반|초반|중반|후반)"
    rf"| 대(?=[ ,.]|$|[의가는은로와]|[초중후]|이[상하 ]|미만|여[성자]|남[성자]))"
    rf"{_PART}{_NOT_FOR}"
)
_GENERATION = re.compile(r"(?<!\d)(?P<low>[1-8])0(?P<high>[2-9])0 ?(?:세대|대|여성|남성)")
_SINO_TEN = "|".join(sorted(_SINO_TENS, key=len, reverse=True))
_SINO_DECADE = re.compile(rf"(?<![가-힣])(?P<tens>{_SINO_TEN})대{_PART}")
_YEARS = re.compile(
    r"(?<!\d)(?P<low>\d{1,3})(?: ?[살세])?(?:(?:-|에서 ?|부터 ?)(?P<high>\d{1,3}))?"
    r"(?: ?살(?![짝구])|세(?![대기트계련월탁])"
    r"| 세(?=[ ,.]|$|의|인|가|로 보|이[상하]|미만|초과|정도|쯤|가량|전후|안팎|[여남]|[초중후]))"
)
_AGED = re.compile(
    r"(?<![가-힣])(?:나이|연령|연령대|만)[은는이가]?[ ,](?:만 )?"
    r"(?P<low>\d{1,3})(?:(?:-|에서 ?|부터 ?)(?P<high>\d{1,3}))?"
    r"(?! ?[대살세]|\d)(?=[ ,.]|$|이|정도|쯤)"
)
_TEN, _UNIT = "|".join(_TENS), "|".join(_UNITS)
_COUNT = re.compile(
    rf"(?<![가-힣])(?:(?P<tens>{_TEN}) ?)?(?P<units>{_UNIT})? ?살(?![짝구])"
    rf"|(?<![가-힣])(?P<bare>서른|마흔|예순|일흔|여든)(?P<more>{_UNIT})?"
    r"(?=(?:을|를|이)? ?(?:넘은|넘긴|넘지|안 ?넘|넘으면)| ?(?:즈음|언저리|무렵|중반|의|쯤|[ ,.]|$))"
    rf"|(?<![가-힣])(?P<twenty>스물)(?P<twenty_more>{_UNIT})(?=[ ,.]|$|의|쯤|정도)"
)

_LIMIT = re.compile(
    r" ?(?:살|세)?(?:(?:이|을|를)? ?(?:(?P<not_over>넘지 ?(?:않|말|마|못)|안 ?넘|넘으면 안|넘어서?는? 안)"
    r"|넘은|넘긴|넘어)"
    r"|(?:은|는)? ?(?:이상|부터|(?P<highest>이하|까지)|(?P<below>미만|아래|안 된|안된)|(?P<above>초과)))"
)
_BESIDE = re.compile(
    r"(?<![가-힣])(?:여자|여성|남자|남성|남녀|배우)[ ,](?P<low>\d\d)(?= ?(?:이상|이하|미만|초과)(?![가-힣]))"
)
_LIMIT_BEFORE = re.compile(r"(?<![가-힣])(?:(?P<highest>최대|최고|많아야)|최소|최저|적어도) (?:만 )?$")
_LIMIT_CHARS = 10


def korean_ages(text: str) -> Iterator[AgeMatch]:
    """Every age, rule by rule."""
    for pattern in (_AGED, _YEARS):
        for found in pattern.finditer(text):
            low = int(found["low"])
            yield from _limited(text, low, int(found["high"] or low), found)
    for found in _BESIDE.finditer(text):
        yield from _limited(text, int(found["low"]), int(found["low"]), found)
    yield from _decades(text)
    yield from _counts(text)


def _limited(text: str, low: int, high: int, found: re.Match[str]) -> Iterator[AgeMatch]:
    """An age with the limit that it is: "25세 이하", "30대 미만", "마흔을 넘은", "최대 30세"."""
    after = _LIMIT.match(text, found.end())
    before = _LIMIT_BEFORE.search(text, max(0, found.start() - _LIMIT_CHARS), found.start())
    limit = after or before
    if limit is None or max(low, high) > OLDEST_READ:
        yield from ages_from(low, high, found)
        return
    groups, end = limit.groupdict(), after.end() if after else found.end()
    ages = (low, max(low, OLDEST))
    if groups.get("below"):
        ages = (0, max(0, low - 1))
    elif groups["highest"] or groups.get("not_over"):
        ages = (0, high)
    elif groups.get("above"):
        ages = (high + 1, max(high + 1, OLDEST))
    yield AgeMatch(*ages, found.start(), end, is_bound=True)


def _decades(text: str) -> Iterator[AgeMatch]:
    for found in _DECADE.finditer(text):
        low, high = int(found["low"]), int(found["high"] or found["low"])
        first = PARTS[(found["low_part"] if found["high"] else found["part"]) or ""][0]
        last = PARTS[found["part"] or ""][1]
        if (earlier := 10 * int(found["first"] or 9)) < low:
            low, first = earlier, 0
        yield from _limited(text, start_of(low, first), high + last, found)
    for found in _GENERATION.finditer(text):
        yield from ages_from(int(found["low"]) * 10, int(found["high"]) * 10 + 9, found)
    for found in _SINO_DECADE.finditer(text):
        yield from part_of_decade(_SINO_TENS[found["tens"]], found["part"], found)


def _counts(text: str) -> Iterator[AgeMatch]:
    for found in _COUNT.finditer(text):
        tens = _TENS.get(found["tens"] or found["bare"] or found["twenty"] or "", 0)
        units = _UNITS.get(found["units"] or found["more"] or found["twenty_more"] or "", 0)
        if tens + units:
            yield from _limited(text, tens + units, tens + units, found)
