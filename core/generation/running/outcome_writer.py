"""Outcome writer: how attempts ended is written to S3 and shown; what S3 does not take is offered to it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from core.errors import StorageError, StorageUnavailable, WriteConflict
from core.generation.records.attempt import AttemptId
from core.generation.records.attempt_status import AttemptPhase, SideStatus
from core.generation.records.comparison import Comparison
from core.generation.records.history import History
from core.generation.records.outcome import Outcome
from core.generation.running.job import Job
from core.generation.running.job_board import JobBoard
from core.generation.running.spool import Spool

_log = structlog.get_logger(__name__)
# How long a finished picture is offered to an S3 that does not take it.
_STORE_PATIENCE_S = 120.0
_CLOSING_PATIENCE_S = 1.0  # all that a stop has after GENERATION_STOP_S is 2 s
_T = TypeVar("_T")
Observe = Callable[[Comparison, Outcome], None]


class OutcomeWriter:
    """Ends the jobs of a board. Without a `spool` a picture that S3 never takes is lost."""

    def __init__(self, history: History, board: JobBoard, spool: Spool | None, observe: Observe) -> None:
        self._history = history
        self._board = board
        self._spool = spool
        self._observe = observe
        self.is_closing = False  # then nobody waits for S3 for long

    def conclude(self, job: Job, outcome: Outcome, *, patient: bool) -> None:
        """Record how an attempt ended, then show it; it is shown even if S3 does not take it."""
        if job.kept and outcome.picture is None:  # its end is the picture on the disk, once S3 takes that
            self._show(job, outcome)
            return
        log = _log.bind(**job.about)
        try:
            outcome = self.patiently(lambda: self._add(outcome)) if patient else self._add(outcome)
            job.recorded = True
        except Exception:
            log.exception("outcome_not_recorded")
        if job.recorded and job.kept and self._spool is not None:
            self._spool.drop(outcome)
        self._show(job, outcome)
        if job.recorded:
            self.record_leftovers()

    def record(self, job: Job) -> None:
        """Write down an end that S3 did not take at its time. Raises StorageError."""
        if job.outcome is None:
            return
        delivered = self._deliver(job.id) if job.kept else None
        job.outcome = delivered or self._add(job.outcome)
        job.phase = AttemptPhase.after(job.outcome)
        job.recorded = True

    def record_leftovers(self) -> None:
        """S3 has just taken an outcome, or this is the last chance: offer it those that it did not take."""
        for job in self._board.all():
            if job.outcome is None or job.recorded:
                continue
            try:
                self.record(job)
            except StorageError as err:
                _log.error("outcome_not_recorded", comparison=job.comparison.id, error=err.message)
                return
            self._board.forget_ended(job.comparison.id)

    def is_stored_now(self, comparison_id: str, side: SideStatus) -> bool:
        """Whether a side that seemed to have failed had a picture waiting for S3, and has it there now."""
        job = self._board.get(comparison_id, side.place)
        if job is not None and job.kept and not job.recorded:
            self.record(job)
            self._board.forget_ended(comparison_id)
            return job.phase is AttemptPhase.DONE
        of = AttemptId(comparison_id, side.side, side.attempt, side.take)
        return job is None and self._deliver(of) is not None

    def patiently(self, write: Callable[[], _T]) -> _T:
        """Offer a write again while S3 is away. Raises the last StorageError."""
        for attempt in Retrying(
            retry=retry_if_exception_type(StorageUnavailable),
            stop=self._is_out_of_patience,
            wait=wait_exponential_jitter(multiplier=0.5, max=10),
            reraise=True,
        ):
            with attempt:
                return write()
        raise AssertionError("tenacity either returns or raises")

    def _is_out_of_patience(self, state: RetryCallState) -> bool:
        patience_s = _CLOSING_PATIENCE_S if self.is_closing else _STORE_PATIENCE_S
        return (state.seconds_since_start or 0.0) >= patience_s

    def _show(self, job: Job, outcome: Outcome) -> None:
        job.outcome = outcome
        job.phase = AttemptPhase.after(outcome)
        _log.info("side_ended", phase=job.phase.value, seconds=round(outcome.seconds, 3), **job.about)
        self._observe(job.comparison, outcome)
        self._board.forget_ended(job.comparison.id)

    def _add(self, outcome: Outcome) -> Outcome:
        """Write an outcome. Where a picture's is known already, somebody delivered it from the spool: that counts."""
        try:
            self._history.add_outcome(outcome)
        except WriteConflict as known:
            theirs = Outcome.from_json(known.theirs) if known.theirs and outcome.picture else None
            if theirs is None or theirs.picture is None:
                raise
            return theirs
        return outcome

    def _deliver(self, of: AttemptId) -> Outcome | None:
        """The outcome of a picture that had only waited for S3, and is stored now. Raises StorageError."""
        return self._spool.deliver(of) if self._spool is not None else None
