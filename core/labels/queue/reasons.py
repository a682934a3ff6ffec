"""Reasons: why a portrait waits for a person, each in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from core.labels.decisions.reviews import Decisions, Value, spell, value_in
from core.labels.decisions.second_looks import disagreements_of, is_doubly_reviewed
from core.labels.evidence.judging import FieldJudgement, Reliability
from core.labels.published.label_file import LabelState
from core.labels.published.schema import Label, LabelField, LabelSource
from core.labels.queue.portrait_statements import first_label, is_reported, judged_label, opinions_by_name
from core.labels.queue.queue import PersonaPicture, PortraitFacts, Reason, Why

UNSURE: Final = 0.6
DOUBTED: Final = 0.1  # from here on a label that a person has decided on comes back, to somebody else
_AGES_APART: Final = 5  # at their nearest; less is rounding
_SAME_AGE: Final = 10  # years around the median that count as a persona's one age
_WORTH_A_WORD: Final = 0.02
_WORTH_A_DOUBT: Final = 0.1
_MEASURED: Final = 10  # words of a labeler from which on its share of right ones is told
_SPEAKERS: Final = {
    LabelSource.OPENAI: "OpenAI",
    LabelSource.LOCAL: "the local labeler",
    LabelSource.NOMINAL: "the nominal label",
    LabelSource.HUMAN: "the published label",
}
_NAMES: Final = {LabelField.GENDER: "genders", LabelField.AGE: "ages", LabelField.FRAMING: "framings"}
_RANK: Final = {why: rank for rank, why in enumerate(Why)}
_EVIDENCE: Final = (Why.PERSONA, Why.LABELERS_DISAGREE, Why.FOLDER, Why.LOW_CONFIDENCE)

Judged = Mapping[LabelField, FieldJudgement]
Labelers = Mapping[tuple[LabelField, str], Reliability]


@dataclass(frozen=True, slots=True)
class Case:
    """A portrait with what was found about it: its judgement, its persona's pictures, and everybody's reliability."""

    facts: PortraitFacts
    judged: Judged
    pictures: tuple[PersonaPicture, ...]
    labelers: Labelers


def reasons_of(case: Case) -> tuple[Reason, ...]:
    """The reasons to look at a portrait, the most pressing first; without any it needs no look."""
    facts = case.facts
    found: list[Reason] = []
    if facts.report is not None and is_reported(facts):
        found.append(Reason(Why.WRONG_MATCH, f"Found wrong for {facts.report.wished} by {facts.report.person}."))
    decides = facts.decisions.deciding
    if any(made.event.whole for made in decides):
        if is_doubly_reviewed(facts.reference.etag) and not any(made.event.second for made in facts.decisions.standing):
            found.append(Reason(Why.SECOND_LOOK, "It belongs to the tenth that two people look at."))
        elif all(
            each.third is not None for each in disagreements_of(facts.decisions)
        ):  # others wait for a third person
            found += _doubts_about_people(case, decides)
        return tuple(found)
    if facts.found.state is LabelState.STALE:
        found.append(Reason(Why.STALE, "Its label speaks of the picture that lay here before."))
    label = judged_label(facts)
    if label is None:
        found.append(Reason(Why.UNLABELLED, "Neither a person nor a machine has said anything about it."))
        return tuple(found)
    found += _evidence(case, label)
    if (decides or label.source is not LabelSource.HUMAN) and not found:
        found.append(Reason(Why.NOT_REVIEWED, "No person has looked at it yet."))
    return tuple(found)


def _doubts_about_people(case: Case, decides: Decisions) -> Iterator[Reason]:
    """A decision that everything else speaks against: once more, by somebody else."""
    label = judged_label(case.facts)
    doubted = sorted(
        (field for field, each in case.judged.items() if each.wrong >= DOUBTED),
        key=lambda each: -case.judged[each].wrong,
    )
    if label is None or not doubted:
        return
    said = next((why.says for why in _evidence(case, label)), None)
    values = ", ".join(_spelled(value_in(label, field)) for field in doubted)
    by = decides[-1].reviewer
    yield Reason(Why.DOUBTED, f"{by} decided on {values}, and what else is known speaks against it.")
    if said is not None:
        yield Reason(Why.DOUBTED, said)


def _evidence(case: Case, label: Label) -> list[Reason]:
    """What speaks against single fields, the likeliest wrong ones first; then what holds for the whole label."""
    found: list[tuple[float, Reason]] = []
    for field, judged in case.judged.items():
        if judged.wrong >= _WORTH_A_WORD:
            found += [(judged.wrong, reason) for reason in _against_field(case, label, field, judged)]
    found.sort(key=lambda each: (-each[0], _RANK[each[1].why]))
    return [*(reason for _, reason in found), *_doubts(case, label)]


def _against_field(case: Case, label: Label, field: LabelField, judged: FieldJudgement) -> Iterator[Reason]:
    shown = value_in(label, field)
    if judged.persona_doubts and (says := _elsewhere(case, field, shown)):
        yield Reason(Why.PERSONA, says)
    named = opinions_by_name(case.facts)
    for name in judged.against:
        other = value_in(named[name].label, field) if name in named else None
        if other is not None and are_apart(shown, other):
            yield Reason(Why.LABELERS_DISAGREE, _other_word(case, label, field, name, other))
    tag = {LabelField.TONE: case.facts.reference.tone, LabelField.ANGLE: case.facts.reference.angle}.get(field)
    if tag is not None and shown not in (None, tag):
        yield Reason(Why.FOLDER, f"The folder says {tag}, the label says {_spelled(shown)}.")


def _elsewhere(case: Case, field: LabelField, shown: Value) -> str | None:
    """What the persona's other pictures are labelled, against this one: `Ada is feminine on 6 other pictures …`."""
    persona = case.facts.reference.persona
    etag = case.facts.reference.etag
    values = [each.values[field] for each in case.pictures if each.etag != etag and field in each.values]
    if not values:
        return None
    same, said = _consensus(values)
    many = f"{same} of {len(values)}" if same < len(values) else f"{same}"
    pictures = "picture" if len(values) == 1 else "pictures"
    return f"{persona} is labelled {said} on {many} other {pictures}, and {_spelled(shown)} here."


def _consensus(values: Sequence[Value]) -> tuple[int, str]:
    """How many say the same, and what."""
    ages = [value for value in values if isinstance(value, tuple)]
    if not ages:
        ((word, count),) = Counter(values).most_common(1)
        return count, _spelled(word)
    middle = median(sum(age) / 2 for age in ages)
    near = [age for age in ages if abs(sum(age) / 2 - middle) <= _SAME_AGE] or ages
    return len(near), _spelled((min(age[0] for age in near), max(age[1] for age in near)))


def _other_word(case: Case, label: Label, field: LabelField, name: str, other: Value) -> str:
    proposal = opinions_by_name(case.facts)[name].label
    says = f"{_SPEAKERS[label.source]} says {_spelled(value_in(label, field))}"
    says = f"{says}, {_SPEAKERS[proposal.source]} says {_spelled(other)}"
    known = case.labelers.get((field, name))
    if known is not None and known.words >= _MEASURED and field in _NAMES:
        says = f"{says}, and is right on {known.share:.0%} of {_NAMES[field]}"
    return f"{says[:1].upper()}{says[1:]}."


def _doubts(case: Case, label: Label) -> Iterator[Reason]:
    """A machine's label by its own word; how much that is worth has been counted in already."""
    unsure = {
        each: sure
        for each in (LabelField.GENDER, LabelField.AGE)
        if (sure := label.confidence.get(each, 1.0)) < UNSURE
        and (judged := case.judged.get(each)) is not None
        and judged.wrong >= _WORTH_A_DOUBT
    }
    before = first_label(case.facts)
    proposals = case.facts.proposals
    if unsure:
        parts = [f"{each.value.replace('_', ' ')} {value:.0%}" for each, value in unsure.items()]
        yield Reason(Why.LOW_CONFIDENCE, f"The labeler is unsure: {', '.join(parts)}.")
    elif proposals and before is proposals[0].label and proposals[0].problem is not None:
        yield Reason(Why.LOW_CONFIDENCE, proposals[0].label.notes or "The labeler could not label it.")


def _spelled(value: Value) -> str:
    """A value in words; an age that is one year is that year."""
    return str(value[0]) if isinstance(value, tuple) and value[0] == value[1] else spell(value)


def are_apart(one: Value, other: Value) -> bool:
    """Whether two values differ by more than rounding."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return max(one[0], other[0]) - min(one[1], other[1]) > _AGES_APART
    return one != other
