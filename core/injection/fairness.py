"""Fairness: what differs between two sides besides the angle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.injection.slots import Slot
from core.references.key import fold
from core.references.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Difference:
    """Something other than the angle that is not the same on both sides, and how to mend it.

    `switch_off` lists slot ids that would make the pair fair, when that is enough.
    """

    what: str
    says: str
    switch_off: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fairness:
    """The verdict on a pair of sides. `note` says what a fair pair does not compare, if that is not plain."""

    differences: tuple[Difference, ...]
    note: str = ""

    @property
    def controlled(self) -> bool:
        """Whether only the angle may differ."""
        return not self.differences


def judge(one: Sequence[Slot], other: Sequence[Slot]) -> Fairness:
    """Compare the slots of tone only with those of tone + angle.

    Prompt, engine, model, size, quality and seed are shared by construction: one comparison holds one
    of each. The angle reference and the angle of the model references are what is being compared.
    """
    found: list[Difference] = []
    tones = [_key(slots, Role.TONE) for slots in (one, other)]
    if tones[0] != tones[1]:
        found.append(Difference("tone reference", f"The tone reference differs: {tones[0]} and {tones[1]}."))
    has_angle = any(slot.filled for slot in other if slot.role is Role.ANGLE) or bool(_models(other))
    if not has_angle:
        found.append(Difference("angle", _no_angle(other)))
    mine, theirs = _people(one), _people(other)
    only_mine = {name: ids for name, ids in mine.items() if name not in theirs}
    only_theirs = {name: ids for name, ids in theirs.items() if name not in mine}
    if (only_mine or only_theirs) and has_angle:  # without any angle the other side's people cannot be there either
        found.append(_person_difference(only_mine, only_theirs, shared=bool(mine.keys() & theirs.keys())))
    return Fairness(tuple(found), _note(tones[0], bool(mine)))


def _no_angle(slots: Sequence[Slot]) -> str:
    wished = next((slot.wished for slot in slots if slot.role is Role.ANGLE), None)
    if wished is None:
        return "Tone + angle has no angle to add: pick one."
    return f"No reference in tone + angle shows the angle {wished}: only the words of the prompt would differ."


def _note(tone: str | None, has_people: bool) -> str:
    """A pair without a tone reference is fair, for both lack it, but it is no comparison on top of a tone."""
    if tone is not None:
        return ""
    if has_people:
        return "Neither side has a tone reference: only the person references carry the tone."
    return "Neither side has a tone reference: this compares an angle reference with no reference at all."


def _person_difference(
    only_mine: dict[str, list[Slot]], only_theirs: dict[str, list[Slot]], *, shared: bool
) -> Difference:
    parts = []
    for title, only in (("tone only", only_mine), ("tone + angle", only_theirs)):
        if only:
            names = ", ".join(slots[0].persona or slots[0].name or "?" for slots in only.values())
            parts.append(f"{title} shows {names}, the other side does not")
    extra = tuple(slot.id for only in (only_mine, only_theirs) for slots in only.values() for slot in slots)
    return Difference("person", f"The person differs: {'; '.join(parts)}.", extra if shared else ())


def _key(slots: Sequence[Slot], role: Role) -> str | None:
    return next((slot.key for slot in slots if slot.role is role), None)


def _models(slots: Sequence[Slot]) -> list[Slot]:
    return [slot for slot in slots if slot.role is Role.MODEL and slot.filled]


def _people(slots: Sequence[Slot]) -> dict[str, list[Slot]]:
    """The model slots by person; a picture whose name says nobody counts as somebody of its own."""
    people: dict[str, list[Slot]] = {}
    for slot in _models(slots):
        people.setdefault(fold(slot.persona) if slot.persona else f"\0{slot.key}", []).append(slot)
    return people
