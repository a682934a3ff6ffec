"""The record index: every record's row, newest first, and the loop that keeps them as S3 has them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Generic

import structlog

from core.concurrency.periodic import Periodic
from core.objects.objects import ObjectStore
from core.record_index.month_file import R
from core.record_index.reader import RecordReader, T
from core.record_index.rows import BEHIND_ALL
from core.record_index.source import RecordSource

_log = structlog.get_logger(__name__)
_WORKERS: Final = 16
_BACKGROUND_WORKERS: Final = 8
_DAYS_AT_ONCE: Final = 32
_LOOK_EVERY_S: Final = 30.0
_ROUND_EVERY_S: Final = 60.0
_RESTING: Final = 2.0  # how much longer than the work the pauses last, once all is known: nobody waits for it then
_ROUND_SHARE: Final = 4  # a round of all listings may take a fifth of the time, its pauses included


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many records are known.

    `is_loaded` says that the month files have been taken up, `days_left` how many days are still to be read, and
    `checked` that every day has been compared with S3's own listing.
    """

    records: int
    is_loaded: bool
    days_left: int
    checked: bool


class RecordIndex(Generic[T, R]):
    """Hands out rows and records; started, it keeps up with S3 in a thread of its own.

    Every method that reads S3 raises StorageDenied or StorageUnavailable.
    """

    def __init__(
        self,
        store: ObjectStore,
        source: RecordSource[T, R],
        *,
        observe: Callable[[str, R | None], None] = lambda _id, _row: None,
    ) -> None:
        """`observe` as in Rows."""
        self._name = source.name
        self.loop = Periodic(self._round, name=f"{source.name}-index", every_s=_LOOK_EVERY_S)
        self._reader = RecordReader(store, source, beat=self.loop.beat, observe=observe)
        self._rows = self._reader.rows
        self._checked = False
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix=source.name)
        self._round_pool = ThreadPoolExecutor(_BACKGROUND_WORKERS, thread_name_prefix=f"{source.name}-round")
        self._stopped = threading.Event()
        self._round_due: float | None = None

    def start(self) -> None:
        """Keep up with S3 in the background from now on."""
        self.loop.start()

    def stop(self) -> None:
        """End the background work and every thread."""
        self._stopped.set()
        self.loop.tell_to_stop()
        for pool in (self._round_pool, self._pool):
            pool.shutdown(wait=False, cancel_futures=True)
        self.loop.stop()

    @property
    def coverage(self) -> Coverage:
        """How much is known by now."""
        return Coverage(self._rows.count, self._reader.is_loaded, len(self._rows.unread), self._checked)

    def load(self) -> None:
        """Take up the month files, once; whatever they do not speak of is left to be read."""
        self._reader.load(self._pool)

    def look(self) -> None:
        """Learn what has been written lately, by whomever."""
        self.load()
        self._reader.look(self._pool)

    def rows(self) -> Iterator[R]:
        """All rows, newest first.

        Days that have not been read yet are read on the way, unless that is being done in the background.
        """
        self.load()
        unread, at_once, above = self._rows.unread, 1, BEHIND_ALL
        while unread and not self.loop.is_started:
            chunk, unread = unread[:at_once], unread[at_once:]
            self._reader.read_days(chunk, self._pool)
            yield from self._rows.between(chunk[-1], above)
            above, at_once = chunk[-1], min(2 * at_once, _DAYS_AT_ONCE)
        yield from self._rows.between(above=above)

    def records(self, ids: Iterable[str]) -> list[T]:
        """These records as S3 holds them now, in the same order; those that are gone or broken are left out."""
        return self._reader.records(ids, self._pool)

    def add(self, row: R) -> None:
        """Know the row of a record that S3 has just taken."""
        self._reader.add(row)

    def catch_up(self, *, resting: float = 0.0) -> None:
        """Compare everything with S3 and write down what month files lack; `resting` is the pauses' share of it."""
        self.load()

        def rest(worked_s: float) -> None:
            if not self._rows.unread:
                self._stopped.wait(min(resting * worked_s, _LOOK_EVERY_S))

        self._reader.read_everything(self._round_pool, rest)
        self._checked = True

    def _round(self) -> None:
        """A look at what is new or, when that is due, a comparison with all listings."""
        self.load()
        started = time.monotonic()
        if self._round_due is None:  # with everything known, those who open pages now go first
            self._round_due = started if self._rows.unread else started + _LOOK_EVERY_S
        if started < self._round_due:
            self._reader.take_up_changes(self._round_pool)
            self.look()
            return
        self.catch_up(resting=_RESTING)
        spent_s = time.monotonic() - started
        self._round_due = time.monotonic() + max(_ROUND_EVERY_S, _ROUND_SHARE * spent_s)
        _log.info("records_read", index=self._name, records=self._rows.count, seconds=round(spent_s, 3))
