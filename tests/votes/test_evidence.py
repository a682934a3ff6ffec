"""The evidence: one score a scene, and which votes count."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.injection.request.wishes import Varies
from core.votes.evidence import Contrast, Evidence, evidence_of, scores_of
from core.votes.records.judgements import Judgement, SideFacts
from core.votes.selection import Filters, LeftOut, select
from tests.votes.judged import BEGAN, judged, votes_on

ASKED = Filters()


def scores_in(votes: list[Judgement], filters: Filters = ASKED) -> dict[str, float]:
    """Every scene's score, in the order in which scenes came in."""
    evidence = evidence_of(votes)
    found = scores_of(evidence, select(evidence, filters).counted)
    return {evidence.scene.names[code]: float(score) for code, score in zip(found.scene, found.score, strict=True)}


def left_out_of(votes: list[Judgement], filters: Filters = ASKED) -> LeftOut:
    return select(evidence_of(votes), filters).left_out


def counted_in(evidence: Evidence, filters: Filters) -> int:
    return len(select(evidence, filters).counted)


class TestScores:
    def test_a_scene_is_the_mean_of_its_voters(self) -> None:
        votes = [judged("s", "b", "ann"), judged("s", "b", "ben"), judged("s", "a", "cleo"), judged("s", "tie", "dan")]
        assert scores_in(votes) == {"s": 0.625}

    def test_every_take_counts_alike_however_many_judged_it(self) -> None:
        votes = [judged("s", "b", voter) for voter in ("ann", "ben", "cleo")] + [judged("s", "a", "ann", take=2)]
        assert scores_in(votes) == {"s": 0.5}

    def test_so_does_every_comparison_of_a_scene(self) -> None:
        votes = [judged("s", "b", voter) for voter in ("ann", "ben", "cleo")]
        assert scores_in([*votes, judged("s", "a", "ann", comparison="another")]) == {"s": 0.5}

    def test_a_busy_scene_counts_no_more_than_a_quiet_one(self) -> None:
        votes = [judged("busy", "b", f"voter {number}") for number in range(40)] + [judged("quiet", "a")]
        assert scores_in(votes) == {"busy": 1.0, "quiet": 0.0}

    def test_both_bad_says_nothing_of_which_is_better(self) -> None:
        votes = [judged("s", "both-bad", "ann"), judged("s", "b", "ben"), judged("none", "both-bad")]
        assert scores_in(votes) == {"s": 1.0}

    def test_scenes_stand_in_the_order_of_their_first_vote(self) -> None:
        later, first = judged("later", "b", time=BEGAN + timedelta(days=2)), judged("first", "a", time=BEGAN)
        again = judged("first", "b", "ben", time=BEGAN + timedelta(days=3))
        assert list(scores_in([again, later, first]).items()) == [("first", 0.5), ("later", 1.0)]

    def test_a_scene_whose_first_votes_are_both_bad_comes_in_with_the_first_that_says_which(self) -> None:
        votes = [
            judged("bad at first", "both-bad", time=BEGAN),
            judged("other", "a", time=BEGAN + timedelta(hours=1)),
            judged("bad at first", "b", "ben", time=BEGAN + timedelta(hours=2)),
        ]
        assert list(scores_in(votes)) == ["other", "bad at first"]

    def test_a_vote_of_later_moves_its_scene_and_no_other_and_not_the_order(self) -> None:
        votes = votes_on("bab")
        before, after = scores_in(votes), scores_in([*votes, judged("scene 1", "b", "ben")])
        assert list(before) == list(after)
        assert {name for name in before if before[name] != after[name]} == {"scene 1"}

    def test_the_same_comparison_in_two_scenes_is_two_pairs(self) -> None:
        votes = [judged("s", "b", comparison="c"), judged("other", "a", comparison="c")]
        assert scores_in(votes) == {"s": 1.0, "other": 0.0}

    @given(seed=st.integers(0, 1000))
    def test_the_order_of_the_file_does_not_matter(self, seed: int) -> None:
        votes = votes_on("babtx") + votes_on("abbtb", "ben", time=BEGAN)
        mixed = random.Random(seed).sample(votes, len(votes))
        assert list(scores_in(mixed).items()) == list(scores_in(votes).items())

    def test_zones_are_the_same_moment(self) -> None:
        seoul = timezone(timedelta(hours=9))
        early, late = (
            judged("early", "a", time=BEGAN),
            judged("late", "b", time=(BEGAN + timedelta(1)).astimezone(seoul)),
        )
        assert list(scores_in([late, early])) == ["early", "late"]

    def test_of_no_votes_there_are_no_scenes(self) -> None:
        assert scores_in([]) == {}


class TestLeftOut:
    def test_who_has_seen_the_sides_counts_only_where_asked_for(self) -> None:
        votes = [judged("s", "b", "ann"), judged("s", "a", "ben", blind=False)]
        assert (scores_in(votes), left_out_of(votes)) == ({"s": 1.0}, LeftOut(seen=1))
        seen = Filters(include_seen=True)
        assert (scores_in(votes, seen), left_out_of(votes, seen)) == ({"s": 0.5}, LeftOut())

    def test_what_is_not_controlled_never_counts(self) -> None:
        votes = [judged("s", "b"), judged("t", "b", controlled=False)]
        assert (scores_in(votes), left_out_of(votes)) == ({"s": 1.0}, LeftOut(uncontrolled=1))
        assert scores_in(votes, Filters(include_seen=True)) == {"s": 1.0}

    def test_each_vote_is_left_out_for_one_reason(self) -> None:
        votes = [judged("s", "b"), judged("s", "b", blind=False, controlled=False, again=True)]
        assert (left_out_of(votes), left_out_of(votes).total) == (LeftOut(seen=1), 1)

    def test_a_person_has_one_vote_on_a_pair_which_is_the_first(self) -> None:
        votes = [judged("s", "b"), judged("s", "a", left="b", again=True), judged("s", "a")]
        assert (scores_in(votes), left_out_of(votes)) == ({"s": 1.0}, LeftOut(repeated=2))

    def test_a_repetition_whose_first_vote_is_not_there_counts_for_nothing_either(self) -> None:
        assert scores_in([judged("s", "b", again=True)]) == {}

    def test_a_repetition_stays_one_where_the_first_vote_is_outside_the_days(self) -> None:
        votes = [judged("s", "b", time=BEGAN), judged("s", "a", time=BEGAN + timedelta(days=5))]
        assert scores_in(votes, Filters(since=(BEGAN + timedelta(days=1)).date())) == {}

    def test_two_takes_and_two_people_are_no_repetition(self) -> None:
        votes = [judged("s", "b"), judged("s", "b", take=2), judged("s", "b", "ben")]
        assert left_out_of(votes).total == 0

    def test_what_another_question_is_about_is_not_left_out_but_not_asked(self) -> None:
        votes = [judged("s", "b", varies=Varies.MODEL), judged("s", "a", comparison="c", varies=Varies.ANGLE)]
        assert (scores_in(votes), left_out_of(votes)) == ({"s": 0.0}, LeftOut())

    def test_a_vote_that_does_not_say_what_varies_is_about_what_is_asked(self) -> None:
        assert [scores_in([judged("s", "b")], Filters(varies=varies)) for varies in Varies] == [{"s": 1.0}] * 4


class TestFilters:
    @pytest.mark.parametrize("name", ["tone", "angle", "persona", "model"])
    def test_they_pick_out_a_part(self, name: str) -> None:
        votes = [judged("s", "b", **{name: "this"}), judged("t", "a", **{name: "that"}), judged("u", "a")]
        assert scores_in(votes, Filters(**{name: "this"})) == {"s": 1.0}
        assert scores_in(votes, Filters(**{name: "nobody's"})) == {}

    def test_a_voter_is_picked_out_too(self) -> None:
        assert scores_in([judged("s", "b"), judged("s", "a", "ben")], Filters(voter="ben")) == {"s": 0.0}

    def test_both_days_are_included_and_are_utcs(self) -> None:
        moments = [datetime(2026, 11, day, hour, tzinfo=UTC) for day, hour in ((1, 23), (2, 0), (3, 23), (4, 0))]
        votes = [judged(f"s{at}", "b", time=moment) for at, moment in enumerate(moments)]
        assert list(scores_in(votes, Filters(since=date(2026, 11, 2), until=date(2026, 11, 3)))) == ["s1", "s2"]

    @pytest.mark.parametrize(
        ("filters", "is_part"),
        [
            (Filters(), False),
            (Filters(varies=Varies.MODEL, since=date(2026, 1, 1), include_seen=True), False),
            (Filters(tone="noir"), True),
            (Filters(voter="ann"), True),
        ],
    )
    def test_a_part_is_what_was_picked_out_of_many(self, filters: Filters, is_part: bool) -> None:
        assert filters.is_part is is_part


class TestContrasts:
    """Two image models, or two strengths: what is compared is not always the same."""

    NEW, OLD = SideFacts("new", usd=0.04), SideFacts("old", usd=0.02)

    def test_the_same_two_models_are_one_contrast_whichever_is_side_a(self) -> None:
        votes = [
            judged("s", "b", a=self.OLD, b=self.NEW, left="a"),
            judged("t", "a", a=self.NEW, b=self.OLD, left="a"),
            judged("u", "tie", a=self.NEW, b=self.OLD),
        ]
        assert scores_in(votes) == {"s": 1.0, "t": 1.0, "u": 0.5}
        evidence = evidence_of(votes)
        assert select(evidence, Filters()).contrast == Contrast("old", "new")
        assert evidence.is_left_b.tolist() == [False, True, True]
        assert evidence.facts[1].usd.tolist() == [0.04] * 3

    def test_the_one_with_most_votes_is_asked_about_and_others_are_left_out(self) -> None:
        other = SideFacts("other")
        votes = [judged("s", "b", a=self.OLD, b=other), *votes_on("ab", a=self.OLD, b=self.NEW)]
        selection = select(evidence_of(votes), Filters())
        assert selection.contrasts == ((Contrast("old", "new"), 2), (Contrast("old", "other"), 1))
        assert (len(selection.counted), selection.left_out) == (2, LeftOut(other_contrasts=1))
        assert scores_in(votes, Filters(contrast=Contrast("old", "other"))) == {"s": 1.0}

    def test_a_contrast_that_is_asked_for_the_other_way_round_is_nobodys(self) -> None:
        votes = votes_on("ab", a=self.OLD, b=self.NEW)
        assert scores_in(votes, Filters(contrast=Contrast("somebody", "else"))) == {}


def test_columns_are_as_long_as_the_votes() -> None:
    evidence = evidence_of(votes_on("abtx"))
    assert len(evidence) == 4
    assert counted_in(evidence, Filters()) == 4
    assert np.isnan(evidence.score[3])
