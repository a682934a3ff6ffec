"""Quantities: numbers as people say them."""

from __future__ import annotations

import re
from typing import Final

_BEFORE_UNIT: Final = re.compile(r"(?<=\d) (?=%|s\b|min\b|h\b)")


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """How many there are of something: `1 picture`, `1,200 pictures`, `2 people`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def ordinal(number: int) -> str:
    """A place in a row: `1st`, `2nd`, `13th`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def signed(number: float, decimals: int = 1) -> str:
    """A number with its sign: `+3.9`, `−0.02` with the true minus sign, which no spreadsheet takes for a formula's.

    What is told as nothing is on neither side of it: `0.0`.
    """
    told = round(number, decimals) + 0.0  # -0.0 + 0.0 is 0.0
    return f"{told:{'+' if told else ''}.{decimals}f}".replace("-", "−")


def unbroken(text: str) -> str:
    """The text with every number and its unit on one line."""
    return _BEFORE_UNIT.sub("\u00a0", text)


def year_span(low: int, high: int | None) -> str:
    """Years of age: `30`, or `30–34`."""
    return f"{low}" if low == high else f"{low}–{high}"


def time_span(seconds: float | None) -> str:
    """How long something took or is ago."""
    if seconds is None:
        return "an unknown time"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def file_size(size_bytes: int) -> str:
    """Bytes."""
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    return f"{size_bytes / 1000:.0f} kB" if size_bytes < 1_000_000 else f"{size_bytes / 1e6:.1f} MB"
