"""The outlook: how many labels are probably still wrong, and whether the random tenth bears that out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from core.labels.decisions.reviews import value_in
from core.labels.decisions.second_looks import is_doubly_reviewed
from core.labels.evidence.remaining import Check, Foretold, Remaining, check_of, remaining_of
from core.labels.published.schema import LabelSource
from core.labels.queue.portrait_statements import first_label, judged_label
from core.labels.queue.reasons import Case, are_apart


@dataclass(frozen=True, slots=True)
class Outlook:
    """The estimate, and what people found in the tenth that two of them look at, which nobody chose."""

    remaining: Remaining
    tenth: Check


def outlook_of(cases: Iterable[Case]) -> Outlook:
    """The outlook over all portraits that have a label, each picture's bytes once."""
    waiting: list[float] = []
    judged: list[float] = []
    found: list[Foretold] = []
    tenth: list[Foretold] = []
    for case in {each.facts.reference.etag: each for each in cases}.values():
        label = judged_label(case.facts)
        if label is None or not case.judged:
            continue
        wrong = 1 - prod(1 - each.wrong for each in case.judged.values())
        if not any(made.event.whole for made in case.facts.decisions.deciding):
            (judged if label.source is LabelSource.HUMAN else waiting).append(wrong)
            continue
        judged.append(wrong)
        foretold = _foretold(case)
        if foretold is not None:
            found.append(foretold)
            if is_doubly_reviewed(case.facts.reference.etag):
                tenth.append(foretold)
    return Outlook(remaining_of(waiting, judged, found), check_of(tenth))


def _foretold(case: Case) -> Foretold | None:
    """What was to be expected of the label before people spoke, and what they say; None where nothing was said."""
    before, now = first_label(case.facts), case.facts.decisions.values
    judged = {field: each for field, each in case.judged.items() if each.before is not None and field in now}
    if not judged:
        return None
    return Foretold(
        wrong=1 - prod(1 - (each.before or 0.0) for each in judged.values()),
        is_changed=any(are_apart(value_in(before, field), now[field]) for field in judged),
        was_wrong=1 - prod(1 - (each.was_wrong or 0.0) for each in judged.values()),
    )
