"""What design.md says a plan must be, worked out a second time from the bare keys."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.injection.plan import Injection
from core.injection.reading.reader import Reading
from core.injection.request.slots import Slot
from core.injection.request.wishes import Ages, Mode, PersonWish, SideName, Wishes
from core.labels.published.schema import Gender, Label
from core.objects.objects import StoredObject
from core.references.vocabulary import Role
from tests.injection.libraries import etag_of, label, stored

ROOTS = ("refs", "refs/2026 가을", "refs/b")
# How studios write a tag, and what it means; None marks a name without a term.
TONES = {"noir": "noir", "a(natural,film)": "natural-film", "파스텔": "pastel", "": None}
ANGLES = {"low angle": "low-angle", "로우앵글": "low-angle", "profile": "profile", "": None}
CLASH = "vivid neon"  # two tones: ambiguous
PEOPLE = ("Ada", "Ben", "아라야")
LIMIT = 3


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as the oracle knows it: from the generator, never from the index."""

    root: str
    role: Role
    group: str
    tone: str | None
    angle: str | None
    usable: bool
    key: str
    etag: str
    persona: str
    size_bytes: int

    @property
    def place(self) -> str:
        """The path of its group."""
        return self.key.rsplit("/", 1)[0]


@dataclass(frozen=True, slots=True)
class Case:
    """One library with its labels, one set of wishes, and what was given last time."""

    pictures: tuple[Picture, ...]
    labels: tuple[Label, ...]
    wishes: Wishes
    reading: Reading
    recent: frozenset[str]

    @property
    def rows(self) -> list[StoredObject]:
        """The library as S3 lists it."""
        return [stored(p.key, etag=p.etag, size_bytes=p.size_bytes) for p in self.pictures]


def some_pictures(rng: random.Random) -> Iterator[Picture]:
    """A small library; there is always a model folder in the first root."""
    for root in ROOTS:
        if root != ROOTS[0] and rng.random() < 0.4:
            continue
        for role, folder in ((Role.MODEL, "01. Model"), (Role.TONE, "02. Tone"), (Role.ANGLE, "03. Angle")):
            for _ in range(rng.randint(1 if role is Role.MODEL else 0, 7 if role is Role.MODEL else 2)):
                yield from _some_group(rng, root, role, folder)


def _some_group(rng: random.Random, root: str, role: Role, folder: str) -> Iterator[Picture]:
    tone_word = rng.choice([*TONES, "noir", "noir"])  # many groups of one tone, so that the limit counts
    angle_word = rng.choice([*ANGLES])
    clash = rng.random() < 0.1
    words = [CLASH] if clash else [tone_word, angle_word]
    group = " ".join(filter(None, [*words, rng.choice(["", "x", "컷", "(2)"])])) or "misc"
    tone, angle = (None, None) if clash else (TONES[tone_word], ANGLES[angle_word])
    for number in range(rng.randint(1, 4)):
        persona = rng.choice(PEOPLE)
        key = f"{root}/{folder}/{group}/{persona} {number:02d}.jpg"
        size = 0 if rng.random() < 0.1 else 100
        usable = size > 0 and not clash and (tone, angle) != (None, None)
        yield Picture(root, role, group, tone, angle, usable, key, etag_of(key), persona, size)


def some_labels(rng: random.Random, pictures: Sequence[Picture]) -> Iterator[Label]:
    """Current, stale, moved and missing labels."""
    for picture in pictures:
        kind = rng.choice(["current", "current", "stale", "moved", "missing"])
        gender, age = rng.choice([*Gender, None]), rng.choice([None, 10, 24, 25, 34, 35, 70])
        if kind == "current":
            yield label(picture.key, gender, age)
        elif kind == "stale":
            yield label(picture.key, gender, age, etag="as it was before")
        elif kind == "moved":
            yield label(f"refs/formerly/{picture.key}", gender, age, etag=picture.etag)


def some_wishes(rng: random.Random, pictures: Sequence[Picture]) -> tuple[Wishes, Reading]:
    """Wishes and a reading that a designer could come up with."""
    ages = rng.choice([None, None, Ages(18, 24), Ages(25, 34), Ages(0, 120)])
    models = sorted({f"{p.root}/01. Model" for p in pictures if p.role is Role.MODEL}, key=str.encode)
    read_ages = rng.choice([None, None, None, (25, 34)])
    reading = Reading(
        "offline",
        rng.random() < 0.7,
        rng.choice([None, None, "feminine", "masculine"]),
        read_ages[0] if read_ages else None,
        read_ages[1] if read_ages else None,
        rng.choice([None, "noir", "natural-film"]),
        rng.choice([None, "low-angle"]),
        (),
    )
    wishes = Wishes(
        prompt=rng.choice(["a quiet street", "Ben in a suit", "아라야가 웃는다", "Ada and Ben", "Benny"]),
        mode=rng.choice([*Mode]),
        tone=rng.choice([None, "noir", "noir", "natural-film", "pastel", "beauty"]),
        angle=rng.choice([None, "low-angle", "profile", "overhead"]),
        folder=rng.choice([None, *models]),
        person=rng.choice([PersonWish.AUTO, PersonWish.AUTO, PersonWish.YES, PersonWish.NO]),
        gender=rng.choice([None, None, *Gender]),
        ages=ages,
        seed=rng.randrange(2**32),
        off=frozenset(slot for slot in ("tone", "angle") if rng.random() < 0.05),
        balanced=False,  # what balance adds has an oracle of its own: tests/injection/test_balance_at_random.py
    )
    return wishes, reading


def some_case(rng: random.Random) -> Case:
    """A library with wishes."""
    pictures = tuple({p.key: p for p in some_pictures(rng)}.values())
    wishes, reading = some_wishes(rng, pictures)
    recent = frozenset(p.key for p in pictures if rng.random() < 0.2)
    return Case(pictures, tuple(some_labels(rng, pictures)), wishes, reading, recent)


class Oracle:
    """Says what is wrong with a plan."""

    def __init__(self, case: Case) -> None:
        self._case = case
        wishes, reading = case.wishes, case.reading
        self.tone = wishes.tone or self._pinned_tag(Role.TONE) or reading.tone
        self.angle = wishes.angle or self._pinned_tag(Role.ANGLE) or reading.angle
        self.gender = wishes.gender or reading.gender
        read_ages = None if reading.age_low is None else (reading.age_low, reading.age_high)
        self.ages = (wishes.ages.low, wishes.ages.high) if wishes.ages else read_ages
        self.persona = wishes.persona or self._named()
        # who is pinned counts before whatever the prompt says of a person
        self.model_gender = wishes.gender if wishes.persona else self.gender
        self.model_ages = self.ages if wishes.ages or not wishes.persona else None
        self.person = self._person_meant()
        models = [p for p in case.pictures if p.role is Role.MODEL]
        self.folder = wishes.folder or min((f"{p.root}/01. Model" for p in models), key=str.encode)
        self.root = self.folder.rpartition("/")[0]
        self._by_etag = {one.etag: one for one in case.labels}
        self._by_key = {one.key: one for one in case.labels}

    def mismatches(self, injection: Injection) -> list[str]:
        """Everything about this plan that design.md does not allow."""
        found = []
        for plan in injection.sides:
            slots = {role: [slot for slot in plan.slots if slot.role is role] for role in Role}
            found += self._tag_slot(slots[Role.TONE], Role.TONE, self.tone)
            angle = self.angle if plan.side is SideName.TONE_ANGLE else None
            found += self._tag_slot(slots[Role.ANGLE], Role.ANGLE, angle)
            found += self._models(slots[Role.MODEL], plan.side)
            found += self._trails(plan.slots)
        return found + self._people(injection) + self._fairness(injection)

    def _pinned_tag(self, role: Role) -> str | None:
        pin = self._case.wishes.pins.get(role.value)
        pinned = [p for p in self._case.pictures if p.role is role and p.key == pin]
        return next((p.tone if role is Role.TONE else p.angle for p in pinned), None)

    def _named(self) -> str | None:
        known = {p.persona for p in self._case.pictures if p.role is Role.MODEL and p.usable}
        words = re.findall(r"\w+", self._case.wishes.prompt)
        named = {name for name in known if any(word in (name, f"{name}가") for word in words)}
        return named.pop() if len(named) == 1 else None

    def _person_meant(self) -> bool:
        wishes = self._case.wishes
        if wishes.person is not PersonWish.AUTO:
            return wishes.person is PersonWish.YES
        return bool(wishes.persona or wishes.gender or wishes.ages or self._case.reading.person or self.persona)

    def _label(self, picture: Picture) -> Label | None:
        here = self._by_key.get(picture.key)
        return here if here and here.etag == picture.etag else self._by_etag.get(picture.etag)

    def _is_other_gender(self, picture: Picture) -> bool:
        told = self._label(picture) or self._by_key.get(picture.key)
        return self.gender is not None and told is not None and told.gender_presentation not in (None, self.gender)

    def _tag_slot(self, slots: Sequence[Slot], role: Role, wish: str | None) -> list[str]:
        fit = [
            p
            for p in self._case.pictures
            if p.role is role and p.usable and wish is not None and (p.tone if role is Role.TONE else p.angle) == wish
        ]
        if role is Role.ANGLE:
            fit = [p for p in fit if not self._is_other_gender(p)]
        beside = [p for p in fit if p.root == self.root]
        inside = [p for p in fit if p.root.startswith(self.root)]
        if role.value in self._case.wishes.off:
            return self._one_of(slots, [], role.value)
        if pin := self._case.wishes.pins.get(role.value):
            return self._one_of(slots, [p for p in fit if p.key == pin], role.value)
        held = [p for p in fit if p.key == self._case.wishes.held.get(role.value)]
        if held and not self._case.wishes.rerolls.get(role.value):
            return self._one_of(slots, held, role.value)
        return self._one_of(slots, beside or inside or fit, role.value)

    def _one_of(self, slots: Sequence[Slot], fit: Sequence[Picture], what: str) -> list[str]:
        if len(slots) != 1:
            return [f"{what}: {len(slots)} slots"]
        turned = bool(self._case.wishes.pins.get(what) or self._case.wishes.rerolls.get(what))
        fresh = [] if turned else [p for p in fit if p.key not in self._case.recent]
        allowed = {p.key for p in fresh or fit}
        if slots[0].key is None:
            return [f"{what}: empty, though {sorted(allowed)} would do"] if allowed else []
        return [] if slots[0].key in allowed else [f"{what}: {slots[0].key} is not one of {sorted(allowed)}"]

    def fitting(self, side: SideName) -> Mapping[str, list[Picture]]:
        """The pictures that fit, by group, for the first groups in key order."""
        angle_fits = side is SideName.TONE_ONLY or self.angle is not None
        groups: dict[str, list[Picture]] = {}
        if not (self.person and self.tone and angle_fits):
            return groups
        for p in sorted(self._case.pictures, key=lambda p: p.place.encode()):
            in_place = p.role is Role.MODEL and p.usable and p.key.startswith(self.folder + "/")
            tagged = p.tone == self.tone and (side is SideName.TONE_ONLY or p.angle == self.angle)
            if in_place and tagged and self._fits(p):
                groups.setdefault(p.place, []).append(p)
        pinned = [place for place, group in groups.items() if self._pin(place) in {p.key for p in group}]
        held = [
            place for place in groups if place not in pinned and self._held(place) in {p.key for p in groups[place]}
        ]
        first = [*pinned, *held, *(place for place in groups if place not in (*pinned, *held))][:LIMIT]
        return {place: group for place, group in groups.items() if place in first}

    def _pin(self, place: str) -> str | None:
        return self._case.wishes.pins.get(f"model:{place}")

    def _held(self, place: str) -> str | None:
        return self._case.wishes.held.get(f"model:{place}")

    def _shown(self, side: SideName) -> Mapping[str, list[Picture]]:
        """What may be shown in each slot that is filled: not those switched off, and of a pinned one only the pin."""
        shown = {
            place: [p for p in group if self._pin(place) in (None, p.key)]
            for place, group in self.fitting(side).items()
            if f"model:{place}" not in self._case.wishes.off
        }
        return {place: group for place, group in shown.items() if group}

    def _fits(self, picture: Picture) -> bool:
        said = self._label(picture)
        if self.persona is not None and picture.persona != self.persona:
            return False
        if self.model_gender is not None and (said is None or said.gender_presentation != self.model_gender):
            return False
        if self.model_ages is not None:
            years = None if said is None or said.age_low is None or said.age_high is None else said.age_low
            return years is not None and self.model_ages[0] <= years <= self.model_ages[1]
        return True

    def _models(self, slots: Sequence[Slot], side: SideName) -> list[str]:
        fit = self._shown(side)
        filled = [slot.key for slot in slots if slot.key]
        places = [key.rsplit("/", 1)[0] for key in filled]
        found = [] if places == list(fit) else [f"{side}: groups {places}, expected {list(fit)}"]
        found += [
            f"{side}: {key} does not fit"
            for key, place in zip(filled, places, strict=True)
            if key not in {p.key for p in fit.get(place, ())}
        ]
        return found

    def _trails(self, slots: Sequence[Slot]) -> list[str]:
        found = [f"{slot.id}: empty without a reason" for slot in slots if not slot.why]
        for slot in slots:
            left = [step.left for step in slot.steps]
            if left != sorted(left, reverse=True):
                found.append(f"{slot.id}: the trail grows: {left}")
            if slot.key and (not left or left[-1] != 1):
                found.append(f"{slot.id}: filled, but the trail ends with {left}")
        return found

    def _people(self, injection: Injection) -> list[str]:
        """Somebody stands in every group that has them, on both sides if anybody can; their pictures are fresh."""
        wishes = self._case.wishes
        if any(slot_id.startswith("model:") for slot_id in (*wishes.pins, *wishes.held, *wishes.rerolls)):
            return []  # then the designer decides who stands where
        sides = [self._shown(plan.side) for plan in injection.sides]
        shown = {slot.key for plan in injection.sides for slot in plan.slots if slot.key and slot.role is Role.MODEL}
        everyone = {p.persona for fit in sides for group in fit.values() for p in group}
        if not everyone:
            return []

        def sides_of(name: str) -> int:
            return sum(any(p.persona == name for group in fit.values() for p in group) for fit in sides)

        best = max(map(sides_of, everyone))
        if any(sides_of(name) == best and self._leads(name, sides, shown) for name in everyone):
            return []
        return [f"nobody stands in every slot that has them: {sorted(shown)}"]

    def _fairness(self, injection: Injection) -> list[str]:
        """Controlled: one tone reference or none, something that shows the angle, the same people in the same order,
        and nobody on the tone-only side who shows the angle already.
        """
        if len(injection.sides) == 1:
            return [] if injection.fairness is None else ["a verdict on a single side"]
        one, other = (
            {role: [slot for slot in plan.slots if slot.role is role and slot.key] for role in Role}
            for plan in injection.sides
        )
        same_tone = [slot.key for slot in one[Role.TONE]] == [slot.key for slot in other[Role.TONE]]
        same_people = [slot.persona for slot in one[Role.MODEL]] == [slot.persona for slot in other[Role.MODEL]]
        angles = {p.key: p.angle for p in self._case.pictures}
        already = [slot for slot in one[Role.MODEL] if angles[slot.key or ""] == self.angle is not None]
        fair = same_tone and same_people and not already and bool(other[Role.ANGLE] or other[Role.MODEL])
        verdict = injection.fairness
        if verdict is None or verdict.controlled != fair:
            return [f"controlled should be {fair}: {verdict}"]
        return [] if fair or all(difference.says for difference in verdict.differences) else ["unfair without a word"]

    def _leads(self, name: str, sides: Sequence[Mapping[str, list[Picture]]], shown: set[str]) -> bool:
        for group in (group for fit in sides for group in fit.values()):
            theirs = [p.key for p in group if p.persona == name]
            fresh = {key for key in theirs if key not in self._case.recent} or set(theirs)
            if theirs and not fresh & shown:
                return False
        return True
