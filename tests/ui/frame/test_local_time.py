"""Local time: the reader's clock, whatever their browser says it is."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core.ui.frame.local_time import clock, zone_of

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
