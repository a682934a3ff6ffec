"""The reader: makes the rows in memory say what S3 holds, from month files, listings and records."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

import structlog
from ulid import ULID

from core.errors import NotFound, StorageError
from core.objects.objects import ObjectStore
from core.record_index.month_file import MonthFile, R, day_of
from core.record_index.month_store import EPOCH, OVERLAP, MonthStore
from core.record_index.rows import Rows
from core.record_index.source import RecordSource

_log = structlog.get_logger(__name__)
_DAYS_AT_ONCE: Final = 8  # of a whole month
T = TypeVar("T")


class RecordReader(Generic[T, R]):
    """Reads into `rows`; the threads that ask S3 side by side come with each call.

    Every method that reads S3 raises StorageDenied or StorageUnavailable. `beat` is called whenever a long piece of
    work has got on.
    """

    def __init__(
        self,
        store: ObjectStore,
        source: RecordSource[T, R],
        *,
        beat: Callable[[], None],
        observe: Callable[[str, R | None], None],
    ) -> None:
        """`observe` as in Rows."""
        self.rows: Rows[R] = Rows(observe)
        self._source = source
        self._listing = source.listing
        self._months = MonthStore(store, source.months_root, source.month_format)
        self._beat = beat
        self._left_out: dict[str, str] = {}  # records that make no sense, with their etags
        self._loaded = False
        self._loading = threading.Lock()

    @property
    def is_loaded(self) -> bool:
        """Whether the month files have been taken up."""
        return self._loaded

    def load(self, pool: Executor) -> None:
        """Take up the month files, once; whatever they do not speak of is left to be read."""
        with self._loading:
            if self._loaded:
                return
            months = self._listing.months(pool)
            self._take_up(months, pool)
            newest = max(months, default="")
            since = {month: self._months.open_since(month, is_newest=month == newest) for month in months}
            lacking = {month: first for month, first in since.items() if first is not None}
            for first, days in zip(lacking.values(), pool.map(self._listing.days, lacking), strict=True):
                self.rows.leave_unread(day for day in days if day >= first)
            self._loaded = True

    def take_up_changes(self, pool: Executor) -> None:
        """Know what other servers have put into month files."""
        self._take_up(None, pool)

    def look(self, pool: Executor) -> None:
        """Learn what has been written lately, by whomever: one listing of the last hour's records."""
        since = self._look_since()
        day = f"{since:%Y/%m/%d}"
        first = f"{day}/{str(ULID.from_datetime(since))[:10]}"
        known = self.rows.ids(each for each in self.rows.days() if each >= day)
        listed = self._listing.below(self._listing.root, start_after=f"{self._listing.root}{first}")
        self._settle(listed, {one for one in known if f"{day_of(one)}/{one}" >= first}, pool)

    def read_days(self, days: Sequence[str], pool: Executor) -> None:
        """Make these days exactly what S3 lists below them."""
        known = self.rows.ids(days)
        listings = pool.map(lambda day: self._listing.below(f"{self._listing.root}{day}/"), days)
        self._settle({one: etag for listing in listings for one, etag in listing.items()}, known, pool)
        self.rows.mark_read(days)
        self._beat()

    def read_everything(self, pool: Executor, rest: Callable[[float], object]) -> None:
        """Compare every day with its listing, newest first, and write the month files that lack something.

        Behind every few days `rest` gets the seconds that these took.
        """
        months = self._listing.months(pool)
        self._take_up(months, pool)
        for month in sorted(months | {day[:7] for day in self.rows.days()}, reverse=True):
            listed_at = datetime.now(UTC)
            days = sorted(self.rows.days(month).union(self._listing.days(month)), reverse=True)
            for at in range(0, len(days), _DAYS_AT_ONCE):
                started = time.monotonic()
                self.read_days(days[at : at + _DAYS_AT_ONCE], pool)
                rest(time.monotonic() - started)
            self._months.write(month, MonthFile(listed_at, self.rows.of_month(month)))

    def records(self, ids: Iterable[str], pool: Executor) -> list[T]:
        """These records as S3 holds them now, in the same order; those that are gone or broken are left out."""
        found = []
        for record_id, known in pool.map(self._record, ids):
            if known is None:
                self.rows.forget(record_id)
            else:
                self.add(known[1])
                found.append(known[0])
        return found

    def add(self, row: R) -> None:
        """Know the row of a record that S3 has just taken, or given."""
        if self._loaded:
            self.rows.put(row)

    def _look_since(self) -> datetime:
        """Neither a wrong clock here nor one elsewhere may hide what is new; unread days need no look."""
        newest, unread, seen = self.rows.newest, self.rows.unread, self._months.newest
        moments = [datetime.now(UTC)]
        if newest and day_of(newest) >= max(unread, default=""):
            moments.append(ULID.from_str(newest).datetime)
        if seen and seen.etags and not unread:
            moments.append(seen.listed_at)
        return max(min(moments) - OVERLAP, EPOCH)

    def _take_up(self, months: set[str] | None, pool: Executor) -> None:
        """Read the month files that are new or changed; those of months that S3 does not hold are passed over."""
        changed = self._months.changed()
        if not changed:
            return
        wanted = [month for month in changed if month in (self._listing.months(pool) if months is None else months)]
        for month, (etag, file) in zip(wanted, pool.map(self._months.read, wanted), strict=True):
            self.rows.take_up(row for row in file.rows if day_of(row.id).startswith(month))
            self._months.remember(month, etag, file)

    def _settle(self, listed: Mapping[str, str], known: set[str], pool: Executor) -> None:
        """Read what is listed and not known as such; forget what was known before and is not listed."""
        wanted = [one for one, etag in listed.items() if not self._is_known(one, etag)]
        for record_id, found in pool.map(self._record, wanted):
            if found is not None:
                self.add(found[1])
            elif record_id in known:
                self.rows.forget(record_id)
        for record_id in known - listed.keys():
            self.rows.forget(record_id)

    def _is_known(self, record_id: str, etag: str) -> bool:
        return self.rows.has(record_id, etag) or self._left_out.get(record_id) == etag

    def _record(self, record_id: str) -> tuple[str, tuple[T, R] | None]:
        """One record and its row, or None when it is gone or makes no sense, which is logged once."""
        self._beat()
        try:
            fetched = self._source.fetch(record_id)
        except NotFound:
            return record_id, None
        try:
            record = fetched.read()
        except StorageError as err:
            if self._left_out.get(record_id) != fetched.etag:
                _log.warning("record_left_out", index=self._source.name, record=record_id, error=err.message)
            self._left_out[record_id] = fetched.etag
            return record_id, None
        return record_id, (record, self._source.row(record, fetched.etag))
