"""Vote service: what a voter asks and answers; the vote page uses this and nothing else of the room."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isnan
from random import Random
from typing import Final

from ulid import ULID

from core.concurrency.background import in_background
from core.errors import BadImage, InputError, NotFound, StudioError
from core.generation.records.comparison import Comparison
from core.generation.records.side_titles import side_title
from core.injection.request.slots import Slot
from core.injection.request.wishes import SideName
from core.references.vocabulary import Role
from core.viewer import Capability, Viewer
from core.votes.ballots.ballot_pictures import BallotPictures
from core.votes.ballots.ballots import BallotSeals, DrawnBallot, Purpose
from core.votes.ballots.drawing import AGAIN_EVERY, BallotFilter, VoterView, ballot_of, draw, repetition
from core.votes.ballots.pool import PairingPool, days_ago
from core.votes.records.book import Place
from core.votes.records.judgements import SideLetter
from core.votes.records.seen import Seen
from core.votes.records.store import VoteStore
from core.votes.records.vote_rows import Pair, VoteRow
from core.votes.records.voters import Voters
from core.votes.records.votes import SECONDS_MAX, Answer, Reason, Skip, Vote, Withdrawal, other_side, winner_of

EVERYTHING: Final = BallotFilter()
BALLOT_PATH: Final = "/ballot/"
BALLOTS_MAX: Final = 10  # drawn at once
DAYS_MAX: Final = 3650
SKIPPED_S: Final = 24 * 3600.0  # a pair that was skipped is not drawn for so long
_PAUSE_S: Final = 1800.0  # who answers later than that after the last vote has begun anew
_TURNS: Final = 16
_NOT_ANSWERED: Final = "This ballot was not answered yet: judge the two pictures first."
_SIDE_OF: Final = {SideLetter.A: 0, SideLetter.B: 1}


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a voter's browser may know: nothing in it tells the sides apart, and nothing else may be sent beside it.

    `token` names the ballot in all that follows; it is sealed, this voter's alone, good for one vote and for
    `BALLOT_S`. `left` and `right` are the addresses of the two pictures: PNG, equally long, with equal headers.
    """

    token: str
    prompt: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class VotingSession:
    """What a voter has judged since their last pause of half an hour, and the seconds that took.

    `waiting` of these are not in S3 yet; they are held up where it did not take one at the last try.
    """

    judged: int
    seconds: float
    waiting: int
    is_held_up: bool = False


@dataclass(frozen=True, slots=True)
class Pool:
    """How many pairs of pictures pass a filter: `left` wait for this voter, `judged` they have answered.

    `seen` they are not blind to, and have not answered. Of the others `skipped` come again within a day.
    `reading` while S3 is still being read: there may be more.
    """

    left: int
    judged: int
    seen: int
    skipped: int
    reading: bool


@dataclass(frozen=True, slots=True)
class Revealed:
    """What it was: the sides by where they stood, with their titles as on Generate."""

    comparison: str
    take: int
    left: SideName
    right: SideName
    left_title: str
    right_title: str


class VoteService:
    """Ballots and votes. Every method that takes a viewer asks what they may: AccessDenied if not.

    Drawing and counting answer from memory. A token that is no ballot of this viewer's (forged, foreign, expired) is
    an InputError everywhere. A person who was never here before needs S3 once: StorageError while it is away.
    """

    def __init__(
        self,
        store: VoteStore,
        pool: PairingPool,
        voters: Voters,
        seen: Seen,
        seals: BallotSeals,
        pictures: BallotPictures,
        *,
        folder_of: Callable[[str], str],
        comparison: Callable[[str], Comparison],
        days: int,
    ) -> None:
        """`folder_of` and `comparison` are the history's; `days` is how far back is drawn where nobody says it."""
        self._store = store
        self._pool = pool
        self._voters = voters
        self._seen = seen
        self._seals = seals
        self._pictures = pictures
        self._folder_of = folder_of
        self._comparison = comparison
        self._days = days
        self._lot = Random()
        self._turns = tuple(threading.Lock() for _ in range(_TURNS))  # of one voter's acts one at a time

    def ballots(
        self, viewer: Viewer, wanted: BallotFilter = EVERYTHING, *, count: int = 1, held: Sequence[str] = ()
    ) -> tuple[Ballot, ...]:
        """Up to `count` ballots; fewer, or none, where no more are left. Getting their pictures ready begins at once.

        `held` are the tokens that the page has and that are not answered: their pairs are not drawn once more.
        Raises InputError for a filter that means nothing, and StorageError only where it is not known who this is, or
        what they have seen, and S3 is away.
        """
        voter, view = self._view(viewer, wanted, held)
        candidates = self._pool.since(self._since(wanted))
        chosen = draw(
            candidates,
            view,
            self._store.book.votes_on(),
            wanted,
            count=min(count, BALLOTS_MAX),
            lot=self._lot,
        )
        drawn = [ballot_of(each, voter, folder=self._folder_of(each.pairing.id)) for each in chosen]
        # in the place of a new one: where nothing new is left, nothing comes again
        if self._lot.random() < len(drawn) / AGAIN_EVERY:
            again = repetition(candidates, view, wanted, lot=self._lot)
            if again is not None:
                drawn[-1] = ballot_of(again[0], voter, folder=self._folder_of(again[0].pairing.id), left=again[1])
        return tuple(self._shown(ballot, candidates[ballot.pair].pairing.prompt) for ballot in drawn)

    def cast(
        self, viewer: Viewer, token: str, answer: Answer, reasons: Sequence[Reason] = (), *, seconds: float
    ) -> None:
        """Vote. When this returns the vote is on disk, counted, and on its way to S3: no kill or outage loses it.

        The same answer to the same ballot once more changes nothing, so a browser may send it until it is answered;
        another answer to it is an InputError (take it back first), and so is an answer to another ballot of a pair
        that this voter has judged. Raises StorageError where neither the disk nor S3 takes it: then it was not
        counted, and is to be sent again.
        """
        ballot = self._ballot(viewer, token)
        reasons = tuple(reason for reason in Reason if reason in reasons)
        with self._turn_of(ballot.voter):
            known = self._store.book.vote(ballot.id)
            if known is None and self._has_judged(ballot):
                raise InputError("You have judged these two in another tab or on another device: that answer counts.")
            if known is None:
                self._store.keep(self._vote(viewer, ballot, answer, reasons, seconds))
            elif (known.answer, known.reasons) != (answer.value, tuple(reason.value for reason in reasons)):
                raise InputError("This ballot was answered already: take that answer back to give another one.")

    def undo(self, viewer: Viewer, token: str) -> Ballot:
        """Take one's vote, or one's skip, back: the same two pictures as a new ballot, each where it stood.

        The page holds that one as any other: its token belongs into `held` until it is answered. Raises as `cast`, and
        InputError for a ballot that was neither, or whose pair was judged anew after it was taken back.
        """
        ballot = self._ballot(viewer, token)
        with self._turn_of(ballot.voter):
            said = self._store.said_on(ballot.voter, ballot.id)
            if said is None:
                raise InputError(_NOT_ANSWERED)
            if not self._store.book.is_withdrawn(said):
                now = datetime.now(UTC)
                self._store.keep(Withdrawal(id=str(ULID()), ballot=ballot.id, voter=ballot.voter, time=now))
            elif self._has_judged(ballot):
                raise InputError("This answer was taken back already, and another one given: take that one back.")
        return self._shown(ballot.anew(), self._comparison(ballot.comparison).wishes.prompt)

    def skip(self, viewer: Viewer, token: str) -> None:
        """Leave this pair out of what this person is shown, for `SKIPPED_S`. Nothing is counted. Raises as `cast`."""
        ballot = self._ballot(viewer, token)
        with self._turn_of(ballot.voter):
            if self._store.book.skip(ballot.voter, ballot.id) is None:
                self._store.keep(
                    Skip(
                        id=str(ULID()),
                        ballot=ballot.id,
                        comparison=ballot.comparison,
                        take=ballot.take,
                        voter=ballot.voter,
                        time=datetime.now(UTC),
                    )
                )

    def reveal(self, viewer: Viewer, token: str) -> Revealed:
        """What it was, after the vote; from now on this person is not blind to that comparison.

        Raises InputError before the vote, and NotFound where the comparison is gone.
        """
        ballot = self._ballot(viewer, token)
        self._judged(ballot)
        comparison = self._comparison(ballot.comparison)
        self._seen.mark(viewer.email, comparison.id)
        sides = [side.side for side in comparison.sides]
        left, right = sides[_SIDE_OF[ballot.left]], sides[_SIDE_OF[other_side(ballot.left)]]
        titles = side_title(comparison, left), side_title(comparison, right)
        return Revealed(comparison.id, ballot.take, left, right, *titles)

    def doubted(self, viewer: Viewer, token: str) -> tuple[Slot, ...]:
        """The person references of the picture that a vote thinks less of; of both where it prefers neither.

        Their labels may be wrong where it was the person or the angle that decided. It tells the sides apart, so none
        of it is to be shown: then this person stays blind to the comparison. Raises as `reveal`.
        """
        ballot = self._ballot(viewer, token)
        winner = winner_of(Answer(self._judged(ballot).answer), ballot.left)
        sides = self._comparison(ballot.comparison).sides
        doubtful = [side for letter, side in zip(SideLetter, sides, strict=True) if letter.value != winner.value]
        slots = (slot for side in doubtful for slot in side.slots if slot.filled and slot.role is Role.MODEL)
        return tuple({(slot.key, slot.etag): slot for slot in slots}.values())

    def ballot_id(self, viewer: Viewer, token: str) -> str:
        """The ULID under which a vote on this ballot lies, for what is said of it. Raises InputError as `cast`."""
        return self._ballot(viewer, token).id

    def session(self, viewer: Viewer) -> VotingSession:
        """How many were judged, and how long it took; the same after a reload and in another tab."""
        viewer.require(Capability.BROWSE)
        voter = self._voters.id_of(viewer.email)
        judged, seconds, next_at = 0, 0.0, datetime.now(UTC).timestamp()
        for row in sorted(self._store.book.of_voter(voter).values(), key=lambda row: row.time, reverse=True):
            if next_at - row.time > _PAUSE_S:
                break
            judged, seconds, next_at = judged + 1, seconds + row.seconds, row.time
        waiting = min(judged, self._store.book.waiting_of(voter))
        return VotingSession(judged, seconds, waiting, is_held_up=waiting > 0 and self._store.outbox.is_held_up)

    def pool(self, viewer: Viewer, wanted: BallotFilter = EVERYTHING) -> Pool:
        """What there is to vote on, for the empty states. Raises as `ballots`."""
        _, view = self._view(viewer, wanted, ())
        left = judged = seen = skipped = 0
        for pair, candidate in self._pool.since(self._since(wanted)).items():
            if not wanted.passes(candidate.pairing):
                continue
            is_judged, is_seen = Place(pair) in view.judged, candidate.pairing.id in view.seen
            judged += is_judged
            seen += is_seen and not is_judged
            is_open = not is_judged and (wanted.include_seen or not is_seen)
            skipped += is_open and pair in view.out
            left += is_open and pair not in view.out
        return Pool(left, judged, seen, skipped, reading=not (self._pool.is_read and self._store.is_read))

    def picture(self, viewer: Viewer, sealed: str) -> bytes:
        """The picture at one of a ballot's addresses, as PNG.

        Raises InputError for an address that is not this viewer's, NotFound for a picture that is gone, BadImage,
        Overloaded and StorageError.
        """
        viewer.require(Capability.BROWSE)
        voter = self._voters.id_of(viewer.email)
        ballot, purpose = self._seals.open(sealed, voter, Purpose.LEFT, Purpose.RIGHT)
        side = ballot.left if purpose is Purpose.LEFT else other_side(ballot.left)
        return self._files(ballot)[_SIDE_OF[side]]

    def _view(self, viewer: Viewer, wanted: BallotFilter, held: Sequence[str]) -> tuple[str, VoterView]:
        """Who votes, and what drawing must know of them."""
        viewer.require(Capability.BROWSE)
        voter = self._voters.id_of(viewer.email)
        out = self._skipped(voter)
        for token in held:
            with suppress(InputError):
                ballot, _ = self._seals.open(token, voter, Purpose.VOTE)
                out.add(ballot.pair)
        seen = self._seen.of(viewer.email, since=self._since(wanted))
        return voter, VoterView(self._store.book.of_voter(voter), seen, frozenset(out))

    def _since(self, wanted: BallotFilter) -> datetime:
        days = self._days if wanted.days is None else wanted.days
        if not 1 <= days <= DAYS_MAX:
            raise InputError("Comparisons of the last {} days cannot be drawn from: choose 1 to {:,}.", days, DAYS_MAX)
        return days_ago(days)

    def _skipped(self, voter: str) -> set[Pair]:
        since = datetime.now(UTC) - timedelta(seconds=SKIPPED_S)
        return self._store.book.skipped_by(voter, since=since.timestamp())

    def _has_judged(self, ballot: DrawnBallot) -> bool:
        """Whether a vote of its voter stands in its place, by whichever ballot."""
        return Place(ballot.pair, ballot.again) in self._store.book.of_voter(ballot.voter)

    def _turn_of(self, voter: str) -> threading.Lock:
        return self._turns[hash(voter) % _TURNS]

    def _ballot(self, viewer: Viewer, token: str) -> DrawnBallot:
        viewer.require(Capability.BROWSE)
        return self._seals.open(token, self._voters.id_of(viewer.email), Purpose.VOTE)[0]

    def _answered(self, ballot: DrawnBallot) -> VoteRow:
        vote = self._store.vote_on(ballot.id)
        if vote is None:
            raise InputError(_NOT_ANSWERED)
        return vote

    def _judged(self, ballot: DrawnBallot) -> VoteRow:
        """The standing vote on it. Raises InputError where there is none."""
        vote = self._answered(ballot)
        if self._store.book.is_withdrawn(vote):
            raise InputError("Judge these two first: what it was is told after the vote.")
        return vote

    def _vote(
        self, viewer: Viewer, ballot: DrawnBallot, answer: Answer, reasons: tuple[Reason, ...], seconds: float
    ) -> Vote:
        now = datetime.now(UTC)
        a, b = ballot.pictures
        return Vote(
            ballot=ballot.id,
            comparison=ballot.comparison,
            take=ballot.take,
            a=a,
            b=b,
            left=ballot.left,
            answer=answer,
            reasons=reasons,
            seconds=0.0 if isnan(seconds) else min(max(seconds, 0.0), SECONDS_MAX),
            blind=not self._seen.has_seen(viewer.email, ballot.voter, ballot.comparison),
            again=ballot.again,
            voter=ballot.voter,
            time=now,
        )

    def _shown(self, ballot: DrawnBallot, prompt: str) -> Ballot:
        in_background(lambda: self._prepare(ballot), name="ballot-pictures")
        token, left, right = (
            self._seals.seal(ballot, purpose) for purpose in (Purpose.VOTE, Purpose.LEFT, Purpose.RIGHT)
        )
        return Ballot(token, prompt, f"{BALLOT_PATH}{left}", f"{BALLOT_PATH}{right}")

    def _prepare(self, ballot: DrawnBallot) -> None:
        with suppress(StudioError):  # who asks for the picture is told
            self._files(ballot)

    def _files(self, ballot: DrawnBallot) -> tuple[bytes, bytes]:
        try:
            return self._pictures.get(ballot.pictures)
        except (BadImage, NotFound):
            self._pool.leave_out(ballot.etag_a, ballot.etag_b)
            raise
