"""The parallel lister: walks the ranges of a listing with a worker pool, and cuts long ones as workers become idle."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import pyarrow as pa

from core.errors import StorageUnavailable
from core.references.listing.key_range import Cut, Range, alphabet_behind, ranges_between, shared_start
from core.references.listing.list_page import (
    ListPage,
    ListPageSource,
    are_ascending,
    read_list_page,
    rows_of,
    rows_up_to,
)
from core.references.listing.worker_pool import Task, WorkerPool

LEVELS: Final = 8  # to be looked at for folders
PAGES_BETWEEN_LOOKS: Final = 3
WORTH_CUTTING_KEYS: Final = 2000
EMPTY_PAGES: Final = 200  # in a row: S3 may give some while it skips what was deleted, but not for ever
WEIGHT_PER_LEVEL: Final = 8.0  # how many folders a folder is taken to hold, while nobody knows
PAGES_READ_TOGETHER: Final = 8
FOR_EVER: Final = "S3 repeats the same part of its listing for ever."


class NotInOrder(Exception):
    """This server does not list by the order of keys, or not from where it was asked to."""


class ParallelLister:
    """Gives walks and looks to the worker pool and reads the pages they return, all in one thread.

    More readers would only fight over the interpreter, and with whoever else is running in it.
    """

    def __init__(
        self,
        source: ListPageSource,
        prefix: str,
        worker_pool: WorkerPool,
        hints: Sequence[str],
        progress: Callable[[int], None],
    ) -> None:
        self._source = source
        self._prefix = prefix
        self._worker_pool = worker_pool
        self._progress = progress
        self._waiting = deque(ranges_between(hints))
        self._walking: list[Range] = []
        self._unread: list[tuple[ListPage, str | None]] = []  # and the ends of their ranges
        self._listed: list[pa.RecordBatch] = []
        self._count = 0

    def run(self) -> list[pa.RecordBatch]:
        """The rows of all ranges, in no order."""
        while self._waiting or self._walking:
            self._give_work()
            task, at, page = self._worker_pool.next_result()
            if isinstance(page, BaseException):
                raise page
            if task is Task.WALK:
                self._end_walk(at, page)
            else:
                self._end_look(at, page)
        self._read()
        return self._listed

    def _give_work(self) -> None:
        """Work for every free worker: waiting ranges, then parts of long ones, then looks for places to cut."""
        while self._worker_pool.idle > len(self._waiting):
            longest = max((*self._waiting, *self._walking), key=lambda at: at.keys_left, default=None)
            if longest is None or longest.keys_left < WORTH_CUTTING_KEYS:
                break
            self._waiting.append(longest.cut())
        while self._waiting and self._worker_pool.has_room:
            following = self._waiting.popleft()
            self._walking.append(following)
            following.may_stay_whole = max(1, following.may_stay_whole)
            self._walk(following)
            if following.at.endswith("/") and self._worker_pool.idle > len(self._waiting):
                self._look(following, (following.at,))
        if self._worker_pool.idle:
            unknown = (at for at in self._walking if at.list_pages >= at.next_look and not at.cuts and not at.looks)
            for at in unknown:
                self._look(at, _levels(self._prefix, at))
                break

    def _walk(self, at: Range) -> None:
        self._send(Task.WALK, at, self._prefix, "" if at.token else at.at, at.token, "")

    def _look(self, at: Range, levels: Iterable[str]) -> None:
        """Ask for the subfolders of these folders, from the last page on."""
        at.next_look = at.list_pages + PAGES_BETWEEN_LOOKS if at.list_pages else 1
        at.weight_seen = 0.0
        for level in levels:
            at.looks += 1
            self._send(Task.LOOK, at, level, at.last_start, "", "/")

    def _send(self, task: Task, at: Range, prefix: str, start_after: str, token: str, delimiter: str) -> None:
        source = self._source

        def fetch() -> ListPage:
            return read_list_page(source.page(prefix, start_after=start_after, token=token, delimiter=delimiter))

        self._worker_pool.submit(task, at, fetch)

    def _end_look(self, at: Range, page: ListPage) -> None:
        at.looks -= 1
        at.offer(Cut(folder, WEIGHT_PER_LEVEL ** -folder.count("/")) for folder in page.folders)
        if at.looks:
            return
        if at.weight_seen:
            at.density = at.last_page / at.weight_seen
        if not at.cuts and at.list_pages and not at.spans_folders:
            at.density = None
            at.offer(Cut(key, 1.0) for key in alphabet_behind(at.last_start, at.at))

    def _end_walk(self, at: Range, page: ListPage) -> None:
        if (page.token and page.token in at.tokens) or at.empty_pages > EMPTY_PAGES:
            raise StorageUnavailable(FOR_EVER)
        if not page.goes_on_from(at.at):
            raise NotInOrder
        at.tokens.add(page.token)
        self._unread.append((page, at.end))
        if len(self._unread) >= PAGES_READ_TOGETHER:
            self._read()
        at.advance(page)
        if page.truncated and (at.end is None or at.at < at.end):
            self._walk(at)
        else:
            self._walking.remove(at)

    def _read(self) -> None:
        """Read the rows of the pages that have come since the last time, up to the ends of their ranges."""
        list_pages, self._unread = self._unread, []
        batches = rows_of([page.unread for page, _end in list_pages])
        if batches and not are_ascending(batches):
            raise NotInOrder
        self._listed += (rows_up_to(rows, end) for rows, (_page, end) in zip(batches, list_pages, strict=True))
        self._count = sum(map(len, self._listed))
        self._progress(self._count)


def _levels(prefix: str, at: Range) -> Iterator[str]:
    """The folders that hold a range's last key and some of what is left, but for the innermost."""
    level = prefix
    if at.end is not None:
        shared = shared_start(at.at, at.end)
        level = max(prefix, shared[: shared.rfind("/") + 1], key=len)
    yield level
    for _ in range(LEVELS - 1):
        slash = at.at.find("/", len(level)) + 1
        if "/" not in at.at[slash:] or not slash:
            return
        level = at.at[:slash]
        yield level
