"""The edges of what people may have voted: nothing, one thing, and the same thing a thousand times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from core.votes.evidence import evidence_of
from core.votes.insights.insights import Insights, insights_of
from core.votes.records.judgements import Judgement, SideFacts
from core.votes.selection import Filters
from tests.votes.judged import BEGAN, judged, votes_on


def asked(votes: list[Judgement], filters: Filters | None = None) -> Insights:
    return insights_of(evidence_of(votes), filters or Filters())


def test_of_nothing_nothing_is_known_and_nothing_breaks() -> None:
    found = asked([])
    assert (found.votes, found.voter_count, found.pairs, found.left_out.total) == (0, 0, 0, 0)
    assert (found.estimate.preference, found.estimate.is_decided, found.estimate.scenes_missing) == (None, False, None)
    assert (found.agreement.alpha, found.self_agreement.share, found.left_bias.share, found.median_s) == (None,) * 4
    assert found.pictures.fidelity_difference is None
    assert found.next_step


@pytest.mark.parametrize(("winner", "preference"), [("a", 0.0), ("b", 1.0), ("tie", 0.5)])
def test_one_vote_is_a_preference_that_may_be_anything(winner: str, preference: float) -> None:
    estimate = asked([judged("s", winner)]).estimate
    assert (estimate.scenes, estimate.preference, estimate.is_decided) == (1, preference, False)
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.high - estimate.low > 0.9


def test_ties_alone_are_an_even_preference_that_is_never_decided() -> None:
    found = asked(votes_on("t" * 300) + votes_on("t" * 300, "ben"))
    assert (found.estimate.preference, found.estimate.is_decided, found.ties) == (0.5, False, 1.0)
    assert (found.estimate.scenes_missing, found.left_bias.votes, found.agreement.alpha) == (None, 0, None)


def test_all_both_bad_says_only_that() -> None:
    found = asked(votes_on("x" * 40) + votes_on("x" * 40, "ben"))
    assert (found.votes, found.both_bad, found.estimate.scenes, found.estimate.preference) == (80, 1.0, 0, None)
    assert (found.course, found.tones) == ((), ())
    assert found.pictures.a.preferred == found.pictures.b.preferred == 0.0
    assert found.next_step


def test_one_scene_with_a_thousand_votes_is_one_scene() -> None:
    found = asked(
        [
            judged("s", "b", f"voter {number}", a=SideFacts(fidelity=40), b=SideFacts(fidelity=70))
            for number in range(1000)
        ]
    )
    assert (found.votes, found.voter_count, found.estimate.scenes) == (1000, 1000, 1)
    assert not found.estimate.is_decided
    assert found.agreement.low is None, "everybody said the same one thing"
    assert found.pictures.fidelity_difference is not None
    assert (found.pictures.fidelity_difference.mean, found.pictures.fidelity_difference.low) == (30.0, None)


def test_a_thousand_pairs_of_one_scene_on_which_all_agree_do_not_prove_agreement() -> None:
    """They are one scene: what is said of it says little of others."""
    pairs = [("ab"[number % 2], f"c{number}") for number in range(1000)]
    votes = [judged("s", said, voter, comparison=pair) for said, pair in pairs for voter in ("ann", "ben")]
    found = asked(votes).agreement
    assert (found.pairs, found.alpha) == (1000, 1.0)
    assert found.low is not None
    assert found.low < 0


def test_one_voter_decides_for_nobody_else() -> None:
    found = asked(votes_on("b" * 200))
    assert (found.voter_count, found.agreement.alpha, found.without_busiest) == (1, None, None)
    assert found.caveats == ("One person has judged: this is what they prefer.",)


def test_a_vote_of_tomorrow_counts_like_any_other_and_comes_last() -> None:
    """Some server's clock is wrong; the vote is no less a vote."""
    tomorrow = datetime.now(UTC) + timedelta(days=400)
    found = asked([judged("late", "a", time=tomorrow), *votes_on("bb")])
    assert (found.votes, found.estimate.scenes) == (3, 3)
    assert found.course[-1].time == tomorrow.replace(microsecond=found.course[-1].time.microsecond)


def test_days_are_those_of_utc_wherever_a_vote_was_cast() -> None:
    seoul, chicago = timezone(timedelta(hours=9)), timezone(timedelta(hours=-6))
    votes = [
        judged("s", "b", time=datetime(2026, 11, 3, 8, tzinfo=seoul)),  # the 2nd, 23:00 in UTC
        judged("t", "b", time=datetime(2026, 11, 2, 18, tzinfo=chicago)),  # the 3rd, 0:00 in UTC
    ]
    assert asked(votes, Filters(since=date(2026, 11, 2), until=date(2026, 11, 2))).votes == 1
    assert asked(votes, Filters(since=date(2026, 11, 3), until=date(2026, 11, 3))).votes == 1


def test_days_that_end_before_they_begin_hold_no_votes() -> None:
    found = asked(votes_on("bbb"), Filters(since=BEGAN.date() + timedelta(1), until=BEGAN.date() - timedelta(1)))
    assert (found.votes, found.left_out.total, found.estimate.preference) == (0, 0, None)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_first_and_the_last_day_there_is_are_days_like_others(day: date) -> None:
    assert asked(votes_on("b"), Filters(since=day)).votes == (day == date.min)
    assert asked(votes_on("b"), Filters(until=day)).votes == (day == date.max)
