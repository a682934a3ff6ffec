"""Attempt status: where an attempt, a side and a comparison stand."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from core.errors import EngineFault
from core.generation.records.attempt import Server
from core.generation.records.comparison import Comparison
from core.generation.records.outcome import Outcome, OutcomeState, StoredPicture
from core.generation.records.record import Record
from core.injection.wishes import SideName


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
    """The newest attempt of a side, who asked for it, which server claimed it, and every outcome so far."""

    side: SideName
    attempt: int
    phase: AttemptPhase
    outcomes: tuple[Outcome, ...] = ()
    ahead: int = 0
    progress: float | None = None
    since: datetime | None = None
    server: Server | None = None
    person: str | None = None  # older records do not say it

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
    """A comparison with where each of its sides stands."""

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

    def side(self, name: SideName) -> SideStatus:
        """One side's status. Raises KeyError for a side that was not asked for."""
        return {status.side: status for status in self.sides}[name]
