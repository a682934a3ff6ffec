"""Groups: small ones are pulled towards the whole, and nothing is decided by any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.votes.evidence import evidence_of
from core.votes.insights.groups import Group, groups_of
from core.votes.records.judgements import Judgement
from core.votes.selection import Filters, select
from core.votes.statistics.pulling import pulled_together
from tests.votes.judged import judged, votes_on

# Gelman et al. (2013), table 5.2: eight schools, the effect of coaching and its standard error.
EFFECTS = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
ERRORS = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
# Table 5.3: medians, and the ends of 95 % intervals, of 200 draws.
MEDIANS = [10, 8, 7, 8, 5, 6, 10, 8]


def by_tone(votes: list[Judgement]) -> dict[str | None, Group]:
    evidence = evidence_of(votes)
    return {group.name: group for group in groups_of(evidence, select(evidence, Filters()).counted, evidence.tone)}


def test_it_is_the_published_example() -> None:
    found = pulled_together(EFFECTS, ERRORS**2, spread_max=100)
    assert found.mean == pytest.approx(MEDIANS, abs=1.5)
    assert np.all((found.mean - EFFECTS) * (EFFECTS - 8) <= 0), "every school is pulled towards the whole"
    assert np.all((found.deviation > 5) & (found.deviation < 9))


@given(
    means=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    counts=st.lists(st.integers(1, 200), min_size=12, max_size=12),
)
def test_no_group_leaves_the_span_of_all_and_smaller_ones_are_pulled_more(
    means: list[float], counts: list[int]
) -> None:
    values, sizes = np.array(means), np.array(counts[: len(means)])
    found = pulled_together(values, 0.25 / sizes, spread_max=0.5)
    assert np.all((found.mean >= values.min() - 1e-9) & (found.mean <= values.max() + 1e-9))
    assert np.all((found.own >= 0) & (found.own <= 1))
    assert np.all(np.diff(found.own[np.argsort(sizes)]) >= -1e-9)


def test_a_star_of_few_scenes_comes_down_to_earth() -> None:
    votes = [*votes_on("ab" * 40, tone="noir", named="n"), *votes_on("bbb", tone="neon", named="e")]
    found = by_tone(votes)
    assert found["neon"].plain == 1.0
    assert 0.5 < found["neon"].preference < 0.85
    assert found["neon"].low < 0.5
    assert found["neon"].is_pulled
    assert found["neon"].own < found["noir"].own


def test_a_difference_that_many_scenes_show_stays() -> None:
    votes = [
        *votes_on("b" * 150 + "a" * 50, tone="noir", named="n"),
        *votes_on("a" * 150 + "b" * 50, tone="neon", named="e"),
    ]
    found = by_tone(votes)
    assert (found["noir"].preference, found["neon"].preference) == (
        pytest.approx(0.75, abs=0.02),
        pytest.approx(0.25, abs=0.02),
    )
    assert not found["noir"].is_pulled


def test_groups_stand_by_size_and_say_how_many_scenes_and_votes_they_have() -> None:
    votes = [judged("s", "b", tone="noir"), *votes_on("ab", tone="neon"), judged("scene 0", "b", "ben", tone="neon")]
    found = by_tone(votes)
    assert list(found) == ["neon", "noir"]
    assert (found["neon"].scenes, found["neon"].votes, found["neon"].plain) == (2, 3, 0.75)


def test_what_says_nothing_is_a_group_without_a_name_unless_all_do() -> None:
    assert list(by_tone([*votes_on("ab", tone="noir"), judged("s", "b")])) == ["noir", None]
    assert by_tone(votes_on("abab")) == {}
    assert by_tone([]) == {}


def test_a_single_group_is_the_whole() -> None:
    found = by_tone(votes_on("bbba" * 10, tone="noir"))["noir"]
    assert found.preference == pytest.approx(0.75)


def test_a_voter_is_judged_by_their_own_votes() -> None:
    evidence = evidence_of(votes_on("bbbb") + votes_on("aaaa", "ben"))
    found = groups_of(evidence, select(evidence, Filters()).counted, evidence.voter)
    assert {group.name: group.plain for group in found} == {"ann": 1.0, "ben": 0.0}
