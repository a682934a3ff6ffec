"""Who has seen the sides named: noted at once, kept for good, known to every server, and in nobody's way."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import StorageError
from core.votes.ballots.pool import days_ago
from core.votes.records.votes import Answer
from tests.support.tcp_proxy import TcpProxy
from tests.support.timeouts import until
from tests.votes.ballot_box import BO, KIM, A, B, BallotBox, VoteServer


def marks(box: BallotBox) -> list[str]:
    return [row.key for row in box.studio.store.list(f"{box.prefix}votes/seen/")]


def is_drawn(server: VoteServer) -> bool:
    return len(server.service.ballots(KIM)) == 1


def test_who_has_seen_it_is_not_shown_it_here_and_on_other_servers(box: BallotBox) -> None:
    record = box.compared()
    here, there = box.server(), box.server(name="two")
    assert is_drawn(here)
    here.known_as_seen(KIM, record.id)
    assert not is_drawn(here)
    assert len(here.service.ballots(BO)) == 1
    here.deliver()
    assert not is_drawn(there)
    assert not is_drawn(box.server(name="three"))


def test_it_is_written_once_and_the_first_time_counts(box: BallotBox) -> None:
    record = box.compared()
    here, there = box.server(), box.server(name="two")
    here.known_as_seen(KIM, record.id)
    here.deliver()
    (key,) = marks(box)
    before = box.studio.store.get(key)
    there.known_as_seen(KIM, record.id)
    there.deliver()
    for _ in range(3):
        here.seen.mark(KIM.email, record.id)
    here.deliver()
    assert box.studio.store.get(key).data == before.data
    assert len(marks(box)) == 1
    assert abs(datetime.fromisoformat(json.loads(before.data)["time"]) - datetime.now(UTC)) < timedelta(minutes=5)


def test_only_two_sides_with_pictures_are_seen(box: BallotBox) -> None:
    whole, half = box.compared(), box.compared(without=[(B, 1)])
    takes = box.compared(takes=2, without=[(A, 1), (B, 2)])
    later = box.compared(takes=2, without=[(A, 1)])
    server = box.server()
    server.seen.shown(KIM, *(server.history.status(each.id) for each in (whole, half, takes, later)))
    assert server.seen._marked[KIM.email].keys() == {whole.id, later.id}


def test_a_vote_after_it_is_marked_whoever_took_it(box: BallotBox) -> None:
    """Seen here, voted on a server that has not heard of it: S3 is asked before the vote is written."""
    record = box.compared()
    here, there = box.server(), box.server(name="two")
    (ballot,) = there.service.ballots(KIM)
    here.known_as_seen(KIM, record.id)
    here.deliver()
    there.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)
    there.deliver()
    (vote,) = box.stored()
    assert not vote.blind
    (judgement,) = there.cast_votes.judgements()
    assert not judgement.blind


def test_a_vote_before_it_stays_blind_however_late_it_is_written(box: BallotBox) -> None:
    record = box.compared()
    here, there = box.server(), box.server(name="two")
    (ballot,) = there.service.ballots(KIM)
    there.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)
    here.known_as_seen(KIM, record.id)
    here.deliver()
    there.deliver()
    (vote,) = box.stored()
    assert vote.blind


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b'{"time": 7}', b'{"time": "yesterday"}', b"\xff"])
def test_a_mark_that_makes_no_sense_is_taken_for_an_old_one(box: BallotBox, damage: bytes) -> None:
    record = box.compared()
    server = box.server()
    (ballot,) = server.service.ballots(KIM)
    key = f"{box.prefix}votes/seen/{server.voters.id_of(KIM.email)}/{record.id}.json"
    box.studio.store.put(key, damage, content_type="application/json")
    server.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)
    server.deliver()
    (vote,) = box.stored()
    assert not vote.blind


def test_it_is_in_nobodys_way_while_s3_is_away_and_written_when_it_is_back(box: BallotBox) -> None:
    record = box.compared()
    proxy = TcpProxy(box.studio.s3.endpoint_url)
    server = box.server(store=box.studio.store_at(proxy.url, attempts=1))
    server.voters.id_of(KIM.email)
    proxy.cut()
    try:
        began = time.monotonic()
        server.known_as_seen(KIM, record.id)
        assert time.monotonic() - began < 10
        with pytest.raises(StorageError):
            server.deliver()
        assert server.seen.has_seen(KIM.email, server.voters.id_of(KIM.email), record.id)
        proxy.mend()
        server.deliver()
        assert len(marks(box)) == 1
    finally:
        proxy.cut()


def test_what_a_stranger_saw_while_s3_was_away_is_tried_again_when_they_look_again(box: BallotBox) -> None:
    """Without S3 nobody knows their pseudonym."""
    record = box.compared()
    proxy = TcpProxy(box.studio.s3.endpoint_url)
    server = box.server(store=box.studio.store_at(proxy.url, attempts=1))
    proxy.cut()
    try:
        server.seen.mark(KIM.email, record.id)
        until(lambda: bool(server.seen._unkept))
        proxy.mend()
        server.known_as_seen(KIM, record.id)
        server.deliver()
        assert len(marks(box)) == 1
    finally:
        proxy.cut()


def test_only_marks_of_young_comparisons_are_listed(box: BallotBox) -> None:
    old, young = box.compared(age=timedelta(days=50)), box.compared()
    server = box.server()
    for record in (old, young):
        server.known_as_seen(KIM, record.id)
    server.deliver()
    fresh = box.server(name="two")
    assert fresh.seen.of(KIM.email, since=days_ago(30)) == {young.id}
    assert fresh.seen.of(KIM.email, since=days_ago(60)) == {old.id, young.id}, "who asks further back is answered so"
