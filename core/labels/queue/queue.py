"""The review queue: which portraits a person should look at first, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from core.labels.decisions.reports import MismatchReport
from core.labels.decisions.reviews import NO_DECISIONS, Decisions, Value
from core.labels.lending.loans import Loan
from core.labels.machine.labeler import Proposal
from core.labels.published.label_file import FoundLabel
from core.labels.published.schema import Gender, Label, LabelField, LabelSource
from core.references.reference import Reference

_SECOND_LOOK_PLACE: Final = 0.1  # among what is as likely wrong as this


class Why(StrEnum):
    """The reasons to look at a label, the most pressing first."""

    WRONG_MATCH = "wrong match reported"
    DOUBTED = "review in doubt"
    STALE = "picture changed"
    PERSONA = "otherwise elsewhere"
    LABELERS_DISAGREE = "labelers disagree"
    FOLDER = "folder says otherwise"
    LOW_CONFIDENCE = "low confidence"
    UNLABELLED = "nothing is known"
    SECOND_LOOK = "second look"
    NOT_REVIEWED = "not reviewed yet"


_FOR_OTHERS: Final = (Why.SECOND_LOOK, Why.DOUBTED)  # than who has decided already


class ReviewState(StrEnum):
    """How far people have come with a label."""

    OPEN = "open"
    REVIEWED = "reviewed"
    STALE = "stale"
    MISSING = "missing"
    SECOND_LOOK = "second look"
    DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a label is in the queue, with the sentence that says it."""

    why: Why
    says: str


@dataclass(frozen=True, slots=True)
class PersonaPicture:
    """One picture of a persona as the desk shows it beside another: "Ada elsewhere: feminine x6".

    `values` are what its label says by now in every field it says something in, `decided_by` who decided on a field,
    for the fields that a person has decided on; `reviewed` says that somebody judged its whole label.
    """

    key: str
    etag: str
    values: Mapping[LabelField, Value]
    decided_by: Mapping[LabelField, str]
    reviewed: bool


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A portrait to be looked at. `shown` is the label a person should judge.

    For a second look that is the label as it was before anybody reviewed it, so that the second opinion is its own.
    A portrait whose two looks differ waits for a third person, and not in the queue. `lent` says who else has it now.
    `proposals` are the machines', the weightiest first. `decided_by` are the reviewers whose word counts, in order.

    `wrong` is the probability (0 to 1) that something of the label is wrong, `fields` the same by field (the values of
    LabelField as keys; only fields that can be judged), `why` the sentences that say so, the weightiest first.
    `persona_pictures` are all pictures of the same persona, this one too, shared by its items and in key order;
    `elsewhere` are the others.
    """

    reference: Reference
    state: ReviewState
    shown: Label | None
    reasons: tuple[Reason, ...]
    proposals: tuple[Proposal, ...]
    decided_by: tuple[str, ...] = ()
    second_by: tuple[str, ...] = ()
    skipped_by: frozenset[str] = frozenset()
    blind: Label | None = None
    lent: Loan | None = None
    wrong: float = 0.0
    fields: Mapping[str, float] = field(default_factory=dict)
    persona_pictures: tuple[PersonaPicture, ...] = ()

    @property
    def why(self) -> tuple[str, ...]:
        """Why it is here, in sentences, the weightiest first."""
        return tuple(reason.says for reason in self.reasons)

    @property
    def elsewhere(self) -> tuple[PersonaPicture, ...]:
        """The persona's other pictures: those of other bytes."""
        return tuple(each for each in self.persona_pictures if each.etag != self.reference.etag)

    def for_reviewer(self, reviewer: str) -> QueueItem:
        """The portrait as this person should see it: a second look is blind, and nobody is asked twice."""
        is_second = self.state is ReviewState.SECOND_LOOK
        if reviewer not in self.decided_by:
            return replace(self, shown=self.blind, decided_by=(), fields={}) if is_second else self
        others = tuple(reason for reason in self.reasons if reason.why not in _FOR_OTHERS)
        return replace(self, state=ReviewState.REVIEWED if is_second else self.state, reasons=others)


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What a reviewer narrows the queue to; empty fields do not narrow. `everything` shows what needs no look too."""

    text: str = ""
    age_range: str | None = None
    gender: Gender | None = None
    group: str | None = None
    source: LabelSource | None = None
    state: ReviewState | None = None
    reviewer: str | None = None
    why: Why | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class PortraitFacts:
    """Everything that is known about one portrait."""

    reference: Reference
    found: FoundLabel
    published: Label | None
    proposals: tuple[Proposal, ...] = ()
    decisions: Decisions = NO_DECISIONS
    report: MismatchReport | None = None


def order_of(item: QueueItem, reviewer: str) -> tuple[bool, bool, bool, float, bytes]:
    """The queue's order: not lent to others, not skipped by this person, with a reason to look, the likeliest wrong.

    A second look is seldom at what is probably wrong, and would never be reached: it has a place in the middle.
    """
    second = item.state is ReviewState.SECOND_LOOK
    return (
        item.lent is not None,
        reviewer in item.skipped_by,
        not item.reasons,
        -max(item.wrong, _SECOND_LOOK_PLACE if second else 0.0),
        item.reference.key.encode(),
    )


def passes(item: QueueItem, wanted: QueueFilter) -> bool:
    """Whether the portrait passes every part of the filter; its text is the caller's."""
    label = item.shown
    asked = (
        (wanted.age_range, label.age_range if label else None),
        (wanted.gender, label.gender_presentation if label else None),
        (wanted.group, item.reference.group),
        (wanted.source, label.source if label else None),
        (wanted.state, item.state),
    )
    if any(want is not None and want != have for want, have in asked):
        return False
    if wanted.reviewer is not None and wanted.reviewer not in (*item.decided_by, *item.second_by):
        return False
    return wanted.why is None or any(reason.why is wanted.why for reason in item.reasons)
