"""The review log: every save in its place, one object each, in an order that all servers agree on.

    <app>/reviews/log/000000000001.json               one save; never written over
    <app>/reviews/segments/v1/000000000001.json.gz    256 saves in one object, to open a long log quickly

A save takes the next number, and only who has read all before it can know that number: whoever comes second finds
it taken, reads what the other saved, and tries the next one, unless that touches what the other decided. A segment
is nothing but its saves, which never change; it may be deleted at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError

from core.errors import StorageUnavailable, StudioError, WriteConflict
from core.labels.decisions.reviews import Event, Reviews, Save
from core.objects.derived import DerivedFormat
from core.objects.objects import ObjectStore

_log = structlog.get_logger(__name__)
SEGMENT: Final = 256
_WORKERS: Final = 16
_ATTEMPTS: Final = 50
_SAVES: Final = TypeAdapter(tuple[Save, ...])
_SEGMENT: Final = DerivedFormat(
    lambda saves: _SAVES.dump_json(saves, exclude_none=True),
    _SAVES.validate_json,
    "segment_unreadable",
    "segment_not_written",
)


class ReviewLog:
    """Reads and appends; for any number of threads.

    By now `number` is that of the newest save, 0 for none, `reviews` are all decisions, and `unreadable` the keys
    that hold no save. Every method that asks S3 raises StorageDenied or StorageUnavailable.
    """

    def __init__(self, store: ObjectStore, *, app_prefix: str) -> None:
        self._store = store
        self._prefix = f"{app_prefix}reviews/log/"
        self._segments = f"{app_prefix}reviews/segments/v1/"
        self._turn = threading.RLock()  # one append or refresh at a time
        self._saves: dict[int, Save] = {}
        self.reviews = Reviews()
        self.number = 0
        self._packed_up_to = 0
        self.unreadable: tuple[str, ...] = ()

    @property
    def saves(self) -> list[Save]:
        """The saves known by now, in their order."""
        with self._turn:
            return [self._saves[number] for number in sorted(self._saves)]

    def touched_since(self, number: int) -> set[str]:
        """The pictures that saves after this number speak of."""
        saves = [self._saves[at] for at in range(number + 1, self.number + 1) if at in self._saves]
        return {event.etag for save in saves for event in save.events}

    def refresh(self) -> None:
        """Learn what others have saved: one listing, and one request for each save that is new."""
        with self._turn:
            if not self.number:
                self._read_segments()
            keys = [row.key for row in self._store.list(self._prefix, start_after=self._key_of(self.number))]
            if not keys:
                return
            with ThreadPoolExecutor(min(_WORKERS, len(keys)), thread_name_prefix="reviews") as pool:
                found = list(pool.map(self._read, keys))
            self.unreadable += tuple(key for key, save in zip(keys, found, strict=True) if save is None)
            self._learn([save for save in found if save is not None])
            with suppress(ValueError):
                self.number = max(self.number, int(keys[-1].removeprefix(self._prefix).removesuffix(".json")))
            self._write_segments()

    def append(self, reviewer: str, settle: Callable[[Reviews], Sequence[Event]]) -> Save | None:
        """Save what `settle` makes of the newest reviews; None where that is nothing.

        It is asked again after every lost race, and raises what it wants to give up with: WriteConflict when
        somebody else has decided the same.
        """
        with self._turn:
            for _ in range(_ATTEMPTS):
                events = self._settled(settle)
                if not events:
                    return None
                save = Save(number=self.number + 1, reviewer=reviewer, time=datetime.now(UTC), events=tuple(events))
                try:
                    self._store.put(
                        self._key_of(save.number),
                        save.model_dump_json(exclude_none=True).encode(),
                        content_type="application/json",
                        create_only=True,
                    )
                except WriteConflict:
                    self.refresh()
                    continue
                self._learn([save])
                self._write_segments()
                return save
        raise StorageUnavailable("Others save so fast that there was no turn: nothing was saved, try again.")

    def _settled(self, settle: Callable[[Reviews], Sequence[Event]]) -> Sequence[Event]:
        """What it makes of the reviews; if nothing, of those in S3: what spoke against it may be undone."""
        known = self.number
        try:
            if events := settle(self.reviews):
                return events
        except StudioError:
            self.refresh()
            if self.number == known:
                raise
        else:
            self.refresh()
            if self.number == known:
                return events
        return settle(self.reviews)

    def _learn(self, saves: Sequence[Save]) -> None:
        new = [save for save in saves if save.number not in self._saves]
        if not new:
            return
        self.reviews = self.reviews | Reviews.of(new)
        for save in new:
            self._saves[save.number] = save
            self.number = max(self.number, save.number)

    def _read(self, key: str) -> Save | None:
        data = self._store.get(key).data
        try:
            return Save.model_validate_json(data)
        except ValidationError:
            _log.warning("review_unreadable", key=key)
            return None

    def _read_segments(self) -> None:
        keys = [row.key for row in self._store.list(self._segments)]
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="segments") as pool:
            segments = pool.map(lambda key: _SEGMENT.read(self._store, key).content or (), keys)
            for first, saves in zip(count(1, SEGMENT), segments, strict=False):
                if [save.number for save in saves] != list(range(first, first + SEGMENT)):
                    return  # what follows is read from the log itself
                self._learn(saves)
                self._packed_up_to = self.number

    def _write_segments(self) -> None:
        """Pack the last block once it is full; an older one that is missing is packed by who reads it."""
        for first in range(self._packed_up_to + 1, self.number - SEGMENT + 2, SEGMENT):
            saves = tuple(self._saves[at] for at in range(first, first + SEGMENT) if at in self._saves)
            if len(saves) < SEGMENT:
                continue
            with suppress(WriteConflict):  # it holds the same
                if _SEGMENT.write(self._store, f"{self._segments}{first:012d}.json.gz", saves, replacing=None) is None:
                    return
            self._packed_up_to = first + SEGMENT - 1

    def _key_of(self, number: int) -> str:
        return f"{self._prefix}{number:012d}.json"
