"""Drawing: the right pairs first, never the same twice, by lot where nothing else decides."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

from ulid import ULID

from core.votes.ballots.drawing import BallotFilter, Candidate, VoterView, ballot_of, candidates_in, draw, repetition
from core.votes.ballots.pairings import Pairing, PairPicture, PicturePair
from core.votes.records.book import Place
from core.votes.records.judgements import SideLetter
from core.votes.records.vote_rows import Pair, VoteRow

EVERYTHING = BallotFilter()
NOBODY = VoterView({}, frozenset(), frozenset())


def pairing(number: int, *, takes: int = 1, controlled: bool = True, tone: str = "vivid") -> Pairing:
    one = str(ULID.from_datetime(datetime.now(UTC) - timedelta(minutes=number)))

    def made(side: str, take: int) -> PairPicture:
        return PairPicture(f"{side}-{take}.png", f"{one}-{side}-{take}", 60.0, 4.0, 0.04, 0)

    return Pairing(
        id=one,
        etag="e",
        person=f"p{number % 2}@studio.example",
        prompt=f"prompt {number}",
        tone=tone,
        angle="low-angle",
        persona="Araya",
        model="gpt-image-2",
        varies="angle",
        controlled=controlled,
        a="tone-only",
        b="tone-angle",
        titles=("Tone only", "Tone + angle"),
        pairs=tuple(PicturePair(take, made("a", take), made("b", take)) for take in range(1, takes + 1)),
    )


def pool(*pairings: Pairing) -> dict[Pair, Candidate]:
    return {each.pair: each for each in candidates_in(pairings)}


def vote(candidate: Candidate, number: int, *, blind: bool = True, left: str = "a", again: bool = False) -> VoteRow:
    one = str(ULID())
    etags = candidate.pictures.a.etag, candidate.pictures.b.etag
    row = VoteRow(one, "e", one, "v", float(number), *candidate.pair, "a", etags[0], "b", etags[1], left, "left")
    return row._replace(blind=blind, again=again)


def judged(*rows: VoteRow) -> dict[Place, VoteRow]:
    return {Place(row.pair, row.again): row for row in rows}


def drawn(
    candidates: dict[Pair, Candidate],
    voter: VoterView = NOBODY,
    votes: dict[Pair, int] | None = None,
    wanted: BallotFilter = EVERYTHING,
    *,
    count: int = 1,
) -> list[str]:
    found = draw(candidates, voter, votes or {}, wanted, count=count, lot=Random(7))
    return [candidate.pairing.id for candidate in found]


def test_controlled_ones_come_first_and_then_those_with_the_fewest_votes() -> None:
    one, two, three, four = pairing(1), pairing(2), pairing(3, controlled=False), pairing(4, controlled=False)
    votes = {Pair(one.id, 1): 5, Pair(two.id, 1): 2, Pair(four.id, 1): 1}
    assert drawn(pool(one, two, three, four), votes=votes, count=4) == [two.id, one.id, three.id, four.id]


def test_what_was_judged_skipped_or_lies_before_the_voter_is_not_drawn() -> None:
    one, two, three = pairing(1), pairing(2), pairing(3)
    candidates = pool(one, two, three)
    voter = VoterView(judged(vote(candidates[Pair(one.id, 1)], 1)), frozenset(), frozenset({Pair(two.id, 1)}))
    assert drawn(candidates, voter, count=5) == [three.id]
    nothing_left = VoterView(voter.judged, frozenset(), frozenset({Pair(two.id, 1), Pair(three.id, 1)}))
    assert drawn(candidates, nothing_left, count=5) == []


def test_what_the_voter_is_not_blind_to_is_left_out_or_comes_last_where_it_is_asked_for() -> None:
    one, two = pairing(1), pairing(2, controlled=False)
    voter = VoterView({}, frozenset({one.id}), frozenset())
    assert drawn(pool(one, two), voter, count=5) == [two.id]
    assert drawn(pool(one, two), voter, wanted=BallotFilter(include_seen=True), count=5) == [two.id, one.id]


def test_of_a_comparison_one_take_is_shown_at_a_time_and_the_others_later() -> None:
    one = pairing(1, takes=3)
    candidates = pool(one)
    assert drawn(candidates, count=3) == [one.id]
    voter = VoterView(judged(vote(candidates[Pair(one.id, 2)], 1)), frozenset(), frozenset({Pair(one.id, 1)}))
    (found,) = draw(candidates, voter, {}, BallotFilter(), count=3, lot=Random(7))
    assert found.pictures.take == 3


def test_many_takes_do_not_crowd_out_other_comparisons() -> None:
    candidates = pool(*(pairing(number, takes=4) for number in range(6)))
    assert len(drawn(candidates, count=6)) == 6


def test_among_equals_the_lot_decides() -> None:
    candidates = pool(*(pairing(number) for number in range(5)))
    lot = Random(3)
    first = Counter(draw(candidates, NOBODY, {}, BallotFilter(), count=1, lot=lot)[0].pairing.id for _ in range(200))
    assert len(first) == 5
    assert min(first.values()) > 15


def test_every_filter_narrows() -> None:
    one, two = pairing(1), pairing(2, tone="noir")
    candidates = pool(one, two)
    for wanted in (BallotFilter(tone="noir"), BallotFilter(person="p0@studio.example")):
        assert drawn(candidates, wanted=wanted, count=5) == [two.id]
    for wanted in (BallotFilter(angle="overhead"), BallotFilter(persona="Bao"), BallotFilter(varies="model")):
        assert drawn(candidates, wanted=wanted, count=5) == []
    everything = BallotFilter(angle="low-angle", persona="Araya", varies="angle")
    assert set(drawn(candidates, wanted=everything, count=5)) == {one.id, two.id}


def test_left_and_right_are_drawn_by_lot_whoever_is_better() -> None:
    candidate = next(candidates_in([pairing(1)]))
    left = Counter(ballot_of(candidate, "v", folder="f/").left for _ in range(400))
    assert 150 < left[SideLetter.A] < 250  # 5 standard deviations


def long_ago(candidates: dict[Pair, Candidate]) -> list[VoteRow]:
    """All of them judged, the first one first."""
    return [vote(candidate, number) for number, candidate in enumerate(candidates.values())]


def test_a_repetition_is_mirrored_and_ten_others_lie_between() -> None:
    candidates = pool(*(pairing(number) for number in range(12)))
    rows = long_ago(candidates)
    found = repetition(candidates, VoterView(judged(*rows), frozenset(), frozenset()), EVERYTHING, lot=Random(1))
    assert found is not None
    candidate, left = found
    assert candidate.pair in {row.pair for row in rows[:2]}
    assert left is SideLetter.B
    ballot = ballot_of(candidate, "v", folder="f/", left=left)
    assert (ballot.again, ballot.left) == (True, SideLetter.B)


def test_nothing_is_repeated_that_would_not_tell_whether_people_agree_with_themselves() -> None:
    """Before ten others, twice, not blindly, of a comparison seen since, of pictures made anew, or out of the pool."""
    candidates = pool(*(pairing(number) for number in range(11)))
    rows = long_ago(candidates)
    first = rows[0]

    def found(
        *changed: VoteRow, seen: str = "", out: frozenset[Pair] = frozenset(), wanted: BallotFilter = EVERYTHING
    ) -> bool:
        voter = VoterView(judged(*rows, *changed), frozenset({seen}), out)
        return repetition(candidates, voter, wanted, lot=Random(1)) is not None

    assert found()
    assert (
        repetition(candidates, VoterView(judged(*rows[:10]), frozenset(), frozenset()), EVERYTHING, lot=Random(1))
        is None
    )
    assert not found(first._replace(again=True))
    assert not found(first._replace(blind=False))
    assert not found(seen=first.comparison)
    assert not found(first._replace(etag_b="other"))
    assert not found(out=frozenset({first.pair}))
    assert not found(wanted=BallotFilter(tone="noir"))
    del candidates[first.pair]
    assert not found()


def test_a_ballot_of_20_000_comparisons_takes_less_than_50_ms_of_the_processor() -> None:
    candidates = pool(*(pairing(number, controlled=number % 3 > 0) for number in range(20_000)))
    votes = {pair: number % 5 for number, pair in enumerate(candidates)}
    voter = VoterView(judged(*long_ago(dict(list(candidates.items())[:500]))), frozenset(), frozenset())
    took = []
    for _ in range(5):
        began = time.thread_time()
        assert len(draw(candidates, voter, votes, BallotFilter(tone="vivid"), count=3, lot=Random(1))) == 3
        took.append(time.thread_time() - began)
    assert min(took) < 0.05
