"""Review history: what became of a label, change by change, and what a person can still take back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.labels.published.schema import LabelField, LabelSource
from core.labels.review.reviews import Event, Kind, Picture, Reviews, Save, Value, standing


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One change of one field. `undone` changes no longer hold; `second` ones never did."""

    event: str
    time: datetime
    reviewer: str
    kind: Kind
    field: LabelField
    before: Value
    after: Value
    seen: Value
    seen_from: LabelSource | None
    undone: bool
    second: bool


def history_of(decisions: Picture) -> list[HistoryLine]:
    """Every change of a picture's fields, newest first."""
    stands = {made.event.id for made in standing(decisions)}
    lines = [
        HistoryLine(
            event=made.event.id,
            time=made.time,
            reviewer=made.reviewer,
            kind=made.event.kind,
            field=change.field,
            before=change.before,
            after=change.after,
            seen=change.seen,
            seen_from=change.seen_from,
            undone=made.event.kind is not Kind.UNDO and made.event.id not in stands,
            second=made.event.second,
        )
        for made in decisions
        for change in made.event.changes
    ]
    return lines[::-1]


def undoable_of(saves: Sequence[Save], reviews: Reviews, reviewer: str, *, limit: int) -> list[Event]:
    """A person's newest decisions that stand, at most so many, the newest last."""
    found: list[Event] = []
    for save in reversed(saves):
        if save.reviewer != reviewer:
            continue
        for event in reversed(save.events):
            stands = {made.event.id for made in standing(reviews.of_picture(event.etag))}
            if event.kind is not Kind.UNDO and event.id in stands:
                found.append(event)
                if len(found) == limit:
                    return found[::-1]
    return found[::-1]
