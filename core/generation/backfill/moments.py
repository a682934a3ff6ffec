"""Moments: the instants that an export's dates name. Read is what names one without doubt, all else is refused.

A date without a zone is in UTC. Refused are days and months that could change places, counts of days, numbers that a
spreadsheet has rounded, and names of zones that several countries use.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Final

ACCEPTED: Final = "write it as 2025-03-01T14:05:33+09:00, or as seconds since 1970"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)  # a ULID counts from there
_LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)
# Between these years the seconds, milli-, micro- and nanoseconds since 1970 are no numbers of each other.
_NUMBERS_FROM: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_NUMBERS_TO: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
_A_SECOND: Final = (1, 10**3, 10**6, 10**9)
_COMPACT: Final = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_SHEET_DAYS: Final = range(20_000, 80_000)  # 1954 to 2119, as spreadsheets count days

_NUMBER: Final = re.compile(r"\+?\d+(?:\.\d*)?(?:[eE]\+?\d{1,2})?")
# JavaScript's and Java's name of a zone behind the zone itself: `GMT+0900 (Korean Standard Time)`, `Z[UTC]`.
_COMMENT: Final = re.compile(
    r"(?P<time>:\d\d(?:[.,]\d+)?)\s*(?P<zone>(?:UTC|GMT)?[+-]\d{1,2}:?(?:\d\d)?|UTC|GMT|Z)"
    r"\s*[(\[](?P<name>[^()\[\]]*)[)\]]$",
    re.IGNORECASE,
)
_ISO: Final = re.compile(r"(?:\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d(?:-?\d)?)(?:[Tt ].+)?")
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_TIME: Final = re.compile(
    r"(?P<before>오전|오후|[ap]\.?m\.?)?\s*(?<!\d)(?P<hour>\d{1,2})"
    r"(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"|\s*시(?:\s*(?P<minute_ko>\d{1,2})\s*분)?(?:\s*(?P<second_ko>\d{1,2})\s*초)?)"
    r"(?![\d:])\s*(?P<after>오전|오후|[ap]\.?m\.?(?![a-z]))?",
    re.IGNORECASE,
)
_YEAR_BEHIND: Final = re.compile(r"(?<![\d:+-])\d{4}$")  # as in `Sat Mar  1 14:05:33 2025`
_OFFSET: Final = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2}):?(\d{2})?(?:\s+(?P<name>[A-Z]{2,5}))?")
_ZONES: Final[dict[str, tzinfo]] = {
    **dict.fromkeys(("", "Z", "UTC", "GMT"), UTC),
    **dict.fromkeys(("KST", "JST"), timezone(timedelta(hours=9))),  # the only two that several do not share
}
_WEEKDAY: Final = re.compile(
    r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?,?|[월화수목금토일]요일|\([월화수목금토일]\)",
    re.IGNORECASE,
)
_YEAR_FIRST: Final = re.compile(r"(\d{4})\s*(?:[-/.]|년)\s*(\d{1,2})\s*(?:[-/.]|월)\s*(\d{1,2})\s*(?:\.|일)?")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{4})")
_MONTH: Final = r"(?P<month>[a-z]{3,9})\.?"
_NAMED: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s./-]*{_MONTH},?[\s./-]*(?P<year>\d{{4}})",
        rf"{_MONTH}[\s./-]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[,\s./-]\s*(?P<year>\d{{4}})",
        rf"(?P<year>\d{{4}})[\s./-]*{_MONTH}[\s./-]*(?P<day>\d{{1,2}})",
    )
)
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


def moment_of(written: str) -> datetime:
    """The instant, in UTC. Raises ValueError, whose text says why it is none and what is accepted."""
    text = _UNSEEN.sub("", unicodedata.normalize("NFKC", written)).replace("\u2212", "-").strip()
    if comment := _COMMENT.search(text):
        _refuse_another_name(_zone_of(comment["zone"]), comment["name"])
        text = text[: comment.end("zone")]
    moment = _by_number(text) if _NUMBER.fullmatch(text) else _by_words(text)
    try:
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as err:
        raise ValueError(f"lies outside of the calendar: {ACCEPTED}") from err
    if not _EPOCH <= moment < _LATEST:
        raise ValueError(f"lies outside of the calendar: {ACCEPTED}")
    return moment


def _by_number(text: str) -> datetime:
    compact = _COMPACT.get(len(text)) if text.isdecimal() else None
    if compact is not None and text[:2] in ("19", "20"):
        try:
            return datetime.strptime(text, compact).replace(tzinfo=UTC)
        except ValueError:
            pass  # a count, then
    number = Decimal(text)
    for a_second in _A_SECOND:
        if _NUMBERS_FROM * a_second <= number < _NUMBERS_TO * a_second:
            exponent = number.as_tuple().exponent
            if isinstance(exponent, int) and 10**exponent > a_second:
                raise ValueError(f"was rounded, and names no second any more: {ACCEPTED}")
            return _EPOCH + timedelta(microseconds=int(number * 10**6 / a_second))
    if int(number) in _SHEET_DAYS:
        raise ValueError(f"is a spreadsheet's count of days, from 1900 or from 1904: {ACCEPTED}")
    raise ValueError(f"is no date: {ACCEPTED}")


def _by_words(text: str) -> datetime:
    if _ISO.fullmatch(text):  # else a zone behind a day would be taken for a time
        try:
            return datetime.fromisoformat(text.upper())
        except ValueError:
            pass
    time = _TIME.search(text)
    if time is None:
        return datetime(*_day_of(text), tzinfo=UTC)
    day, behind = text[: time.start()], text[time.end() :].strip()
    if year := _YEAR_BEHIND.search(behind):
        day, behind = f"{day} {year[0]}", behind[: year.start()].strip()
    try:
        of_day = datetime(*_day_of(day), *_clock_of(time), tzinfo=_zone_of(behind))
    except OverflowError as err:
        raise ValueError(f"is no date: {ACCEPTED}") from err
    return of_day + timedelta(microseconds=int((time["fraction"] or "0")[:6].ljust(6, "0")))


def _day_of(text: str) -> tuple[int, int, int]:
    """Year, month and day."""
    text = " ".join(_WEEKDAY.sub(" ", text).split()).removesuffix("T").strip(" ,")
    if found := _YEAR_FIRST.fullmatch(text):
        return _checked(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_LAST.fullmatch(text):
        return _checked(int(found[4]), *_month_and_day(int(found[1]), int(found[3])))
    for form in _NAMED:
        if found := form.fullmatch(text):
            name = found["month"].lower()
            months = [at for at, month in enumerate(_MONTHS, 1) if month.startswith(name)]
            return _checked(int(found["year"]), months[0] if months else 0, int(found["day"]))
    raise ValueError(f"is no date: {ACCEPTED}")


def _month_and_day(first: int, second: int) -> tuple[int, int]:
    if first > 12:
        return second, first
    if second <= 12 and first != second:
        raise ValueError(f"could be two days, for day and month may stand either way: {ACCEPTED}")
    return first, second


def _checked(year: int, month: int, day: int) -> tuple[int, int, int]:
    try:
        datetime(year, month, day, tzinfo=UTC)
    except ValueError as err:
        raise ValueError(f"is no day of the calendar: {ACCEPTED}") from err
    return year, month, day


def _clock_of(time: re.Match[str]) -> tuple[int, int, int]:
    """Hour, minute and second."""
    hour = int(time["hour"])
    half = (time["before"] or time["after"] or "").lower().replace(".", "")
    is_twice = bool(time["before"] and time["after"])
    is_after_noon = half in ("오후", "pm")
    if is_twice or (half and (hour == 0 or hour > 12) and not (is_after_noon and hour > 12)):
        raise ValueError(f"has no such hour: {ACCEPTED}")
    if half and hour <= 12:
        hour = hour % 12 + 12 * is_after_noon
    minute, second = (int(time[name] or time[f"{name}_ko"] or 0) for name in ("minute", "second"))
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"has no such time of day: {ACCEPTED}")
    return hour, minute, second


def _zone_of(text: str) -> tzinfo:
    text = text.strip("()[] ")
    if text.upper() in _ZONES:
        return _ZONES[text.upper()]
    found = _OFFSET.fullmatch(text)
    if found is None:
        raise ValueError(f"has a zone that is not known here: {ACCEPTED}")
    hours, minutes = int(found[2]), int(found[3] or 0)
    if hours > 14 or minutes > 59:
        raise ValueError(f"has a zone that is not known here: {ACCEPTED}")
    offset = timedelta(hours=hours, minutes=minutes)
    zone = timezone(-offset if found[1] == "-" else offset)
    _refuse_another_name(zone, found["name"] or "")
    return zone


def _refuse_another_name(zone: tzinfo, name: str) -> None:
    """Raise ValueError where a zone is known by this name, and is another one."""
    named = _ZONES.get(name.strip().upper()) if name else None
    if named is not None and named.utcoffset(None) != zone.utcoffset(None):
        raise ValueError(f"has two zones that differ: {ACCEPTED}")
