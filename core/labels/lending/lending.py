"""Lending: lends portraits to desks, through one small object that all servers share.

<app>/reviews/lent.json   who has which portraits; replaced under the condition that nobody has changed it since

Lending is a courtesy between reviewers. Whenever S3 cannot be asked nothing counts as lent, and nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from pydantic import ValidationError

from core.errors import StorageError
from core.labels.lending.loans import Loan, Loans
from core.objects.documents import Document
from core.objects.objects import ObjectStore
from core.viewer import Capability, Viewer

_log = structlog.get_logger(__name__)


class Lending:
    """Lends and takes back; for any number of threads. Never raises StorageError."""

    def __init__(
        self, store: ObjectStore, *, app_prefix: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._now = now
        self._document = Document(
            store,
            f"{app_prefix}reviews/lent.json",
            parse=_parse,
            serialize=lambda loans: loans.model_dump_json().encode(),
        )

    def of_others(self, viewer: Viewer) -> Mapping[str, Loan]:
        """What lies before other people, by etag, as it was known a few seconds ago. Seen by all who may browse."""
        viewer.require(Capability.BROWSE)
        with suppress(StorageError):
            return self._document.value().of_others(viewer.email, self._now())
        return {}

    def lend(self, viewer: Viewer, desk: str, wanted: Sequence[str]) -> None:
        """Lend this desk the first of the wanted portraits that no other person has, instead of what it had."""
        viewer.require(Capability.REVIEW)
        with suppress(StorageError):
            self._document.change(
                lambda loans: loans.lend(desk, viewer.email, viewer.name or viewer.email, wanted, self._now())
            )

    def give_back(self, viewer: Viewer, desk: str) -> None:
        """Take back what this desk has; another person's has another name. Also from who may not review any more."""
        viewer.require(Capability.BROWSE)
        with suppress(StorageError):
            self._document.change(lambda loans: loans.give_back(desk, viewer.email, self._now()))


def _parse(data: bytes | None) -> Loans:
    """What the object says; a damaged one lends nothing, and the next change puts a whole one in its place."""
    if data is None:
        return Loans()
    try:
        return Loans.model_validate_json(data)
    except ValidationError:
        _log.warning("loans_unreadable")
        return Loans()
