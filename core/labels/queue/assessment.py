"""The assessment: all portraits judged together, since what is known about one is evidence about others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from math import prod
from typing import Final

from core.labels.decisions.reviews import NO_DECISIONS, Decisions, reviewed_label, value_in
from core.labels.decisions.second_looks import COMPARED, disagreements_of, is_seen_once
from core.labels.evidence.judging import FieldJudgement, Judgement, judge
from core.labels.evidence.statements import PortraitStatements
from core.labels.published.label_file import LabelState
from core.labels.published.schema import Label, LabelField
from core.labels.queue.outlook import Outlook, outlook_of
from core.labels.queue.portrait_statements import first_label, is_reported, statements_about, undecided_label
from core.labels.queue.queue import PersonaPicture, PortraitFacts, QueueItem, ReviewState, Why
from core.labels.queue.reasons import Case, reasons_of
from core.references.key import fold
from core.references.reference import Reference

# How likely a portrait is counted as wrong of which nothing is known: it misleads nobody, and serves nobody.
WRONG_UNLABELLED: Final = 0.5
# How likely one is at least of which a person said so, and nobody has looked since; it may be of what is not judged.
WRONG_REPORTED: Final = 0.6
_NOTHING: Final[Mapping[LabelField, FieldJudgement]] = {}


class Assessment:
    """What is known about every portrait, by key, and the queue's items made of it; for one thread at a time.

    Judging is everybody's matter: one review tells something about its reviewer, its labelers, and the persona's
    other pictures. Items about which nothing has changed stay the same objects.
    """

    def __init__(self) -> None:
        self.facts: dict[str, PortraitFacts] = {}
        self._items: dict[str, QueueItem] = {}
        self._judgement = Judgement({}, {})
        self._is_judged = True
        self._keys: dict[str, list[str]] = {}  # by etag
        self._persona: dict[str, str] = {}  # as names are compared, by key; empty for none
        self._twins: dict[str, str] = {}  # keys by key: the first one that has the same bytes and persona
        self._statements: dict[str, tuple[PortraitFacts, PortraitStatements | None]] = {}  # by key
        self._pictures: dict[str, tuple[PortraitFacts, PersonaPicture]] = {}  # by key
        self._gathered: dict[str, tuple[PersonaPicture, ...]] = {}  # by persona
        self._cases: dict[str, Case] = {}

    @property
    def items(self) -> Mapping[str, QueueItem]:
        """Every portrait by key, judged when it is asked for after something new was said."""
        if not self._is_judged:
            self._judge()
            self._is_judged = True
        return self._items

    @property
    def outlook(self) -> Outlook:
        """How many labels are probably still wrong."""
        return outlook_of([self._cases[key] for key in self.items])

    def keep(self, found: Iterable[PortraitFacts]) -> None:
        """These are all portraits there are, in the order of their items."""
        before = self.facts
        self.facts, self._keys, self._twins, self._persona = {}, {}, {}, {}
        first: dict[tuple[str, str], str] = {}
        for facts in found:
            ref = facts.reference
            self.facts[ref.key] = before[ref.key] if before.get(ref.key) == facts else facts
            self._keys.setdefault(ref.etag, []).append(ref.key)
            self._persona[ref.key] = fold(ref.persona or "")
            self._twins[ref.key] = first.setdefault((ref.etag, self._persona[ref.key]), ref.key)
        self._statements = {key: known for key, known in self._statements.items() if key in self.facts}
        self._pictures = {key: known for key, known in self._pictures.items() if key in self.facts}
        self._is_judged = False

    def renew(self, etags: Collection[str], facts_of: Callable[[Reference], PortraitFacts]) -> None:
        """Something was said about these pictures."""
        for etag in etags:
            for key in self._keys.get(etag, ()):
                self.facts[key] = facts_of(self.facts[key].reference)
                self._is_judged = False

    def _judge(self) -> None:
        once = (key for key, twin in self._twins.items() if key == twin)
        self._judgement = judge([said for key in once if (said := self._statements_of(key)) is not None])
        personas = self._personas()
        cases, items = {}, {}
        for key, facts in self.facts.items():
            judged = self._judgement.fields.get(self._twins[key], _NOTHING)
            pictures = personas.get(self._persona[key], ())
            case, known = Case(facts, judged, pictures, self._judgement.labelers), self._cases.get(key)
            is_same = known is not None and known.facts is facts and known.pictures is pictures and known == case
            cases[key] = known if is_same and known is not None else case
            items[key] = self._items[key] if is_same else item_of(case)
        self._cases, self._items = cases, items

    def _statements_of(self, key: str) -> PortraitStatements | None:
        facts = self.facts[key]
        known = self._statements.get(key)
        if known is None or known[0] is not facts:
            known = self._statements[key] = (facts, statements_about(facts))
        return known[1]

    def _personas(self) -> dict[str, tuple[PersonaPicture, ...]]:
        """All pictures of each persona, the same object as before where nothing has changed."""
        gathered: dict[str, list[PersonaPicture]] = {}
        for key, facts in self.facts.items():
            drawn = self._pictures.get(key)
            if drawn is None or drawn[0] is not facts:
                drawn = self._pictures[key] = (facts, persona_picture(facts))
            gathered.setdefault(self._persona[key], []).append(drawn[1])
        gathered.pop("", None)
        before, found = self._gathered, {name: tuple(pictures) for name, pictures in gathered.items()}
        self._gathered = {name: known if (known := before.get(name)) == made else made for name, made in found.items()}
        return self._gathered


def persona_picture(facts: PortraitFacts) -> PersonaPicture:
    """A portrait as it is shown beside another one of its persona; to nobody what a second look should not know."""
    waits = is_seen_once(facts.reference.etag, facts.decisions)
    label = first_label(facts) if waits else reviewed_label(undecided_label(facts), facts.decisions)
    decides = NO_DECISIONS if waits else facts.decisions.deciding
    said = {field: value_in(label, field) for field in LabelField}
    return PersonaPicture(
        key=facts.reference.key,
        etag=facts.reference.etag,
        values={field: value for field, value in said.items() if value is not None},
        decided_by={change.field: made.reviewer for made in decides for change in made.event.changes},
        reviewed=any(made.event.whole for made in decides),
    )


def item_of(case: Case) -> QueueItem:
    """The portrait with the reasons to look at it; without any it needs no look."""
    facts = case.facts
    stands, decides = facts.decisions.standing, facts.decisions.deciding
    label = reviewed_label(undecided_label(facts), facts.decisions)
    seconds = Decisions(made for made in stands if made.event.second)
    reasons = reasons_of(case)
    fields = {field.value: case.judged[field].wrong for field in COMPARED if field in case.judged}
    return QueueItem(
        reference=facts.reference,
        state=_state(facts, label, decides, is_second=any(reason.why is Why.SECOND_LOOK for reason in reasons)),
        shown=label,
        reasons=reasons,
        proposals=facts.proposals,
        decided_by=tuple(dict.fromkeys(made.reviewer for made in decides)),
        second_by=tuple(dict.fromkeys(made.reviewer for made in seconds)),
        skipped_by=frozenset(made.reviewer for made in stands if made not in decides and not made.event.second),
        blind=first_label(facts),
        wrong=_wrong(
            fields.values(), at_least=WRONG_REPORTED if is_reported(facts) else 0.0 if label else WRONG_UNLABELLED
        ),
        fields=fields,
        persona_pictures=case.pictures,
    )


def _wrong(fields: Iterable[float], *, at_least: float) -> float:
    """How likely something of the label is wrong."""
    return round(max(1 - prod(1 - wrong for wrong in fields), at_least), 4)


def _state(facts: PortraitFacts, label: Label | None, decides: Decisions, *, is_second: bool) -> ReviewState:
    if any(made.event.whole for made in decides):
        is_open = any(each.third is None for each in disagreements_of(facts.decisions))
        return ReviewState.SECOND_LOOK if is_second else ReviewState.DISAGREEMENT if is_open else ReviewState.REVIEWED
    if facts.found.state is LabelState.STALE:
        return ReviewState.STALE
    return ReviewState.MISSING if label is None else ReviewState.OPEN
