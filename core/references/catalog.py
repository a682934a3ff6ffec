"""The catalog: keeps the newest complete index of the library and refreshes it in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from core.concurrency.periodic import Periodic
from core.errors import StorageError, StorageUnavailable
from core.references.archive import Archive
from core.references.drift import Drift
from core.references.index import ReferenceIndex, index_over
from core.references.listing.list_page import ListPageSource
from core.references.listing.listing import list_all
from core.references.table import ReferenceTable
from core.references.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class CatalogStatus:
    """How fresh the served index is. `listed` counts the keys of a refresh under way."""

    ready: bool
    built_at: datetime | None
    refreshing: bool
    listed: int
    error: str | None
    drift: Drift

    @property
    def age_s(self) -> float | None:
        """Seconds since the served index was built."""
        if self.built_at is None:
            return None
        return max(0.0, (datetime.now(UTC) - self.built_at).total_seconds())  # a clock may be set back


class Catalog:
    """Serves one immutable index at a time; a refresh swaps in the next only when it is complete."""

    def __init__(
        self,
        list_pages: ListPageSource,
        vocabulary: Vocabulary,
        *,
        library_prefix: str,
        app_prefix: str,
        refresh_s: float,
        workers: int,
        unreadable: Callable[[], Collection[str]] = tuple,
        archive: Archive | None = None,
    ) -> None:
        """`unreadable` gives the etags of pictures that S3 says cannot be decoded; asked at each refresh.

        `archive` knows better than a listing which pictures have to be restored first.
        """
        self._list_pages = list_pages
        self._vocabulary = vocabulary
        self._library_prefix = library_prefix
        self._app_prefix = app_prefix
        self._workers = workers
        self._unreadable = unreadable
        self._archive = archive
        self._hints: tuple[str, ...] = ()
        self._index: ReferenceIndex | None = None
        self._drift = Drift()
        self._error: StorageError | None = None
        self._listed = 0
        self._refreshing = threading.Lock()
        self._swapping = threading.Lock()
        self._answered = threading.Event()  # there is a first index, or an error instead of it
        self.loop = Periodic(self._round, name="index-refresh", every_s=refresh_s, crashed=self._crashed)

    def start(self) -> None:
        """Refresh now and then every `refresh_s` seconds, in a thread of its own."""
        self.loop.start()

    def stop(self) -> None:
        """End the background refresh; the last index keeps serving."""
        self.loop.stop()
        self._answered.set()

    def request_refresh(self) -> None:
        """Ask the background thread for a refresh; returns at once."""
        self.loop.wake()

    def refresh(self) -> ReferenceIndex:
        """Build the next generation now and serve it. A second caller waits for the first one's result.

        Raises StorageError and leaves the served generation as it was.
        """
        before = self._index
        with self._refreshing:
            if self._index is not None and self._index is not before:
                return self._index
            started = time.monotonic()
            self._listed = 0
            try:
                listing = list_all(
                    self._list_pages,
                    self._library_prefix,
                    workers=self._workers,
                    hints=self._hints,
                    progress=self._count,
                )
                unreadable = self._unreadable()
            except StorageError as err:
                self._failed(err)
                raise
            table = ReferenceTable.of(
                listing,
                self._vocabulary,
                library_prefix=self._library_prefix,
                without_prefix=self._app_prefix,
                unreadable=unreadable,
            )
            if self._archive is not None:
                table = self._archive.corrected(table)
            self._hints = listing.hints()
            following = self._next(table, seconds=time.monotonic() - started)
            following.warm()
            with self._swapping:
                self._index = following
            self._error = None
            self._answered.set()
            return self._index

    def leave_out(self, etags: Collection[str]) -> None:
        """Serve at once what the next listing would find: pictures with these etags cannot be decoded.

        A listing under way may not know it yet, and would serve them again until the next one.
        """
        with self._swapping:
            served = self._index
            if served is not None and not served.table.unreadable.issuperset(etags):
                self._index = served.leaving_out(etags)

    def leave_out_archived(self, key: str) -> None:
        """Serve at once what somebody has found who wanted to read it: this picture has to be restored first."""
        if self._archive is not None:
            self._archive.meet(key)
        with self._swapping:
            if self._index is not None and self._index.get(key) is not None:
                self._index = self._index.with_archived(key)

    def wait(self, patience_s: float) -> bool:
        """Wait for the first index, or for an error instead of it, and return whether there is an index."""
        self._answered.wait(patience_s)
        return self._index is not None

    @property
    def index(self) -> ReferenceIndex:
        """The newest complete generation. Raises the refresh's own StorageError if there is none yet."""
        if self._index is not None:
            return self._index
        if self._error is not None:
            raise self._error
        raise StorageUnavailable("The reference library is still being listed: one moment.")

    @property
    def status(self) -> CatalogStatus:
        """What the screens say about freshness."""
        return CatalogStatus(
            ready=self._index is not None,
            built_at=self._index.built_at if self._index is not None else None,
            refreshing=self._refreshing.locked(),
            listed=self._listed,
            error=self._error.message if self._error else None,
            drift=self._drift,
        )

    def _next(self, table: ReferenceTable, *, seconds: float) -> ReferenceIndex:
        """The generation to serve from now on; where nothing has changed, what was worked out already stays."""
        served = self._index
        if served is not None:
            drift = served.drift_of(table)
            if drift.is_empty and table.is_like(served.table):
                return served.seen_again(seconds=seconds)
            if not drift.is_empty:
                self._drift = drift
        return index_over(table, self._vocabulary, seconds=seconds)

    def _count(self, keys: int) -> None:
        self._listed = keys
        self.loop.beat()

    def _round(self) -> None:
        self.refresh()

    def _crashed(self, incident: str) -> None:
        self._failed(StorageUnavailable("The listing stopped unexpectedly: report incident {}.", incident))

    def _failed(self, err: StorageError) -> None:
        self._error = err
        self._answered.set()
