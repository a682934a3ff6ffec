"""The spool: finished pictures wait on this server's disk until S3 has them, over any kill and any outage.

A picture that has arrived is paid for, and cannot be had again. So it is on disk before S3 is asked to take it,
and leaves the disk when its outcome is in S3. What a stopped process left behind is delivered by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import structlog

from core.errors import StorageDenied, StorageError, StorageUnavailable, WriteConflict
from core.generation.records.attempt import AttemptId
from core.generation.records.history import History
from core.generation.records.outcome import Outcome

_log = structlog.get_logger(__name__)


class SpoolStorage(Protocol):
    """Named bytes that outlive this process. Its methods raise StorageError."""

    def keep(self, name: str, *parts: bytes) -> None:
        """Write them, one part after the other; they are there for good when this returns."""

    def names(self) -> list[str]:
        """What is there, oldest name first."""

    def read(self, name: str) -> bytes:
        """The bytes of a name. Raises NotFound."""

    def drop(self, name: str) -> None:
        """Remove them; what is not there is no error."""


class Spool:
    """Keeps pictures until they are delivered. Delivering twice is harmless: both times it is the same picture."""

    def __init__(self, storage: SpoolStorage, history: History) -> None:
        self._storage = storage
        self._history = history

    def keep(self, draft: Outcome, picture: bytes) -> bool:
        """Put a picture (PNG) on disk with the outcome it will have; False where the disk does not take it."""
        try:
            self._storage.keep(_name(draft.id), draft.model_dump_json().encode() + b"\n", picture)
        except StorageError as err:
            _log.warning("picture_not_kept", comparison=draft.comparison, error=err.message)
            return False
        return True

    def drop(self, outcome: Outcome) -> None:
        """Its outcome is in S3: the disk is no longer needed."""
        try:
            self._storage.drop(_name(outcome.id))
        except StorageError as err:
            _log.warning("kept_picture_not_dropped", comparison=outcome.comparison, error=err.message)

    def deliver(self, of: AttemptId) -> Outcome | None:
        """Write a kept picture and its outcome into S3; None where none is kept. Raises StorageError."""
        name = _name(of)
        return self._deliver(name) if name in self._storage.names() else None

    def deliver_all(self) -> None:
        """Deliver what an earlier process left behind; what S3 does not take stays for the next time."""
        for name in self._names():
            try:
                outcome = self._deliver(name)
                _log.info("kept_picture_delivered", comparison=outcome.comparison, side=outcome.side.value)
            except (StorageUnavailable, StorageDenied) as err:
                _log.warning("kept_picture_waits", name=name, error=err.message)
                return
            except StorageError as err:
                _log.warning("kept_picture_left_out", name=name, error=err.message)

    def _names(self) -> Iterator[str]:
        try:
            yield from self._storage.names()
        except StorageError as err:
            _log.warning("kept_pictures_not_listed", error=err.message)

    def _deliver(self, name: str) -> Outcome:
        head, _, picture = self._storage.read(name).partition(b"\n")
        draft = Outcome.from_json(head)
        outcome = draft.with_picture(*self._history.add_picture(draft.id, picture))
        try:
            self._history.add_outcome(outcome)
        except WriteConflict as known:  # delivered before, by whoever kept it or by another start
            outcome = Outcome.from_json(known.theirs) if known.theirs else outcome
        self._storage.drop(name)
        return outcome


def _name(of: AttemptId) -> str:
    """The first take's is that of the time before there were others: what lies there is still found."""
    take = "" if of.take == 1 else f"take{of.take}."
    return f"{of.comparison}.{of.side.value}.{take}{of.attempt}.made"
