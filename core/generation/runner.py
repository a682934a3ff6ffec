"""The runner: owns the work on comparisons, whatever becomes of the browser that asked for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter
from ulid import ULID

from core.errors import (
    Charge,
    EngineError,
    EngineFault,
    InputError,
    StorageError,
    StorageUnavailable,
    StudioError,
    WriteConflict,
)
from core.generation.attempt import Attempts
from core.generation.comparison import (
    AttemptPhase,
    AttemptStart,
    Comparison,
    ComparisonStatus,
    Outcome,
    Server,
    SideStatus,
    parse_outcome,
)
from core.generation.engine import Engine, Partial
from core.generation.fair_queue import FairQueue
from core.generation.history import History, phase_of
from core.generation.job import Job
from core.generation.outbox import Outbox
from core.injection.wishes import SideName
from core.objects import ObjectStore

_log = structlog.get_logger(__name__)
# How long a finished picture is offered to an S3 that does not take it.
_STORE_PATIENCE_S = 120.0
_CLOSING_PATIENCE_S = 5.0
_T = TypeVar("_T")
Observe = Callable[[Comparison, Outcome], None]


@dataclass(frozen=True, slots=True)
class Load:
    """Sides that wait for their turn, and sides at work."""

    waiting: int
    running: int


class Runner:
    """Runs sides in an app-wide pool: each on its own, and each person in turn.

    A comparison's record and each attempt's start are in S3 before an engine is called; a picture is in
    S3 before anybody is shown it.
    """

    def __init__(
        self,
        history: History,
        store: ObjectStore,
        engines: Mapping[str, Engine],
        *,
        concurrency: int,
        deadline_s: float,
        server: Server,
        observe: Observe = lambda _comparison, _outcome: None,
        outbox: Outbox | None = None,
        stop_patience_s: float = 0.0,
    ) -> None:
        """Without an `outbox` a picture that S3 never takes is lost; `stop_patience_s` as in `close`."""
        self._history = history
        self._engines = engines
        self._deadline_s = deadline_s
        self._server = server
        self._observe = observe
        self._outbox = outbox
        self._stop_patience_s = stop_patience_s
        self._attempts = Attempts(history, store, engines, outbox, deadline_s=deadline_s)
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="side")
        self._lock = threading.Lock()
        self._queue: FairQueue[Job] = FairQueue()
        self._jobs: dict[tuple[str, SideName], Job] = {}
        self._working: set[Future[None]] = set()
        self._abandoned: set[str] = set()  # comparisons whose sides this process did not all begin
        self._closed = False

    def submit(self, comparison: Comparison) -> None:
        """Record the comparison and start all its sides; the same id a second time changes nothing."""
        self._check_open(comparison.engine)
        self._attempts.prepare_soon(comparison)
        try:
            self._history.add(comparison)
        except WriteConflict:
            return
        try:
            for record in comparison.sides:
                self._start(Job(comparison, record.side, attempt=1, earlier=(), person=comparison.person))
        except StudioError:
            self._abandoned.add(comparison.id)
            raise

    def retry(self, comparison_id: str, side: SideName, *, person: str | None = None) -> None:
        """Run one side again as a new attempt, at the expense of whoever asks.

        A picture that is made and only waits for S3 is stored instead.
        Raises InputError while the side is at work.
        """
        status = self.status(comparison_id)
        before = status.side(side)
        if before.busy:
            raise InputError("This side is still at work: wait for it, or cancel it first.")
        if self._is_stored_now(comparison_id, before):
            return
        self._check_open(status.comparison.engine)
        comparison, attempt = status.comparison, before.attempt + 1
        self._start(Job(comparison, side, attempt, before.outcomes, person or comparison.person))

    def cancel(self, comparison_id: str, side: SideName) -> None:
        """End one side's attempt: at once while it waits, else as soon as its engine looks up.

        Nothing happens when it has ended already.
        """
        with self._lock:
            job = self._jobs.get((comparison_id, side))
            if job is None or not job.busy:
                return
            job.stop = job.stop or EngineFault.CANCELLED
            was_waiting = self._queue.remove(job.person, job)
        if was_waiting:
            self._end_unbegun(job)

    def status(self, comparison_id: str) -> ComparisonStatus:
        """Where each side stands: from memory while this process works on it, else from S3."""
        jobs = self._jobs_of(comparison_id)
        comparison = self._history.get(comparison_id)
        if jobs.keys() >= {record.side for record in comparison.sides}:
            sides = tuple(self._live(jobs[record.side]) for record in comparison.sides)
            return ComparisonStatus(comparison=comparison, sides=sides)
        stored = self._history.status(comparison_id)
        jobs |= self._jobs_of(comparison_id)
        if any(self._has_lost(comparison_id, side) for side in stored.sides if side.side not in jobs):
            # It ended while S3 was read, or its claim arrived and the answer to that did not.
            stored = self._history.status(comparison_id)
        sides = tuple(
            self._live(jobs[s.side]) if s.side in jobs else self._settled(comparison_id, s) for s in stored.sides
        )
        return ComparisonStatus(comparison=comparison, sides=sides)

    def statuses(self, comparison_ids: Sequence[str]) -> list[ComparisonStatus]:
        """Many statuses, read side by side; the order is kept."""
        if not comparison_ids:
            return []
        with ThreadPoolExecutor(min(16, len(comparison_ids))) as pool:
            return list(pool.map(self.status, comparison_ids))

    def partial(self, comparison_id: str, side: SideName) -> Partial | None:
        """The newest picture on its way, if this process makes one."""
        with self._lock:
            job = self._jobs.get((comparison_id, side))
        return job.partial if job else None

    @property
    def load(self) -> Load:
        """How much waits and how much runs in this process."""
        with self._lock:
            running = sum(job.phase is AttemptPhase.RUNNING for job in self._jobs.values())
            return Load(waiting=len(self._queue), running=running)

    def recover(self) -> None:
        """Store the finished pictures that an earlier process on this machine could not."""
        if self._outbox is not None:
            self._outbox.deliver_all()

    def close(self) -> None:
        """End all work: what waits is interrupted at once, what runs may take `stop_patience_s` more to finish."""
        with self._lock:
            self._closed = True
            waiting = [job for job in self._jobs.values() if self._queue.remove(job.person, job)]
            for job in waiting:
                job.stop = job.stop or EngineFault.INTERRUPTED
        for job in waiting:
            self._end_unbegun(job)
        wait_for(list(self._working), timeout=self._stop_patience_s)
        with self._lock:
            for job in self._jobs.values():
                job.stop = job.stop or EngineFault.INTERRUPTED
        self._pool.shutdown(wait=True)
        self._record_leftovers()
        self._attempts.close()

    def wait(self, comparison_id: str, *, poll_s: float = 0.02) -> ComparisonStatus:
        """Block until no side of a comparison is at work any more."""
        pause = threading.Event()
        while (status := self.status(comparison_id)).busy:
            pause.wait(poll_s)
        return status

    def _check_open(self, engine: str) -> None:
        if self._closed:
            raise _closing()
        if engine not in self._engines:
            raise InputError(f"There is no engine `{engine}` here: choose {', '.join(self._engines)}.")

    def _start(self, job: Job) -> None:
        name = (job.comparison.id, job.side)
        with self._lock:  # known here before it is claimed in S3, so that a claim of ours always has a job
            before = self._jobs.get(name)
            if before is not None and before.busy:
                raise InputError("This side is still at work: wait for it, or cancel it first.")
            self._jobs[name] = job
        try:
            self._claim(job, before)
            with self._lock:
                if self._closed:
                    raise _closing()
                self._queue.add(job.person, job)
                work = self._pool.submit(self._work_next)
                self._working.add(work)
                work.add_done_callback(self._working.discard)
        except StudioError:
            with self._lock:
                del self._jobs[name]
                if before is not None and not before.recorded:
                    self._jobs[name] = before
            raise

    def _claim(self, job: Job, before: Job | None) -> None:
        """Write an attempt's start, and before it the end of the last one if S3 still lacks that."""
        if before is not None and not before.recorded:
            self._record(before)
        start = AttemptStart(
            comparison=job.comparison.id,
            side=job.side,
            attempt=job.attempt,
            started_at=job.since,
            deadline_s=self._deadline_s,
            server=self._server,
            person=job.person,
        )
        try:
            self._history.add_start(start)
        except WriteConflict as err:
            raise InputError("Somebody else has just started this side: it will show up here.") from err

    def _jobs_of(self, comparison_id: str) -> dict[SideName, Job]:
        with self._lock:
            return {side: job for (owner, side), job in self._jobs.items() if owner == comparison_id}

    def _has_lost(self, comparison_id: str, side: SideStatus) -> bool:
        """Whether S3 says that this very process works on a side, or will; asked only where there is no job."""
        if side.phase is AttemptPhase.QUEUED:
            return comparison_id in self._abandoned
        mine = side.server is not None and side.server.boot == self._server.boot
        return mine and side.phase is AttemptPhase.RUNNING

    def _settled(self, comparison_id: str, side: SideStatus) -> SideStatus:
        lost = self._has_lost(comparison_id, side)
        return side.model_copy(update={"phase": AttemptPhase.INTERRUPTED}) if lost else side

    def _live(self, job: Job) -> SideStatus:
        with self._lock:
            ahead = self._queue.place(job)
        outcomes = (*job.earlier, job.outcome) if job.outcome else job.earlier
        return SideStatus(
            side=job.side,
            attempt=job.attempt,
            phase=job.phase,
            outcomes=outcomes,
            ahead=ahead,
            progress=job.partial.progress if job.partial else None,
            since=job.since,
        )

    def _work_next(self) -> None:
        """Work on what is next by now; that may be nothing, for what was cancelled waits no more."""
        with self._lock:
            job = self._queue.take()
            if job is None:
                return
            job.phase, job.since = AttemptPhase.RUNNING, datetime.now(UTC)
        about = {"comparison": job.comparison.id, "side": job.side.value, "attempt": job.attempt}
        try:
            with structlog.contextvars.bound_contextvars(**about):  # whatever is logged below says whose it is
                _log.info("side_began", engine=job.comparison.engine, person=job.person)
                self._work(job)
        finally:
            with self._lock:
                self._queue.end(job.person)

    def _work(self, job: Job) -> None:
        log = _log.bind(comparison=job.comparison.id, side=job.side.value, attempt=job.attempt)
        try:
            outcome = self._attempts.make(job, self._patiently)
        except EngineError as err:
            outcome = job.failed(err)
        except StorageError as err:
            outcome = job.failed(EngineError(err.message, kind=EngineFault.UNAVAILABLE))
        except StudioError as err:
            outcome = job.failed(EngineError(err.message, kind=EngineFault.BAD_REQUEST))
        except Exception:
            incident = str(ULID())
            log.exception("engine_crashed", incident=incident)
            message = f"The engine stopped unexpectedly. Retry this side, or report incident {incident}."
            outcome = job.failed(EngineError(message, kind=EngineFault.UNAVAILABLE, charge=Charge()))
        if job.kept and outcome.picture is None:  # its end is the picture on the disk, once S3 takes that
            self._end(job, outcome)
        else:
            self._conclude(job, outcome, lambda: self._patiently(lambda: self._add(outcome)))

    def _end_unbegun(self, job: Job) -> None:
        """Conclude what was stopped while it waited."""
        try:
            job.check_wanted()
        except EngineError as err:
            outcome = job.failed(err)
            self._conclude(job, outcome, lambda: self._add(outcome))

    def _conclude(self, job: Job, outcome: Outcome, record: Callable[[], Outcome]) -> None:
        """Record how an attempt ended, then show it; it is shown even if S3 does not take it."""
        log = _log.bind(comparison=job.comparison.id, side=job.side.value, attempt=job.attempt)
        try:
            outcome = record()
            job.recorded = True
        except Exception:
            log.exception("outcome_not_recorded")
        if job.recorded and job.kept and self._outbox is not None:
            self._outbox.drop(outcome)
        self._end(job, outcome)
        if job.recorded:
            self._record_leftovers()

    def _end(self, job: Job, outcome: Outcome) -> None:
        job.outcome = outcome
        job.phase = phase_of(outcome)
        log = _log.bind(comparison=job.comparison.id, side=job.side.value, attempt=job.attempt)
        log.info("side_ended", phase=job.phase.value, seconds=round(outcome.seconds, 3))
        self._observe(job.comparison, outcome)
        self._forget_ended(job.comparison.id)

    def _add(self, outcome: Outcome) -> Outcome:
        """Write an outcome. Where a picture's is known already, somebody delivered it from the outbox: that counts."""
        try:
            self._history.add_outcome(outcome)
        except WriteConflict as known:
            theirs = parse_outcome(known.theirs) if known.theirs and outcome.picture else None
            if theirs is None or theirs.picture is None:
                raise
            return theirs
        return outcome

    def _record(self, job: Job) -> None:
        """Write down an end that S3 did not take at its time. Raises StorageError."""
        if job.outcome is None:
            return
        delivered = self._delivered(job.comparison.id, job.side, job.attempt) if job.kept else None
        job.outcome = delivered or self._add(job.outcome)
        job.phase = phase_of(job.outcome)
        job.recorded = True

    def _record_leftovers(self) -> None:
        """S3 has just taken an outcome, or this is the last chance: offer it those that it did not take."""
        with self._lock:
            left = [job for job in self._jobs.values() if job.outcome and not job.recorded]
        for job in left:
            try:
                self._record(job)
            except StorageError as err:
                _log.error("outcome_not_recorded", comparison=job.comparison.id, error=err.message)
                return
            self._forget_ended(job.comparison.id)

    def _is_stored_now(self, comparison_id: str, side: SideStatus) -> bool:
        """Whether a side that seemed to have failed had a picture waiting for S3, and has it there now."""
        with self._lock:
            job = self._jobs.get((comparison_id, side.side))
        if job is not None and job.kept and not job.recorded:
            self._record(job)
            self._forget_ended(comparison_id)
            return job.phase is AttemptPhase.DONE
        return job is None and self._delivered(comparison_id, side.side, side.attempt) is not None

    def _delivered(self, comparison_id: str, side: SideName, attempt: int) -> Outcome | None:
        """The outcome of a picture that had only waited for S3, and is stored now. Raises StorageError."""
        return self._outbox.deliver(comparison_id, side, attempt) if self._outbox is not None else None

    def _forget_ended(self, comparison_id: str) -> None:
        """Once every side has ended and is in S3, memory is no longer needed."""
        with self._lock:
            mine = [key for key in self._jobs if key[0] == comparison_id]
            if all(self._jobs[key].recorded for key in mine):
                for key in mine:
                    del self._jobs[key]

    def _patiently(self, write: Callable[[], _T]) -> _T:
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
        patience_s = _CLOSING_PATIENCE_S if self._closed else _STORE_PATIENCE_S
        return (state.seconds_since_start or 0.0) >= patience_s


def _closing() -> EngineError:
    return EngineError("The server is stopping: try again in a moment.", kind=EngineFault.UNAVAILABLE)
