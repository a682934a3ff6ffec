"""Adjudication: where two looks at a label differ, a third person decides, and that becomes the label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import AccessDenied, InputError
from core.labels.decisions.review_log import ReviewLog
from core.labels.decisions.reviews import Event, FieldChange, Kind, Reviews, Value
from core.labels.decisions.second_looks import Disagreement, Publishing, disagreements_of, is_doubly_reviewed, two_looks
from core.labels.published.schema import LabelField
from core.labels.queue.queue import QueueFilter
from core.labels.review.review_service import ReviewService
from core.labels.review.verdicts import FieldConflict, ReviewConflict, Verdict
from core.references.reference import Reference
from core.viewer import Capability, Viewer


@dataclass(frozen=True, slots=True)
class Case:
    """A portrait whose two looks differ. `blind` says that the second reviewer did not see the first one's word."""

    reference: Reference
    fields: tuple[Disagreement, ...]
    blind: bool

    @property
    def is_open(self) -> bool:
        """Whether a field waits for a third person."""
        return any(each.third is None for each in self.fields)


class Adjudication:
    """Lists the cases and decides them. Every method asks what its viewer may: AccessDenied if not."""

    def __init__(
        self, reviews: ReviewService, log: ReviewLog, last_publishing: Callable[[], Publishing | None]
    ) -> None:
        self._reviews = reviews
        self._log = log
        self._last_publishing = last_publishing

    def cases(self, viewer: Viewer) -> list[Case]:
        """Every portrait of the library whose two looks differ: those that wait, then those that are decided.

        Whoever reviews may look: both looks have been made. Raises StorageError.
        """
        viewer.require(Capability.REVIEW)
        publishing = self._last_publishing()
        found: dict[str, Case] = {}
        for item in self._reviews.queue(viewer, QueueFilter(everything=True)):
            ref = item.reference
            if ref.etag in found or not is_doubly_reviewed(ref.etag):
                continue
            decisions = self._log.reviews.of_picture(ref.etag)
            looks, fields = two_looks(decisions), disagreements_of(decisions)
            if looks is not None and fields:
                found[ref.etag] = Case(ref, fields, looks.was_blind(publishing))
        return sorted(found.values(), key=lambda case: (not case.is_open, case.reference.key.encode()))

    def decide(self, viewer: Viewer, case: Case, field: LabelField, value: Value, *, id: str) -> None:
        """Give a field in which two looks differ the value that holds; what is sent twice under one `id` counts once.

        Raises AccessDenied for either of the two, InputError for a value that cannot be or where there is nothing
        to decide any more, ReviewConflict where somebody else has decided otherwise, StorageError.
        """
        viewer.require(Capability.REVIEW)
        key, etag = case.reference.key, case.reference.etag
        self._reviews.check(Verdict(id, Kind.CORRECT, key, etag, {}, {field: value}, whole=False))

        def settle(reviews: Reviews) -> Sequence[Event]:
            decisions = reviews.of_picture(etag)
            differs = next((each for each in disagreements_of(decisions) if each.field is field), None)
            if differs is None:
                raise InputError("There is nothing to decide here any more: one of the two looks was taken back.")
            if differs.is_one_of_the_two(viewer.email):
                raise AccessDenied("One of these two looks is yours: somebody else decides.")
            if (third := differs.third) is not None:
                if third.value == value:
                    return ()
                raise ReviewConflict([FieldConflict(key, etag, field, third.value, third.reviewer, third.time)])
            change = FieldChange(field=field, before=decisions.values.get(field), after=value)
            return (Event(id=id, kind=Kind.CORRECT, key=key, etag=etag, changes=(change,), third=True, whole=False),)

        self._log.append(viewer.email, settle)
