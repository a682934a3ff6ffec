"""The status reader: where each side of a comparison is, from what its attempts have left in S3."""

from __future__ import annotations

import mimetypes
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from core.generation.records.attempt import AttemptId, AttemptStart, Server, attempt_file
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison, Legacy, SideTake
from core.generation.records.outcome import Cost, Outcome, StoredPicture
from core.injection.request.wishes import SideName
from core.objects.objects import StoredObject

_log = structlog.get_logger(__name__)
# Another machine's attempt may wait in its queue, run to its deadline and be late with its outcome.
_PATIENCE_DEADLINES = 2
_GRACE_S = 30.0


@dataclass
class _Attempts:
    """What the attempts of one take of a side have left, by their numbers."""

    starts: dict[int, AttemptStart] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    pictures: dict[int, StoredObject] = field(default_factory=dict)


class StatusReader:
    """Tells where attempts stand, as `server` sees it: its own are at work for as long as it says nothing else."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def of(
        self, comparison: Comparison, rows: Iterable[StoredObject], read: Callable[[StoredObject], bytes]
    ) -> ComparisonStatus:
        """A comparison with the state of its sides, from the objects in its folder. Raises what `read` raises."""
        attempts: dict[SideTake, _Attempts] = defaultdict(_Attempts)
        for row in rows:
            of, kind = attempt_file(row.key) or (None, "")
            if of is None:
                continue
            if kind == ".png":
                attempts[of.place].pictures[of.attempt] = row
            elif kind == ".started.json":
                attempts[of.place].starts[of.attempt] = AttemptStart.read(read(row), row, of)
            elif kind == ".json":
                attempts[of.place].outcomes[of.attempt] = Outcome.read(read(row), row, of)
        sides = tuple(self._of_place(comparison, place, attempts[place]) for place in comparison.side_takes)
        return ComparisonStatus(comparison=comparison, sides=sides)

    def is_alive(self, start: AttemptStart) -> bool:
        """Whether the process that claimed an attempt can still finish it."""
        if start.server.boot == self.server.boot:
            return True
        patience_s = start.waits_s + _PATIENCE_DEADLINES * start.deadline_s + _GRACE_S
        if datetime.now(UTC) > start.started_at + timedelta(seconds=patience_s):
            return False
        if start.server.host != self.server.host:
            return True  # another machine's process: only time tells
        return start.server.pid != self.server.pid and _process_exists(start.server.pid)

    def _of_place(self, comparison: Comparison, place: SideTake, attempts: _Attempts) -> SideStatus:
        number = max((*attempts.starts, *attempts.outcomes), default=1)
        for orphan in attempts.pictures.keys() - attempts.outcomes.keys():
            start = attempts.starts.get(orphan)
            if start is not None and not self.is_alive(start):
                attempts.outcomes[orphan] = _conclude_orphan(comparison, start, attempts.pictures[orphan])
        outcomes = tuple(attempts.outcomes[n] for n in sorted(attempts.outcomes))
        outcome, start = attempts.outcomes.get(number), attempts.starts.get(number)
        if outcome is not None:
            phase = AttemptPhase.after(outcome)
        elif start is not None:
            phase = AttemptPhase.RUNNING if self.is_alive(start) else AttemptPhase.INTERRUPTED
        else:  # recorded and not claimed: between two writes, or the process died between them
            fresh = datetime.now(UTC) - comparison.created_at < timedelta(seconds=_GRACE_S)
            phase = AttemptPhase.QUEUED if fresh else AttemptPhase.INTERRUPTED
        return SideStatus(
            side=place.side,
            take=place.take,
            attempt=number,
            phase=phase,
            outcomes=outcomes,
            since=start.started_at if start else comparison.created_at,
            server=start.server if start else None,
            person=start.person if start else None,
        )


def conclude_import(comparison: Comparison, legacy: Legacy) -> ComparisonStatus:
    """An imported comparison: done before it came here, with its picture if that can be shown."""
    made, picture = comparison.created_at, None
    if legacy.output is not None and legacy.output_etag is not None:
        content_type = mimetypes.guess_type(legacy.output)[0] or "application/octet-stream"
        picture = StoredPicture(
            key=legacy.output, etag=legacy.output_etag, content_type=content_type, size=comparison.size
        )

    def conclude(side: SideName) -> SideStatus:
        done = Outcome.done(AttemptId(comparison.id, side, 1), picture, began=made, ended=made) if picture else None
        return SideStatus(side=side, attempt=1, phase=AttemptPhase.DONE, outcomes=(done,) if done else (), since=made)

    return ComparisonStatus(comparison=comparison, sides=tuple(conclude(record.side) for record in comparison.sides))


def _conclude_orphan(comparison: Comparison, start: AttemptStart, picture: StoredObject) -> Outcome:
    """How an attempt ended whose picture is in S3 and whose server died before it could say so."""
    return Outcome.done(
        start.id,
        StoredPicture(
            key=picture.key, etag=picture.etag, content_type="image/png", size=comparison.render_of(start.side).size
        ),
        began=start.started_at,
        ended=max(start.started_at, picture.modified),
        cost=Cost(usd=None),
        notes=("The server stopped right after this picture was stored, so what it cost was not written down.",),
        person=start.person,
        mode=comparison.mode,
        varies=comparison.varies,
    )


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
