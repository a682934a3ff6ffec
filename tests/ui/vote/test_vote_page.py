"""The Vote page on the demo: what it sends the desk, does with its news, and says where nothing is left."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from core.references.vocabulary import Role
from core.storage.embedded.server import EmbeddedS3
from core.studio import SAMPLES, Studio, close_studio, get_studio
from core.ui.components.vote.vote import Doing, VoteAct, VoteNews
from core.ui.frame.state import Key
from core.ui.vote.voting import Voting
from core.viewer import PersonRole, Viewer
from core.votes.records.votes import Answer, Reason
from tests.generation.comparisons import slot
from tests.support.tcp_proxy import TcpProxy, tcp_proxy
from tests.support.timeouts import LONG_S, until
from tests.votes.ballot_box import BallotBox

PAGE = Path(__file__).parents[3] / "pages" / "vote.py"
DEMO = Viewer("demo@localhost", PersonRole.ADMIN)


@dataclass
class Place:
    """The demo in this process, with its S3 at the other end of a proxy."""

    studio: Studio
    box: BallotBox
    proxy: TcpProxy
    made: list[str] = field(default_factory=list)

    def compare(self, number: int, prompt: str = "초상화, 긴 외투를 입은 사람", **wishes: Any) -> None:
        """Make so many comparisons of one person, and have them known."""
        person = slot("refs/01. Model/vivid/Araya 05.png", "e1", Role.MODEL)
        self.made += [self.box.compared(person, prompt=prompt, **wishes).id for _ in range(number)]
        self.studio.pairings.catch_up()

    def reported(self) -> list[str]:
        prefix = f"{self.studio.settings.s3_app_prefix}reviews/reported/"
        return [row.key for row in self.box.studio.store.list(prefix)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("demo")
    data = folder / "data"
    owner = EmbeddedS3.open(data, SAMPLES)
    try:
        with tcp_proxy(owner.endpoint_url) as proxy, pytest.MonkeyPatch.context() as patch:
            (data / "s3.endpoint.json").write_text(json.dumps({"endpoint_url": proxy.url, "pid": os.getpid()}))
            patch.setattr(ContextProxy, "url", "http://localhost/")
            patch.setenv("DATA_DIR", str(data))
            try:
                studio = get_studio()
                until(lambda: studio.pairings.is_read and studio.vote_store.is_read, "the empty bucket is read")
                yield Place(studio, BallotBox(owner, studio.settings.s3_app_prefix, folder / "disks"), proxy)
            finally:
                close_studio()
    finally:
        owner.close()


def script(page: str) -> None:
    """What the browser said comes first, as a component's callback does."""
    import runpy
    from pathlib import Path

    import streamlit as st

    from core.ui.vote.voting import take_news
    from core.web.http.addresses import PAGES

    st.navigation([st.Page(Path(page).with_name(f"{name}.py")) for name in PAGES], position="hidden")
    if "news" in st.session_state:
        take_news(st.session_state.pop("news"))
    runpy.run_path(page)


class Desk:
    """A tab on the page, whose browser is played here."""

    _numbers = count()

    def __init__(self, *, is_met: bool = True, **query: str) -> None:
        self.app = AppTest.from_function(script, kwargs={"page": str(PAGE)}, default_timeout=LONG_S)
        self.app.query_params.update(query)
        self.app.session_state[Key.VOTING] = Voting(is_met=is_met)
        self.run()

    def run(self) -> None:
        self.app.run()
        assert not self.app.exception

    def say(self, does: Doing, token: str, **more: Any) -> str:
        """Do something with a ballot; the id of the act."""
        act = VoteAct(id=f"act {next(self._numbers)}", does=does, token=token, **more)
        self.tell(act)
        return act.id

    def tell(self, *acts: VoteAct, unreadable: Sequence[str] = ()) -> None:
        self.app.session_state["news"] = VoteNews(acts, unreadable, ())
        self.run()

    @property
    def data(self) -> dict[str, Any]:
        """What the browser has before it."""
        (component,) = self.app.get("bidi_component")
        found: dict[str, Any] = json.loads(component.proto.json)
        return found

    @property
    def tokens(self) -> list[str]:
        return [ballot["token"] for ballot in self.data["ballots"]]

    @property
    def voting(self) -> Voting:
        found: Voting = self.app.session_state[Key.VOTING]
        return found

    @property
    def words(self) -> str:
        """All that is said, without what keeps values from being anything but text."""
        said = [each.value for each in [*self.app.markdown, *self.app.caption, *self.app.error]]
        return unescape("\n".join(said)).replace(":color{}", "")

    @property
    def buttons(self) -> list[str]:
        return [each.label for each in self.app.button]


def _again(desk: Desk) -> Desk:
    desk.run()
    return desk


@pytest.mark.usefixtures("place")
class TestNothingThere:
    def test_storage_that_is_away_is_said_once_and_asked_again(self, place: Place) -> None:
        place.proxy.cut()
        try:
            desk = Desk()
            (said,) = desk.app.warning
            assert "Storage does not answer" in unescape(said.value)
            assert "looks again by itself" in said.value
            assert not desk.app.error
            assert (desk.data["ballots"], desk.data["judged"], desk.data["is_over"]) == ([], 0, True)
            assert desk.voting.looks_every_s == 15.0
        finally:
            place.proxy.mend()
        until(lambda: not Desk().app.warning, "storage answers again")

    def test_nothing_is_drawn_before_the_browser_has_spoken(self) -> None:
        desk = Desk(is_met=False)
        assert (desk.data["is_met"], desk.data["is_over"], desk.data["ballots"]) == (False, False, [])
        assert "Nothing to vote on" not in desk.words
        assert desk.voting.looks_every_s is None
        desk.tell()
        assert "Nothing to vote on yet" in desk.words

    def test_it_offers_practice_and_looks_often_once_that_is_ordered(self) -> None:
        desk = Desk()
        assert "Make practice comparisons" in desk.buttons
        assert desk.voting.looks_every_s == 15.0
        desk.voting.ordered = True
        desk.run()
        assert "Making practice comparisons" in desk.words
        assert desk.voting.looks_every_s == 2.0

    def test_filters_that_nothing_passes_can_be_cleared(self) -> None:
        desk = Desk(vote_tone="Vivid")
        assert "No pair passes these filters" in desk.words
        next(each for each in desk.app.button if each.label == "Clear filters").click()
        desk.run()
        assert "Nothing to vote on yet" in desk.words


@pytest.fixture(scope="module")
def pairs(place: Place) -> None:
    place.compare(14)


@pytest.mark.usefixtures("pairs")
class TestVoting:
    def test_ballots_are_before_its_person_and_nothing_that_tells_a_side(self, place: Place) -> None:
        desk = Desk()
        assert len(desk.tokens) == 5
        assert desk.voting.looks_every_s is None
        assert {ballot["prompt"] for ballot in desk.data["ballots"]} == {"초상화, 긴 외투를 입은 사람"}
        told = "\n".join([desk.app.get("bidi_component")[0].proto.json, desk.words])
        secrets = ["tone-only", "tone-angle", "Tone only", "generations/", "Araya", "test-1", "fidelity", *place.made]
        assert [word for word in secrets if word in told] == []

    def test_an_answer_is_kept_once_and_the_next_ballot_comes(self) -> None:
        desk = Desk()
        first, *others = desk.tokens
        act = VoteAct(id="twice", does=Doing.VOTE, token=first, answer=Answer.LEFT, reasons=(Reason.TONE,), seconds=2.0)
        judged = desk.data["judged"]
        desk.tell(act)
        desk.tell(act)
        assert desk.data["kept"] == ["twice"]
        assert desk.data["judged"] == judged + 1
        assert len(desk.tokens) == 5
        assert set(others) < set(desk.tokens)

    def test_a_reload_and_a_second_tab_that_send_it_again_change_nothing(self) -> None:
        desk = Desk()
        act = VoteAct(id="again", does=Doing.VOTE, token=desk.tokens[0], answer=Answer.TIE)
        desk.tell(act)
        judged = desk.data["judged"]
        for _ in range(2):
            other = Desk(is_met=False)
            other.tell(act)
            assert other.data["kept"] == ["again"]
            assert other.data["judged"] == judged

    def test_the_same_pair_in_two_tabs_is_judged_once_and_the_second_answer_is_told_why(self, place: Place) -> None:
        desk, other = Desk(), Desk()
        comparisons = {
            tab: {place.studio.votes._ballot(DEMO, token).comparison: token for token in tab.tokens}
            for tab in (desk, other)
        }
        shared = comparisons[desk].keys() & comparisons[other].keys()
        one = next(iter(shared)) if shared else pytest.fail("five of so few in both tabs share one")
        desk.say(Doing.VOTE, comparisons[desk][one], answer=Answer.LEFT)
        refused = other.say(Doing.VOTE, comparisons[other][one], answer=Answer.RIGHT)
        (told,) = other.data["refused"]
        assert told["act"] == refused
        assert "in another tab" in told["says"]
        assert comparisons[other][one] not in other.tokens

    @pytest.mark.parametrize("said", [(Doing.VOTE, Answer.RIGHT), (Doing.SKIP, None)])
    def test_what_was_taken_back_is_a_new_ballot_in_its_place(self, said: tuple[Doing, Answer | None]) -> None:
        desk = Desk()
        token = desk.tokens[0]
        desk.say(said[0], token, answer=said[1])
        desk.say(Doing.UNDO, token)
        (anew,) = desk.data["anew"]
        assert anew["of"] == token
        assert anew["token"] in desk.tokens

    def test_what_it_was_is_told_after_the_answer_alone(self) -> None:
        desk = Desk()
        token = desk.tokens[0]
        desk.say(Doing.REVEAL, token)
        assert "judge the two pictures first" in desk.data["refused"][0]["says"]
        assert desk.data["revealed"] == []
        desk = Desk()
        token = desk.tokens[0]
        desk.say(Doing.VOTE, token, answer=Answer.LEFT)
        desk.say(Doing.REVEAL, token)
        (was,) = desk.data["revealed"]
        assert {was["left"], was["right"]} == {"Tone only", "Tone + angle"}

    def test_labels_behind_an_answer_are_queued_once_however_often_that_is_sent(self, place: Place) -> None:
        desk = Desk()
        token = desk.tokens[0]
        desk.say(Doing.VOTE, token, answer=Answer.TIE, reasons=(Reason.PERSON,))
        for tab in (desk, Desk(is_met=False)):
            for _ in range(2):
                tab.say(Doing.DOUBT, token)
            assert "Queued" in tab.data["doubted"][0]["says"]
        assert len(place.reported()) == 1

    def test_acts_that_mean_nothing_are_refused_and_hold_nothing_up(self) -> None:
        desk = Desk()
        good = VoteAct(id="good", does=Doing.VOTE, token=desk.tokens[0], answer=Answer.BOTH_BAD)
        forged = VoteAct(id="forged", does=Doing.VOTE, token="x", answer=Answer.LEFT)
        silent = VoteAct(id="silent", does=Doing.VOTE, token=desk.tokens[1])
        desk.tell(forged, silent, good, unreadable=["garbage"])
        assert {each["act"] for each in desk.data["refused"]} == {"forged", "silent", "garbage"}
        assert desk.data["kept"] == ["good"]

    def test_who_has_signed_out_or_may_not_vote_sends_in_vain_and_nothing_is_kept(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk = Desk()
        judged = place.studio.votes.session(DEMO).judged
        desk.app.session_state["news"] = VoteNews(
            [VoteAct(id="late", does=Doing.VOTE, token=desk.tokens[0], answer=Answer.LEFT)]
        )
        desk.app.session_state[Key.LEFT] = "You have signed out."
        desk.app.run()
        assert desk.app.exception, "the shell shows the sign-in page instead"
        assert (desk.voting.kept, desk.voting.trouble) == ({}, "You have signed out.")
        desk = Desk()
        act = VoteAct(id="later", does=Doing.VOTE, token=desk.tokens[0], answer=Answer.LEFT)
        with monkeypatch.context() as patch:
            patch.setattr("core.viewer._MAY", {role: frozenset() for role in PersonRole})
            desk.app.session_state["news"] = VoteNews([act])
            desk.app.run()
        assert desk.voting.kept == {}
        assert place.studio.votes.session(DEMO).judged == judged

    def test_votes_go_on_while_storage_is_away_and_say_where_they_are(self, place: Place) -> None:
        desk = Desk()
        place.proxy.cut()
        try:
            judged = desk.data["judged"]
            act = desk.say(Doing.VOTE, desk.tokens[0], answer=Answer.LEFT)
            assert desk.data["kept"] == [act]
            assert (desk.data["judged"], desk.data["trouble"]) == (judged + 1, "")
            assert len(desk.tokens) == 5
            until(lambda: _again(desk).data["waiting"], "it is told that storage takes none")
            assert desk.voting.looks_every_s == 15.0
        finally:
            place.proxy.mend()
            place.studio.vote_store.outbox.loop.wake()
        until(lambda: not _again(desk).data["waiting"], "storage has them")
        assert desk.voting.looks_every_s is None


@pytest.mark.usefixtures("pairs")
class TestAllJudged:
    def test_it_says_how_many_and_looks_for_new_ones_by_itself(self, place: Place) -> None:
        desk = Desk()
        desk.say(Doing.SKIP, desk.tokens[0])
        while desk.tokens:
            desk.say(Doing.VOTE, desk.tokens[0], answer=Answer.TIE)
        assert "**All judged**" in desk.words
        assert "and skipped 1" in desk.words
        assert "Reload" not in desk.words
        assert desk.data["is_over"]
        assert desk.voting.looks_every_s == 15.0
        assert Desk().tokens == [], "nor after a reload"
        place.compare(1, "a new one")
        desk.run()
        assert [ballot["prompt"] for ballot in desk.data["ballots"]] == ["a new one"]
        assert desk.voting.looks_every_s is None

    def test_one_can_go_further_back_until_there_is_no_further(self) -> None:
        desk = Desk()
        while desk.tokens:
            desk.say(Doing.VOTE, desk.tokens[0], answer=Answer.TIE)
        next(each for each in desk.app.button if each.label == "Go further back").click()
        desk.run()
        assert desk.app.session_state[Key.VOTE_DAYS] == "Last year"
        assert "Go further back" not in desk.buttons
