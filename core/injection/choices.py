"""Choices: what a designer sets by hand, one act at a time. The newest counts, and what gives way to it is named.

Every act takes wishes and gives new ones. What it overrules is worked out from the two, not remembered by each act, so
that none can drop a choice in silence. The design decides: `docs/decisions/047-the-newest-choice.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from core.errors import InputError
from core.injection.plan import pinned_tag
from core.injection.reading.reader import Reading
from core.injection.request.fairness import Mend, enumerated
from core.injection.request.slots import ANYTHING, Loosen, NearMiss, Slot
from core.injection.request.wishes import Ages, Mode, PersonWish, Strength, Varies, Wishes
from core.injection.selection.narrowing import LabelLookup
from core.labels.published.label_index import Claim
from core.labels.published.schema import AGE_RANGES, Gender
from core.references.index import ReferenceIndex
from core.references.key import file_name, fold, persona_of
from core.references.reference import Reference
from core.references.vocabulary import Role, Term

V = TypeVar("V")
_MODEL: Final = "model:"
VARIES: Final[Mapping[Varies, str]] = {
    Varies.ANGLE: "Angle",
    Varies.MODEL: "Model",
    Varies.TONE_WAY: "Tone's way",
    Varies.STRENGTH: "Strength",
}
_GENDERS: Final[Mapping[Gender | None, str]] = {Gender.FEMININE: "Woman", Gender.MASCULINE: "Man"}


@dataclass(frozen=True, slots=True)
class Grounds:
    """What choices are judged by: the library, what is known of its portraits, and what the prompt says."""

    index: ReferenceIndex
    labels: LabelLookup
    reading: Reading


@dataclass(frozen=True, slots=True)
class Overruled:
    """What gave way to an act, both in words, and the wishes from before it."""

    act: str
    gave_way: tuple[str, ...]
    before: Wishes

    @property
    def says(self) -> str:
        """The sentence for people."""
        return f"{self.act}: {enumerated(self.gave_way)} gave way."


@dataclass(frozen=True, slots=True)
class Chosen:
    """The wishes after an act, and what it overruled, if anything."""

    wishes: Wishes
    overruled: Overruled | None = None


def explicit(wishes: Wishes) -> dict[str, object]:
    """Every choice that stands in these wishes, by what it is about.

    The mode and the strengths overrule nothing. What varies and the balance are choices where they are not the usual.
    """
    single: dict[str, object] = {
        "tone": wishes.tone,
        "angle": wishes.angle,
        "folder": wishes.folder,
        "person": None if wishes.person is PersonWish.AUTO else wishes.person,
        "gender": wishes.gender,
        "age": wishes.ages,
        "persona": wishes.persona and fold(wishes.persona),
        "varies": None if wishes.varies is Varies.ANGLE else wishes.varies,
        "balanced": None if wishes.balanced else False,
    }
    chosen = {about: value for about, value in single.items() if value is not None}
    return chosen | {f"pin {at}": key for at, key in wishes.pins.items()} | {f"off {at}": True for at in wishes.off}


def pick_tone(wishes: Wishes, tone: str | None, grounds: Grounds) -> Chosen:
    """Pick a tone, or none any more; a pinned tone picture of another one gives way."""
    return _pick_tag(wishes, Role.TONE, tone, grounds)


def pick_angle(wishes: Wishes, angle: str | None, grounds: Grounds) -> Chosen:
    """Pick an angle, or none any more; a pinned angle picture of another one gives way."""
    return _pick_tag(wishes, Role.ANGLE, angle, grounds)


def set_person(wishes: Wishes, person: PersonWish, grounds: Grounds) -> Chosen:
    """Ask for a person, for nobody, or leave it to the prompt; for nobody, all that says who it is gives way."""
    after = replace(wishes, person=person)
    if person is PersonWish.NO:
        after = with_nobody(wishes)
    said = {PersonWish.YES: "Yes", PersonWish.NO: "No", PersonWish.AUTO: "what the prompt says"}[person]
    return _chosen(wishes, after, f"You set Person to {said}", grounds, own={"person"})


def with_nobody(wishes: Wishes) -> Wishes:
    """The wishes for nobody, and so without anything that says who it is."""
    return replace(wishes, person=PersonWish.NO, gender=None, ages=None, persona=None, pins=not_of_models(wishes.pins))


def set_gender(wishes: Wishes, gender: Gender | None, grounds: Grounds) -> Chosen:
    """Pick a gender, or leave it to the prompt; a pinned person who is labelled otherwise gives way."""
    after = replace(wishes, gender=gender)
    if gender is not None:
        after = _keeping_to(replace(after, person=_unless_no(wishes.person)), Claim(gender=gender.value), grounds)
    said = _GENDERS.get(gender, gender or "what the prompt says")
    return _chosen(wishes, after, f"You set Gender to {said}", grounds, own={"gender"})


def set_ages(wishes: Wishes, ages: Ages | None, grounds: Grounds) -> Chosen:
    """Pick an age range, or leave it to the prompt; a pinned person who is labelled otherwise gives way."""
    after = replace(wishes, ages=ages)
    if ages is not None:
        after = _keeping_to(
            replace(after, person=_unless_no(wishes.person)), Claim(ages=(ages.low, ages.high)), grounds
        )
    return _chosen(wishes, after, f"You set Age to {ages or 'what the prompt says'}", grounds, own={"age"})


def set_folder(wishes: Wishes, folder: str | None, grounds: Grounds) -> Chosen:
    """Choose a model folder. What is pinned in another one waits there, and its person is looked for here."""
    return _chosen(wishes, replace(wishes, folder=folder), "You chose a person folder", grounds, own={"folder"})


def set_mode(wishes: Wishes, mode: Mode, grounds: Grounds) -> Chosen:
    """Choose what is made: nothing gives way to it."""
    return _chosen(wishes, replace(wishes, mode=mode), "You chose a mode", grounds)


def set_varies(wishes: Wishes, varies: Varies, grounds: Grounds) -> Chosen:
    """Choose the one thing that varies: nothing gives way to it, and what the other factors would vary waits.

    For the strength B follows the tone otherwise than A, until somebody says otherwise: nothing would vary else.
    """
    after = replace(wishes, varies=varies)
    if varies is Varies.STRENGTH and not wishes.strengths_b:
        usual = wishes.strengths.get(Role.TONE.value, Strength.NORMAL)
        other = Strength.NORMAL if usual is Strength.STRONG else Strength.STRONG
        after = replace(after, strengths_b={Role.TONE.value: other})
    return _chosen(wishes, after, "You chose what varies", grounds, own={"varies"})


def set_balanced(wishes: Wishes, balanced: bool, grounds: Grounds) -> Chosen:
    """Balance both sides, or plan them as each mode alone: nothing gives way to it.

    What is pinned where a balanced pair has no place for it waits, and its slot says so.
    """
    return _chosen(wishes, replace(wishes, balanced=balanced), "You chose the balance", grounds, own={"balanced"})


def mend(wishes: Wishes, how: Mend, grounds: Grounds) -> Chosen:
    """Press the button that mends a difference."""
    own = {"balanced", *(f"off {slot_id}" for slot_id in how.slots)}
    return _chosen(wishes, how.applied_to(wishes), "You mended a difference", grounds, own=own)


def pin(wishes: Wishes, slot_id: str, key: str, grounds: Grounds) -> Chosen:
    """Keep this picture in its slot: of a model picture the person, in every slot, and the picture for its own group.

    What speaks against it gives way: the tone or the angle that is picked, another person, a gender or an age that it
    is not labelled with, Person set to No, the slot switched off, and what was pinned there before.
    """
    after = _pinned(wishes, slot_id, key, grounds)
    return _chosen(wishes, after, f"You pinned {_quoted(key)}", grounds)


def use(wishes: Wishes, references: Sequence[Reference], grounds: Grounds) -> Chosen:
    """Put pictures into their slots together. Raises InputError for one that cannot be injected, or two for one slot.

    Everything else stays as it is but for what speaks against them, as with `pin`; the model folder follows a picture
    from another one.
    """
    for reference in references:
        if reference.role is None or reference.group is None or reference.problem is not None:
            raise InputError("“{}” cannot be put into a slot: open its details to see why.", reference.name)
        if lacks_its_tag(reference):
            raise InputError(
                "“{}” fits no slot: no {} stands in the name of its group.", reference.name, slot_of(reference)
            )
    if clashing(references):
        raise InputError("Several of these pictures want the same slot: choose one for each.")
    after = wishes
    for reference in references:
        after = _pinned(after, slot_of(reference), reference.key, grounds)
    folders = [reference.folder for reference in references if reference.role is Role.MODEL]
    if folders and wishes.folder not in folders:
        after = replace(after, folder=folders[0])
    names = enumerated([_quoted(reference.key) for reference in references])
    return _chosen(wishes, after, f"You put in {names}", grounds)


def waiting(wishes: Wishes, slots: Iterable[Slot]) -> tuple[str, ...]:
    """The slot ids of pinned pictures that no slot of a plan can show, and whose person, for they name none, nobody
    looks for: they wait for a plan with their group.
    """
    planned = {slot.id for slot in slots}
    return tuple(at for at, key in wishes.pins.items() if at not in planned and persona_of(key) is None)


def slot_of(reference: Reference) -> str:
    """The id of the slot that a picture fits in."""
    if reference.role is Role.MODEL:
        return f"{_MODEL}{reference.folder}/{reference.group}"
    return reference.role.value if reference.role else ""


def lacks_its_tag(reference: Reference) -> bool:
    """Whether it is a tone reference of no tone, or an angle reference of no angle: no wish can ever ask for it."""
    tags = {Role.TONE: reference.tone, Role.ANGLE: reference.angle}
    return reference.role in tags and tags[reference.role] is None


def clashing(references: Iterable[Reference]) -> tuple[tuple[Reference, ...], ...]:
    """The pictures that cannot go in together, of each of which one has to be chosen: of one slot, or of two people."""
    by_slot: dict[str, list[Reference]] = {}
    people: dict[str, list[Reference]] = {}
    for reference in references:
        by_slot.setdefault(slot_of(reference), []).append(reference)
        if reference.role is Role.MODEL:
            people.setdefault(fold(reference.persona or ""), []).append(reference)
    if len(people) > 1:
        by_slot = {at: refs for at, refs in by_slot.items() if not at.startswith(_MODEL)}
        by_slot[_MODEL] = [ref for refs in people.values() for ref in refs]
    return tuple(tuple(refs) for refs in by_slot.values() if len(refs) > 1)


def unpin(wishes: Wishes, slot_id: str, grounds: Grounds) -> Chosen:
    """Let the draw decide again; the person goes with the last picture that brought them."""
    pins = _without(wishes.pins, slot_id)
    after = replace(wishes, pins=pins)
    if slot_id.startswith(_MODEL) and not _pins_of(after, wishes.persona):
        after = replace(after, persona=None)
    return _chosen(wishes, after, "You unpinned a picture", grounds, own={f"pin {slot_id}", "persona"})


def let_go(wishes: Wishes, grounds: Grounds) -> Chosen:
    """Let go of the pinned person and all their pictures."""
    theirs = _pins_of(wishes, wishes.persona)
    after = replace(wishes, persona=None, pins={at: key for at, key in wishes.pins.items() if at not in theirs})
    return _chosen(
        wishes, after, "You let the person go", grounds, own={"persona", *(f"pin {slot_id}" for slot_id in theirs)}
    )


def reroll(wishes: Wishes, slot_id: str, grounds: Grounds) -> Chosen:
    """Take the next picture in the draw's order. A pin gives way, its person stays, and the turns start at its picture.

    What a record drew is where they start as well, so that each turn shows another picture.
    """
    turn = wishes.rerolls.get(slot_id, 0) + 1
    after = replace(wishes, rerolls={**wishes.rerolls, slot_id: turn}, pins=_without(wishes.pins, slot_id))
    if slot_id in wishes.pins:
        held = {**wishes.held, slot_id: wishes.pins[slot_id]}
        after = replace(after, held=held, rerolls={**wishes.rerolls, slot_id: 1})
    return _chosen(wishes, after, "You re-rolled a slot", grounds)


def switch_off(wishes: Wishes, slot_ids: Iterable[str], grounds: Grounds) -> Chosen:
    """Leave these slots empty; what is pinned there waits."""
    return _chosen(wishes, replace(wishes, off=wishes.off | set(slot_ids)), "You switched a slot off", grounds)


def switch_on(wishes: Wishes, slot_id: str, grounds: Grounds) -> Chosen:
    """Fill the slot again."""
    after = replace(wishes, off=wishes.off - {slot_id})
    return _chosen(wishes, after, "You switched a slot on", grounds, own={f"off {slot_id}"})


def shuffle(wishes: Wishes, seed: int, grounds: Grounds) -> Chosen:
    """Draw everything anew that is not pinned: re-rolls and what a record drew are let go of."""
    return _chosen(wishes, replace(wishes, seed=seed, rerolls={}, held={}), "You shuffled", grounds)


def loosen(wishes: Wishes, miss: NearMiss, grounds: Grounds) -> Chosen:
    """Change the one wish that a near miss names, as picking that value would. Raises InputError for an unknown one."""
    to = miss.to
    match miss.loosen:
        case Loosen.FOLDER:
            return set_folder(wishes, to, grounds)
        case Loosen.TONE:
            return pick_tone(wishes, to, grounds)
        case Loosen.ANGLE:
            return pick_angle(wishes, to, grounds)
        case Loosen.PERSONA:
            return let_go(wishes, grounds) if to == ANYTHING else _name(wishes, to, grounds)
        case Loosen.GENDER if to in {ANYTHING, *Gender}:
            return set_gender(wishes, None if to == ANYTHING else Gender(to), grounds)
        case Loosen.AGE if to == ANYTHING or to in {name for name, _, _ in AGE_RANGES}:
            return set_ages(wishes, None if to == ANYTHING else _years(to), grounds)
        case Loosen.PERSON:
            return set_person(wishes, PersonWish.YES, grounds)
        case Loosen.MODE if to in set(Mode):
            return set_mode(wishes, Mode(to), grounds)
        case Loosen.BALANCED:
            return set_balanced(wishes, False, grounds)
        case Loosen.PIN:
            return _chosen(
                wishes,
                replace(wishes, pins=_without(wishes.pins, to)),
                "You unpinned a picture",
                grounds,
                {f"pin {to}"},
            )
    raise InputError("Nobody knows how to loosen {} to “{}”: change it in the composer.", miss.loosen, to)


def changed(before: Wishes, now: Wishes) -> frozenset[str]:
    """The fields of the composer that were changed by hand from one run to the next, by their names in `Wishes`."""
    return frozenset(name for name in _BY_HAND if getattr(before, name) != getattr(now, name))


def made(before: Wishes, now: Wishes, grounds: Grounds) -> Chosen:
    """The acts of somebody who has changed fields of the composer by hand, in the order in which they stand there.

    What they overrule is taken back together.
    """
    start = chosen = Chosen(replace(now, **{name: getattr(before, name) for name in _BY_HAND}))
    said: list[Overruled] = []
    for name, act in _BY_HAND.items():
        if getattr(before, name) != getattr(now, name):
            chosen = act(chosen.wishes, getattr(now, name), grounds)
            said += [chosen.overruled] if chosen.overruled else []
    words = tuple(dict.fromkeys(word for each in said for word in each.gave_way))
    return replace(chosen, overruled=Overruled(said[-1].act, words, start.wishes) if said else None)


def adopt(wishes: Wishes, other: Wishes, grounds: Grounds) -> Chosen:
    """Take over wishes that were worked out as a whole, such as a fair choice."""
    return _chosen(wishes, other, "You took another choice", grounds)


def take_back(wishes: Wishes, overruled: Overruled) -> Wishes:
    """The choices from before an act again; what is no choice, such as the prompt and the seed, stays."""
    was = overruled.before
    return replace(
        wishes,
        tone=was.tone,
        angle=was.angle,
        folder=was.folder,
        person=was.person,
        gender=was.gender,
        ages=was.ages,
        persona=was.persona,
        pins=was.pins,
        held=was.held,
        rerolls=was.rerolls,
        off=was.off,
        varies=was.varies,
        balanced=was.balanced,
        strengths_b=was.strengths_b,
    )


def as_recorded(wishes: Wishes, slots: Iterable[Slot]) -> Wishes:
    """The wishes of a record that was opened: what it drew is held, and only what was pinned is pinned.

    Records from before a pin meant its person name none: the pinned one is meant where all slots show them.
    """
    filled = [slot for slot in slots if slot.key]
    held = {slot.id: slot.key for slot in filled if slot.key and wishes.pins.get(slot.id) != slot.key}
    shown = {slot.persona for slot in filled if slot.role is Role.MODEL}
    pinned = {persona_of(key) for slot_id, key in wishes.pins.items() if slot_id.startswith(_MODEL)}
    persona = wishes.persona or (next(iter(pinned)) if len(pinned) == 1 and shown == pinned else None)
    return replace(wishes, persona=persona, held=held, rerolls={})


_BY_HAND: Final[Mapping[str, Callable[[Wishes, Any, Grounds], Chosen]]] = {
    "mode": set_mode,
    "tone": pick_tone,
    "angle": pick_angle,
    "folder": set_folder,
    "person": set_person,
    "gender": set_gender,
    "ages": set_ages,
    "varies": set_varies,
    "balanced": set_balanced,
}


def _chosen(before: Wishes, after: Wishes, act: str, grounds: Grounds, own: Iterable[str] = ()) -> Chosen:
    """The act's outcome; `own` is what the act is about, which needs no word where it changes."""
    now, own = explicit(after), set(own)
    lost = [about for about, value in explicit(before).items() if now.get(about) != value and about not in own]
    gave_way = tuple(_words_of(lost, before, grounds))
    return Chosen(after, Overruled(act, gave_way, before) if gave_way else None)


def _words_of(lost: Sequence[str], before: Wishes, grounds: Grounds) -> Iterator[str]:
    """What gave way, in the words of the screen; with a person, their pictures need none of their own."""
    theirs = _pins_of(before, before.persona) if "persona" in lost else {}
    vocabulary = grounds.index.vocabulary
    words = {
        "tone": f"the tone {_name_of(vocabulary.tones, before.tone)}",
        "angle": f"the angle {_name_of(vocabulary.angles, before.angle)}",
        "folder": f"the person folder “{before.folder}”",
        "person": f"Person: {before.person.value.capitalize()}",
        "gender": f"Gender: {_GENDERS.get(before.gender, '')}",
        "age": f"Age: {before.ages}",
        "persona": f"the pinned person {before.persona}",
        "varies": f"Varies: {VARIES[before.varies]}",
        "balanced": "As each mode alone",
    }
    for about in lost:
        kind, _, slot_id = about.partition(" ")
        if kind == "pin" and slot_id not in theirs:
            yield f"the pinned {_quoted(before.pins[slot_id])}"
        elif kind == "off":
            yield f"the switched-off slot “{file_name(slot_id)}”"
        elif kind != "pin":
            yield words[kind]


def _pick_tag(wishes: Wishes, role: Role, tag: str | None, grounds: Grounds) -> Chosen:
    term = _name_of((*grounds.index.vocabulary.tones, *grounds.index.vocabulary.angles), tag)
    after = replace(wishes, tone=tag) if role is Role.TONE else replace(wishes, angle=tag)
    pinned = pinned_tag(grounds.index, wishes.pins, role)
    if tag is not None and pinned not in (None, tag):
        after = replace(after, pins=_without(wishes.pins, role.value))
    return _chosen(wishes, after, f"You picked {term}", grounds, own={role.value})


def _pinned(wishes: Wishes, slot_id: str, key: str, grounds: Grounds) -> Wishes:
    """The wishes with a picture in its slot, and without what speaks against it."""
    after = replace(
        wishes,
        pins={**wishes.pins, slot_id: key},
        held=_without(wishes.held, slot_id),
        rerolls=_without(wishes.rerolls, slot_id),
        off=wishes.off - {slot_id},
    )
    if slot_id.startswith(_MODEL):
        return _with_person_of(after, key, grounds)
    tag = pinned_tag(grounds.index, after.pins, Role(slot_id))
    if slot_id == Role.TONE and tag not in (None, wishes.tone or grounds.reading.tone):
        after = replace(after, tone=tag)
    if slot_id == Role.ANGLE and tag not in (None, wishes.angle or grounds.reading.angle):
        after = replace(after, angle=tag)
    return after


def _with_person_of(wishes: Wishes, key: str, grounds: Grounds) -> Wishes:
    """The wishes with the person of a model picture that was just pinned; one that names nobody means itself alone."""
    persona, listed = persona_of(key), grounds.index.get(key)
    same = fold(persona or "")
    pins = {
        at: pin for at, pin in wishes.pins.items() if not at.startswith(_MODEL) or fold(persona_of(pin) or "") == same
    }
    person = _unless_no(wishes.person)
    if persona is None and not grounds.reading.person:
        person = PersonWish.YES
    after = replace(wishes, persona=persona, pins=pins, person=person)
    if listed is not None and after.gender and _denies(listed, Claim(gender=after.gender.value), grounds):
        after = replace(after, gender=None)
    if listed is not None and (ages := after.ages) and _denies(listed, Claim(ages=(ages.low, ages.high)), grounds):
        after = replace(after, ages=None)
    return after


def _name(wishes: Wishes, persona: str, grounds: Grounds) -> Chosen:
    """Ask for a person by name; other people's pinned pictures give way."""
    theirs = _pins_of(wishes, persona)
    pins = {at: key for at, key in wishes.pins.items() if not at.startswith(_MODEL) or at in theirs}
    after = replace(wishes, persona=persona, pins=pins, person=_unless_no(wishes.person))
    return _chosen(wishes, after, f"You asked for {persona}", grounds)


def _keeping_to(wishes: Wishes, claim: Claim, grounds: Grounds) -> Wishes:
    """The wishes without pinned people and pictures whose labels deny the claim. What no label says stays."""
    denied = {
        slot_id
        for slot_id, key in wishes.pins.items()
        if slot_id.startswith(_MODEL) and (ref := grounds.index.get(key)) and _denies(ref, claim, grounds)
    }
    pins = {slot_id: key for slot_id, key in wishes.pins.items() if slot_id not in denied}
    theirs = _pictures_of(wishes.persona, grounds.index) if wishes.persona else ()
    if any(_denies(ref, claim, grounds) for ref in theirs) and not grounds.labels.select(claim, theirs):
        pins = {slot_id: key for slot_id, key in pins.items() if slot_id not in _pins_of(wishes, wishes.persona)}
        return replace(wishes, persona=None, pins=pins)
    return replace(wishes, pins=pins)


def _denies(reference: Reference, claim: Claim, grounds: Grounds) -> bool:
    """Whether the picture's label says something else; one that says nothing denies nothing."""
    label = grounds.labels.find(reference.key, reference.etag).current
    if label is None:
        return False
    is_said = label.gender_presentation is not None if claim.gender else label.ages is not None
    return is_said and not claim.made_by(label)


def _pictures_of(persona: str, index: ReferenceIndex) -> tuple[Reference, ...]:
    groups = (group for folder in index.folders_of(Role.MODEL) for group in folder.groups)
    return tuple(ref for group in groups for ref in group.people.get(fold(persona), ()))


def _pins_of(wishes: Wishes, persona: str | None) -> dict[str, str]:
    """The pinned pictures of a person, by slot id."""
    if persona is None:
        return {}
    models = ((at, key) for at, key in wishes.pins.items() if at.startswith(_MODEL))
    return {at: key for at, key in models if fold(persona_of(key) or "") == fold(persona)}


def _years(name: str) -> Ages:
    low, high = next((low, high) for each, low, high in AGE_RANGES if each == name)
    return Ages(low, high)


def _unless_no(person: PersonWish) -> PersonWish:
    return PersonWish.AUTO if person is PersonWish.NO else person


def not_of_models(by_slot: Mapping[str, V]) -> dict[str, V]:
    """What there is of slots other than those of people."""
    return {slot_id: value for slot_id, value in by_slot.items() if not slot_id.startswith(_MODEL)}


def _without(by_slot: Mapping[str, V], slot_id: str) -> dict[str, V]:
    return {at: value for at, value in by_slot.items() if at != slot_id}


def _name_of(terms: Iterable[Term], term_id: str | None) -> str:
    return next((term.name for term in terms if term.id == term_id), term_id or "nothing")


def _quoted(key: str) -> str:
    return f"“{file_name(key)}”"
