"""Dates of an export: what names one instant is that instant, whatever it looks like; all else is refused."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.generation.backfill.moments import ACCEPTED, moment_of

AFTERNOON = datetime(2025, 3, 1, 14, 5, 33, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2025-03-01T14:05:33Z",
        "2025-03-01 14:05:33",
        "2025-03-01 14:05:33.000",
        "2025-03-01T14:05:33,000000000Z",
        "2025/03/01 14:05:33",
        "2025.03.01 14:05:33",
        "2025-3-1 14:05:33 UTC",
        "20250301140533",
        "20250301T140533Z",
        "2025-03-01T23:05:33+09:00",
        "2025-03-01 23:05:33 +0900",
        "2025-03-01 23:05:33+09",
        "2025-03-01 23:05:33 KST",
        "2025-03-01 23:05:33.000 +0900 KST",
        "2025-03-01T23:05:33+09:00[Asia/Seoul]",
        "2025-03-01T10:35:33-03:30",
        "Sat, 01 Mar 2025 23:05:33 +0900",
        "Sat, 1 Mar 2025 14:05:33 GMT",
        "Sat Mar 01 2025 23:05:33 GMT+0900 (한국 표준시)",
        "Sat Mar  1 14:05:33 2025",
        "Sat Mar  1 23:05:33 KST 2025",
        "Sat Mar 01 14:05:33 +0000 2025",
        "Mar 1, 2025 2:05:33 PM",
        "March 1st, 2025, 2:05:33 p.m.",
        "1-Mar-2025 14:05:33",
        "2025-03-01 오후 2:05:33",
        "2025. 3. 1. 오후 2:05:33",
        "2025년 3월 1일 토요일 오후 2시 5분 33초",
        "2025-03-01 (토) 14:05:33",
        "２０２５－０３－０１ １４：０５：３３",
        "2025-03-01 23:05:33 (KST)",
        "2025-03-01T14:05:33Z[UTC]",
        "2025-03-01t14:05:33z",
        "2025-03-01T10:35:33\u221203:30",
        "2025-03-01 02:05:33 오후",
        "\ufeff2025-03-01 14:05:33\u200b",
        "1740837933",
        "1740837933.0",
        "1740837933000",
        "1740837933000.0",
        "1740837933000000",
        "1740837933000000000",
        "1.740837933E+9",
        "1.740837933000E+12",
        "  2025-03-01\u00a014:05:33\u202f ",
    ],
)
def test_one_instant_in_many_ways_of_writing(written: str) -> None:
    assert moment_of(written) == AFTERNOON


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2025-03-13", "2025-03-13"),
        ("20250313", "2025-03-13"),
        ("13/3/2025", "2025-03-13"),
        ("3/13/2025", "2025-03-13"),
        ("13.03.2025", "2025-03-13"),
        ("3/3/2025", "2025-03-03"),
        ("2025. 3. 1.", "2025-03-01"),
        ("Sept 5, 2025", "2025-09-05"),
    ],
)
def test_a_day_begins_at_midnight_and_is_read_where_day_and_month_cannot_change_places(written: str, day: str) -> None:
    assert moment_of(written) == datetime.fromisoformat(f"{day}T00:00:00+00:00")


@pytest.mark.parametrize(
    ("written", "hour"),
    [("12:05 AM", 0), ("12:05 PM", 12), ("오전 12:05", 0), ("오후 12:05", 12), ("오후 14:05", 14), ("11:05 am", 11)],
)
def test_noon_and_midnight_are_told_apart(written: str, hour: int) -> None:
    assert moment_of(f"2025-03-01 {written}") == datetime(2025, 3, 1, hour, 5, tzinfo=UTC)


def test_fractions_are_kept_to_the_microsecond() -> None:
    assert moment_of("1740837933.123456").microsecond == 123456
    assert moment_of("1740837933123").microsecond == 123000
    assert moment_of("2025-3-1 14:05:33.5").microsecond == 500000


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("3/1/2025 14:05", "could be two days"),
        ("01.03.2025", "could be two days"),
        ("45717.58719", "is a spreadsheet's count of days"),
        ("45717", "is a spreadsheet's count of days"),
        ("1.74084E+12", "was rounded"),
        ("1.7E+9", "was rounded"),
        ("0", "is no date"),
        ("1e99", "is no date"),
        ("-1740837933", "is no date"),
        ("01/02/25", "is no date"),
        ("25-03-01", "is no date"),
        ("2025", "is no date"),
        ("14:05", "is no date"),
        ("yesterday", "is no date"),
        ("True", "is no date"),
        ("2025-02-30", "is no day of the calendar"),
        ("2025-13-01 10:00", "is no day of the calendar"),
        ("1 Mär 2025", "is no date"),
        ("2025-03-01 25:00", "has no such time of day"),
        ("2025-03-01 14:05:60", "has no such time of day"),
        ("2025-03-01 14:05 AM", "has no such hour"),
        ("2025-03-01 0:05 PM", "has no such hour"),
        ("2025-03-01 오후 2:05 PM", "has no such hour"),
        ("2025-03-01+09:00", "is no date"),
        ("2025-03-01-14", "is no date"),
        ("20250301+0900", "is no date"),
        ("2025-03-01 14:05:33 (PST)", "has a zone that is not known here"),
        ("2025-03-01T14:05:33[America/New_York]", "has a zone that is not known here"),
        ("2025-03-01 02:05:33 (PM)", "has a zone that is not known here"),
        ("2025-03-01 23:05:33 +0900 UTC", "has two zones that differ"),
        ("2025-03-01 14:05:33 UTC (KST)", "has two zones that differ"),
        ("2025-03-01 14:05 CST", "has a zone that is not known here"),
        ("2025-03-01 14:05 GMT+15", "has a zone that is not known here"),
        ("1969-12-31T23:59:59Z", "lies outside of the calendar"),
        ("9999-12-31T00:00:00Z", "lies outside of the calendar"),
        ("0001-01-01T00:00:00+14:00", "lies outside of the calendar"),
    ],
)
def test_what_could_be_several_instants_or_none_says_why_and_what_is_accepted(written: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        moment_of(written)
    assert str(caught.value).endswith(ACCEPTED)


@settings(max_examples=50)
@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 - as it wants them
    st.integers(-14, 14),
)
def test_any_moment_comes_back_from_every_exact_way_of_writing_it(moment: datetime, hours: int) -> None:
    micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    local = (moment + timedelta(hours=hours)).replace(tzinfo=None)
    for written in (
        moment.isoformat(),
        f"{local} {hours:+03d}00",
        f"{micros // 10**6}.{micros % 10**6:06d}",
        str(micros),
    ):
        assert moment_of(written) == moment, written


@settings(max_examples=50)
@given(st.text("0123456789-+:./ TZ년월일오후시APMKSmar\0", max_size=30))
def test_any_other_text_is_refused_in_our_words(written: str) -> None:
    with suppress(ValueError):
        assert moment_of(written).tzinfo is UTC
        return
    with pytest.raises(ValueError, match=re.escape(ACCEPTED)):
        moment_of(written)
