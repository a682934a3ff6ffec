"""Model slots: one reference per group of the chosen model folder, the same person wherever possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.injection.draw import drawn_order, ticket
from core.injection.narrowing import LabelLookup, Narrowing, narrowings, near_misses, same_person, says_near
from core.injection.slots import NearMiss, Slot, Trail
from core.injection.wishes import SettledWishes, SideName, WishedFrom, Wishes
from core.references.attributes import Role
from core.references.index import AttributeGroup, Reference, ReferenceFolder, ReferenceIndex
from core.references.key import folded


@dataclass(frozen=True, slots=True)
class Candidates:
    """A group with the pictures in it that meet every wish."""

    group: AttributeGroup
    references: tuple[Reference, ...]
    trail: Trail

    @property
    def slot_id(self) -> str:
        """The slot this group fills; the same on both sides, so that a pin holds on both."""
        return f"model:{self.group.path}"

    def of(self, persona: str | None) -> tuple[Reference, ...]:
        """The pictures of one person."""
        return tuple(ref for ref in self.references if persona is not None and same_person(ref.persona, persona))


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

    def plan(self, sides: Sequence[SideName]) -> dict[SideName, tuple[Slot, ...]]:
        """The model slots of each side, padded to the same number with empty ones that say why."""
        reason = self._why_none()
        if reason is not None:
            return {side: (self._empty(reason),) for side in sides}
        chosen = {side: self._candidates(side) for side in sides}
        lead = self._lead(chosen)
        width = max(1, *(len(groups) for groups in chosen.values()))
        return {side: self._slots(side, chosen, lead, width) for side in sides}

    def _why_none(self) -> str | None:
        """Why no model reference is wanted at all, if so."""
        if not self._settled.person:
            if self._settled.person_from is WishedFrom.PICKED:
                return "No person: you set it so."
            return "The prompt asks for no person: set Person to yes to inject one."
        if self._limit == 0:
            return "Model references are switched off by MAX_MODEL_REFERENCES."
        if self._settled.tone is None:
            return "Pick a tone, or let chance pick one."
        return None

    def _narrowings(self, side: SideName) -> tuple[Narrowing, ...]:
        return narrowings(self._settled, self._labels, side)

    def _candidates(self, side: SideName) -> list[Candidates]:
        """The first groups in key order that have pictures for every wish of this side."""
        if side is SideName.TONE_ANGLE and self._settled.angle is None:
            return []
        wanted = self._narrowings(side)
        found = []
        for group in self._folder.groups:
            left = self._walk(group, wanted)
            if left.references:
                found.append(left)
            if len(found) == self._limit:
                break
        return found

    @staticmethod
    def _walk(group: AttributeGroup, wanted: Sequence[Narrowing]) -> Candidates:
        trail, left = Trail(), list(group.usable)
        trail.note(f"in the group “{group.name}”", group.references)
        for narrowing in wanted:
            left = [ref for ref in left if narrowing.keeps(group, ref)]
            trail.note(narrowing.step, left)
        return Candidates(group, tuple(left), trail)

    def _lead(self, chosen: Mapping[SideName, Sequence[Candidates]]) -> str | None:
        """The person to show wherever a group has them: pinned, else re-rolled to, else best covered."""
        everyone = [candidates for groups in chosen.values() for candidates in groups]
        best = self._best_covered(chosen)
        for candidates in everyone:
            pin = self._wishes.pins.get(candidates.slot_id)
            pinned = next((ref for ref in candidates.references if ref.key == pin), None)
            if pinned is not None and pinned.persona is not None:
                return pinned.persona
        for candidates in everyone:
            rerolls = self._wishes.rerolls.get(candidates.slot_id, 0)
            if rerolls:
                order = self._order(candidates, best)
                return order[rerolls % len(order)].persona or best
        return best

    def _best_covered(self, chosen: Mapping[SideName, Sequence[Candidates]]) -> str | None:
        """The persona on most sides, then in most groups, then not all seen last time, then by ticket."""
        personas: dict[str, str] = {}
        for groups in chosen.values():
            for candidates in groups:
                for ref in candidates.references:
                    if ref.persona is not None and candidates.slot_id not in self._wishes.off:
                        personas.setdefault(folded(ref.persona), ref.persona)

        def worse(name: str) -> tuple[int, int, bool, bytes]:
            having = [[c for c in groups if c.of(name)] for groups in chosen.values()]
            pictures = {ref.key for groups in having for c in groups for ref in c.of(name)}
            return (
                -sum(bool(groups) for groups in having),
                -sum(len(groups) for groups in having),
                pictures <= self._recent,
                ticket(self._wishes.seed, "persona", folded(name)),
            )

        return min(personas.values(), key=worse, default=None)

    def _order(self, candidates: Candidates, lead: str | None) -> list[Reference]:
        return drawn_order(
            candidates.references,
            seed=self._wishes.seed,
            salt=candidates.slot_id,
            prefer=lambda ref: (not same_person(ref.persona, lead), ref.key in self._recent),
        )

    def _slots(
        self,
        side: SideName,
        chosen: Mapping[SideName, Sequence[Candidates]],
        lead: str | None,
        width: int,
    ) -> tuple[Slot, ...]:
        slots = [self._filled(side, candidates, lead) for candidates in chosen[side]]
        if not slots:
            slots.append(self._nothing_fits(side))
        mine = {candidates.slot_id for candidates in chosen[side]}
        left_out = [c for groups in chosen.values() for c in groups if c.slot_id not in mine]
        for at in range(len(slots), width):
            place = at - len(chosen[side])
            slots.append(self._left_out(side, left_out[place] if place < len(left_out) else None))
        return tuple(slots)

    def _filled(self, side: SideName, candidates: Candidates, lead: str | None) -> Slot:
        slot_id, trail = candidates.slot_id, Trail(list(candidates.trail.steps))
        if slot_id in self._wishes.off:
            return self._empty("Switched off by you.", candidates, trail, side=side)
        pin = self._wishes.pins.get(slot_id)
        if pin is not None:
            picked = next((ref for ref in candidates.references if ref.key == pin), None)
            trail.note("pinned by you", 1 if picked else 0)
            if picked is None:
                return self._empty(
                    "The picture you pinned does not meet the wishes (any more): unpin it or change them.",
                    candidates,
                    trail,
                    side=side,
                )
            why = "pinned by you"
        else:
            picked, why = self._drawn(candidates, lead, trail)
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
            pinned=pin is not None,
        )

    def _drawn(self, candidates: Candidates, lead: str | None, trail: Trail) -> tuple[Reference, str]:
        order = self._order(candidates, lead)
        rerolls = self._wishes.rerolls.get(candidates.slot_id, 0)
        picked = order[rerolls % len(order)]
        same = candidates.of(lead)
        why = f"drawn with seed {self._wishes.seed}"
        if rerolls:
            trail.note(f"re-rolled {rerolls}×, drawn with seed {self._wishes.seed}", 1)
            return picked, f"re-rolled {rerolls}×"
        if lead is not None:
            trail.note(f"same person in every slot that has them: {lead}", same or candidates.references)
            why = "same person in every slot" if same else f"no picture of {lead} here, {why}"
        pool = same or candidates.references
        fresh = [ref for ref in pool if ref.key not in self._recent]
        if fresh and len(fresh) < len(pool):
            trail.note("not what you were given last time", fresh)
        trail.note(f"drawn with seed {self._wishes.seed}", 1)
        return picked, why

    def _nothing_fits(self, side: SideName) -> Slot:
        """An empty slot that names the nearest groups and the one wish to loosen."""
        if side is SideName.TONE_ANGLE and self._settled.angle is None:
            return self._empty("Pick an angle, or name one in the prompt.", side=side)
        wanted, trail = self._narrowings(side), Trail()
        left = [(group, ref) for group in self._folder.groups for ref in group.usable]
        trail.note(f"in “{self._folder.path}”", sum(len(group.references) for group in self._folder.groups))
        for narrowing in wanted:
            left = [(group, ref) for group, ref in left if narrowing.keeps(group, ref)]
            trail.note(narrowing.step, len(left))
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
        else:
            wish = self._settled.angle.value if self._settled.angle else "the angle"
            why = f"Left out: its angle is {other.group.tags.angle or 'untagged'}, you asked for {wish}."
        trail = self._walk(other.group, self._narrowings(side)).trail
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
