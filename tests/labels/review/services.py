"""A review service over a real bucket, as one server has it; a second one over the same bucket is another server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.labels.decisions.live import LiveLabels
from core.labels.decisions.reports import Reports
from core.labels.decisions.review_log import ReviewLog
from core.labels.decisions.reviews import Kind, Value, value_in
from core.labels.lending.lending import Lending
from core.labels.machine.labeler import Proposal
from core.labels.machine.proposals import Proposals
from core.labels.publication.publisher import Publisher
from core.labels.published.label_file import LabelFile
from core.labels.published.schema import Gender, Label, LabelField, LabelSource, age_range_of
from core.labels.queue.queue import QueueItem
from core.labels.queue.queue_rows import QueueSources
from core.labels.review.adjudication import Adjudication
from core.labels.review.review_service import ReviewService
from core.labels.review.verdicts import Verdict
from core.references.index import ReferenceIndex, build_index
from core.storage.local.disk import renew
from tests.labels.portraits import APP, VOCABULARY
from tests.support.s3.servers import S3Server


class Library:
    """The index over what lies in the bucket now."""

    def __init__(self, server: S3Server) -> None:
        self._store = server.store()
        self.index = self.listed()

    def listed(self) -> ReferenceIndex:
        return build_index(self._store.list("refs/"), VOCABULARY)

    def refresh(self) -> None:
        self.index = self.listed()


class ReviewFixture:
    """Everything around one review service."""

    def __init__(self, server: S3Server, file: Path = Path("no-such-file"), shipped: tuple[Proposal, ...] = ()) -> None:
        self.store = server.store()
        self.library = Library(server)
        self.log = ReviewLog(self.store, app_prefix=APP)
        self.live = LiveLabels(file, self.log)
        self.proposals = Proposals(self.store, app_prefix=APP, shipped=shipped)
        self.reports = Reports(self.store, app_prefix=APP)
        self.reviews = ReviewService(
            QueueSources(self.library, self.live, self.log, self.proposals, self.reports),
            VOCABULARY,
            Lending(self.store, app_prefix=APP),
        )

    def adjudication(self, file: Path = Path("no-such-file")) -> Adjudication:
        """Who decides between two looks, at this server."""
        return Adjudication(self.reviews, self.log, self.publisher(file).last_publishing)

    def publisher(self, file: Path) -> Publisher:
        """Who publishes into this file, from this server."""
        return Publisher(LabelFile(file, renew), self.store, self.log, app_prefix=APP)


def proposed(
    key: str,
    etag: str,
    *,
    gender: Gender | None = Gender.FEMININE,
    age: tuple[int, int] | None = (25, 34),
    sure: float = 0.9,
    source: LabelSource = LabelSource.OPENAI,
    tone: str | None = None,
) -> Proposal:
    """A machine's word."""
    confidence = {LabelField.GENDER: sure, LabelField.AGE: sure}
    label = Label(
        key=key,
        etag=etag,
        age_low=age and age[0],
        age_high=age and age[1],
        age_range=age_range_of(*age) if age else None,
        gender_presentation=gender,
        tone=tone,
        confidence=confidence,
        source=source,
        model=source.value,
    )
    return Proposal(label=label)


def correct(item: QueueItem, values: Mapping[LabelField, Value], *, id: str) -> Verdict:
    """The verdict that these fields are otherwise, and everything else that is shown is right."""
    seen = {field: value_in(item.shown, field) for field in LabelField}
    return Verdict(id, Kind.CORRECT, item.reference.key, item.reference.etag, seen, values)


def skip(item: QueueItem, *, id: str) -> Verdict:
    """The verdict that somebody else should say, or oneself later."""
    return Verdict(id, Kind.SKIP, item.reference.key, item.reference.etag, {}, {})
