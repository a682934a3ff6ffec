"""Model slots: one reference per group of the chosen model folder, the same person wherever possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from core.injection.request.slots import Loosen, NearMiss, Rule, Slot, Step, Trail, left_out_words, unreadable_pin_words
from core.injection.request.wishes import PersonWish, SettledWishes, SideName, WishedFrom, Wishes
from core.injection.selection.candidates import Candidates, narrow
from core.injection.selection.draw import PersonDraw, TicketDraw, choose_person
from core.injection.selection.narrowing import (
    LabelLookup,
    Narrowing,
    fits_tags,
    hits,
    narrowings,
    narrowings_on,
    near_misses,
)
from core.references.index import ReferenceIndex
from core.references.key import persona_of
from core.references.reference import AttributeGroup, Reference, ReferenceFolder
from core.references.vocabulary import Role

NO_ANGLE = "Pick an angle, or name one in the prompt."


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
            return {side: (self._empty(reason, near=self._person_near(side)),) for side in sides}
        chosen = {side: self._candidates(side) for side in sides}
        draw = self._person_draw(chosen)
        places = {candidates.slot_id: candidates for groups in chosen.values() for candidates in groups}
        in_order = sorted(places.values(), key=lambda candidates: self._place[candidates.slot_id])
        return {side: self._slots(side, chosen[side], in_order, draw) for side in sides}

    def candidates_in(self, slot: Slot, first: str | None) -> tuple[Reference, ...]:
        """What could stand in one slot, in the order of the draw, the person `first` before all others."""
        group = next((group for group in self.folder.groups if f"model:{group.path}" == slot.id), None)
        if group is None:
            return ()
        here = narrow(group, [narrowing for narrowing in self._wanted if narrowing.rule not in (Rule.TONE, Rule.ANGLE)])
        theirs = {ref.key for ref in here.of(first)}
        return tuple(self.draw.order(slot.id, here.references, theirs))

    @cached_property
    def _place(self) -> Mapping[str, int]:
        """The groups' places in key order, by slot id: a slot is the same one on both sides."""
        return {f"model:{group.path}": at for at, group in enumerate(self.folder.groups)}

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
            return "There is no person folder yet: make one in S3 named like “01. Model”, with a group for each tone."
        if self.limit == 0:
            return "Person references are switched off by MAX_MODEL_REFERENCES."
        if self.settled.tone is None:
            return "Pick a tone, or let chance pick one."
        return None

    def _person_near(self, side: SideName) -> tuple[NearMiss, ...]:
        """To have somebody after all, where that is what is missing."""
        has_tags = self.settled.tone and (self.settled.angle or side is SideName.TONE_ONLY)
        if self.settled.person or self.limit == 0 or not has_tags:
            return ()
        pictures = sum(len(hits(group, self._narrowings(side))) for group in self.folder.groups)
        return (NearMiss(Loosen.PERSON, PersonWish.YES, pictures),) if pictures else ()

    def _narrowings(self, side: SideName) -> tuple[Narrowing, ...]:
        return narrowings_on(side, self._wanted)

    def _candidates(self, side: SideName) -> list[Candidates]:
        """The groups that have pictures for every wish of this side: pinned ones, those of a record, then the first in
        key order.

        A group whose tags fit its pin's wishes stays, to say so, where none of its pictures do, or it is one too many.
        """
        if side is SideName.TONE_ANGLE and self.settled.angle is None:
            return []
        reached = self._narrow_groups(self._narrowings(side))
        fitting = [candidates for candidates in reached if candidates.references]
        fitting.sort(key=lambda c: (self._pin_of(c) is None, self._held_in(c) is None))
        kept = {candidates.slot_id for candidates in fitting[: self.limit]}
        return [
            replace(c, is_beyond=bool(c.references) and c.slot_id not in kept)
            for c in reached
            if c.slot_id in kept or c.slot_id in self.wishes.pins
        ]

    def _narrow_groups(self, wanted: Sequence[Narrowing]) -> list[Candidates]:
        """The tagged groups in key order, no further than slots, pins and a record ask for."""
        reached: list[Candidates] = []
        asked = {slot_id for slot_id in (*self.wishes.pins, *self.wishes.held) if slot_id in self._place}
        fitting = 0
        for group in self.folder.groups:
            if not (fits_tags(group, wanted) and group.usable):
                continue
            candidates = narrow(group, wanted)
            reached.append(candidates.like(self._known.setdefault(candidates.slot_id, candidates)))
            fitting += bool(candidates.references)
            asked.discard(candidates.slot_id)
            if fitting >= self.limit and not asked:
                break
        return reached

    def _pin_of(self, candidates: Candidates) -> Reference | None:
        """The picture that is pinned in this group's slot, if it still meets the wishes."""
        return self._listed_in(candidates, self.wishes.pins)

    def _held_in(self, candidates: Candidates) -> Reference | None:
        """The picture that a record drew in this group's slot, if it still meets the wishes."""
        return self._listed_in(candidates, self.wishes.held)

    def _listed_in(self, candidates: Candidates, keys: Mapping[str, str]) -> Reference | None:
        key = keys.get(candidates.slot_id)
        return next((ref for ref in candidates.references if ref.key == key), None) if key else None

    def _held_person(self, everyone: Iterable[Candidates]) -> str | None:
        """Whom the record showed in most slots, of those who have a picture; so that a face that can stay does."""
        shown = Counter(
            name
            for slot_id, key in self.wishes.held.items()
            if slot_id.startswith("model:") and (name := persona_of(key))
        )
        return next((name for name, _ in shown.most_common() if any(c.of(name) for c in everyone)), None)

    def _person_draw(self, chosen: Mapping[SideName, Sequence[Candidates]]) -> PersonDraw:
        """The draw of all slots that are on and not pinned."""
        off = self.wishes.off
        on = [
            [c for c in groups if c.references and not c.is_beyond and c.slot_id not in off]
            for groups in chosen.values()
        ]
        everyone = {candidates.slot_id: candidates for groups in on for candidates in groups}
        pinned = next((ref.persona for c in everyone.values() if (ref := self._pin_of(c)) and ref.persona), None)
        free = {slot_id: c for slot_id, c in everyone.items() if slot_id not in self.wishes.pins}
        best = pinned or self._held_person(everyone.values()) or choose_person(on, self.draw)
        held = {slot_id: ref for slot_id, c in free.items() if (ref := self._held_in(c))}
        return PersonDraw(free, self.draw, self.wishes.rerolls, best, is_pinned=pinned is not None, held=held)

    def _slots(
        self, side: SideName, chosen: Sequence[Candidates], places: Sequence[Candidates], draw: PersonDraw
    ) -> tuple[Slot, ...]:
        """A side's slots, one for each group that either side has, so that the two stand in line."""
        mine = {candidates.slot_id: candidates for candidates in chosen}
        slots = [
            self._slot(side, mine[place.slot_id], draw) if place.slot_id in mine else self._left_out(side, place)
            for place in places
        ]
        if not mine:
            slots[:1] = [self._nothing_fits(side, places[0] if places else None)]
        return tuple(slots)

    def _slot(self, side: SideName, candidates: Candidates, draw: PersonDraw) -> Slot:
        slot_id, trail = candidates.slot_id, Trail(list(candidates.trail.steps))
        pin = self.wishes.pins.get(slot_id)
        if slot_id in self.wishes.off:
            trail.note_off()
            return self._empty("Switched off by you.", side, candidates, trail.steps)
        if candidates.is_beyond:
            trail.note(Rule.LEFT_OUT, f"in the first {self.limit} groups of this side", 0, str(self.limit))
            why = f"Pinned by you, and beyond the {self.limit} groups that a side may have: switch another off."
            return self._empty(why, side, candidates, trail.steps)
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
                near = (NearMiss(Loosen.PIN, slot_id, len(candidates.references)),)
                return self._empty(why, side, candidates, trail.steps, near if candidates.references else ())
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
        if draw.keeps(slot_id):
            taken = draw.take(slot_id)
            trail.note_held(taken.key)
            return taken, "as recorded"
        same, why = candidates.of(lead), f"drawn with seed {self.wishes.seed}"
        if lead is not None:
            trail.note(Rule.SAME_PERSON, f"same person in every slot that has them: {lead}", same or everyone, lead)
            why = "same person in every slot" if same else f"no picture of {lead} here, {why}"
        self.draw.note_first(trail, slot_id, same or everyone)
        return draw.take(slot_id), why

    def _nothing_fits(self, side: SideName, place: Candidates | None) -> Slot:
        """An empty slot, in the place of a group that the other side fills if there is one, with what to loosen."""
        if side is SideName.TONE_ANGLE and self.settled.angle is None:
            return self._empty(NO_ANGLE, side, place)
        wanted, trail = self._narrowings(side), Trail()
        left: list[tuple[AttributeGroup, Sequence[Reference]]] = [(g, g.usable) for g in self.folder.groups]
        everything = sum(len(group.references) for group in self.folder.groups)
        trail.note(Rule.FOLDER, f"in “{self.folder.path}”", everything, self.folder.path)
        for narrowing in wanted:
            left = [(group, narrowing.left_of(group, refs)) for group, refs in left]
            narrowing.note(trail, sum(len(refs) for _, refs in left))
        near = self._near(side, wanted)
        left_out = left_out_words(group for group in self.folder.groups if fits_tags(group, wanted))
        why = f"{self._nothing_words(wanted)} {left_out}".rstrip()
        return self._empty(why, side, place, trail.steps, near)

    def _nothing_words(self, wanted: Sequence[Narrowing]) -> str:
        """What there is no picture of; of a pinned person by name."""
        persona = self.settled.persona
        if persona is None or not self.settled.is_person_pinned:
            return f"Nothing in “{self.folder.path}” is {', '.join(narrowing.step for narrowing in wanted)}."
        theirs = [narrowing for narrowing in wanted if narrowing.rule is Rule.PERSONA]
        if not any(narrowing.left_of(g, g.usable) for narrowing in theirs for g in self.folder.groups):
            return f"No picture of {persona.value} lies in “{self.folder.path}”."
        asked = " and ".join(narrowing.step for narrowing in wanted if narrowing.rule is not Rule.PERSONA)
        return f"No picture of {persona.value} is {asked}."

    def _near(self, side: SideName, wanted: Sequence[Narrowing]) -> tuple[NearMiss, ...]:
        anybody = narrowings_on(side, narrowings(self.settled.without_pinned_person(), self.labels))
        return near_misses(self.index, self.folder, self.labels, wanted, anybody)

    def _left_out(self, side: SideName, other: Candidates) -> Slot:
        """A place that only the other side fills."""
        if side is SideName.TONE_ONLY:
            why = f"“{other.group.name}” is beyond the first {self.limit} groups of this side."
        elif self.settled.angle is None:
            return self._empty(NO_ANGLE, side, other)
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
