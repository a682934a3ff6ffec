"""Insights as pages ask for them: by what their viewer may see, from memory, and never of less than is known."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from core.errors import AccessDenied
from core.injection.request.wishes import Varies
from core.viewer import PersonRole, Viewer
from core.votes.insights.service import InsightsService
from core.votes.records.votes import Answer
from core.votes.selection import Filters
from tests.support.timeouts import until
from tests.votes.ballot_box import BO, KIM, BallotBox, VoteServer

LEE = Viewer("lee@studio.example", PersonRole.ADMIN)
ASKED = Filters()


def insights_at(server: VoteServer) -> InsightsService:
    return InsightsService(server.cast_votes, server.voters, is_read=lambda: True)


def judge(server: VoteServer, viewer: Viewer, answers: int = 1) -> None:
    for ballot in server.service.ballots(viewer, count=answers):
        server.service.cast(viewer, ballot.token, Answer.LEFT, seconds=2.0)


@pytest.fixture
def server(box: BallotBox) -> VoteServer:
    """Kim has judged three comparisons, and Bo two of these."""
    for number in range(3):
        box.compared(prompt=f"portrait {number}", person="somebody@studio.example")
    server = box.server()
    judge(server, KIM, 3)
    judge(server, BO, 2)
    return server


class TestNames:
    def test_designers_get_numbers_and_ops_and_admins_get_names(self, server: VoteServer) -> None:
        insights = insights_at(server)
        assert [voter.name for voter in insights.answer(KIM, ASKED).voters] == ["Voter 1", "Voter 2"]
        for viewer in (BO, LEE):
            assert [voter.name for voter in insights.answer(viewer, ASKED).voters] == [KIM.email, BO.email]

    def test_who_was_removed_goes_by_a_pseudonym_for_everybody_and_their_votes_stay(self, server: VoteServer) -> None:
        server.gone.add(KIM.email)
        found = insights_at(server).answer(BO, ASKED)
        assert found.votes == 5
        assert [voter.name for voter in found.voters] == [server.voters.id_of(KIM.email), BO.email]
        assert KIM.email not in repr(found)

    def test_only_who_may_see_names_may_ask_for_one_persons_votes(self, server: VoteServer) -> None:
        insights, own = insights_at(server), Filters(voter=server.voters.id_of(KIM.email))
        for ask in (insights.answer, insights.votes_csv, insights.scenes_csv, insights.so_far):
            with pytest.raises(AccessDenied):
                ask(KIM, own)
        found = insights.answer(BO, own)
        assert (found.votes, found.filters.voter) == (3, KIM.email)
        assert insights.choices(KIM, Varies.ANGLE).voters == {}
        assert list(insights.choices(BO, Varies.ANGLE).voters) == [BO.email, KIM.email]

    def test_the_csv_of_votes_names_voters_to_whom_the_page_does(self, server: VoteServer) -> None:
        insights = insights_at(server)
        told = {viewer.role: insights.votes_csv(viewer, ASKED) for viewer in (KIM, BO)}
        assert "studio.example" not in told[KIM.role]
        assert told[BO.role].count(KIM.email) == 3
        assert server.voters.id_of(KIM.email) not in told[KIM.role]
        assert len(insights.scenes_csv(KIM, ASKED).splitlines()) == 4


class TestFreshness:
    def test_a_vote_counts_at_the_next_look(self, server: VoteServer) -> None:
        insights = insights_at(server)
        assert insights.answer(KIM, ASKED).votes == 5
        judge(server, BO)
        assert insights.answer(KIM, ASKED).votes == 6

    def test_the_same_question_is_reckoned_once_while_nothing_changes(self, server: VoteServer) -> None:
        insights = insights_at(server)
        first = insights.answer(KIM, ASKED)
        assert insights.answer(KIM, Filters()).course is first.course
        assert insights.answer(BO, ASKED).course is first.course
        assert insights.answer(KIM, Filters(since=datetime(2026, 1, 1, tzinfo=UTC).date())).course is not first.course

    def test_of_many_votes_an_answer_waits_for_none_that_came_in_since(
        self, server: VoteServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.votes.insights.service._AT_ONCE_MAX", 0)
        monkeypatch.setattr("core.votes.insights.service._REST_S", 0)
        insights = insights_at(server)
        assert insights.answer(KIM, ASKED).votes == 5
        judge(server, BO)
        assert insights.answer(KIM, ASKED).votes == 5
        until(lambda: insights.answer(KIM, ASKED).votes == 6)

    def test_who_asks_at_the_same_time_shares_one_reading(self, server: VoteServer) -> None:
        insights = insights_at(server)
        found: list[int] = []
        threads = [threading.Thread(target=lambda: found.append(insights.answer(KIM, ASKED).votes)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [5] * 8


def test_columns_are_made_before_anybody_asks_once_all_votes_are_read(server: VoteServer) -> None:
    is_read = threading.Event()
    insights = InsightsService(server.cast_votes, server.voters, is_read=is_read.is_set)
    warming = threading.Thread(target=insights.warm)
    warming.start()
    is_read.set()
    warming.join()
    assert insights.so_far(KIM, ASKED) is not None


def test_a_studio_that_closes_waits_for_no_votes(server: VoteServer) -> None:
    insights = InsightsService(server.cast_votes, server.voters, is_read=lambda: False)
    warming = threading.Thread(target=insights.warm)
    warming.start()
    insights.close()
    warming.join(5)
    assert not warming.is_alive()


def test_what_is_known_so_far_is_told_as_soon_as_it_is_read(server: VoteServer) -> None:
    insights = insights_at(server)
    assert insights.so_far(KIM, Filters(tone="vivid")) is None
    until(lambda: insights.so_far(KIM, Filters(tone="vivid")) is not None)
    assert "of 3 scenes" in (insights.so_far(KIM, Filters(tone="vivid")) or "")
    assert insights.so_far(KIM, Filters(tone="noir")) is None
