"""Seen: who has seen the sides of a comparison named, and since when.

    <app>/votes/seen/<voter>/<comparison>.json    written once, the first time; `{"time": …}`

The pages only say it, which takes no time: it is known here at once, and written behind everybody's back. Other
servers hear of it within a minute.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from ulid import ULID

from core.concurrency.background import in_background
from core.errors import NotFound, WriteConflict
from core.generation.records.attempt_status import ComparisonStatus
from core.objects.objects import ObjectStore
from core.viewer import Capability, Viewer
from core.votes.records.outbox import Outbox
from core.votes.records.voters import Voters

_FRESH_S: Final = 30.0
_PREFIX: Final = "0."  # sorts before every ULID of a vote: what was seen before it is delivered before it
_SUFFIX: Final = ".seen"


class Seen:
    """What people have seen; for any number of threads and servers."""

    def __init__(self, store: ObjectStore, voters: Voters, outbox: Outbox, *, app_prefix: str) -> None:
        self._store = store
        self._voters = voters
        self._root = f"{app_prefix}votes/seen/"
        self._lock = threading.Lock()  # for all below; never held while S3 is asked
        self._marked: dict[str, dict[str, float]] = defaultdict(dict)  # by this process: when, by address and id
        self._unkept: set[tuple[str, str]] = set()  # of these, what the disk has not taken: tried again when seen again
        self._read: dict[str, _Reading] = {}  # by voter
        self._outbox = outbox
        outbox.deliver_with(_SUFFIX, self._deliver)

    def shown(self, viewer: Viewer, *statuses: ComparisonStatus) -> None:
        """These comparisons are before a person, and their sides are named: of which both pictures are there, count.

        Returns at once, whatever S3 does.
        """
        viewer.require(Capability.BROWSE)
        both_there = [status.comparison.id for status in statuses if _has_both(status)]
        self.mark(viewer.email, *both_there)

    def mark(self, email: str, *comparison_ids: str) -> None:
        """This person is not blind to these comparisons any more. Returns at once, whatever S3 does."""
        with self._lock:
            marked = self._marked[email]
            new = [each for each in comparison_ids if each not in marked or (email, each) in self._unkept]
            times = {each: marked.setdefault(each, time.time()) for each in new}
            self._unkept.difference_update((email, each) for each in new)
        if times:
            in_background(lambda: self._keep_all(email, times), name="seen")

    def of(self, email: str, *, since: datetime) -> frozenset[str]:
        """The comparisons, made since then, that a person is not blind to.

        Read from S3 the first time, then half a minute old at most while S3 answers. Raises StorageError.
        """
        voter, first = self._voters.id_of(email), str(ULID.from_datetime(since))[:10]
        with self._lock:
            reading = self._read.get(voter)
        if reading is None or reading.first > first:
            reading = self._look(voter, first)
        elif reading.is_due():
            in_background(lambda: self._look(voter, reading.first), name="seen")
        with self._lock:
            return reading.ids.union(self._marked.get(email, ()))

    def was_seen_before(self, voter: str, comparison_id: str, moment: datetime) -> bool:
        """Whether a voter had seen it when they answered, as S3 has it now. Raises StorageError."""
        with suppress(NotFound):
            return _time_in(self._store.get(self._key(voter, comparison_id)).data) <= moment.timestamp()
        return False

    def has_seen(self, email: str, voter: str, comparison_id: str) -> bool:
        """Whether it is known here, without asking, that they are not blind to it."""
        with self._lock:
            reading = self._read.get(voter)
            return comparison_id in self._marked.get(email, ()) or (
                reading is not None and comparison_id in reading.ids
            )

    def _deliver(self, name: str, data: bytes) -> None:
        """Write a mark as it was put into the outbox. May be repeated. Raises StorageError."""
        voter, comparison_id, _ = name.removeprefix(_PREFIX).split(".")
        with suppress(WriteConflict):  # seen before, from another tab or server: the first time counts
            self._store.put(self._key(voter, comparison_id), data, content_type="application/json", create_only=True)

    def _keep_all(self, email: str, times: Mapping[str, float]) -> None:
        """Put these marks into the outbox; those it does not take are tried again when they are seen again."""
        unkept = {(email, comparison_id) for comparison_id in times}
        try:
            voter = self._voters.id_of(email)
            for comparison_id, at in times.items():
                moment = datetime.fromtimestamp(at, UTC).isoformat()
                name = f"{_PREFIX}{voter}.{comparison_id}{_SUFFIX}"
                self._outbox.put(name, json.dumps({"time": moment}).encode())
                unkept.discard((email, comparison_id))
        finally:
            with self._lock:
                self._unkept |= unkept

    def _look(self, voter: str, first: str) -> _Reading:
        root = f"{self._root}{voter}/"
        rows = self._store.list(root, start_after=f"{root}{first}")
        ids = frozenset(row.key.removeprefix(root).removesuffix(".json") for row in rows)
        reading = _Reading(first, ids)
        with self._lock:
            self._read[voter] = reading
        return reading

    def _key(self, voter: str, comparison_id: str) -> str:
        return f"{self._root}{voter}/{comparison_id}.json"


class _Reading:
    """What S3 listed of one voter: marks of comparisons made since `first`, the beginning of a ULID."""

    def __init__(self, first: str, ids: frozenset[str]) -> None:
        self.first = first
        self.ids = ids
        self._due_at = time.monotonic() + _FRESH_S

    def is_due(self) -> bool:
        """Whether it is to be read anew; whoever is told so does it, and nobody else is until some time later."""
        now = time.monotonic()
        if now < self._due_at:
            return False
        self._due_at = now + _FRESH_S
        return True


def _has_both(status: ComparisonStatus) -> bool:
    """Whether of some take the pictures of two sides are there."""
    return len(status.comparison.sides) > 1 and any(all(side.picture for side in sides) for sides in status.takes)


def _time_in(data: bytes) -> float:
    """When it was seen; a mark that makes no sense was there from the beginning: then nobody was blind."""
    with suppress(ValueError, KeyError, TypeError):
        return datetime.fromisoformat(json.loads(data)["time"]).timestamp()
    return 0.0
