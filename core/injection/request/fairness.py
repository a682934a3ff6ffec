"""Fairness: in what two requests differ besides the one factor that is to vary, and what would mend it.

The judge knows nothing of how a pair was planned. It compares the two requests field by field as they would be sent,
and whatever is not the declared factor is a difference: `docs/decisions/054-fair-in-every-field.md`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from core.injection.request.sent import SentPicture, SentSide
from core.injection.request.wishes import Strength, Varies, Wishes
from core.references.key import file_name
from core.references.vocabulary import Role

BALANCE_MENDS: Final = frozenset({"person", "number of person references", "order", "angle of the person"})


class MendAct(StrEnum):
    """What is done to mend a difference."""

    BALANCE = "balance"
    SWITCH_OFF = "switch-off"
    SWITCH_ON = "switch-on"
    SAME_STRENGTH = "same-strength"


@dataclass(frozen=True, slots=True)
class Mend:
    """The one change of the wishes that does away with a difference, and in a few words what it is.

    `slots` are the ids of those that are switched off or on, or followed at `strength` from then on.
    """

    says: str
    act: MendAct
    slots: tuple[str, ...] = ()
    strength: Strength | None = None

    def applied_to(self, wishes: Wishes) -> Wishes:
        """The wishes with this one change."""
        match self.act:
            case MendAct.BALANCE:
                return replace(wishes, balanced=True)
            case MendAct.SWITCH_OFF:
                return replace(wishes, off=wishes.off | set(self.slots))
            case MendAct.SWITCH_ON:
                return replace(wishes, off=wishes.off - set(self.slots))
            case MendAct.SAME_STRENGTH:
                strength = self.strength or Strength.NORMAL
                return replace(wishes, strengths=wishes.strengths | dict.fromkeys(self.slots, strength))


BALANCE: Final = Mend("Balance both sides", MendAct.BALANCE)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something other than the declared factor that is not the same on both sides, and the change that mends it.

    `switch_off` stands in records of version 1 alone, in the place of a mend: the slots that were one too many.
    """

    what: str
    says: str
    mend: Mend | None = None
    switch_off: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fairness:
    """The verdict on a pair of sides. `note` says what a fair pair does not compare, if that is not plain."""

    differences: tuple[Difference, ...]
    note: str = ""

    @property
    def controlled(self) -> bool:
        """Whether nothing but the declared factor differs."""
        return not self.differences


def judge(one: SentSide, other: SentSide, varies: Varies = Varies.ANGLE) -> Fairness:
    """Compare two requests as they would be sent; the mends are what two requests tell, unproven.

    `one` is tone only, or A; `other` is tone + angle, or B.
    """
    found = [
        *_nothing_varies(one, other, varies),
        *_renders(one, other, varies),
        *_texts(one, other, varies),
        *_tones(one, other, varies),
        *_angles(one, other, varies),
        *_people(one, other, varies),
        *_strengths(one, other, varies),
    ]
    if not found and _lines(one, varies) != _lines(other, varies):
        found.append(Difference("attached pictures", "What is said of the attached pictures differs."))
    return Fairness(tuple(found), _note(one, other, varies))


def _nothing_varies(one: SentSide, other: SentSide, varies: Varies) -> Iterator[Difference]:
    """Whether what is to vary varies at all."""
    match varies:
        case Varies.ANGLE:
            yield from _no_angle(other)
        case Varies.MODEL if one.render == other.render:
            says = "Both sides are made by the same image model: choose another model or quality for B."
            yield Difference("model", says)
        case Varies.TONE_WAY if not one.of(Role.TONE):
            says = "A has no tone reference whose way could vary: pick a tone that the library has a reference for."
            yield Difference("tone reference", says)
        case Varies.STRENGTH if len(_stronger(one, other)) != 1:
            yield Difference("strength", _one_strength_words(one, other))


def _no_angle(other: SentSide) -> Iterator[Difference]:
    if any(picture.angle is not None for picture in other.pictures if picture.role is not Role.TONE):
        return
    if other.of(Role.ANGLE):
        yield Difference("angle", "The angle reference of tone + angle lies in a group that is tagged with no angle.")
    elif other.angle is None:
        yield Difference("angle", "Tone + angle has no angle to add: pick one.")
    else:
        says = f"No reference in tone + angle shows the angle {other.angle}: only the words of the prompt would differ."
        yield Difference("angle", says, Mend("Switch the angle reference on", MendAct.SWITCH_ON, (Role.ANGLE.value,)))


def _one_strength_words(one: SentSide, other: SentSide) -> str:
    if _stronger(one, other):
        return "More than one reference is followed otherwise on B: choose one, the tone or the angle."
    if not (one.of(Role.TONE) or one.of(Role.ANGLE)):
        return "Neither side has a tone or an angle reference whose strength could vary."
    return "Both sides follow their references alike: choose how closely B follows the tone or the angle reference."


def _renders(one: SentSide, other: SentSide, varies: Varies) -> Iterator[Difference]:
    names = {"engine": "engine", "model": "image model", "quality": "quality", "size": "size"}
    for field, name in names.items():
        if varies is Varies.MODEL and field != "size":
            continue
        mine, theirs = getattr(one.render, field, None), getattr(other.render, field, None)
        if mine != theirs:
            yield Difference(name, f"The {name} differs: {mine} and {theirs}.")


def _texts(one: SentSide, other: SentSide, varies: Varies) -> Iterator[Difference]:
    """Every section of the prompt but what is said of pictures, which goes by the pictures."""
    titles = {section.title: None for side in (one, other) for section in side.sections}
    for title in titles:
        mine, theirs = one.text(title), other.text(title)
        if title == "Angle" and varies is Varies.ANGLE:
            if mine is not None:
                yield Difference("prompt", f"{_title(one)} asks for an angle, too.")
        elif title != "Attached pictures" and mine != theirs:
            yield Difference("prompt", f"The section “{title}” of the prompt differs.")
    order = [[section.title for section in side.sections if section.title not in _APART] for side in (one, other)]
    if sorted(order[0]) == sorted(order[1]) and order[0] != order[1]:
        yield Difference("prompt", "The sections of the prompt stand in another order.")


_APART = frozenset({"Angle", "Attached pictures"})


def _tones(one: SentSide, other: SentSide, varies: Varies) -> Iterator[Difference]:
    mine, theirs = one.of(Role.TONE), other.of(Role.TONE)
    if varies is Varies.TONE_WAY:
        if theirs:
            yield Difference("tone reference", "B has a tone reference, too: its tone was to go in words alone.")
    elif _bytes_of(mine) != _bytes_of(theirs):
        yield Difference("tone reference", f"The tone reference differs: {_listed(mine)} and {_listed(theirs)}.")


def _angles(one: SentSide, other: SentSide, varies: Varies) -> Iterator[Difference]:
    mine, theirs = one.of(Role.ANGLE), other.of(Role.ANGLE)
    if varies is Varies.ANGLE:
        if mine:
            yield Difference("angle reference", f"{_title(one)} has an angle reference, too: {_listed(mine)}.")
    elif _bytes_of(mine) != _bytes_of(theirs):
        yield Difference("angle reference", f"The angle reference differs: {_listed(mine)} and {_listed(theirs)}.")


def _people(one: SentSide, other: SentSide, varies: Varies) -> Iterator[Difference]:
    mine, theirs = one.of(Role.MODEL), other.of(Role.MODEL)
    if varies is not Varies.ANGLE:
        if _bytes_of(mine) != _bytes_of(theirs):
            says = f"The person references differ: {_listed(mine)} and {_listed(theirs)}."
            yield Difference("person", says)
        return
    names, others = {picture.who for picture in mine}, {picture.who for picture in theirs}
    if names != others:
        yield _other_people(one, other, shared=bool(names & others))
    if len(mine) != len(theirs):
        counts = f"{_title(one)} has {_count(mine)} and {_title(other).lower()} {len(theirs) or 'none'}"
        yield Difference("number of person references", f"{counts}.", _left_out(_surplus(mine, theirs)))
    elif names == others and [picture.who for picture in mine] != [picture.who for picture in theirs]:
        yield Difference("order", "The person references stand in another order, by whom they show.")
    tones, other_tones = ({picture.tone for picture in side} for side in (mine, theirs))
    if mine and theirs and tones != other_tones:
        says = f"The person references are of other tones: {_listed(mine)} and {_listed(theirs)}."
        yield Difference("tone of the person", says)
    shown = {other.angle} | {picture.angle for picture in other.pictures if picture.role is not Role.TONE}
    already = [picture for picture in mine if picture.angle is not None and picture.angle in shown]
    if already:
        says = f"{_title(one)} already shows the angle {already[0].angle}: {_listed(already)}."
        yield Difference("angle of the person", says, _left_out(already))


def _other_people(one: SentSide, other: SentSide, *, shared: bool) -> Difference:
    """Who is on one side only."""
    mine, theirs = one.of(Role.MODEL), other.of(Role.MODEL)
    parts, extra = [], list[SentPicture]()
    for side, pictures, beside in ((one, mine, theirs), (other, theirs, mine)):
        there = {picture.who for picture in beside}
        if only := [picture for picture in pictures if picture.who not in there]:
            names = ", ".join({picture.who: picture.persona or file_name(picture.key) for picture in only}.values())
            parts.append(f"{_title(side).lower()} shows {names}, the other side does not")
            extra += only
    return Difference("person", f"The person differs: {'; '.join(parts)}.", _left_out(extra) if shared else None)


def _strengths(one: SentSide, other: SentSide, varies: Varies) -> Iterator[Difference]:
    """How closely the same reference is followed; people's by their places, for they are other pictures of them."""
    if varies is Varies.STRENGTH:
        return
    for role in (Role.TONE, Role.ANGLE):
        for mine, theirs in zip(one.of(role), other.of(role), strict=False):
            if mine.strength is not theirs.strength:
                yield _strength_difference(f"The {role.value} reference", mine, theirs, (mine, theirs))
    people, others = one.of(Role.MODEL), other.of(Role.MODEL)
    if len(people) != len(others):
        return
    for mine, theirs in zip(people, others, strict=True):
        if mine.strength is not theirs.strength:
            name = mine.persona or file_name(mine.key)
            yield _strength_difference(name, mine, theirs, (*people, *others))
            return


def _strength_difference(
    name: str, mine: SentPicture, theirs: SentPicture, pictures: Iterable[SentPicture]
) -> Difference:
    strength = mine.strength if mine.strength is not Strength.NORMAL else theirs.strength
    slots = tuple(dict.fromkeys(picture.slot_id for picture in pictures))
    mend = Mend(f"Follow both at {strength.value.capitalize()}", MendAct.SAME_STRENGTH, slots, strength)
    says = f"{name} is followed at {mine.strength.value} on one side and at {theirs.strength.value} on the other."
    return Difference("strength", says, mend)


def _stronger(one: SentSide, other: SentSide) -> list[SentPicture]:
    """The pictures that B follows otherwise than A."""
    pairs = zip(one.pictures, other.pictures, strict=False)
    return [mine for mine, theirs in pairs if mine.strength is not theirs.strength]


def _lines(side: SentSide, varies: Varies) -> list[str]:
    """What is said of each attached picture that is no part of the factor, without the numbers.

    The last net: a sentence that no field above stands for is found by its words.
    """
    free = {Varies.ANGLE: Role.ANGLE, Varies.TONE_WAY: Role.TONE}.get(varies)
    apart = {f"Picture {picture.number} " for picture in side.pictures if picture.role is free}
    if varies is Varies.STRENGTH:
        apart = {f"Picture {picture.number} " for picture in side.pictures if picture.role is not Role.MODEL}
    lines = (side.text("Attached pictures") or "").splitlines()
    return [re.sub(r"\d+", "#", line) for line in lines if not line.startswith(tuple(apart))]


def _note(one: SentSide, other: SentSide, varies: Varies) -> str:
    """A pair without a tone reference is fair, for both lack it, but it is no comparison on top of a tone."""
    said = []
    if varies is Varies.ANGLE and not one.of(Role.TONE):
        has_people = bool(one.of(Role.MODEL))
        people = "Neither side has a tone reference: only the person references carry the tone."
        nothing = "Neither side has a tone reference: this compares an angle reference with no reference at all."
        said.append(people if has_people else nothing)
    unknown = [picture for picture in one.of(Role.MODEL) if picture.angle is None]
    if varies is Varies.ANGLE and unknown and other.of(Role.MODEL):
        said.append(f"Which angle {_listed(unknown)} shows is not known: the name of its group says none.")
    return " ".join(said)


def _left_out(extra: Sequence[SentPicture]) -> Mend | None:
    """Switch off what one side alone has."""
    if not extra:
        return None
    names = dict.fromkeys(picture.persona or file_name(picture.key) for picture in extra)
    slots = tuple(dict.fromkeys(picture.slot_id for picture in extra))
    return Mend(f"Leave out {enumerated(list(names))}", MendAct.SWITCH_OFF, slots)


def _surplus(mine: Sequence[SentPicture], theirs: Sequence[SentPicture]) -> list[SentPicture]:
    """The pictures of the side with more that have none of the same person beside them, the last ones first."""
    more, fewer = (mine, theirs) if len(mine) > len(theirs) else (theirs, mine)
    left, surplus = Counter(picture.who for picture in fewer), list[SentPicture]()
    for picture in more:
        if left[picture.who] > 0:
            left[picture.who] -= 1
        else:
            surplus.append(picture)
    return surplus


def _bytes_of(pictures: Sequence[SentPicture]) -> list[tuple[str, str | None]]:
    return [(picture.key, picture.etag) for picture in pictures]


def _listed(pictures: Sequence[SentPicture]) -> str:
    """Files by name; where two of one name differ, by key."""
    return ", ".join(f"“{file_name(picture.key)}”" for picture in pictures) or "none"


def _count(pictures: Sequence[SentPicture]) -> str:
    return f"{len(pictures) or 'no'} person reference{'s' if len(pictures) != 1 else ''}"


def _title(side: SentSide) -> str:
    return side.name.heading


def enumerated(names: Sequence[str]) -> str:
    """Names in a sentence: "Ada, Ben and Cho"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
