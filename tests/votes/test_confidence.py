"""The confidence sequence: its figures beside its authors' own, and what it promises."""

from __future__ import annotations

from math import e, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.votes.statistics.confidence import Floats, Interval, bets_on, interval_of, intervals_of, log_capital

SEQUENCES = {
    "coin": [1, 0, 1, 1, 0, 1, 1, 1, 0, 1] * 20,
    "thirds": [number * 7 % 4 / 3 for number in range(120)],
    "all for b": [1] * 30,
    "late": [0] * 40 + [1] * 40,
    "small spread": [0.5 + 0.01 * (number * 13 % 7) for number in range(60)],
}
# From betting_cs(x, alpha=0.025, breaks=2000) of confseq 0.0.11, the package of the method's authors, with the bets of
# here handed to it as `lambdas_fns_positive` and `lambdas_fns_negative`: ends on a grid of 1/2000.
PUBLISHED = [
    ("coin", 10, 0.0145, 1.0000),
    ("coin", 30, 0.4055, 0.9470),
    ("coin", 200, 0.5870, 0.7910),
    ("thirds", 10, 0.0000, 1.0000),
    ("thirds", 30, 0.2715, 0.7255),
    ("thirds", 120, 0.3940, 0.6030),
    ("all for b", 10, 0.4695, 1.0000),
    ("all for b", 30, 0.7605, 1.0000),
    ("late", 10, 0.0000, 0.5305),
    ("late", 30, 0.0000, 0.2395),
    ("late", 80, 0.1250, 0.5320),
    ("small spread", 10, 0.2090, 0.8555),
    ("small spread", 30, 0.4015, 0.6450),
    ("small spread", 60, 0.4600, 0.5930),
]
scores = st.lists(st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 2 / 3, 0.75, 1.0]), min_size=1, max_size=80)


def floats(values: list[float]) -> Floats:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(("name", "count", "low", "high"), PUBLISHED)
def test_it_is_what_the_authors_own_package_finds(name: str, count: int, low: float, high: float) -> None:
    found = interval_of(floats(SEQUENCES[name][:count]))
    assert (found.low, found.high) == (pytest.approx(low, abs=0.001), pytest.approx(high, abs=0.001))


@given(scores)
def test_bets_are_those_of_the_formula(values: list[float]) -> None:
    """One by one, as it is written down."""
    total, squares, variance = 0.0, 0.0, 0.25
    for number, (value, bet) in enumerate(zip(values, bets_on(floats(values)), strict=True), start=1):
        expected = sqrt(2 * log(2 / 0.025) / (variance * (number + 50) * log(e + number / 50)))
        assert bet == pytest.approx(expected)
        total += value
        squares += (value - (0.5 + total) / (number + 1)) ** 2
        variance = (0.25 + squares) / (number + 1)


def test_at_two_hundred_it_is_less_than_two_thirds_wider_for_having_looked_every_day() -> None:
    chance = np.random.default_rng(3)
    found = [interval_of((chance.random(200) < 0.5).astype(float)) for _ in range(20)]
    half = np.mean([(each.high - each.low) / 2 for each in found])
    assert 1.5 < half / (1.96 * 0.5 / np.sqrt(200)) < 1.65


def ever_decided(share: float, *, by: int, studios: int = 200) -> float:
    """In what part of so many studios ½ was outside at any look; `bench.preference` has more of them."""
    chance = np.random.default_rng(11)
    looks = [
        intervals_of((chance.random(by) < share).astype(float), list(range(10, by + 1, 5)), halvings=1)
        for _ in range(studios)
    ]
    return float(np.mean([any(each.leaves_out(0.5) for each in studio) for studio in looks]))


def test_who_looks_all_the_time_is_misled_no_more_often_than_promised() -> None:
    assert ever_decided(0.5, by=300) <= 0.05


def test_a_clear_difference_is_decided_by_a_hundred_and_fifty_scenes_in_most_studios() -> None:
    assert ever_decided(0.65, by=150) >= 0.6


def test_before_anything_is_seen_everything_is_possible() -> None:
    assert interval_of(floats([])) == Interval(0.0, 1.0)


@given(scores)
def test_the_mean_is_never_outside(values: list[float]) -> None:
    found = interval_of(floats(values))
    assert found.low <= np.mean(values) <= found.high


@given(scores)
def test_who_is_called_b_does_not_matter(values: list[float]) -> None:
    found, mirrored = interval_of(floats(values)), interval_of(1 - floats(values))
    assert (mirrored.low, mirrored.high) == (pytest.approx(1 - found.high), pytest.approx(1 - found.low))


@given(scores, st.integers(1, 80))
def test_what_comes_later_changes_nothing_at_an_earlier_look(values: list[float], end: int) -> None:
    looks = intervals_of(floats(values), [min(end, len(values))])
    assert looks[0] == interval_of(floats(values[:end]))


@given(scores, st.integers(1, 23))
def test_fewer_halvings_only_make_it_wider_and_never_change_what_is_said_of_a_half(
    values: list[float], halvings: int
) -> None:
    [rough], exact = intervals_of(floats(values), [len(values)], halvings=halvings), interval_of(floats(values))
    assert (rough.low <= exact.low, rough.high >= exact.high) == (True, True)
    assert rough.leaves_out(0.5) == exact.leaves_out(0.5)


@given(scores, st.floats(0.001, 0.999))
def test_no_bet_knows_what_it_is_made_on(values: list[float], last: float) -> None:
    assert bets_on(floats([*values, last]))[-1] == bets_on(floats([*values, 1 - last]))[-1]


@given(scores, st.floats(0.01, 0.98), st.floats(0.001, 0.01))
def test_capital_falls_as_the_candidate_rises_so_that_halving_finds_the_end(
    values: list[float], mean: float, step: float
) -> None:
    bets = bets_on(floats(values))
    assert log_capital(floats(values), bets, mean + step) <= log_capital(floats(values), bets, mean) + 1e-9


def test_a_long_run_of_extremes_neither_overflows_nor_ends_at_nothing() -> None:
    found = interval_of(floats([1.0] * 50_000))
    assert (found.low > 0.999, found.high) == (True, 1.0)
    assert interval_of(floats([0.0, 1.0] * 50_000)).leaves_out(0.5) is False
