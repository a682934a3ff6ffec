"""Attempt status: where each side of a comparison is, from what its attempts have left in S3."""

from __future__ import annotations

import mimetypes
import os
import re
import socket
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from ulid import ULID

from core.errors import EngineFault, StorageError
from core.generation.records.comparison import (
    AttemptPhase,
    AttemptStart,
    Comparison,
    ComparisonStatus,
    Cost,
    Failure,
    Legacy,
    Outcome,
    OutcomeState,
    Picture,
    Server,
    SideStatus,
    parse_outcome,
    parse_start,
)
from core.injection.wishes import SideName
from core.objects import StoredObject

_log = structlog.get_logger(__name__)
# Another machine's attempt may wait in its queue, run to its deadline and be late with its outcome.
_PATIENCE_DEADLINES = 2
_GRACE_S = 30.0
_ATTEMPT = re.compile(r"(?P<side>tone-only|tone-angle)-(?P<attempt>[1-9]\d*)(?P<kind>\.started\.json|\.json|\.png)")


@dataclass
class _Attempts:
    """What the attempts of one side have left, by their numbers."""

    starts: dict[int, AttemptStart] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    pictures: dict[int, StoredObject] = field(default_factory=dict)


class StatusReader:
    """Tells where attempts stand, as `server` sees it: its own are at work for as long as it says nothing else."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def of(
        self, comparison: Comparison, rows: Iterable[StoredObject], read: Callable[[StoredObject], bytes]
    ) -> ComparisonStatus:
        """A comparison with the state of its sides, from the objects in its folder. Raises what `read` raises."""
        attempts: dict[SideName, _Attempts] = defaultdict(_Attempts)
        for row in rows:
            match = _ATTEMPT.fullmatch(row.key.rsplit("/", 1)[-1])
            if match is None:
                continue
            side, number = SideName(match["side"]), int(match["attempt"])
            if match["kind"] == ".png":
                attempts[side].pictures[number] = row
            elif match["kind"] == ".started.json":
                attempts[side].starts[number] = _start_in(read(row), row, side, number)
            else:
                attempts[side].outcomes[number] = _outcome_in(read(row), row, side, number)
        sides = tuple(self._of_side(comparison, record.side, attempts[record.side]) for record in comparison.sides)
        return ComparisonStatus(comparison=comparison, sides=sides)

    def is_alive(self, start: AttemptStart) -> bool:
        """Whether the process that claimed an attempt can still finish it."""
        if start.server.boot == self._server.boot:
            return True
        patience_s = _PATIENCE_DEADLINES * start.deadline_s + _GRACE_S
        if datetime.now(UTC) > start.started_at + timedelta(seconds=patience_s):
            return False
        if start.server.host != self._server.host:
            return True  # another machine's process: only time tells
        return start.server.pid != self._server.pid and _process_exists(start.server.pid)

    def _of_side(self, comparison: Comparison, side: SideName, attempts: _Attempts) -> SideStatus:
        number = max((*attempts.starts, *attempts.outcomes), default=1)
        for orphan in attempts.pictures.keys() - attempts.outcomes.keys():
            start = attempts.starts.get(orphan)
            if start is not None and not self.is_alive(start):
                attempts.outcomes[orphan] = _orphaned(comparison, start, attempts.pictures[orphan])
        outcomes = tuple(attempts.outcomes[n] for n in sorted(attempts.outcomes))
        outcome, start = attempts.outcomes.get(number), attempts.starts.get(number)
        if outcome is not None:
            phase = phase_of(outcome)
        elif start is not None:
            phase = AttemptPhase.RUNNING if self.is_alive(start) else AttemptPhase.INTERRUPTED
        else:  # recorded and not claimed: between two writes, or the process died between them
            fresh = datetime.now(UTC) - comparison.created_at < timedelta(seconds=_GRACE_S)
            phase = AttemptPhase.QUEUED if fresh else AttemptPhase.INTERRUPTED
        return SideStatus(
            side=side,
            attempt=number,
            phase=phase,
            outcomes=outcomes,
            since=start.started_at if start else comparison.created_at,
            server=start.server if start else None,
        )


def this_server() -> Server:
    """This process, as it signs its records."""
    return Server(host=socket.gethostname(), pid=os.getpid(), boot=str(ULID()))


def phase_of(outcome: Outcome) -> AttemptPhase:
    """An ended attempt's phase."""
    if outcome.state is OutcomeState.DONE:
        return AttemptPhase.DONE
    kind = outcome.failure.kind if outcome.failure else None
    if kind is EngineFault.CANCELLED:
        return AttemptPhase.CANCELLED
    return AttemptPhase.INTERRUPTED if kind is EngineFault.INTERRUPTED else AttemptPhase.FAILED


def imported(comparison: Comparison, legacy: Legacy) -> ComparisonStatus:
    """An imported comparison: done before it came here."""
    sides = tuple(_imported(comparison, legacy, record.side) for record in comparison.sides)
    return ComparisonStatus(comparison=comparison, sides=sides)


def _imported(comparison: Comparison, legacy: Legacy, side: SideName) -> SideStatus:
    """An imported record's side: done before it came here, with its picture if that can be shown."""
    outcomes: tuple[Outcome, ...] = ()
    if legacy.output is not None and legacy.output_etag is not None:
        content_type = mimetypes.guess_type(legacy.output)[0] or "application/octet-stream"
        picture = Picture(key=legacy.output, etag=legacy.output_etag, content_type=content_type, size=comparison.size)
        made = comparison.created_at
        outcome = Outcome(
            comparison=comparison.id,
            side=side,
            attempt=1,
            state=OutcomeState.DONE,
            started_at=made,
            finished_at=made,
            picture=picture,
        )
        outcomes = (outcome,)
    return SideStatus(side=side, attempt=1, phase=AttemptPhase.DONE, outcomes=outcomes, since=comparison.created_at)


def _orphaned(comparison: Comparison, start: AttemptStart, picture: StoredObject) -> Outcome:
    """How an attempt ended whose picture is in S3 and whose server died before it could say so."""
    return Outcome(
        comparison=comparison.id,
        side=start.side,
        attempt=start.attempt,
        state=OutcomeState.DONE,
        started_at=start.started_at,
        finished_at=max(start.started_at, picture.modified),
        picture=Picture(key=picture.key, etag=picture.etag, content_type="image/png", size=comparison.size),
        cost=Cost(usd=None),
        notes=("The server stopped right after this picture was stored, so what it cost was not written down.",),
        person=start.person,
        mode=comparison.mode,
    )


def _start_in(data: bytes, row: StoredObject, side: SideName, attempt: int) -> AttemptStart:
    """An attempt's claim; one that makes no sense still counts, as that of a process that is gone."""
    try:
        return parse_start(data)
    except StorageError as err:
        _log.warning("record_left_out", key=row.key, error=err.message)
        nobody = Server(host="", pid=0, boot="")
        return AttemptStart(
            comparison=row.key.split("/")[-2],
            side=side,
            attempt=attempt,
            started_at=row.modified,
            deadline_s=0,
            server=nobody,
        )


def _outcome_in(data: bytes, row: StoredObject, side: SideName, attempt: int) -> Outcome:
    """How an attempt ended; when that makes no sense, it failed with the reason why."""
    try:
        return parse_outcome(data)
    except StorageError as err:
        _log.warning("record_left_out", key=row.key, error=err.message)
        return Outcome(
            comparison=row.key.split("/")[-2],
            side=side,
            attempt=attempt,
            state=OutcomeState.FAILED,
            started_at=row.modified,
            finished_at=row.modified,
            failure=Failure(kind=EngineFault.UNAVAILABLE, message=f"{err.message} Retry this side."),
        )


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
