"""The runner: owns the work on comparisons, whatever becomes of the browser that asked for it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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
    ReferenceNotFound,
    StorageError,
    StorageUnavailable,
    StudioError,
    WriteConflict,
)
from core.generation.comparison import (
    AttemptPhase,
    AttemptStart,
    Comparison,
    ComparisonStatus,
    Cost,
    Failure,
    Outcome,
    OutcomeState,
    Picture,
    Server,
    SideStatus,
)
from core.generation.engine import AttachedReference, Engine, Final, Partial, SideRequest
from core.generation.fair_queue import FairQueue
from core.generation.history import History, phase_of
from core.images.decode import decode_picture
from core.images.tone_fidelity import tone_fidelity
from core.injection.wishes import SideName
from core.objects import ObjectStore
from core.references.attributes import Role

_log = structlog.get_logger(__name__)
# How long a finished picture is offered to an S3 that does not take it.
_STORE_PATIENCE_S = 120.0
_CLOSING_PATIENCE_S = 5.0
_T = TypeVar("_T")
Observe = Callable[[Comparison, Outcome], None]


@dataclass(eq=False)
class _Job:
    """One attempt of one side, while this process works on it; `person` asked for it."""

    comparison: Comparison
    side: SideName
    attempt: int
    earlier: tuple[Outcome, ...]
    person: str
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    phase: AttemptPhase = AttemptPhase.QUEUED
    partial: Partial | None = None
    outcome: Outcome | None = None
    stop: EngineFault | None = None
    recorded: bool = False

    @property
    def busy(self) -> bool:
        """Whether something may still come."""
        return self.phase in (AttemptPhase.QUEUED, AttemptPhase.RUNNING)

    def stopped(self) -> bool:
        """Whether somebody cancelled it, or the server is going down."""
        return self.stop is not None


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
    ) -> None:
        self._history = history
        self._store = store
        self._engines = engines
        self._deadline_s = deadline_s
        self._server = server
        self._observe = observe
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="side")
        self._lock = threading.Lock()
        self._queue: FairQueue[_Job] = FairQueue()
        self._jobs: dict[tuple[str, SideName], _Job] = {}
        self._closed = False

    def submit(self, comparison: Comparison) -> None:
        """Record the comparison and start all its sides; the same id a second time changes nothing."""
        self._check_open(comparison.engine)
        try:
            self._history.add(comparison)
        except WriteConflict:
            return
        for record in comparison.sides:
            self._start(_Job(comparison, record.side, attempt=1, earlier=(), person=comparison.person))

    def retry(self, comparison_id: str, side: SideName, *, person: str | None = None) -> None:
        """Run one side again as a new attempt, at the expense of whoever asks.

        Raises InputError while the side is at work.
        """
        status = self.status(comparison_id)
        before = status.side(side)
        if before.busy:
            raise InputError("This side is still at work: wait for it, or cancel it first.")
        self._check_open(status.comparison.engine)
        comparison, attempt = status.comparison, before.attempt + 1
        self._start(_Job(comparison, side, attempt, before.outcomes, person or comparison.person))

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
            self._conclude(job, self._failed(job, _stopped(job)), self._history.add_outcome)

    def status(self, comparison_id: str) -> ComparisonStatus:
        """Where each side stands: from memory while this process works on it, else from S3."""
        jobs = self._jobs_of(comparison_id)
        comparison = self._history.get(comparison_id)
        if jobs.keys() >= {record.side for record in comparison.sides}:
            sides = tuple(self._live(jobs[record.side]) for record in comparison.sides)
            return ComparisonStatus(comparison=comparison, sides=sides)
        stored = self._history.status(comparison_id)
        jobs |= self._jobs_of(comparison_id)
        if any(self._has_lost(side) for side in stored.sides if side.side not in jobs):
            # It ended while S3 was read, or its claim arrived and the answer to that did not.
            stored = self._history.status(comparison_id)
        sides = tuple(self._live(jobs[s.side]) if s.side in jobs else self._settled(s) for s in stored.sides)
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

    def close(self) -> None:
        """End all work: what runs is recorded as interrupted, what waits is never started."""
        with self._lock:
            self._closed = True
            for job in self._jobs.values():
                job.stop = job.stop or EngineFault.INTERRUPTED
        self._pool.shutdown(wait=True)
        self._record_leftovers()

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

    def _start(self, job: _Job) -> None:
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
                self._pool.submit(self._work_next)
        except StudioError:
            with self._lock:
                del self._jobs[name]
                if before is not None and not before.recorded:
                    self._jobs[name] = before
            raise

    def _claim(self, job: _Job, before: _Job | None) -> None:
        """Write an attempt's start, and before it the end of the last one if S3 still lacks that."""
        if before is not None and before.outcome is not None and not before.recorded:
            self._history.add_outcome(before.outcome)
            before.recorded = True
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

    def _jobs_of(self, comparison_id: str) -> dict[SideName, _Job]:
        with self._lock:
            return {side: job for (owner, side), job in self._jobs.items() if owner == comparison_id}

    def _has_lost(self, side: SideStatus) -> bool:
        """Whether S3 says that this very process works on a side; asked only where there is no job."""
        mine = side.server is not None and side.server.boot == self._server.boot
        return mine and side.phase is AttemptPhase.RUNNING

    def _settled(self, side: SideStatus) -> SideStatus:
        return side.model_copy(update={"phase": AttemptPhase.INTERRUPTED}) if self._has_lost(side) else side

    def _live(self, job: _Job) -> SideStatus:
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

    def _work(self, job: _Job) -> None:
        log = _log.bind(comparison=job.comparison.id, side=job.side.value, attempt=job.attempt)
        try:
            outcome = self._attempt(job)
        except EngineError as err:
            outcome = self._failed(job, _as_asked(job, err))
        except StorageError as err:
            outcome = self._failed(job, EngineError(err.message, kind=EngineFault.UNAVAILABLE))
        except StudioError as err:
            outcome = self._failed(job, EngineError(err.message, kind=EngineFault.BAD_REQUEST))
        except Exception:
            incident = str(ULID())
            log.exception("engine_crashed", incident=incident)
            message = f"The engine stopped unexpectedly. Retry this side, or report incident {incident}."
            outcome = self._failed(job, EngineError(message, kind=EngineFault.UNAVAILABLE, charge=Charge()))
        self._conclude(job, outcome, self._add_patiently)

    def _conclude(self, job: _Job, outcome: Outcome, record: Callable[[Outcome], None]) -> None:
        """Record how an attempt ended, then show it; it is shown even if S3 does not take it."""
        log = _log.bind(comparison=job.comparison.id, side=job.side.value, attempt=job.attempt)
        try:
            record(outcome)
            job.recorded = True
        except Exception:
            log.exception("outcome_not_recorded")
        job.outcome = outcome
        job.phase = phase_of(outcome)
        log.info("side_ended", phase=job.phase.value, seconds=round(outcome.seconds, 3))
        self._observe(job.comparison, outcome)
        if job.recorded:
            self._record_leftovers()
        self._forget_ended(job.comparison.id)

    def _record_leftovers(self) -> None:
        """S3 has just taken an outcome, or this is the last chance: offer it those that it did not take."""
        with self._lock:
            left = [(job, job.outcome) for job in self._jobs.values() if job.outcome and not job.recorded]
        for job, outcome in left:
            try:
                self._history.add_outcome(outcome)
            except StorageError as err:
                _log.error("outcome_not_recorded", comparison=job.comparison.id, error=err.message)
                return
            job.recorded = True
            self._forget_ended(job.comparison.id)

    def _add_patiently(self, outcome: Outcome) -> None:
        self._patiently(lambda: self._history.add_outcome(outcome))

    def _attempt(self, job: _Job) -> Outcome:
        """Call the engine and store its picture. Raises EngineError or StorageError."""
        if job.stopped():
            raise _stopped(job)
        record, comparison = job.comparison.side(job.side), job.comparison
        references = tuple(
            self._attached(slot.role, slot.key, slot.etag) for slot in record.slots if slot.key and slot.etag
        )
        request = SideRequest(
            side=job.side,
            prompt=record.prompt,
            references=references,
            size=comparison.size,
            quality=comparison.quality,
            model=comparison.model,
            seed=comparison.seed,
            deadline_s=self._deadline_s,
            person_hash=hashlib.sha256(comparison.person.strip().lower().encode()).hexdigest(),
        )
        final = None
        for step in self._engines[comparison.engine].generate(request, job.stopped):
            if isinstance(step, Final):
                final = step
            else:
                job.partial = step
        if final is None:
            raise EngineError("The engine ended without a picture: retry this side.", kind=EngineFault.UNAVAILABLE)
        try:
            key, etag = self._patiently(
                lambda: self._history.add_picture(comparison.id, job.side, job.attempt, final.data)
            )
        except StorageError as err:  # the picture is lost and its price is not
            charge = Charge(final.cost.usd, final.cost.input_tokens, final.cost.output_tokens)
            raise EngineError(
                err.message, kind=EngineFault.UNAVAILABLE, request_id=final.request_id, charge=charge
            ) from err
        return Outcome(
            comparison=comparison.id,
            side=job.side,
            attempt=job.attempt,
            state=OutcomeState.DONE,
            started_at=job.since,
            finished_at=datetime.now(UTC),
            picture=Picture(
                key=key,
                etag=etag,
                content_type="image/png",
                size=final.size,
                fidelity=_fidelity(final.data, references),
            ),
            request_id=final.request_id,
            cost=final.cost,
            notes=final.notes,
            person=job.person,
            mode=comparison.mode,
        )

    def _attached(self, role: Role, key: str, etag: str) -> AttachedReference:
        """The very bytes that were planned; anything else in their place is refused."""
        try:
            blob = self._store.get(key)
        except ReferenceNotFound as err:
            raise EngineError(
                f"The reference `{key}` has left S3 since it was planned: plan again.",
                kind=EngineFault.BAD_REQUEST,
            ) from err
        if blob.etag != etag:
            raise EngineError(
                f"The reference `{key}` has changed in S3 since it was planned: plan again.",
                kind=EngineFault.BAD_REQUEST,
            )
        return AttachedReference(role=role, key=key, data=blob.data)

    def _failed(self, job: _Job, err: EngineError) -> Outcome:
        return Outcome(
            comparison=job.comparison.id,
            side=job.side,
            attempt=job.attempt,
            state=OutcomeState.FAILED,
            started_at=job.since,
            finished_at=datetime.now(UTC),
            failure=Failure(
                kind=err.kind,
                message=err.message,
                request_id=err.request_id,
                retry_after_s=err.retry_after_s,
            ),
            request_id=err.request_id,
            cost=_cost_of(err),
            person=job.person,
            mode=job.comparison.mode,
        )

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


def _as_asked(job: _Job, err: EngineError) -> EngineError:
    """An engine knows only that it was told to stop; that the server is going down, the job knows."""
    if err.kind is not EngineFault.CANCELLED or job.stop is not EngineFault.INTERRUPTED:
        return err
    if err.charge is None:
        message = _stopped(job).message
    else:
        message = "The server stopped before this side was done; it may still be charged. Retry it."
    return EngineError(message, kind=EngineFault.INTERRUPTED, request_id=err.request_id, charge=err.charge)


def _cost_of(err: EngineError) -> Cost | None:
    if err.charge is None:
        return None
    return Cost(usd=err.charge.usd, input_tokens=err.charge.input_tokens, output_tokens=err.charge.output_tokens)


def _stopped(job: _Job) -> EngineError:
    if job.stop is EngineFault.INTERRUPTED:
        return EngineError("The server stopped before this side was done: retry it.", kind=EngineFault.INTERRUPTED)
    return EngineError("Cancelled before it was done.", kind=EngineFault.CANCELLED)


def _fidelity(picture: bytes, references: tuple[AttachedReference, ...]) -> float | None:
    """The tone-fidelity score against the tone reference, or None without one."""
    tone = next((reference for reference in references if reference.role is Role.TONE), None)
    if tone is None:
        return None
    try:
        return round(tone_fidelity(decode_picture(picture), decode_picture(tone.data)), 1)
    except StudioError:
        return None
