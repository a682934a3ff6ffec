"""Goes a slot's recorded steps again, with nothing but them, the bare keys and the labels, and code of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.injection.request.slots import Rule, Slot, Step
from core.labels.published.schema import Label
from core.references.vocabulary import Role
from tests.injection.oracle import Picture


@dataclass
class Retrace:
    """One library with its labels. `problems` lists what is wrong with a slot's trail; nothing should be."""

    pictures: Sequence[Picture]
    labels: Iterable[Label]
    _by_etag: dict[str, Label] = field(init=False)
    _by_key: dict[str, Label] = field(init=False)

    def __post_init__(self) -> None:
        self._by_key = {label.key: label for label in self.labels}
        self._by_etag = {label.etag: label for label in self._by_key.values()}

    def problems(self, slot: Slot) -> list[str]:
        """Every step whose count comes out differently, and an end that is not the slot's picture."""
        found: list[str] = []
        left: list[Picture] = []
        first: list[Callable[[Picture], Any]] = []
        for step in slot.steps:
            counted = left = self._after(step, left, first, slot.id)
            if step.rule in (Rule.GROUP, Rule.FOLDER, Rule.ROLE):
                left = [p for p in left if p.usable]
            if len(counted) != step.left:
                found.append(f"{slot.id}: {len(counted)} left after {step}")
        if slot.key is not None and [p.key for p in left] != [slot.key]:
            found.append(f"{slot.id}: the trail leads to {[p.key for p in left]}, the slot holds {slot.key}")
        if slot.key is None and left:
            found.append(f"{slot.id}: empty, though the trail leads to {[p.key for p in left]}")
        return found

    def _after(
        self, step: Step, left: list[Picture], first: list[Callable[[Picture], Any]], slot_id: str
    ) -> list[Picture]:
        match step.rule:
            case Rule.GROUP:
                return [p for p in self.pictures if p.place == step.value]
            case Rule.FOLDER:
                return [p for p in self.pictures if p.role is Role.MODEL and p.key.startswith(step.value + "/")]
            case Rule.ROLE:
                return [p for p in self.pictures if p.role.value == step.value]
            case Rule.SAME_PERSON:
                return [p for p in left if p.persona == step.value] or left
            case Rule.PERSON_FIRST:
                first.append(lambda p: p.persona != step.value)
                return left
            case Rule.RECENT_LAST:
                first.append(lambda p: p.key in step.keys)
                return left
            case Rule.DRAWN_GROUP:
                return [p for p in left if p.place == first_group(step, slot_id, left)]
            case Rule.GROUP_BY_GROUP:
                first.append(_rounds(step, slot_id, list(left), list(first)))
                return left
            case Rule.DRAW:
                return sorted(left, key=lambda p: ticket(step, slot_id, p))[:1]
            case Rule.TURN:
                order = sorted(left, key=lambda p: (*(comes(p) for comes in first), ticket(step, slot_id, p)))
                start = [p for p in order if p.key in step.keys]
                order = start + [p for p in order if p not in start]
                return [order[int(step.value) % len(order)]]
            case Rule.LEFT_OUT | Rule.OFF | Rule.BALANCE:
                return []
            case _:
                return [p for p in left if self._meets(step, p)]

    def _meets(self, step: Step, p: Picture) -> bool:
        said = self._label(p)
        match step.rule:
            case Rule.TONE:
                return p.tone == step.value
            case Rule.ANGLE | Rule.OTHER_ANGLE:
                return (p.angle == step.value) is (step.rule is Rule.ANGLE)
            case Rule.PERSONA:
                return p.persona == step.value
            case Rule.GENDER:
                return said is not None and said.gender_presentation == step.value
            case Rule.AGE:
                low, _, high = step.value.partition("–")
                return said is not None and said.age_low is not None and int(low) <= said.age_low <= int(high or low)
            case Rule.NOT_OTHER_GENDER:
                told = said or self._by_key.get(p.key)
                return told is None or told.gender_presentation in (None, step.value)
            case Rule.BESIDE:
                return p.root == step.value
            case Rule.INSIDE:
                return p.root.startswith(step.value + "/")
            case Rule.ANYWHERE:
                return True
            case Rule.FRESH:
                return p.key not in step.keys
            case Rule.PIN | Rule.HELD:
                return p.key == step.value
        raise AssertionError(f"no way to go {step}")

    def _label(self, p: Picture) -> Label | None:
        here = self._by_key.get(p.key)
        return here if here and here.etag == p.etag else self._by_etag.get(p.etag)


def ticket(step: Step, slot_id: str, p: Picture) -> bytes:
    """The picture's ticket in the draw, as docs/decisions/002 describes it."""
    return hashlib.blake2b(f"{step.seed}\0{slot_id}\0{p.key}".encode(), digest_size=16).digest()


def group_ticket(step: Step, slot_id: str, place: str) -> bytes:
    """A group's ticket, as docs/decisions/035 describes it."""
    return hashlib.blake2b(f"{step.seed}\0{slot_id}\0group\0{place}".encode(), digest_size=16).digest()


def first_group(step: Step, slot_id: str, left: Iterable[Picture]) -> str:
    """Which of the groups that are left has the lowest ticket."""
    return min({p.place for p in left}, key=lambda place: group_ticket(step, slot_id, place))


def _rounds(
    step: Step, slot_id: str, mates: list[Picture], tiers: list[Callable[[Picture], Any]]
) -> Callable[[Picture], tuple[int, bytes]]:
    """In which round a picture comes, by its ticket among those of its group in its tier; then its group's ticket."""

    def place(p: Picture) -> tuple[int, bytes]:
        tier = [comes(p) for comes in tiers]
        peers = (q for q in mates if q.place == p.place and [comes(q) for comes in tiers] == tier)
        before = sum(ticket(step, slot_id, q) < ticket(step, slot_id, p) for q in peers)
        return before, group_ticket(step, slot_id, p.place)

    return place
