"""The worker pool: threads that fetch the pages of a listing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from core.references.listing.key_range import Range
from core.references.listing.list_page import ListPage

PACE_S: Final = 0.002  # answers that come all at once would stall other threads


class Task(Enum):
    WALK = auto()
    LOOK = auto()


class Result(NamedTuple):
    task: Task
    range: Range
    answer: ListPage | BaseException


class WorkerPool:
    """Threads that fetch pages.

    They are no executor's, because the interpreter waits for those when it ends: a server that is
    stopped would hang for as long as S3 does.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._started = 0
        self._pending = 0
        self._last_start = 0.0
        self._work: SimpleQueue[tuple[Task, Range, Callable[[], ListPage]] | None] = SimpleQueue()
        self._results: SimpleQueue[Result] = SimpleQueue()
        self.requests = 0

    @property
    def idle(self) -> int:
        """How many workers have nothing to do."""
        return max(0, self._workers - self._pending)

    @property
    def has_room(self) -> bool:
        """Whether more may be given: as much again as is being done, so that no worker waits for the reader."""
        return self._pending < 2 * self._workers

    def submit(self, task: Task, at: Range, fetch: Callable[[], ListPage]) -> None:
        """Have this fetched by the next idle worker; returns at once."""
        if self.idle:  # it starts at once: not in one moment with the others
            time.sleep(max(0.0, self._last_start + PACE_S - time.monotonic()))
            self._last_start = time.monotonic()
        self._pending += 1
        self.requests += 1
        if self._started < min(self._pending, self._workers):
            self._started += 1
            threading.Thread(target=self._serve, name=f"list-{self._started}", daemon=True).start()
        self._work.put((task, at, fetch))

    def next_result(self) -> Result:
        """Wait for whatever arrives next."""
        result = self._results.get()
        self._pending -= 1
        return result

    def shut_down(self) -> None:
        """End the threads; pages that are on their way are thrown away when they arrive."""
        with suppress(Empty):
            while True:
                self._work.get_nowait()
        for _ in range(self._started):
            self._work.put(None)

    def _serve(self) -> None:
        while (given := self._work.get()) is not None:
            task, at, fetch = given
            try:
                self._results.put(Result(task, at, fetch()))
            except BaseException as err:  # noqa: BLE001 - raised again in the caller's thread
                self._results.put(Result(task, at, err))
