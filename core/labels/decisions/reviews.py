"""Reviews: what people decided about portraits, field by field, and what all decisions together come to.

A label's value is what the last standing decision says, in the order of the review log; an undone decision does
not stand, and neither does an undo that was itself undone. Decisions are a set: joining two sets of them in any
order, any number of times, comes to the same and loses none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.labels.published.schema import FRAMINGS, Gender, Label, LabelField, LabelSource, Years, age_range_of
from core.unicode import UNREAD, is_whole

# Both years of an age, a word for every other field, None for unsure or nothing.
Value = tuple[Years, Years] | Annotated[str, Field(min_length=1)] | None
VALUE_CHARS_MAX: Final = 500  # what people may decide on; published labels may be longer


class Kind(StrEnum):
    """What a person did with a label."""

    ACCEPT = "accept"
    CORRECT = "correct"
    SKIP = "skip"
    UNDO = "undo"


class FieldChange(BaseModel):
    """One field: what it was, what it is now, and what a machine had said when it was decided."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    field: LabelField
    before: Value = None
    after: Value = None
    seen: Value = None
    seen_from: LabelSource | None = None

    @model_validator(mode="after")
    def _check_value(self) -> Self:
        check_value(self.field, self.after)
        return self


class Original(BaseModel):
    """What the published file said of a picture before anybody decided about it; None where it said nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    label: Label | None = None


class Event(BaseModel):
    """One decision about one picture. `id` comes from whoever decided: what arrives twice counts once.

    `whole` says that the whole label was judged, and not only the fields that changed. A `second` look is an opinion
    of somebody who was not shown the first one's; it changes no value. It is `blind` where that was made sure of when
    it was saved. A `third` decides between two looks that differ. A picture's first event keeps its `original`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1)
    kind: Kind
    key: str = Field(min_length=1)
    etag: str = Field(min_length=1)
    changes: tuple[FieldChange, ...] = ()
    undoes: str | None = None
    second: bool = False
    blind: bool = False
    third: bool = False
    whole: bool = True
    original: Original | None = None


class Save(BaseModel):
    """What one person decided and saved together; `number` is its place in the review log."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int = Field(ge=1)
    reviewer: str
    time: datetime
    events: tuple[Event, ...]


class Decision(NamedTuple):
    """An event with its place in the log, who decided, and when."""

    number: int
    at: int
    reviewer: str
    time: datetime
    event: Event


class Decisions(tuple[Decision, ...]):
    """Decisions about one picture in their order, undone ones too."""

    __slots__ = ()

    @property
    def in_force(self) -> Decisions:
        """Those that were not undone, and the undos that were not, in their order."""
        if all(made.event.kind is not Kind.UNDO for made in self):
            return self
        undone: set[str] = set()
        kept = []
        for made in reversed(self):  # an undo comes after what it undoes
            if made.event.id not in undone:
                kept.append(made)
                if made.event.kind is Kind.UNDO:
                    undone.add(made.event.undoes or "")
        return Decisions(reversed(kept))

    @property
    def standing(self) -> Decisions:
        """Those that stand, undos left out, in their order."""
        if not self:
            return self
        return Decisions(made for made in self.in_force if made.event.kind is not Kind.UNDO)

    @property
    def deciding(self) -> Decisions:
        """The standing ones that say something about the label: no skips, no second looks."""
        if not self:
            return self
        return Decisions(made for made in self.standing if made.event.kind is not Kind.SKIP and not made.event.second)

    @property
    def values(self) -> dict[LabelField, Value]:
        """The fields people have decided on, with their values."""
        return {change.field: change.after for made in self.deciding for change in made.event.changes}

    @property
    def original(self) -> Original | None:
        """What was published before the first of them; None where that was not kept yet."""
        return next((made.event.original for made in self if made.event.original is not None), None)

    def join(self, other: Iterable[Decision]) -> Decisions:
        """Both, each event once at its first place in the log, in the log's order."""
        by_id: dict[str, Decision] = {}
        for made in sorted((*self, *other), key=lambda made: (made.number, made.at)):
            by_id.setdefault(made.event.id, made)
        return Decisions(by_id.values())


NO_DECISIONS: Final = Decisions()


class Reviews:
    """A set of decisions, by picture; never changed once made."""

    def __init__(self, by_etag: Mapping[str, Decisions] | None = None) -> None:
        self._by_etag = dict(by_etag or {})

    @classmethod
    def of(cls, saves: Iterable[Save]) -> Reviews:
        """The decisions of some saves, in any order."""
        gathered: dict[str, list[Decision]] = {}
        for save in saves:
            for at, event in enumerate(save.events):
                made = Decision(save.number, at, save.reviewer, save.time, event)
                gathered.setdefault(event.etag, []).append(made)
        return cls({etag: NO_DECISIONS.join(made) for etag, made in gathered.items()})

    def __or__(self, other: Reviews) -> Reviews:
        joined = dict(self._by_etag)
        for etag, decisions in other._by_etag.items():
            joined[etag] = joined.get(etag, NO_DECISIONS).join(decisions)
        return Reviews(joined)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reviews) and self._by_etag == other._by_etag

    __hash__ = None  # type: ignore[assignment]  # sets of decisions are compared, not kept in sets

    def __iter__(self) -> Iterator[Decision]:
        return (made for decisions in self._by_etag.values() for made in decisions)

    @property
    def etags(self) -> Iterable[str]:
        """Every picture that somebody has decided something about."""
        return self._by_etag.keys()

    def of_picture(self, etag: str) -> Decisions:
        """All decisions about a picture, undone ones too; the same object until there is another."""
        return self._by_etag.get(etag, NO_DECISIONS)


def reviewed_label(base: Label | None, decisions: Decisions) -> Label | None:
    """The label with people's decisions on top of what was said before; `base` where nobody decided.

    What machines said in the other fields stays, with its confidence. Of decisions that were published in `base` and
    undone since nothing is left.
    """
    if not decisions:
        return base
    before = unreviewed_label(base, decisions)
    return overlaid(None if before is not base and was_unpublished(before, decisions) else before, decisions) or before


def unreviewed_label(base: Label | None, decisions: Decisions) -> Label | None:
    """The label from before all of these decisions, although they were published; `base` where none of them was.

    What somebody has changed in the file by hand since stays.
    """
    if base is None or all((made.reviewer, made.time) != (base.reviewer, base.time) for made in decisions):
        return base
    first: dict[LabelField, FieldChange] = {}
    said: dict[LabelField, set[Value]] = {}
    for made in decisions:
        if made.event.kind is not Kind.UNDO and not made.event.second:
            for change in made.event.changes:
                first.setdefault(change.field, change)
                if change.before != change.after:  # else it was there before, whoever wrote it
                    said.setdefault(change.field, set()).add(change.after)
    original = decisions.original.label if decisions.original else None
    values = values_of(base)
    values |= {
        field: value_in(original, field) if original else first[field].before
        for field in first
        if values[field] in said.get(field, ())
    }
    if original is not None and values == values_of(original):
        return original.model_copy(update={"key": base.key, "etag": base.etag})
    kept = base.model_dump() | fields_of(values)
    is_as_shown = all(value == (first[field].before if field in first else None) for field, value in values.items())
    if decisions.original and original is None and is_as_shown:
        source = next((change.seen_from for change in first.values()), None)
        kept |= {"source": source or LabelSource.NOMINAL, "reviewer": None, "time": None}
    return Label(**kept)


def was_unpublished(before: Label | None, decisions: Decisions) -> bool:
    """Whether a label that is as before all reviews is a machine's word, and the file said nothing."""
    original = decisions.original
    return before is None or (
        original is not None and original.label is None and before.source is not LabelSource.HUMAN
    )


def overlaid(base: Label | None, decisions: Decisions) -> Label | None:
    """The label with what these decisions say on top, whatever they were made of."""
    made = decisions.deciding
    if not made:
        return base
    last = made[-1]
    values = made.values
    kept = base.model_dump() if base is not None else {}
    confidence = {field: sure for field, sure in kept.get("confidence", {}).items() if field not in values}
    fields = {**kept, **fields_of(values), "confidence": confidence}
    fields |= {"etag": last.event.etag, "source": LabelSource.HUMAN, "reviewer": last.reviewer, "time": last.time}
    fields["key"] = base.key if base is not None else last.event.key
    return Label(**fields)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One change of one field. `undone` changes no longer hold; `second` ones never did."""

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
    third: bool


def history_of(decisions: Decisions) -> list[HistoryLine]:
    """Every change of a picture's fields, newest first."""
    stands = {made.event.id for made in decisions.standing}
    lines = [
        HistoryLine(
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
            third=made.event.third,
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
            stands = {made.event.id for made in reviews.of_picture(event.etag).standing}
            if event.kind is not Kind.UNDO and event.id in stands:
                found.append(event)
                if len(found) == limit:
                    return found[::-1]
    return found[::-1]


def value_in(label: Label | None, field: LabelField) -> Value:
    """What a label says in a field."""
    if label is None:
        return None
    if field is LabelField.AGE:
        return label.ages
    said = getattr(label, field.value)
    return said.value if isinstance(said, Gender) else said


def fields_of(values: Mapping[LabelField, Value]) -> dict[str, object]:
    """Values under the names that a label has for them."""
    fields: dict[str, object] = {}
    for field, value in values.items():
        if field is not LabelField.AGE:
            fields[field.value] = value
        elif isinstance(value, tuple):
            fields |= {"age_low": value[0], "age_high": value[1], "age_range": age_range_of(*value)}
        else:
            fields |= {"age_low": None, "age_high": None, "age_range": None}
    return fields


def values_of(label: Label | None) -> dict[LabelField, Value]:
    """What a label says in every field."""
    return {field: value_in(label, field) for field in LabelField}


def spell(value: Value) -> str:
    """A value in words, as sentences about it say it."""
    return f"{value[0]}–{value[1]}" if isinstance(value, tuple) else value or "unsure"


def check_value(field: LabelField, value: Value) -> None:
    """Raise ValueError with a plain sentence unless the field can have this value."""
    if value is None:
        return
    if field is LabelField.AGE:
        if not isinstance(value, tuple) or value[0] > value[1]:
            raise ValueError("an age is two years, the lower one first")
    elif not isinstance(value, str) or not value.strip():
        raise ValueError(f"{field.value} is a word or nothing")
    elif len(value) > VALUE_CHARS_MAX:
        raise ValueError(f"{field.value} has {len(value):,} characters and at most {VALUE_CHARS_MAX} can be kept")
    elif UNREAD in value or not is_whole(value):
        raise ValueError(f"{field.value} holds a character that cannot be read: type it again")
    elif field is LabelField.GENDER and value not in tuple(Gender):
        raise ValueError(f"gender presentation is {' or '.join(Gender)}, or nothing")
    elif field is LabelField.FRAMING and value not in FRAMINGS:
        raise ValueError(f"framing is one of {', '.join(FRAMINGS)}, or nothing")
