"""Variations: a past comparison made again with something changed, and everything else exactly as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from core.errors import InputError
from core.generation.records.comparison import Comparison, RenderSettings, SideRecord, Size
from core.generation.records.judging import sent_sides
from core.injection.plan import Injection, SidePlan, settle_in
from core.injection.reading.reader import Reading
from core.injection.request.fairness import judge
from core.injection.request.prompt import as_text, assemble
from core.injection.request.slots import Slot
from core.injection.request.wishes import Mode, SideName, Varies, Wishes
from core.references.index import ReferenceIndex
from core.references.vocabulary import Role, Vocabulary

Plan = Callable[[Wishes, Reading, tuple[str, ...]], Injection]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be different; None leaves it as it was.

    `side` makes that side only, with as many takes. `redraw_missing` draws others in the place of references that have
    left S3.
    """

    tone: str | None = None
    angle: str | None = None
    size: Size | None = None
    side: SideName | None = None
    redraw_missing: bool = False


class SlotChange(StrEnum):
    """What becomes of a slot of the record."""

    KEPT = "kept"
    NEW = "new"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Place:
    """One slot of one side, then and now; None where there was or will be no such slot.

    `then_is_gone` says that the recorded picture has left S3 or changed, whatever goes in now.
    """

    side: SideName
    role: Role
    then: Slot | None
    now: Slot | None
    change: SlotChange
    then_is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Variation:
    """What would be sent, beside what was. `says` is what changes, a line each; `render_b` as an order has it."""

    made_from: str
    recent: tuple[str, ...]
    injection: Injection
    sides: tuple[SideRecord, ...]
    render: RenderSettings
    says: tuple[str, ...]
    places: tuple[Place, ...]
    render_b: RenderSettings | None = None
    takes: int = 1

    @property
    def missing(self) -> tuple[Slot, ...]:
        """Recorded slots that were to be kept and whose picture has left S3 or changed, each key once."""
        lost = (place.then for place in self.places if place.then and place.change is SlotChange.MISSING)
        return tuple({slot.key: slot for slot in lost}.values())

    def check(self) -> None:
        """Raise InputError if nothing is different, or if something that was to be kept is missing."""
        check_there(self.missing)
        if not self.says:
            raise InputError("Nothing is different yet: pick another tone, angle, size or a single side.")


def variation(
    comparison: Comparison, changes: Changes, *, plan: Plan, index: ReferenceIndex, vocabulary: Vocabulary
) -> Variation:
    """Work out what would go in, and write nothing.

    A side that no change touches is sent as recorded, to the letter. In the others only the slots that the change bears
    on are drawn anew: the tone reference and the people for another tone, the angle reference and the people of that
    side for another angle, and of both sides where these are balanced. A recorded reference that is missing stays in
    its slot, and `Variation.check` refuses it, unless it is to be redrawn.

    Raises InputError for changes this record cannot take, InjectionError when the model folder has left S3.
    """
    _check(comparison, changes)
    work = _Work(comparison, changes, index)
    wishes, reading = work.wishes(work.records, work.asked), comparison.reading
    if any(work.is_planned(record) for record in work.records):
        # Planned with the side that is not made, too: people are drawn to match across the sides.
        injection = plan(work.wishes(comparison.sides, comparison.wishes), reading, comparison.recent)
    else:
        injection = Injection(wishes, reading, settle_in(index, wishes, reading), "", (), None)
    made = tuple(_side(work, record, injection, vocabulary) for record in work.records)
    sides = tuple(map(work.as_ordered, made))
    plans = tuple(SidePlan(side.side, side.slots) for side in sides)
    render = work.render_of(work.records[0])
    angle = injection.settled.angle.value if injection.settled.angle else None
    sent = sent_sides(sides, wishes, angle, render, vocabulary)
    fairness = judge(sent[0], sent[1], wishes.varies) if len(sent) == 2 else None
    return Variation(
        made_from=comparison.id,
        recent=comparison.recent,
        injection=replace(injection, wishes=wishes, sides=plans, fairness=fairness, sent=sent),
        sides=sides,
        render=render,
        says=tuple(_says(work, vocabulary)),
        places=tuple(
            place for record, side in zip(work.records, sides, strict=True) for place in _places(record, side, index)
        ),
        render_b=sides[-1].render,
        takes=comparison.takes,
    )


def lost_slots(sides: Iterable[SideRecord], index: ReferenceIndex) -> tuple[Slot, ...]:
    """The slots whose picture has left S3 or changed since, each key once."""
    lost = {slot.key: slot for side in sides for slot in side.slots if not _is_there(slot, index)}
    return tuple(lost.values())


def check_there(missing: Iterable[Slot]) -> None:
    """Raise InputError naming the references that have left S3 or changed."""
    keys = [f"`{slot.key}`" for slot in missing]
    if keys:
        verb = "is" if len(keys) == 1 else "are"
        raise InputError(
            "{} {} no longer in S3 as recorded, and nothing else goes in unasked: "
            "have others drawn instead, or open it in Generate.",
            ", ".join(keys),
            verb,
        )


class _Work:
    """A record and its changes, and what follows from them for each slot."""

    def __init__(self, comparison: Comparison, changes: Changes, index: ReferenceIndex) -> None:
        self.comparison, self.changes = comparison, changes
        self.tone = changes.tone if changes.tone != comparison.tone else None
        self.angle = changes.angle if changes.angle != comparison.angle else None
        self.size = changes.size or comparison.size
        self.records = tuple(side for side in comparison.sides if changes.side in (None, side.side))
        asks = self.angle or comparison.angle
        kinds = {SideName.A: SideName.TONE_ANGLE if asks else SideName.TONE_ONLY}
        kinds[SideName.B] = kinds[SideName.A]
        self.single = kinds.get(changes.side, changes.side) if changes.side else None  # what the one side is called
        lost = lost_slots(self.records, index) if changes.redraw_missing else ()
        self.redrawn = frozenset(slot.key for slot in lost)

    def keeps(self, record: SideRecord, role: Role) -> bool:
        """Whether this side's slots of a role stay as recorded."""
        if any(slot.key in self.redrawn for slot in record.slots if slot.key and slot.role is role):
            return False
        if role is Role.TONE:
            return self.tone is None
        turns = record.side is not SideName.TONE_ONLY or (role is Role.MODEL and self.comparison.wishes.is_balanced)
        moved = self.angle is not None and turns
        return not moved and (role is Role.ANGLE or self.tone is None)

    def is_planned(self, record: SideRecord) -> bool:
        """Whether anything of this side is drawn anew."""
        return not all(self.keeps(record, role) for role in Role)

    def wishes(self, records: Iterable[SideRecord], recorded: Wishes) -> Wishes:
        """The recorded wishes with the changes in them; what stays in these sides is held, or pinned if it was.

        So are the people of a balanced pair: drawn anew for another angle, they are drawn around whom it has shown.
        """
        settled_tone, is_balanced = self.comparison.tone, self.comparison.wishes.is_balanced
        chance = recorded.tone_by_chance and recorded.tone is None and self.comparison.reading.tone is None
        kept = {
            slot.id: slot.key
            for record in records
            for slot in record.slots
            if slot.key and (self.keeps(record, slot.role) or (slot.role is Role.MODEL and is_balanced))
        }
        return replace(
            recorded,
            tone=self.tone or (settled_tone if chance else recorded.tone),
            tone_by_chance=False,
            angle=self.angle or recorded.angle,
            pins={slot_id: key for slot_id, key in recorded.pins.items() if kept.get(slot_id) == key},
            held=kept,
            rerolls={},
        )

    @property
    def asked(self) -> Wishes:
        """What was wished; of the one side that is made, for alone it is no pair of which anything could vary."""
        recorded, side = self.comparison.wishes, self.records[0].side
        if self.single is None:
            return recorded
        in_words = side is SideName.B and recorded.varies is Varies.TONE_WAY
        return replace(
            recorded,
            mode=Mode(self.single.value),
            varies=Varies.ANGLE,
            strengths=recorded.strengths_on(side),
            strengths_b={},
            off=recorded.off | {Role.TONE.value} if in_words else recorded.off,
        )

    def as_ordered(self, side: SideRecord) -> SideRecord:
        """A side as it goes into the new record: in the new size, and under its own name where it is the only one."""
        if self.single is not None:
            return side.model_copy(update={"side": self.single, "render": None})
        return side.model_copy(update={"render": self.render_of(side)}) if side.render else side

    def render_of(self, side: SideRecord) -> RenderSettings:
        """How a side is made, in the new size."""
        return (side.render or self.comparison.render).model_copy(update={"size": self.size})


def _check(comparison: Comparison, changes: Changes) -> None:
    if comparison.legacy is not None:
        raise InputError("An imported record does not say how it was planned: open it in Generate to make it again.")
    sides = [record.side for record in comparison.sides]
    if changes.side is not None and changes.side not in sides:
        raise InputError("This comparison has no side “{}”: choose {}.", changes.side.heading, sides[0].heading)
    if changes.angle is not None and {*([changes.side] if changes.side else sides)} == {SideName.TONE_ONLY}:
        raise InputError("A tone-only side sends no angle: leave the angle as it was, or make the other side.")


def _side(work: _Work, record: SideRecord, injection: Injection, vocabulary: Vocabulary) -> SideRecord:
    """One side as recorded, or with the slots that a change bears on taken from the plan."""
    if not work.is_planned(record):
        return record
    planned = injection.side(record.side).slots
    slots = tuple(
        slot
        for role in (Role.TONE, Role.ANGLE, Role.MODEL)
        for slot in (record.slots if work.keeps(record, role) else planned)
        if slot.role is role
    )
    sections = assemble(injection.wishes, injection.settled, slots, record.side, vocabulary)
    return record.model_copy(update={"slots": slots, "sections": sections, "prompt": as_text(sections)})


def _says(work: _Work, vocabulary: Vocabulary) -> Iterator[str]:
    was, changes, reading = work.comparison, work.changes, work.comparison.reading
    if work.tone is not None:
        yield f"Tone: {vocabulary.tone(was.tone).name if was.tone else 'none'} → {vocabulary.tone(work.tone).name}"
    if work.angle is not None:
        named = vocabulary.angle(was.angle).name if was.angle else "none"
        yield f"Angle: {named} → {vocabulary.angle(work.angle).name}"
    for meant, now, name in ((reading.tone, work.tone, vocabulary.tone), (reading.angle, work.angle, vocabulary.angle)):
        if meant is not None and now is not None and meant != now:
            yield f"The prompt stays as typed, and still speaks of {name(meant).name.lower()}"
    if work.size != was.size:
        yield f"Size: {was.size} → {work.size}"
    if changes.side is not None and len(was.sides) > 1:
        heading = changes.side.heading
        yield f"Only {heading if len(heading) == 1 else heading.lower()} is made"
    if work.redrawn:
        yield "Other references are drawn in place of those that have left S3"


def _places(record: SideRecord, side: SideRecord, index: ReferenceIndex) -> Iterator[Place]:
    for role in (Role.TONE, Role.ANGLE, Role.MODEL):
        then = [slot for slot in record.slots if slot.role is role]
        now = [slot for slot in side.slots if slot.role is role]
        for before, after in _pairs(then, now):
            gone = before is not None and not _is_there(before, index)
            yield Place(side.side, role, before, after, _change_of(before, after, index), then_is_gone=gone)


def _pairs(then: Sequence[Slot], now: Sequence[Slot]) -> Iterator[tuple[Slot | None, Slot | None]]:
    """The slots of a role then and now: the same group's beside each other, all others in their order."""
    same = {slot.id: slot for slot in now}
    rest = [slot for slot in now if slot.id not in {slot.id for slot in then}]
    for before in then:
        yield before, same.pop(before.id, None) or (rest.pop(0) if rest else None)
    yield from ((None, after) for after in rest)


def _change_of(then: Slot | None, now: Slot | None, index: ReferenceIndex) -> SlotChange:
    if _picture(then) != _picture(now):
        return SlotChange.NEW
    return SlotChange.KEPT if now is None or _is_there(now, index) else SlotChange.MISSING


def _picture(slot: Slot | None) -> tuple[str | None, str | None]:
    return (slot.key, slot.etag) if slot else (None, None)


def _is_there(slot: Slot, index: ReferenceIndex) -> bool:
    listed = index.get(slot.key) if slot.key else None
    return slot.key is None or (listed is not None and listed.etag == slot.etag)
