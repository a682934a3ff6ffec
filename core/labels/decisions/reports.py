"""Reports: "wrong match", said by a person about a picture in a slot, until somebody reviews its label."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from ulid import ULID

from core.errors import WriteConflict
from core.objects.objects import ObjectStore
from core.viewer import Capability, Viewer

_log = structlog.get_logger(__name__)
_FRESH_S = 30.0


class MismatchReport(BaseModel):
    """Somebody saw a picture in a slot that it does not belong into."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    etag: str
    wished: str
    person: str
    time: datetime


class Reports:
    """Reads and writes reports under `<app>/reviews/reported/`; each is an object of its own, so none is lost."""

    def __init__(self, store: ObjectStore, *, app_prefix: str) -> None:
        self._store = store
        self._prefix = f"{app_prefix}reviews/reported/"
        self._known: dict[str, MismatchReport | None] = {}  # by key; None for what cannot be read
        self._read: tuple[float, dict[str, MismatchReport]] | None = None

    def add(self, viewer: Viewer, *, key: str, etag: str, wished: str, of: str = "") -> MismatchReport:
        """Queue a picture's label for review. Raises AccessDenied or StorageError.

        `of` names, by an id that sorts by time, what was looked at when it was said: of that it is said once, however
        often it is sent.
        """
        viewer.require(Capability.GENERATE)
        report = MismatchReport(key=key, etag=etag, wished=wished, person=viewer.email, time=datetime.now(UTC))
        name = f"{self._prefix}{f'{of}-{etag}' if of else ULID()}.json"
        with suppress(WriteConflict):
            self._store.put(name, report.model_dump_json().encode(), content_type="application/json", create_only=True)
        self._read = None
        return report

    def by_etag(self, *, max_age_s: float = _FRESH_S) -> dict[str, MismatchReport]:
        """The newest report of each reported picture, by its etag; of this age at most. Raises StorageError."""
        now = time.monotonic()
        if self._read is None or now - self._read[0] > max_age_s:
            keys = [row.key for row in self._store.list(self._prefix)]
            self._known = {key: self._known[key] if key in self._known else self._report(key) for key in keys}
            reports = sorted((each for each in self._known.values() if each is not None), key=lambda each: each.time)
            self._read = (now, {report.etag: report for report in reports})
        return self._read[1]

    def _report(self, key: str) -> MismatchReport | None:
        try:
            return MismatchReport.model_validate_json(self._store.get(key).data)
        except ValidationError:
            _log.warning("report_unreadable", key=key)
            return None
