"""What is usual: how long an image model takes for a picture and what it is charged, from those it has finished lately.

A figure is the median of the last 50 finished pictures that were asked for alike, and there is none with fewer than
five: a median of three says more about those three than about the model. What is alike:

* for seconds the engine, the model, the quality and how many pixels a picture has;
* for US dollars the number of references, too: what goes in is paid by the picture, and may cost more than what comes
  out. Where too few were made with as many, the next greater number stands in: that errs on the dear side.

Everything is read from S3 and kept in memory, from the newest 100 comparisons; failures and imports say nothing.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import structlog

from core.concurrency.background import in_background
from core.errors import StorageDenied, StorageError, StorageUnavailable
from core.generation.records.attempt import AttemptId
from core.generation.records.comparison import Comparison, RenderSettings
from core.generation.records.history import History
from core.generation.records.outcome import Outcome

_log = structlog.get_logger(__name__)
_LAST: Final = 50
_ENOUGH: Final = 5
_COMPARISONS: Final = 100
_KEPT: Final = 1_000  # pictures, each a hundred bytes
_READERS: Final = 8
_MAX_AGE_S: Final = 60.0
# Until then a comparison without an end for each side may still get one, on whatever server.
_STILL_OPEN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Median:
    """The median of `count` pictures: seconds of one, or US dollars; a sum of several is of the fewest."""

    value: float
    count: int


Kind = tuple[str, str, str, int]


def kind_of(render: RenderSettings) -> Kind:
    """What makes two pictures alike: engine, model, quality and how many pixels; 2:3 costs what 3:2 does."""
    return render.engine, render.model, render.quality, render.size.width * render.size.height


class Finished(NamedTuple):
    """One finished picture; `usd` is None where nobody knows what it was charged."""

    ended: datetime
    kind: Kind
    references: int
    seconds: float
    usd: float | None

    @classmethod
    def of(cls, comparison: Comparison, outcome: Outcome) -> Finished | None:
        """What an outcome says; None for one without a picture, and for imports, whose times are not known."""
        if outcome.picture is None or comparison.legacy is not None:
            return None
        references = sum(side.attached for side in comparison.sides if side.side is outcome.side)
        usd = outcome.cost.usd if outcome.cost else None
        kind = kind_of(comparison.render_of(outcome.side))
        return cls(outcome.finished_at, kind, references, outcome.seconds, usd)


def usual_seconds(finished: Iterable[Finished], render: RenderSettings) -> Median | None:
    """The median seconds of a picture like this one."""
    alike = [one for one in finished if one.kind == kind_of(render)]
    return _median((one.ended, one.seconds) for one in alike)


def usual_usd(finished: Iterable[Finished], render: RenderSettings, *, references: int) -> Median | None:
    """The median charge of a picture like this one with so many references, or the next greater number."""
    charged: dict[int, list[tuple[datetime, float]]] = {}
    for one in finished:
        if one.kind == kind_of(render) and one.usd is not None and one.references >= references:
            charged.setdefault(one.references, []).append((one.ended, one.usd))
    found = (_median(charged[count]) for count in sorted(charged))
    return next((median for median in found if median is not None), None)


def _median(values: Iterable[tuple[datetime, float]]) -> Median | None:
    last = [value for _, value in sorted(values)[-_LAST:]]
    return Median(statistics.median(last), len(last)) if len(last) >= _ENOUGH else None


class Usual:
    """Answers at once from what is known; what is not known yet is read behind everybody's back, once a minute."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._lock = threading.Lock()  # for what follows; never held while S3 is asked
        self._finished: dict[AttemptId, Finished] = {}
        self._settled: set[str] = set()  # comparisons of which nothing more is expected
        self._reading = threading.Lock()
        self._read_at: float | None = None

    def seconds(self, render: RenderSettings) -> Median | None:
        """How long a picture takes, from the call to its being stored; None while too few are known."""
        return usual_seconds(self._known(), render)

    def usd(self, render: RenderSettings, *, references: int) -> Median | None:
        """What a picture is charged in US dollars; None while too few are known."""
        return usual_usd(self._known(), render, references=references)

    def add(self, comparison: Comparison, outcome: Outcome) -> None:
        """Know an outcome that was just written."""
        if (finished := Finished.of(comparison, outcome)) is not None:
            with self._lock:
                self._finished[outcome.id] = finished

    def catch_up(self) -> None:
        """Read the newest comparisons of which something is missing. Raises StorageDenied or StorageUnavailable."""
        with self._reading:
            self._read_at = time.monotonic()
            newest = self._history.newest_ids(limit=_COMPARISONS)
            with self._lock:
                wanted = [one for one in newest if one not in self._settled]
            with ThreadPoolExecutor(_READERS) as readers:
                settled = [
                    one for one, is_settled in zip(wanted, readers.map(self._read, wanted), strict=True) if is_settled
                ]
            with self._lock:
                self._settled = (self._settled | set(settled)) & set(newest)
                kept = sorted(self._finished.items(), key=lambda item: item[1].ended)[-_KEPT:]
                self._finished = dict(kept)

    def _known(self) -> list[Finished]:
        is_time = self._read_at is None or time.monotonic() - self._read_at > _MAX_AGE_S
        if is_time and not self._reading.locked():
            in_background(self.catch_up, name="usual")
        with self._lock:
            return list(self._finished.values())

    def _read(self, comparison_id: str) -> bool:
        """Know what a comparison has come to; whether nothing more is expected of it."""
        try:
            comparison = self._history.get(comparison_id)
            outcomes = () if comparison.legacy else self._history.outcomes(comparison_id)
        except (StorageDenied, StorageUnavailable):
            raise
        except StorageError as err:
            _log.warning("record_left_out", comparison=comparison_id, error=err.message)
            return True
        for outcome in outcomes:
            self.add(comparison, outcome)
        ended = {outcome.id.place for outcome in outcomes}
        is_old = datetime.now(UTC) - comparison.created_at > _STILL_OPEN
        return is_old or comparison.legacy is not None or len(ended) == len(comparison.side_takes)
