"""The review queue: which portraits a person should look at first, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from core.labels.lending.loans import Loan
from core.labels.machine.labeler import Proposal
from core.labels.published.label_file import FoundLabel, LabelState
from core.labels.published.schema import Gender, Label, LabelField, LabelSource
from core.labels.review.reports import MismatchReport
from core.labels.review.reviews import NO_DECISIONS, Decisions, Value, reviewed_label, spell, value_in
from core.labels.review.second_looks import disagreements_of, label_before
from core.references.reference import Reference

UNSURE: Final = 0.6
SECOND_LOOK_SHARE: Final = 10  # one label in so many is looked at by two people
# Ages this far apart at their nearest are no rounding.
_AGES_APART: Final = 5
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


_SPEAKERS: Final = {
    LabelSource.OPENAI: "OpenAI",
    LabelSource.LOCAL: "the local labeler",
    LabelSource.NOMINAL: "the nominal label",
    LabelSource.HUMAN: "the published label",
}


class Why(StrEnum):
    """The reasons to look at a label, the most pressing first."""

    WRONG_MATCH = "wrong match reported"
    STALE = "picture changed"
    LABELERS_DISAGREE = "labelers disagree"
    FOLDER = "folder says otherwise"
    LOW_CONFIDENCE = "low confidence"
    UNLABELLED = "nothing is known"
    SECOND_LOOK = "second look"
    NOT_REVIEWED = "not reviewed yet"


_RANK: Final = {why: rank for rank, why in enumerate(Why)}


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
    unsure: float = 1.0
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
        """The portrait as this person should see it: a second look is blind, and never at one's own."""
        if self.state is not ReviewState.SECOND_LOOK:
            return self
        if reviewer not in self.decided_by:
            return replace(self, shown=self.blind, decided_by=())
        others = tuple(reason for reason in self.reasons if reason.why is not Why.SECOND_LOOK)
        return replace(self, state=ReviewState.REVIEWED, reasons=others)


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


def is_doubly_reviewed(etag: str) -> bool:
    """Whether these bytes belong to the tenth that two people look at; the same on every server, for ever."""
    digest = hashlib.blake2b(etag.encode(), digest_size=8, person=b"second look").digest()
    return int.from_bytes(digest) % SECOND_LOOK_SHARE == 0


@dataclass(frozen=True, slots=True)
class PortraitFacts:
    """Everything that is known about one portrait."""

    reference: Reference
    found: FoundLabel
    published: Label | None
    proposals: tuple[Proposal, ...] = ()
    decisions: Decisions = NO_DECISIONS
    report: MismatchReport | None = None


def item_of(facts: PortraitFacts) -> QueueItem:
    """The portrait with the reasons to look at it; without any it needs no look."""
    stands = facts.decisions.standing
    decides = facts.decisions.deciding
    before = facts.published or _first_label(facts.proposals)
    label = reviewed_label(before, facts.decisions)
    seconds = Decisions(made for made in stands if made.event.second)
    reasons = tuple(sorted(_reasons(facts, label, decides, seconds), key=lambda reason: _RANK[reason.why]))
    return QueueItem(
        reference=facts.reference,
        state=_state(facts, label, decides, reasons),
        shown=label,
        reasons=reasons,
        proposals=facts.proposals,
        decided_by=tuple(dict.fromkeys(made.reviewer for made in decides)),
        second_by=tuple(dict.fromkeys(made.reviewer for made in seconds)),
        skipped_by=frozenset(made.reviewer for made in stands if made not in decides and not made.event.second),
        unsure=min(label.confidence.values(), default=1.0) if label else 0.0,
        blind=label_before(facts.published, [each.label for each in facts.proposals], facts.decisions),
    )


def order_of(item: QueueItem, reviewer: str) -> tuple[bool, bool, int, int, float, bytes]:
    """The queue's order, from front to back.

    Not lent to others, not skipped by this person, the most pressing reason, the most reasons, the least sure.
    """
    rank = _RANK[item.reasons[0].why] if item.reasons else len(_RANK)
    return (
        item.lent is not None,
        reviewer in item.skipped_by,
        rank,
        -len(item.reasons),
        item.unsure,
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


def _first_label(proposals: Sequence[Proposal]) -> Label | None:
    return proposals[0].label if proposals else None


def _state(facts: PortraitFacts, label: Label | None, decides: Decisions, reasons: Sequence[Reason]) -> ReviewState:
    if any(made.event.whole for made in decides):
        if any(reason.why is Why.SECOND_LOOK for reason in reasons):
            return ReviewState.SECOND_LOOK
        is_open = any(each.third is None for each in disagreements_of(facts.decisions))
        return ReviewState.DISAGREEMENT if is_open else ReviewState.REVIEWED
    if facts.found.state is LabelState.STALE:
        return ReviewState.STALE
    return ReviewState.MISSING if label is None else ReviewState.OPEN


def _reasons(facts: PortraitFacts, label: Label | None, decides: Decisions, seconds: Decisions) -> list[Reason]:
    found = []
    last = decides[-1].time if decides else _LONG_AGO
    if facts.report is not None and facts.report.time > last:
        found.append(Reason(Why.WRONG_MATCH, f"Found wrong for {facts.report.wished} by {facts.report.person}."))
    if any(made.event.whole for made in decides):
        return [*found, *_second_looks(facts, seconds)]
    if facts.found.state is LabelState.STALE:
        found.append(Reason(Why.STALE, "Its label speaks of the picture that lay here before."))
    if label is None:
        return [*found, Reason(Why.UNLABELLED, "Neither a person nor a machine has said anything about it.")]
    found += _disagreements(facts)
    found += _mismatched_tags(facts.reference, label, facts.proposals)
    found += _doubts(label, facts.proposals)
    if (decides or label.source is not LabelSource.HUMAN) and not found:
        found.append(Reason(Why.NOT_REVIEWED, "No person has looked at it yet."))
    return found


def _second_looks(facts: PortraitFacts, seconds: Decisions) -> Iterator[Reason]:
    if not is_doubly_reviewed(facts.reference.etag):
        return
    if not seconds:
        yield Reason(Why.SECOND_LOOK, "It belongs to the tenth that two people look at.")


def _disagreements(facts: PortraitFacts) -> Iterator[Reason]:
    """The first field in which machines say otherwise than each other, or than what is published."""
    labels = [proposal.label for proposal in facts.proposals]
    if facts.published is not None:
        labels.append(facts.published)
    for each in (LabelField.GENDER, LabelField.AGE):
        said = [(_SPEAKERS[label.source], value) for label in labels if (value := value_in(label, each)) is not None]
        for speaker, value in said[1:]:
            if _apart(said[0][1], value):
                says = f"{said[0][0]} says {spell(said[0][1])}, {speaker} says {spell(value)}."
                yield Reason(Why.LABELERS_DISAGREE, f"{says[:1].upper()}{says[1:]}")
                return


def _mismatched_tags(ref: Reference, label: Label, proposals: Sequence[Proposal]) -> Iterator[Reason]:
    """What the group's name says against what a labeler sees."""
    for each, tagged in ((LabelField.TONE, ref.tone), (LabelField.ANGLE, ref.angle)):
        values = [value_in(one, each) for one in (label, *(proposal.label for proposal in proposals))]
        other = next((value for value in values if value is not None and value != tagged), None)
        if tagged is not None and other is not None:
            yield Reason(Why.FOLDER, f"The folder says {tagged}, the label says {spell(other)}.")


def _doubts(label: Label, proposals: Sequence[Proposal]) -> Iterator[Reason]:
    sure = label.confidence or (proposals[0].label.confidence if proposals else {})
    unsure = {each: sure[each] for each in (LabelField.GENDER, LabelField.AGE) if sure.get(each, 1.0) < UNSURE}
    if unsure:
        parts = [f"{each.value.replace('_', ' ')} {value:.0%}" for each, value in unsure.items()]
        yield Reason(Why.LOW_CONFIDENCE, f"The labeler is unsure: {', '.join(parts)}.")
    elif proposals and proposals[0].problem is not None:
        yield Reason(Why.LOW_CONFIDENCE, proposals[0].label.notes or "The labeler could not label it.")


def _apart(one: Value, other: Value) -> bool:
    """Whether two values differ by more than rounding."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return max(one[0], other[0]) - min(one[1], other[1]) > _AGES_APART
    return one != other
