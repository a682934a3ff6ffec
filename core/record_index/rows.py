"""Rows: what this process knows of every record, in memory, for any number of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic

from core.concurrency.garbage import without_rounds
from core.record_index.month_file import R, day_of

BEHIND_ALL = "~"  # sorts behind every day


class Rows(Generic[R]):
    """Rows by day and id: `{"2026/11/22": {ulid: row}}`. The one lock is never held while S3 is asked.

    `observe` is told each id whose row is new, another or gone (None), in the order of the changes and one at a time.
    """

    def __init__(self, observe: Callable[[str, R | None], None] = lambda _id, _row: None) -> None:
        self._observe = observe
        self._lock = threading.Lock()
        self._days: dict[str, dict[str, R]] = {}
        self._unread: set[str] = set()  # days whose listing has not been read yet
        self._ordered: tuple[R, ...] | None = None  # all rows, newest first; None once something has changed

    @property
    def count(self) -> int:
        """How many rows there are."""
        with self._lock:
            return sum(map(len, self._days.values()))

    @property
    def unread(self) -> list[str]:
        """The days that are still to be read, newest first."""
        with self._lock:
            return sorted(self._unread, reverse=True)

    @property
    def newest(self) -> str | None:
        """The id of the newest record; None without any."""
        with self._lock:
            day = max((day for day, rows in self._days.items() if rows), default=None)
            return max(self._days[day]) if day else None

    def days(self, month: str = "") -> set[str]:
        """The days of a month, or all, of which anything is known or still to be read."""
        with self._lock:
            return {day for day in (*self._days, *self._unread) if day.startswith(month)}

    def ids(self, days: Iterable[str]) -> set[str]:
        """The records known of these days."""
        with self._lock:
            return {one for day in days for one in self._days.get(day, ())}

    def of_month(self, month: str) -> tuple[R, ...]:
        """The rows of a month by id."""
        with self._lock:
            rows = [row for day in self._days if day.startswith(month) for row in self._days[day].values()]
        return tuple(sorted(rows, key=lambda row: row.id))

    def has(self, record_id: str, etag: str) -> bool:
        """Whether this very record is known."""
        row = self._days.get(day_of(record_id), {}).get(record_id)
        return row is not None and row.etag == etag

    def put(self, row: R) -> None:
        """Know a row, in place of what was known of its record."""
        with self._lock:
            rows = self._days.setdefault(day_of(row.id), {})
            if rows.get(row.id) != row:
                rows[row.id] = row
                self._ordered = None
                self._observe(row.id, row)

    def take_up(self, rows: Iterable[R]) -> None:
        """Know these rows where nothing is known of their records."""
        with self._lock, without_rounds():
            for row in rows:
                known = self._days.setdefault(day_of(row.id), {})
                if row.id not in known:
                    known[row.id] = row
                    self._observe(row.id, row)
            self._ordered = None

    def forget(self, record_id: str) -> None:
        """Know nothing of a record any more."""
        with self._lock:
            if self._days.get(day_of(record_id), {}).pop(record_id, None) is not None:
                self._ordered = None
                self._observe(record_id, None)

    def leave_unread(self, days: Iterable[str]) -> None:
        """These days are still to be read."""
        with self._lock:
            self._unread.update(days)

    def mark_read(self, days: Iterable[str]) -> None:
        """These days are as S3 lists them."""
        with self._lock:
            self._unread.difference_update(days)

    def between(self, first_day: str = "", above: str = BEHIND_ALL) -> Iterator[R]:
        """The rows of days from the first one up to, and without, the one above; newest first."""
        with self._lock:
            if self._ordered is None:
                days = [self._days[day] for day in sorted(self._days, reverse=True)]
                self._ordered = tuple(rows[one] for rows in days for one in sorted(rows, reverse=True))
            ordered = self._ordered
        if not first_day and above == BEHIND_ALL:
            return iter(ordered)
        return (row for row in ordered if first_day <= day_of(row.id) < above)
