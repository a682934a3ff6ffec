"""The runner: owns the work on comparisons, whatever becomes of the browser that asked for it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from core.concurrency.background import report_failures
from core.errors import (
    Charge,
    EngineError,
    EngineFault,
    InputError,
    StorageError,
    StudioError,
    WriteConflict,
)
from core.generation.engines.engine import Engine, PartialPicture, engine_named
from core.generation.records.attempt import AttemptStart
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison, RenderSettings, SideRecord, SideTake
from core.generation.records.history import History
from core.generation.running.attachments import Attachments
from core.generation.running.attempt import Attempts
from core.generation.running.ended_statuses import EndedStatuses
from core.generation.running.fair_queue import FairQueue
from core.generation.running.job import Job
from core.generation.running.job_board import JobBoard
from core.generation.running.outcome_writer import Observe, OutcomeWriter
from core.generation.running.own_queue import Move, Waiting, by_comparison, moved
from core.generation.running.spool import Spool
from core.injection.request.wishes import SideName
from core.logs.incidents import report
from core.objects.objects import ObjectStore

_log = structlog.get_logger(__name__)
WAITING_SIDES_MAX: Final = 40  # of one person, each take counted: twenty comparisons of one take, five of four
_WRITERS = 16


@dataclass(frozen=True, slots=True)
class Load:
    """Sides that wait for their turn, and sides at work, each take counted."""

    waiting: int
    running: int


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How many sides run at once, how long each may take, and how long a stop waits for those that run."""

    concurrency: int
    deadline_s: float
    stop_patience_s: float = 0.0


class Runner:
    """Runs sides, take by take, in an app-wide pool: each on its own, and each person in turn.

    A comparison's record and each attempt's start are in S3 before an engine is called; a picture is in
    S3 before anybody is shown it.
    """

    def __init__(
        self,
        history: History,
        store: ObjectStore,
        engines: Mapping[str, Engine],
        limits: RunLimits,
        *,
        observe: Observe = lambda _comparison, _outcome: None,
        spool: Spool | None = None,
        archived: Callable[[str], None] = lambda _key: None,
    ) -> None:
        """Without a `spool` a picture that S3 never takes is lost; `archived` as in Attachments."""
        self._history = history
        self._engines = engines
        self._limits = limits
        self._server = history.status_reader.server
        self._board = JobBoard()
        self._outcome_writer = OutcomeWriter(history, self._board, spool, observe)
        self._spool = spool
        self._attachments = Attachments(store, archived=archived)
        self._attempts = Attempts(history, self._attachments, engines, spool, deadline_s=limits.deadline_s)
        self._pool = ThreadPoolExecutor(limits.concurrency, thread_name_prefix="side")
        self._lock = threading.Lock()
        self._queue: FairQueue[Job] = FairQueue()
        self._coming: Counter[str] = Counter()  # sides on their way into the queue, by person
        self._ended = EndedStatuses()
        self._working: set[Future[None]] = set()
        self._abandoned: set[str] = set()  # comparisons whose sides this process did not all begin
        self._closed = False

    def prefetch(self, sides: Iterable[SideRecord], render: RenderSettings) -> None:
        """Get what planned sides would send ready in the background, as far as there is room for it."""
        if not self._closed:
            self._attachments.prefetch(sides, lambda side: self._engines[(side.render or render).engine].prepare)

    def submit(self, comparison: Comparison) -> None:
        """Record the comparison and start every take of all its sides; the same id a second time changes nothing.

        Raises InputError where too many of its orderer's pictures wait already.
        """
        for side in comparison.sides:
            self._check_open(comparison.render_of(side.side).engine)
        with self._room_for(len(comparison.side_takes), comparison.person):
            self._submit(comparison)

    def _submit(self, comparison: Comparison) -> None:
        self._attachments.prepare_soon(
            comparison.sides, lambda side: self._engines[comparison.render_of(side.side).engine].prepare
        )
        try:
            self._history.add(comparison)
        except WriteConflict:
            return
        try:
            for place in comparison.side_takes:
                self._start(Job(comparison, place, attempt=1, earlier=(), person=comparison.person))
        except StudioError:
            self._abandoned.add(comparison.id)
            raise

    def retry(self, comparison_id: str, side: SideName, *, take: int = 1, person: str | None = None) -> None:
        """Run one take of a side again as a new attempt, at the expense of whoever asks.

        A picture that is made and only waits for S3 is stored instead.
        Raises InputError while the side is at work.
        """
        status = self.status(comparison_id)
        before = status.side(side, take)
        if before.busy:
            raise InputError("This side is still at work: wait for it, or cancel it first.")
        if self._outcome_writer.is_stored_now(comparison_id, before):
            return
        comparison, attempt = status.comparison, before.attempt + 1
        self._check_open(comparison.render_of(side).engine)
        person = person or comparison.person
        with self._room_for(1, person):
            self._start(Job(comparison, before.place, attempt, before.outcomes, person))

    def cancel(self, comparison_id: str, side: SideName, *, take: int = 1, person: str) -> None:
        """End the attempt at one take of a side for `person`: at once while it waits, else when its engine looks up.

        Nothing happens when it has ended already. Raises InputError while another server works on it.
        """
        job = self._board.get(comparison_id, SideTake(side, take))
        if job is None:
            if self.status(comparison_id).side(side, take).busy:
                raise InputError("Another server works on this side, and only that one can cancel it: wait for it.")
            return
        with self._lock:
            if not job.busy:
                return
            job.cancel(person)
            was_waiting = self._queue.remove(job.person, job)
        _log.info("side_cancelled", person=person, **job.about)
        if was_waiting:
            self._end_unbegun(job)

    def waiting_of(self, person: str) -> tuple[Waiting, ...]:
        """What waits here of the work that this person asked for, in its order."""
        with self._lock:
            groups = by_comparison(self._queue.waiting_of(person))
            return tuple(
                Waiting(
                    comparison=comparison_id,
                    prompt=jobs[0].comparison.wishes.prompt,
                    places=tuple(job.place for job in jobs),
                    ahead=min(map(self._queue.place, jobs)),
                )
                for comparison_id, jobs in groups.items()
            )

    def move(self, comparison_id: str, move: Move, *, person: str) -> None:
        """Have what waits of a comparison begin sooner or later than the rest of what this person asked for.

        Nobody else's work begins sooner or later for it. Raises InputError where nothing of theirs waits.
        """
        with self._lock:
            try:
                order = moved(self._queue.waiting_of(person), comparison_id, move)
            except KeyError:
                raise InputError(
                    "Nothing of this comparison waits for you any more: it is at work by now, or has ended."
                ) from None
            self._queue.arrange(person, order)
        _log.info("queue_moved", comparison=comparison_id, person=person, move=move.value)

    def status(self, comparison_id: str) -> ComparisonStatus:
        """Where each side's takes stand: from memory while this process works on it, else from S3."""
        jobs = self._board.of(comparison_id)
        comparison = self._history.get(comparison_id)
        if jobs.keys() >= set(comparison.side_takes):
            sides = tuple(self._status_of(jobs[place]) for place in comparison.side_takes)
            return ComparisonStatus(comparison=comparison, sides=sides)
        stored = self._history.status(comparison_id)
        jobs |= self._board.of(comparison_id)
        if any(self._has_lost(comparison_id, side) for side in stored.sides if side.place not in jobs):
            # It ended while S3 was read, or its claim arrived and the answer to that did not.
            stored = self._history.status(comparison_id)
        sides = tuple(
            self._status_of(jobs[s.place]) if s.place in jobs else self._settle(comparison_id, s) for s in stored.sides
        )
        return ComparisonStatus(comparison=comparison, sides=sides)

    def statuses(self, comparison_ids: Sequence[str]) -> list[ComparisonStatus]:
        """Many statuses, read side by side; the order is kept."""
        if not comparison_ids:
            return []
        with ThreadPoolExecutor(min(16, len(comparison_ids))) as pool:
            return list(pool.map(self.status, comparison_ids))

    def work_of(self, person: str) -> list[ComparisonStatus]:
        """What this process has at work or waiting of what this person asked for, oldest first; S3 is not asked.

        Of each comparison it has the sides that are in hand here, ended ones among them.
        """
        jobs: dict[str, list[Job]] = {}
        for job in self._board.all():
            if job.person == person:
                jobs.setdefault(job.comparison.id, []).append(job)
        return [
            ComparisonStatus(comparison=mine[0].comparison, sides=tuple(map(self._status_of, mine)))
            for mine in jobs.values()
            if any(job.busy for job in mine)
        ]

    def statuses_lately(self, comparison_ids: Sequence[str]) -> list[ComparisonStatus]:
        """The same for who asks every second: what ended elsewhere may be told half a minute late.

        What this process works on is told as it is.
        """
        kept = {one: None if self._board.of(one) else self._ended.get(one) for one in comparison_ids}
        read = {status.comparison.id: status for status in self.statuses([one for one in kept if kept[one] is None])}
        for status in read.values():
            if not self._board.of(status.comparison.id):
                self._ended.keep(status)
        return [kept[one] or read[one] for one in comparison_ids]

    def partial(self, comparison_id: str, side: SideName, take: int = 1) -> PartialPicture | None:
        """The newest picture on its way, if this process makes one."""
        job = self._board.get(comparison_id, SideTake(side, take))
        return job.partial if job else None

    @property
    def load(self) -> Load:
        """How much waits and how much runs in this process."""
        running = sum(job.phase is AttemptPhase.RUNNING for job in self._board.all())
        with self._lock:
            return Load(waiting=len(self._queue), running=running)

    def recover(self) -> None:
        """Store the finished pictures that an earlier process on this machine could not."""
        if self._spool is not None:
            self._spool.deliver_all()

    def close(self) -> None:
        """End all work: what waits is interrupted at once, what runs may take `stop_patience_s` more to finish."""
        with self._lock:
            self._closed = self._outcome_writer.is_closing = True
            waiting = [job for job in self._board.all() if self._queue.remove(job.person, job)]
            for job in waiting:
                job.stop = job.stop or EngineFault.INTERRUPTED
        if waiting:
            with ThreadPoolExecutor(_WRITERS) as writers:  # one after the other, a long queue would outlast the stop
                list(writers.map(self._end_unbegun, waiting))
        wait_for(list(self._working), timeout=self._limits.stop_patience_s)
        with self._lock:
            for job in self._board.all():
                job.stop = job.stop or EngineFault.INTERRUPTED
        self._pool.shutdown(wait=True)
        self._outcome_writer.record_leftovers()
        self._attachments.close()
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
        engine_named(self._engines, engine)

    @contextmanager
    def _room_for(self, sides: int, person: str) -> Iterator[None]:
        """These sides go into the queue inside. Raises InputError where too many of this person's wait already."""
        with self._lock:
            waiting = len(self._queue.waiting_of(person)) + self._coming[person]
            if waiting + sides > WAITING_SIDES_MAX:
                raise InputError(
                    "{} of your pictures wait for their turn, and at most {} may: let some of them begin, "
                    "or cancel some in your queue.",
                    waiting,
                    WAITING_SIDES_MAX,
                )
            self._coming[person] += sides
        try:
            yield
        finally:
            with self._lock:
                self._coming[person] -= sides
                self._coming += Counter()  # without those who have none

    def _start(self, job: Job) -> None:
        self._ended.forget(job.comparison.id)
        before = self._board.put(job)  # before it is claimed in S3, so that a claim of ours always has a job
        try:
            self._claim(job, before)
            with self._lock:
                if self._closed:
                    raise _closing()
                self._queue.add(job.person, job)
                work = self._pool.submit(report_failures(self._work_next, name="side"))
                self._working.add(work)
                work.add_done_callback(self._working.discard)
        except StudioError:
            self._board.take_back(job, before)
            raise

    def _claim(self, job: Job, before: Job | None) -> None:
        """Write an attempt's start, and before it the end of the last one if S3 still lacks that."""
        if before is not None and not before.recorded:
            self._outcome_writer.record(before)
        start = AttemptStart(
            **job.id._asdict(),
            started_at=job.since,
            deadline_s=self._limits.deadline_s,
            server=self._server,
            person=job.person,
            waits_s=self._longest_wait_s(),
        )
        try:
            self._history.add_start(start)
        except WriteConflict as err:
            raise InputError("Somebody else has just started this side: it will show up here.") from err

    def _longest_wait_s(self) -> float:
        """For how long all that waits by now may keep the workers busy."""
        with self._lock:
            return len(self._queue) / self._limits.concurrency * self._limits.deadline_s

    def _has_lost(self, comparison_id: str, side: SideStatus) -> bool:
        """Whether S3 says that this very process works on a side, or will; asked only where there is no job."""
        if side.phase is AttemptPhase.QUEUED:
            return comparison_id in self._abandoned
        mine = side.server is not None and side.server.boot == self._server.boot
        return mine and side.phase is AttemptPhase.RUNNING

    def _settle(self, comparison_id: str, side: SideStatus) -> SideStatus:
        lost = self._has_lost(comparison_id, side)
        return side.model_copy(update={"phase": AttemptPhase.INTERRUPTED}) if lost else side

    def _status_of(self, job: Job) -> SideStatus:
        with self._lock:
            ahead = self._queue.place(job)
        outcomes = (*job.earlier, job.outcome) if job.outcome else job.earlier
        return SideStatus(
            side=job.place.side,
            take=job.place.take,
            attempt=job.attempt,
            phase=job.phase,
            outcomes=outcomes,
            ahead=ahead,
            progress=job.partial.progress if job.partial else None,
            since=job.since,
            person=job.person,
        )

    def _work_next(self) -> None:
        """Work on what is next by now; that may be nothing, for what was cancelled waits no more."""
        with self._lock:
            job = self._queue.take()
            if job is None:
                return
            job.phase, job.since = AttemptPhase.RUNNING, datetime.now(UTC)
        try:
            with structlog.contextvars.bound_contextvars(**job.about):  # whatever is logged below says whose it is
                _log.info("side_began", engine=job.render.engine, person=job.person)
                self._work(job)
        finally:
            with self._lock:
                self._queue.end(job.person)

    def _work(self, job: Job) -> None:
        try:
            outcome = self._attempts.make(job, self._outcome_writer.patiently)
        except EngineError as err:
            outcome = job.fail(err)
        except StorageError as err:
            outcome = job.fail(EngineError("{}", err, kind=EngineFault.UNAVAILABLE))
        except StudioError as err:
            outcome = job.fail(EngineError("{}", err, kind=EngineFault.BAD_REQUEST))
        except Exception as err:  # noqa: BLE001 - whatever it is, the side ends, with an incident id
            incident = report("engine_crashed", err, **job.about)
            crashed = EngineError(
                "The engine stopped unexpectedly. Retry this side, or report incident {}.",
                incident,
                kind=EngineFault.UNAVAILABLE,
                charge=Charge(),
            )
            outcome = job.fail(crashed)
        self._outcome_writer.conclude(job, outcome, patient=True)

    def _end_unbegun(self, job: Job) -> None:
        """Conclude what was stopped while it waited."""
        try:
            job.check_wanted()
        except EngineError as err:
            self._outcome_writer.conclude(job, job.fail(err), patient=False)


def _closing() -> EngineError:
    return EngineError("The server is stopping: try again in a moment.", kind=EngineFault.UNAVAILABLE)
