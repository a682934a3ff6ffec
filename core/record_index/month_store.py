"""The month store: month files in S3, and what this process last saw of each.

    <app>/generations/2026/11/22/<ulid>/comparison.json   the truth, here of the history; written once, never changed
    <app>/history/v1/2026-11.jsonl.gz                     the rows of a month: a cache of facts, and no more

A row says what its record says, whoever wrote it: two servers that race for a month file can only lose coverage,
which the next round of listings gives back. A month file says when its month was listed; what may have come after
that is listed again before anybody is told that it is complete.
"""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, NamedTuple

from core.errors import NotFound, WriteConflict
from core.objects.derived import DerivedFormat
from core.objects.objects import ObjectStore
from core.record_index.month_file import MonthFile, R

# How far back of the newest record is listed each time: servers' clocks differ, and a write may be late.
OVERLAP: Final = timedelta(hours=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FRESH: Final = timedelta(days=1)
_GONE: Final = "gone"  # no etag: a condition on it fails, and the next round sees what is there
_NAME: Final = re.compile(r"(\d{4})-(\d\d)\.jsonl\.gz")


class SeenMonth(NamedTuple):
    """A month file as this process last saw it; broken ones have no rows and were listed never."""

    etag: str
    listed_at: datetime
    etags: dict[str, str]  # of the records, by their ids

    @classmethod
    def of(cls, etag: str, file: MonthFile[R]) -> SeenMonth:
        """What to remember of a file."""
        return cls(etag, file.listed_at, {row.id: row.etag for row in file.rows})

    def is_over(self, month: str) -> bool:
        """Whether nothing could come any more when the month was listed."""
        return f"{self.listed_at - OVERLAP:%Y/%m}" > month


class MonthStore(Generic[R]):
    """Month files by month, like `2026/11`. Methods raise StorageDenied or StorageUnavailable."""

    def __init__(self, store: ObjectStore, root: str, month_format: DerivedFormat[MonthFile[R]]) -> None:
        self._store = store
        self._root = root
        self._format = month_format
        self._lock = threading.Lock()  # for what follows; never held while S3 is asked
        self._seen: dict[str, SeenMonth] = {}

    @property
    def newest(self) -> SeenMonth | None:
        """The file of the newest month."""
        with self._lock:
            return self._seen.get(max(self._seen, default=""))

    def changed(self) -> list[str]:
        """The months whose files are new or changed; those that are gone are forgotten."""
        there: dict[str, str] = {}
        for stored in self._store.list(self._root):
            if match := _NAME.fullmatch(stored.key.removeprefix(self._root)):
                there[f"{match[1]}/{match[2]}"] = stored.etag
        with self._lock:
            self._seen = {month: seen for month, seen in self._seen.items() if month in there}
            return [month for month in there if month not in self._seen or self._seen[month].etag != there[month]]

    def read(self, month: str) -> tuple[str, MonthFile[R]]:
        """A month's etag and file; one that makes no sense is taken for an empty one, to be replaced."""
        nothing: MonthFile[R] = MonthFile(EPOCH, ())
        try:
            etag, file = self._format.read(self._store, self._key_of(month))
        except NotFound:
            return _GONE, nothing
        return etag, file or nothing

    def remember(self, month: str, etag: str, file: MonthFile[R]) -> None:
        """This is what S3 holds, and its rows are known."""
        with self._lock:
            self._seen[month] = SeenMonth.of(etag, file)

    def open_since(self, month: str, *, is_newest: bool) -> str | None:
        """The first day of a month that its file may not know completely; None if it knows them all.

        If the newest month was listed a moment ago its last days need no reading: a look lists what came after.
        """
        seen = self._seen.get(month)
        if seen is None:
            return month
        if seen.is_over(month) or (is_newest and datetime.now(UTC) - seen.listed_at < _FRESH):
            return None
        return max(f"{seen.listed_at - OVERLAP:%Y/%m/%d}", month)

    def write(self, month: str, file: MonthFile[R]) -> None:
        """Write a month's file, unless it would say nothing new; a lost race is made up for in the next round."""
        before, after = self._seen.get(month), SeenMonth.of("", file)
        if before is None and not file.rows:
            return
        if before is not None and before.etags == after.etags and (before.is_over(month) or not after.is_over(month)):
            return
        try:
            etag = self._format.write(self._store, self._key_of(month), file, replacing=before.etag if before else None)
        except WriteConflict:
            return
        if etag is not None:
            self.remember(month, etag, file)

    def _key_of(self, month: str) -> str:
        return f"{self._root}{month.replace('/', '-')}.jsonl.gz"
