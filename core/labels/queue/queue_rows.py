"""The queue's rows, kept: one for each portrait, made anew only where what is known about it has changed."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from core.concurrency.periodic import Periodic
from core.errors import StorageError
from core.labels.decisions.live import LiveLabels
from core.labels.decisions.reports import MismatchReport, Reports
from core.labels.decisions.review_log import ReviewLog
from core.labels.decisions.second_looks import label_before
from core.labels.machine.proposals import Proposals
from core.labels.published.label_file import LabelSet, LabelState
from core.labels.published.schema import Label
from core.labels.queue.assessment import Assessment
from core.labels.queue.outlook import Outlook
from core.labels.queue.queue import PortraitFacts, QueueItem
from core.references.index import IndexSource, ReferenceIndex
from core.references.reference import Filter, Reference
from core.references.vocabulary import Role

_LOOK_EVERY_S: Final = 2.0  # a look at what has not changed is a comparison of versions
_REPORTS_AGE_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class QueueSources:
    """Everything that is known about portraits comes from these."""

    catalog: IndexSource
    live: LiveLabels
    log: ReviewLog
    proposals: Proposals
    reports: Reports


class QueueRows:
    """Every portrait with its reasons; for any number of threads.

    Once started, a thread keeps them up, so that nobody who opens the queue waits for rows that could be there.
    """

    def __init__(self, sources: QueueSources) -> None:
        self._sources = sources
        self._lock = threading.Lock()  # for what follows; held while rows are made anew
        self._made_of: tuple[object, ...] = ()
        self._number = 0
        self._book = Assessment()
        self.loop = Periodic(self._prepare, name="review-queue", every_s=_LOOK_EVERY_S)

    def items(self) -> Collection[QueueItem]:
        """Every portrait in key order. Raises StorageError while there is no index."""
        with self._lock:
            self._keep_up()
            return list(self._book.items.values())

    def facts(self) -> Collection[PortraitFacts] | None:
        """What is known about every portrait as of the last look, None before there was one: nobody waits."""
        return list(self._book.facts.values()) if self._made_of else None

    def get(self, key: str) -> QueueItem | None:
        """One portrait, or None for what is none."""
        with self._lock:
            self._keep_up()
            return self._book.items.get(key)

    def outlook(self) -> Outlook:
        """How many labels are probably still wrong. Raises StorageError while there is no index."""
        with self._lock:
            self._keep_up()
            return self._book.outlook

    def reference(self, key: str) -> Reference | None:
        """The picture of a portrait, or None for what is none; it waits for no judging."""
        with self._lock:
            self._keep_up()
            facts = self._book.facts.get(key)
            return facts.reference if facts else None

    def machine_label(self, etag: str) -> Label | None:
        """What the weightiest machine says about these bytes, else what was published before anybody reviewed."""
        proposals = self._sources.proposals.by_etag().get(etag)
        if proposals:
            return proposals[0].label
        published = self._sources.live.published.of_bytes(etag)
        return label_before(published, (), self._sources.log.reviews.of_picture(etag))

    def published_label(self, etag: str) -> Label | None:
        """What the published file says about these bytes."""
        return self._sources.live.published.of_bytes(etag)

    def _prepare(self) -> None:
        try:
            _ = self._sources.catalog.index
        except StorageError:  # the catalog says why
            return
        self._sources.reports.by_etag(max_age_s=_REPORTS_AGE_S)  # before readers find them too old, and have to wait
        self.items()

    def _keep_up(self) -> None:
        number = self._sources.log.number  # first: what is saved from here on is met again in the next look
        current = self._sources.live.current  # asks S3 once, if nobody has
        index, reports = self._sources.catalog.index, self._read_reports()
        reported = tuple(sorted((key, each.time) for key, each in reports.items()))
        # An index that found nothing new keeps its table, and only says that it is younger.
        made_of = (index.table, self._sources.live.published.version, self._sources.proposals.version, reported)
        if made_of != self._made_of:
            found = (self._facts_of(ref, current, reports) for ref in self._portraits(index, current))
            self._book.keep(found)
        elif number != self._number:
            touched = self._sources.log.touched_since(self._number)
            self._book.renew(touched, lambda ref: self._facts_of(ref, current, reports))
        self._made_of, self._number = made_of, number

    def _portraits(self, index: ReferenceIndex, current: LabelSet) -> list[Reference]:
        """All model references, and whatever else is published or proposed for."""
        models = list(index.search(Filter(role=Role.MODEL)))
        proposed = self._sources.proposals.by_etag()
        seen = {ref.key for ref in models}
        others = [
            ref
            for role in (Role.ANGLE, Role.TONE)
            for ref in index.search(Filter(role=role))
            if ref.key not in seen
            and (ref.etag in proposed or current.find(ref.key, ref.etag).state is LabelState.CURRENT)
        ]
        return sorted([*models, *others], key=lambda ref: ref.key.encode())

    def _facts_of(self, ref: Reference, current: LabelSet, reports: Mapping[str, MismatchReport]) -> PortraitFacts:
        return PortraitFacts(
            reference=ref,
            found=current.find(ref.key, ref.etag),
            published=self._sources.live.published.of_bytes(ref.etag),
            proposals=self._sources.proposals.by_etag().get(ref.etag, ()),
            decisions=self._sources.log.reviews.of_picture(ref.etag),
            report=reports.get(ref.etag),
        )

    def _read_reports(self) -> Mapping[str, MismatchReport]:
        with suppress(StorageError):  # without them the other reasons still stand
            return self._sources.reports.by_etag()
        return {}
