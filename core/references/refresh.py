"""The catalog: keeps the newest complete index of the library and refreshes it in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.errors import StorageError, StorageUnavailable
from core.objects import ObjectStore, StoredObject
from core.references.attributes import Vocabulary
from core.references.index import Drift, ReferenceIndex, build_index


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
        return (datetime.now(UTC) - self.built_at).total_seconds() if self.built_at else None


class Catalog:
    """Serves one immutable index at a time; a refresh swaps in the next only when it is complete."""

    def __init__(
        self,
        store: ObjectStore,
        vocabulary: Vocabulary,
        *,
        library_prefix: str,
        app_prefix: str,
        refresh_s: float,
    ) -> None:
        self._store = store
        self._vocabulary = vocabulary
        self._library_prefix = library_prefix
        self._app_prefix = app_prefix
        self._refresh_s = refresh_s
        self._index: ReferenceIndex | None = None
        self._drift = Drift()
        self._error: StorageError | None = None
        self._listed = 0
        self._refreshing = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Refresh now and then every `refresh_s` seconds, in a thread of its own."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="index-refresh", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the background refresh; the last index keeps serving."""
        self._stopped.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def request_refresh(self) -> None:
        """Ask the background thread for a refresh; returns at once."""
        self._wake.set()

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
                index = build_index(self._listing(), self._vocabulary)
            except StorageError as err:
                self._error = err
                raise
            index = replace(index, seconds=time.monotonic() - started)
            if self._index is not None:
                drift = index.drift_since(self._index)
                if not drift.is_empty:
                    self._drift = drift
            self._index, self._error = index, None
        return index

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
            built_at=self._index.built_at if self._index else None,
            refreshing=self._refreshing.locked(),
            listed=self._listed,
            error=self._error.message if self._error else None,
            drift=self._drift,
        )

    def _listing(self) -> Iterator[StoredObject]:
        """Every object under the library prefix that is not the app's own."""
        for row in self._store.list(self._library_prefix):
            self._listed += 1
            if not (self._app_prefix and row.key.startswith(self._app_prefix)):
                yield row

    def _run(self) -> None:
        while True:
            self._wake.clear()
            if self._stopped.is_set():  # asked behind the clearing, or a stop between the two would go unheard
                return
            with suppress(StorageError):  # kept in `status`; the next round tries again
                self.refresh()
            self._wake.wait(timeout=self._refresh_s)
