"""Presses: the same request pressed twice, by a double click or in two tabs, is one comparison."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ulid import ULID

from core.errors import ReferenceNotFound, StorageUnavailable, WriteConflict
from core.generation.comparison import Comparison
from core.objects import ObjectStore

# A second click comes this late at most; after that, what has ended is asked for once more on purpose.
_DOUBLE_CLICK = timedelta(seconds=2)
_TRIES = 3


class Presses:
    """Settles, by a condition in S3, which id the comparison of a press has, on whichever server it arrives."""

    def __init__(self, store: ObjectStore, *, app_prefix: str, at_work: Callable[[str], bool]) -> None:
        """`at_work` says whether a comparison is; it raises ReferenceNotFound for one that was never recorded."""
        self._store = store
        self._root = f"{app_prefix}presses/"
        self._at_work = at_work

    def identity(self, comparison: Comparison) -> str:
        """The id of the same request that is still at work, else the comparison's own. Raises StorageError."""
        key, mine = f"{self._root}{_fingerprint(comparison)}", comparison.id.encode()
        etag = None
        for _ in range(_TRIES):
            try:
                self._store.put(key, mine, content_type="text/plain", create_only=etag is None, if_match=etag)
                return comparison.id
            except WriteConflict:
                earlier = self._store.get(key)
            if self._is_the_same_press(earlier.data.decode()):
                return earlier.data.decode()
            etag = earlier.etag
        raise StorageUnavailable("Others press the same button at this very moment: press it again.")

    def _is_the_same_press(self, earlier: str) -> bool:
        if datetime.now(UTC) - ULID.from_str(earlier).datetime < _DOUBLE_CLICK:
            return True
        try:
            return self._at_work(earlier)
        except ReferenceNotFound:
            return False


def _fingerprint(comparison: Comparison) -> str:
    """What makes two requests the same: who asks whom for what, from which pictures."""
    sides = [
        [side.side, side.prompt, [[slot.id, slot.key, slot.etag] for slot in side.slots]] for side in comparison.sides
    ]
    asked = comparison.model_dump(
        mode="json", include={"person", "mode", "engine", "model", "size", "quality", "seed", "replay_of"}
    )
    return hashlib.sha256(json.dumps([asked, sides], sort_keys=True).encode()).hexdigest()
