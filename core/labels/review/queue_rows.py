"""The queue's rows, kept: one for each portrait, made anew only where what is known about it has changed."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final

from core.concurrency.periodic import Periodic
from core.errors import StorageError
from core.labels.machine.proposals import Proposals
from core.labels.published.label_file import LabelState, PublishedLabels
from core.labels.published.schema import Label
from core.labels.review.live import LiveLabels
from core.labels.review.queue import Evidence, QueueItem, item_of
from core.labels.review.reports import MismatchReport, Reports
from core.labels.review.review_log import ReviewLog
from core.references.index import IndexSource, ReferenceIndex
from core.references.reference import Filter, Reference
from core.references.vocabulary import Role

_LOOK_EVERY_S: Final = 2.0  # a look at what has not changed is a comparison of versions

_REPORTS_AGE_S: Final = 15.0


class QueueRows:
    """Every portrait with its reasons; for any number of threads.

    Once started, a thread keeps them up, so that nobody who opens the queue waits for rows that could be there.
    """

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
        self._evidence: dict[str, Evidence] = {}
        self._keys: dict[str, list[str]] = {}
        self.loop = Periodic(self._prepare, name="review-queue", every_s=_LOOK_EVERY_S)

    def start(self) -> None:
        """Keep the rows up in the background from now on."""
        self.loop.start()

    def stop(self) -> None:
        """End the background work."""
        self.loop.stop()

    def items(self) -> Collection[QueueItem]:
        """Every portrait in key order. Raises StorageError while there is no index."""
        with self._lock:
            self._keep_up()
            return list(self._rows.values())

    def known(self) -> Collection[Evidence] | None:
        """What is known about every portrait as of the last look, None before there was one: nobody waits."""
        return list(self._evidence.values()) if self._of else None

    def get(self, key: str) -> QueueItem | None:
        """One portrait, or None for what is none."""
        with self._lock:
            self._keep_up()
            return self._rows.get(key)

    def machine_label(self, etag: str) -> Label | None:
        """What the weightiest machine says about these bytes, else what was published before anybody reviewed."""
        proposals = self._proposals.by_etag().get(etag)
        return proposals[0].label if proposals else self._live.before_reviews(etag)

    def _prepare(self) -> None:
        if self._has_index():  # while there is none, the catalog says why
            self._reports.by_etag(max_age_s=_REPORTS_AGE_S)  # before readers find them too old, and have to wait
            self.items()

    def _has_index(self) -> bool:
        try:
            return self._catalog.index is not None
        except StorageError:
            return False

    def _keep_up(self) -> None:
        number = self._log.number  # first: what is saved from here on is met again in the next look
        current = self._live.current  # asks S3 once, if nobody has
        index, reports = self._catalog.index, self._reported()
        told = tuple(sorted((key, each.time) for key, each in reports.items()))
        # An index that found nothing new keeps its table, and only says that it is younger.
        of = (index.table, self._live.published.version, self._proposals.version, told)
        if of != self._of:
            self._make_all(index, current, reports)
        else:
            for etag in self._log.touched_since(self._number):
                for key in self._keys.get(etag, ()):
                    self._make(self._evidence[key].reference, current, reports)
        self._of, self._number = of, number

    def _make_all(self, index: ReferenceIndex, current: PublishedLabels, reports: Mapping[str, MismatchReport]) -> None:
        before, evidence = (self._rows, self._evidence), {}
        rows: dict[str, QueueItem] = {}
        keys: dict[str, list[str]] = {}
        for ref in self._portraits(index):
            known = self._known_of(ref, current, reports)
            evidence[ref.key] = known
            rows[ref.key] = before[0][ref.key] if before[1].get(ref.key) == known else item_of(known)
            keys.setdefault(ref.etag, []).append(ref.key)
        self._rows, self._evidence, self._keys = rows, evidence, keys

    def _make(self, ref: Reference, current: PublishedLabels, reports: Mapping[str, MismatchReport]) -> None:
        known = self._known_of(ref, current, reports)
        self._evidence[ref.key] = known
        self._rows[ref.key] = item_of(known)

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

    def _known_of(self, ref: Reference, current: PublishedLabels, reports: Mapping[str, MismatchReport]) -> Evidence:
        return Evidence(
            reference=ref,
            found=current.find(ref.key, ref.etag),
            published=self._live.before_reviews(ref.etag),
            proposals=self._proposals.by_etag().get(ref.etag, ()),
            decisions=self._log.reviews.of_picture(ref.etag),
            report=reports.get(ref.etag),
        )

    def _reported(self) -> Mapping[str, MismatchReport]:
        with suppress(StorageError):  # without them the other reasons still stand
            return self._reports.by_etag()
        return {}
