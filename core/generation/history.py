"""History: comparisons as S3 holds them, and where each attempt stands."""

from __future__ import annotations

import mimetypes
import os
import re
import socket
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

import structlog
from ulid import ULID

from core.errors import EngineFault, ReferenceNotFound, StorageError, WriteConflict
from core.generation.comparison import (
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
    parse_comparison,
    parse_outcome,
    parse_start,
)
from core.generation.history_index import HistoryIndex, Progress
from core.generation.month_file import Row
from core.generation.once import Once
from core.injection.wishes import SideName
from core.objects import ObjectStore, StoredObject
from core.references.key import folded
from core.references.page import PageSource

_log = structlog.get_logger(__name__)
# Another machine's attempt may wait in its queue, run to its deadline and be late with its outcome.
_PATIENCE_DEADLINES = 2
_GRACE_S = 30.0
_REMEMBERED = 2_000  # records kept in memory; they never change, so a read one stays true
_KEPT_BYTES = 8 * 1024 * 1024  # of starts and outcomes, each about half a kilobyte
_ATTEMPT = re.compile(r"(?P<side>tone-only|tone-angle)-(?P<attempt>[1-9]\d*)(?P<kind>\.started\.json|\.json|\.png)")


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """What a person looks for; empty fields do not narrow."""

    text: str = ""
    person: str | None = None
    mode: str | None = None
    tone: str | None = None
    angle: str | None = None
    reference: str | None = None


@dataclass
class _Attempts:
    starts: dict[int, AttemptStart] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    pictures: dict[int, StoredObject] = field(default_factory=dict)


class History:
    """Reads and writes comparison records under `<app>/generations/`. Records are only ever added."""

    def __init__(self, store: ObjectStore, *, app_prefix: str, server: Server, pages: PageSource | None = None) -> None:
        """`pages` reads listings of the same bucket faster than the store does."""
        self._store = store
        self._root = f"{app_prefix}generations/"
        self._server = server
        self._index = HistoryIndex(store, app_prefix=app_prefix, pages=pages)
        self._comparisons: dict[str, Comparison] = {}
        self._files: Once[bytes] = Once(bytes_max=_KEPT_BYTES, size_of=len)
        self._lock = threading.Lock()

    def start(self) -> None:
        """Keep the index up to date in the background, and serve what it knows meanwhile."""
        self._index.start()

    def stop(self) -> None:
        """End the background work."""
        self._index.stop()

    def catch_up(self) -> None:
        """Compare the whole index with S3 now, and write down what it lacked."""
        self._index.catch_up()

    def folder_of(self, comparison_id: str) -> str:
        """The prefix a comparison lies under: its day is read from its ULID. Raises ReferenceNotFound."""
        try:
            day = ULID.from_str(comparison_id).datetime
        except ValueError as err:
            raise ReferenceNotFound(f"There is no comparison `{comparison_id}`.", key=comparison_id) from err
        return f"{self._root}{day:%Y/%m/%d}/{comparison_id}/"

    def add(self, comparison: Comparison) -> None:
        """Write the record. Raises WriteConflict if this id exists."""
        key = f"{self.folder_of(comparison.id)}comparison.json"
        etag = self._put(key, comparison.model_dump_json(indent=1).encode())
        self._index.add(self._remember(comparison), etag)

    def add_start(self, start: AttemptStart) -> None:
        """Claim an attempt before its engine is called. Raises WriteConflict if somebody else has it."""
        folder, name, data = self.folder_of(start.comparison), f"{start.side}-{start.attempt}", start.model_dump_json()
        today = f"{self._root}{start.started_at.astimezone(UTC):%Y/%m/%d}/"
        if not folder.startswith(today):  # the day's spending is listed by day: let it find this attempt, too
            with suppress(WriteConflict):
                self._put(f"{today}{start.comparison}/{name}.later.json", data.encode())
        self._put(f"{folder}{name}.started.json", data.encode())

    def add_picture(self, comparison_id: str, side: SideName, attempt: int, data: bytes) -> tuple[str, str]:
        """Write a finished picture (PNG) and return its key and etag. May be repeated."""
        key = f"{self.folder_of(comparison_id)}{side}-{attempt}.png"
        return key, self._put_again(key, data, "image/png")

    def add_outcome(self, outcome: Outcome) -> None:
        """Write how an attempt ended; may be repeated. Raises WriteConflict if another end is known already."""
        key = f"{self.folder_of(outcome.comparison)}{outcome.side}-{outcome.attempt}.json"
        self._put_again(key, outcome.model_dump_json(indent=1).encode(), "application/json")

    def get(self, comparison_id: str) -> Comparison:
        """One record. Raises ReferenceNotFound."""
        if (known := self._comparisons.get(comparison_id)) is not None:
            return known
        try:
            blob = self._store.get(f"{self.folder_of(comparison_id)}comparison.json")
        except ReferenceNotFound as err:
            raise ReferenceNotFound(f"There is no comparison `{comparison_id}` in S3.", key=comparison_id) from err
        return self._remember(parse_comparison(blob.data))

    def status(self, comparison_id: str) -> ComparisonStatus:
        """One comparison with the state of its sides, as S3 tells it."""
        comparison = self.get(comparison_id)
        if comparison.legacy is not None:
            sides = tuple(_imported(comparison, comparison.legacy, record.side) for record in comparison.sides)
            return ComparisonStatus(comparison=comparison, sides=sides)
        attempts: dict[SideName, _Attempts] = defaultdict(_Attempts)
        for row in self._store.list(self.folder_of(comparison_id)):
            match = _ATTEMPT.fullmatch(row.key.rsplit("/", 1)[-1])
            if match is None:
                continue
            side, number = SideName(match["side"]), int(match["attempt"])
            if match["kind"] == ".png":
                attempts[side].pictures[number] = row
                continue
            data = self._file(row)
            if match["kind"] == ".started.json":
                attempts[side].starts[number] = _start_in(data, row, side, number)
            else:
                attempts[side].outcomes[number] = _outcome_in(data, row, side, number)
        sides = tuple(self._side_status(comparison, record.side, attempts[record.side]) for record in comparison.sides)
        return ComparisonStatus(comparison=comparison, sides=sides)

    def _file(self, row: StoredObject) -> bytes:
        """What a listed file holds. Starts and outcomes are written once: the same etag is not fetched again."""
        return self._files.get((row.key, row.etag), lambda: self._store.get(row.key).data)

    def newest(self, *, limit: int, wanted: HistoryFilter | None = None) -> list[Comparison]:
        """The newest records that pass the filter. A record that makes no sense is left out, and logged.

        What is found was read from S3 just now. While the index is still being read in the background,
        days that it lacks are not searched; `progress` says how many those are.
        Raises StorageDenied or StorageUnavailable rather than to tell half of the story.
        """
        self._index.look()
        passes = _passing(wanted or HistoryFilter())
        rows = filter(passes, self._index.rows())
        found: list[Comparison] = []
        while batch := [row.id for row in islice(rows, limit - len(found))]:
            records = map(self._remember, self._index.records(batch))
            found += [comparison for comparison in records if passes(Row.of(comparison, ""))]
        return found

    def last_given(self, person: str) -> tuple[str, ...]:
        """The keys that went into this person's newest comparison."""
        newest = self.newest(limit=1, wanted=HistoryFilter(person=person))
        return newest[0].reference_keys if newest else ()

    def count(self) -> int:
        """How many comparisons S3 holds, as far as they have been read by now."""
        self._index.load()
        return self.progress.comparisons

    def used_in(self, key: str) -> tuple[str, ...]:
        """The ids of the comparisons that a reference went into, newest first, as far as they have been read."""
        return tuple(row.id for row in self._index.rows() if key in row.references)

    @property
    def progress(self) -> Progress:
        """How far the index has got."""
        return self._index.progress

    def _remember(self, comparison: Comparison) -> Comparison:
        with self._lock:
            self._comparisons[comparison.id] = comparison
            while len(self._comparisons) > _REMEMBERED:
                del self._comparisons[next(iter(self._comparisons))]
        return comparison

    def _put(self, key: str, data: bytes) -> str:
        return self._store.put(key, data, content_type="application/json", create_only=True)

    def _put_again(self, key: str, data: bytes, content_type: str) -> str:
        """Write, or find the same bytes there: an earlier try may have arrived though its answer did not."""
        try:
            return self._store.put(key, data, content_type=content_type, create_only=True)
        except WriteConflict:
            there = self._store.get(key)
            if there.data != data:
                raise
            return there.etag

    def _side_status(self, comparison: Comparison, side: SideName, attempts: _Attempts) -> SideStatus:
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


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _passing(wanted: HistoryFilter) -> Callable[[Row], bool]:
    """The test that a filter means."""
    text, comparison_id = folded(wanted.text.strip()), wanted.text.strip().upper()

    def passes(row: Row) -> bool:
        return (
            (not text or text in row.text or comparison_id == row.id)
            and (wanted.person is None or row.person == wanted.person)
            and (wanted.mode is None or row.mode == wanted.mode)
            and (wanted.tone is None or row.tone == wanted.tone)
            and (wanted.angle is None or row.angle == wanted.angle)
            and (wanted.reference is None or wanted.reference in row.references)
        )

    return passes
