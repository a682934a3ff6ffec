"""Browsing passes over what came to nothing, as far back as it has to, and misses nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ulid import ULID

from core.errors import EngineError, EngineFault
from core.generation.browsing import Found, browse
from core.generation.records.attempt import AttemptId, AttemptStart, Server
from core.generation.records.comparison import Comparison, Legacy, Origin
from core.generation.records.history import History, HistoryFilter
from core.generation.records.outcome import Outcome, StoredPicture
from core.injection.request.wishes import SideName
from tests.generation.comparisons import SIZE, TONE_ANGLE, TONE_ONLY, PaintingEngine, StudioFixture, comparison

BEGAN = datetime(2026, 11, 20, 9, tzinfo=UTC)
ANYTHING = HistoryFilter()


class Shelf:
    """Comparisons in a real bucket, each an hour after the one before."""

    def __init__(self, studio: StudioFixture) -> None:
        self.history = studio.history()
        self.runner = studio.runner(PaintingEngine())
        self._at = BEGAN

    def add(self, *made: SideName, failed: tuple[SideName, ...] = (), **changes: object) -> str:
        self._at += timedelta(hours=1)
        new = comparison(id=str(ULID.from_datetime(self._at)), created_at=self._at, **changes)
        self.history.add(new)
        for side in made:
            self._end(new, side, is_made=True)
        for side in failed:
            self._end(new, side, is_made=False)
        return new.id

    def found(self, wanted: HistoryFilter = ANYTHING, *, limit: int = 24, hides_failed: bool = True) -> list[str]:
        return [status.comparison.id for status in self.browsed(wanted, limit, hides_failed).statuses]

    def browsed(self, wanted: HistoryFilter, limit: int, hides_failed: bool) -> Found:
        return browse(self.history, self.runner, wanted, limit=limit, hides_failed=hides_failed)

    def _end(self, of: Comparison, side: SideName, *, is_made: bool) -> None:
        attempt, began = AttemptId(of.id, side, 1), of.created_at
        picture = StoredPicture(key="p.png", etag="1", content_type="image/png", size=SIZE)
        refused = EngineError("Not this.", kind=EngineFault.REFUSED)
        done = Outcome.done(attempt, picture, began=began, ended=began)
        self.history.add_outcome(done if is_made else Outcome.failed(attempt, refused, began=began, ended=began))


@pytest.fixture
def shelf(studio: StudioFixture) -> Shelf:
    return Shelf(studio)


def test_failed_is_what_no_side_of_has_a_picture(shelf: Shelf) -> None:
    both = shelf.add(TONE_ONLY, TONE_ANGLE)
    one = shelf.add(TONE_ANGLE, failed=(TONE_ONLY,))
    none = shelf.add(failed=(TONE_ONLY, TONE_ANGLE))
    interrupted = shelf.add()
    assert shelf.found() == [one, both]
    assert shelf.found(hides_failed=False) == [interrupted, none, one, both]


def test_what_is_at_work_is_shown(shelf: Shelf) -> None:
    running = shelf.add(failed=(TONE_ONLY,))
    elsewhere, now = Server(host="elsewhere", pid=1, boot="1"), datetime.now(UTC)
    shelf.history.add_start(
        AttemptStart(comparison=running, side=TONE_ANGLE, attempt=1, started_at=now, deadline_s=60, server=elsewhere)
    )
    assert shelf.found() == [running]


def test_an_imported_one_counts_by_its_picture(shelf: Shelf) -> None:
    shown = Legacy(id="1", output="old.png", output_etag="1")
    here = shelf.add(origin=Origin.BACKFILL, legacy=shown)
    shelf.add(origin=Origin.BACKFILL, legacy=Legacy(id="2", output="gone.png"))
    assert shelf.found() == [here]


@pytest.mark.parametrize(("limit", "has_older"), [(1, True), (2, True), (3, False), (4, False)])
def test_it_looks_behind_any_number_of_failed_ones(shelf: Shelf, limit: int, has_older: bool) -> None:
    made = []
    for _ in range(3):
        made.append(shelf.add(TONE_ONLY))
        for _ in range(5):
            shelf.add(failed=(TONE_ONLY,))
    found = shelf.browsed(ANYTHING, limit, True)
    assert [status.comparison.id for status in found.statuses] == made[::-1][:limit]
    assert found.has_older is has_older


def test_nothing_but_failed_ones_is_nothing(shelf: Shelf) -> None:
    for _ in range(4):
        shelf.add(failed=(TONE_ONLY, TONE_ANGLE))
    assert shelf.browsed(ANYTHING, 2, True) == Found((), has_older=False)


def test_favourites_are_narrowed_to_before_they_are_counted(shelf: Shelf) -> None:
    ids = [shelf.add(TONE_ONLY) for _ in range(6)]
    wanted = HistoryFilter(among=frozenset((ids[0], ids[4], "gone")))
    assert shelf.found(wanted, limit=2, hides_failed=False) == [ids[4], ids[0]]
    assert shelf.found(HistoryFilter(among=frozenset())) == []


def test_a_history_that_is_not_there_has_nothing_older(studio: StudioFixture) -> None:
    empty: History = studio.history()
    assert browse(empty, studio.runner(PaintingEngine()), ANYTHING, limit=3) == Found((), has_older=False)
