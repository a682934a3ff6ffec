"""The runner: owns the work on comparisons, whatever becomes of the browser that asked for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter
from ulid import ULID

from core.errors import (
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
    Failure,
    Outcome,
    OutcomeState,
    Picture,
    Server,
    SideStatus,
)
from core.generation.engine import AttachedReference, Engine, Final, Partial, SideRequest
from core.generation.history import History, phase_of
from core.images.decode import decode_picture
from core.images.tone_fidelity import tone_fidelity
from core.injection.wishes import SideName
from core.objects import ObjectStore
from core.references.attributes import Role

_log = structlog.get_logger(__name__)
# How long a finished picture is offered to an S3 that does not take it.
_STORE_PATIENCE_S = 120.0
_T = TypeVar("_T")


@dataclass
class _Job:
    """One attempt of one side, while this process works on it."""

    comparison: Comparison
    side: SideName
    attempt: int
    earlier: tuple[Outcome, ...]
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    phase: AttemptPhase = AttemptPhase.QUEUED
    partial: Partial | None = None
    outcome: Outcome | None = None
    stop: EngineFault | None = None
    recorded: bool = False

    def stopped(self) -> bool:
        """Whether somebody cancelled it, or the server is going down."""
        return self.stop is not None


class Runner:
    """Runs sides in an app-wide pool: each on its own, in the order in which they were asked for.

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
    ) -> None:
        self._history = history
        self._store = store
        self._engines = engines
        self._deadline_s = deadline_s
        self._server = server
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="side")
        self._lock = threading.Lock()
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
            self._start(comparison, record.side, attempt=1, earlier=())

    def retry(self, comparison_id: str, side: SideName) -> None:
        """Run one side again as a new attempt. Raises InputError while the side is at work."""
        status = self.status(comparison_id)
        before = status.side(side)
        if before.busy:
            raise InputError("This side is still at work: wait for it, or cancel it first.")
        self._check_open(status.comparison.engine)
        self._start(status.comparison, side, attempt=before.attempt + 1, earlier=before.outcomes)

    def cancel(self, comparison_id: str, side: SideName) -> None:
        """End one side's attempt; nothing happens when it has ended already."""
        with self._lock:
            job = self._jobs.get((comparison_id, side))
            if job is not None:
                job.stop = EngineFault.CANCELLED

    def status(self, comparison_id: str) -> ComparisonStatus:
        """Where each side stands: from memory while this process works on it, else from S3."""
        with self._lock:
            jobs = {side: job for (owner, side), job in self._jobs.items() if owner == comparison_id}
        comparison = self._history.get(comparison_id)
        if jobs.keys() >= {record.side for record in comparison.sides}:
            sides = tuple(self._live(jobs[record.side]) for record in comparison.sides)
            return ComparisonStatus(comparison=comparison, sides=sides)
        stored = self._history.status(comparison_id)
        sides = tuple(self._live(jobs[s.side]) if s.side in jobs else s for s in stored.sides)
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

    def close(self) -> None:
        """End all work: what runs is recorded as interrupted, what waits is never started."""
        with self._lock:
            self._closed = True
            for job in self._jobs.values():
                job.stop = job.stop or EngineFault.INTERRUPTED
        self._pool.shutdown(wait=True)

    def wait(self, comparison_id: str, *, poll_s: float = 0.02) -> ComparisonStatus:
        """Block until no side of a comparison is at work any more."""
        pause = threading.Event()
        while (status := self.status(comparison_id)).busy:
            pause.wait(poll_s)
        return status

    def _check_open(self, engine: str) -> None:
        if self._closed:
            raise EngineError("The server is stopping: try again in a moment.", kind=EngineFault.UNAVAILABLE)
        if engine not in self._engines:
            raise InputError(f"There is no engine `{engine}` here: choose {', '.join(self._engines)}.")

    def _start(self, comparison: Comparison, side: SideName, *, attempt: int, earlier: tuple[Outcome, ...]) -> None:
        job = _Job(comparison, side, attempt, earlier)
        try:
            self._history.add_start(
                AttemptStart(
                    comparison=comparison.id,
                    side=side,
                    attempt=attempt,
                    started_at=job.since,
                    deadline_s=self._deadline_s,
                    server=self._server,
                )
            )
        except WriteConflict as err:
            raise InputError("Somebody else has just started this side: it will show up here.") from err
        with self._lock:
            self._jobs[comparison.id, side] = job
        self._pool.submit(self._work, job)

    def _live(self, job: _Job) -> SideStatus:
        with self._lock:
            waiting = [other for other in self._jobs.values() if other.phase is AttemptPhase.QUEUED]
        ahead = sum(other.since < job.since for other in waiting) if job.phase is AttemptPhase.QUEUED else 0
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

    def _work(self, job: _Job) -> None:
        log = _log.bind(comparison=job.comparison.id, side=job.side.value, attempt=job.attempt)
        job.phase, job.since = AttemptPhase.RUNNING, datetime.now(UTC)
        try:
            outcome = self._attempt(job)
        except EngineError as err:
            outcome = self._failed(job, err)
        except StorageError as err:
            outcome = self._failed(job, EngineError(err.message, kind=EngineFault.UNAVAILABLE))
        except Exception:
            incident = str(ULID())
            log.exception("engine_crashed", incident=incident)
            message = f"The engine stopped unexpectedly. Retry this side, or report incident {incident}."
            outcome = self._failed(job, EngineError(message, kind=EngineFault.UNAVAILABLE))
        try:
            self._patiently(lambda: self._history.add_outcome(outcome))
            job.recorded = True
        except StorageError as err:
            log.error("outcome_not_recorded", error=str(err))  # noqa: TRY400 - the sentence says it all
        job.outcome = outcome
        job.phase = phase_of(outcome)
        log.info("side_ended", phase=job.phase.value, seconds=round(outcome.seconds, 3))
        self._forget_ended(job.comparison.id)

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
        )
        final = None
        for step in self._engines[comparison.engine].generate(request, job.stopped):
            if isinstance(step, Final):
                final = step
            else:
                job.partial = step
        if final is None:
            raise EngineError("The engine ended without a picture: retry this side.", kind=EngineFault.UNAVAILABLE)
        key, etag = self._patiently(lambda: self._history.add_picture(comparison.id, job.side, job.attempt, final.data))
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
        )

    def _forget_ended(self, comparison_id: str) -> None:
        """Once every side has ended and is in S3, memory is no longer needed."""
        with self._lock:
            mine = [key for key in self._jobs if key[0] == comparison_id]
            if all(self._jobs[key].recorded for key in mine):
                for key in mine:
                    del self._jobs[key]

    @staticmethod
    def _patiently(write: Callable[[], _T]) -> _T:
        """Offer a write again while S3 is away. Raises the last StorageError."""
        for attempt in Retrying(
            retry=retry_if_exception_type(StorageUnavailable),
            stop=stop_after_delay(_STORE_PATIENCE_S),
            wait=wait_exponential_jitter(initial=0.5, max=10),
            reraise=True,
        ):
            with attempt:
                return write()
        raise AssertionError("tenacity either returns or raises")


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
