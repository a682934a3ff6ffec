"""Tone and angle slots: one reference of a group with the wished tag, from the project first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from core.injection.request.slots import Loosen, NearMiss, Rule, Slot, Trail, left_out_words, unreadable_pin_words
from core.injection.request.wishes import Mode, SideName, Wish, Wishes
from core.injection.selection.draw import TicketDraw, groups_of
from core.injection.selection.narrowing import tag_of
from core.references.index import ReferenceIndex
from core.references.key import parent
from core.references.reference import AttributeGroup, Reference
from core.references.vocabulary import Role


@dataclass(frozen=True, slots=True)
class TagPlanner:
    """Plans tone and angle slots of one project: the folder around the model folder, where references are preferred."""

    index: ReferenceIndex
    project: str
    wishes: Wishes
    draw: TicketDraw

    def tone_slot(self, wish: Wish | None) -> Slot:
        """The tone reference, the same for both sides."""
        if wish is None:
            return Slot.empty(Role.TONE, "Pick a tone, or let chance pick one.")
        return self._slot(Role.TONE, wish)

    def tone_in_words(self, wish: Wish | None) -> Slot:
        """The tone slot of a side whose tone goes in words alone."""
        wishes = (wish,) if wish else ()
        return Slot.empty(Role.TONE, "In words alone: this side is sent no tone reference.", wishes=wishes)

    def angle_slot(
        self,
        side: SideName,
        wish: Wish | None,
        gender: Wish | None,
        other_gender: Callable[[Reference], bool] | None,
    ) -> Slot:
        """The angle reference; always empty on the tone-only side.

        `other_gender` tells pictures that are labelled with another gender than the wished one: a prompt for a
        man sends no woman's picture, not even for its viewpoint.
        """
        if side is SideName.TONE_ONLY:
            return self._no_angle_here()
        if wish is None:
            return Slot.empty(Role.ANGLE, "Pick an angle, or name one in the prompt.")
        return self._slot(Role.ANGLE, wish, gender, other_gender)

    def _no_angle_here(self) -> Slot:
        """The angle slot of the tone-only side; what is pinned there waits for a mode that sends it."""
        why, near = "Off in this mode: tone only sends no angle reference.", tuple[NearMiss, ...]()
        if Role.ANGLE.value in self.wishes.pins and self.wishes.mode is Mode.TONE_ONLY:
            why = f"{why} The picture you pinned waits."
            near = (NearMiss(Loosen.MODE, Mode.COMPARE, 1),)
        return Slot.empty(Role.ANGLE, why, near=near)

    def fitting(self, role: Role, wish: Wish, other_gender: Callable[[Reference], bool] | None) -> list[Reference]:
        """Every picture that could stand in the slot of a role, in the order of the draw."""
        groups = (group for folder in self.index.folders_of(role) for group in folder.groups)
        fitting = [ref for group in groups if tag_of(group, Rule(role.value)) == wish.value for ref in group.usable]
        if other_gender is not None:
            fitting = [ref for ref in fitting if not other_gender(ref)]
        return self.draw.order(role.value, _nearest(fitting, self.project)[0]) if fitting else []

    def _slot(
        self,
        role: Role,
        wish: Wish,
        gender: Wish | None = None,
        other_gender: Callable[[Reference], bool] | None = None,
    ) -> Slot:
        empty = partial(Slot.empty, role, wishes=(wish,))
        trail, rule = Trail(), Rule(role.value)
        if role.value in self.wishes.off:
            trail.note_off()
            return empty("Switched off by you.", steps=trail.steps)
        groups = [group for folder in self.index.folders_of(role) for group in folder.groups]
        everything = sum(len(group.references) for group in groups)
        trail.note(Rule.ROLE, f"in {role.value} groups", everything, role.value)
        tagged = [group for group in groups if tag_of(group, rule) == wish.value]
        fitting = [ref for group in tagged for ref in group.usable]
        trail.note(rule, f"tagged {wish.value}", fitting, wish.value, source=wish.source.value)
        if not fitting:
            have, near = _tags_there(groups, role)
            why = left_out_words(tagged) or f"No {role.value} group in S3 is tagged {wish.value}."
            return empty(f"{why} {have}", steps=trail.steps, near=near)
        if other_gender is not None:
            fitting = [ref for ref in fitting if not other_gender(ref)]
            value = gender.value if gender else ""
            trail.note(Rule.NOT_OTHER_GENDER, "not labelled with another gender", fitting, value)
            if not fitting:
                why = f"Every picture tagged {wish.value} in S3 is labelled with another gender than you asked for."
                near = tuple(
                    NearMiss(Loosen.ANGLE, tag, pictures)
                    for tag in _tags_of(groups, rule)
                    if (pictures := sum(not other_gender(ref) for ref in _pictures(groups, rule, tag)))
                )
                return empty(f"{why} Pick another angle, or set the gender yourself.", steps=trail.steps, near=near)
        candidates, where, nearness = _nearest(fitting, self.project)
        pin, held = self.wishes.pins.get(role.value), self._held(role, fitting)
        if pin is not None:  # it may reach beyond the project, but never to a picture that does not fit
            pinned = next((ref for ref in fitting if ref.key == pin), None)
            trail.note_pin(pin, fits=pinned is not None)
            if pinned is None:
                says = f"does not fit {wish.value} (any more): unpin it or change the {role.value}."
                why = unreadable_pin_words(self.index, pin) or f"The picture you pinned {says}"
                return empty(why, steps=trail.steps, near=(NearMiss(Loosen.PIN, role.value, len(candidates)),))
            taken, why = pinned, "pinned by you"
        elif held is not None and not self.wishes.rerolls.get(role.value):  # and so may this
            trail.note_held(held.key)
            taken, why = held, "as recorded"
        else:
            trail.note(nearness, where, candidates, "" if nearness is Rule.ANYWHERE else self.project)
            taken, why = self._take(role.value, candidates, trail, held)
        beyond = f" {where}" if nearness is Rule.ANYWHERE and self.project else ""
        places = groups_of(candidates)
        among = f" in {len(places)} groups" if len(places) > 1 else ""
        left_out = left_out_words(group for group in tagged if group.path in places)
        return Slot.holding(
            taken,
            role,
            f"1 of {len(candidates):,}{among}{beyond}, {why}. {left_out}".rstrip(),
            wishes=(wish,),
            steps=trail.steps,
            choices=len(candidates),
            pinned=pin is not None,
        )

    def _held(self, role: Role, fitting: Sequence[Reference]) -> Reference | None:
        """What a record drew in this slot, if it still fits."""
        key = self.wishes.held.get(role.value)
        return next((ref for ref in fitting if ref.key == key), None) if key else None

    def _take(
        self, slot_id: str, candidates: Sequence[Reference], trail: Trail, held: Reference | None
    ) -> tuple[Reference, str]:
        """The first by the seed's tickets; after re-rolls one that comes later than what a record drew; and why."""
        draw, turn = self.draw, self.wishes.rerolls.get(slot_id, 0)
        if turn:
            order = draw.order(slot_id, candidates)
            start = held if held in order else None
            turns = order if start is None else [start, *(ref for ref in order if ref is not start)]
            draw.note_turn(trail, candidates, turn, start)
            return turns[turn % len(turns)], f"re-rolled {turn}×, seed {draw.seed}"
        draw.note_first(trail, slot_id, candidates)
        return draw.first(slot_id, candidates), f"drawn with seed {draw.seed}"


def _tags_there(groups: Sequence[AttributeGroup], role: Role) -> tuple[str, tuple[NearMiss, ...]]:
    """What a role's groups are tagged with, in words and as what to loosen to."""
    rule = Rule(role.value)
    tags = _tags_of(groups, rule)
    near = tuple(NearMiss(Loosen(role.value), tag, len(_pictures(groups, rule, tag))) for tag in tags)
    return f"The library has {', '.join(tags)}." if tags else f"The library has no {role.value} groups yet.", near


def _tags_of(groups: Sequence[AttributeGroup], rule: Rule) -> list[str]:
    return sorted({tag for group in groups if group.is_injectable and (tag := tag_of(group, rule))})


def _nearest(fitting: Sequence[Reference], project: str) -> tuple[list[Reference], str, Rule]:
    """The pictures beside the model folder, else anywhere in its project, else in all of the library."""
    beside = [ref for ref in fitting if ref.folder is not None and parent(ref.folder) == project]
    if beside:
        return beside, f"in the project “{project}”", Rule.BESIDE
    inside = [ref for ref in fitting if ref.key.startswith(project + "/")] if project else []
    if inside:
        return inside, f"in the project “{project}”", Rule.INSIDE
    return list(fitting), "in the whole library", Rule.ANYWHERE


def _pictures(groups: Sequence[AttributeGroup], rule: Rule, tag: str) -> list[Reference]:
    return [ref for group in groups if tag_of(group, rule) == tag for ref in group.usable]
