"""Tone and angle slots: one reference of a group with the wished tag, from the project first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.injection.draw import drawn_order, ticket
from core.injection.slots import NearMiss, Rule, Slot, Trail
from core.injection.wishes import SettledWishes, SideName, Wish, Wishes
from core.references.index import ReferenceIndex
from core.references.key import parent
from core.references.reference import AttributeGroup, Reference
from core.references.vocabulary import Role


def tone_slot(
    index: ReferenceIndex,
    project: str,
    wishes: Wishes,
    settled: SettledWishes,
    recent: frozenset[str],
) -> Slot:
    """The tone reference, the same for both sides."""
    if settled.tone is None:
        return _empty(Role.TONE, "Pick a tone, or let chance pick one.")
    return _tag_slot(index, Role.TONE, project, wishes, settled.tone, recent, other_gender=None)


def angle_slot(
    index: ReferenceIndex,
    project: str,
    wishes: Wishes,
    settled: SettledWishes,
    recent: frozenset[str],
    side: SideName,
    other_gender: Callable[[Reference], bool] | None,
) -> Slot:
    """The angle reference; always empty on the tone-only side.

    `other_gender` tells pictures that are labelled with another gender than the wished one: a prompt for a
    man sends no woman's picture, not even for its viewpoint.
    """
    if side is SideName.TONE_ONLY:
        return _empty(Role.ANGLE, "Off in this mode: tone only sends no angle reference.")
    if settled.angle is None:
        return _empty(Role.ANGLE, "Pick an angle, or name one in the prompt.")
    return _tag_slot(index, Role.ANGLE, project, wishes, settled.angle, recent, other_gender, settled.gender)


def _empty(role: Role, why: str, wish: Wish | None = None, trail: Trail | None = None) -> Slot:
    return Slot(
        id=role.value,
        role=role,
        key=None,
        etag=None,
        group=None,
        folder=None,
        wished=wish.value if wish else None,
        wished_from=wish.source.value if wish else None,
        why=why,
        steps=trail.done() if trail else (),
    )


def _tag_slot(
    index: ReferenceIndex,
    role: Role,
    project: str,
    wishes: Wishes,
    wish: Wish,
    recent: frozenset[str],
    other_gender: Callable[[Reference], bool] | None,
    settled_gender: Wish | None = None,
) -> Slot:
    slot_id = role.value
    trail = Trail()
    if slot_id in wishes.off:
        return _empty(role, "Switched off by you.", wish)
    groups = [group for folder in index.folders_of(role) for group in folder.groups]
    everything = sum(len(group.references) for group in groups)
    trail.note(Rule.ROLE, f"in {role.value} groups", everything, role.value)
    tagged = [group for group in groups if _tag(group, role) == wish.value and group.usable]
    fitting = _pictures(tagged)
    trail.note(Rule(role.value), f"tagged {wish.value}", fitting, wish.value, source=wish.source.value)
    if not tagged:
        return _nothing_tagged(role, wish, groups, trail)
    if other_gender is not None:
        fitting = [ref for ref in fitting if not other_gender(ref)]
        gender = settled_gender.value if settled_gender else ""
        trail.note(Rule.NOT_OTHER_GENDER, "not labelled with another gender", fitting, gender)
        if not fitting:
            why = f"Every picture tagged {wish.value} in S3 is labelled with another gender than you asked for."
            return _empty(role, f"{why} Pick another angle, or set the gender yourself.", wish, trail)
    candidates, where, rule = _nearest(fitting, project)
    beyond = f" {where}" if rule is Rule.ANYWHERE and project else ""
    pin = wishes.pins.get(slot_id)
    if pin is not None:
        # A pin may reach beyond the project, but never to a picture that does not fit.
        chosen = next((ref for ref in fitting if ref.key == pin), None)
        trail.note_pin(pin, fits=chosen is not None)
        if chosen is None:
            why = f"The picture you pinned does not fit {wish.value} (any more): unpin it or change the {role.value}."
            return _empty(role, why, wish, trail)
        why = "pinned by you"
    else:
        trail.note(rule, where, candidates, "" if rule is Rule.ANYWHERE else project)
        chosen, why = _drawn(candidates, recent, wishes, slot_id, trail)
    return Slot(
        id=slot_id,
        role=role,
        key=chosen.key,
        etag=chosen.etag,
        group=chosen.group,
        folder=chosen.folder,
        wished=wish.value,
        wished_from=wish.source.value,
        why=f"1 of {len(candidates)}{beyond}, {why}.",
        steps=trail.done(),
        choices=len(candidates),
        pinned=pin is not None,
    )


def _drawn(
    candidates: Sequence[Reference], recent: frozenset[str], wishes: Wishes, slot_id: str, trail: Trail
) -> tuple[Reference, str]:
    """The first by the seed's tickets, or after re-rolls a later one, and the words for why."""
    given, seed = [ref.key for ref in candidates if ref.key in recent], wishes.seed
    turn = wishes.rerolls.get(slot_id, 0)
    if turn:
        if given:
            trail.note(Rule.RECENT_LAST, "what you were given last time comes last", candidates, keys=given)
        trail.note_turn(turn, seed)
        order = drawn_order(candidates, seed=seed, salt=slot_id, prefer=lambda ref: (ref.key in recent,))
        return order[turn % len(order)], f"re-rolled {turn}×, seed {seed}"
    fresh = [ref for ref in candidates if ref.key not in recent]
    if fresh and given:
        trail.note(Rule.FRESH, "not what you were given last time", fresh, keys=given)
    trail.note_draw(seed)
    return min(fresh or candidates, key=lambda ref: ticket(seed, slot_id, ref.key)), f"drawn with seed {seed}"


def _nothing_tagged(role: Role, wish: Wish, groups: Sequence[AttributeGroup], trail: Trail) -> Slot:
    tags = sorted({tag for group in groups if group.is_injectable and (tag := _tag(group, role))})
    near = tuple(NearMiss(role.value, tag, len(_pictures([g for g in groups if _tag(g, role) == tag]))) for tag in tags)
    have = f"The library has {', '.join(tags)}." if tags else f"The library has no {role.value} groups yet."
    slot = _empty(role, f"No {role.value} group in S3 is tagged {wish.value}. {have}", wish, trail)
    return Slot(**{name: getattr(slot, name) for name in Slot.__dataclass_fields__} | {"near": near})


def _nearest(fitting: Sequence[Reference], project: str) -> tuple[list[Reference], str, Rule]:
    """The pictures beside the model folder, else anywhere in its project, else in all of the library."""
    beside = [ref for ref in fitting if ref.folder is not None and parent(ref.folder) == project]
    if beside:
        return beside, f"in the project “{project}”", Rule.BESIDE
    inside = [ref for ref in fitting if ref.key.startswith(project + "/")] if project else []
    if inside:
        return inside, f"in the project “{project}”", Rule.INSIDE
    return list(fitting), "in the whole library", Rule.ANYWHERE


def _tag(group: AttributeGroup, role: Role) -> str | None:
    return group.tags.tone if role is Role.TONE else group.tags.angle


def _pictures(groups: Sequence[AttributeGroup]) -> list[Reference]:
    return [ref for group in groups for ref in group.usable]
