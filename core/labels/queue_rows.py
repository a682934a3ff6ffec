"""The queue's rows, kept: one for each portrait, made anew only where something has changed."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Protocol

from core.errors import StorageError
from core.labels.live import LiveLabels
from core.labels.proposals import Proposals
from core.labels.published import LabelState
from core.labels.queue import Evidence, QueueItem, item_of
from core.labels.reports import MismatchReport, Reports
from core.labels.review_log import ReviewLog
from core.labels.schema import Label
from core.references.attributes import Role
from core.references.index import ReferenceIndex
from core.references.reference import Filter, Reference


class IndexSource(Protocol):
    """Hands out the newest complete index."""

    @property
    def index(self) -> ReferenceIndex:
        """The index; raises StorageError while there is none."""


class QueueRows:
    """Every portrait with its reasons: all of them when library, labels or machines change, else those decided on."""

    def __init__(
        self, catalog: IndexSource, live: LiveLabels, log: ReviewLog, proposals: Proposals, reports: Reports
    ) -> None:
        self._catalog = catalog
        self._live = live
        self._log = log
        self._proposals = proposals
        self._reports = reports
        self._lock = threading.Lock()
        self._of: tuple[object, ...] = ()
        self._number = 0
        self._rows: dict[str, QueueItem] = {}
        self._keys: dict[str, list[str]] = {}

    def items(self) -> Collection[QueueItem]:
        """Every portrait in key order. Raises StorageError while there is no index."""
        with self._lock:
            self._keep_up()
            return list(self._rows.values())

    def get(self, key: str) -> QueueItem | None:
        """One portrait, or None for what is none."""
        with self._lock:
            self._keep_up()
            return self._rows.get(key)

    def machine_label(self, etag: str) -> Label | None:
        """What the weightiest machine says about these bytes, else what was published before anybody reviewed."""
        proposals = self._proposals.by_etag().get(etag)
        return proposals[0].label if proposals else self._live.before_reviews(etag)

    def _keep_up(self) -> None:
        _ = self._live.current  # asks S3 once, if nobody has
        index, reports, number = self._catalog.index, self._reported(), self._log.number
        of = (index, self._proposals.version, tuple(sorted((key, each.time) for key, each in reports.items())))
        if of != self._of:
            self._rows, self._keys = {}, {}
            for ref in self._portraits(index):
                self._rows[ref.key] = item_of(self._evidence(ref, reports))
                self._keys.setdefault(ref.etag, []).append(ref.key)
        else:
            for etag in self._log.touched_since(self._number):
                for key in self._keys.get(etag, ()):
                    self._rows[key] = item_of(self._evidence(self._rows[key].reference, reports))
        self._of, self._number = of, number

    def _portraits(self, index: ReferenceIndex) -> list[Reference]:
        """All model references, and whatever else is published or proposed for."""
        models = list(index.search(Filter(role=Role.MODEL)))
        proposed, current = self._proposals.by_etag(), self._live.current
        seen = {ref.key for ref in models}
        others = [
            ref
            for role in (Role.ANGLE, Role.TONE)
            for ref in index.search(Filter(role=role))
            if ref.key not in seen
            and (ref.etag in proposed or current.find(ref.key, ref.etag).state is LabelState.CURRENT)
        ]
        return sorted([*models, *others], key=lambda ref: ref.key.encode())

    def _evidence(self, ref: Reference, reports: Mapping[str, MismatchReport]) -> Evidence:
        return Evidence(
            reference=ref,
            found=self._live.current.find(ref.key, ref.etag),
            published=self._live.before_reviews(ref.etag),
            proposals=self._proposals.by_etag().get(ref.etag, ()),
            decisions=self._log.reviews.of_picture(ref.etag),
            report=reports.get(ref.etag),
        )

    def _reported(self) -> Mapping[str, MismatchReport]:
        with suppress(StorageError):  # without them the other reasons still stand
            return self._reports.by_etag()
        return {}
