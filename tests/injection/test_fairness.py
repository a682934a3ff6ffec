"""Fairness: only the angle may differ, and whatever else does is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.injection.fairness import Fairness
from core.injection.plan import Injection
from core.injection.wishes import PersonWish, SideName, Wishes
from tests.injection.libraries import SILENT, library, model_keys, plan

EYE, LOW = "refs/01. Model/noir eye-level", "refs/01. Model/noir low angle"
REST = ("refs/02. Tone/noir/street.jpg", "refs/03. Angle/low angle/stairs.jpg")
WISHES = Wishes(prompt="x", tone="noir", angle="low-angle")


def verdict(injection: Injection) -> Fairness:
    assert injection.fairness is not None
    return injection.fairness


def test_the_same_person_on_both_sides_is_controlled() -> None:
    done = plan(library(*REST, f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg", f"{LOW}/Ben.jpg"), WISHES)
    assert verdict(done).controlled
    assert verdict(done).differences == ()


def test_a_pair_without_people_is_controlled_by_its_angle_reference() -> None:
    assert verdict(plan(library(*REST, f"{EYE}/Ada.jpg"), WISHES, SILENT)).controlled


def test_a_person_on_one_side_only_is_named() -> None:
    done = plan(library(*REST, f"{EYE}/Ada.jpg"), WISHES)
    assert not verdict(done).controlled
    (difference,) = verdict(done).differences
    assert difference.what == "person"
    assert difference.says == "The person differs: tone only shows Ada, the other side does not."
    assert difference.switch_off == ()


def test_different_people_on_the_two_sides_are_both_named() -> None:
    pins = {f"model:{EYE}": f"{EYE}/Ada.jpg", f"model:{LOW}": f"{LOW}/Ben.jpg"}
    done = plan(library(*REST, f"{EYE}/Ada.jpg", f"{LOW}/Ben.jpg"), replace(WISHES, pins=pins))
    (difference,) = verdict(done).differences
    assert difference.says == "The person differs: tone only shows Ada, the other side does not."
    assert difference.switch_off == (f"model:{EYE}",)


def test_a_person_whom_only_tone_and_angle_has_room_for_is_named() -> None:
    index = library(*REST, f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg", f"{LOW} two/Ben.jpg")
    (difference,) = verdict(plan(index, WISHES, limit=2)).differences
    assert difference.what == "person"
    assert difference.says == "The person differs: tone + angle shows Ben, the other side does not."
    assert difference.switch_off == (f"model:{LOW} two",)
    mended = replace(WISHES, off=frozenset(difference.switch_off))
    assert verdict(plan(index, mended, limit=2)).controlled


def test_switching_off_what_is_named_makes_the_pair_controlled() -> None:
    pins = {f"model:{EYE}": f"{EYE}/Ada.jpg", f"model:{LOW}": f"{LOW}/Ben.jpg"}
    index = library(*REST, f"{EYE}/Ada.jpg", f"{LOW}/Ben.jpg")
    unfair = verdict(plan(index, replace(WISHES, pins=pins)))
    mended = replace(WISHES, pins=pins, off=frozenset(unfair.differences[0].switch_off))
    assert verdict(plan(index, mended)).controlled


def test_no_angle_to_add_is_a_difference_of_its_own() -> None:
    done = plan(library(*REST, f"{EYE}/Ada.jpg"), replace(WISHES, angle=None), SILENT)
    assert [difference.what for difference in verdict(done).differences] == ["angle"]


def test_where_no_angle_is_the_people_it_would_bring_are_not_missed_as_well() -> None:
    done = plan(library(*REST, f"{EYE}/Ada.jpg"), replace(WISHES, angle=None))
    assert model_keys(done, SideName.TONE_ONLY) == [f"{EYE}/Ada.jpg"]
    assert [difference.what for difference in verdict(done).differences] == ["angle"]


def test_an_angle_reference_that_is_missing_is_made_up_for_by_the_models_angle() -> None:
    index = library(REST[0], f"{EYE}/Ada 1.jpg", f"{LOW}/Ada 2.jpg")
    assert verdict(plan(index, WISHES)).controlled


def test_nothing_that_carries_the_angle_is_not_controlled() -> None:
    done = plan(library(REST[0], f"{EYE}/Ada 1.jpg"), replace(WISHES, person=PersonWish.NO))
    assert [difference.what for difference in verdict(done).differences] == ["angle"]


def test_people_without_a_name_are_never_taken_for_each_other() -> None:
    done = plan(library(*REST, f"{EYE}/01.jpg", f"{LOW}/02.jpg"), WISHES)
    assert model_keys(done, SideName.TONE_ONLY) == [f"{EYE}/01.jpg", f"{LOW}/02.jpg"]
    assert "01.jpg" in verdict(done).differences[0].says


@pytest.mark.parametrize("seed", range(10))
def test_a_library_in_which_somebody_stands_on_both_sides_always_gives_a_fair_pair(seed: int) -> None:
    people = ("Ada", "Ben", "Cho", "Dae")
    index = library(*REST, *(f"{EYE}/{name} 1.jpg" for name in people), f"{LOW}/Cho 2.jpg", f"{LOW}/Eva.jpg")
    assert verdict(plan(index, replace(WISHES, seed=seed))).controlled
