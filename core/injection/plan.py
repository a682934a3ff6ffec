"""The plan: wishes, index and labels in; for each side the slots that go in, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.injection.reading.reader import Reading
from core.injection.request.fairness import BALANCE, BALANCE_MENDS, Difference, Fairness, Mend, judge
from core.injection.request.prompt import assemble
from core.injection.request.sent import SentRender, SentSide, sent_side
from core.injection.request.slots import Slot
from core.injection.request.wishes import PinnedTags, SettledWishes, SideName, Varies, Wishes, settle, sides_of
from core.injection.selection.balanced_slots import BalancedPlanner
from core.injection.selection.draw import TicketDraw, ticket
from core.injection.selection.model_slots import ModelPlanner
from core.injection.selection.narrowing import LabelLookup, other_gender
from core.injection.selection.tag_slots import TagPlanner
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
    sent: tuple[SentSide, ...] = ()  # the requests of two sides that the verdict is on

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

    def __init__(
        self,
        index: ReferenceIndex,
        labels: LabelLookup,
        *,
        max_model_references: int,
        renders: Sequence[SentRender] = (),
    ) -> None:
        """`renders` are what makes the picture of each side, where that is known: the judge compares it, too."""
        self._renders = tuple(renders)
        self._index = index
        self._labels = labels
        self._max_models = max_model_references

    def plan(self, wishes: Wishes, reading: Reading, *, recent: Iterable[str] = ()) -> Injection:
        """Fill every slot that has a match. Raises InjectionError for a folder that does not exist.

        Of an unfair pair each mend is proven: taking it does away with the difference.
        """
        done = self._plan(wishes, reading, recent)
        if done.fairness is None or done.fairness.controlled:
            return done
        proven = _proven(done, lambda changed: self._plan(changed, reading, recent))
        return replace(done, fairness=replace(done.fairness, differences=proven))

    def _plan(self, wishes: Wishes, reading: Reading, recent: Iterable[str]) -> Injection:
        draw = TicketDraw(wishes.seed, frozenset(recent))
        folder = self._index.model_folder(wishes.folder)
        settled = settle_in(self._index, wishes, reading, self._chance_tone(wishes))
        sides = sides_of(wishes)
        kinds = tuple(dict.fromkeys(map(settled.planned_as, sides)))
        tags = TagPlanner(self._index, folder.project, wishes, draw)
        tone, keep_away = tags.tone_slot(settled.tone), other_gender(settled, self._labels)
        angles = {kind: tags.angle_slot(kind, settled.angle, settled.gender, keep_away) for kind in kinds}
        people = BalancedPlanner if wishes.is_balanced else ModelPlanner
        models = people(self._index, folder, self._labels, wishes, settled, draw, self._max_models).plan(kinds)
        plans = []
        for side, kind in zip(sides, map(settled.planned_as, sides), strict=True):
            in_words = side is SideName.B and wishes.varies is Varies.TONE_WAY
            own_tone = tags.tone_in_words(settled.tone) if in_words and tone.filled else tone
            plans.append(SidePlan(side, (own_tone, angles[kind], *models[kind])))
        sent = self._sent(plans, wishes, settled) if len(plans) == 2 else ()
        fairness = judge(*sent, wishes.varies) if sent else None
        return Injection(wishes, reading, settled, folder.path, tuple(plans), fairness, sent)

    def _sent(self, plans: Sequence[SidePlan], wishes: Wishes, settled: SettledWishes) -> tuple[SentSide, SentSide]:
        """Two sides as they would be sent."""
        vocabulary = self._index.vocabulary
        one, other = (
            sent_side(
                plan.side,
                plan.slots,
                assemble(wishes, settled, plan.slots, plan.side, vocabulary),
                wishes=wishes,
                angle=settled.angle.value if settled.angle else None,
                vocabulary=vocabulary,
                render=render,
            )
            for plan, render in zip(plans, self._renders or (None, None), strict=True)
        )
        return one, other

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


def _proven(done: Injection, plan: Callable[[Wishes], Injection]) -> tuple[Difference, ...]:
    """The differences of a plan, each with the first mend of which a plan proves that it leaves no such difference."""
    known: dict[Mend, frozenset[str]] = {}

    def left_after(mend: Mend) -> frozenset[str]:
        if mend not in known:
            fairness = plan(mend.applied_to(done.wishes)).fairness
            known[mend] = frozenset(each.what for each in fairness.differences) if fairness else frozenset()
        return known[mend]

    def proven(difference: Difference) -> Difference:
        balance = BALANCE if difference.what in BALANCE_MENDS and done.wishes.varies is Varies.ANGLE else None
        mends = [mend for mend in (balance, difference.mend) if mend and mend.applied_to(done.wishes) != done.wishes]
        return replace(difference, mend=next((mend for mend in mends if difference.what not in left_after(mend)), None))

    return tuple(proven(difference) for difference in done.fairness.differences) if done.fairness else ()
