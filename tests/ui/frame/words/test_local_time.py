"""Local time: the reader's clock, whatever their browser says it is."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core.ui.frame.words.local_time import clock, day_began, zone_of

NOON = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "now", "says"),
    [
        ("Asia/Seoul", NOON, "21:05 KST"),
        ("Europe/Berlin", NOON.replace(day=24), "Nov 22, 13:05 CET"),
        ("America/New_York", NOON.replace(year=2027), "2026 Nov 22, 07:05 EST"),
        ("Asia/Seoul", NOON.replace(hour=16), "Nov 22, 21:05 KST"),
        (None, NOON, "12:05 UTC"),
    ],
)
def test_a_time_is_said_by_the_readers_clock(zone: str | None, now: datetime, says: str) -> None:
    assert clock(NOON, zone_of(zone), now=now) == says


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "x" * 5000, "a\0b"])
def test_what_is_no_zone_is_utc(name: str) -> None:
    assert zone_of(name) is UTC


def test_a_zone_is_found_by_its_name() -> None:
    assert zone_of("Asia/Seoul") == ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    ("zone", "now", "began"),
    [
        ("UTC", NOON, NOON.replace(hour=0, minute=0)),
        ("Asia/Seoul", NOON, datetime(2026, 11, 21, 15, tzinfo=UTC)),
        ("Asia/Seoul", NOON.replace(hour=15, minute=0), datetime(2026, 11, 22, 15, tzinfo=UTC)),
        ("America/New_York", NOON.replace(hour=4), datetime(2026, 11, 21, 5, tzinfo=UTC)),
        # the clock skips midnight: the day begins at 01:00
        ("America/Santiago", datetime(2026, 9, 6, 12, tzinfo=UTC), datetime(2026, 9, 6, 4, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_the_readers_midnight(zone: str, now: datetime, began: datetime) -> None:
    assert day_began(zone_of(zone), now=now) == began
