"""Readability: which pictures can be opened, learned by making each one's small thumbnail, once for all servers.

What cannot be opened is marked beside the thumbnails (`thumbnails.py`); what can is one object of fingerprints, so
that no server and no restart looks twice. Nobody else's picture waits for this: it is done one at a time, with a
rest behind each, and not while anybody stands in line for memory.
"""

from __future__ import annotations

import hashlib
import random
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import suppress
from itertools import chain
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from core.concurrency.periodic import Periodic
from core.errors import BadImage, NotFound, ObjectArchived, Overloaded, StorageError, WriteConflict
from core.images.decode import DECODER
from core.images.memory import BYTES_MAX, FILES, MIB, PIXELS
from core.images.thumbnails import THUMBNAIL_SIDES, Thumbnails
from core.objects.derived import DerivedFormat
from core.objects.objects import ObjectStore

PICTURES_A_MINUTE: Final = 120
BYTES_A_MINUTE: Final = 256 * MIB
_EVERY_S: Final = 60.0
_REST_S: Final = 0.25
_AT_ONCE: Final = 4

Fingerprints = npt.NDArray[np.uint64]


class Picture(Protocol):
    """What is asked about: an object of the library."""

    @property
    def key(self) -> str:
        """Its key."""

    @property
    def etag(self) -> str:
        """Its etag."""

    @property
    def size_bytes(self) -> int:
        """What its file has."""

    @property
    def is_archived(self) -> bool:
        """Whether S3 is known not to hand it out before it is restored."""


def _load(data: bytes) -> Fingerprints:
    return np.unique(np.frombuffer(data, "<u8").astype(np.uint64))


_FORMAT: Final[DerivedFormat[Fingerprints]] = DerivedFormat(
    dump=lambda known: known.astype("<u8").tobytes(),
    load=_load,
    unreadable_event="readable_pictures_unreadable",
    unwritten_event="readable_pictures_unwritten",
)


class Readability:
    """Knows which pictures can be opened, and finds it out about the others."""

    def __init__(
        self,
        store: ObjectStore,
        thumbnails: Thumbnails,
        *,
        app_prefix: str,
        pictures: Callable[[], Sequence[Picture]],
        found: Callable[[], None] = lambda: None,
        archived: Callable[[str], None] = lambda _key: None,
    ) -> None:
        """`pictures` are the library's as far as it is listed; `found` is told when one cannot be opened.

        `archived` is told the key of one that S3 hands out only after it was restored.
        """
        self._store = store
        self._thumbnails = thumbnails
        self._pictures = pictures
        self._found = found
        self._archived = archived
        self._key = f"{app_prefix}thumbs/readable/{DECODER}.gz"
        self._kept: Fingerprints = np.empty(0, np.uint64)  # as S3 has them
        self._kept_etag: str | None = None
        self._lock = threading.Lock()  # for what follows
        self._new: set[int] = set()  # fingerprints that S3 has not yet
        self._unreadable: set[str] = set()  # etags
        self._asked: dict[str, Future[bool]] = {}
        self._walked: Sequence[Picture] | None = None
        self._walk: Iterator[Picture] = iter(())
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="readability")
        self.loop = Periodic(self._round, name="readability", every_s=_EVERY_S)

    def is_readable(self, picture: Picture) -> bool:
        """Whether it can be opened; decoded only if no server has tried yet.

        Raises StorageError, NotFound among them for one that has left S3 or changed and ObjectArchived for one that has
        to be restored, and Overloaded.
        """
        if self._knows(picture.etag):
            return True
        if picture.etag in self._unreadable:
            return False
        try:
            self._thumbnails.get(
                picture.etag,
                THUMBNAIL_SIDES[0],
                lambda: self._store.get(picture.key),
                size_bytes=picture.size_bytes,
            )
        except ObjectArchived:
            self._archived(picture.key)
            raise
        except BadImage as err:
            if not isinstance(err.__cause__, MemoryError):  # another time there may be room
                with self._lock:
                    self._unreadable.add(picture.etag)
            return False
        with self._lock:
            self._new.add(_fingerprint(picture.etag))
        return True

    def unreadable_among(self, pictures: Iterable[Picture], *, patience_s: float) -> frozenset[str]:
        """The etags of those that cannot be opened, as far as that is known after so long; the rest is found out."""
        asked = [self._ask(picture) for picture in pictures if not self._knows(picture.etag)]
        done, _ = wait_for([future for _, future in asked], timeout=patience_s)
        return frozenset(etag for etag, future in asked if future in done and _is_bad(future))

    def check_all(self, progress: Callable[[int, int], None] = lambda _done, _of: None) -> int:
        """Find it out about every picture of the library, and return how many had to be looked at.

        `progress` is told how many are done, of how many. Raises StorageError and Overloaded.
        """
        self.exchange()
        unknown = {picture.etag: picture for picture in self._pictures() if self._is_to_be_opened(picture)}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for done, _ in enumerate(pool.map(self._try, unknown.values()), 1):
                progress(done, len(unknown))
        self.exchange()
        return len(unknown)

    def exchange(self) -> None:
        """Take up what other servers know, and tell them what this one has learned. Raises StorageError."""
        with self._lock:
            new = frozenset(self._new)
        with suppress(NotFound):
            if self._store.head(self._key).etag != self._kept_etag:
                read = _FORMAT.read(self._store, self._key)
                self._kept_etag = read.etag
                if read.content is not None:
                    self._kept = np.union1d(self._kept, read.content)
        if not new:
            return
        known = np.union1d(self._kept, np.fromiter(new, np.uint64, len(new)))
        with suppress(WriteConflict):  # another server was first: the next round has both
            self._kept_etag = _FORMAT.write(self._store, self._key, known, replacing=self._kept_etag)
            if self._kept_etag is not None:
                self._kept = known
                with self._lock:
                    self._new -= new

    def close(self) -> None:
        """End the threads."""
        self.loop.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _round(self) -> None:
        """Look at a minute's worth of pictures."""
        self.exchange()
        known_bad, bytes_left = len(self._unreadable), BYTES_A_MINUTE
        for _ in range(PICTURES_A_MINUTE):
            picture = self._next()
            if picture is None or bytes_left < BYTES_MAX:
                break
            bytes_left -= min(picture.size_bytes, BYTES_MAX)
            try:
                self._try(picture)
            except Overloaded:
                break
            self.loop.beat()
            if not self.loop.rest(_REST_S):
                return
        self.exchange()
        if len(self._unreadable) > known_bad:
            self._found()

    def _next(self) -> Picture | None:
        """One that nobody has looked at, once nobody waits for memory; None where there is none, or at the end."""
        while FILES.waiting or PIXELS.waiting:
            if not self.loop.rest(_REST_S):
                return None
            self.loop.beat()
        pictures = self._pictures()
        if pictures is not self._walked:
            begin = random.randrange(len(pictures)) if pictures else 0  # servers look at different ones
            self._walked, self._walk = pictures, chain(pictures[begin:], pictures[:begin])
        return next((each for each in self._walk if self._is_to_be_opened(each)), None)

    def _try(self, picture: Picture) -> None:
        with suppress(NotFound, ObjectArchived):  # it has left S3, or changed: the next listing says so
            self.is_readable(picture)

    def _ask(self, picture: Picture) -> tuple[str, Future[bool]]:
        """The answer to come, one for all who ask meanwhile."""
        with self._lock:
            future = self._asked.get(picture.etag)
            if future is None or future.done():
                future = self._asked[picture.etag] = self._pool.submit(self.is_readable, picture)
                future.add_done_callback(lambda _: self._asked.pop(picture.etag, None))
        return picture.etag, future

    def _is_to_be_opened(self, picture: Picture) -> bool:
        return not (picture.is_archived or self._knows(picture.etag) or picture.etag in self._unreadable)

    def _knows(self, etag: str) -> bool:
        """Whether it is known to be readable."""
        wanted = _fingerprint(etag)
        if wanted in self._new:
            return True
        kept = self._kept.data  # a view: its numbers are Python's, which is three times as fast
        at = bisect_left(kept, wanted)
        return at < len(kept) and kept[at] == wanted


def _fingerprint(etag: str) -> int:
    """Eight bytes: of a million pictures two share one with a chance of one in forty million."""
    return int.from_bytes(hashlib.blake2b(etag.encode(), digest_size=8).digest(), "little")


def _is_bad(future: Future[bool]) -> bool:
    with suppress(StorageError, Overloaded):  # nobody knows yet: asked again with the next plan, and before it is sent
        return not future.result()
    return False
