"""Ranges of keys: the half-open parts that a listing is cut into, and the places where they may be cut again."""

from __future__ import annotations

import math
import sys
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from os.path import commonprefix
from typing import Final, NamedTuple

from core.references.listing.list_page import ListPage

SEQUENTIAL_PAGES: Final = 2
CUT_POSITIONS: Final = 32  # how far into a file name the alphabet is tried


class Cut(NamedTuple):
    """A key where a range may be cut, and how much is thought to lie behind it."""

    key: str
    weight: float


@dataclass(slots=True, eq=False)
class Range:
    """The keys behind `at` up to and including `end` (None: all that are left), walked page by page."""

    at: str
    end: str | None
    may_stay_whole: int = 1  # pages that show that it is long enough to be cut
    cuts: list[Cut] = field(default_factory=list)
    density: float | None = None  # keys for a weight of one, as far as known
    last_page: int = 0  # keys on it
    last_start: str = ""  # its first key
    token: str = ""
    tokens: set[str] = field(default_factory=set)
    list_pages: int = 0
    empty_pages: int = 0  # in a row
    next_look: int = 1  # pages to be walked before looking (again) for places to cut
    looks: int = 0  # still on their way
    weight_seen: float = 0.0  # of the folders that a look found within the last page

    def offer(self, folders: Iterable[Cut]) -> None:
        """Take up places to cut, and learn from those within the last page how much lies behind one."""
        known = {cut.key for cut in self.cuts}
        for cut in folders:
            if self.last_start < cut.key <= self.at:
                self.weight_seen += cut.weight
            elif cut.key not in known and self._has_inside(cut.key) and can_be_asked_for(cut.key):
                known.add(cut.key)
                insort(self.cuts, cut)

    def advance(self, page: ListPage) -> None:
        """The rows of this page are listed; what was cut out of the range by now does not matter."""
        self.list_pages += 1
        self.may_stay_whole = max(0, self.may_stay_whole - 1)
        self.token = page.token
        self.empty_pages = 0 if len(page) else self.empty_pages + 1
        if not len(page):
            return
        self.last_page, self.last_start, self.at = len(page), page.first, page.last
        passed = bisect_right(self.cuts, self.at, key=lambda cut: cut.key)
        if weight := sum(cut.weight for cut in self.cuts[:passed]):
            self.density = self.last_page / weight
        del self.cuts[:passed]

    @property
    def keys_left(self) -> float:
        """A guess at how many keys could be cut off."""
        weight = sum(cut.weight for cut in self.cuts)
        if not weight or self.looks or self.may_stay_whole:
            return 0.0
        return math.inf if self.density is None else weight * self.density

    def cut(self) -> Range:
        """Give away the later half, by weight."""
        sums = list(accumulate(cut.weight for cut in self.cuts))
        where = bisect_left(sums, sums[-1] / 2)
        start = self.cuts[where].key
        later = Range(start, self.end, 0, self.cuts[where + 1 :], self.density)
        self.end, self.cuts = start, self.cuts[:where]
        return later

    @property
    def spans_folders(self) -> bool:
        """Whether the last page reached from one folder into another."""
        return self.last_start[: self.last_start.rfind("/")] != self.at[: self.at.rfind("/")]

    def _has_inside(self, key: str) -> bool:
        return self.at < key and (self.end is None or key < self.end)


def ranges_between(hints: Sequence[str]) -> Iterator[Range]:
    start = ""
    for hint in sorted(set(hints)):
        if hint and can_be_asked_for(hint):
            yield Range(start, hint)
            start = hint
    yield Range(start, None, may_stay_whole=1 if start else SEQUENTIAL_PAGES)


def alphabet_behind(first: str, last: str) -> Iterator[str]:
    """Places to cut what follows in a folder of many files, by the characters of its last known name."""
    folder = last.rfind("/") + 1
    fixed = len(shared_start(first, last))
    for position in range(folder, min(len(last), folder + CUT_POSITIONS)):
        character = last[position]
        varies = position >= fixed or character.isdigit()
        following = _characters_behind(character) if varies else _stepping(character, 1)
        yield from (last[:position] + one for one in following)


def _characters_behind(character: str) -> Iterator[str]:
    """The rest of its class, and the first one behind it; for other scripts growing steps."""
    for class_of in ("09", "AZ", "az"):
        if class_of[0] <= character <= class_of[1]:
            yield from map(chr, range(ord(character) + 1, ord(class_of[1]) + 2))
            return
    yield from _stepping(character, *(4**step for step in range(9)))


def _stepping(character: str, *steps: int) -> Iterator[str]:
    codes = (ord(character) + step for step in steps)
    return (chr(code) for code in codes if code <= sys.maxunicode)


def shared_start(one: str, other: str) -> str:
    return commonprefix((one, other))  # noqa: RUF071 - keys are cut between characters, not at slashes


def can_be_asked_for(key: str) -> bool:
    """Some servers repeat the start in their XML as it is, where control characters are forbidden."""
    return key.isprintable()
