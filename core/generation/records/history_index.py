"""The history index: a row for each comparison in S3, kept in month files that the records alone can rebuild.

    <app>/generations/2026/11/22/<ulid>/comparison.json   the truth; written once, never changed
    <app>/history/v1/2026-11.jsonl.gz                     the rows of a month: a cache of facts, and no more

A row says what its record says, whoever wrote it: two servers that race for a month file can only lose
coverage, which the next round of listings gives back. A month file says when its month was listed; what
may have come after that is listed again before anybody is told that it is complete.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from ulid import ULID

from core.concurrency.periodic import Periodic
from core.errors import NotFound, StorageError, WriteConflict
from core.generation.records.comparison import Comparison
from core.generation.records.month_file import MONTH_FILE, MonthFile, Row, Saved, day_of
from core.generation.records.record_listing import RecordListing
from core.objects import ObjectStore
from core.references.listing.page import PageSource

_log = structlog.get_logger(__name__)
# How far back of the newest record is listed each time: servers' clocks differ, and a write may be late.
_OVERLAP: Final = timedelta(hours=1)
_FRESH: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WORKERS: Final = 16
_BACKGROUND_WORKERS: Final = 8
_DAYS_AT_ONCE: Final = 32
_LOOK_EVERY_S: Final = 30.0
_ROUND_EVERY_S: Final = 60.0
_BEHIND_ALL: Final = "~"  # sorts behind every day
_GONE: Final = "gone"  # no etag: a condition on it fails, and the next round sees what is there
_RESTING: Final = 2.0
_ROUND_SHARE: Final = 4  # a round of all listings may take a fifth of the time, its pauses included
_MONTH_FILE: Final = re.compile(r"(\d{4})-(\d\d)\.jsonl\.gz")


@dataclass(frozen=True, slots=True)
class Progress:
    """How much is known. `checked` says that every day has been compared with S3's own listing."""

    comparisons: int
    days_left: int
    checked: bool


class HistoryIndex:
    """Every comparison's row, newest first; started, it keeps up with S3 in a thread of its own.

    Every method that reads S3 raises StorageDenied or StorageUnavailable when that does not play along.
    """

    def __init__(self, store: ObjectStore, *, app_prefix: str, pages: PageSource | None = None) -> None:
        """`pages` reads listings of the same bucket faster than the store does."""
        self._store = store
        self._root = f"{app_prefix}generations/"
        self._listing = RecordListing(store, self._root, pages)
        self._files = f"{app_prefix}history/v1/"
        self._lock = threading.Lock()  # for what follows; never held while S3 is asked
        self._days: dict[str, dict[str, Row]] = {}
        self._unread: set[str] = set()  # days whose listing has not been read yet
        self._saved: dict[str, Saved] = {}
        self._left_out: dict[str, str] = {}  # records that make no sense, with their etags
        self._ordered: tuple[Row, ...] | None = None
        self._checked = False
        self._loaded = False
        self._loading = threading.Lock()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="history")
        self._worker_pool = ThreadPoolExecutor(_BACKGROUND_WORKERS, thread_name_prefix="history-round")
        self._stopped = threading.Event()
        self._round_due: float | None = None
        self.loop = Periodic(self._round, name="history-index", every_s=_LOOK_EVERY_S)

    def start(self) -> None:
        """Keep up with S3 in the background from now on."""
        self.loop.start()

    def stop(self) -> None:
        """End the background work and every thread."""
        self._stopped.set()
        self.loop.tell_to_stop()
        for pool in (self._worker_pool, self._pool):
            pool.shutdown(wait=False, cancel_futures=True)
        self.loop.stop()

    @property
    def progress(self) -> Progress:
        """How much is known by now."""
        with self._lock:
            return Progress(sum(map(len, self._days.values())), len(self._unread), self._checked)

    def load(self) -> None:
        """Take up the month files, once; whatever they do not speak of is left to be read."""
        with self._loading:
            if self._loaded:
                return
            months = self._months(self._pool)
            self._take_up_files(months, self._pool)
            lacking = {month: since for month in months if (since := self._is_open_since(month, months)) is not None}
            for month, days in zip(lacking, self._pool.map(self._days_of, lacking), strict=True):
                with self._lock:
                    self._unread.update(day for day in days if day >= lacking[month])
            self._loaded = True

    def look(self) -> None:
        """Learn what has been written lately, by whomever: one listing of the last hour's records."""
        self.load()
        with self._lock:
            saved = self._saved.get(max(self._saved, default=""))
            newest_day = max((day for day, rows in self._days.items() if rows), default=None)
            newest = max(self._days[newest_day]) if newest_day else None
            # Neither a wrong clock here nor one elsewhere may hide what is new; days that are still to be read
            # need no look.
            moments = [datetime.now(UTC)]
            if newest_day and newest and newest_day >= max(self._unread, default=""):
                moments.append(ULID.from_str(newest).datetime)
            if saved and saved.etags and not self._unread:
                moments.append(saved.listed_at)
            since = max(min(moments) - _OVERLAP, _EPOCH)
            first = f"{since:%Y/%m/%d}/{str(ULID.from_datetime(since))[:10]}"
            known = {row.id for day in self._days if day >= first[:10] for row in self._days[day].values()}
        listed = self._listing.below(self._root, start_after=f"{self._root}{first}")
        self._settle(listed, {one for one in known if one >= first[11:]}, self._pool)

    def rows(self) -> Iterator[Row]:
        """All rows, newest first.

        Days that have not been read yet are read on the way, unless that is being done in the background.
        """
        self.load()
        with self._lock:
            unread = sorted(self._unread, reverse=True)
        at_once = 1
        above = _BEHIND_ALL
        while unread and not self.loop.is_started:
            chunk, unread = unread[:at_once], unread[at_once:]
            self._read(chunk, self._pool)
            yield from self._between(chunk[-1], above)
            above, at_once = chunk[-1], min(2 * at_once, _DAYS_AT_ONCE)
        yield from self._between("", above)

    def records(self, ids: Iterable[str]) -> list[Comparison]:
        """These records as S3 holds them now, in the same order; those that are gone or broken are left out."""
        found = []
        for comparison_id, record in self._pool.map(self._record, ids):
            if record is None:
                self._forget(comparison_id)
            else:
                comparison, etag = record
                self.add(comparison, etag)
                found.append(comparison)
        return found

    def add(self, comparison: Comparison, etag: str) -> None:
        """Know a record that S3 has just taken, or given."""
        row = Row.of(comparison, etag)
        day = day_of(row.id)
        with self._lock:
            if self._loaded and self._days.get(day, {}).get(row.id) != row:
                self._days.setdefault(day, {})[row.id] = row
                self._ordered = None

    def catch_up(self, *, resting: float = 0.0) -> None:
        """Compare every day with its listing, newest first, and write the month files that lack something.

        `resting` is how much longer than the work the pauses last, once all is known: nobody waits for it then.
        """
        self.load()
        months = self._months(self._worker_pool)
        self._take_up_files(months, self._worker_pool)
        with self._lock:
            months |= {day[:7] for day in (*self._days, *self._unread)}
        for month in sorted(months, reverse=True):
            listed_at = datetime.now(UTC)
            with self._lock:
                known = {day for day in (*self._days, *self._unread) if day.startswith(month)}
            days = sorted(known.union(self._days_of(month)), reverse=True)
            for at in range(0, len(days), _BACKGROUND_WORKERS):
                started = time.monotonic()
                self._read(days[at : at + _BACKGROUND_WORKERS], self._worker_pool)
                if not self.progress.days_left:
                    self._stopped.wait(min(resting * (time.monotonic() - started), _LOOK_EVERY_S))
            self._save(month, listed_at)
        self._checked = True

    def _round(self) -> None:
        """A look at what is new or, when that is due, a comparison with all listings."""
        self.load()
        started = time.monotonic()
        if self._round_due is None:  # with everything known, those who open pages now go first
            self._round_due = started if self.progress.days_left else started + _LOOK_EVERY_S
        if started < self._round_due:
            self._take_up_files(None, self._worker_pool)
            self.look()
            return
        self.catch_up(resting=_RESTING)
        spent_s = time.monotonic() - started
        self._round_due = time.monotonic() + max(_ROUND_EVERY_S, _ROUND_SHARE * spent_s)
        _log.info("history_read", comparisons=self.progress.comparisons, seconds=round(spent_s, 3))

    def _months(self, pool: ThreadPoolExecutor) -> set[str]:
        """The months, like `2026/11`, below which anything lies."""
        years = [year for year in self._store.folders(self._root) if re.fullmatch(r"\d{4}", year)]
        below = pool.map(lambda year: list(self._store.folders(f"{self._root}{year}/")), years)
        return {
            f"{year}/{month}"
            for year, months in zip(years, below, strict=True)
            for month in months
            if re.fullmatch(r"\d\d", month)
        }

    def _days_of(self, month: str) -> list[str]:
        days = self._store.folders(f"{self._root}{month}/")
        return [f"{month}/{day}" for day in days if re.fullmatch(r"\d\d", day)]

    def _take_up_files(self, months: set[str] | None, pool: ThreadPoolExecutor) -> None:
        """Read the month files that are new or changed; those of months that S3 does not hold are passed over."""
        there: dict[str, str] = {}
        for stored in self._store.list(self._files):
            if match := _MONTH_FILE.fullmatch(stored.key.removeprefix(self._files)):
                there[f"{match[1]}/{match[2]}"] = stored.etag
        with self._lock:
            self._saved = {month: saved for month, saved in self._saved.items() if month in there}
            changed = [month for month in there if month not in self._saved or self._saved[month].etag != there[month]]
        if not changed:
            return
        wanted = [month for month in changed if month in (self._months(pool) if months is None else months)]
        files = pool.map(self._file, map(self._key_of, wanted))
        for month, (etag, file) in zip(wanted, files, strict=True):
            mine = [row for row in file.rows if day_of(row.id).startswith(month)]
            with self._lock:
                self._saved[month] = file.saved_as(etag)
                for row in mine:
                    self._days.setdefault(day_of(row.id), {}).setdefault(row.id, row)
                self._ordered = None

    def _file(self, key: str) -> tuple[str, MonthFile]:
        """A month file and its etag; one that makes no sense is taken for an empty one, to be replaced."""
        nothing = MonthFile(_EPOCH, ())
        try:
            etag, file = MONTH_FILE.read(self._store, key)
        except NotFound:
            return _GONE, nothing
        return etag, file or nothing

    def _is_open_since(self, month: str, months: set[str]) -> str | None:
        """The first day of a month that its file may not know completely; None if it knows them all.

        If the newest month was listed a moment ago its last days need no reading: `look` lists what came after.
        """
        saved = self._saved.get(month)
        if saved is None:
            return month
        since = saved.listed_at - _OVERLAP
        day = f"{since:%Y/%m/%d}"
        is_fresh = month == max(months) and datetime.now(UTC) - saved.listed_at < _FRESH
        if day[:7] > month or is_fresh:
            return None
        return max(day, month)

    def _read(self, days: Sequence[str], pool: ThreadPoolExecutor) -> None:
        """Make these days exactly what S3 lists below them."""
        with self._lock:
            known = {one for day in days for one in self._days.get(day, {})}
        listings = pool.map(lambda day: self._listing.below(f"{self._root}{day}/"), days)
        self._settle({one: etag for listing in listings for one, etag in listing.items()}, known, pool)
        with self._lock:
            self._unread.difference_update(days)
        self.loop.beat()

    def _settle(self, listed: dict[str, str], known: set[str], pool: ThreadPoolExecutor) -> None:
        """Read what is listed and not known as such; forget what was known before and is not listed."""
        with self._lock:
            wanted = [one for one, etag in listed.items() if not self._is_known(one, etag)]
        for comparison_id, record in pool.map(self._record, wanted):
            if record is not None:
                self.add(*record)
            elif comparison_id in known:
                self._forget(comparison_id)
        for comparison_id in known - listed.keys():
            self._forget(comparison_id)

    def _is_known(self, comparison_id: str, etag: str) -> bool:
        row = self._days.get(day_of(comparison_id), {}).get(comparison_id)
        return (row is not None and row.etag == etag) or self._left_out.get(comparison_id) == etag

    def _forget(self, comparison_id: str) -> None:
        with self._lock:
            if self._days.get(day_of(comparison_id), {}).pop(comparison_id, None) is not None:
                self._ordered = None

    def _record(self, comparison_id: str) -> tuple[str, tuple[Comparison, str] | None]:
        """One record and its etag, or None when it is gone or makes no sense, which is logged once."""
        self.loop.beat()
        try:
            blob = self._store.get(f"{self._root}{day_of(comparison_id)}/{comparison_id}/comparison.json")
        except NotFound:
            return comparison_id, None
        try:
            comparison = _comparison_in(blob.data, comparison_id)
        except StorageError as err:
            if self._left_out.get(comparison_id) != blob.etag:
                _log.warning("record_left_out", comparison=comparison_id, error=err.message)
            self._left_out[comparison_id] = blob.etag
            return comparison_id, None
        return comparison_id, (comparison, blob.etag)

    def _save(self, month: str, listed_at: datetime) -> None:
        """Write a month's file, unless it would say nothing new; a lost race is made up for in the next round."""
        with self._lock:
            rows = [row for day in self._days if day.startswith(month) for row in self._days[day].values()]
            saved = self._saved.get(month)
        file = MonthFile(listed_at, tuple(sorted(rows, key=lambda row: row.id)))
        if saved is None and not rows:
            return
        if saved is not None and saved.etags == file.saved_as("").etags:
            was_over, is_over = (f"{at - _OVERLAP:%Y/%m}" > month for at in (saved.listed_at, listed_at))
            if was_over or not is_over:
                return
        try:
            etag = MONTH_FILE.write(self._store, self._key_of(month), file, replacing=saved.etag if saved else None)
        except WriteConflict:  # made up for in the next round
            return
        if etag is not None:
            with self._lock:
                self._saved[month] = file.saved_as(etag)

    def _key_of(self, month: str) -> str:
        return f"{self._files}{month.replace('/', '-')}.jsonl.gz"

    def _between(self, first_day: str, above: str) -> Iterator[Row]:
        """The rows of days from the first one up to, and without, the one above."""
        with self._lock:
            if self._ordered is None:
                days = sorted(self._days, reverse=True)
                self._ordered = tuple(row for day in days for row in _newest_first(self._days[day]))
            ordered = self._ordered
        if not first_day and above == _BEHIND_ALL:
            return iter(ordered)
        return (row for row in ordered if first_day <= day_of(row.id) < above)


def _comparison_in(data: bytes, comparison_id: str) -> Comparison:
    comparison = Comparison.from_json(data)
    if comparison.id != comparison_id:
        raise StorageError(f"This record cannot be read: it says that it is `{comparison.id}`.")
    return comparison


def _newest_first(rows: dict[str, Row]) -> list[Row]:
    return [rows[comparison_id] for comparison_id in sorted(rows, reverse=True)]
