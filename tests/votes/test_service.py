"""The vote service: what a voter is shown, what counts, and what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from core.errors import AccessDenied, InputError, NotFound, StudioError
from core.injection.request.wishes import Wishes
from core.references.vocabulary import Role
from core.viewer import PersonRole, Viewer
from core.votes.ballots.ballots import BALLOT_S
from core.votes.ballots.drawing import BallotFilter
from core.votes.records.judgements import SideLetter, Winner
from core.votes.records.votes import SECONDS_MAX, Answer, Reason, Vote
from core.votes.service import BALLOT_PATH, EVERYTHING, SKIPPED_S, Ballot
from tests.generation.comparisons import slot
from tests.votes.ballot_box import BO, KIM, BallotBox, VoteServer


def drawn(server: VoteServer, viewer: Viewer = KIM, wanted: BallotFilter = EVERYTHING) -> Ballot:
    (ballot,) = server.service.ballots(viewer, wanted)
    return ballot


def cast(server: VoteServer, ballot: Ballot, answer: Answer = Answer.LEFT, viewer: Viewer = KIM) -> None:
    server.service.cast(viewer, ballot.token, answer, seconds=2.0)


def only(box: BallotBox) -> Vote:
    (vote,) = box.stored()
    return vote


def test_a_vote_holds_all_that_is_to_be_known_of_it(box: BallotBox) -> None:
    record = box.compared(prompt="at a café")
    server = box.server()
    ballot = drawn(server)
    assert ballot.prompt == "at a café"
    reasons = [Reason.PERSON, Reason.TONE, Reason.PERSON]
    server.service.cast(KIM, ballot.token, Answer.RIGHT, reasons, seconds=4.5)
    assert server.service.session(KIM).waiting == 1
    server.deliver()
    assert server.service.session(KIM).waiting == 0
    vote = only(box)
    folder = box.studio.history().folder_of(record.id)
    assert (vote.version, vote.comparison, vote.take) == (1, record.id, 1)
    assert (vote.a.key, vote.b.key) == (f"{folder}tone-only-1.png", f"{folder}tone-angle-1.png")
    assert box.studio.store.head(vote.a.key).etag == vote.a.etag
    assert (vote.answer, vote.reasons, vote.seconds) == (Answer.RIGHT, (Reason.TONE, Reason.PERSON), 4.5)
    assert (vote.blind, vote.again) == (True, False)
    assert vote.voter == server.voters.id_of(KIM.email)
    assert abs(datetime.now(UTC) - vote.time) < timedelta(minutes=5)


def test_the_voters_address_stands_in_no_vote_and_in_no_key(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    cast(server, drawn(server))
    server.deliver()
    server.votes.catch_up()
    for row in box.studio.store.list(f"{box.prefix}votes/"):
        if not row.key.endswith("voters.json"):
            assert b"kim" not in box.studio.store.get(row.key).data
        assert "kim" not in row.key


@pytest.mark.parametrize("answer", Answer)
def test_the_winner_is_the_side_that_stood_where_it_was_chosen(box: BallotBox, answer: Answer) -> None:
    box.compared()
    server = box.server()
    ballot = drawn(server)
    cast(server, ballot, answer)
    server.deliver()
    vote = only(box)
    chosen = {Answer.LEFT: vote.left.value, Answer.RIGHT: "ab".replace(vote.left.value, "")}
    assert vote.winner.value == chosen.get(answer, answer.value)
    (judgement,) = server.cast_votes.judgements()
    assert (judgement.winner, judgement.left) == (vote.winner, vote.left)


def test_the_picture_on_the_left_is_that_of_the_side_that_stands_left(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    for _ in range(8):
        ballot = drawn(server)
        left = server.service.picture(KIM, ballot.left.removeprefix(BALLOT_PATH))
        right = server.service.picture(KIM, ballot.right.removeprefix(BALLOT_PATH))
        assert len(left) == len(right)
        server.service.cast(KIM, ballot.token, Answer.TIE, seconds=1.0)
        revealed = server.service.reveal(KIM, ballot.token)
        server.service.undo(KIM, ballot.token)
        server.seen._marked.clear()  # so that it is drawn again
        is_plain = len(_colours(left)) == 1  # as the tests paint A
        assert (revealed.left_title, revealed.right_title) == (
            ("Tone only", "Tone + angle") if is_plain else ("Tone + angle", "Tone only")
        )
        assert revealed.left.heading == revealed.left_title


def _colours(data: bytes) -> set[tuple[int, ...]]:
    import io

    with Image.open(io.BytesIO(data)) as image:
        return {colour for _, colour in image.getcolors(maxcolors=1 << 16) or ()}


def test_nobody_is_shown_the_same_twice_and_then_there_is_nothing_left(box: BallotBox) -> None:
    records = [box.compared() for _ in range(3)]
    server = box.server()
    for _ in records:
        cast(server, drawn(server))
    assert server.service.ballots(KIM, count=3) == ()
    assert {row.comparison for row in server.votes.book.standing()} == {record.id for record in records}
    assert len(server.service.ballots(BO, count=3)) == 3


def test_what_the_page_holds_is_not_drawn_again_and_what_others_hold_is(box: BallotBox) -> None:
    for _ in range(2):
        box.compared()
    server = box.server()
    first = drawn(server)
    (second,) = server.service.ballots(KIM, count=2, held=[first.token, "no token"])
    assert server.service.ballots(KIM, count=2, held=[first.token, second.token]) == ()
    assert len(server.service.ballots(BO, count=2, held=[first.token, second.token])) == 2


def test_a_skipped_pair_counts_for_nothing_and_does_not_come_back_wherever_its_person_looks(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    token = drawn(server).token
    for _ in range(2):  # sent again, as after a lost answer
        server.service.skip(KIM, token)
    restarted = box.server()
    assert restarted.service.ballots(KIM) == (), "S3 does not have it yet"
    restarted.deliver()
    other = box.server(name="two")
    other.votes.catch_up()
    for each in (server, restarted, other, box.server(name="three")):
        assert each.service.ballots(KIM) == ()
        assert len(each.service.ballots(BO)) == 1
        assert each.service.session(KIM).judged == 0
        pool = each.service.pool(KIM)
        assert (pool.left, pool.judged, pool.skipped) == (0, 0, 1)
    assert len(list(box.studio.store.list(f"{box.prefix}votes/cast/"))) == 1
    assert box.stored() == []


def test_a_skipped_pair_comes_back_after_a_day(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    server.service.skip(KIM, drawn(server).token)
    (skip,) = [row for row in server.votes.book._waiting.values() if row.is_skip]
    server.votes.book.keep(skip._replace(time=skip.time - SKIPPED_S - 1))
    assert len(server.service.ballots(KIM)) == 1


def test_a_skip_that_is_taken_back_is_so_on_every_server_and_its_pair_can_be_judged_or_skipped_anew(
    box: BallotBox,
) -> None:
    box.compared()
    server, other = box.server(), box.server(name="two")
    token = drawn(server).token
    server.service.skip(KIM, token)
    with pytest.raises(InputError, match="not answered yet"):
        server.service.reveal(KIM, token)
    with pytest.raises(InputError, match="not answered yet"):
        other.service.undo(KIM, token)
    server.deliver()  # the other has not read it
    for server_that_is_asked in (other, other, server):  # sent again, as after a lost answer
        anew = server_that_is_asked.service.undo(KIM, token)
    server.service.skip(KIM, token)  # sent again before its own undo, as after a reload
    other.deliver()
    for each in (server, other, box.server(name="three")):
        each.votes.catch_up()
        assert len(each.service.ballots(KIM)) == 1
        assert each.service.pool(KIM).skipped == 0
    server.service.skip(KIM, anew.token)
    assert server.service.ballots(KIM) == ()
    cast(server, server.service.undo(KIM, anew.token))
    assert server.service.session(KIM).judged == 1
    assert server.service.pool(KIM).skipped == 0


def test_a_second_ballot_of_a_pair_that_was_judged_in_another_tab_is_refused(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    first, second = drawn(server), drawn(server)
    cast(server, first)
    with pytest.raises(InputError, match="in another tab"):
        cast(server, second, Answer.RIGHT)
    cast(server, server.service.undo(KIM, first.token), Answer.TIE)
    with pytest.raises(InputError, match="in another tab"):
        cast(server, second, Answer.RIGHT)
    server.deliver()
    assert [row.answer for row in server.votes.book.standing()] == ["tie"]
    assert server.service.session(KIM).judged == 1


def test_an_answer_that_is_sent_again_counts_once(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    ballot = drawn(server)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cast(server, ballot), range(16)))
    server.deliver()
    cast(server, ballot)
    server.deliver()
    assert len(box.stored()) == 1
    assert server.service.session(KIM).judged == 1


def test_another_answer_to_the_same_ballot_is_refused_until_it_is_taken_back(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    ballot = drawn(server)
    cast(server, ballot, Answer.LEFT)
    with pytest.raises(InputError, match="answered already"):
        cast(server, ballot, Answer.RIGHT)
    with pytest.raises(InputError, match="answered already"):
        server.service.cast(KIM, ballot.token, Answer.LEFT, [Reason.TONE], seconds=2.0)
    new = server.service.undo(KIM, ballot.token)
    cast(server, new, Answer.RIGHT)
    server.deliver()
    assert [vote.answer for vote in box.stored()] == [Answer.LEFT, Answer.RIGHT], "neither is ever overwritten"
    assert [row.answer for row in server.votes.book.standing()] == ["right"]


def test_an_undone_vote_is_undone_for_good_and_for_every_server(box: BallotBox) -> None:
    box.compared()
    here = box.server()
    ballot = drawn(here)
    cast(here, ballot)
    here.deliver()
    there = box.server(name="two")
    assert there.service.session(KIM).judged == 1
    here.service.undo(KIM, ballot.token)
    here.deliver()
    there.votes.catch_up()
    fresh = box.server(name="three")
    for server in (here, there, fresh):
        assert server.service.session(KIM).judged == 0
        assert len(server.service.ballots(KIM)) == 1, "it may be judged again"
    assert len(box.stored()) == 1, "it is not removed"


def test_an_undo_shows_the_same_pictures_where_they_stood(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    ballot = drawn(server)
    cast(server, ballot)
    new = server.service.undo(KIM, ballot.token)
    assert new.prompt == ballot.prompt
    assert new.token != ballot.token
    for before, after in ((ballot.left, new.left), (ballot.right, new.right)):
        assert server.service.picture(KIM, before.removeprefix(BALLOT_PATH)) == server.service.picture(
            KIM, after.removeprefix(BALLOT_PATH)
        )


def test_what_was_not_answered_cannot_be_undone_and_an_undo_sent_twice_does_no_harm(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    ballot = drawn(server)
    with pytest.raises(InputError, match="not answered yet"):
        server.service.undo(KIM, ballot.token)
    cast(server, ballot)
    first, second = (server.service.undo(KIM, ballot.token) for _ in range(2))
    assert first.token != second.token
    cast(server, second)
    with pytest.raises(InputError, match="another one given"):
        server.service.undo(KIM, ballot.token)
    assert server.service.session(KIM).judged == 1


def test_a_vote_can_be_undone_on_a_server_that_has_not_heard_of_it(box: BallotBox) -> None:
    box.compared()
    here, there = box.server(), box.server(name="two")
    ballot = drawn(here)
    cast(here, ballot)
    here.deliver()
    there.service.undo(KIM, ballot.token)
    there.deliver()
    here.votes.catch_up()
    assert here.service.session(KIM).judged == 0


def test_a_server_that_has_read_nothing_yet_takes_a_vote(box: BallotBox) -> None:
    """As after a restart: the browser sends what was pressed before it."""
    box.compared()
    ballot = drawn(box.server())
    restarted = box.bare_server(name="two")
    cast(restarted, ballot)
    restarted.deliver()
    assert only(box).answer is Answer.LEFT
    assert restarted.read().service.session(KIM).judged == 1


def test_what_it_was_is_told_after_the_vote_alone(box: BallotBox) -> None:
    record = box.compared()
    server = box.server()
    ballot = drawn(server)
    with pytest.raises(InputError, match="not answered yet"):
        server.service.reveal(KIM, ballot.token)
    cast(server, ballot)
    revealed = server.service.reveal(KIM, ballot.token)
    assert (revealed.comparison, revealed.take) == (record.id, 1)
    assert {revealed.left_title, revealed.right_title} == {"Tone only", "Tone + angle"}
    server.service.undo(KIM, ballot.token)
    with pytest.raises(InputError, match="after the vote"):
        server.service.reveal(KIM, ballot.token)


def test_labels_behind_a_vote_are_those_of_the_picture_that_was_thought_less_of(box: BallotBox) -> None:
    """And to ask for them leaves its person blind to the other takes."""
    person, tone = slot("refs/01. Model/vivid/Ada 01.png", "e1", Role.MODEL), slot("refs/02. Tone/v/1.png", "e2")
    record = box.compared(person, tone, takes=2)
    server = box.server()
    ballot = drawn(server)
    with pytest.raises(InputError, match="not answered yet"):
        server.service.doubted(KIM, ballot.token)
    cast(server, ballot)
    assert server.service.doubted(KIM, ballot.token) == (person,)
    assert not server.seen.has_seen(KIM.email, server.voters.id_of(KIM.email), record.id)
    with pytest.raises(InputError):
        server.service.doubted(BO, ballot.token)


def test_who_has_been_told_is_not_blind_to_that_comparison_any_more(box: BallotBox) -> None:
    box.compared(takes=2)
    server = box.server()
    ballot = drawn(server)
    cast(server, ballot)
    server.service.reveal(KIM, ballot.token)
    assert server.service.ballots(KIM) == (), "nor to its other take"
    again = server.service.undo(KIM, ballot.token)
    cast(server, again)
    server.deliver()
    votes = box.stored()
    assert [vote.blind for vote in votes] == [True, False], "the first vote was blind, and stays it"


def test_filters_choose_and_a_filter_that_means_nothing_is_refused(box: BallotBox) -> None:
    araya = slot("refs/01. Model/vivid/Araya 05.png", "e", Role.MODEL)
    mine = box.compared(araya, tone="noir", person=KIM.email, age=timedelta(days=10))
    box.compared(age=timedelta(days=1))
    server = box.server()
    for wanted in (
        BallotFilter(tone="noir"),
        BallotFilter(person=KIM.email),
        BallotFilter(persona="Araya"),
        BallotFilter(tone="noir", days=11),
    ):
        ballot = drawn(server, wanted=wanted)
        cast(server, ballot)
        assert server.service.reveal(KIM, ballot.token).comparison == mine.id
        server.service.undo(KIM, ballot.token)
        server.seen._marked.clear()
    assert server.service.ballots(KIM, BallotFilter(tone="noir", days=9)) == ()
    for days in (0, -1, 4000):
        with pytest.raises(InputError, match="choose 1 to 3,650"):
            server.service.ballots(KIM, BallotFilter(days=days))


@pytest.mark.parametrize("seconds", [-5.0, float("nan"), float("inf"), 1e12])
def test_a_time_that_cannot_be_is_made_one_that_can(box: BallotBox, seconds: float) -> None:
    box.compared()
    server = box.server()
    server.service.cast(KIM, drawn(server).token, Answer.LEFT, seconds=seconds)
    server.deliver()
    assert 0 <= only(box).seconds <= SECONDS_MAX


def test_a_session_counts_from_the_last_long_pause_and_survives_a_restart(box: BallotBox) -> None:
    for _ in range(3):
        box.compared()
    server = box.server()
    for ballot in server.service.ballots(KIM, count=3):
        cast(server, ballot)
    session = server.service.session(KIM)
    assert (session.judged, session.seconds, session.waiting) == (3, 6.0, 3)
    server.deliver()
    assert box.server(name="two").service.session(KIM).judged == 3
    assert server.service.session(KIM).waiting == 0
    oldest, *_ = server.votes.book.standing()
    for row in server.votes.book.standing():
        pause = 2000.0 if row is oldest else 0.0
        server.votes.book.note(row.id, row._replace(time=row.time - pause))
    assert server.service.session(KIM).judged == 2
    assert server.service.session(BO).judged == 0


def test_the_pool_says_what_there_is_to_do(box: BallotBox) -> None:
    first = box.compared()
    box.compared(tone="noir")
    box.compared(tone="noir")
    server = box.server()
    pool = server.service.pool(KIM)
    assert (pool.left, pool.judged, pool.seen, pool.reading) == (3, 0, 0, False)
    server.seen.mark(KIM.email, first.id)
    cast(server, drawn(server, wanted=BallotFilter(tone="noir")))
    pool = server.service.pool(KIM)
    assert (pool.left, pool.judged, pool.seen) == (1, 1, 1)
    assert server.service.pool(KIM, BallotFilter(tone="noir")).left == 1
    assert server.service.pool(KIM, BallotFilter(include_seen=True)).left == 2
    assert box.bare_server(name="two").service.pool(KIM).reading


def test_one_ballot_in_twenty_is_a_repetition_that_is_mirrored(box: BallotBox) -> None:
    for number in range(12):
        box.compared(prompt=f"judged, number {number}")
    server = box.server()
    for ballot in server.service.ballots(KIM, count=10):
        cast(server, ballot)
    for ballot in server.service.ballots(KIM, count=2):
        cast(server, ballot)
    server.deliver()
    assert [ballot for _ in range(100) for ballot in server.service.ballots(KIM)] == [], "nothing new, nothing again"
    box.compared(prompt="new")
    server.pool.catch_up()
    given = [ballot for _ in range(400) for ballot in server.service.ballots(KIM)]
    repeated = [ballot for ballot in given if ballot.prompt != "new"]
    assert len(given) == 400
    assert 2 < len(repeated) < 50, "20 are expected"
    cast(server, repeated[0], Answer.LEFT)
    server.deliver()
    votes = {(vote.comparison, vote.again): vote for vote in box.stored()}
    (again,) = [vote for vote in votes.values() if vote.again]
    assert again.left is not votes[again.comparison, False].left
    assert len({row.pair for row in server.votes.book.standing()}) == 12
    (judgement,) = [each for each in server.cast_votes.judgements() if each.again]
    assert judgement.pair.comparison == again.comparison


def test_pictures_that_are_gone_are_not_found_and_not_drawn_again(box: BallotBox) -> None:
    record = box.compared()
    server = box.server()
    box.studio.store.delete(f"{box.studio.history().folder_of(record.id)}tone-only-1.png")
    ballot = drawn(server)
    with pytest.raises(NotFound):
        server.service.picture(KIM, ballot.right.removeprefix(BALLOT_PATH))
    assert server.service.ballots(KIM) == ()


FOREIGN = ["", "nonsense", "A" * 600, "gAAAAA" + "B" * 400]


def acts(server: VoteServer, viewer: Viewer, token: str) -> list[object]:
    service = server.service
    return [
        lambda: service.cast(viewer, token, Answer.LEFT, seconds=1.0),
        lambda: service.undo(viewer, token),
        lambda: service.skip(viewer, token),
        lambda: service.reveal(viewer, token),
        lambda: service.picture(viewer, token),
    ]


@pytest.mark.parametrize("kind", ["forged", "foreign", "expired", "a picture's address for a vote"])
def test_a_ballot_that_is_not_this_voters_is_refused_by_everything(box: BallotBox, kind: str) -> None:
    box.compared()
    server = box.server()
    ballot = drawn(server)
    tokens = {
        "forged": FOREIGN,
        "foreign": [drawn(server, BO).token, drawn(server, BO).left.removeprefix(BALLOT_PATH)],
        "expired": [ballot.token, ballot.left.removeprefix(BALLOT_PATH)],
        "a picture's address for a vote": [ballot.left.removeprefix(BALLOT_PATH)],
    }[kind]
    if kind == "expired":
        now = server.clock() + BALLOT_S + 5
        server = box.server(clock=lambda: now)
    for token in tokens:
        for act in acts(server, KIM, token)[: -1 if kind.startswith("a picture") else None]:
            with pytest.raises(InputError):
                act()  # type: ignore[operator]  # each is one of the lambdas above
    assert server.votes.book.standing() == []
    server.deliver()
    assert box.stored() == []


def test_a_vote_token_shows_no_picture(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    with pytest.raises(InputError):
        server.service.picture(KIM, drawn(server).token)


def test_nobody_acts_without_being_let_in(box: BallotBox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every role browses today; a role that does not is turned away from everything."""
    box.compared()
    server = box.server()
    token = drawn(server).token
    monkeypatch.setattr("core.viewer._MAY", {role: frozenset() for role in PersonRole})
    service = server.service
    more = [
        lambda: service.ballots(KIM),
        lambda: service.session(KIM),
        lambda: service.pool(KIM),
        lambda: server.voters.names(KIM),
        lambda: server.seen.shown(KIM),
    ]
    for act in [*acts(server, KIM, token), *more]:
        with pytest.raises(AccessDenied):
            act()  # type: ignore[operator]  # each is a lambda


def test_voters_are_named_to_ops_alone_and_who_was_removed_to_nobody(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    for viewer in (KIM, BO):
        cast(server, drawn(server, viewer), viewer=viewer)
    with pytest.raises(AccessDenied):
        server.voters.names(KIM)
    kim, bo = server.voters.id_of(KIM.email), server.voters.id_of(BO.email)
    assert server.voters.names(BO) == {kim: KIM.email, bo: BO.email}
    server.gone.add(KIM.email)
    assert server.voters.names(BO) == {bo: BO.email}
    assert {judgement.voter for judgement in server.cast_votes.judgements()} == {kim, bo}, "the votes stay"


def test_a_pseudonym_stays_and_differs_between_people_and_servers_agree(box: BallotBox) -> None:
    here, there = box.server(), box.server(name="two")
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda at: (here, there)[at % 2].voters.id_of(KIM.email), range(8)))
    assert len(set(ids)) == 1
    assert there.voters.id_of(BO.email) == here.voters.id_of(BO.email) != ids[0]


def test_a_judgement_says_what_is_known_of_its_comparison(box: BallotBox) -> None:
    araya = slot("refs/01. Model/vivid/Araya 05.png", "e", Role.MODEL)
    record = box.compared(araya, prompt=" at  a café\n", angle="low-angle", controlled=False)
    other = box.compared(araya, prompt="at a café", angle="low-angle")
    box.compared(araya, prompt="at a bar", angle="low-angle")
    server = box.server()
    for ballot in server.service.ballots(KIM, count=3):
        cast(server, ballot, Answer.TIE)
    found = {judgement.pair.comparison: judgement for judgement in server.cast_votes.judgements()}
    judgement = found[record.id]
    pair = judgement.pair
    assert (judgement.winner, pair.controlled, judgement.blind) == (Winner.TIE, False, True)
    assert (pair.tone, pair.angle, pair.persona, pair.model) == ("vivid", "low-angle", "Araya", "test-1")
    assert (pair.a.title, pair.a.fidelity, pair.b.fidelity) == ("Tone only", 60.0, 70.0)
    assert (pair.b.usd, pair.b.seconds, pair.b.failures) == (0.04, 4.0, 0)
    assert judgement.left in SideLetter
    assert len({each.pair.scene for each in found.values()}) == 2
    assert pair.scene == found[other.id].pair.scene, "one scene is one prompt, tone, angle and person"


def test_judgements_are_made_anew_when_something_has_changed_and_only_then(box: BallotBox) -> None:
    box.compared()
    server = box.server()
    before = server.cast_votes.judgements()
    assert server.cast_votes.judgements() is before
    cast(server, drawn(server))
    assert len(server.cast_votes.judgements()) == 1


def test_a_vote_on_a_comparison_that_is_gone_says_nothing(box: BallotBox) -> None:
    record = box.compared()
    server = box.server()
    cast(server, drawn(server))
    for row in list(box.studio.store.list(box.studio.history().folder_of(record.id))):
        box.studio.store.delete(row.key)
    server.pool.catch_up()
    assert server.cast_votes.judgements() == ()
    assert len(server.votes.book.standing()) == 1


def test_every_failure_is_a_sentence_of_ours(box: BallotBox) -> None:
    box.compared(wishes=Wishes(prompt="{braces} **and** <markup>"))
    server = box.server()
    assert drawn(server).prompt == "{braces} **and** <markup>"
    with pytest.raises(StudioError) as err:
        server.service.cast(KIM, "{0}<b>", Answer.LEFT, seconds=1.0)
    assert "<b>" not in err.value.message
