"""Ballots: what a drawn ballot holds, and the seals under which a browser gets it.

A seal is Fernet's (AES in CBC mode under an HMAC-SHA256; https://github.com/fernet/spec): encrypted, because a token
that could be read would tell the sides apart, signed, dated, and good for `BALLOT_S`. It holds all there is to know of
the ballot, so any server takes a vote on it, also after a restart and before it has read what S3 holds. The seals of
the left and of the right picture hold the same but for one letter, and are equally long.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, LiteralString

from cryptography.fernet import Fernet, InvalidToken
from ulid import ULID

from core.errors import InputError
from core.logs.refusals import refuse
from core.votes.records.judgements import SideLetter
from core.votes.records.vote_rows import Pair
from core.votes.records.votes import ShownPicture

BALLOT_S: Final = 24 * 3600.0  # a key pressed while a server was away is still sent when it is back in the morning
SEAL_CHARS_MAX: Final = 4096
_SEAL: Final = re.compile(r"[A-Za-z0-9_=-]+")
_NOT_OURS: Final = "This ballot is not one that you were given: take the next one."


class Purpose(StrEnum):
    """What a seal is good for: the vote, or one of the two pictures by where it stands."""

    VOTE = "v"
    LEFT = "l"
    RIGHT = "r"


@dataclass(frozen=True, slots=True)
class DrawnBallot:
    """One ballot: who is to judge which pictures, and which side stands left.

    `id` is its ULID. `folder` is the comparison's, `a` and `b` are the pictures' names in it; both with their etags.
    """

    id: str
    voter: str
    comparison: str
    take: int
    left: SideLetter
    again: bool
    folder: str
    a: str
    etag_a: str
    b: str
    etag_b: str

    @property
    def pair(self) -> Pair:
        """What is to be judged."""
        return Pair(self.comparison, self.take)

    @property
    def pictures(self) -> tuple[ShownPicture, ShownPicture]:
        """Those of A and B."""
        return (
            ShownPicture(key=self.folder + self.a, etag=self.etag_a),
            ShownPicture(key=self.folder + self.b, etag=self.etag_b),
        )

    def anew(self) -> DrawnBallot:
        """The same pictures, each where it stood, as a ballot of its own."""
        return replace(self, id=str(ULID()))


class BallotSeals:
    """Seals and opens ballots, with a key of its own that is made of a secret which all servers share."""

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970."""
        key = hmac.new(secret.encode(), b"studio.ballot.1", sha256).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._clock = clock

    def seal(self, ballot: DrawnBallot, purpose: Purpose) -> str:
        """What a browser may hold of it; no two are alike, and none tells what it holds."""
        content = json.dumps([purpose.value, *astuple(ballot)], separators=(",", ":"))
        return self._fernet.encrypt_at_time(content.encode(), int(self._clock())).decode().rstrip("=")

    def open(self, sealed: str, voter: str, *purposes: Purpose) -> tuple[DrawnBallot, Purpose]:
        """The ballot of this voter that was sealed for one of these purposes.

        Raises InputError for a seal that was forged or is somebody else's, and one that says so for an expired one.
        """
        content, sealed_at = self._content(sealed)
        ballot, purpose = _ballot_in(content)
        if ballot.voter != voter or purpose not in purposes:
            raise _refused("foreign", _NOT_OURS)
        if not sealed_at - BALLOT_S <= self._clock() <= sealed_at + BALLOT_S:
            raise _refused("expired", "This ballot is older than a day and not counted any more: take the next one.")
        return ballot, purpose

    def _content(self, sealed: str) -> tuple[list[Any], int]:
        """What was sealed, and when (seconds since 1970)."""
        if len(sealed) > SEAL_CHARS_MAX or not _SEAL.fullmatch(sealed):
            raise _refused("forged", _NOT_OURS)
        token = (sealed.rstrip("=") + "=" * (-len(sealed.rstrip("=")) % 4)).encode()
        try:
            content = json.loads(self._fernet.decrypt(token))
            return content, self._fernet.extract_timestamp(token)
        except (InvalidToken, ValueError) as err:
            raise _refused("forged", _NOT_OURS) from err


def _ballot_in(content: list[Any]) -> tuple[DrawnBallot, Purpose]:
    """What we sealed ourselves, perhaps in a version that knew other fields."""
    try:
        purpose, ballot_id, voter, comparison, take, left, *rest = content
        return DrawnBallot(ballot_id, voter, comparison, take, SideLetter(left), *rest), Purpose(purpose)
    except (TypeError, ValueError) as err:
        raise _refused("forged", _NOT_OURS) from err


def _refused(reason: str, sentence: LiteralString) -> InputError:
    refuse("ballot_refused", reason=reason)
    return InputError(sentence)
