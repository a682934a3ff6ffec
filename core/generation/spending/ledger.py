"""The ledger: what calls cost, by person, day, mode and what varies, added up from the attempts in S3."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import structlog

from core.concurrency.background import in_background
from core.errors import Charge, EngineFault, NotFound, StorageDenied, StorageError, StorageUnavailable
from core.generation.engines.engine import Engine
from core.generation.records.attempt import AttemptId, AttemptStart, attempt_file
from core.generation.records.comparison import Comparison
from core.generation.records.history import History
from core.generation.records.outcome import Outcome, OutcomeState
from core.generation.records.usual import Usual
from core.generation.spending.estimates import Estimates
from core.injection.request.wishes import Mode, SideName, Varies
from core.objects.objects import ObjectStore, StoredObject

_log = structlog.get_logger(__name__)
_READERS = 16
_NOBODY = "unknown"  # whose attempts those are whose comparison is gone
_KEPT_OPEN = timedelta(days=2)  # an attempt without an end is asked for so long


@dataclass(frozen=True, slots=True)
class Tally:
    """Ended attempts by how they ended, and what they cost.

    `usd` is what is known to have been charged. `unpriced` counts the attempts that were charged, or may have
    been, at a price nobody knows; `held_usd` is what those were estimated at.
    """

    done: int = 0
    refused: int = 0
    failed: int = 0
    cancelled: int = 0
    interrupted: int = 0
    unpriced: int = 0
    usd: float = 0.0
    held_usd: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in Tally.__slots__))


_FAILED_AS: dict[EngineFault | None, Tally] = {
    EngineFault.REFUSED: Tally(refused=1),
    EngineFault.CANCELLED: Tally(cancelled=1),
    EngineFault.INTERRUPTED: Tally(interrupted=1),
}


@dataclass(frozen=True, slots=True)
class Account:
    """What one person's attempts of one day (UTC) and mode came to; the mode is None where no record says it.

    `varies` is in what the two sides of a comparison were to differ; None for single sides.
    """

    person: str
    day: date
    mode: Mode | None
    varies: Varies | None
    tally: Tally


_Name = tuple[str, date, Mode | None, Varies | None]  # of an account


@dataclass(frozen=True, slots=True)
class _Open:
    """An attempt that was begun and has no end yet. If its server died it may have been charged all the same.

    `start` is None for a claim that makes no sense; `estimate_usd` is None where nobody can say.
    """

    person: str
    since: datetime
    mode: Mode | None
    varies: Varies | None
    start: AttemptStart | None
    estimate_usd: float | None

    @property
    def account(self) -> _Name:
        """Whose it is, the day it began on, its mode and what varies."""
        return self.person, self.since.astimezone(UTC).date(), self.mode, self.varies

    @property
    def as_interrupted(self) -> Tally:
        """What it comes to if its server died: a call that was free is free all the same."""
        return Tally(interrupted=1, unpriced=int(self.estimate_usd != 0), held_usd=self.estimate_usd or 0.0)


class Ledger:
    """Adds up attempts as S3 has them; what was read once is kept, so that catching up reads only what is new.

    An attempt belongs to the day (UTC) on which it began. It lies with its comparison, which may be older: then
    `History.add_start` has left a note under the day of the attempt.
    """

    def __init__(
        self,
        history: History,
        store: ObjectStore,
        engines: Mapping[str, Engine],
        *,
        app_prefix: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        usual: Usual | None = None,
    ) -> None:
        """Without `usual` the price tables alone say what is at work may cost."""
        self._history = history
        self._store = store
        self._estimates = Estimates(engines, usual)
        self._root = f"{app_prefix}generations/"
        self._now = now
        self._lock = threading.Lock()  # for the three below; never held while S3 is asked
        self._reading = threading.Lock()  # one reads at a time, so that nothing is counted twice
        self._tallies: dict[_Name, Tally] = {}
        self._ended: set[AttemptId] = set()
        self._open: dict[AttemptId, _Open] = {}
        self._read_at: float | None = None
        self._trouble: StorageError | None = None

    def catch_up(self) -> None:
        """Read what S3 holds of today's attempts and is not known here yet. Raises StorageError."""
        with self._reading:
            self._read_days(self._today, self._today)
            self._read_at = time.monotonic()

    def catch_up_soon(self, *, max_age_s: float) -> bool:
        """Catch up behind the caller's back if it is time; whether it was ever done.

        Raises StorageError if the last try failed and none has ever succeeded; then this begins another.
        """
        trouble, self._trouble = self._trouble, None
        is_time = self._read_at is None or time.monotonic() - self._read_at > max_age_s
        if is_time and not self._reading.locked():
            in_background(self._catch_up_quietly, name="ledger")
        if self._read_at is None and trouble is not None:
            raise trouble
        return self._read_at is not None

    def used_today(self, person: str | None = None) -> float:
        """US dollars that count against today's budget, of one person or of all, as far as was caught up.

        That is what was charged, and the estimates of what is at work or ended at an unknown price.
        """
        today = self._today
        with self._lock:
            tallies = [
                tally
                for (who, day, *_), tally in self._tallies.items()
                if day == today and (person is None or who == person)
            ]
            at_work = [
                each.estimate_usd or 0.0
                for each in self._open.values()
                if each.since.astimezone(UTC).date() == today and (person is None or each.person == person)
            ]
        return sum(tally.usd + tally.held_usd for tally in tallies) + sum(at_work)

    def accounts(self, first: date, last: date) -> list[Account]:
        """Every account of these days, by day, person, mode and what varies. Raises StorageError.

        An attempt whose server died before it could say how it ended counts as interrupted.
        """
        with self._reading:
            self._read_days(first, last)
        with self._lock:
            tallies, dead = dict(self._tallies), [each for each in self._open.values() if self._is_dead(each)]
        for each in dead:
            tallies[each.account] = tallies.get(each.account, Tally()) + each.as_interrupted
        found = [Account(*name, tally) for name, tally in tallies.items() if first <= name[1] <= last]
        return sorted(found, key=lambda it: (it.day, it.person, it.mode or "", it.varies or ""))

    @property
    def _today(self) -> date:
        return self._now().astimezone(UTC).date()

    def _catch_up_quietly(self) -> None:
        try:
            self.catch_up()
        except StorageError as err:
            self._trouble = err
            raise

    def _read_days(self, first: date, last: date) -> None:
        """Comparisons of the day before are read too: an attempt may have waited past midnight."""
        day = first - timedelta(days=1)
        while day <= last:
            self._read(self._store.list(f"{self._root}{day:%Y/%m/%d}/"))
            day += timedelta(days=1)

    def _read(self, rows: Iterable[StoredObject]) -> None:
        ends: dict[AttemptId, StoredObject] = {}
        begun: dict[AttemptId, StoredObject] = {}
        elsewhere: list[AttemptId] = []
        oldest = self._now() - _KEPT_OPEN
        for row in rows:
            attempt, kind = attempt_file(row.key) or (None, "")
            if attempt is None or attempt in self._ended or kind == ".png":
                continue
            if kind == ".json":
                ends[attempt] = row
            elif attempt not in self._open and row.modified > oldest:
                begun[attempt] = row
            if kind == ".later.json":
                elsewhere.append(attempt)
        with ThreadPoolExecutor(_READERS) as readers:
            late = [attempt for attempt in elsewhere if attempt not in ends]
            maybe = [*readers.map(self._end_in, ends, ends.values()), *readers.map(self._end_of, late)]
            found = [outcome for outcome in maybe if outcome is not None]
            ended = {outcome.id for outcome in found}
            opened = {attempt: row for attempt, row in begun.items() if attempt not in ended}
            counted = list(readers.map(self._count, found))
            starts = list(readers.map(self._read_open, opened, opened.values()))
        with self._lock:
            for name, tally in counted:
                self._tallies[name] = self._tallies.get(name, Tally()) + tally
            self._ended |= ended
            self._open |= dict(zip(opened, starts, strict=True))
            self._open = {
                attempt: start
                for attempt, start in self._open.items()
                if attempt not in self._ended and start.since > oldest
            }

    def _end_in(self, attempt: AttemptId, row: StoredObject) -> Outcome | None:
        """How an attempt ended; a record that makes no sense is an attempt that may have cost something."""
        try:
            return Outcome.read(self._store.get(row.key).data, row, attempt, charge=Charge())
        except NotFound:
            return None

    def _end_of(self, attempt: AttemptId) -> Outcome | None:
        """How an attempt ended whose comparison lies under another day."""
        folder = self._history.folder_of(attempt.comparison)
        try:
            return self._end_in(attempt, self._store.head(f"{folder}{attempt.file}.json"))
        except NotFound:
            return None

    def _read_open(self, attempt: AttemptId, row: StoredObject) -> _Open:
        comparison = self._comparison(attempt.comparison)
        person, since, start = comparison.person if comparison else _NOBODY, row.modified, None
        try:
            start = AttemptStart.from_json(self._store.get(row.key).data)
            person, since = start.person or person, start.started_at
        except (StorageDenied, StorageUnavailable):
            raise
        except StorageError as err:
            _log.warning("record_left_out", key=row.key, error=err.message)
        mode, varies = (comparison.mode, comparison.varies) if comparison else (None, None)
        return _Open(person, since, mode, _varies_of(mode, varies), start, self._estimate(comparison, attempt.side))

    def _is_dead(self, opened: _Open) -> bool:
        return opened.start is None or not self._history.status_reader.is_alive(opened.start)

    def _count(self, outcome: Outcome) -> tuple[_Name, Tally]:
        """The account an attempt belongs to, and what it adds there."""
        person, mode, cost, failure = outcome.person, outcome.mode, outcome.cost, outcome.failure
        done, usd = outcome.state is OutcomeState.DONE, cost.usd if cost else None
        unpriced = usd is None and (done or cost is not None)
        comparison = self._comparison(outcome.comparison) if unpriced or person is None or mode is None else None
        tally = replace(
            Tally(done=1) if done else _FAILED_AS.get(failure.kind if failure else None, Tally(failed=1)),
            unpriced=int(unpriced),
            usd=usd or 0.0,
            held_usd=self._estimate(comparison, outcome.side) or 0.0 if unpriced else 0.0,
        )
        person = person or (comparison.person if comparison else _NOBODY)
        mode = mode or (comparison.mode if comparison else None)
        return (person, outcome.started_at.astimezone(UTC).date(), mode, _varies_of(mode, outcome.varies)), tally

    def _comparison(self, comparison_id: str) -> Comparison | None:
        """A record, or None for one that is gone or makes no sense."""
        try:
            return self._history.get(comparison_id)
        except (StorageDenied, StorageUnavailable):
            raise
        except StorageError as err:
            _log.warning("record_left_out", comparison=comparison_id, error=err.message)
            return None

    def _estimate(self, comparison: Comparison | None, side: SideName) -> float | None:
        """What an attempt may cost at most; None where nobody can say."""
        for record in comparison.sides if comparison else ():
            if comparison and record.side is side:
                return self._estimates.at_most(comparison.render_of(side), references=record.attached)
        return None


def _varies_of(mode: Mode | None, said: Varies | None) -> Varies | None:
    """In what two sides were to differ: the angle in records that do not say it, for they are older than the others."""
    return (said or Varies.ANGLE) if mode is Mode.COMPARE else None
