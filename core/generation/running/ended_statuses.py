"""Ended statuses: where comparisons stood a moment ago that nobody works on, for who asks every second."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from core.generation.records.attempt_status import ComparisonStatus

_KEPT: Final = 2_000
_MAX_AGE_S: Final = 30.0  # another server may run a side again, and S3 alone knows of it


class EndedStatuses:
    """Keeps for half a minute what S3 said, for any number of threads; never what is still at work."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._read: OrderedDict[str, tuple[float, ComparisonStatus]] = OrderedDict()

    def get(self, comparison_id: str) -> ComparisonStatus | None:
        """Where a comparison stood; None where that is not known, or too old."""
        with self._lock:
            read_at, status = self._read.get(comparison_id, (0.0, None))
        return status if status is not None and self._clock() - read_at < _MAX_AGE_S else None

    def keep(self, status: ComparisonStatus) -> None:
        """Remember what was read just now, unless something may still come."""
        if status.busy:
            return
        with self._lock:
            self._read[status.comparison.id] = self._clock(), status
            self._read.move_to_end(status.comparison.id)
            if len(self._read) > _KEPT:
                self._read.popitem(last=False)

    def forget(self, comparison_id: str) -> None:
        """One of its sides is run again."""
        with self._lock:
            self._read.pop(comparison_id, None)
