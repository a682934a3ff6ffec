"""Attachments: the reference pictures of a side, fetched side by side and shared by all who need them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from core.concurrency.background import report_failures
from core.concurrency.single_flight import SingleFlightCache
from core.errors import EngineError, EngineFault, NotFound, ObjectArchived, StudioError
from core.generation.engines.engine import AttachedReference
from core.generation.records.comparison import SideRecord
from core.injection.request.slots import Slot
from core.objects.objects import ObjectStore

_KEPT_BYTES = 96 * 1024 * 1024
# Threads that wait for a slow S3, or for each other's picture, must not keep the rest from theirs.
_AT_ONCE = 32
# What may never be ordered is made ready by few threads, and left alone when these have fallen behind.
_PREFETCHED_AT_ONCE = 2
_PREFETCHED_WAITING_MAX = 32
# For so long what S3 said of a picture is believed: from the start of an order to the engines' calls.
_FRESH_S = 5.0

Prepare = Callable[[AttachedReference], None]
Preparing = Callable[[SideRecord], Prepare]  # how the engine of a side gets its references ready


@dataclass(slots=True)
class _Fetched:
    """A picture's bytes, and when S3 last said that they are still there (monotonic seconds)."""

    data: bytes
    seen_at: float


class Attachments:
    """Fetches the very bytes that were planned; anything else in their place is refused."""

    def __init__(self, store: ObjectStore, *, archived: Callable[[str], None] = lambda _key: None) -> None:
        """`archived` is told the key of a picture that S3 hands out only after somebody has restored it."""
        self._store = store
        self._archived = archived
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="reference")
        self._prefetching = ThreadPoolExecutor(_PREFETCHED_AT_ONCE, thread_name_prefix="prefetch")
        self._room = threading.BoundedSemaphore(_PREFETCHED_WAITING_MAX)
        self._fetched: SingleFlightCache[_Fetched] = SingleFlightCache(
            size_max=_KEPT_BYTES, size_of=lambda fetched: len(fetched.data)
        )

    def of(self, record: SideRecord) -> tuple[AttachedReference, ...]:
        """A side's references in slot order.

        Raises EngineError for one that left S3, has changed or lies in an archive, and StorageError.
        """
        return tuple(self._pool.map(self._attach, _filled(record)))

    def prepare_soon(self, sides: Iterable[SideRecord], preparing: Preparing) -> None:
        """Fetch and prepare behind the caller's back what these sides will ask for; trouble shows when they do."""
        for slot, prepare in _distinct(sides, preparing):
            self._pool.submit(report_failures(partial(self._prepare, slot, prepare), name="prepare"))

    def prefetch(self, sides: Iterable[SideRecord], preparing: Preparing) -> None:
        """The same for sides that are planned and may be ordered, as far as there is room; what is here is left."""
        for slot, prepare in _distinct(sides, preparing):
            if self._fetched.holds((slot.key, slot.etag)):
                continue
            if not self._room.acquire(blocking=False):
                return
            work = report_failures(partial(self._prepare, slot, prepare), name="foresee")
            self._prefetching.submit(work).add_done_callback(lambda _: self._room.release())

    def close(self) -> None:
        """End the threads."""
        self._prefetching.shutdown(wait=True, cancel_futures=True)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _prepare(self, slot: Slot, prepare: Prepare) -> None:
        with suppress(StudioError):
            prepare(self._attach(slot))

    def _attach(self, slot: Slot) -> AttachedReference:
        key, etag = slot.key or "", slot.etag or ""
        try:
            fetched = self._fetched.get((key, etag), lambda: _Fetched(self._fetch(key, etag), time.monotonic()))
            if time.monotonic() - fetched.seen_at > _FRESH_S:
                self._check(key, etag, self._store.head(key).etag)
                fetched.seen_at = time.monotonic()
        except NotFound as err:
            self._fetched.forget((key, etag))
            raise EngineError(
                "The reference `{}` has left S3 since it was planned: plan again.", key, kind=EngineFault.BAD_REQUEST
            ) from err
        except ObjectArchived as err:
            self._archived(key)
            raise EngineError(
                "The reference `{}` lies in an archive of S3: restore it, or re-roll or switch off its slot.",
                key,
                kind=EngineFault.BAD_REQUEST,
            ) from err
        return AttachedReference(role=slot.role, key=key, data=fetched.data, etag=etag)

    def _fetch(self, key: str, etag: str) -> bytes:
        blob = self._store.get(key)
        self._check(key, etag, blob.etag)
        return blob.data

    def _check(self, key: str, planned: str, found: str) -> None:
        if found != planned:
            self._fetched.forget((key, planned))
            raise EngineError(
                "The reference `{}` has changed in S3 since it was planned: plan again.",
                key,
                kind=EngineFault.BAD_REQUEST,
            )


def _distinct(sides: Iterable[SideRecord], preparing: Preparing) -> Iterable[tuple[Slot, Prepare]]:
    """What the sides send and how it is made ready, each picture once for each engine."""
    found: dict[tuple[object, ...], tuple[Slot, Prepare]] = {}
    for record in sides:
        prepare = preparing(record)
        found |= {(slot.key, slot.etag, prepare): (slot, prepare) for slot in _filled(record)}
    return found.values()


def _filled(record: SideRecord) -> list[Slot]:
    return [slot for slot in record.slots if slot.key and slot.etag]
