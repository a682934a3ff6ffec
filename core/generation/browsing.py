"""Browsing: past comparisons with where they stand, the newest first, with or without those that came to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from core.generation.records.attempt_status import ComparisonStatus
from core.generation.records.comparison import Comparison
from core.generation.records.history import HistoryFilter


class Records(Protocol):
    """What was ordered; the history is one."""

    def newest(self, *, limit: int, wanted: HistoryFilter | None = None) -> list[Comparison]:
        """The newest records that pass the filter. Raises StorageError."""


class Statuses(Protocol):
    """Where comparisons stand; the runner is one."""

    def statuses(self, comparison_ids: Sequence[str]) -> list[ComparisonStatus]:
        """Many statuses, in the same order. Raises StorageError."""


@dataclass(frozen=True, slots=True)
class Found:
    """Comparisons to show, the newest first, and whether there are older ones."""

    statuses: tuple[ComparisonStatus, ...]
    has_older: bool


def browse(
    records: Records, statuses: Statuses, wanted: HistoryFilter, *, limit: int, hides_failed: bool = False
) -> Found:
    """The newest that pass the filter, `limit` at most.

    How a comparison ended stands in no index: those that failed are read and passed over. Raises StorageError.
    """
    found: list[ComparisonStatus] = []
    while len(found) <= limit:
        batch = records.newest(limit=limit + 1, wanted=wanted)
        read = statuses.statuses([comparison.id for comparison in batch])
        found += [status for status in read if not (hides_failed and status.failed)]
        if len(batch) <= limit:
            break
        wanted = replace(wanted, older_than=batch[-1].id)
    return Found(tuple(found[:limit]), has_older=len(found) > limit)
