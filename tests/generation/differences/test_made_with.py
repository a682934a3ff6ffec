"""What a comparison was made with, in the words that stand on it once something else is planned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.generation.differences.made_with import made_with
from core.generation.planning import Planned, record_of
from core.generation.records.comparison import Comparison, RenderSettings, SideRecord, Size
from core.injection.plan import Planner
from core.injection.request.prompt import as_text, assemble
from core.injection.request.wishes import Mode, Strength, Varies, Wishes
from core.labels.published.label_file import LabelSet
from core.references.key import persona_of
from core.references.vocabulary import Role
from tests.injection.libraries import A_PERSON, VOCABULARY, sample_library

INDEX = sample_library()
RENDER = RenderSettings(engine="test", model="test-1", size=Size(width=1024, height=1280), quality="medium")
ASKED = Wishes(prompt="a woman in a red coat", tone="cinematic", angle="low-angle", folder="refs/01. Model", seed=11)


def plan(wishes: Wishes = ASKED, **changes: Any) -> Planned:
    wishes = replace(wishes, **changes)
    injection = Planner(INDEX, LabelSet(()), max_model_references=3).plan(wishes, A_PERSON)
    sides = []
    for one in injection.sides:
        sections = assemble(wishes, injection.settled, one.slots, one.side, VOCABULARY)
        sides.append(SideRecord(side=one.side, slots=one.slots, sections=sections, prompt=as_text(sections)))
    return Planned(injection, tuple(sides), INDEX.built_at, "1")


def record(**changes: Any) -> Comparison:
    return record_of(plan(**changes), RENDER, "anna@studio")


def words(now: Planned, render: RenderSettings = RENDER, *, made: Comparison | None = None) -> str:
    return made_with(made or record(), now, render, VOCABULARY)


def test_what_the_plan_would_make_again_was_made_with_nothing_else() -> None:
    assert words(plan()) == ""
    assert words(plan(prompt=" a woman in a red coat\n")) == ""


def test_what_has_a_name_is_named_as_it_was_and_the_rest_is_another() -> None:
    said = words(plan(tone="vivid", angle="eye-level", prompt="a woman at sea"))
    assert said.startswith("cinematic · low angle")
    assert said.endswith(", another prompt")
    assert words(plan(prompt="a woman at sea")) == "another prompt"


def test_what_follows_from_another_tone_is_not_told_again() -> None:
    assert "references" not in words(plan(tone="vivid"))
    assert words(plan(tone=None)).startswith("cinematic")
    assert words(plan(), made=record(tone=None)).startswith("no tone")


def test_other_pictures_for_the_same_wishes_are_other_references() -> None:
    tone = words(plan(rerolls={"tone": 1}))
    assert tone == "other references"
    assert words(plan(off=frozenset({"angle"}))) == "other references"
    assert words(plan(angle="eye-level", rerolls={"tone": 1})).endswith(", other references")


def test_another_face_is_told_by_the_name_of_who_stood_there() -> None:
    made = record()
    drawn = [slot for side in made.sides for slot in side.slots if slot.role is Role.MODEL and slot.key]
    names = sorted({persona_of(slot.key or "") or "" for slot in drawn})
    off = frozenset(slot.id for slot in drawn)
    said = words(plan(off=off), made=made)
    assert said == (" and ".join(names) if len(names) <= 2 else "other people")
    assert words(plan(), made=record(off=off)) == "no person"


@pytest.mark.parametrize(
    ("render", "said"),
    [
        ({"size": Size(width=1536, height=1024)}, "1024×1280"),
        ({"model": "test-2"}, "test-1"),
        ({"model": "test-2", "quality": "high"}, "test-1"),
        ({"quality": "high"}, "medium quality"),
        ({"engine": "preview"}, "test-1"),
    ],
)
def test_size_model_and_quality_are_told_as_they_were(render: dict[str, Any], said: str) -> None:
    assert words(plan(), RENDER.model_copy(update=render)) == said


def test_a_strength_counts_where_its_picture_goes_in() -> None:
    strong = {"tone": Strength.STRONG}
    assert words(plan(strengths=strong)) == "another strength"
    assert words(plan(strengths={"tone": Strength.NORMAL})) == ""
    assert words(plan(strengths=strong, off=frozenset({"tone"}))) == "other references"


def test_of_a_single_side_only_that_side_is_compared() -> None:
    alone = plan(mode=Mode.TONE_ONLY)
    assert words(alone) == "both sides"
    assert words(plan(), made=record(mode=Mode.TONE_ONLY)) == "tone only"
    assert words(plan(mode=Mode.TONE_ONLY, angle="eye-level"), made=record(mode=Mode.TONE_ONLY)) == ""


def test_a_tone_the_vocabulary_has_lost_is_named_by_its_id() -> None:
    assert words(plan(), made=record().model_copy(update={"tone": "sepia"})).startswith("sepia")


def test_what_was_varied_and_how_the_sides_were_planned_is_told_where_it_is_another_now() -> None:
    assert words(plan(), made=record(varies=Varies.TONE_WAY)) == "the tone's way varied"
    assert words(plan(varies=Varies.MODEL)) == "the angle varied"
    assert words(plan(balanced=False)) == "balanced"
    assert words(plan(), made=record(balanced=False)) == "as each mode alone"
    assert words(plan(mode=Mode.TONE_ONLY, varies=Varies.MODEL)) == "both sides"


def test_what_side_b_had_of_its_own_is_told_as_it_was() -> None:
    better = RENDER.model_copy(update={"quality": "high"})
    varied = plan(varies=Varies.MODEL)
    made = record_of(varied, RENDER, "anna@studio", render_b=better)
    assert made_with(made, varied, RENDER, VOCABULARY, render_b=better) == ""
    now = better.model_copy(update={"model": "test-2"})
    assert made_with(made, varied, RENDER, VOCABULARY, render_b=now) == "B test-1"
    followed = {"varies": Varies.STRENGTH, "strengths_b": {"tone": Strength.HINT}}
    assert words(plan(**followed), made=record(**followed)) == ""
    assert words(plan(**followed | {"strengths_b": {"tone": Strength.EXACT}}), made=record(**followed)) == (
        "another strength"
    )
