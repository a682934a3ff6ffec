"""Local time: when something was, by the clock of who reads it."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st


def reader_zone() -> tzinfo:
    """The zone the reader's browser is in, UTC where that cannot be known."""
    return zone_of(st.context.timezone)


def zone_of(name: str | None) -> tzinfo:
    """A zone by the name that browsers give it; UTC for what is none: who sends a name can send any."""
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        return UTC


def day_began(zone: tzinfo, *, now: datetime | None = None) -> datetime:
    """When the day began that it is in this zone: at midnight, or at its first moment where a clock skips that."""
    here = (now or datetime.now(UTC)).astimezone(zone)
    return here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def clock(time: datetime, zone: tzinfo, *, now: datetime | None = None, to_the_second: bool = False) -> str:
    """`15:42 KST` today, `Nov 28, 15:42 KST` on other days of the year, with the year in front before that."""
    here, today = time.astimezone(zone), (now or datetime.now(UTC)).astimezone(zone)
    at = f"{here:{'%H:%M:%S' if to_the_second else '%H:%M'}} {here.tzname() or 'UTC'}"
    if here.date() == today.date():
        return at
    day = f"{here:%b} {here.day}"
    return f"{day}, {at}" if here.year == today.year else f"{here.year} {day}, {at}"
