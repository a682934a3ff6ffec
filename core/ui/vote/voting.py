"""Voting: the ballots this tab has before it, and what is done with what its person answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from core.errors import InputError, NotFound, StorageError, StudioError
from core.studio import Studio
from core.ui.components.component import UNREADABLE
from core.ui.components.vote.vote import (
    BallotAnew,
    Doing,
    DoubtedBallot,
    RefusedAct,
    RevealedBallot,
    VoteAct,
    VoteData,
    VoteNews,
    VoteReason,
)
from core.ui.frame.session import browser_owner, open_session
from core.ui.frame.state import OPENED_PARAM, Key, session_value
from core.viewer import Viewer
from core.votes.ballots.drawing import BallotFilter
from core.votes.records.votes import Reason
from core.votes.service import Ballot, Pool, VotingSession

_AHEAD: Final = 5  # ballots a tab holds: the next ones are loaded while one is looked at
_REMEMBERED: Final = 500  # acts a page can be told of again
_SOON_S: Final = 2.0  # pairs are being read or made
_LATER_S: Final = 15.0  # somebody may make one
_REASONS: Final = tuple(VoteReason(reason.value, reason.value.replace("-", " ")) for reason in Reason)
_QUEUED: Final = "Queued: somebody will look at the labels behind these pictures."
_NO_LABEL: Final = "No person reference was used there, so there is no label to review."


@dataclass(slots=True)
class Voting:
    """What outlives a rerun in one tab; a reload begins it anew, and the browser tells what it still holds.

    `ballots` are before the person, by token; `anew` are the tokens of those that took the place of answers taken
    back, by the token of the one that was answered. `told_held` is what the browser has before its person.
    """

    queue: str = ""
    is_met: bool = False
    ballots: dict[str, Ballot] = field(default_factory=dict)
    anew: dict[str, str] = field(default_factory=dict)
    kept: dict[str, None] = field(default_factory=dict)
    refused: dict[str, RefusedAct] = field(default_factory=dict)
    revealed: dict[str, RevealedBallot] = field(default_factory=dict)
    doubted: dict[str, DoubtedBallot] = field(default_factory=dict)
    told_held: tuple[str, ...] = ()
    trouble: str = ""
    ordered: bool = False  # practice comparisons, of which none has come yet
    looks_every_s: float | None = None  # as `looks_again_s` said last

    @property
    def held(self) -> tuple[str, ...]:
        """The tokens of what is before the person and not answered."""
        return tuple({*self.ballots, *self.told_held})


def voting_now() -> Voting:
    """This tab's."""
    return session_value(Key.VOTING, Voting, Voting)


def fill_up(studio: Studio, viewer: Viewer, voting: Voting, wanted: BallotFilter) -> Pool | None:
    """Draw what is missing; of what there is to draw from, where that comes to an end. Raises as `ballots`."""
    if voting.queue != (name := repr(wanted)):
        voting.queue, voting.ballots = name, {}
    if not voting.is_met:
        return None
    missing = _AHEAD - len(voting.ballots)
    if missing > 0:
        drawn = studio.votes.ballots(viewer, wanted, count=missing, held=voting.held)
        voting.ballots.update({ballot.token: ballot for ballot in drawn})
        missing -= len(drawn)
    voting.ordered = voting.ordered and not voting.ballots
    return studio.votes.pool(viewer, wanted) if missing > 0 else None


def looks_again_s(voting: Voting, data: VoteData) -> float | None:
    """After how many seconds the page looks again by itself: for pairs while none is before its person, and for what
    has become of answers that storage does not take.
    """
    if not data.is_met:
        return None
    if data.ballots:
        return _LATER_S if data.waiting else None
    return _SOON_S if voting.ordered or not data.is_over else _LATER_S


def desk_data(studio: Studio, viewer: Viewer, voting: Voting, pool: Pool | None) -> VoteData:
    """What the desk is sent."""
    session = _session(studio, viewer)
    return VoteData(
        owner=browser_owner(studio, viewer),
        queue=voting.queue,
        is_met=voting.is_met,
        is_over=voting.is_met and not voting.ballots and not (pool is not None and pool.reading),
        ballots=tuple(voting.ballots.values()),
        reasons=_REASONS,
        kept=tuple(voting.kept),
        refused=tuple(voting.refused.values()),
        anew=tuple(BallotAnew(of, token) for of, token in voting.anew.items()),
        revealed=tuple(voting.revealed.values()),
        doubted=tuple(voting.doubted.values()),
        judged=session.judged,
        seconds=session.seconds,
        waiting=session.waiting if session.is_held_up else 0,
        left=None if pool is None else pool.left,
        trouble=voting.trouble,
    )


def _session(studio: Studio, viewer: Viewer) -> VotingSession:
    try:
        return studio.votes.session(viewer)
    except StorageError:  # a person who was never here, and S3 is away: drawing ballots says so
        return VotingSession(0, 0.0, 0)


def take_news(news: VoteNews) -> None:
    """Do what the browser says was done, each act once and in its order.

    Where S3 or the disk does not take one, it and those behind it stay in the browser, which sends them again.
    """
    voting = voting_now()
    voting.is_met, voting.trouble, voting.told_held = True, "", tuple(news.held)
    voting.refused.update({act: RefusedAct(act, UNREADABLE) for act in news.unreadable})
    try:
        studio, viewer = open_session()
        for act in news.acts:
            if act.id not in voting.kept and act.id not in voting.refused:
                _do_or_refuse(studio, viewer, voting, act)
    except StudioError as err:
        voting.trouble = err.message
    for rows in (voting.kept, voting.refused, voting.anew, voting.revealed, voting.doubted):
        _forget_oldest(rows)


def _do_or_refuse(studio: Studio, viewer: Viewer, voting: Voting, act: VoteAct) -> None:
    try:
        _do(studio, viewer, voting, act)
    except (InputError, NotFound) as err:  # it would be refused again whenever it is sent
        voting.refused[act.id] = RefusedAct(act.id, err.message)
        voting.ballots.pop(act.token, None)
    else:
        voting.kept[act.id] = None


def _do(studio: Studio, viewer: Viewer, voting: Voting, act: VoteAct) -> None:
    votes = studio.votes
    match act.does:
        case Doing.VOTE:
            if act.answer is None:
                raise InputError(UNREADABLE)
            votes.cast(viewer, act.token, act.answer, act.reasons, seconds=act.seconds)
            voting.ballots.pop(act.token, None)
        case Doing.SKIP:
            votes.skip(viewer, act.token)
            voting.ballots.pop(act.token, None)
        case Doing.UNDO:
            ballot = votes.undo(viewer, act.token)
            voting.ballots[ballot.token], voting.anew[act.token] = ballot, ballot.token
        case Doing.REVEAL:
            was = votes.reveal(viewer, act.token)
            url = f"/history?{OPENED_PARAM}={was.comparison}"
            voting.revealed[act.token] = RevealedBallot(act.token, was.left_title, was.right_title, url)
        case Doing.DOUBT:
            voting.doubted[act.token] = DoubtedBallot(act.token, _doubt(studio, viewer, act.token))


def _doubt(studio: Studio, viewer: Viewer, token: str) -> str:
    """Queue the labels behind a vote, once; what is said of it names no side."""
    slots, ballot = studio.votes.doubted(viewer, token), studio.votes.ballot_id(viewer, token)
    for slot in slots:
        studio.reports.add(viewer, key=slot.key or "", etag=slot.etag or "", wished=slot.wished or "", of=ballot)
    return _QUEUED if slots else _NO_LABEL


def _forget_oldest(rows: dict[str, Any]) -> None:
    while len(rows) > _REMEMBERED:
        rows.pop(next(iter(rows)))
