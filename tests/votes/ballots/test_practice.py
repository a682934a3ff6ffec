"""Practice: a fresh checkout has enough in it to try a vote within a minute, and no vote is made up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from core.studio import Studio, build_studio
from core.viewer import PersonRole, Viewer
from core.votes.ballots.practice import PRACTICE
from core.votes.records.votes import Answer
from tests.support.timeouts import until

DEMO = Viewer("demo@localhost", PersonRole.ADMIN)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """The demo as a fresh checkout starts it."""
    made = build_studio(Settings(data_dir=tmp_path / "data"))
    made.catalog.refresh()
    made.start()
    yield made
    made.close()


def test_a_fresh_checkout_has_a_vote_and_its_evidence_within_a_minute(studio: Studio) -> None:
    began = time.monotonic()
    until(lambda: not studio.votes.pool(DEMO).reading)
    assert studio.votes.ballots(DEMO) == ()
    ordered = studio.practice.order(DEMO)
    assert len(set(ordered)) == PRACTICE
    until(lambda: studio.votes.pool(DEMO).left == PRACTICE)
    assert studio.cast_votes.judgements() == (), "no vote is made up"
    ballots = studio.votes.ballots(DEMO, count=PRACTICE)
    for ballot in ballots:
        studio.votes.cast(DEMO, ballot.token, Answer.RIGHT, seconds=1.0)
    until(lambda: studio.votes.session(DEMO).waiting == 0)
    found = studio.cast_votes.judgements()
    assert {judgement.pair.comparison for judgement in found} == set(ordered)
    assert all(judgement.blind and judgement.pair.controlled for judgement in found)
    assert len({judgement.pair.scene for judgement in found}) == PRACTICE
    assert time.monotonic() - began < 60


def test_who_looks_at_them_on_generate_is_not_blind_to_them_any_more(studio: Studio) -> None:
    first, *_ = studio.practice.order(DEMO)
    until(lambda: studio.votes.pool(DEMO).left == PRACTICE)
    studio.seen.shown(DEMO, studio.runner.status(first))
    assert studio.votes.pool(DEMO).left == PRACTICE - 1
