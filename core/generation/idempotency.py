"""Idempotency: the same request pressed twice, by a double click or in two tabs, is one comparison."""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from ulid import ULID

from core.concurrency.background import in_background
from core.errors import NotFound, StorageUnavailable, WriteConflict
from core.generation.records.comparison import Comparison
from core.objects.objects import ObjectStore

# A second click comes this late at most after the first, or after the answer to it where S3 is slow. After that, what
# has ended, or is before the eyes of who presses, is asked for once more on purpose.
_DOUBLE_CLICK = timedelta(seconds=2)
_ANSWERS_KEPT = 1_000
_TRIES = 3
# A press whose comparison began so long ago has ended: no deadline is longer than a day.
_OVER = timedelta(days=3)
_BETWEEN_SWEEPS_S = 3600.0


class IdempotencyKeys:
    """Settles, by a condition in S3, which id the comparison of a press has, on whichever server it arrives."""

    def __init__(self, store: ObjectStore, *, app_prefix: str, at_work: Callable[[str], bool]) -> None:
        """`at_work` says whether a comparison is; it raises NotFound for one that was never recorded."""
        self._store = store
        self._root = f"{app_prefix}presses/"
        self._at_work = at_work
        self._swept_at: float | None = None
        self._answered_at: OrderedDict[str, datetime] = OrderedDict()  # by this process, the newest ones

    def identity(self, comparison: Comparison, seen: Collection[str] = ()) -> str:
        """The id of the same request that was pressed just now, or is at work and not `seen` by who presses again.

        Else the comparison's own. Raises StorageError.
        """
        self._sweep_soon()
        key, mine = f"{self._root}{_fingerprint(comparison)}", comparison.id.encode()
        etag = None
        for _ in range(_TRIES):
            try:
                self._store.put(key, mine, content_type="text/plain", create_only=etag is None, if_match=etag)
                return comparison.id
            except WriteConflict:
                earlier = self._store.get(key)
            if self._is_the_same_press(earlier.data.decode(), seen):
                return earlier.data.decode()
            etag = earlier.etag
        raise StorageUnavailable("Others press the same button at this very moment: press it again.")

    def answered(self, comparison_id: str) -> None:
        """Its order is placed, and is about to be shown to who pressed."""
        self._answered_at[comparison_id] = datetime.now(UTC)
        if len(self._answered_at) > _ANSWERS_KEPT:
            self._answered_at.popitem(last=False)

    def sweep(self) -> None:
        """Remove the presses that are over: without that one object a comparison would stay. Raises StorageError."""
        over = datetime.now(UTC) - _OVER
        for row in self._store.list(self._root):
            with suppress(NotFound):  # another server sweeps, too
                if row.modified < over and self._store.head(row.key).etag == row.etag:  # not pressed again just now
                    self._store.delete(row.key)

    def _sweep_soon(self) -> None:
        """Sweep once an hour at most, behind the back of who presses."""
        now = time.monotonic()
        if self._swept_at is None or now - self._swept_at > _BETWEEN_SWEEPS_S:
            self._swept_at = now
            in_background(self.sweep, name="presses")

    def _is_the_same_press(self, earlier: str, seen: Collection[str]) -> bool:
        last_at = self._answered_at.get(earlier) or ULID.from_str(earlier).datetime
        if datetime.now(UTC) - last_at < _DOUBLE_CLICK:
            return True
        if earlier in seen:
            return False
        try:
            return self._at_work(earlier)
        except NotFound:
            return False


def _fingerprint(comparison: Comparison) -> str:
    """What makes two requests the same: who asks whom for what and how many takes of it, from which pictures."""
    sides = [
        [
            *(side.side, side.prompt, [[slot.id, slot.key, slot.etag] for slot in side.slots]),
            side.render.model_dump(mode="json") if side.render else None,
        ]
        for side in comparison.sides
    ]
    asked = comparison.model_dump(
        mode="json", include={"person", "mode", "engine", "model", "size", "quality", "seed", "replay_of", "takes"}
    )
    asked["varies"] = comparison.varies
    return hashlib.sha256(json.dumps([asked, sides], sort_keys=True).encode()).hexdigest()
