"""One's own queue: what waits of one person's work, comparison by comparison, and how it is put into another order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.generation.records.comparison import SideTake
from core.generation.running.job import Job
from core.injection.request.wishes import SideName


class Move(StrEnum):
    """Where a waiting comparison goes among its orderer's own."""

    FIRST = "first"
    EARLIER = "earlier"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A comparison of which pictures wait, all or some, and how many of anybody begin before the first of them."""

    comparison: str
    prompt: str
    places: tuple[SideTake, ...]
    ahead: int

    @property
    def sides(self) -> tuple[SideName, ...]:
        """The sides of which any take waits."""
        return tuple(dict.fromkeys(place.side for place in self.places))


def by_comparison(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    """Jobs by comparison, the comparisons in the order in which their first job stands."""
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.comparison.id, []).append(job)
    return groups


def moved(jobs: Sequence[Job], comparison_id: str, move: Move) -> list[Job]:
    """The same jobs with all of one comparison's moved together. Raises KeyError for one that is not there."""
    groups = by_comparison(jobs)
    names = list(groups)
    if comparison_id not in groups:
        raise KeyError(comparison_id)
    at = names.index(comparison_id)
    to = {Move.FIRST: 0, Move.EARLIER: max(0, at - 1), Move.LATER: at + 1}[move]
    names.insert(to, names.pop(at))
    return [job for name in names for job in groups[name]]
