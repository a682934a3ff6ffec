"""Attempt status: where an attempt, a side and a comparison stand."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from core.errors import EngineFault
from core.generation.records.attempt import Server
from core.generation.records.comparison import Comparison, SideTake
from core.generation.records.outcome import Outcome, OutcomeState, StoredPicture
from core.generation.records.record import Record
from core.injection.request.wishes import SideName


class AttemptPhase(StrEnum):
    """Where an attempt stands, as a person sees it."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @classmethod
    def after(cls, outcome: Outcome) -> AttemptPhase:
        """The phase of an attempt that has ended so."""
        if outcome.state is OutcomeState.DONE:
            return cls.DONE
        kind = outcome.failure.kind if outcome.failure else None
        if kind is EngineFault.CANCELLED:
            return cls.CANCELLED
        return cls.INTERRUPTED if kind is EngineFault.INTERRUPTED else cls.FAILED


class SideStatus(Record):
    """The newest attempt of one take of a side, who asked for it, which server claimed it, and every outcome so far."""

    side: SideName
    take: int = 1
    attempt: int
    phase: AttemptPhase
    outcomes: tuple[Outcome, ...] = ()
    ahead: int = 0
    progress: float | None = None
    since: datetime | None = None
    server: Server | None = None
    person: str | None = None  # older records do not say it

    @property
    def place(self) -> SideTake:
        """Which of the comparison's pictures this is."""
        return SideTake(self.side, self.take)

    @property
    def latest(self) -> Outcome | None:
        """The outcome of the newest attempt, once there is one."""
        return next((outcome for outcome in self.outcomes if outcome.attempt == self.attempt), None)

    @property
    def picture(self) -> StoredPicture | None:
        """The newest finished picture."""
        done = [outcome for outcome in self.outcomes if outcome.picture is not None]
        return done[-1].picture if done else None

    @property
    def is_without_picture(self) -> bool:
        """Whether its newest attempt has ended and brought none."""
        return self.phase in (AttemptPhase.FAILED, AttemptPhase.CANCELLED, AttemptPhase.INTERRUPTED)

    @property
    def busy(self) -> bool:
        """Whether something may still come."""
        return self.phase in (AttemptPhase.QUEUED, AttemptPhase.RUNNING)


class ComparisonStatus(Record):
    """A comparison with where each of its pictures stands: every side of the first take, then of the second."""

    comparison: Comparison
    sides: tuple[SideStatus, ...]

    @property
    def busy(self) -> bool:
        """Whether any side is still at work."""
        return any(side.busy for side in self.sides)

    @property
    def failed(self) -> bool:
        """Whether nothing came of it: no side has a picture, and none is at work on one."""
        return not self.busy and all(side.picture is None for side in self.sides)

    @property
    def takes(self) -> tuple[tuple[SideStatus, ...], ...]:
        """The sides of each take that is known of, in the order of the takes."""
        grouped: dict[int, list[SideStatus]] = {}
        for side in self.sides:
            grouped.setdefault(side.take, []).append(side)
        return tuple(tuple(grouped[take]) for take in sorted(grouped))

    @property
    def best_take(self) -> int:
        """The number of the take to show first: of those with all their pictures the one nearest to its tone.

        That is by the mean fidelity of its sides, the earlier of two that are as near. Without any that is whole it is
        the first with a picture, else the first.
        """
        whole = [sides for sides in self.takes if all(side.picture for side in sides)]
        begun = [sides for sides in self.takes if any(side.picture for side in sides)]
        shown = max(whole, key=_mean_fidelity, default=next(iter(begun), None))
        return shown[0].take if shown else 1

    @property
    def best_pair(self) -> tuple[SideStatus, ...]:
        """The sides of the take to show first."""
        return next(sides for sides in self.takes if sides[0].take == self.best_take)

    def side(self, name: SideName, take: int = 1) -> SideStatus:
        """The status of one take of a side. Raises KeyError for what was not asked for."""
        return {status.place: status for status in self.sides}[SideTake(name, take)]


def _mean_fidelity(sides: tuple[SideStatus, ...]) -> float:
    """Of the sides that have one; below every score where none has, for then nothing is known to be near."""
    scores = [side.picture.fidelity for side in sides if side.picture and side.picture.fidelity is not None]
    return sum(scores) / len(scores) if scores else -1.0
