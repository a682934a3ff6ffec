"""Balanced model slots: both sides get equally many person references of one person, each side from its own groups.

Tone only takes them from groups of the wished tone with another angle, tone + angle from those with the wished angle
(`docs/decisions/054-fair-in-every-field.md`). Who leads is the first of

1. whoever is on a pinned picture; whoever a recorded comparison showed; whoever has most pairs of groups; of those,
   with a picture that was not given last time; of those, the lowest ticket;

who has a picture on both sides. A re-rolled slot goes round that person's pictures in its group, then round
those of the others who could lead, by tickets; whom the first re-rolled slot comes to is shown on both sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from core.injection.request.fairness import enumerated
from core.injection.request.slots import (
    ALONE,
    ANYTHING,
    Loosen,
    NearMiss,
    Rule,
    Slot,
    Trail,
    left_out_words,
    unreadable_pin_words,
)
from core.injection.request.wishes import SideName
from core.injection.selection.candidates import Candidates, narrow
from core.injection.selection.draw import ticket
from core.injection.selection.model_slots import NO_ANGLE, ModelPlanner
from core.injection.selection.narrowing import Narrowing, fits_tags, hits, narrowings, narrowings_on, opposite
from core.injection.selection.near_balance import near_balance
from core.references.key import fold, persona_of
from core.references.reference import Reference
from core.references.vocabulary import Role

_ONE, _OTHER = SideName.TONE_ONLY, SideName.TONE_ANGLE
_NAMED_MAX: Final = 3  # people, or other values, in a sentence
_Groups = Mapping[SideName, Sequence[Candidates]]


@dataclass(frozen=True, slots=True)
class _Cast:
    """Who is shown, in which groups of each side, and which slot's re-rolls came to them, if any."""

    person: str
    groups: _Groups
    turned: str | None = None
    turn: int = 0
    start: Reference | None = None


@dataclass(frozen=True)
class BalancedPlanner(ModelPlanner):
    """Plans the model slots of tone only and tone + angle so that nothing but the angle tells them apart."""

    def plan(self, sides: Sequence[SideName]) -> dict[SideName, tuple[Slot, ...]]:
        """The model slots of both sides, in line: each group is filled on one of them."""
        reason = self._why_none()
        if reason is not None:
            return super().plan(sides)
        cast = self._cast()
        if cast is not None:
            return self._filled(cast)
        if any(self._on[_OTHER]):
            return self._unmatched()
        return self._nobody()

    # What there is

    @cached_property
    def _fitting(self) -> _Groups:
        """Every group of a side whose tags fit, with the pictures that meet the other wishes."""
        groups: dict[SideName, Sequence[Candidates]] = {_ONE: (), _OTHER: ()}
        for side in (_ONE,) if self.settled.angle is None else (_ONE, _OTHER):
            wanted = self._narrowings(side)
            tagged = (group for group in self.folder.groups if fits_tags(group, wanted) and group.usable)
            groups[side] = [narrow(group, wanted) for group in tagged]
        return groups

    @cached_property
    def _on(self) -> _Groups:
        """Those that have a picture and are not switched off."""
        return {
            side: [each for each in groups if each.references and each.slot_id not in self.wishes.off]
            for side, groups in self._fitting.items()
        }

    @cached_property
    def _pairs(self) -> Mapping[str, int]:
        """How many references of a person each side can have, by folded name; only of those whom both have."""
        one, other = (
            Counter(name for each in self._on[side] for name in self._people_in(each)) for side in (_ONE, _OTHER)
        )
        return {name: min(count, other[name], self.limit) for name, count in one.items() if name in other}

    def _narrowings(self, side: SideName) -> tuple[Narrowing, ...]:
        """Tone only is planned to show any angle but the wished one."""
        return opposite(self._wanted) if side is _ONE else self._wanted

    def _people_in(self, candidates: Candidates) -> Mapping[str, tuple[Reference, ...]]:
        """Who can be shown in a slot, by folded name: of a pinned one whom the pin shows."""
        if candidates.slot_id not in self.wishes.pins:
            return candidates.by_person
        pinned = self._pin_of(candidates)
        return {fold(pinned.persona): (pinned,)} if pinned is not None and pinned.persona else {}

    # Who is shown

    def _cast(self) -> _Cast | None:
        """Who is shown, and where; None where nobody has a picture on both sides."""
        if not self._pairs:
            return None
        pinned = next((name for name in self._pinned_people() if name in self._pairs), None)
        best = pinned or self._held_lead() or min(self._pairs, key=self._place_of)
        cast = _Cast(best, self._groups_of(best))
        shown = {each.slot_id: each for groups in cast.groups.values() for each in groups}
        turned = next((at for at, turn in self.wishes.rerolls.items() if turn and self._turns(at, shown)), None)
        if turned is None:
            return cast
        person, turn, start = self._turn(shown[turned], best, is_pinned=pinned is not None)
        return _Cast(person, self._groups_of(person, turned), turned, turn, start)

    def _turns(self, slot_id: str, shown: Mapping[str, Candidates]) -> bool:
        return slot_id in shown and slot_id not in self.wishes.pins

    def _pinned_people(self) -> Iterator[str]:
        for groups in self._on.values():
            for each in groups:
                if each.slot_id in self.wishes.pins:
                    yield from self._people_in(each)

    def _held_lead(self) -> str | None:
        """Whom the record showed in most slots, of those who have a picture on both sides."""
        shown = Counter(
            fold(name)
            for slot_id, key in self.wishes.held.items()
            if slot_id.startswith("model:") and (name := persona_of(key))
        )
        return next((name for name, _ in shown.most_common() if name in self._pairs), None)

    def _place_of(self, name: str) -> tuple[int, bool, bytes]:
        return -self._pairs[name], *self._chance_of(name)

    def _chance_of(self, name: str) -> tuple[bool, bytes]:
        refs = (ref for groups in self._on.values() for each in groups for ref in each.by_person.get(name, ()))
        return all(ref.key in self.draw.recent for ref in refs), ticket(self.draw.seed, "persona", name)

    def _groups_of(self, person: str, turned: str | None = None) -> _Groups:
        """The groups in which a person is shown, as many on each side: those that were asked for before all others."""

        def place(each: Candidates) -> tuple[bool, bool, bool, bool, int]:
            held = self._held_in(each)
            return (
                each.slot_id != turned,
                each.slot_id not in self.wishes.pins,
                held is None or fold(held.persona or "") != person,
                each.group.tags.angle is None,  # what its name does not say may be the wished angle
                self._place[each.slot_id],
            )

        having = {side: [c for c in groups if person in self._people_in(c)] for side, groups in self._on.items()}
        count = self._pairs[person]
        return {
            side: sorted(sorted(groups, key=place)[:count], key=lambda each: self._place[each.slot_id])
            for side, groups in having.items()
        }

    # What is drawn

    def _turn(self, candidates: Candidates, best: str, *, is_pinned: bool) -> tuple[str, int, Reference | None]:
        """To whom a slot's re-rolls come, to which of their pictures in its group, and where their turns start."""
        others = () if is_pinned else self._others_in(candidates, best)
        people = [best, *sorted(others, key=self._chance_of)]
        sizes = [len(candidates.by_person[name]) for name in people]
        turn = self.wishes.rerolls[candidates.slot_id] % sum(sizes)
        for name, size in zip(people, sizes, strict=True):
            if turn < size:
                return name, turn, self._start(candidates, name) if name == best else None
            turn -= size
        raise AssertionError("a turn within the sum of the sizes comes to one of them")

    def _others_in(self, candidates: Candidates, person: str) -> list[str]:
        return [name for name in candidates.by_person if name in self._pairs and name != person]

    def _start(self, candidates: Candidates, person: str) -> Reference:
        """What a slot shows of a person without re-rolls."""
        held = self._held_in(candidates)
        theirs = candidates.by_person[person]
        return held if held is not None and held in theirs else self.draw.first(candidates.slot_id, theirs)

    def _filled_slot(self, side: SideName, candidates: Candidates, cast: _Cast) -> Slot:
        slot_id, trail = candidates.slot_id, Trail(list(candidates.trail.steps))
        pin, theirs = self._pin_of(candidates), candidates.by_person[cast.person]
        lead = theirs[0].persona or ""
        if pin is None:
            trail.note(Rule.SAME_PERSON, f"same person on both sides: {lead}", theirs, lead)
            taken, why = self._taken(candidates, theirs, cast, trail)
        else:
            trail.note_pin(pin.key, fits=True)
            taken, why = pin, "pinned by you"
        left_out = left_out_words([candidates.group])
        choices = self._choices(candidates, cast)
        return Slot.holding(
            taken,
            Role.MODEL,
            f"{taken.persona}: 1 of {len(theirs):,} that fit, {why}. {left_out}".rstrip(),
            slot_id=slot_id,
            wishes=[each.wish for each in self._narrowings(side) if each.rule is not Rule.OTHER_ANGLE],
            steps=trail.steps,
            choices=choices,
            pinned=pin is not None,
        )

    def _taken(
        self, candidates: Candidates, theirs: Sequence[Reference], cast: _Cast, trail: Trail
    ) -> tuple[Reference, str]:
        slot_id = candidates.slot_id
        asked = self.wishes.rerolls.get(slot_id, 0)
        if not asked:
            held = self._held_in(candidates)
            if held is not None and held in theirs:
                trail.note_held(held.key)
                return held, "as recorded"
            self.draw.note_first(trail, slot_id, theirs)
            return self.draw.first(slot_id, theirs), "same person on both sides"
        is_first = slot_id == cast.turned
        turn, start = (cast.turn, cast.start) if is_first else (asked, self._start(candidates, cast.person))
        order = self.draw.order(slot_id, theirs)
        turns = order if start is None else [start, *(ref for ref in order if ref is not start)]
        self.draw.note_turn(trail, theirs, turn, start, asked=asked)
        return turns[turn % len(turns)], f"re-rolled {asked}×"

    def _choices(self, candidates: Candidates, cast: _Cast) -> int:
        """Round how many pictures a re-roll goes: others' too where no other slot has said who is shown."""
        theirs = candidates.by_person[cast.person]
        is_said = cast.turned not in (None, candidates.slot_id) or any(
            cast.person in self._people_in(each)
            for groups in self._on.values()
            for each in groups
            if each.slot_id in self.wishes.pins
        )
        others = () if is_said else self._others_in(candidates, cast.person)
        return len(theirs) + sum(len(candidates.by_person[name]) for name in others)

    # The slots of both sides

    def _filled(self, cast: _Cast) -> dict[SideName, tuple[Slot, ...]]:
        """Both sides with the person on them."""
        filled = {
            side: {each.slot_id: self._filled_slot(side, each, cast) for each in groups}
            for side, groups in cast.groups.items()
        }
        return {side: tuple(slots) for side, slots in self._in_line(filled, "Only so many fit on both sides.").items()}

    def _unmatched(self) -> dict[SideName, tuple[Slot, ...]]:
        """Tone + angle as it is alone, and tone only with nobody: no other angle of theirs is there."""
        chosen = self._candidates(_OTHER)
        draw = self._person_draw({_OTHER: chosen})
        why = self._missing_words()
        filled = {_ONE: {}, _OTHER: {each.slot_id: self._slot(_OTHER, each, draw) for each in chosen}}
        slots = self._in_line(filled, why)
        self._explain(slots, _ONE, why)
        return {side: tuple(of_side) for side, of_side in slots.items()}

    def _nobody(self) -> dict[SideName, tuple[Slot, ...]]:
        """Neither side has anybody, for tone + angle cannot have: both say why and what is missing."""
        why = self._nobody_words()
        slots = self._in_line({_ONE: {}, _OTHER: {}}, why)
        self._explain(slots, _ONE, f"None here, so that both sides have equally many. {why}")
        self._explain(slots, _OTHER, why)
        return {side: tuple(of_side) for side, of_side in slots.items()}

    def _in_line(self, filled: Mapping[SideName, Mapping[str, Slot]], impossible: str) -> dict[SideName, list[Slot]]:
        """A slot on each side for every group that is filled on one of them, is switched off or has a pin."""
        groups = {
            each.slot_id: (side, each)
            for side, fitting in self._fitting.items()
            for each in fitting
            if each.slot_id in filled[side] or each.slot_id in self.wishes.off or each.slot_id in self.wishes.pins
        }
        in_order = [groups[slot_id] for slot_id in sorted(groups, key=self._place.__getitem__)]
        return {
            side: [
                filled[side].get(each.slot_id) or self._idle(side, each, impossible)
                if side is of
                else self._left_out(side, each)
                for of, each in in_order
            ]
            for side in filled
        }

    def _idle(self, side: SideName, candidates: Candidates, impossible: str) -> Slot:
        """A slot that is switched off, or whose pin has no place in a balanced pair."""
        trail = Trail(list(candidates.trail.steps))
        if candidates.slot_id in self.wishes.off:
            trail.note_off()
            return self._empty("Switched off by you.", side, candidates, trail.steps)
        key, pinned = self.wishes.pins[candidates.slot_id], self._pin_of(candidates)
        trail.note_pin(key, fits=pinned is not None)
        if pinned is not None:
            trail.note(Rule.BALANCE, "none, so that both sides have equally many", 0)
            why = f"Pinned by you, and left out so that both sides have equally many. {impossible}"
            return self._empty(why, side, candidates, trail.steps, self._alone())
        why = unreadable_pin_words(self.index, key) or (
            "The picture you pinned does not meet the wishes (any more): unpin it or change them."
        )
        near = (NearMiss(Loosen.PIN, candidates.slot_id, len(candidates.references)),)
        return self._empty(why, side, candidates, trail.steps, near if candidates.references else ())

    def _left_out(self, side: SideName, other: Candidates) -> Slot:
        """A place that only the other side fills."""
        if side is not _ONE:
            return super()._left_out(side, other)
        why = f"Left out: it shows {other.group.tags.angle}, which tone + angle is to add."
        return self._empty(why, side, other, narrow(other.group, self._narrowings(side)).trail.steps)

    def _explain(self, slots: Mapping[SideName, list[Slot]], side: SideName, why: str) -> None:
        """Say in the first slot that nobody has set why nobody stands on a side; in one of its own if there is none."""
        wanted, trail = self._narrowings(side), Trail()
        left = [(group, group.usable) for group in self.folder.groups]
        trail.note(Rule.FOLDER, f"in “{self.folder.path}”", sum(len(g.references) for g, _ in left), self.folder.path)
        for narrowing in wanted:
            left = [(group, tuple(narrowing.left_of(group, refs))) for group, refs in left]
            narrowing.note(trail, sum(len(refs) for _, refs in left))
        if trail.steps[-1].left:
            trail.note(Rule.BALANCE, "none, so that both sides have equally many", 0)
        at = next((at for at, slot in enumerate(slots[side]) if self._is_free(slot)), None)
        place = None if at is None else slots[side][at]
        said = Slot.empty(
            Role.MODEL,
            why,
            wishes=[each.wish for each in wanted if each.rule is not Rule.OTHER_ANGLE],
            slot_id=place.id if place else None,
            group=place.group if place else None,
            folder=self.folder.path,
            steps=trail.steps,
            near=self._near_both,
        )
        if at is not None:
            slots[side][at] = said
        elif not slots[side]:
            slots[side].append(said)

    def _is_free(self, slot: Slot) -> bool:
        return not slot.filled and not slot.is_off and slot.id not in self.wishes.pins

    # What is said where it cannot be

    def _nobody_words(self) -> str:
        """Why tone + angle can have nobody."""
        if self.settled.angle is None:
            return NO_ANGLE
        if any(each.references for each in self._fitting[_OTHER]):
            return "Every person reference of tone + angle is switched off."
        wanted = self._narrowings(_OTHER)
        left_out = left_out_words(group for group in self.folder.groups if fits_tags(group, wanted))
        return f"{self._nothing_words(wanted)} {left_out}".rstrip() + f" Add one, or choose {self._alternatives()}."

    def _missing_words(self) -> str:
        """Which picture would make a pair: as in "No other angle of Ada in cinematic: add one, or choose Noir"."""
        people = {name: refs[0].persona or "" for each in self._on[_OTHER] for name, refs in each.by_person.items()}
        labelled = [each.step for each in self._wanted if each.rule in (Rule.GENDER, Rule.AGE)]
        asked = f" that is {' and '.join(labelled)}" if labelled else ""
        tone = self.settled.tone.value if self.settled.tone else ""
        whose = f" of {_some(list(people.values()))}" if people else " of anybody whom a file’s name tells"
        return f"No other angle{whose} in {tone}{asked}: add one, or choose {self._alternatives()}."

    def _alternatives(self) -> str:
        """The first values that would do instead, or else the other way to plan."""
        kinds = (Loosen.TONE, Loosen.PERSONA, Loosen.ANGLE)
        values = [miss.to for miss in self._near_both if miss.loosen in kinds and miss.to != ANYTHING]
        return _either(values[:_NAMED_MAX]) or "as each mode alone"

    @cached_property
    def _near_both(self) -> tuple[NearMiss, ...]:
        anybody = narrowings(self.settled.without_pinned_person(), self.labels)
        return (*near_balance(self.index, self.folder, self.labels, self._wanted, anybody), *self._alone())

    def _alone(self) -> tuple[NearMiss, ...]:
        """To plan each side as its mode alone, where tone only has somebody then."""
        wanted = narrowings_on(_ONE, self._wanted)
        pictures = sum(len(hits(group, wanted)) for group in self.folder.groups)
        return (NearMiss(Loosen.BALANCED, ALONE, pictures),) if pictures else ()


def _some(names: Sequence[str]) -> str:
    """Names in a sentence, and how many more there are."""
    more = len(names) - _NAMED_MAX
    return enumerated(names if more <= 0 else [*names[:_NAMED_MAX], f"{more} more"])


def _either(values: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(values[:-1]), *values[-1:]]))
