"""The vote book: which votes stand, whatever the order in which a server hears of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from core.votes.records.book import Place, VoteBook
from core.votes.records.vote_rows import Pair, VoteRow, _cells, _row_in

START = datetime(2026, 11, 22, 9, tzinfo=UTC)
PAIRS = [Pair(str(ULID.from_datetime(START)), take) for take in (1, 2)]


def vote(
    second: int, *, voter: str = "v1", pair: Pair = PAIRS[0], again: bool = False, answer: str = "left"
) -> VoteRow:
    moment = START + timedelta(seconds=second)
    one = str(ULID.from_datetime(moment))
    return VoteRow(
        one,
        "e",
        one,
        voter,
        moment.timestamp(),
        *pair,
        *("k1", "e1", "k2", "e2", "a", answer),
        reasons=(),
        seconds=2.0,
        blind=True,
        again=again,
    )


def skip(second: int, *, voter: str = "v1", pair: Pair = PAIRS[0]) -> VoteRow:
    moment = START + timedelta(seconds=second)
    one = str(ULID.from_datetime(moment))
    return VoteRow(one, "e", one, voter, moment.timestamp(), *pair)


def withdrawal(of: VoteRow, second: int, *, voter: str | None = None) -> VoteRow:
    moment = START + timedelta(seconds=second)
    return VoteRow(str(ULID.from_datetime(moment)), "e", of.ballot, voter or of.voter, moment.timestamp())


def book(*rows: VoteRow) -> VoteBook:
    known = VoteBook()
    for row in rows:
        known.note(row.id, row)
    return known


def test_the_first_vote_of_a_person_on_a_pair_counts_and_no_other() -> None:
    first, second = vote(1), vote(2, answer="right")
    for rows in ((first, second), (second, first)):
        known = book(*rows)
        assert known.standing() == [first]
        assert known.votes_on()[PAIRS[0]] == 1


def test_a_vote_that_was_taken_back_does_not_count_and_the_next_one_does() -> None:
    first, second = vote(1), vote(3, answer="right")
    back = withdrawal(first, 2)
    assert book(first, back).standing() == []
    assert book(first, back).votes_on()[PAIRS[0]] == 0
    assert book(back, second, first).standing() == [second]


def test_only_who_gave_a_vote_takes_it_back() -> None:
    first = vote(1)
    assert book(first, withdrawal(first, 2, voter="v2")).standing() == [first]


def test_takes_repetitions_and_voters_count_for_themselves() -> None:
    rows = [vote(1), vote(2, pair=PAIRS[1]), vote(3, again=True), vote(4, voter="v2")]
    known = book(*rows)
    assert known.standing() == rows
    assert known.votes_on() == {PAIRS[0]: 2, PAIRS[1]: 1}, "a repetition is no further vote"
    assert known.of_voter("v1").keys() == {Place(PAIRS[0]), Place(PAIRS[1]), Place(PAIRS[0], again=True)}


def test_what_waits_for_s3_counts_already_and_is_not_counted_twice_when_s3_has_it() -> None:
    known, kept = VoteBook(), vote(1)._replace(etag="")
    known.keep(kept)
    assert known.standing() == [kept]
    assert known.waiting_of("v1") == 1
    known.note(kept.id, kept._replace(etag="e"))
    known.release(kept.id)
    assert known.votes_on()[PAIRS[0]] == 1
    assert known.waiting_of("v1") == 0


def test_what_s3_has_counts_before_what_was_kept_here() -> None:
    """Another server may have been first with the same ballot."""
    known, kept = VoteBook(), vote(1)
    known.keep(kept)
    known.note(kept.id, kept._replace(answer="tie"))
    known.release(kept.id)
    assert [row.answer for row in known.standing()] == ["tie"]


def test_a_vote_that_is_gone_from_s3_is_gone() -> None:
    first = vote(1)
    known = book(first)
    known.note(first.id, None)
    assert known.standing() == []
    assert known.votes_on()[PAIRS[0]] == 0


def test_every_change_counts_and_what_changes_nothing_does_not() -> None:
    known, first = VoteBook(), vote(1)
    known.note(first.id, first)
    version = known.version
    known.note(first.id, first)
    assert known.version == version
    known.note(first.id, None)
    assert known.version > version


@given(st.data())
def test_all_servers_count_alike_in_whatever_order_they_hear_of_votes(data: st.DataObject) -> None:
    votes = [
        vote(at, voter=data.draw(st.sampled_from(["v1", "v2"])), pair=data.draw(st.sampled_from(PAIRS)))
        for at in range(data.draw(st.integers(1, 6)))
    ]
    taken = [withdrawal(each, 10 + at) for at, each in enumerate(votes) if data.draw(st.booleans())]
    rows = [*votes, *taken]
    orders = [book(*data.draw(st.permutations(rows))) for _ in range(2)]
    assert orders[0].standing() == orders[1].standing()
    back = {each.ballot for each in taken}
    expected = {}
    for each in votes:
        if each.ballot not in back:
            expected.setdefault((each.voter, each.pair), each)
    assert sorted(row.id for row in orders[0].standing()) == sorted(row.id for row in expected.values())
    assert {pair: count for pair, count in orders[0].votes_on().items() if count} == {
        pair: sum(key[1] == pair for key in expected) for pair in {key[1] for key in expected}
    }


def test_a_skip_is_no_vote_and_is_known_of_its_voter_from_its_moment_on() -> None:
    skipped, judged = skip(1), vote(2)
    known = book(skipped, judged, skip(3, voter="v2", pair=PAIRS[1]))
    assert known.standing() == [judged]
    assert known.skipped_by("v1", since=skipped.time) == {PAIRS[0]}
    assert known.skipped_by("v1", since=skipped.time + 1) == set()
    assert known.votes_on() == {PAIRS[0]: 1}
    version = known.version
    known.note(skipped.id, None)
    assert known.skipped_by("v1", since=0) == set()
    assert known.version == version, "nothing that is counted has changed"


def test_a_skip_that_was_taken_back_by_its_voter_is_none_whatever_is_heard_of_first() -> None:
    skipped = skip(1)
    back, foreign = withdrawal(skipped, 2), withdrawal(skipped, 2, voter="v2")
    for rows in ((skipped, back), (back, skipped)):
        known = book(*rows, skip(3, pair=PAIRS[1]))
        assert known.skipped_by("v1", since=0) == {PAIRS[1]}
        assert known.skip("v1", skipped.ballot) == skipped
        assert known.is_withdrawn(skipped)
        assert known.version == 0, "nothing is counted of it"
    assert book(skipped, foreign).skipped_by("v1", since=0) == {PAIRS[0]}


def test_rows_of_all_kinds_come_back_from_a_month_as_they_were() -> None:
    judged = vote(1)
    rows = [judged, withdrawal(judged, 2), skip(3)]
    assert [_row_in(json.loads(json.dumps(_cells(row)))) for row in rows] == rows
