"""Votes in a storm: S3 away, servers killed, answers lost, disks full. Nothing is lost, and nothing counts twice."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from ulid import ULID

from core.errors import InputError, StorageError, StorageUnavailable
from core.viewer import PersonRole, Viewer
from core.votes.records.votes import Answer, Withdrawal, read_record
from tests.generation.breaking_proxy import BreakingProxy
from tests.support.processes.forks import Fork
from tests.support.tcp_proxy import TcpProxy
from tests.support.timeouts import LONG_S, until
from tests.votes.ballot_box import BO, KIM, BallotBox, VoteServer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def proxy(box: BallotBox) -> Iterator[TcpProxy]:
    made = TcpProxy(box.studio.s3.endpoint_url)
    yield made
    made.cut()


def behind(box: BallotBox, proxy: TcpProxy, name: str = "one") -> VoteServer:
    return box.server(name=name, store=box.studio.store_at(proxy.url, attempts=1))


def voters(count: int) -> list[Viewer]:
    return [Viewer(f"voter{number}@studio.example", PersonRole.DESIGNER) for number in range(count)]


def test_votes_of_twenty_people_while_s3_is_away_are_all_there_once_when_it_is_back(
    box: BallotBox, proxy: TcpProxy
) -> None:
    for _ in range(4):
        box.compared()
    server, people = behind(box, proxy), voters(20)
    hands = {viewer.email: server.service.ballots(viewer, count=4) for viewer in people}
    proxy.cut()

    def vote(viewer: Viewer) -> None:
        for ballot in hands[viewer.email]:
            for _ in range(2):  # a browser that does not trust the line
                server.service.cast(viewer, ballot.token, Answer.RIGHT, seconds=1.0)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(vote, people))
    with pytest.raises(StorageUnavailable):
        server.deliver()
    assert box.stored() == []
    assert all(server.service.session(viewer).waiting == 4 for viewer in people)
    assert all(server.service.ballots(viewer) == () for viewer in people), "they count meanwhile"
    proxy.mend()
    server.deliver()
    stored = Counter((vote.voter, vote.comparison) for vote in box.stored())
    assert len(stored) == 80
    assert set(stored.values()) == {1}
    assert all(server.service.session(viewer).waiting == 0 for viewer in people)
    assert list(server.votes.outbox.kept()) == []


def test_the_loop_writes_them_by_itself_as_soon_as_s3_is_back(box: BallotBox, proxy: TcpProxy) -> None:
    box.compared()
    server = behind(box, proxy)
    (ballot,) = server.service.ballots(KIM)
    server.votes.outbox.loop.start()
    try:
        proxy.cut()
        server.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)
        until(lambda: server.votes.outbox.loop.pulse.rounds > 1)
        proxy.mend()
        server.votes.outbox.loop.wake()  # as the circuit breaker does
        until(lambda: server.service.session(KIM).waiting == 0)
    finally:
        server.votes.stop()
    assert len(box.stored()) == 1


@pytest.mark.parametrize("s3_is_away", [False, True])
def test_a_server_killed_right_after_the_key_loses_nothing_and_doubles_nothing(
    box: BallotBox, proxy: TcpProxy, tmp_path: Path, s3_is_away: bool
) -> None:
    for _ in range(3):
        box.compared()
    server = box.server()
    hand = server.service.ballots(KIM, count=3)
    server.votes.stop()
    if s3_is_away:
        proxy.cut()
    s3 = box.studio.s3
    words = [s3.bucket, proxy.url, s3.access_key, s3.secret_key, box.prefix, str(box.disk / "one")]
    asked = [
        {"email": KIM.email, "voter": server.voters.id_of(KIM.email), "token": ballot.token, "answer": answer}
        for ballot, answer in zip(hand, ("left", "right", "tie"), strict=True)
    ]
    out, errors = tmp_path / "out.txt", tmp_path / "errors.txt"
    killed = Fork(
        ["-m", "tests.votes.killed_voter", *words, *map(json.dumps, asked)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"},
        stdout=out,
        stderr=errors,
    )
    assert (killed.wait(LONG_S), out.read_text()) == (-signal.SIGKILL, "taken\n"), errors.read_text()
    restarted = box.server()
    assert restarted.service.session(KIM).judged == 3, "they count before S3 has them"
    for ballot, one in zip(hand, asked, strict=True):  # the browser never heard that they were taken
        restarted.service.cast(KIM, ballot.token, Answer(one["answer"]), seconds=1.0)
    restarted.deliver()
    restarted.deliver()
    assert sorted(vote.answer for vote in box.stored()) == ["left", "right", "tie"]
    assert box.server(name="two").service.session(KIM).judged == 3


def test_a_process_that_dies_between_s3s_answer_and_its_own_disk_writes_no_second_one(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    (ballot,) = server.service.ballots(KIM)
    server.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)
    (kept,) = server.votes.outbox.kept()
    server.deliver()
    restarted = box.bare_server()
    restarted.votes.outbox.put(*kept)
    restarted.read().deliver()
    assert len(box.stored()) == 1
    assert restarted.service.session(KIM).judged == 1
    assert list(restarted.votes.outbox.kept()) == []


def test_an_answer_of_s3_that_is_lost_on_the_way_makes_no_second_vote(box: BallotBox) -> None:
    box.compared()
    with BreakingProxy(box.studio.s3.endpoint_url) as breaking:
        server = box.server(store=box.studio.store_at(breaking.url, attempts=1))
        (ballot,) = server.service.ballots(KIM)
        server.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)
        breaking.cut_at(r"PUT /[^ ]*/votes/cast/", answered=True)
        with pytest.raises(StorageError):
            server.deliver()
        until(breaking.was_cut.is_set)
        breaking.mend()
        server.deliver()
    assert len(box.stored()) == 1
    assert server.service.session(KIM).waiting == 0


def test_the_same_ballot_answered_on_two_servers_is_one_vote_and_the_first_in_s3_counts(box: BallotBox) -> None:
    box.compared()
    here, there = box.server(), box.server(name="two")
    (ballot,) = here.service.ballots(KIM)
    here.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)
    there.service.cast(KIM, ballot.token, Answer.RIGHT, seconds=1.0)
    there.deliver()
    here.deliver()
    assert [vote.answer for vote in box.stored()] == [Answer.RIGHT]
    for server in (here, there, box.server(name="three")):
        assert [row.answer for row in server.votes.book.standing()] == ["right"]
    with pytest.raises(InputError, match="answered already"):
        here.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)


def test_two_ballots_of_one_pair_from_two_tabs_count_as_one_vote_on_every_server(box: BallotBox) -> None:
    box.compared()
    here, there = box.server(), box.server(name="two")
    (first,), (second,) = here.service.ballots(KIM), there.service.ballots(KIM)
    here.service.cast(KIM, first.token, Answer.LEFT, seconds=1.0)
    there.service.cast(KIM, second.token, Answer.TIE, seconds=1.0)
    here.deliver()
    there.deliver()
    for server in (here, there, box.server(name="three")):
        server.votes.catch_up()
        assert len(server.cast_votes.judgements()) == 1
        assert server.service.session(KIM).judged == 1
        assert [row.winner for row in server.votes.book.standing()] != ["tie"]


def test_two_processes_that_empty_one_disk_write_each_vote_once(box: BallotBox) -> None:
    for _ in range(6):
        box.compared()
    server = box.server()
    for ballot in server.service.ballots(KIM, count=6):
        server.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)
    others = [box.server() for _ in range(3)]
    barrier = threading.Barrier(4)

    def empty(one: VoteServer) -> None:
        barrier.wait(LONG_S)
        one.deliver()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(empty, [server, *others]))
    assert len(box.stored()) == 6
    assert all(len(one.votes.book.standing()) == 6 for one in (server, *others))


def test_on_a_full_disk_a_vote_goes_to_s3_at_once_and_without_both_it_is_not_counted(
    box: BallotBox, proxy: TcpProxy
) -> None:
    for _ in range(2):
        box.compared()
    box.disk.mkdir()
    (box.disk / "full").write_text("no folder can be made here")
    server = box.server(name="full/votes", store=box.studio.store_at(proxy.url, attempts=1))
    first, second = server.service.ballots(KIM, count=2)
    with capture_logs() as log:
        server.service.cast(KIM, first.token, Answer.LEFT, seconds=1.0)
    assert server.service.session(KIM).waiting == 0
    assert "vote_not_kept_on_disk" in {line["event"] for line in log}
    proxy.cut()
    with pytest.raises(StorageError):
        server.service.cast(KIM, second.token, Answer.LEFT, seconds=1.0)
    assert server.service.session(KIM).judged == 1
    proxy.mend()
    server.service.cast(KIM, second.token, Answer.RIGHT, seconds=1.0)
    assert len(box.stored()) == 2


def test_what_lies_on_the_disk_and_is_no_vote_is_named_and_holds_nothing_up(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    server.votes.outbox.put(f"{ULID()}.json", b'{"kind": "vote"}')
    server.votes.outbox.put("readme.txt", b"hello")
    (ballot,) = server.service.ballots(KIM)
    server.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)
    restarted = box.server()
    with capture_logs() as log:
        for _ in range(2):
            restarted.deliver()
    assert [line["event"] for line in log].count("kept_vote_left_out") == 2, "each once, not in every round"
    assert len(box.stored()) == 1


def test_a_vote_in_s3_that_makes_no_sense_is_left_out_and_named_once(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    (ballot,) = server.service.ballots(KIM)
    server.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)
    server.deliver()
    (key,) = [row.key for row in box.studio.store.list(f"{box.prefix}votes/cast/")]
    for name, data in ((str(ULID()), b"{}"), (str(ULID()), box.studio.store.get(key).data)):
        box.studio.store.put(f"{key.rsplit('/', 1)[0]}/{name}.json", data, content_type="application/json")
    with capture_logs() as log:
        fresh = box.server(name="two")
        fresh.votes.catch_up()
    assert [line["event"] for line in log].count("record_left_out") == 2
    assert fresh.service.session(KIM).judged == 1


def test_who_was_here_before_votes_on_while_s3_is_away_and_a_stranger_is_told(box: BallotBox, proxy: TcpProxy) -> None:
    for _ in range(2):
        box.compared()
    server = behind(box, proxy)
    (ballot,) = server.service.ballots(KIM)
    proxy.cut()
    server.service.cast(KIM, ballot.token, Answer.LEFT, seconds=1.0)
    assert len(server.service.ballots(KIM)) == 1, "drawn from memory"
    with pytest.raises(StorageError):
        server.service.ballots(BO)


def test_months_are_packed_and_say_what_the_votes_say_and_can_be_made_again(box: BallotBox) -> None:
    for _ in range(3):
        box.compared()
    server = box.server()
    for ballot in server.service.ballots(KIM, count=3):
        server.service.cast(KIM, ballot.token, Answer.TIE, seconds=1.0)
    server.service.undo(KIM, ballot.token)
    server.deliver()
    server.votes.catch_up()
    (month,) = [row.key for row in box.studio.store.list(f"{box.prefix}votes/months/")]
    standing = server.votes.book.standing()
    assert len(standing) == 2
    packed = box.server(name="two").votes.book.standing()
    box.studio.store.delete(month)
    assert box.server(name="three").votes.book.standing() == packed == standing


def test_records_of_both_kinds_come_back_as_they_were_written() -> None:
    one = Withdrawal(id=str(ULID()), ballot=str(ULID()), voter="v", time="2026-11-22T09:00:00+00:00")
    assert read_record(one.model_dump_json().encode(), one.id) == one
    with pytest.raises(StorageError, match="it says that it is"):
        read_record(one.model_dump_json().encode(), str(ULID()))
