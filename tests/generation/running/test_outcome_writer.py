"""Endings: how long a result waits for an S3 that is away."""

from __future__ import annotations

import pytest

from core.errors import EngineError, EngineFault, StorageUnavailable
from core.generation.records.comparison import SideTake
from core.generation.running import outcome_writer
from core.generation.running.job import Job
from core.generation.running.job_board import JobBoard
from core.generation.running.outcome_writer import OutcomeWriter
from tests.generation.comparisons import TONE_ONLY, StudioFixture, comparison


def test_only_while_it_is_closing_a_write_is_given_up_soon(
    studio: StudioFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome_writer, "_CLOSING_PATIENCE_S", 0.0)
    offered: list[int] = []

    def away_once() -> str:
        offered.append(1)
        if len(offered) == 1:
            raise StorageUnavailable("S3 is away.")
        return "taken"

    one = OutcomeWriter(studio.history(), JobBoard(), None, lambda *_: None)
    assert one.patiently(away_once) == "taken"
    offered.clear()
    one.is_closing = True
    with pytest.raises(StorageUnavailable):
        one.patiently(away_once)
    assert len(offered) == 1


def test_an_end_that_s3_did_not_take_at_its_time_is_written_down_and_one_that_never_came_is_not(
    studio: StudioFixture,
) -> None:
    ends = OutcomeWriter(studio.history(), JobBoard(), None, lambda *_: None)
    ended, running = (Job(comparison(), SideTake(TONE_ONLY), attempt, (), "anna@studio") for attempt in (1, 2))
    ended.outcome = ended.fail(EngineError("The engine was busy.", kind=EngineFault.RATE_LIMITED))
    for job in (ended, running):
        ends.record(job)
    assert (ended.recorded, running.recorded) == (True, False)
    assert studio.keys() == {"tone-only-1.json"}
