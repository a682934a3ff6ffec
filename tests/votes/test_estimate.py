"""The estimate: scenes, not votes, and how much is still missing."""

from __future__ import annotations

import numpy as np
import pytest

from core.votes.estimate import Estimate, course_of, estimate_of
from core.votes.statistics.confidence import LOG_STAKE, Floats, bets_on


def coins(share: float, count: int, *, seed: int = 0) -> Floats:
    """Scores of 0 and 1 of exactly this share, in any order."""
    wins = round(share * count)
    return np.random.default_rng(seed).permutation([1.0] * wins + [0.0] * (count - wins))


def test_of_no_scenes_nothing_is_known() -> None:
    assert estimate_of(np.array([])) == Estimate(0, None, None, None, None)
    assert not estimate_of(np.array([])).is_decided


def test_it_is_decided_where_a_half_is_outside() -> None:
    found = estimate_of(coins(0.7, 200))
    assert found.low is not None
    assert (found.preference, found.is_decided, found.scenes_missing) == (0.7, True, 0)
    assert found.low > 0.5


def test_it_is_decided_for_a_as_well() -> None:
    found = estimate_of(coins(0.3, 200))
    assert found.high is not None
    assert (found.is_decided, found.scenes_missing) == (True, 0)
    assert found.high < 0.5


def test_a_few_scenes_decide_nothing_however_much_they_agree() -> None:
    found = estimate_of(np.ones(5))
    assert not found.is_decided
    assert found.scenes_missing is not None
    assert 0 < found.scenes_missing < 50


def test_ties_alone_never_decide_and_no_number_of_them_would() -> None:
    found = estimate_of(np.full(300, 0.5))
    assert (found.preference, found.is_decided, found.scenes_missing) == (0.5, False, None)


def test_of_a_difference_that_would_take_for_ever_no_number_is_told() -> None:
    assert estimate_of(coins(0.505, 400)).scenes_missing is None


@pytest.mark.parametrize("share", [0.58, 0.65, 0.4])
def test_what_is_missing_is_what_it_takes_in_four_of_five_futures(share: float) -> None:
    scores = coins(share, 60)
    missing = estimate_of(scores).scenes_missing
    assert missing
    chance = np.random.default_rng(5)
    decided = [
        decided_by_the_end(np.concatenate((scores, (chance.random(missing) < share).astype(float)))) for _ in range(200)
    ]
    assert 0.7 <= np.mean(decided) <= 0.97


def decided_by_the_end(scores: Floats) -> bool:
    bets = np.minimum(bets_on(scores), 1)
    return bool(max(np.log1p(bets * side * (scores - 0.5)).sum() for side in (-1, 1)) >= LOG_STAKE)


def test_the_more_is_known_the_less_is_missing() -> None:
    few, many = (estimate_of(coins(0.6, count)).scenes_missing for count in (20, 120))
    assert few is not None
    assert many is not None
    assert 0 < many < few


def test_the_course_ends_with_the_estimate_and_begins_with_the_first_scene() -> None:
    scores = coins(0.6, 500)
    course, whole = course_of(scores, np.arange(500.0)), estimate_of(scores)
    assert (course[0].scenes, course[-1].scenes) == (1, 500)
    assert len(course) <= 60
    assert [point.scenes for point in course] == sorted({point.scenes for point in course})
    assert course[-1].preference == pytest.approx(whole.preference)
    assert course[-1].low == pytest.approx(whole.low, abs=0.001)
    assert course[-1].time.timestamp() == 499


def test_of_no_scenes_there_is_no_course_and_of_one_there_is_one_point() -> None:
    assert course_of(np.array([]), np.array([])) == ()
    assert len(course_of(np.array([1.0]), np.array([0.0]))) == 1
