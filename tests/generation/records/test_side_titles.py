"""Side titles: each side is called by what it is, whatever the two sides vary."""

from __future__ import annotations

from typing import Any

import pytest

from core.generation.records.comparison import RenderSettings
from core.generation.records.side_titles import planned_title, side_title
from core.injection.request.wishes import SIDES_OF_MODE, Mode, SideName, Strength, Varies, Wishes, sides_of
from tests.generation.comparisons import comparison

FIRST = RenderSettings(engine="openai", model="gpt-image-2", quality="medium")


def titles(wishes: Wishes, **second: Any) -> tuple[str, ...]:
    renders = {SideName.A: FIRST, SideName.B: FIRST.model_copy(update=second)}
    return tuple(planned_title(wishes, side, renders) for side in sides_of(wishes))


def test_sides_that_differ_in_the_angle_keep_their_names_and_so_do_single_ones() -> None:
    assert titles(Wishes()) == ("Tone only", "Tone + angle")
    for mode in (Mode.TONE_ONLY, Mode.TONE_ANGLE):
        assert titles(Wishes(mode=mode, varies=Varies.MODEL)) == (SIDES_OF_MODE[mode][0].heading,)


@pytest.mark.parametrize(
    ("second", "called"),
    [
        ({"model": "gpt-image-1"}, ("gpt-image-2", "gpt-image-1")),
        ({"quality": "high"}, ("Medium quality", "High quality")),
        ({"model": "gpt-image-1", "quality": "low"}, ("gpt-image-2 · medium", "gpt-image-1 · low")),
        ({"engine": "preview", "model": "colour-transfer-1"}, ("gpt-image-2", "colour-transfer-1")),
        ({}, ("gpt-image-2", "gpt-image-2")),
    ],
)
def test_of_two_image_models_a_side_is_called_by_what_the_other_has_not(
    second: dict[str, str], called: tuple[str, str]
) -> None:
    assert titles(Wishes(varies=Varies.MODEL), **second) == called


def test_of_the_tones_way_one_is_the_picture_and_one_the_words() -> None:
    assert titles(Wishes(varies=Varies.TONE_WAY)) == ("Tone reference", "Tone in words")


def test_of_a_strength_each_is_called_by_the_reference_and_how_closely_it_is_followed() -> None:
    angle = Wishes(varies=Varies.STRENGTH, strengths={"angle": Strength.HINT}, strengths_b={"angle": Strength.EXACT})
    assert titles(angle) == ("Angle: hint", "Angle: exact")
    tone = Wishes(varies=Varies.STRENGTH, strengths_b={"tone": Strength.STRONG})
    assert titles(tone) == ("Tone: normal", "Tone: strong")
    assert titles(Wishes(varies=Varies.STRENGTH)) == ("Tone: normal", "Tone: normal")


def test_a_record_says_the_same_as_its_plan() -> None:
    made = comparison(model="gpt-image-2", quality="high")
    one, other = made.sides
    made = made.model_copy(
        update={
            "wishes": Wishes(varies=Varies.MODEL),
            "sides": (
                one.model_copy(update={"side": SideName.A}),
                other.model_copy(
                    update={"side": SideName.B, "render": made.render.model_copy(update={"quality": "low"})}
                ),
            ),
        }
    )
    assert [side_title(made, side.side) for side in made.sides] == ["High quality", "Low quality"]
