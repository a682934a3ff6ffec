"""Side differences: each thing that two requests do not share is named once, with both values, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.generation.differences.side_diff import ComparedSide, SideDiff, diff_sides
from core.generation.records.comparison import Comparison, RenderSettings, SideRecord, Size
from core.injection.request.prompt import Section
from core.injection.request.wishes import Mode, SideName, Strength, Varies, Wishes
from core.references.vocabulary import Role
from tests.generation.comparisons import TONE_ANGLE, TONE_ONLY, comparison, slot
from tests.injection.libraries import VOCABULARY

TONE = slot("refs/02. Tone/vivid/desk.jpg", "e1")
ADA = replace(slot("refs/01. Model/low/Ada 01.jpg", "e2", Role.MODEL), id="model:low")
BEA = replace(ADA, key="refs/01. Model/low/Bea 02.jpg", etag="e3")


def diff(one: Comparison, other: Comparison, *, side: Any = TONE_ANGLE, others: Any = TONE_ANGLE) -> SideDiff:
    return diff_sides(ComparedSide(one, side), ComparedSide(other, others), VOCABULARY)


def told(found: SideDiff) -> dict[str, tuple[str, str]]:
    return {each.what: (each.left, each.right) for each in found.differences}


def test_the_same_request_differs_in_nothing() -> None:
    made = comparison(TONE, ADA)
    assert diff(made, made.model_copy(update={"id": comparison().id})).differences == ()
    assert {"prompt", "tone", "person", "seed", "image model"} <= set(diff(made, made).same)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tone": "noir"}, {"tone": ("Vivid", "Noir")}),
        ({"tone": None}, {"tone": ("Vivid", "none")}),
        ({"tone": "sepia-of-old"}, {"tone": ("Vivid", "sepia-of-old")}),
        ({"angle": "low-angle"}, {"angle": ("none", "Low angle")}),
        ({"size": Size(width=1536, height=1024)}, {"size": ("64×80", "1536×1024")}),
        ({"engine": "openai"}, {"engine": ("test", "openai")}),
        ({"model": "test-2"}, {"image model": ("test-1", "test-2")}),
        ({"quality": "high"}, {"quality": ("medium", "high")}),
        ({"seed": 8}, {"seed": ("7", "8")}),
        ({"person": ""}, {"made by": ("demo@localhost", "nobody")}),
    ],
)
def test_each_point_is_told_with_both_values(changes: dict[str, Any], expected: dict[str, tuple[str, str]]) -> None:
    found = diff(comparison(TONE), comparison(TONE, **changes))
    assert told(found) == expected
    assert not set(expected) & set(found.same)


def test_another_person_is_told_by_name_and_by_picture() -> None:
    found = told(diff(comparison(TONE, ADA), comparison(TONE, BEA)))
    assert found == {"person": ("Ada", "Bea"), "person references": ("Ada 01.jpg", "Bea 02.jpg")}


def test_another_picture_of_the_same_name_is_another_picture() -> None:
    found = told(diff(comparison(TONE), comparison(replace(TONE, etag="e9"))))
    assert found == {"tone reference": ("desk.jpg (one file)", "desk.jpg (another of this name)")}


def test_strengths_count_where_a_reference_went_in() -> None:
    strong = Wishes(prompt="a portrait", strengths={"tone": Strength.STRONG, "angle": Strength.EXACT})
    found = told(diff(comparison(TONE, wishes=Wishes(prompt="a portrait")), comparison(TONE, wishes=strong)))
    assert found == {"strength": ("normal", "desk.jpg strong")}


def test_sides_of_two_kinds_differ_in_kind_and_in_the_angle_that_only_one_was_asked_for() -> None:
    made = comparison(TONE, angle="low-angle")
    found = told(diff(made, made, side=TONE_ONLY, others=TONE_ANGLE))
    assert found == {"kind": ("Tone only", "Tone + angle"), "angle": ("none", "Low angle")}


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ("Ada in a red coat by the sea", "Ada in a blue coat by the sea", ("Ada in a red…", "Ada in a blue…")),
        ("카페의 30대 여자", "카페의 40대 여자", ("카페의 30대…", "카페의 40대…")),
        ("a chair", "", ("a chair", "none")),
        ("Ada", "Ada smiling", ("Ada", "Ada smiling")),
        ("Ada,  by\na window ", "Ada, by a window", None),
        ("부감", "부감", None),
    ],
)
def test_of_prompts_the_part_is_told_in_which_they_differ(one: str, other: str, says: tuple[str, str] | None) -> None:
    found = told(diff(comparison(wishes=Wishes(prompt=one)), comparison(wishes=Wishes(prompt=other))))
    assert found.get("prompt") == says


@given(some.text(max_size=400), some.text(max_size=400))
def test_however_long_prompts_are_what_is_told_of_them_is_short_and_differs(one: str, other: str) -> None:
    found = told(diff(comparison(wishes=Wishes(prompt=one)), comparison(wishes=Wishes(prompt=other))))
    if "prompt" in found:
        left, right = found["prompt"]
        assert left != right
        assert max(len(left), len(right)) < 100


def varied(varies: Varies, *, angle: str | None = None, **wishes: Any) -> Comparison:
    """A pair whose sides are A and B."""
    sections = (Section("Subject", "a portrait", typed=True), *((Section("Angle", angle),) if angle else ()))
    high = RenderSettings(engine="test", model="test-2", size=Size(width=64, height=80), quality="high")
    made = Wishes(prompt="a portrait", mode=Mode.COMPARE, varies=varies, seed=7, **wishes)
    sides = (
        SideRecord(side=SideName.A, slots=(TONE,), sections=sections, prompt="a portrait"),
        SideRecord(
            side=SideName.B,
            slots=(TONE,),
            sections=sections,
            prompt="a portrait",
            render=high if varies is Varies.MODEL else None,
        ),
    )
    return comparison(sides=sides, wishes=made, angle=angle)


def test_sides_that_are_made_otherwise_differ_in_how_they_are_made_alone() -> None:
    one = varied(Varies.MODEL)
    found = told(diff(one, one, side=SideName.A, others=SideName.B))
    assert found == {"image model": ("test-1", "test-2"), "quality": ("medium", "high")}


def test_sides_that_follow_a_reference_otherwise_differ_in_strength_alone() -> None:
    one = varied(Varies.STRENGTH, strengths_b={"tone": Strength.EXACT})
    assert told(diff(one, one, side=SideName.A, others=SideName.B)) == {"strength": ("normal", "desk.jpg exact")}


@pytest.mark.parametrize(("angle", "like"), [(None, TONE_ONLY), ("low-angle", TONE_ANGLE)])
def test_sides_a_and_b_are_of_the_kind_that_was_sent(angle: str | None, like: Any) -> None:
    one, plain = varied(Varies.TONE_WAY, angle=angle), comparison(TONE, angle=angle)
    assert "kind" in diff(one, plain, side=SideName.A, others=like).same
    assert "angle" in diff(one, plain, side=SideName.B, others=like).same
