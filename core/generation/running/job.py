"""A job: one attempt of one take of a side while this process works on it, and how it is said to have ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.errors import EngineError, EngineFault
from core.generation.engines.engine import PartialPicture
from core.generation.records.attempt import AttemptId
from core.generation.records.attempt_status import AttemptPhase
from core.generation.records.comparison import Comparison, RenderSettings, SideTake
from core.generation.records.outcome import Cancellation, Outcome


@dataclass(eq=False)
class Job:
    """One attempt of one take of a side; `person` asked for it, and pays.

    `recorded` once its end is in S3, `kept` while its picture is on this server's disk and not yet there.
    """

    comparison: Comparison
    place: SideTake
    attempt: int
    earlier: tuple[Outcome, ...]
    person: str
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    phase: AttemptPhase = AttemptPhase.QUEUED
    partial: PartialPicture | None = None
    outcome: Outcome | None = None
    stop: EngineFault | None = None
    cancelled: Cancellation | None = None
    recorded: bool = False
    kept: bool = False

    @property
    def busy(self) -> bool:
        """Whether something may still come."""
        return self.phase in (AttemptPhase.QUEUED, AttemptPhase.RUNNING)

    @property
    def id(self) -> AttemptId:
        """The attempt's name."""
        return AttemptId(self.comparison.id, self.place.side, self.attempt, self.place.take)

    @property
    def render(self) -> RenderSettings:
        """How its picture is to be made."""
        return self.comparison.render_of(self.place.side)

    @property
    def about(self) -> dict[str, object]:
        """Whose log line it is."""
        side, take = self.place
        return {"comparison": self.comparison.id, "side": side.value, "take": take, "attempt": self.attempt}

    def is_stopped(self) -> bool:
        """Whether somebody cancelled it, or the server is going down."""
        return self.stop is not None

    def cancel(self, person: str) -> None:
        """Have it stopped; who is first stands in the record, and what is stopped already stays as it is."""
        if self.stop is None:
            self.stop, self.cancelled = EngineFault.CANCELLED, Cancellation(person=person, at=datetime.now(UTC))

    def check_wanted(self) -> None:
        """Raise EngineError once it is stopped."""
        if self.stop is EngineFault.INTERRUPTED:
            raise EngineError("The server stopped before this side was done: retry it.", kind=self.stop)
        if self.stop is not None:
            raise EngineError("Cancelled before it was done.", kind=EngineFault.CANCELLED)

    def fail(self, err: EngineError) -> Outcome:
        """The outcome of an attempt that brought no picture."""
        return Outcome.failed(
            self.id,
            self._as_asked(err),
            began=self.since,
            ended=datetime.now(UTC),
            person=self.person,
            mode=self.comparison.mode,
            varies=self.comparison.varies,
            cancelled=self.cancelled,
        )

    def _as_asked(self, err: EngineError) -> EngineError:
        """An engine knows only that it was told to stop; that the server is going down, the job knows."""
        if err.kind is not EngineFault.CANCELLED or self.stop is not EngineFault.INTERRUPTED:
            return err
        return EngineError(
            "The server stopped before this side was done; it may still be charged. Retry it."
            if err.charge
            else "The server stopped before this side was done: retry it.",
            kind=EngineFault.INTERRUPTED,
            request_id=err.request_id,
            charge=err.charge,
        )
