"""An age that was read, and how ranges come of decades and their parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

OLDEST = 90  # where "over 60" ends
OLDEST_READ = 110
PARTS = {
    "": (0, 9),
    "early": (0, 4), "early to mid": (0, 6), "mid": (4, 6), "middle": (4, 6), "mid to late": (4, 9), "late": (5, 9),
    "초반": (0, 4), "초": (0, 4), "초중반": (0, 6), "중반": (4, 6), "중": (4, 6), "중후반": (4, 9),
    "후반": (5, 9), "후": (5, 9), "말": (7, 9),
}  # fmt: skip


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


def ages_from(low: int, high: int, found: re.Match[str], *, is_loose: bool = False) -> Iterator[AgeMatch]:
    """The range with its ends in order; nothing where nobody is as old."""
    low, high = min(low, high), max(low, high)
    if high <= OLDEST_READ:
        yield AgeMatch(low, high, found.start(), found.end(), is_loose=is_loose)


def part_of_decade(decade: int, part: str | None, found: re.Match[str]) -> Iterator[AgeMatch]:
    """A decade or part of it."""
    first, last = PARTS[part or ""]
    yield from ages_from(start_of(decade, first), decade + last, found)


def start_of(decade: int, first: int) -> int:
    """The age a part of a decade starts at; the teens start at 13."""
    return max(decade + first, 13) if decade == 10 else decade + first
