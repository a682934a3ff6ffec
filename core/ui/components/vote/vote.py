"""The vote desk in the browser: what it is sent and what it says.

Nothing that is sent tells the two pictures of a ballot apart before it is answered: no name, key, title or figure of
a side has a place in these shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from core.ui.components.component import Component, ShortText, Told, message, read_told
from core.votes.ballots.ballots import SEAL_CHARS_MAX
from core.votes.records.votes import Answer, Reason
from core.votes.service import Ballot

_AT_ONCE_MAX: Final = 200  # the script sends fewer
_HELD_MAX: Final = 20  # ballots that wait in the browser: more than it is ever given
_component = Component(
    Path(__file__).with_suffix(".js"), html='<div class="vote" tabindex="0" role="group" aria-label="Ballot"></div>'
)


class Doing(StrEnum):
    """What a person did with a ballot. `reveal` asks what it was, `doubt` has its references' labels reviewed."""

    VOTE = "vote"
    UNDO = "undo"
    SKIP = "skip"
    REVEAL = "reveal"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class VoteReason:
    """A reason as it is stored, and its words on screen."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class BallotAnew:
    """The `token` of the ballot that took the place of one whose answer was taken back: the one of the token `of`."""

    of: str
    token: str


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """An act that was not done, and never will be; `says` tells why."""

    act: str
    says: str


@dataclass(frozen=True, slots=True)
class RevealedBallot:
    """What a ballot was that this person has answered and asked about; `url` opens it in History."""

    token: str
    left: str
    right: str
    url: str


@dataclass(frozen=True, slots=True)
class DoubtedBallot:
    """What became of the wish to have the labels behind a ballot reviewed."""

    token: str
    says: str


@dataclass(frozen=True, slots=True)
class VoteData:
    """What the browser draws. `kept` names the newest acts that need not be sent again.

    What waits in the browser waits under the name of its `owner`. Nothing is drawn before the browser `is_met`: what
    it still has to tell changes what can be drawn. Another `queue` starts the ballots anew. With `is_over` no more
    come; `left` is how many pairs are left, where these are few. `seconds` were taken by `judged` votes, of which
    `waiting` are held up, for S3 does not take them.
    """

    owner: str
    queue: str
    is_met: bool
    is_over: bool
    ballots: Sequence[Ballot]
    reasons: Sequence[VoteReason]
    kept: Sequence[str]
    refused: Sequence[RefusedAct]
    anew: Sequence[BallotAnew]
    revealed: Sequence[RevealedBallot]
    doubted: Sequence[DoubtedBallot]
    judged: int
    seconds: float
    waiting: int
    left: int | None
    trouble: str


class VoteAct(Told):
    """One act as the script writes it: look up what it names. `reasons` and `seconds` are of a vote."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    does: Annotated[Doing, Field(strict=False)]
    token: Annotated[str, Field(min_length=1, max_length=SEAL_CHARS_MAX)]
    answer: Annotated[Answer | None, Field(strict=False)] = None
    reasons: Annotated[
        tuple[Annotated[Reason, Field(strict=False)], ...], Field(strict=False, max_length=len(Reason))
    ] = ()
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class _Outbox(Told):
    """What waits in the browser; each act is read for itself, so that a damaged one holds up no other."""

    acts: Annotated[list[Any], Field(max_length=_AT_ONCE_MAX)]
    held: Annotated[
        list[Annotated[str, Field(max_length=SEAL_CHARS_MAX)]], Field(max_length=_HELD_MAX, default_factory=list)
    ]


class _Named(Told):
    """As much of an act as its sender needs to hear that it was not taken."""

    id: ShortText


@dataclass(frozen=True, slots=True)
class VoteNews:
    """What the browser said: the acts that it has not been answered for, in their order; the ids of those that could
    not be read; and the tokens of the ballots that it has before its person.
    """

    acts: Sequence[VoteAct] = ()
    unreadable: Sequence[str] = ()
    held: Sequence[str] = ()


def vote_desk(data: VoteData, *, key: str, take: Callable[[VoteNews], None]) -> None:
    """Draw the desk. `take` does what its person did; it may meet an act twice and must do it once."""

    def told() -> None:
        take(read_news(message(key, "outbox", _Outbox), part=key))

    _component.draw(data, key=key, on_outbox_change=told)


def read_news(outbox: _Outbox | None, *, part: str) -> VoteNews:
    """What the browser said, each act read for itself."""
    if outbox is None:
        return VoteNews()
    acts: list[VoteAct] = []
    unreadable: list[str] = []
    for row in outbox.acts:
        if act := read_told(row, VoteAct, part=part):
            acts.append(act)
        elif named := read_told(row, _Named, part=part):
            unreadable.append(named.id)
    return VoteNews(acts, unreadable, outbox.held)
