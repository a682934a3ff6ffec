"""Revocations: which sessions have ended early, kept in S3 so that every server knows, also after a restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256

from pydantic import BaseModel, ConfigDict, ValidationError

from core.concurrency.single_flight import SingleFlightCache
from core.errors import ReplayedLoginToken, SignedOut, StorageUnavailable
from core.identity.session import LOGIN_TOKEN_S, LONGEST_S, LoginToken, Session
from core.objects.documents import Document
from core.objects.objects import ObjectStore

_PEOPLE_MAX = 1000  # whose record is kept in memory; it is read again when it is needed
_MARGIN_S = 3600  # records outlive what they refuse, whatever clock wrote them


class PersonSessions(BaseModel):
    """One person's record. `epoch` counts sign-outs everywhere; the rest are ids and when they may be forgotten."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int = 0
    ended: dict[str, int] = {}
    spent_handovers: dict[str, int] = {}

    def without_history(self, now: float) -> PersonSessions:
        """The same without what no clock would still let in."""
        return self.model_copy(
            update={
                "ended": {name: until for name, until in self.ended.items() if until > now},
                "spent_handovers": {name: until for name, until in self.spent_handovers.items() if until > now},
            }
        )


class Revocations:
    """Answers whether a session still holds, and ends sessions. Every method raises StorageError."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        app_prefix: str,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._folder = f"{app_prefix}sessions/"
        self._clock = clock
        self._monotonic = monotonic
        self._people: SingleFlightCache[Document[PersonSessions]] = SingleFlightCache(size_max=_PEOPLE_MAX)

    def epoch(self, subject: str) -> int:
        """How often this person has signed out everywhere, as S3 has it now."""
        return self._of(subject).read().value.epoch

    def check(self, session: Session) -> None:
        """Raise SignedOut if the session was ended, here or on another server."""
        if _is_over(session, self._of(session.subject).value()):
            raise SignedOut("You have been signed out: sign in again.")

    def redeem(self, login_token: LoginToken) -> None:
        """Use a login token up. Raises ReplayedLoginToken the second time, and SignedOut if its session has ended."""

        def spend(record: PersonSessions) -> PersonSessions:
            if login_token.id in record.spent_handovers:
                raise ReplayedLoginToken("This sign-in has been used already: sign in again.")
            if _is_over(session, record):
                raise SignedOut("You have been signed out: sign in again.")
            until = int(self._clock()) + LOGIN_TOKEN_S + _MARGIN_S
            kept = record.without_history(self._clock())
            return _with(kept, spent_handovers={**kept.spent_handovers, login_token.id: until})

        session = login_token.session
        self._of(session.subject).change(spend)

    def end(self, session: Session) -> None:
        """End this session on every server."""

        def end(record: PersonSessions) -> PersonSessions:
            kept = record.without_history(self._clock())
            return _with(kept, ended={**kept.ended, session.id: int(self._clock()) + LONGEST_S + _MARGIN_S})

        self._of(session.subject).change(end)

    def end_all(self, session: Session) -> None:
        """End every session of the person behind this one, if it still holds."""

        def end(record: PersonSessions) -> PersonSessions:
            if _is_over(session, record):
                return record  # somebody who holds a cookie that was ended has no say any more
            return _with(record.without_history(self._clock()), epoch=record.epoch + 1, ended={})

        self._of(session.subject).change(end)

    def _of(self, subject: str) -> Document[PersonSessions]:
        def make() -> Document[PersonSessions]:
            # a subject is Google's text: hashed, it is a name that fits every store
            name = sha256(subject.encode()).hexdigest()[:40]
            return Document(
                self._store,
                f"{self._folder}{name}.json",
                parse=_parse,
                serialize=lambda record: record.model_dump_json().encode(),
                clock=self._monotonic,
            )

        return self._people.get(subject, make)


def _is_over(session: Session, record: PersonSessions) -> bool:
    return session.id in record.ended or session.epoch != record.epoch


def _with(record: PersonSessions, **fields: object) -> PersonSessions:
    return record.model_copy(update=fields)


def _parse(data: bytes | None) -> PersonSessions:
    """A record, or an empty one. Raises StorageUnavailable for bytes that are none: nobody is let in on a guess."""
    if data is None:
        return PersonSessions()
    try:
        return PersonSessions.model_validate_json(data)
    except ValidationError as err:
        raise StorageUnavailable("The record of your sessions in S3 is damaged: ask an administrator.") from err
