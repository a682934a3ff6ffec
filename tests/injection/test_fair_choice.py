"""What is offered to make a pair fair, and that taking it always does."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from core.injection.fair_choice import FairChoice, nearest_fair_choice
from core.injection.plan import Injection, Planner
from core.injection.reading.reader import Reading
from core.injection.request.wishes import Mode, PersonWish, SideName, Wishes
from core.labels.published.label_file import LabelSet
from core.labels.published.schema import Label
from core.references.index import ReferenceIndex, build_index
from tests.injection.libraries import A_PERSON, SILENT, VOCABULARY, library, model_keys, plan, tone_of
from tests.injection.oracle import Oracle, some_case, some_wishes
from tests.injection.test_trails import meddled, planned

EYE, LOW = "refs/01. Model/noir eye-level", "refs/01. Model/noir low angle"
REST = ("refs/02. Tone/noir/street.jpg", "refs/03. Angle/low angle/stairs.jpg")
WISHES = Wishes(prompt="x", tone="noir", angle="low-angle")


def offer(
    index: ReferenceIndex,
    wishes: Wishes,
    reading: Reading = A_PERSON,
    *,
    recent: Iterable[str] = (),
    labels: Iterable[Label] = (),
) -> tuple[Injection, FairChoice | None]:
    """The plan of these wishes, and what is offered to make it fair."""
    planner = Planner(index, LabelSet(labels), max_model_references=3)
    done = planner.plan(wishes, reading, recent=recent)
    return done, nearest_fair_choice(
        done, lambda changed: planner.plan(changed, reading, recent=recent), index, VOCABULARY
    )


def taken(index: ReferenceIndex, choice: FairChoice | None, reading: Reading = A_PERSON) -> Injection:
    """The plan after the offer was taken."""
    assert choice is not None
    done = plan(index, choice.wishes, reading)
    assert done.fairness is not None
    assert done.fairness.controlled
    return done


def test_a_fair_pair_is_offered_nothing() -> None:
    _, choice = offer(library(*REST, f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg"), WISHES)
    assert choice is None


def test_a_single_side_is_offered_nothing() -> None:
    _, choice = offer(library(*REST, f"{EYE}/Ada.jpg"), replace(WISHES, mode=Mode.TONE_ONLY))
    assert choice is None


def test_a_pin_that_sets_the_sides_apart_gives_way_to_somebody_both_sides_have() -> None:
    index = library(*REST, f"{EYE}/Ada 1.jpg", f"{EYE}/Ben 1.jpg", f"{LOW}/Ben 2.jpg")
    done, choice = offer(index, replace(WISHES, pins={f"model:{EYE}": f"{EYE}/Ada 1.jpg"}))
    assert done.fairness is not None
    assert not done.fairness.controlled
    assert choice is not None
    assert choice.says == "Let the draw put Ben on both sides"
    after = taken(index, choice)
    assert model_keys(after, SideName.TONE_ANGLE) == [f"{LOW}/Ben 2.jpg"]


def test_as_each_mode_alone_balance_is_the_first_thing_that_is_offered() -> None:
    index = library(*REST, f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg")
    _, choice = offer(index, replace(WISHES, balanced=False))
    assert choice is not None
    assert (choice.says, choice.wishes) == ("Balance both sides", WISHES)
    taken(index, choice)


def test_people_are_left_out_of_both_sides_where_nobody_has_another_angle() -> None:
    index = library(*REST, f"{EYE}/Ada 1.jpg", f"{LOW}/Ben 2.jpg")
    _, choice = offer(index, WISHES)
    assert choice is not None
    assert choice.says == "Leave people out of both sides"
    assert choice.wishes.angle == "low-angle"
    taken(index, choice)


def test_neither_side_has_people_where_tone_and_angle_can_have_none_and_nothing_has_to_be_mended() -> None:
    done, choice = offer(library(*REST, f"{EYE}/Ada 1.jpg", "refs/03. Angle/eye-level/door.jpg"), WISHES)
    assert choice is None
    assert all(model_keys(done, side.side) == [] for side in done.sides)


def test_another_angle_is_offered_where_nothing_else_would_do_and_says_what_it_gives_up() -> None:
    index = library("refs/02. Tone/noir/street.jpg", f"{EYE}/Ada 1.jpg", "refs/03. Angle/eye-level/door.jpg")
    _, choice = offer(index, WISHES)
    assert choice is not None
    assert choice.says == "Use Eye level instead of Low angle"
    assert (choice.wishes.angle, choice.wishes.tone) == ("eye-level", "noir")
    taken(index, choice)


def test_a_tone_in_which_somebody_has_two_angles_is_offered_where_nobody_of_this_tone_has() -> None:
    index = library(
        "refs/02. Tone/noir/a.jpg",
        "refs/02. Tone/vivid/b.jpg",
        "refs/03. Angle/low angle/c.jpg",
        "refs/01. Model/noir/Ada 1.jpg",
        "refs/01. Model/noir low/Cho 1.jpg",
        "refs/01. Model/vivid low angle/Ben.jpg",
        "refs/01. Model/vivid/Ben 2.jpg",
    )
    _, choice = offer(index, WISHES)
    assert choice is not None
    assert choice.says == "Use Vivid, with Ben on both sides"
    assert tone_of(taken(index, choice), SideName.TONE_ONLY).key == "refs/02. Tone/vivid/b.jpg"


def test_who_is_pinned_stays_while_a_tone_or_a_folder_has_them_on_both_sides() -> None:
    people = (f"{EYE}/Ben 1.jpg", f"{LOW}/Ada 2.jpg", f"{LOW}/Ben 2.jpg")
    vivid = ("refs/02. Tone/vivid/b.jpg", "refs/01. Model/vivid low angle/Ada 3.jpg", "refs/01. Model/vivid/Ada 4.jpg")
    _, choice = offer(library(*REST, *people, *vivid), replace(WISHES, persona="Ada"))
    assert choice is not None
    assert (choice.says, choice.wishes.persona) == ("Use Vivid, with Ada on both sides", "Ada")
    _, choice = offer(library(*REST, *people), replace(WISHES, persona="Ada"))
    assert choice is not None
    assert (choice.says, choice.wishes.persona) == ("Let the draw put Ben on both sides", None)


def test_a_tone_without_a_tone_reference_is_not_offered_in_place_of_one_that_has_it() -> None:
    vivid = ("refs/01. Model/vivid low angle/Ben.jpg", "refs/01. Model/vivid/Ben 2.jpg")
    _, choice = offer(library(*REST, f"{LOW}/Ada.jpg", *vivid), WISHES)
    assert choice is not None
    assert choice.says == "Leave people out of both sides"


def test_another_model_folder_is_offered_where_it_has_the_person_on_both_sides() -> None:
    index = library(*REST, f"{LOW}/Ada.jpg", "refs/b/01. Model/noir/Cho 1.jpg", "refs/b/01. Model/noir low/Cho.jpg")
    _, choice = offer(index, replace(WISHES, folder="refs/01. Model"))
    assert choice is not None
    assert choice.says == "Use b / 01. Model, with Cho on both sides"
    assert choice.wishes.folder == "refs/b/01. Model"
    taken(index, choice)


def test_a_missing_angle_is_offered_from_what_the_library_has() -> None:
    index = library("refs/02. Tone/noir/a.jpg", "refs/03. Angle/profile/b.jpg")
    _, choice = offer(index, Wishes(prompt="x", tone="noir"), SILENT)
    assert choice is not None
    assert choice.says == "Use Profile"
    taken(index, choice, SILENT)


def test_an_angle_reference_that_was_switched_off_is_switched_on_again() -> None:
    index = library(*REST)
    _, choice = offer(index, replace(WISHES, off=frozenset({"angle"})), SILENT)
    assert choice is not None
    assert choice.says == "Switch the angle reference on"
    taken(index, choice, SILENT)


def test_nothing_is_offered_where_nothing_would_be_fair() -> None:
    _, choice = offer(library("refs/02. Tone/noir/a.jpg"), WISHES, SILENT)
    assert choice is None


def test_curly_brackets_in_names_stay_as_they_are() -> None:
    index = library(*REST, "refs/b/01. Model/noir/A{0} 1.jpg", "refs/b/01. Model/noir low/A{0} 2.jpg", f"{LOW}/B.jpg")
    _, choice = offer(index, replace(WISHES, folder="refs/01. Model"))
    assert choice is not None
    assert choice.says == "Use b / 01. Model, with A{0} on both sides"


def test_taking_the_offer_always_gives_a_controlled_pair_of_matching_references() -> None:
    """Whatever the library and however pinned, re-rolled and switched off."""
    rng, offered = random.Random(77), Counter[bool]()
    for _ in range(250):
        case = some_case(rng)
        index = build_index(case.rows, VOCABULARY)
        for _ in range(4):
            wishes, reading = some_wishes(rng, case.pictures)
            balanced = rng.random() < 0.5
            case = replace(case, wishes=replace(wishes, mode=Mode.COMPARE, balanced=balanced), reading=reading)
            if rng.random() < 0.5:
                case = replace(case, wishes=meddled(rng, case, planned(index, case)))
            done, choice = offer(index, case.wishes, reading, recent=case.recent, labels=case.labels)
            if done.fairness is not None and done.fairness.controlled:
                assert choice is None
                continue
            offered[choice is not None] += 1
            if choice is None:
                continue
            case = replace(case, wishes=choice.wishes)
            again = planned(index, case)
            assert again.fairness is not None
            assert again.fairness.controlled, case
            if not (
                choice.wishes.balanced
                or choice.wishes.pins
                or choice.wishes.held
                or choice.wishes.rerolls
                or choice.wishes.off
            ):
                assert Oracle(case).mismatches(again) == []
    assert offered[True] > offered[False] > 0


def test_a_pair_without_a_tone_reference_is_fair_but_says_what_it_does_not_compare() -> None:
    done = plan(library(*REST), Wishes(prompt="x", angle="low-angle"), SILENT)
    assert done.fairness is not None
    assert done.fairness.controlled
    assert done.fairness.note == (
        "Neither side has a tone reference: this compares an angle reference with no reference at all."
    )


def test_people_of_a_tone_that_has_no_tone_reference_are_said_to_carry_it() -> None:
    done = plan(library(f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg"), replace(WISHES, person=PersonWish.YES))
    assert done.fairness is not None
    assert done.fairness.controlled
    assert "only the person references carry the tone" in done.fairness.note


def test_a_pair_with_a_tone_reference_needs_no_note() -> None:
    done = plan(library(*REST), WISHES, SILENT)
    assert done.fairness is not None
    assert (done.fairness.controlled, done.fairness.note) == (True, "")
