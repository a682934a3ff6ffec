"""Model slots: one reference per group of the chosen model folder, the same person wherever possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from core.injection.candidates import Candidates, narrow
from core.injection.draw import PersonDraw, TicketDraw, choose_person
from core.injection.narrowing import LabelLookup, Narrowing, fits_tags, narrowings, narrowings_on, near_misses
from core.injection.slots import NearMiss, Rule, Slot, Step, Trail, left_out_words, unreadable_pin_words
from core.injection.wishes import SettledWishes, SideName, WishedFrom, Wishes
from core.references.index import ReferenceIndex
from core.references.reference import AttributeGroup, Reference, ReferenceFolder
from core.references.vocabulary import Role

_NO_ANGLE = "Pick an angle, or name one in the prompt."


@dataclass(frozen=True)
class ModelPlanner:
    """Plans the model slots of all sides together, so that they can share their person; at most `limit` a side."""

    index: ReferenceIndex
    folder: ReferenceFolder
    labels: LabelLookup
    wishes: Wishes
    settled: SettledWishes
    draw: TicketDraw
    limit: int
    _known: dict[str, Candidates] = field(default_factory=dict)

    def plan(self, sides: Sequence[SideName]) -> dict[SideName, tuple[Slot, ...]]:
        """The model slots of each side, padded to the same number with empty ones that say why."""
        reason = self._why_none()
        if reason is not None:
            return {side: (self._empty(reason),) for side in sides}
        chosen = {side: self._candidates(side) for side in sides}
        draw = self._person_draw(chosen)
        width = max(1, *(len(groups) for groups in chosen.values()))
        return {side: self._slots(side, chosen, draw, width) for side in sides}

    @cached_property
    def _wanted(self) -> tuple[Narrowing, ...]:
        return narrowings(self.settled, self.labels)

    def _why_none(self) -> str | None:
        """Why no model reference is wanted at all, if so."""
        if not self.settled.person:
            if self.settled.person_from is WishedFrom.PICKED:
                return "No person: you set it so."
            return "The prompt asks for no person: set Person to yes to inject one."
        if not self.folder.path:
            return "There is no model folder yet: make one in S3 named like “01. Model”, with a group for each tone."
        if self.limit == 0:
            return "Model references are switched off by MAX_MODEL_REFERENCES."
        if self.settled.tone is None:
            return "Pick a tone, or let chance pick one."
        return None

    def _narrowings(self, side: SideName) -> tuple[Narrowing, ...]:
        return narrowings_on(side, self._wanted)

    def _candidates(self, side: SideName) -> list[Candidates]:
        """The groups that have pictures for every wish of this side: pinned ones, then the first in key order.

        A group whose tags still fit its pin's wishes but whose pictures no longer do stays, to say so.
        """
        if side is SideName.TONE_ANGLE and self.settled.angle is None:
            return []
        reached = self._narrow_groups(self._narrowings(side))
        fitting = [candidates for candidates in reached if candidates.references]
        fitting.sort(key=lambda candidates: self._pin_of(candidates) is None)
        kept = {candidates.slot_id for candidates in fitting[: self.limit]}
        return [c for c in reached if c.slot_id in kept or (not c.references and c.slot_id in self.wishes.pins)]

    def _narrow_groups(self, wanted: Sequence[Narrowing]) -> list[Candidates]:
        """The tagged groups in key order, no further than slots and pins ask for."""
        reached: list[Candidates] = []
        pins = {slot_id for slot_id in self.wishes.pins if slot_id.startswith("model:")}
        fitting = 0
        for group in self.folder.groups:
            if not (fits_tags(group, wanted) and group.usable):
                continue
            candidates = narrow(group, wanted)
            reached.append(candidates.like(self._known.setdefault(candidates.slot_id, candidates)))
            fitting += bool(candidates.references)
            pins.discard(candidates.slot_id)
            if fitting >= self.limit and not pins:
                break
        return reached

    def _pin_of(self, candidates: Candidates) -> Reference | None:
        """The picture that is pinned in this group's slot, if it still meets the wishes."""
        pin = self.wishes.pins.get(candidates.slot_id)
        return next((ref for ref in candidates.references if ref.key == pin), None) if pin else None

    def _person_draw(self, chosen: Mapping[SideName, Sequence[Candidates]]) -> PersonDraw:
        """The draw of all slots that are on and not pinned."""
        off = self.wishes.off
        on = [[c for c in groups if c.references and c.slot_id not in off] for groups in chosen.values()]
        everyone = {candidates.slot_id: candidates for groups in on for candidates in groups}
        pinned = next((ref.persona for c in everyone.values() if (ref := self._pin_of(c)) and ref.persona), None)
        free = {slot_id: c for slot_id, c in everyone.items() if slot_id not in self.wishes.pins}
        best = pinned or choose_person(on, self.draw)
        return PersonDraw(free, self.draw, self.wishes.rerolls, best, is_pinned=pinned is not None)

    def _slots(
        self,
        side: SideName,
        chosen: Mapping[SideName, Sequence[Candidates]],
        draw: PersonDraw,
        width: int,
    ) -> tuple[Slot, ...]:
        """A side's slots, padded with what the other side has and this one lacks."""
        slots = [self._slot(side, candidates, draw) for candidates in chosen[side]]
        if not slots:
            slots.append(self._nothing_fits(side))
        mine = {candidates.slot_id for candidates in chosen[side]}
        left_out = [c for groups in chosen.values() for c in groups if c.slot_id not in mine]
        for at in range(len(slots), width):
            place = at - len(chosen[side])
            slots.append(self._left_out(side, left_out[place] if place < len(left_out) else None))
        return tuple(slots)

    def _slot(self, side: SideName, candidates: Candidates, draw: PersonDraw) -> Slot:
        slot_id, trail = candidates.slot_id, Trail(list(candidates.trail.steps))
        pin = self.wishes.pins.get(slot_id)
        if slot_id in self.wishes.off:
            trail.note(Rule.OFF, "switched off by you", 0)
            return self._empty("Switched off by you.", side, candidates, trail.steps)
        if pin is None:
            taken, why = self._take(candidates, draw, trail)
        else:
            pinned = self._pin_of(candidates)
            trail.note_pin(pin, fits=pinned is not None)
            if pinned is None:
                why = (
                    unreadable_pin_words(self.index, pin)
                    or "The picture you pinned does not meet the wishes (any more): unpin it or change them."
                )
                return self._empty(why, side, candidates, trail.steps)
            taken, why = pinned, "pinned by you"
        left_out = left_out_words([candidates.group])
        return Slot.holding(
            taken,
            Role.MODEL,
            f"{taken.persona or taken.name}: 1 of {len(candidates.references):,} that fit, {why}. {left_out}".rstrip(),
            slot_id=slot_id,
            wishes=[narrowing.wish for narrowing in self._narrowings(side)],
            steps=trail.steps,
            choices=len(candidates.references),
            pinned=pin is not None,
        )

    def _take(self, candidates: Candidates, draw: PersonDraw, trail: Trail) -> tuple[Reference, str]:
        """What the draw takes, and the words for why."""
        slot_id, everyone, lead = candidates.slot_id, candidates.references, draw.lead
        if turn := self.wishes.rerolls.get(slot_id, 0):
            if draw.best is not None and candidates.of(draw.best):
                trail.note(Rule.PERSON_FIRST, f"{draw.best} comes first", everyone, draw.best)
            self.draw.note_turn(trail, everyone, turn, draw.start(slot_id))
            return draw.take(slot_id), f"re-rolled {turn}×"
        same, why = candidates.of(lead), f"drawn with seed {self.wishes.seed}"
        if lead is not None:
            trail.note(Rule.SAME_PERSON, f"same person in every slot that has them: {lead}", same or everyone, lead)
            why = "same person in every slot" if same else f"no picture of {lead} here, {why}"
        self.draw.note_first(trail, slot_id, same or everyone)
        return draw.take(slot_id), why

    def _nothing_fits(self, side: SideName) -> Slot:
        """An empty slot that names the nearest groups and the one wish to loosen."""
        if side is SideName.TONE_ANGLE and self.settled.angle is None:
            return self._empty(_NO_ANGLE, side)
        wanted, trail = self._narrowings(side), Trail()
        left: list[tuple[AttributeGroup, Sequence[Reference]]] = [(g, g.usable) for g in self.folder.groups]
        everything = sum(len(group.references) for group in self.folder.groups)
        trail.note(Rule.FOLDER, f"in “{self.folder.path}”", everything, self.folder.path)
        for narrowing in wanted:
            left = [(group, narrowing.left_of(group, refs)) for group, refs in left]
            narrowing.note(trail, sum(len(refs) for _, refs in left))
        near = near_misses(self.index, self.folder, self.labels, wanted)
        asked = ", ".join(narrowing.step for narrowing in wanted)
        hint = " ".join(map(str, near[:2]))
        left_out = left_out_words(group for group in self.folder.groups if fits_tags(group, wanted))
        why = " ".join(filter(None, (f"Nothing in “{self.folder.path}” is {asked}.", left_out, hint)))
        return self._empty(why, side, steps=trail.steps, near=near)

    def _left_out(self, side: SideName, other: Candidates | None) -> Slot:
        """A place that only the other side fills."""
        if other is None:
            return self._empty("No further group has a match.", side)
        if side is SideName.TONE_ONLY:
            why = f"“{other.group.name}” is beyond the first {self.limit} groups of this side."
        elif self.settled.angle is None:
            return self._empty(_NO_ANGLE, side)
        else:
            wish = self.settled.angle.value
            why = f"Left out: its angle is {other.group.tags.angle or 'untagged'}, you asked for {wish}."
        trail = narrow(other.group, self._narrowings(side)).trail
        if trail.steps[-1].left:
            trail.note(Rule.LEFT_OUT, f"in the first {self.limit} groups of this side", 0, str(self.limit))
        return self._empty(why, side, other, trail.steps)

    def _empty(
        self,
        why: str,
        side: SideName | None = None,
        candidates: Candidates | None = None,
        steps: Sequence[Step] = (),
        near: tuple[NearMiss, ...] = (),
    ) -> Slot:
        return Slot.empty(
            Role.MODEL,
            why,
            wishes=[narrowing.wish for narrowing in self._narrowings(side)] if side else (),
            slot_id=candidates.slot_id if candidates else None,
            group=candidates.group.name if candidates else None,
            folder=self.folder.path,
            steps=steps,
            near=near,
        )
