"""Label updates: what a publication makes of one portrait's label, who said so, and what of it is unusual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.labels.decisions.reviews import Decision, Decisions, Kind, Value, value_in, values_of
from core.labels.published.schema import Label, LabelField, age_range_of

_UNJUDGED: Final = LabelField.NOTES  # sentences of people: each is new


@dataclass(frozen=True, slots=True)
class Correction:
    """A field that will say something else, and who said so; nobody is known for what was changed by hand.

    `is_over_hand` says that what it replaces is neither what a review said nor what a reviewer was shown: somebody
    wrote it into the file.
    """

    field: LabelField
    before: Value
    after: Value
    reviewer: str = ""
    time: datetime | None = None
    is_over_hand: bool = False


@dataclass(frozen=True, slots=True)
class UnseenValue:
    """A value that no published label has in its field; an age is as its range."""

    field: LabelField
    value: str


@dataclass(frozen=True, slots=True)
class LabelUpdate:
    """One portrait's line before and after; no line is None. Without corrections people found right what was there.

    The values of a new line are compared with what its reviewer was shown, which a machine had said.
    """

    key: str
    etag: str
    group: str
    before: Label | None
    after: Label | None
    corrections: tuple[Correction, ...]
    unseen: tuple[UnseenValue, ...]
    reviewers: tuple[str, ...]
    time: datetime | None

    @property
    def weight(self) -> int:
        """How closely to look at it."""
        return 2 * bool(self.unseen) + any(each.is_over_hand for each in self.corrections)


class PublishedValues:
    """The values that published labels have, by field."""

    def __init__(self, labels: Iterable[Label]) -> None:
        self._known = {field: set[str | None]() for field in LabelField}
        for label in labels:
            for field, known in self._known.items():
                known.add(_word(value_in(label, field)))

    def unseen_in(self, before: Mapping[LabelField, Value], after: Mapping[LabelField, Value]) -> Iterable[UnseenValue]:
        """Those that an update brings into the file for the first time."""
        for field, value in after.items():
            word = _word(value) if before[field] != value and field is not _UNJUDGED else None
            if word is not None and word not in self._known[field]:
                yield UnseenValue(field, word)


def update_of(
    key: str, group: str, before: Label | None, after: Label | None, decisions: Decisions, published: PublishedValues
) -> LabelUpdate:
    """What becomes of a label by these decisions about its picture."""
    first: dict[LabelField, Value] = {}
    said: dict[LabelField, set[Value]] = {}
    for made in decisions:
        for change in made.event.changes:
            first.setdefault(change.field, change.before)
            said.setdefault(change.field, set()).update((change.before, change.after))
    old, new = values_of(before), values_of(after)
    corrections = []
    for field, now in new.items():
        was = first.get(field) if before is None else old[field]
        if was != now:
            author = _author(decisions, field)
            is_over_hand = before is not None and was not in said.get(field, {was})
            corrections.append(
                Correction(field, was, now, author.reviewer, author.time, is_over_hand)
                if author
                else Correction(field, was, now)
            )
    times = [each.time for each in (*corrections, after) if each is not None and each.time is not None]
    said_by = [each.reviewer for each in corrections] or [after.reviewer or "" if after is not None else ""]
    return LabelUpdate(
        key=key,
        etag=after.etag if after is not None else before.etag if before is not None else "",
        group=group,
        before=before,
        after=after,
        corrections=tuple(corrections),
        unseen=tuple(published.unseen_in(old, new)),
        reviewers=tuple(dict.fromkeys(filter(None, said_by))),
        time=max(times, default=None),
    )


def _author(decisions: Decisions, field: LabelField) -> Decision | None:
    """Who changed the field last; where nobody did, who found it right last."""
    on_field = [
        (made, change)
        for made in decisions.in_force
        if made.event.kind is not Kind.SKIP and not made.event.second
        for change in made.event.changes
        if change.field is field
    ]
    changed = [made for made, change in on_field if change.before != change.after]
    return changed[-1] if changed else on_field[-1][0] if on_field else None


def _word(value: Value) -> str | None:
    return age_range_of(*value) if isinstance(value, tuple) else value
