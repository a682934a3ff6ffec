"""How many labels are probably still wrong: the interval, the random tenth, and how many reviews would halve it."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from core.labels.evidence.remaining import Check, Foretold, Remaining, check_of, remaining_of

SHARES = st.lists(st.floats(0, 1), max_size=60)


def test_without_labels_nothing_is_wrong() -> None:
    assert remaining_of([], [], []) == Remaining(labels=0, wrong=0.0, low=0, high=0, halved_by=0)


def test_where_a_few_are_surely_wrong_the_number_is_theirs_and_half_of_them_halve_it() -> None:
    found = remaining_of([0.98] * 10 + [0.001] * 90, [], [])
    assert 9 <= found.wrong <= 11
    assert found.low <= 10 <= found.high
    assert found.halved_by == 6


def test_reviews_that_find_more_than_was_foretold_raise_what_is_left_and_those_that_find_less_lower_it() -> None:
    waiting = [0.05] * 200
    plain = remaining_of(waiting, [], [])
    worse = remaining_of(waiting, [], [Foretold(0.05, True, 0.99)] * 10 + [Foretold(0.05, False, 0.01)] * 30)
    better = remaining_of(waiting, [], [Foretold(0.05, False, 0.001)] * 200)
    assert better.wrong < plain.wrong < worse.wrong
    assert better.high - better.low < plain.high - plain.low


def test_the_same_question_has_the_same_answer() -> None:
    assert remaining_of([0.3, 0.1], [0.02], []) == remaining_of([0.3, 0.1], [0.02], [])


def test_a_tenth_in_which_all_are_wrong_does_not_bear_out_an_estimate_of_hardly_any() -> None:
    assert check_of([]) == Check(looked_at=0, foretold=0.0, found=0, holds=True)
    assert not check_of([Foretold(0.01, True, 0.99)] * 10).holds
    assert check_of([Foretold(0.01, False, 0.0)] * 10).holds


def test_probabilities_that_are_true_give_intervals_that_hold_the_truth_nine_times_of_ten() -> None:
    chance, held = random.Random(1), 0
    for _ in range(100):
        shares = [chance.betavariate(0.3, 2) for _ in range(80)]
        truth = sum(chance.random() < share for share in shares)
        found = remaining_of(shares, [], [])
        held += found.low <= truth <= found.high
    assert held >= 90


@given(SHARES, SHARES, st.lists(st.builds(Foretold, st.floats(0, 1), st.booleans(), st.floats(0, 1)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_the_interval_is_one_and_no_more_than_all_labels_plus_luck_can_be_wrong(
    waiting: list[float], judged: list[float], found: list[Foretold]
) -> None:
    says = remaining_of(waiting, judged, found)
    assert says.labels == len(waiting) + len(judged)
    assert 0 <= says.low <= says.high <= says.labels
    assert 0 <= says.wrong <= says.labels
    assert says.halved_by is None or 0 <= says.halved_by <= len(waiting)
