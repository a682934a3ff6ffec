"""The outbox: small records wait on this server's disk until S3 has them, over any kill and any outage.

Whatever is put in is on disk before anybody is told that it counts. Delivering twice is harmless: each record has a
key of its own and is written under the condition that nothing is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from core.concurrency.periodic import Periodic
from core.errors import NotFound, StorageDenied, StorageError, StorageUnavailable
from core.generation.running.spool import SpoolStorage

_log = structlog.get_logger(__name__)
_EVERY_S: Final = 20.0
_WRITERS: Final = 8


Deliver = Callable[[str, bytes], None]
"""Writes a record by its name. Raises StorageError."""


class Outbox:
    """Keeps named records and delivers them in a thread of its own, oldest name first, several side by side."""

    def __init__(self, storage: SpoolStorage) -> None:
        self._storage = storage
        self._deliver: dict[str, Deliver] = {}  # by the end of the name
        self._named: set[str] = set()  # what will never be taken, each told once
        self.is_held_up = False  # S3 did not take something at the last try
        self.loop = Periodic(self.deliver_all, name="votes-outbox", every_s=_EVERY_S)

    def deliver_with(self, suffix: str, deliver: Deliver) -> None:
        """Records whose names end so are written by this, perhaps more than once; what it raises leaves one here."""
        self._deliver[suffix] = deliver

    def put(self, name: str, data: bytes) -> None:
        """It is safe when this returns, and delivered soon; where the disk does not take it, it is delivered at once.

        Raises StorageError where neither the disk nor S3 takes it.
        """
        try:
            self._storage.keep(name, data)
        except StorageUnavailable as full:
            _log.warning("vote_not_kept_on_disk", error=full.message)
            self._deliverer(name)(name, data)
        else:
            self.loop.wake()

    def kept(self) -> Iterator[tuple[str, bytes]]:
        """What waits. Raises StorageError."""
        for name in self._storage.names():
            try:
                yield name, self._storage.read(name)
            except NotFound:  # delivered meanwhile
                continue

    def deliver_all(self) -> None:
        """Deliver what waits. Raises StorageUnavailable or StorageDenied where S3 does not take it: it waits on."""
        names = self._storage.names()
        if not names:
            return
        try:
            with ThreadPoolExecutor(min(_WRITERS, len(names)), thread_name_prefix="votes") as writers:
                list(writers.map(self._deliver_one, names))
        except StorageError:
            self.is_held_up = True
            raise
        self.is_held_up = False

    def _deliverer(self, name: str) -> Deliver:
        for suffix, deliver in self._deliver.items():
            if name.endswith(suffix):
                return deliver
        raise StorageError("“{}” is nothing that is delivered from here.", name)

    def _deliver_one(self, name: str) -> None:
        try:
            data = self._storage.read(name)
        except NotFound:
            return
        try:
            self._deliverer(name)(name, data)
        except (StorageUnavailable, StorageDenied):
            raise
        except StorageError as err:  # it will never be taken: it stays for who looks after the disk
            if name not in self._named:
                self._named.add(name)
                _log.error("kept_vote_left_out", name=name, error=err.message)
            return
        self._storage.drop(name)
