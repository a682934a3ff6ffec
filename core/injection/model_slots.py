"""Model slots: one reference per group of the chosen model folder, the same person wherever possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from core.injection.candidates import Candidates, walk
from core.injection.draw import PersonDraw, drawn_order, ticket
from core.injection.narrowing import (
    LabelLookup,
    Narrowing,
    fits_tags,
    narrowed_on,
    narrowings,
    near_misses,
    says_near,
)
from core.injection.slots import NearMiss, Rule, Slot, Trail
from core.injection.wishes import SettledWishes, SideName, WishedFrom, Wishes
from core.references.index import ReferenceIndex
from core.references.reference import AttributeGroup, Reference, ReferenceFolder
from core.references.vocabulary import Role

_NO_ANGLE = "Pick an angle, or name one in the prompt."


class ModelPlanner:
    """Plans the model slots of all sides together, so that they can share their person."""

    def __init__(
        self,
        index: ReferenceIndex,
        folder: ReferenceFolder,
        labels: LabelLookup,
        wishes: Wishes,
        settled: SettledWishes,
        recent: frozenset[str],
        limit: int,
    ) -> None:
        self._index = index
        self._folder = folder
        self._labels = labels
        self._wishes = wishes
        self._settled = settled
        self._recent = recent
        self._limit = limit
        self._wanted = narrowings(settled, labels)
        self._known: dict[str, Candidates] = {}

    def plan(self, sides: Sequence[SideName]) -> dict[SideName, tuple[Slot, ...]]:
        """The model slots of each side, padded to the same number with empty ones that say why."""
        reason = self._why_none()
        if reason is not None:
            return {side: (self._empty(reason),) for side in sides}
        chosen = {side: self._candidates(side) for side in sides}
        draw = self._draw(chosen)
        width = max(1, *(len(groups) for groups in chosen.values()))
        return {side: self._slots(side, chosen, draw, width) for side in sides}

    def _why_none(self) -> str | None:
        """Why no model reference is wanted at all, if so."""
        if not self._settled.person:
            if self._settled.person_from is WishedFrom.PICKED:
                return "No person: you set it so."
            return "The prompt asks for no person: set Person to yes to inject one."
        if not self._folder.path:
            return "There is no model folder yet: make one in S3 named like “01. Model”, with a group for each tone."
        if self._limit == 0:
            return "Model references are switched off by MAX_MODEL_REFERENCES."
        if self._settled.tone is None:
            return "Pick a tone, or let chance pick one."
        return None

    def _narrowings(self, side: SideName) -> tuple[Narrowing, ...]:
        return narrowed_on(side, self._wanted)

    def _candidates(self, side: SideName) -> list[Candidates]:
        """The groups that have pictures for every wish of this side: pinned ones, then the first in key order.

        A group whose tags still fit its pin's wishes but whose pictures no longer do stays, to say so.
        """
        if side is SideName.TONE_ANGLE and self._settled.angle is None:
            return []
        wanted = self._narrowings(side)
        walked = self._walked(wanted)
        fitting = [candidates for candidates in walked if candidates.references]
        fitting.sort(key=lambda candidates: self._pinned(candidates) is None)
        kept = {candidates.slot_id for candidates in fitting[: self._limit]}
        return [c for c in walked if c.slot_id in kept or (not c.references and c.slot_id in self._wishes.pins)]

    def _walked(self, wanted: Sequence[Narrowing]) -> list[Candidates]:
        """The tagged groups in key order, no further than slots and pins ask for."""
        walked: list[Candidates] = []
        pins = {slot_id for slot_id in self._wishes.pins if slot_id.startswith("model:")}
        fitting = 0
        for group in self._folder.groups:
            if not (fits_tags(group, wanted) and group.usable):
                continue
            walked.append(self._walk(group, wanted))
            fitting += bool(walked[-1].references)
            pins.discard(walked[-1].slot_id)
            if fitting >= self._limit and not pins:
                break
        return walked

    def _walk(self, group: AttributeGroup, wanted: Sequence[Narrowing]) -> Candidates:
        candidates = walk(group, wanted)
        return candidates.like(self._known.setdefault(candidates.slot_id, candidates))

    def _pinned(self, candidates: Candidates) -> Reference | None:
        """The picture that is pinned in this group's slot, if it still meets the wishes."""
        pin = self._wishes.pins.get(candidates.slot_id)
        return next((ref for ref in candidates.references if ref.key == pin), None) if pin else None

    def _draw(self, chosen: Mapping[SideName, Sequence[Candidates]]) -> PersonDraw:
        """The draw around one person: pinned, else re-rolled to, else best covered."""
        on = {
            side: [c for c in groups if c.references and c.slot_id not in self._wishes.off]
            for side, groups in chosen.items()
        }
        everyone = {candidates.slot_id: candidates for groups in on.values() for candidates in groups}
        pinned = next((ref.persona for c in everyone.values() if (ref := self._pinned(c)) and ref.persona), None)
        drawn = {slot_id: c for slot_id, c in everyone.items() if slot_id not in self._wishes.pins}
        return PersonDraw(
            {slot_id: partial(self._first, candidates) for slot_id, candidates in drawn.items()},
            {slot_id: partial(self._order, candidates) for slot_id, candidates in drawn.items()},
            self._wishes.rerolls,
            pinned or self._best_covered(on),
            is_pinned=pinned is not None,
        )

    def _best_covered(self, chosen: Mapping[SideName, Sequence[Candidates]]) -> str | None:
        """The persona on most sides, then in most groups, then not all seen last time, then by ticket."""
        personas: dict[str, str] = {}
        for groups in chosen.values():
            for candidates in groups:
                for name, refs in candidates.by_person.items():
                    personas.setdefault(name, refs[0].persona or name)

        def worse(name: str) -> tuple[int, int, bool, bytes]:
            having = [[c.by_person[name] for c in groups if name in c.by_person] for groups in chosen.values()]
            return (
                -sum(bool(groups) for groups in having),
                -sum(len(groups) for groups in having),
                all(ref.key in self._recent for groups in having for refs in groups for ref in refs),
                ticket(self._wishes.seed, "persona", name),
            )

        return personas[min(personas, key=worse)] if personas else None

    def _first(self, candidates: Candidates, lead: str | None) -> Reference:
        """The first of `_order`, without drawing a ticket for those who cannot be it."""
        pool = candidates.of(lead) or candidates.references
        fresh = [ref for ref in pool if ref.key not in self._recent] or pool
        return min(fresh, key=lambda ref: ticket(self._wishes.seed, candidates.slot_id, ref.key))

    def _order(self, candidates: Candidates, lead: str | None) -> list[Reference]:
        same = {ref.key for ref in candidates.of(lead)}
        return drawn_order(
            candidates.references,
            seed=self._wishes.seed,
            salt=candidates.slot_id,
            prefer=lambda ref: (ref.key not in same, ref.key in self._recent),
        )

    def _slots(
        self,
        side: SideName,
        chosen: Mapping[SideName, Sequence[Candidates]],
        draw: PersonDraw,
        width: int,
    ) -> tuple[Slot, ...]:
        slots = [self._filled(side, candidates, draw) for candidates in chosen[side]]
        if not slots:
            slots.append(self._nothing_fits(side))
        mine = {candidates.slot_id for candidates in chosen[side]}
        left_out = [c for groups in chosen.values() for c in groups if c.slot_id not in mine]
        for at in range(len(slots), width):
            place = at - len(chosen[side])
            slots.append(self._left_out(side, left_out[place] if place < len(left_out) else None))
        return tuple(slots)

    def _filled(self, side: SideName, candidates: Candidates, draw: PersonDraw) -> Slot:
        slot_id, trail = candidates.slot_id, Trail(list(candidates.trail.steps))
        if slot_id in self._wishes.off:
            trail.note(Rule.OFF, "switched off by you", 0)
            return self._empty("Switched off by you.", candidates, trail, side=side)
        is_pinned = slot_id in self._wishes.pins
        if is_pinned:
            picked = self._pinned(candidates)
            trail.note_pin(self._wishes.pins[slot_id], fits=picked is not None)
            if picked is None:
                return self._empty(
                    "The picture you pinned does not meet the wishes (any more): unpin it or change them.",
                    candidates,
                    trail,
                    side=side,
                )
            why = "pinned by you"
        else:
            picked, why = self._drawn(candidates, draw, trail)
        who = picked.persona or picked.name
        return Slot(
            id=slot_id,
            role=Role.MODEL,
            key=picked.key,
            etag=picked.etag,
            group=candidates.group.name,
            folder=candidates.group.folder,
            wished=self._wished(side),
            wished_from=self._wished_from(side),
            why=f"{who}: 1 of {len(candidates.references)} that fit, {why}.",
            steps=trail.done(),
            choices=len(candidates.references),
            pinned=is_pinned,
        )

    def _drawn(self, candidates: Candidates, draw: PersonDraw, trail: Trail) -> tuple[Reference, str]:
        if turn := self._wishes.rerolls.get(candidates.slot_id, 0):
            return self._turned(candidates, draw, trail, turn)
        lead, seed, why = draw.lead, self._wishes.seed, f"drawn with seed {self._wishes.seed}"
        same = candidates.of(lead)
        pool = same or candidates.references
        if lead is not None:
            trail.note(Rule.SAME_PERSON, f"same person in every slot that has them: {lead}", pool, lead)
            why = "same person in every slot" if same else f"no picture of {lead} here, {why}"
        fresh = [ref for ref in pool if ref.key not in self._recent]
        if fresh and len(fresh) < len(pool):
            given = [ref.key for ref in pool if ref.key in self._recent]
            trail.note(Rule.FRESH, "not what you were given last time", fresh, keys=given)
        trail.note_draw(seed)
        return draw.shown(candidates.slot_id), why

    def _turned(self, candidates: Candidates, draw: PersonDraw, trail: Trail, turn: int) -> tuple[Reference, str]:
        """A re-rolled slot takes its turns in order, from what it shows without them."""
        everyone, best = candidates.references, draw.best
        if best is not None and candidates.of(best):
            trail.note(Rule.PERSON_FIRST, f"{best} comes first", everyone, best)
        if given := [ref.key for ref in everyone if ref.key in self._recent]:
            trail.note(Rule.RECENT_LAST, "what you were given last time comes last", everyone, keys=given)
        trail.note_turn(turn, self._wishes.seed, draw.start(candidates.slot_id))
        return draw.shown(candidates.slot_id), f"re-rolled {turn}×"

    def _nothing_fits(self, side: SideName) -> Slot:
        """An empty slot that names the nearest groups and the one wish to loosen."""
        if side is SideName.TONE_ANGLE and self._settled.angle is None:
            return self._empty(_NO_ANGLE, side=side)
        wanted, trail = self._narrowings(side), Trail()
        left: list[tuple[AttributeGroup, Sequence[Reference]]] = [(g, g.usable) for g in self._folder.groups]
        everything = sum(len(group.references) for group in self._folder.groups)
        trail.note(Rule.FOLDER, f"in “{self._folder.path}”", everything, self._folder.path)
        for narrowing in wanted:
            left = [(group, narrowing.left_of(group, refs)) for group, refs in left]
            narrowing.note(trail, sum(len(refs) for _, refs in left))
        near = near_misses(self._index, self._folder, self._labels, wanted)
        asked = ", ".join(narrowing.step for narrowing in wanted)
        hint = " ".join(says_near(miss) for miss in near[:2])
        why = f"Nothing in “{self._folder.path}” is {asked}. {hint}".strip()
        return self._empty(why, trail=trail, side=side, near=near)

    def _left_out(self, side: SideName, other: Candidates | None) -> Slot:
        """A place that only the other side fills."""
        if other is None:
            return self._empty("No further group has a match.", side=side)
        if side is SideName.TONE_ONLY:
            why = f"“{other.group.name}” is beyond the first {self._limit} groups of this side."
        elif self._settled.angle is None:
            return self._empty(_NO_ANGLE, side=side)
        else:
            wish = self._settled.angle.value
            why = f"Left out: its angle is {other.group.tags.angle or 'untagged'}, you asked for {wish}."
        trail = walk(other.group, self._narrowings(side)).trail
        if trail.steps[-1].left:
            trail.note(Rule.LEFT_OUT, f"in the first {self._limit} groups of this side", 0, str(self._limit))
        return self._empty(why, other, trail, side=side)

    def _wished(self, side: SideName) -> str | None:
        return " + ".join(narrowing.value for narrowing in self._narrowings(side)) or None

    def _wished_from(self, side: SideName) -> str | None:
        sources = dict.fromkeys(narrowing.source.value for narrowing in self._narrowings(side))
        return ", ".join(sources) or None

    def _empty(
        self,
        why: str,
        candidates: Candidates | None = None,
        trail: Trail | None = None,
        *,
        side: SideName | None = None,
        near: tuple[NearMiss, ...] = (),
    ) -> Slot:
        return Slot(
            id=candidates.slot_id if candidates else "model",
            role=Role.MODEL,
            key=None,
            etag=None,
            group=candidates.group.name if candidates else None,
            folder=self._folder.path,
            wished=self._wished(side) if side else None,
            wished_from=self._wished_from(side) if side else None,
            why=why,
            steps=trail.done() if trail else (),
            near=near,
        )
