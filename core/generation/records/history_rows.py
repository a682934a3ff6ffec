"""History rows: what this process knows of every comparison, in memory, for any number of threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from core.generation.records.month_file import Row, day_of

BEHIND_ALL = "~"  # sorts behind every day


class HistoryRows:
    """Rows by day and id: `{"2026/11/22": {ulid: row}}`. The one lock is never held while S3 is asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._days: dict[str, dict[str, Row]] = {}
        self._unread: set[str] = set()  # days whose listing has not been read yet
        self._ordered: tuple[Row, ...] | None = None  # all rows, newest first; None once something has changed

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
        """The id of the newest comparison; None without any."""
        with self._lock:
            day = max((day for day, rows in self._days.items() if rows), default=None)
            return max(self._days[day]) if day else None

    def days(self, month: str = "") -> set[str]:
        """The days of a month, or all, of which anything is known or still to be read."""
        with self._lock:
            return {day for day in (*self._days, *self._unread) if day.startswith(month)}

    def ids(self, days: Iterable[str]) -> set[str]:
        """The comparisons known of these days."""
        with self._lock:
            return {one for day in days for one in self._days.get(day, ())}

    def of_month(self, month: str) -> tuple[Row, ...]:
        """The rows of a month by id."""
        with self._lock:
            rows = [row for day in self._days if day.startswith(month) for row in self._days[day].values()]
        return tuple(sorted(rows, key=lambda row: row.id))

    def has(self, comparison_id: str, etag: str) -> bool:
        """Whether this very record is known."""
        row = self._days.get(day_of(comparison_id), {}).get(comparison_id)
        return row is not None and row.etag == etag

    def put(self, row: Row) -> None:
        """Know a row, in place of what was known of its comparison."""
        with self._lock:
            rows = self._days.setdefault(day_of(row.id), {})
            if rows.get(row.id) != row:
                rows[row.id] = row
                self._ordered = None

    def take_up(self, rows: Iterable[Row]) -> None:
        """Know these rows where nothing is known of their comparisons."""
        with self._lock:
            for row in rows:
                self._days.setdefault(day_of(row.id), {}).setdefault(row.id, row)
            self._ordered = None

    def forget(self, comparison_id: str) -> None:
        """Know nothing of a comparison any more."""
        with self._lock:
            if self._days.get(day_of(comparison_id), {}).pop(comparison_id, None) is not None:
                self._ordered = None

    def leave_unread(self, days: Iterable[str]) -> None:
        """These days are still to be read."""
        with self._lock:
            self._unread.update(days)

    def mark_read(self, days: Iterable[str]) -> None:
        """These days are as S3 lists them."""
        with self._lock:
            self._unread.difference_update(days)

    def between(self, first_day: str = "", above: str = BEHIND_ALL) -> Iterator[Row]:
        """The rows of days from the first one up to, and without, the one above; newest first."""
        with self._lock:
            if self._ordered is None:
                days = [self._days[day] for day in sorted(self._days, reverse=True)]
                self._ordered = tuple(rows[one] for rows in days for one in sorted(rows, reverse=True))
            ordered = self._ordered
        if not first_day and above == BEHIND_ALL:
            return iter(ordered)
        return (row for row in ordered if first_day <= day_of(row.id) < above)
