"""Insights: one question, its answer in a sentence, and everything a page shows with it."""

from __future__ import annotations

from datetime import UTC, date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.injection.request.wishes import Varies
from core.votes.estimate import Estimate
from core.votes.evidence import Contrast, evidence_of
from core.votes.insights.answer import so_far_of
from core.votes.insights.insights import Insights, Reason, insights_of, known_so_far
from core.votes.records.judgements import JudgedPair, Judgement, SideFacts, SideLetter, Winner
from core.votes.selection import Filters, LeftOut
from tests.votes.judged import BEGAN, judged, votes_on

ASKED = Filters()


def asked(votes: list[Judgement], filters: Filters = ASKED) -> Insights:
    return insights_of(evidence_of(votes), filters)


class TestAnswer:
    def test_a_decided_question_is_answered_in_one_sentence(self) -> None:
        found = asked(votes_on("bba" * 60) + votes_on("b", "ben"))
        assert found.question == "Does an angle reference on top of a tone reference make the picture better?"
        assert found.sentence == "Tone + angle is preferred in 67 % of scenes, 55–77 %: decided. 180 scenes, 2 people."
        assert (found.missing, found.next_step, found.estimate.scenes_missing) == (None, None, 0)

    def test_what_is_decided_against_b_says_for_whom(self) -> None:
        assert "33 % of scenes, 23–45 %: decided for Tone only." in asked(votes_on("aab" * 60)).sentence

    def test_what_is_open_says_how_much_is_missing(self) -> None:
        found = asked(votes_on("bba" * 10))
        assert found.sentence.endswith(": not decided. 30 scenes, 1 person.")
        assert found.missing is not None
        assert found.missing.startswith("If the difference stays as it is, about ")

    def test_of_a_handful_of_scenes_nobody_reckons_how_many_more_it_takes(self) -> None:
        assert "too few scenes" in (asked(votes_on("abb")).missing or "")

    def test_a_difference_of_nothing_would_take_for_ever(self) -> None:
        assert asked(votes_on("ab" * 5)).missing == (
            "As small as the difference is now, more than 10,000 further scenes would be needed to decide."
        )

    def test_an_end_that_rounds_to_a_half_is_told_more_exactly(self) -> None:
        votes = votes_on("b" * 9 + "a" + "bba" * 25)
        sentences = {asked(votes[:end]).sentence for end in range(10, len(votes))}
        assert not [said for said in sentences if ": decided" in said and ("50–" in said or "–50 %" in said)]

    @pytest.mark.parametrize(
        ("votes", "says"),
        [
            ([], "Nobody has judged such a pair yet"),
            (votes_on("xx"), "Both pictures were bad in every vote"),
            (votes_on("ab", blind=False), "2 votes do not count, most often (2) because a vote was given by somebody"),
            (votes_on("a", controlled=False), "1 vote does not count, most often (1) because a vote is about sides"),
        ],
    )
    def test_where_nothing_is_known_it_says_what_to_do(self, votes: list[Judgement], says: str) -> None:
        found = asked(votes)
        assert (found.sentence, found.missing) == ("Nothing is known yet.", None)
        assert found.next_step is not None
        assert found.next_step.startswith(says)

    def test_nothing_is_made_up_of_no_votes(self) -> None:
        found = asked([])
        assert found.estimate == Estimate(0, None, None, None, None)
        assert (found.ties, found.both_bad, found.agreement.alpha, found.left_bias.share) == (None, None, None, None)
        assert (found.course, found.tones, found.voters, found.reasons, found.without_busiest) == ((), (), (), (), None)
        assert (found.pictures.a.pictures, found.pictures.a.usd, found.median_s) == (0, None, None)
        assert found.left_out == LeftOut()

    @pytest.mark.parametrize(
        ("varies", "titles", "question"),
        [
            (
                Varies.TONE_WAY,
                Contrast("Tone reference", "Tone in words"),
                "tone is said in words than with a reference",
            ),
            (
                Varies.MODEL,
                Contrast("gpt-image-1", "gpt-image-2"),
                "makes the better picture, gpt-image-1 or gpt-image-2?",
            ),
            (Varies.STRENGTH, Contrast("Tone: hint", "Tone: exact"), "be followed, Tone: hint or Tone: exact?"),
        ],
    )
    def test_each_factor_has_its_question_and_its_sides_their_titles(
        self, varies: Varies, titles: Contrast, question: str
    ) -> None:
        sides = {"a": SideFacts(titles.a), "b": SideFacts(titles.b)}
        found = asked(votes_on("bab", varies=varies, **sides), Filters(varies=varies))
        assert question in found.question
        assert found.contrast == titles
        assert found.sentence.startswith(f"{titles.b} is preferred in 67 %")

    def test_without_titles_the_sides_are_a_and_b(self) -> None:
        assert asked(votes_on("b"), Filters(varies=Varies.MODEL)).contrast == Contrast("A", "B")


class TestWhatElseIsToBeThoughtOf:
    def test_a_part_is_exploratory(self) -> None:
        found = asked(votes_on("ba", tone="noir"), Filters(tone="noir"))
        assert found.exploratory
        assert any(said.endswith("better than it is: exploratory.") for said in found.caveats)
        assert not asked(votes_on("ba", tone="noir")).exploratory

    def test_a_part_never_decides_however_far_its_interval_is_from_the_middle(self) -> None:
        votes = votes_on("bba" * 60, tone="noir") + votes_on("b", "ben", tone="noir")
        whole, part = asked(votes), asked(votes, Filters(tone="noir"))
        assert part.estimate == whole.estimate
        assert part.estimate.is_decided
        assert part.sentence == whole.sentence.replace(": decided.", ": exploratory.") != whole.sentence
        assert (part.missing, asked(votes[:30], Filters(tone="noir")).missing) == (None, None)
        hangs = asked(votes_on("b" * 40, tone="noir") + votes_on("a" * 10, "ben", tone="noir"), Filters(tone="noir"))
        assert not [said for said in hangs.caveats if "decided" in said]

    def test_one_person_is_one_taste(self) -> None:
        assert asked(votes_on("ba")).caveats == ("One person has judged: this is what they prefer.",)
        assert "More than half" in asked(votes_on("baba") + votes_on("b", "ben")).caveats[0]
        assert asked(votes_on("ba") + votes_on("ba", "ben")).caveats == ()

    def test_days_and_seen_votes_are_said(self) -> None:
        found = asked(votes_on("ba") + votes_on("ba", "ben"), Filters(since=date(2026, 11, 1), include_seen=True))
        assert [said.split()[0] for said in found.caveats] == ["Only", "Votes"]

    def test_a_side_of_the_screen_that_wins_is_a_warning(self) -> None:
        votes = [judged(f"s{at}", "ab"[at % 2], "an"[at % 2], left="ab"[at % 2]) for at in range(60)]
        assert any("side of the screen" in said for said in asked(votes).caveats)

    def test_the_busiest_person_can_be_thought_away(self) -> None:
        found = asked(votes_on("b" * 40) + votes_on("a" * 10, "ben"))
        assert found.without_busiest is not None
        assert (found.without_busiest.name, found.without_busiest.votes) == ("ann", 40)
        assert (found.without_busiest.estimate.preference, found.without_busiest.estimate.scenes) == (0.0, 10)
        assert "Without the person who voted most it would not be decided." in found.caveats
        assert asked(votes_on("b")).without_busiest is None


class TestFigures:
    def test_ties_and_both_bad_are_shares_of_all_votes_that_count(self) -> None:
        found = asked([*votes_on("abtx"), judged("s", "tie", blind=False)])
        assert (found.votes, found.ties, found.both_bad, found.estimate.scenes) == (4, 0.25, 0.25, 3)

    def test_reasons_say_what_they_were_given_for(self) -> None:
        votes = [
            judged("s", "b", reasons=("tone", "angle", "tone")),
            judged("t", "both-bad", reasons=("anatomy",)),
            judged("u", "a", reasons=("tone",)),
            judged("v", "a", reasons=("tone",), blind=False),
        ]
        assert asked(votes).reasons == (
            Reason("tone", 2, 1, 1, 0, 0),
            Reason("angle", 1, 0, 1, 0, 0),
            Reason("anatomy", 1, 0, 0, 0, 1),
        )

    def test_every_voter_is_told_with_what_they_prefer_and_how_steady_they_are(self) -> None:
        votes = [
            *votes_on("bbtx", seconds=4.0, left="a"),
            *votes_on("b", left="b", again=True),
            *votes_on("x", "ben", seconds=9.0),
        ]
        ann, ben = asked(votes).voters
        assert (ann.name, ann.votes, ann.ties, ann.both_bad, ann.median_s) == ("ann", 4, 1, 1, 4.0)
        assert ann.group is not None
        assert (ann.group.plain, ann.self_agreement.right, ann.left_bias.votes) == (pytest.approx(5 / 6), 1, 2)
        assert (ben.name, ben.group, ben.self_agreement.count) == ("ben", None, 0)

    def test_who_may_not_see_names_gets_numbers_everywhere(self) -> None:
        votes = votes_on("bba", "ann@studio.example") + votes_on("ba", "ben@studio.example")
        found = asked(votes, Filters(voter=None)).without_names()
        assert [voter.name for voter in found.voters] == ["Voter 1", "Voter 2"]
        assert "studio.example" not in repr(found)
        one = asked(votes, Filters(voter="ben@studio.example")).without_names()
        assert "studio.example" not in repr(one)
        assert one.exploratory

    def test_a_line_for_one_tone_and_angle(self) -> None:
        evidence = evidence_of(votes_on("bba", tone="noir", angle="low-angle") + votes_on("a", named="other"))
        known = known_so_far(evidence, Filters(tone="noir", angle="low-angle"))
        assert so_far_of(known) == "The angle helped in 67 % of 3 scenes: not decided."
        assert so_far_of(known_so_far(evidence, Filters(tone="neon"))) is None


some = st.sampled_from
facts = st.builds(
    SideFacts,
    title=some([None, "one", "other"]),
    fidelity=some([None, 0, 50, 100]),
    usd=some([None, 0, 0.04]),
    seconds=some([None, 0, 20]),
    failures=some([None, 0, 2]),
)
pairs = st.builds(
    JudgedPair,
    scene=some(["s", "t", "하늘"]),
    comparison=some(["c", "d"]),
    controlled=st.booleans(),
    take=some([1, 2, 10**30]),
    varies=some([None, *Varies]),
    tone=some([None, "noir", ""]),
    angle=st.none(),
    persona=some([None, "Ada"]),
    model=st.none(),
    a=facts,
    b=facts,
)
any_votes = st.lists(
    st.builds(
        Judgement,
        pair=pairs,
        voter=some(["ann", "ben", "cleo"]),
        winner=some(Winner),
        left=some(SideLetter),
        blind=st.booleans(),
        time=st.datetimes(BEGAN.replace(tzinfo=None), timezones=st.just(UTC)),
        again=st.booleans(),
        reasons=some([(), ("tone",), ("tone", "person", "tone")]),
        seconds=some([None, 0, 2.5]),
    ),
    max_size=14,
)


@given(any_votes, st.builds(Filters, varies=some(Varies), tone=some([None, "noir"]), include_seen=st.booleans()))
def test_whatever_was_voted_everything_adds_up(votes: list[Judgement], filters: Filters) -> None:
    found = asked(votes, filters)
    estimate = found.estimate
    assert found.votes + found.left_out.total <= len(votes)
    assert sum(voter.votes for voter in found.voters) == found.votes
    assert found.pictures.a.pictures == found.pairs
    assert found.pictures.a.preferred + found.pictures.b.preferred <= found.pairs + 1e-9
    for groups in (found.tones, found.angles, found.personas, found.models):
        assert sum(group.scenes for group in groups) in (0, *range(estimate.scenes, 3 * estimate.scenes + 1))
        assert all(0 <= group.low <= group.preference <= group.high <= 1 for group in groups)
    if estimate.preference is None:
        assert (estimate.scenes, found.next_step is None, found.course) == (0, False, ())
    else:
        assert estimate.low is not None
        assert estimate.high is not None
        assert 0 <= estimate.low <= estimate.preference <= estimate.high <= 1
        assert found.course[-1].scenes == estimate.scenes
        assert (found.missing is None) == (estimate.is_decided or found.exploratory)
    assert insights_of(evidence_of(reversed(votes)), filters) == found
    assert {"ann", "ben", "cleo"}.isdisjoint(voter.name for voter in found.without_names().voters)


class TestPictures:
    CHEAP = SideFacts(fidelity=60, usd=0.02, seconds=10, failures=0)
    DEAR = SideFacts(fidelity=70, usd=0.06, seconds=20, failures=1)

    def test_a_preferred_picture_costs_what_all_of_its_side_cost(self) -> None:
        found = asked(votes_on("bbax", a=self.CHEAP, b=self.DEAR)).pictures
        assert found.a.usd is not None
        assert found.b.usd is not None
        assert found.b.seconds is not None
        assert found.b.failures is not None
        assert (found.a.pictures, found.a.preferred, found.b.preferred) == (4, 1.0, 2.0)
        assert (found.a.usd.each, found.b.usd.each) == (pytest.approx(0.08), pytest.approx(0.12))
        assert (found.b.seconds.each, found.b.failures.each) == (40.0, 2.0)

    def test_a_picture_is_paid_for_once_however_many_judge_it(self) -> None:
        votes = votes_on("b", a=self.CHEAP, b=self.DEAR) + votes_on("t", "ben", a=self.CHEAP, b=self.DEAR)
        found = asked(votes).pictures
        assert found.b.usd is not None
        assert (found.b.pictures, found.b.preferred, found.b.usd.total) == (1, 0.75, 0.06)

    def test_pairs_of_which_one_side_is_unpriced_are_left_out_on_both(self) -> None:
        votes = [judged("s", "b", a=self.CHEAP, b=SideFacts()), judged("t", "b", a=self.CHEAP, b=self.DEAR)]
        found = asked(votes).pictures
        assert found.a.usd is not None
        assert (found.a.pictures, found.a.usd.pairs, found.a.usd.total) == (2, 1, 0.02)

    def test_a_side_that_nobody_prefers_has_no_price_for_each(self) -> None:
        found = asked(votes_on("bb", a=self.CHEAP, b=self.DEAR)).pictures
        assert found.a.usd is not None
        assert (found.a.usd.total, found.a.usd.each) == (0.04, None)

    def test_fidelity_is_compared_pair_by_pair(self) -> None:
        votes = [
            judged(f"s{number}", "b", a=SideFacts(fidelity=50 + number), b=SideFacts(fidelity=55 + number + number % 3))
            for number in range(30)
        ]
        found = asked(votes).pictures.fidelity_difference
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        assert (found.pairs, found.mean) == (30, pytest.approx(6.0))
        assert 5.5 < found.low < 6 < found.high < 6.5

    def test_what_nobody_knows_is_none(self) -> None:
        found = asked(votes_on("ab")).pictures
        assert (found.a.fidelity, found.a.usd, found.b.seconds, found.fidelity_difference) == (None, None, None, None)
