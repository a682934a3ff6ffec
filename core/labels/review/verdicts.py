"""Verdicts: what a person decides about a portrait as the page hands it over, how two collide, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.errors import WriteConflict
from core.labels.decisions.reviews import Event, FieldChange, Kind, Original, Reviews, Value, spell, value_in
from core.labels.decisions.second_looks import first_seen, is_seen_once
from core.labels.published.schema import Label, LabelField
from core.labels.queue.queue import QueueItem

UNDO_PREFIX: Final = "undo-"
ID_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person decided about one portrait.

    `id` is made where it was decided and never used again: a verdict that is sent twice counts once. `seen` is what
    was on the screen in the fields that are decided on; for an accept, in every field that is accepted. `values`
    are the new values of a correction. `whole` says that the whole label was judged, which ends its time in the queue;
    an edit of one field of many pictures does not.
    """

    id: str
    kind: Kind
    key: str
    etag: str
    seen: Mapping[LabelField, Value]
    values: Mapping[LabelField, Value]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """A field that somebody else decided differently while one was looking."""

    key: str
    etag: str
    field: LabelField
    value: Value
    reviewer: str
    time: datetime


class ReviewConflict(WriteConflict):
    """Somebody else decided otherwise in between; `conflicts` says in which fields, and nothing was saved."""

    def __init__(self, conflicts: Sequence[FieldConflict]) -> None:
        first = conflicts[0]
        more = f" and {len(conflicts) - 1} more" if len(conflicts) > 1 else ""
        super().__init__(
            "{} has just set the {} of {} to {}{}: nothing was saved, look again.",
            first.reviewer,
            first.field.value.replace("_", " "),
            first.key.rsplit("/", 1)[-1],
            spell(first.value),
            more,
            key=first.key,
        )
        self.conflicts = tuple(conflicts)


def accept(item: QueueItem, *, id: str) -> Verdict:
    """The verdict that everything shown is right."""
    seen = {field: value_in(item.shown, field) for field in LabelField}
    return Verdict(id, Kind.ACCEPT, item.reference.key, item.reference.etag, seen, {})


def press_of(event: Event) -> str:
    """The name of the press that made an event: its own id, or how those of an edit of many pictures begin."""
    return event.id if event.whole else event.id.removesuffix(f"-{event.etag}")


def new_verdicts(verdicts: Sequence[Verdict], reviews: Reviews) -> list[Verdict]:
    """The verdicts that are not in the log yet, each once."""
    new: dict[str, Verdict] = {}
    for verdict in verdicts:
        if all(made.event.id != verdict.id for made in reviews.of_picture(verdict.etag)):
            new.setdefault(verdict.id, verdict)
    return list(new.values())


def awaits_second_look(etag: str, reviewer: str, reviews: Reviews) -> bool:
    """Whether a label of the doubly reviewed tenth was reviewed by others alone, and still by one person only."""
    decisions = reviews.of_picture(etag)
    return is_seen_once(etag, decisions) and all(made.reviewer != reviewer for made in decisions.deciding)


def is_second(verdict: Verdict, reviewer: str, reviews: Reviews) -> bool:
    """Whether this is the second opinion on a label of the doubly reviewed tenth."""
    return verdict.kind is not Kind.SKIP and verdict.whole and awaits_second_look(verdict.etag, reviewer, reviews)


def is_blind(verdict: Verdict, reviews: Reviews) -> bool:
    """Whether what was seen is what the label said before anybody decided, in every field that somebody did."""
    before = first_seen(reviews.of_picture(verdict.etag))
    return all(value == before[field] for field, value in verdict.seen.items() if field in before)


def conflicts_of(verdict: Verdict, reviewer: str, reviews: Reviews) -> list[FieldConflict]:
    """The fields somebody else decided otherwise than this person saw, unless both say the same now."""
    if verdict.kind is Kind.SKIP or is_second(verdict, reviewer, reviews):
        return []
    current: dict[LabelField, tuple[Value, str, datetime]] = {
        change.field: (change.after, made.reviewer, made.time)
        for made in reviews.of_picture(verdict.etag).deciding
        for change in made.event.changes
    }
    wanted = {**verdict.seen, **verdict.values}
    return [
        FieldConflict(verdict.key, verdict.etag, field, *current[field])
        for field, value in wanted.items()
        if field in current and current[field][0] not in (verdict.seen.get(field), value)
    ]


def event_of(
    verdict: Verdict, reviewer: str, reviews: Reviews, *, machine: Label | None, published: Label | None
) -> Event:
    """The event that keeps a verdict, with what a machine had said and, if it is the first, what was published."""
    fields = {} if verdict.kind is Kind.SKIP else {**verdict.seen, **verdict.values}
    changes = tuple(
        FieldChange(
            field=field,
            before=verdict.seen.get(field),
            after=value,
            seen=value_in(machine, field),
            seen_from=machine.source if machine else None,
        )
        for field, value in fields.items()
        if value is not None or field in verdict.values
    )
    second = is_second(verdict, reviewer, reviews)
    return Event(
        id=verdict.id,
        kind=verdict.kind,
        key=verdict.key,
        etag=verdict.etag,
        changes=changes,
        second=second,
        blind=second and is_blind(verdict, reviews),
        whole=verdict.whole,
        original=None if reviews.of_picture(verdict.etag) else Original(label=published),
    )


def undo_of(event: Event, reviews: Reviews) -> Event | None:
    """The event that takes this one back; None where it is taken back already."""
    decisions = reviews.of_picture(event.etag)
    if all(made.event.id != event.id for made in decisions.in_force):
        return None
    times = sum(made.event.undoes == event.id for made in decisions)
    changes = tuple(
        FieldChange(field=each.field, before=each.after, after=each.before, seen=each.seen, seen_from=each.seen_from)
        for each in event.changes
    )
    return Event(
        id=f"{UNDO_PREFIX}{times + 1}-{event.id}",
        kind=Kind.UNDO,
        key=event.key,
        etag=event.etag,
        changes=changes,
        undoes=event.id,
        second=event.second,
    )
