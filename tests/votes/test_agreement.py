"""Agreement between voters and of voters with themselves, and whether the left picture wins."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest

from core.votes.evidence import evidence_of
from core.votes.insights.agreement import Agreement, LeftBias, agreement_of, alpha_of, left_bias_of, self_agreement_of
from core.votes.records.judgements import Judgement
from core.votes.selection import Filters, select
from tests.votes.judged import judged, votes_on

# Four observers, twelve units, five names, some missing: the example of Krippendorff (2011), section C, α = 0.743.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)


def between(votes: list[Judgement]) -> Agreement:
    evidence = evidence_of(votes)
    return agreement_of(evidence, select(evidence, Filters()).counted)


def left_of(votes: list[Judgement]) -> LeftBias:
    evidence = evidence_of(votes)
    return left_bias_of(evidence, select(evidence, Filters()).counted)


class TestBetweenVoters:
    def test_it_is_the_published_figure(self) -> None:
        counts = np.stack([(name == PUBLISHED).sum(axis=0) for name in range(1, 6)], axis=1).astype(float)
        shared = counts[counts.sum(axis=1) > 1]
        found = alpha_of(shared, np.arange(len(shared)))
        assert found.low is not None
        assert found.high is not None
        assert (found.pairs, found.alpha) == (11, pytest.approx(0.743, abs=0.0005))
        assert found.low < 0.743 < found.high

    @pytest.mark.parametrize("seed", range(5))
    def test_it_is_what_the_library_of_that_name_finds(self, seed: int) -> None:
        chance = np.random.default_rng(seed)
        counts = chance.integers(0, 4, (40, 4)).astype(float)
        shared = counts[counts.sum(axis=1) > 1]
        theirs = krippendorff.alpha(value_counts=shared, level_of_measurement="nominal")
        assert alpha_of(shared, np.arange(len(shared))).alpha == pytest.approx(theirs)

    def test_who_always_differ_are_below_chance(self) -> None:
        found = between(votes_on("abababab") + votes_on("babababa", "ben"))
        assert found.alpha is not None
        assert found.alpha < 0

    def test_who_always_agree_are_at_one_and_a_few_pairs_do_not_prove_it(self) -> None:
        few = between(votes_on("abab") + votes_on("abab", "ben"))
        many = between(votes_on("abab" * 50) + votes_on("abab" * 50, "ben"))
        assert (few.alpha, few.high, many.alpha) == (1.0, 1.0, 1.0)
        assert few.low is not None
        assert many.low is not None
        assert few.low < 0 < 0.9 < many.low

    def test_both_bad_is_an_answer_like_the_others(self) -> None:
        assert between(votes_on("axax") + votes_on("axax", "ben")).alpha == 1.0

    @pytest.mark.parametrize(
        "votes",
        [[], votes_on("abab"), votes_on("aaaa") + votes_on("aaaa", "ben")],
        ids=["no votes", "nobody twice", "one answer alone"],
    )
    def test_where_it_is_not_defined_it_is_not_told(self, votes: list[Judgement]) -> None:
        found = between(votes)
        assert (found.alpha, found.low, found.high) == (None, None, None)

    def test_takes_are_units_of_their_own_and_one_scene_tells_no_interval(self) -> None:
        votes = [judged("s", said, voter, take=take) for take, said in ((1, "a"), (2, "b")) for voter in ("ann", "ben")]
        found = between([*votes, judged("s", "a", "cleo", take=2)])
        assert (found.pairs, found.low) == (2, None)

    def test_the_same_votes_give_the_same_interval(self) -> None:
        votes = votes_on("abtabtab") + votes_on("abbaatxb", "ben")
        assert between(votes) == between(votes)


class TestWithThemselves:
    def test_a_pair_that_comes_again_mirrored_is_answered_alike_or_not(self) -> None:
        votes = [*votes_on("abta", left="a"), *votes_on("abbx", left="b", again=True)]
        evidence = evidence_of(votes)
        found = self_agreement_of(evidence, select(evidence, Filters()).repeats)
        assert (found.right, found.count) == (2, 4)

    def test_what_was_not_mirrored_is_no_test(self) -> None:
        evidence = evidence_of([judged("s", "a"), judged("s", "a"), judged("lost", "a", again=True)])
        found = self_agreement_of(evidence, select(evidence, Filters()).repeats)
        assert (found.right, found.count, found.share) == (0, 0, None)


class TestLeftBias:
    def test_it_counts_who_stood_left_and_won(self) -> None:
        votes = [judged("s", "a", left="a"), judged("t", "b", left="b"), judged("u", "a", left="b")]
        found = left_of([*votes, judged("v", "tie"), judged("w", "both-bad")])
        assert (found.votes, found.share) == (3, pytest.approx(2 / 3))
        assert not found.is_biased

    def test_who_always_takes_the_left_one_is_noticed_whichever_side_it_is(self) -> None:
        votes = [judged(f"s{number}", "ab"[number % 2], left="ab"[number % 2]) for number in range(40)]
        found = left_of(votes)
        assert (found.share, found.is_biased) == (1.0, True)

    def test_preferring_b_is_no_bias(self) -> None:
        found = left_of(votes_on("b" * 60))
        assert (found.share, found.is_biased) == (0.5, False)

    def test_of_no_choice_nothing_is_known(self) -> None:
        assert left_of(votes_on("tx")) == LeftBias(0, None, None, None)
