"""Votes: what one person answered on one ballot, that it was taken back or a pair skipped, as S3 keeps it for good.

    <app>/votes/cast/2026/11/22/<ulid>.json    a vote, a withdrawal or a skip; written once, never changed

A vote is named by its ballot's ULID: the same ballot sent twice, from whatever server, is one object. A vote that was
taken back stays; its withdrawal is an object of its own that names it (decision 059).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from core.errors import StorageError
from core.generation.records.comparison import TAKES_MAX
from core.generation.records.record import Record
from core.votes.records.judgements import SideLetter, Winner

VOTE_VERSION: Final = 1
SECONDS_MAX: Final = 3600.0  # nobody looks at two pictures for longer; who does was away


class Answer(StrEnum):
    """What a person says of the two pictures before them."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"
    BOTH_BAD = "both-bad"


class Reason(StrEnum):
    """Why, if they say it; in the order of the keys 1 to 5."""

    TONE = "tone"
    ANGLE = "angle"
    PERSON = "person"
    ANATOMY = "anatomy"
    PROMPT_MISSED = "prompt-missed"


class ShownPicture(Record):
    """A picture that was judged: where it lies in S3, and which bytes it was then."""

    key: str
    etag: str


class Vote(Record):
    """One answer. `ballot` is its ULID, which tells when it was drawn; `time` is when it was answered (UTC).

    `left` stood left. `seconds` were taken, 0 to `SECONDS_MAX`. `blind` says that this voter had not seen the sides
    named before; `again` that it is the mirrored repetition by which people are compared with themselves. `voter` is
    the id of `core/votes/records/voters.py`: who that is stands nowhere else.
    """

    version: int = VOTE_VERSION
    kind: Literal["vote"] = "vote"
    ballot: str
    comparison: str
    take: int = Field(default=1, ge=1, le=TAKES_MAX)
    a: ShownPicture
    b: ShownPicture
    left: SideLetter
    answer: Answer
    reasons: tuple[Reason, ...] = ()
    seconds: float = Field(ge=0, le=SECONDS_MAX)
    blind: bool
    again: bool = False
    voter: str
    time: AwareDatetime

    @property
    def id(self) -> str:
        """Under which it lies in S3."""
        return self.ballot

    @property
    def winner(self) -> Winner:
        """What the answer means for the sides."""
        return winner_of(self.answer, self.left)


class Withdrawal(Record):
    """That the vote on a ballot, or its skip, was taken back by whose it is. `id` is a ULID of its own."""

    version: int = VOTE_VERSION
    kind: Literal["withdrawal"] = "withdrawal"
    id: str
    ballot: str
    voter: str
    time: AwareDatetime


class Skip(Record):
    """That a voter leaves a pair unjudged for now. `id` is a ULID of its own, `ballot` the one that was skipped."""

    version: int = VOTE_VERSION
    kind: Literal["skip"] = "skip"
    id: str
    ballot: str
    comparison: str
    take: int = Field(default=1, ge=1, le=TAKES_MAX)
    voter: str
    time: AwareDatetime


VoteRecord = Vote | Withdrawal | Skip
_RECORD: Final[TypeAdapter[VoteRecord]] = TypeAdapter(Annotated[VoteRecord, Field(discriminator="kind")])


def other_side(side: SideLetter) -> SideLetter:
    """The one it is compared with."""
    return SideLetter.B if side is SideLetter.A else SideLetter.A


def winner_of(answer: Answer, left: SideLetter) -> Winner:
    """The side that was chosen, or what else was said."""
    match answer:
        case Answer.LEFT:
            return Winner(left.value)
        case Answer.RIGHT:
            return Winner(other_side(left).value)
        case Answer.TIE:
            return Winner.TIE
        case Answer.BOTH_BAD:
            return Winner.BOTH_BAD


def read_record(data: bytes, record_id: str) -> VoteRecord:
    """What lies under an id. Raises StorageError for anything that is no record of a voter's under that id."""
    try:
        record = _RECORD.validate_json(data)
    except ValidationError as err:
        first = err.errors()[0]
        raise StorageError("This vote cannot be read: {}.", first["msg"]) from err
    if record.id != record_id:
        raise StorageError("This vote cannot be read: it says that it is `{}`.", record.id)
    return record
