"""Fair choices: the smallest change of the wishes that provably makes an unfair pair fair."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from core.injection.choices import not_of_models, with_nobody
from core.injection.plan import Injection
from core.injection.request.fairness import BALANCE, Mend, MendAct, enumerated
from core.injection.request.slots import Slot
from core.injection.request.wishes import Wishes
from core.references.index import ReferenceIndex
from core.references.key import fold
from core.references.vocabulary import Role, Term, Vocabulary

V = TypeVar("V")
_PLANS_MAX = 32  # a plan costs milliseconds, and a screen waits for all of them


@dataclass(frozen=True, slots=True)
class FairChoice:
    """Wishes that give a controlled pair, and in a few words what taking them changes."""

    says: str
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class _Alternative:
    """A change to try; `{people}` in its words stands for who is then on both sides."""

    says: str
    wishes: Wishes
    leaves_people_out: bool = False


def nearest_fair_choice(
    injection: Injection, plan: Callable[[Wishes], Injection], index: ReferenceIndex, vocabulary: Vocabulary
) -> FairChoice | None:
    """The first change, from small to large, whose plan is controlled; None when the pair is fair, or none is found."""
    if injection.fairness is None or injection.fairness.controlled:
        return None
    for tried, change in enumerate(_alternatives(injection, index, vocabulary)):
        if tried == _PLANS_MAX // 2:  # each may be planned twice
            return None
        if (found := _prove(change, injection, plan)) is not None:
            return found
    return None


def _prove(change: _Alternative, before: Injection, plan: Callable[[Wishes], Injection]) -> FairChoice | None:
    """The change as a choice if its plan is fair, where need be with the slots left out that nobody shares."""
    wishes = change.wishes
    after = plan(wishes)
    if after.fairness is not None and after.fairness.differences:
        extra = [slot_id for mend in _leaving_out(after) for slot_id in mend.slots]
        if not extra:
            return None
        wishes = replace(wishes, off=wishes.off | set(extra))
        after = plan(wishes)
    if after.fairness is None or not after.fairness.controlled or _loses(before, after, change):
        return None
    return FairChoice(change.says.format(people=enumerated(_names(_models(after)))), wishes)


def _loses(before: Injection, after: Injection, change: _Alternative) -> bool:
    """Whether a pair is only fair because something that was there is gone from both sides."""
    loses_person = _has_people(before) and not change.leaves_people_out and not _models(after)
    return loses_person or (_has_tone(before) and not _has_tone(after))


def _alternatives(injection: Injection, index: ReferenceIndex, vocabulary: Vocabulary) -> Iterator[_Alternative]:
    """What could be changed, the smallest first: single slots and pins, then tone, folder, the person who is pinned,
    and people at all; the angle that was asked for only where nothing else would do.
    """
    wishes = injection.wishes
    if not wishes.balanced:
        yield _Alternative(BALANCE.says, replace(wishes, balanced=True))
    if Role.ANGLE.value in wishes.off:
        yield _Alternative("Switch the angle reference on", replace(wishes, off=wishes.off - {Role.ANGLE.value}))
    if wishes.persona is None:
        yield from _other_slots(injection)
    else:
        yield from _fewer_slots(injection)
    yield from _other_tones(injection, index, vocabulary)
    for folder in index.folders_of(Role.MODEL):
        if folder.path != injection.folder and _has_people(injection):
            name = " / ".join(folder.path.split("/")[-2:]).replace("{", "{{").replace("}", "}}")
            yield _Alternative(f"Use {name}, with {{people}} on both sides", replace(wishes, folder=folder.path))
    if wishes.persona is not None:
        yield from _drawn_people(injection)
    if injection.settled.person:
        yield _Alternative("Leave people out of both sides", with_nobody(wishes), leaves_people_out=True)
    yield from _other_angles(injection, index, vocabulary)


def _other_slots(injection: Injection) -> Iterator[_Alternative]:
    """The same tone and angle with other pictures: nothing pinned, somebody left out, or one person on both sides."""
    yield from _drawn_people(injection)
    yield from _fewer_slots(injection)
    yield from _shown_people(injection)


def _drawn_people(injection: Injection) -> Iterator[_Alternative]:
    """Whoever the draw comes to, where somebody was put in by hand or by a record."""
    drawn = _drawing_anew(injection.wishes)
    if drawn != injection.wishes:
        yield _Alternative("Let the draw put {people} on both sides", drawn)


def _fewer_slots(injection: Injection) -> Iterator[_Alternative]:
    """Without those who are on one side alone, where somebody is on both."""
    for mend in _leaving_out(injection):
        yield _Alternative(mend.says.replace("{", "{{").replace("}", "}}"), mend.applied_to(injection.wishes))


def _shown_people(injection: Injection) -> Iterator[_Alternative]:
    """Each person who is shown with the angle."""
    drawn = _drawing_anew(injection.wishes)
    for slot in _models(injection):
        pins = drawn.pins | {slot.id: slot.key or ""}
        yield _Alternative("Show {people} on both sides", replace(drawn, persona=slot.persona, pins=pins))


def _drawing_anew(wishes: Wishes) -> Wishes:
    """The wishes with nobody put in by hand or by a record."""
    return replace(
        wishes,
        persona=None,
        pins=not_of_models(wishes.pins),
        held=not_of_models(wishes.held),
        rerolls=not_of_models(wishes.rerolls),
    )


def _other_tones(injection: Injection, index: ReferenceIndex, vocabulary: Vocabulary) -> Iterator[_Alternative]:
    """Another tone that has the angle."""
    wishes, settled = injection.wishes, injection.settled
    tone = settled.tone.value if settled.tone else None
    angle = settled.angle.value if settled.angle else None
    groups = [group for group in index.model_folder(injection.folder or None).groups if group.is_injectable]
    tones = {group.tags.tone for group in groups if group.tags.angle == angle and angle is not None}
    pins = {slot_id: key for slot_id, key in wishes.pins.items() if slot_id != Role.TONE}
    for term in _beside(vocabulary.tones, tone):
        if term.id in tones and term.id != tone:
            changed = replace(wishes, tone=term.id, pins=pins)
            yield _Alternative(f"Use {term.name}{_with_people(injection)}", changed)


def _other_angles(injection: Injection, index: ReferenceIndex, vocabulary: Vocabulary) -> Iterator[_Alternative]:
    """Another angle that the library can serve with a person or an angle reference."""
    wishes, settled = injection.wishes, injection.settled
    tone = settled.tone.value if settled.tone else None
    angle = settled.angle.value if settled.angle else None
    groups = [group for group in index.model_folder(injection.folder or None).groups if group.is_injectable]
    angles = {group.tags.angle for group in groups if group.tags.tone == tone}
    if not _has_people(injection):
        angles |= {g.tags.angle for f in index.folders_of(Role.ANGLE) for g in f.groups if g.is_injectable}
    pins = {slot_id: key for slot_id, key in wishes.pins.items() if slot_id != Role.ANGLE}
    instead = f" instead of {vocabulary.angle(angle).name}" if angle is not None else ""
    for term in _beside(vocabulary.angles, angle):
        if term.id in angles and term.id != angle:
            changed = replace(wishes, angle=term.id, pins=pins)
            yield _Alternative(f"Use {term.name}{instead}{_with_people(injection)}", changed)


def _with_people(injection: Injection) -> str:
    return ", with {people} on both sides" if _has_people(injection) else ""


def _beside(terms: Sequence[Term], wished: str | None) -> list[Term]:
    """The terms, those first that stand beside the wished one: the vocabulary lists what is alike together."""
    at = next((place for place, term in enumerate(terms) if term.id == wished), 0)
    return sorted(terms, key=lambda term: abs(terms.index(term) - at))


def _models(injection: Injection) -> list[Slot]:
    """The people of the last side, which has them wherever a pair does."""
    return [slot for slot in injection.sides[-1].filled if slot.role is Role.MODEL]


def _has_people(injection: Injection) -> bool:
    return any(slot.role is Role.MODEL for plan in injection.sides for slot in plan.filled)


def _leaving_out(injection: Injection) -> list[Mend]:
    """The mends that leave somebody out."""
    differences = injection.fairness.differences if injection.fairness else ()
    mends = (difference.mend for difference in differences)
    return [mend for mend in mends if mend is not None and mend.act is MendAct.SWITCH_OFF]


def _has_tone(injection: Injection) -> bool:
    return any(slot.filled for plan in injection.sides for slot in plan.slots if slot.role is Role.TONE)


def _names(slots: Iterable[Slot]) -> list[str]:
    names = (slot.persona or slot.name or "" for slot in slots)
    return list({fold(name): name for name in names}.values())
