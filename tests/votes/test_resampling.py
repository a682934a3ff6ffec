"""Intervals by resampling: how often they hold, and when there is none."""

from __future__ import annotations

import numpy as np
import pytest

from core.votes.statistics.confidence import Floats
from core.votes.statistics.resampling import bootstrapped


def mean_of(totals: Floats) -> Floats:
    return np.asarray(totals[:, 0] / totals[:, 1])


def interval(values: Floats) -> tuple[float, float] | None:
    return bootstrapped(np.column_stack([values, np.ones(len(values))]), mean_of)


@pytest.mark.parametrize("scenes", [6, 10, 40])
def test_few_scenes_are_as_sure_as_many(scenes: int) -> None:
    """By plain percentiles it is 86 and 90 % of six and ten."""
    chance = np.random.default_rng(2)
    found = [interval(chance.normal(0, 1, scenes)) for _ in range(400)]
    assert np.mean([each is not None and each[0] <= 0 <= each[1] for each in found]) >= 0.925


def test_of_many_it_is_as_wide_as_the_formula_says() -> None:
    values = np.random.default_rng(4).normal(3, 2, 2000)
    found = interval(values)
    assert found is not None
    half = 1.96 * values.std(ddof=1) / np.sqrt(2000)
    assert found == (
        pytest.approx(values.mean() - half, abs=0.25 * half),
        pytest.approx(values.mean() + half, abs=0.25 * half),
    )


@pytest.mark.parametrize("scenes", [0, 1, 4])
def test_of_fewer_than_five_scenes_nobody_could_say(scenes: int) -> None:
    assert interval(np.arange(scenes, dtype=np.float64)) is None
