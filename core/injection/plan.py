"""The plan: wishes, index and labels in; for each side the slots that go in, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from core.injection.draw import TicketDraw, ticket
from core.injection.fairness import Fairness, judge
from core.injection.model_slots import ModelPlanner
from core.injection.narrowing import LabelLookup, other_gender
from core.injection.reader import Reading
from core.injection.slots import Slot
from core.injection.tag_slots import TagPlanner
from core.injection.wishes import SIDES_OF_MODE, PinnedTags, SettledWishes, SideName, Wishes, settle
from core.references.index import ReferenceIndex
from core.references.reference import Reference
from core.references.vocabulary import Role


@dataclass(frozen=True, slots=True)
class SidePlan:
    """One side's slots: tone, angle, then the model references."""

    side: SideName
    slots: tuple[Slot, ...]

    @property
    def filled(self) -> tuple[Slot, ...]:
        """The slots that hold a reference, in the order in which the pictures are attached."""
        return tuple(slot for slot in self.slots if slot.filled)


@dataclass(frozen=True, slots=True)
class Injection:
    """What will go into a comparison. `fairness` is None for a single side: there is nothing to compare."""

    wishes: Wishes
    reading: Reading
    settled: SettledWishes
    folder: str
    sides: tuple[SidePlan, ...]
    fairness: Fairness | None

    def side(self, name: SideName) -> SidePlan:
        """One side's plan. Raises KeyError for a side this mode does not make."""
        for plan in self.sides:
            if plan.side is name:
                return plan
        raise KeyError(name)


class Planner:
    """Plans injections from one index generation and one label version.

    A plan is a pure function of wishes, reading, index, labels and the keys this person was given last
    time: the same in gives the same out, on every server.
    """

    def __init__(self, index: ReferenceIndex, labels: LabelLookup, *, max_model_references: int) -> None:
        self._index = index
        self._labels = labels
        self._max_models = max_model_references

    def plan(self, wishes: Wishes, reading: Reading, *, recent: Iterable[str] = ()) -> Injection:
        """Fill every slot that has a match. Raises InjectionError for a folder that does not exist."""
        draw = TicketDraw(wishes.seed, frozenset(recent))
        folder = self._index.model_folder(wishes.folder)
        settled = settle_in(self._index, wishes, reading, self._chance_tone(wishes))
        sides = SIDES_OF_MODE[wishes.mode]
        tags = TagPlanner(self._index, folder.project, wishes, draw)
        tone, keep_away = tags.tone_slot(settled.tone), other_gender(settled, self._labels)
        angles = {side: tags.angle_slot(side, settled.angle, settled.gender, keep_away) for side in sides}
        models = ModelPlanner(self._index, folder, self._labels, wishes, settled, draw, self._max_models).plan(sides)
        plans = tuple(SidePlan(side, (tone, angles[side], *models[side])) for side in sides)
        fairness = judge(*(plan.slots for plan in plans)) if len(plans) == 2 else None
        return Injection(wishes, reading, settled, folder.path, plans, fairness)

    def candidates(self, done: Injection, slot: Slot, *, recent: Iterable[str] = ()) -> tuple[Reference, ...]:
        """What could stand in a slot of this plan, in the order of the draw; nothing for one of no group.

        In a model slot the person in the lead comes first, then everybody whom the other wishes allow: putting one of
        them in is a newer choice than the person who is pinned.
        """
        draw, settled = TicketDraw(done.wishes.seed, frozenset(recent)), done.settled
        folder = self._index.model_folder(done.folder or None)
        if slot.role is not Role.MODEL:
            wish = settled.tone if slot.role is Role.TONE else settled.angle
            keep_away = other_gender(settled, self._labels) if slot.role is Role.ANGLE else None
            tags = TagPlanner(self._index, folder.project, done.wishes, draw)
            return tuple(tags.fitting(slot.role, wish, keep_away)) if wish else ()
        anybody = replace(settled.without_pinned_person(), persona=None)
        models = ModelPlanner(self._index, folder, self._labels, done.wishes, anybody, draw, self._max_models)
        return models.candidates_in(slot, settled.persona.value if settled.persona else slot.persona)

    def _chance_tone(self, wishes: Wishes) -> str | None:
        """A tone drawn among those the library has a tone reference for, where chance is to pick one."""
        if not wishes.tone_by_chance:
            return None
        tones = {
            group.tags.tone
            for folder in self._index.folders_of(Role.TONE)
            for group in folder.groups
            if group.tags.tone and group.usable
        }
        return min(tones, key=lambda tone: ticket(wishes.seed, "chance", tone), default=None)


def settle_in(index: ReferenceIndex, wishes: Wishes, reading: Reading, chance_tone: str | None = None) -> SettledWishes:
    """What counts, as `settle` has it, with the people and the pinned pictures of a library."""
    pinned = PinnedTags(pinned_tag(index, wishes.pins, Role.TONE), pinned_tag(index, wishes.pins, Role.ANGLE))
    return settle(wishes, reading, index.personas, chance_tone, pinned)


def pinned_tag(index: ReferenceIndex, pins: Mapping[str, str], role: Role) -> str | None:
    """What the pinned picture of a role is tagged with, if it is one and lies in such a group."""
    listed = index.get(pins.get(role.value, ""))
    if listed is None or listed.role is not role:
        return None
    return listed.tone if role is Role.TONE else listed.angle
