"""Whatever the library and the wishes: "controlled" is never untrue, and what can be balanced is.

Both are worked out here a second time, from the bare keys and the text that is sent, without the judge's code.
`STUDIO_PLAN_CASES=100000 python -m pytest tests/injection/test_balance_at_random.py` tries as many pairs of library and
wishes; the suite a few thousand.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from core.injection.plan import Injection, Planner
from core.injection.request.prompt import as_text
from core.injection.request.sent import SentRender
from core.injection.request.slots import Slot
from core.injection.request.wishes import Mode, PersonWish, SideName, Strength, Varies, Wishes
from core.labels.published.label_file import LabelSet
from core.references.index import build_index
from core.references.vocabulary import Role
from tests.injection.libraries import A_PERSON, VOCABULARY, plan, sample_library
from tests.injection.oracle import LIMIT, Case, Oracle, some_case, some_wishes
from tests.injection.retrace import Retrace
from tests.injection.test_trails import meddled

CASES = int(os.environ.get("STUDIO_PLAN_CASES", "1000"))
WISHES_PER_LIBRARY = 10
RENDER = SentRender("preview", "colour-transfer", "1024×1280", "medium")
LINES = {Role.TONE: "tone reference", Role.ANGLE: "camera angle reference", Role.MODEL: "person reference"}


def beyond_the_factor(done: Injection, angles: Mapping[str, str | None], angle: str | None) -> list[str]:
    """Every field of the two requests that differs and is no part of the declared factor, by the text that is sent."""
    (one, other), varies = done.sides, done.wishes.varies
    texts = [as_text(sent.sections) for sent in done.sent]
    blocks = [re.split(r"\n\n(?=(?:Tone|Angle|Attached pictures):\n)", text) for text in texts]
    named = [{block.partition(":")[0].partition(",")[0]: block for block in of_side} for of_side in blocks]
    found = [f"section {title}" for title in ("Subject", "Tone") if named[0].get(title) != named[1].get(title)]
    if varies is Varies.ANGLE:
        found += ["an angle section on tone only"] if "Angle" in named[0] else []
    elif named[0].get("Angle") != named[1].get("Angle"):
        found.append("section Angle")
    for role in Role:
        mine, theirs = (_pictures(side.slots, role) for side in (one, other))
        if role is Role.MODEL and varies is Varies.ANGLE:
            people = [[slot.persona or slot.key for slot in slots] for slots in (mine, theirs)]
            found += ["the people, their number or order"] if people[0] != people[1] else []
            found += ["the angle is shown already" for slot in mine if angle and angles[slot.key or ""] == angle]
        elif (role, varies) not in ((Role.ANGLE, Varies.ANGLE), (Role.TONE, Varies.TONE_WAY)):
            found += [f"{role} pictures"] if [s.key for s in mine] != [s.key for s in theirs] else []
        said = [_said(block.get("Attached pictures", ""), role) for block in named]
        if varies is Varies.STRENGTH and role is not Role.MODEL:
            continue
        if (role, varies) not in ((Role.ANGLE, Varies.ANGLE), (Role.TONE, Varies.TONE_WAY)) and said[0] != said[1]:
            found.append(f"what is said of the {role} pictures")
    if varies is not Varies.MODEL and done.sent[0].render != done.sent[1].render:
        found.append("what makes the pictures")
    return found


def _pictures(slots: Sequence[Slot], role: Role) -> list[Slot]:
    return [slot for slot in slots if slot.role is role and slot.key]


def _said(block: str, role: Role) -> list[str]:
    return [
        re.sub(r"^Picture \d+", "", line)
        for line in block.splitlines()
        if re.match(rf"Picture \d+ is a {LINES[role]}", line)
    ]


def pairs(case: Case) -> Mapping[str, int]:
    """Exhaustively: how many references of each person both sides of a balanced pair can have."""
    oracle, wishes = Oracle(case), case.wishes
    if not (oracle.person and oracle.tone and oracle.angle):
        return {}
    places: dict[bool, dict[str, set[str]]] = {True: {}, False: {}}
    for p in case.pictures:
        in_place = p.role is Role.MODEL and p.usable and p.tone == oracle.tone and p.key.startswith(f"{oracle.folder}/")
        pin = wishes.pins.get(f"model:{p.place}")
        if in_place and pin in (None, p.key) and f"model:{p.place}" not in wishes.off and oracle._fits(p):
            places[p.angle == oracle.angle].setdefault(p.persona, set()).add(p.place)
    both = places[True].keys() & places[False].keys()
    return {name: min(len(places[True][name]), len(places[False][name]), LIMIT) for name in both}


def people_of(done: Injection, side: SideName) -> list[str]:
    return [slot.persona or "" for slot in _pictures(done.side(side).slots, Role.MODEL)]


def balance_problems(case: Case, done: Injection) -> list[str]:
    """What is wrong with a balanced plan."""
    possible, one, other = pairs(case), *(people_of(done, side) for side in (SideName.TONE_ONLY, SideName.TONE_ANGLE))
    found = []
    if possible:
        expected = possible.get(one[0]) if one else None
        if one != other or len(set(one)) != 1 or len(one) != expected:
            found.append(f"{one} and {other}, though {possible} can be balanced")
    elif one:
        found.append(f"tone only shows {one}, whom nobody can balance")
    for side in done.sides:
        for slot in side.slots:
            pin = case.wishes.pins.get(slot.id)
            if not slot.why or (slot.key and (slot.id in case.wishes.off or pin not in (None, slot.key))):
                found.append(f"{slot.id} holds {slot.key}")
    ids = [[slot.id for slot in side.slots] for side in done.sides]
    return found + ([] if ids[0] == ids[1] else ["the sides stand in no line"])


def for_a_pair(rng: random.Random, wishes: Wishes) -> Wishes:
    """Wishes of which many can be balanced: what the random libraries have most of."""
    common = {"tone": "noir", "angle": rng.choice(["low-angle", "profile"]), "person": PersonWish.YES}
    wishes = replace(wishes, mode=Mode.COMPARE)
    if rng.random() < 0.3:
        return wishes
    prompt = rng.choice(["a quiet street", "a quiet street", "Ben in a suit"])
    gender = wishes.gender if rng.random() < 0.3 else None
    return replace(wishes, prompt=prompt, gender=gender, ages=None, **common)


def varied(rng: random.Random, case: Case, done: Injection) -> Wishes:
    """Wishes for a pair: what varies, the balance, and strengths here and there."""
    wishes = meddled(rng, case, done) if rng.random() < 0.4 else case.wishes
    slots = sorted({slot.id for side in done.sides for slot in side.slots})
    strengths = {slot_id: rng.choice([*Strength]) for slot_id in slots if rng.random() < 0.15}
    return replace(
        wishes,
        mode=Mode.COMPARE,
        strengths=strengths,
        varies=rng.choice([Varies.ANGLE, Varies.ANGLE, Varies.ANGLE, *Varies]),
        balanced=rng.random() < 0.7,
        strengths_b={rng.choice(["tone", "angle"]): rng.choice([*Strength])},
    )


@pytest.mark.timeout(300 + CASES // 20)
def test_no_pair_is_called_controlled_untruly_and_what_can_be_balanced_is() -> None:
    rng, tried, seen = random.Random(20261130), 0, Counter[str]()
    other = replace(RENDER, model="another")
    while tried < CASES:
        case = some_case(rng)
        index = build_index(case.rows, VOCABULARY)
        angles = {p.key: p.angle for p in case.pictures}
        retrace = Retrace(case.pictures, case.labels)
        for _ in range(WISHES_PER_LIBRARY):
            wishes, reading = some_wishes(rng, case.pictures)
            reading = rng.choice([reading, A_PERSON])
            case = replace(case, wishes=for_a_pair(rng, wishes), reading=reading)
            wishes = varied(rng, case, plan(index, case.wishes, reading, labels=case.labels, recent=case.recent))
            case = replace(case, wishes=wishes)
            renders = (RENDER, rng.choice([RENDER, other]) if wishes.varies is Varies.MODEL else RENDER)
            planner = Planner(index, LabelSet(case.labels), max_model_references=LIMIT, renders=renders)
            done = planner.plan(wishes, reading, recent=case.recent)
            assert done.fairness is not None
            found = beyond_the_factor(done, angles, Oracle(case).angle)
            assert not (done.fairness.controlled and found), (found, case)
            assert done.fairness.controlled or all(each.says for each in done.fairness.differences)
            if wishes.is_balanced:
                assert balance_problems(case, done) == [], case
                assert [
                    problem for side in done.sides for slot in side.slots for problem in retrace.problems(slot)
                ] == []
                seen["balanced"] += bool(people_of(done, SideName.TONE_ONLY))
            for difference in done.fairness.differences:
                if difference.mend is not None:
                    after = planner.plan(difference.mend.applied_to(wishes), reading, recent=case.recent).fairness
                    assert after is not None
                    assert difference.what not in {each.what for each in after.differences}
                    seen["mended"] += 1
            seen[f"{wishes.varies} {'yes' if done.fairness.controlled else 'no'}"] += 1
            tried += 1
    print(f"{tried:,} pairs: {dict(seen)}")
    assert all(seen[f"{factor} {says}"] for factor in Varies for says in ("yes", "no"))
    assert seen["balanced"]
    assert seen["mended"]


def test_every_plan_of_the_sample_library_is_called_what_it_is() -> None:
    """Every tone and angle with five seeds; the figures stand in docs/decisions/054-fair-in-every-field.md."""
    index, counted, reasons = sample_library(), Counter[bool](), Counter[str]()
    angles = {reference.key: reference.angle for reference in index.references}
    for tone in VOCABULARY.tones:
        for angle in VOCABULARY.angles:
            for seed in range(5):
                done = plan(index, Wishes(prompt="a person", tone=tone.id, angle=angle.id, seed=seed), A_PERSON)
                assert done.fairness is not None
                assert not (done.fairness.controlled and beyond_the_factor(done, angles, angle.id))
                people = [people_of(done, side.side) for side in done.sides]
                counted[done.fairness.controlled] += 1
                reasons.update([each.what for each in done.fairness.differences] or [f"with {len(people[0])} people"])
    print(dict(counted), dict(reasons))
    assert counted.total() == 7 * 10 * 5
    assert counted[True] > 300


def test_turns_of_a_balanced_slot_go_round_everybody_who_keeps_the_balance() -> None:
    rng = random.Random(7)
    turned = 0
    for _ in range(120):
        case = some_case(rng)
        index = build_index(case.rows, VOCABULARY)
        wishes = replace(for_a_pair(rng, case.wishes), balanced=True, off=frozenset())
        done = plan(index, wishes, case.reading, labels=case.labels, recent=case.recent)
        filled = [slot for side in done.sides for slot in _pictures(side.slots, Role.MODEL)]
        if not filled:
            continue
        slot = rng.choice(filled)
        shown = []
        for turn in range(slot.choices):
            again = plan(
                index, replace(wishes, rerolls={slot.id: turn}), case.reading, labels=case.labels, recent=case.recent
            )
            assert balance_problems(replace(case, wishes=replace(wishes, rerolls={slot.id: turn})), again) == []
            shown += [now.key for side in again.sides for now in side.slots if now.id == slot.id and now.key]
        assert len(set(shown)) == slot.choices
        turned += slot.choices > 1
    assert turned > 5
