"""Voters: the pseudonyms that votes are signed with, and whose they are, in one small object of all servers.

<app>/votes/voters.json    replaced under the condition that nobody has changed it since

Votes never change, so the one place that says whose they are is apart from them: without a person's line their votes
stay, and nobody can tell any more whose they were. Who may no longer come in goes by the pseudonym alone in everything
that people see, whether or not the line is still there.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from core.objects.documents import Document, parse_settings
from core.objects.objects import ObjectStore
from core.viewer import Capability, Viewer

_ID_BYTES = 6


class VoterList(BaseModel):
    """Addresses by pseudonym."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 1
    voters: Annotated[dict[str, str], Field(max_length=100_000)] = {}

    def id_of(self, email: str) -> str | None:
        """The pseudonym of an address; None while it has none."""
        return next((voter for voter, whose in self.voters.items() if whose == email), None)

    def with_voter(self, email: str) -> Self:
        """With a pseudonym for this address, drawn by chance."""
        if self.id_of(email) is not None:
            return self
        return self.model_copy(update={"voters": {**self.voters, secrets.token_hex(_ID_BYTES): email}})


class Voters:
    """Knows voters by their pseudonyms; for any number of threads and servers."""

    def __init__(self, store: ObjectStore, *, app_prefix: str, may_come_in: Callable[[str], bool]) -> None:
        """`may_come_in` says whether an address is still on the studio's list; it may raise StorageError."""
        key = f"{app_prefix}votes/voters.json"
        self._document = Document(
            store,
            key,
            parse=lambda data: VoterList() if data is None else parse_settings(VoterList, "votes/voters.json", data),
            serialize=lambda known: known.model_dump_json(indent=1).encode(),
        )
        self._may_come_in = may_come_in
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}  # a pseudonym stays, so who has one is served while S3 is away

    def id_of(self, email: str) -> str:
        """A person's pseudonym, made at the first time. Raises StorageError where it is not known and S3 is away."""
        with self._lock:
            known = self._ids.get(email)
        if known is not None:
            return known
        found = self._document.value().id_of(email)
        if found is None:
            found = self._document.change(lambda voters: voters.with_voter(email)).id_of(email)
        assert found is not None  # noqa: S101 - it was put in just now
        with self._lock:
            return self._ids.setdefault(email, found)

    def names(self, viewer: Viewer) -> dict[str, str]:
        """The addresses of those who may still come in, by pseudonym. Raises AccessDenied and StorageError."""
        viewer.require(Capability.SEE_VOTERS)
        return self.addresses()

    def addresses(self) -> dict[str, str]:
        """The same for who operates the server. Raises StorageError."""
        return {voter: email for voter, email in self._document.value().voters.items() if self._may_come_in(email)}
