"""What holds for every library and every wish."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.injection.plan import Injection
from core.injection.request.wishes import Mode, PersonWish, SideName, Wishes
from core.objects.objects import StoredObject
from core.references.index import build_index
from tests.injection.libraries import A_PERSON, VOCABULARY, keys_of, label, library, plan, stored
from tests.injection.oracle import Case, Oracle, some_case, some_wishes

CASES = int(os.environ.get("STUDIO_PLAN_CASES", "5000"))
WISHES_PER_LIBRARY = 10
cases = st.randoms(use_true_random=False).map(some_case)
several = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def planned(case: Case, *more: StoredObject, without: frozenset[str] = frozenset()) -> Injection:
    rows = [row for row in case.rows if row.key not in without]
    return plan(library(*rows, *more), case.wishes, case.reading, labels=case.labels, recent=case.recent)


@several
@given(cases)
def test_a_plan_holds_exactly_what_matches(case: Case) -> None:
    assert Oracle(case).mismatches(planned(case)) == []


@several
@given(cases)
def test_the_same_in_gives_the_same_out(case: Case) -> None:
    assert planned(case) == planned(case)


@several
@given(cases, st.randoms(use_true_random=False))
def test_what_is_irrelevant_changes_no_plan(case: Case, rng: random.Random) -> None:
    case = replace(case, wishes=replace(case.wishes, folder=Oracle(case).folder))
    irrelevant = [
        stored("refs/01. Model/vivid dutch tilt/Zoe 01.jpg"),
        stored("refs/01. Model/vivid neon/Ben 99.jpg"),
        stored("refs/01. Model/nothing said/Ada 99.jpg"),
        stored("refs/01. Model/Ada 99.jpg"),
        stored("refs/01. Model/noir low angle 2/Ada 99.jpg", size_bytes=0),
        stored("refs/01. Model/noir low angle 2/notes.txt"),
        stored("refs/0 first/01. Model/noir low angle/Zoe 01.jpg"),
        stored("refs/zz last/01. Model/noir low angle/Zoe 01.jpg"),
        stored("refs/02. Tone/vivid/Ada.jpg"),
        stored("refs/03. Angle/dutch tilt/Ada.jpg"),
        stored("refs/elsewhere/noir.jpg"),
    ]
    added = rng.sample(irrelevant, rng.randint(1, len(irrelevant)))
    assert keys_of(planned(case, *added)) == keys_of(planned(case))


@several
@given(cases, st.randoms(use_true_random=False))
def test_renaming_a_group_changes_only_plans_that_used_it(case: Case, rng: random.Random) -> None:
    case = replace(case, wishes=replace(case.wishes, folder=Oracle(case).folder))
    place = rng.choice(sorted({p.place for p in case.pictures}))
    renamed = place.rpartition("/")[0] + "/vivid dutch tilt"
    rows = [
        stored(p.key.replace(place + "/", renamed + "/"), etag=p.etag, size_bytes=p.size_bytes) for p in case.pictures
    ]
    before = planned(case)
    after = plan(library(*rows), case.wishes, case.reading, labels=case.labels, recent=case.recent)
    used = {slot.key.rsplit("/", 1)[0] for side in before.sides for slot in side.slots if slot.key}
    # a group that becomes usable makes its people known by name
    is_named = any(p.place == place and p.persona in case.wishes.prompt for p in case.pictures)
    if place not in used and not is_named:
        assert keys_of(after) == keys_of(before)


@several
@given(cases)
def test_what_was_drawn_and_is_then_pinned_stays(case: Case) -> None:
    before = planned(case)
    pins = {slot.id: slot.key for side in before.sides for slot in side.slots if slot.key}
    pinned = replace(case, wishes=replace(case.wishes, pins=pins, seed=case.wishes.seed ^ 1), recent=frozenset())
    assert keys_of(planned(pinned)) == keys_of(before)


@several
@given(cases, st.randoms(use_true_random=False))
def test_a_turn_of_a_slot_with_a_choice_changes_its_picture_and_still_fits(case: Case, rng: random.Random) -> None:
    before = planned(case)
    filled = {slot.id: slot for side in before.sides for slot in side.slots if slot.key}
    if not filled:
        return
    slot = filled[rng.choice(sorted(filled))]
    turned = replace(case, wishes=replace(case.wishes, rerolls={slot.id: 1}))
    after = planned(turned)
    now = next(s for side in after.sides for s in side.slots if s.id == slot.id and s.key)
    assert (now.key != slot.key) == (slot.choices > 1)
    fitting = {p.key for side in after.sides for group in Oracle(turned).fitting(side.side).values() for p in group}
    assert slot.id in ("tone", "angle") or now.key in fitting


def test_no_mismatch_in_many_random_libraries_and_wishes() -> None:
    """STUDIO_PLAN_CASES sets how many pairs are tried; the default keeps the suite quick."""
    started, rng, tried = time.process_time(), random.Random(20261122), 0
    while tried < CASES:
        case = some_case(rng)
        index = build_index(case.rows, VOCABULARY)
        for _ in range(WISHES_PER_LIBRARY):
            wishes, reading = some_wishes(rng, case.pictures)
            case = replace(case, wishes=wishes, reading=reading)
            done = plan(index, wishes, reading, labels=case.labels, recent=case.recent)
            assert Oracle(case).mismatches(done) == [], case
            tried += 1
    assert time.process_time() - started < 40 * CASES / 20_000


def test_every_small_library_of_two_groups_is_planned_by_the_table() -> None:
    """Exhaustive: every pair of group names, every mode, tone, angle and gender."""
    names = ["noir", "noir low angle", "a(natural,film) low angle", "low angle", "vivid neon", "misc"]
    tags = {
        "noir": ("noir", None),
        "noir low angle": ("noir", "low-angle"),
        "a(natural,film) low angle": ("natural-film", "low-angle"),
        "low angle": (None, "low-angle"),
    }
    labels = [label("refs/01. Model/noir/Ada.jpg", None)]
    for one in names:
        for other in names:
            index = library(f"refs/01. Model/{one}/Ada.jpg", f"refs/01. Model/{other}/Ben.jpg")
            groups = [group for group in sorted({one, other}, key=str.encode) if group in tags]
            for mode in Mode:
                for tone in (None, "noir", "natural-film"):
                    for angle in (None, "low-angle", "profile"):
                        wishes = Wishes(
                            balanced=False, prompt="x", mode=mode, tone=tone, angle=angle, person=PersonWish.YES
                        )
                        done = plan(index, wishes, A_PERSON, labels=labels)
                        for side in done.sides:
                            expected = [
                                group
                                for group in groups
                                if tone is not None
                                and tags[group][0] == tone
                                and (side.side is SideName.TONE_ONLY or (angle and tags[group][1] == angle))
                            ]
                            assert [slot.group for slot in side.slots if slot.filled] == expected
