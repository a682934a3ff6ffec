"""Lists every key under a prefix with many requests at once, in exactly the order and number of one walk.

The key space is cut into half-open ranges `(start, end]`, each walked page by page. Where to cut is only
ever a guess, from folders that S3 names, from the keys of the last listing, or from the alphabet: a bad
guess costs a request and never a row, because a range ends by comparing keys. Ranges that turn out long
are cut again as soon as a worker is free. A parallel listing is no snapshot of one moment, and one range
that fails fails it as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pyarrow as pa

from core.errors import StorageUnavailable
from core.objects.objects import StoredObject
from core.references.listing.key_range import SEQUENTIAL_PAGES
from core.references.listing.list_page import ROWS, ListPageSource, read_list_page
from core.references.listing.parallel_lister import FOR_EVER, NotInOrder, ParallelLister
from core.references.listing.worker_pool import WorkerPool

HINT_KEYS: Final = 960  # a page holds 1000: the range behind a hint may grow a little and stay one request
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Listing:
    """A complete listing in key order (UTF-8 bytes), held in columns; iterating gives rows.

    `rows` is an Arrow table with the schema ROWS.
    """

    rows: pa.Table
    requests: int = 0

    @classmethod
    def of(cls, objects: Iterable[StoredObject]) -> Listing:
        """The same from rows in any order."""
        found = sorted(objects, key=lambda row: row.key)
        columns = {
            "key": [row.key for row in found],
            "etag": [row.etag for row in found],
            "size_bytes": [row.size_bytes for row in found],
            "modified": [row.modified for row in found],
            "archived": [row.is_archived for row in found],
        }
        return cls(pa.table(columns, schema=ROWS))

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def __iter__(self) -> Iterator[StoredObject]:
        for batch in self.rows.to_batches():
            stamps = batch.column("modified").cast(pa.int64()).to_pylist()
            columns = (batch.column(name).to_pylist() for name in ("key", "etag", "size_bytes", "archived"))
            for key, etag, size, archived, stamp in zip(*columns, stamps, strict=True):
                yield StoredObject(key, etag, size, _EPOCH + timedelta(microseconds=stamp), archived)

    @property
    def keys(self) -> list[str]:
        """Every key, in order."""
        keys: list[str] = self.rows.column("key").to_pylist()
        return keys

    def hints(self) -> tuple[str, ...]:
        """Keys at even distances: where the next listing may cut. None when it would take two pages."""
        if len(self) <= SEQUENTIAL_PAGES * 1000:
            return ()
        every = pa.array(range(HINT_KEYS, len(self), HINT_KEYS), pa.int64())
        return tuple(self.rows.column("key").take(every).to_pylist())


def list_all(
    source: ListPageSource,
    prefix: str,
    *,
    workers: int,
    hints: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _listed: None,
) -> Listing:
    """Everything under a prefix, with up to `workers` requests at once.

    `hints` are keys of an earlier listing (`Listing.hints`); however stale, they only affect the speed.
    `progress` hears the number of rows so far, in the caller's thread. Raises the source's own errors,
    and StorageUnavailable for pages that are not S3's or never come to an end.
    """
    worker_pool = WorkerPool(workers)
    try:
        listed = ParallelLister(source, prefix, worker_pool, hints, progress).run()
        batches = sorted((page for page in listed if page.num_rows), key=lambda page: page.column(0)[0].as_py())
        return Listing(pa.Table.from_batches(batches, ROWS), worker_pool.requests)
    except NotInOrder:
        rows = _one_after_another(source, prefix, progress)
        return Listing(rows, worker_pool.requests + len(rows.to_batches()))
    finally:
        worker_pool.shut_down()


def _one_after_another(source: ListPageSource, prefix: str, progress: Callable[[int], None]) -> pa.Table:
    """The plain walk by continuation tokens, sorted afterwards, for servers with an order of their own."""
    batches: list[pa.RecordBatch] = []
    seen: set[str] = set()
    token, count = "", 0
    while True:
        page = read_list_page(source.page(prefix, token=token))
        marks = {page.token} | ({f"key {page.first}"} if len(page) else set())
        if marks & seen:
            raise StorageUnavailable(FOR_EVER)
        seen |= marks - {""}
        batches.append(page.rows)
        progress(count := count + len(page))
        if not page.truncated:
            return pa.Table.from_batches(batches, ROWS).sort_by("key")
        token = page.token
