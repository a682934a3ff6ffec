"""Second looks: what a label said before anybody reviewed it, what two people said apart, and where they differ.

A second look is blind: its reviewer is shown the label from before anybody's review. What was published since is in
the label file, whose history nobody keeps; what each reviewer saw is in the log, and that is where it is taken from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from core.labels.decisions.reviews import Decision, Decisions, Kind, Value, fields_of, value_in
from core.labels.published.schema import Label, LabelField, LabelSource, age_range_of

# Fields with a closed set of values; what people and machines write freely is not right or wrong by comparison.
SECOND_LOOK_SHARE: Final = 10  # one label in so many is looked at by two people
COMPARED: Final = (LabelField.AGE, LabelField.GENDER, LabelField.FRAMING, LabelField.TONE, LabelField.ANGLE)
_UNSURE: Final = "unsure"


def word_of(value: Value) -> str:
    """A value as it is compared: an age by the range that holds its middle."""
    if value is None:
        return _UNSURE
    return age_range_of(*value) if isinstance(value, tuple) else value


# ---- the label from before anybody's review


def first_seen(decisions: Decisions) -> dict[LabelField, Value]:
    """What each field said before anybody decided on it, as the log knows it; decisions that were undone count too."""
    seen: dict[LabelField, Value] = {}
    for made in decisions:
        if made.event.kind is not Kind.UNDO and not made.event.second:
            for change in made.event.changes:
                seen.setdefault(change.field, change.before)
    return seen


def label_before(published: Label | None, proposed: Sequence[Label], decisions: Decisions) -> Label | None:
    """The label as it was before anybody in the log reviewed it, whatever was published since.

    Values come from the log. Who said them, and how sure, comes from what says the same: the published label unless
    a reviewer stands in it, else the weightiest machine.
    """
    if not decisions:
        return published or next(iter(proposed), None)
    seen = first_seen(decisions)
    reviewers = {made.reviewer for made in decisions}
    own = published if published is not None and published.reviewer not in reviewers else None
    if decisions.original is not None:
        own = decisions.original.label
    same = (label for label in proposed if all(value_in(label, field) == value for field, value in seen.items()))
    base = own or next(same, None) or published or next(iter(proposed), None)
    if base is None:
        return None
    changed = {field: value for field, value in seen.items() if value_in(base, field) != value}
    is_reviewed = base.reviewer in reviewers
    if not changed and not is_reviewed:
        return base
    sure = {field: share for field, share in base.confidence.items() if field not in changed}
    said = {**base.model_dump(), **fields_of(changed), "confidence": sure}
    if is_reviewed:
        said |= {"source": LabelSource.NOMINAL, "reviewer": None, "time": None}
    before = Label(**said)
    return before if any(value_in(before, field) is not None for field in LabelField) else None


# ---- two looks at one portrait


class Publishing(NamedTuple):
    """When labels were last published, up to which save of the log, and whether that was the first time."""

    time: datetime
    number: int
    is_first: bool


@dataclass(frozen=True, slots=True)
class Word:
    """What one person said in one field, in which event and when, and the note they left with it."""

    value: Value
    reviewer: str
    time: datetime
    event: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class TwoLooks:
    """What people said of a portrait before its second look, and that look. What a third decided is in neither."""

    first: Decisions
    second: Decision

    @property
    def words(self) -> dict[LabelField, tuple[Word, Word]]:
        """The fields that both decided on, with either's word."""
        one = {field: word for made in self.first for field, word in _words(made).items()}
        other = _words(self.second)
        return {field: (one[field], other[field]) for field in LabelField if field in one and field in other}

    def was_blind(self, publishing: Publishing | None) -> bool:
        """Whether the second reviewer did not see the first one's word.

        The log says so of each look that is made now. Of an older one it says what was seen: where the first had
        changed nothing that tells, it was blind if nothing was published in between. What is not known is not blind.
        """
        if self.second.event.blind:
            return True
        before, after = first_seen(self.first), self.first.values
        for change in self.second.event.changes:
            field = change.field
            if field in after and before[field] != after[field] and change.before in (before[field], after[field]):
                return change.before == before[field]
        if publishing is None:
            return True
        if self.second.time <= publishing.time:
            return publishing.is_first
        return self.first[0].number > publishing.number


def two_looks(decisions: Decisions) -> TwoLooks | None:
    """Both looks at a portrait; None where there are no two that stand."""
    second = next((made for made in decisions.standing if made.event.second), None)
    if second is None:
        return None
    first = Decisions(made for made in decisions.deciding if not made.event.third and _is_before(made, second))
    return TwoLooks(first, second) if first else None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A field in which two looks differ, and what a third person decided about it, if one has by now."""

    field: LabelField
    first: Word
    second: Word
    third: Word | None = None

    def is_one_of_the_two(self, reviewer: str) -> bool:
        """Whether one of the two looks is this person's."""
        return reviewer in (self.first.reviewer, self.second.reviewer)


def disagreements_of(decisions: Decisions) -> tuple[Disagreement, ...]:
    """The fields in which two looks at a portrait differ, decided ones too; freely written words are not compared."""
    looks = two_looks(decisions)
    if looks is None:
        return ()
    thirds = {
        field: word
        for made in decisions.deciding
        if made.event.third and not _is_before(made, looks.second)
        for field, word in _words(made).items()
    }
    return tuple(
        Disagreement(field, one, other, thirds.get(field))
        for field, (one, other) in looks.words.items()
        if field in COMPARED and word_of(one.value) != word_of(other.value)
    )


def _words(made: Decision) -> Mapping[LabelField, Word]:
    changes = made.event.changes
    noted = (each.after for each in changes if each.field is LabelField.NOTES and each.after != each.before)
    note = next((after for after in noted if isinstance(after, str)), None)
    return {change.field: Word(change.after, made.reviewer, made.time, made.event.id, note) for change in changes}


def _is_before(one: Decision, other: Decision) -> bool:
    return (one.number, one.at) < (other.number, other.at)


def is_doubly_reviewed(etag: str) -> bool:
    """Whether these bytes belong to the tenth that two people look at; the same on every server, for ever."""
    digest = hashlib.blake2b(etag.encode(), digest_size=8, person=b"second look").digest()
    return int.from_bytes(digest) % SECOND_LOOK_SHARE == 0


def is_seen_once(etag: str, decisions: Decisions) -> bool:
    """Whether a label of the doubly reviewed tenth was reviewed, and waits for its second look."""
    return (
        is_doubly_reviewed(etag)
        and any(made.event.whole for made in decisions.deciding)
        and not any(made.event.second for made in decisions.standing)
    )
