"""The sizes on offer: what their names say they are, and taken and priced by every image model that has a price."""

from __future__ import annotations

import re

import pytest

from core.generation.engines.capabilities import check_request, model_table
from core.generation.engines.prices import estimate
from core.generation.records.comparison import DEFAULT_SIZE
from core.ui.generate.composer.draft import SIZES


def test_every_ratio_a_designer_works_in_is_offered_and_the_default_comes_first() -> None:
    ratios = [name.split(" ")[0] for name in SIZES]
    assert set(ratios) == {"4:5", "3:4", "2:3", "9:16", "1:1", "3:2", "16:9"}
    assert next(iter(SIZES.values())) == DEFAULT_SIZE


@pytest.mark.parametrize("name", SIZES)
def test_a_name_says_ratio_and_pixels_as_they_are(name: str) -> None:
    across, down, width, height = map(int, re.findall(r"\d+", name))
    size = SIZES[name]
    assert (size.width, size.height) == (width, height)
    assert width * down == height * across, "the ratio is exact, not nearly so"


@pytest.mark.parametrize("model", [model.name for model in model_table().model])
@pytest.mark.parametrize("name", SIZES)
def test_every_image_model_makes_it_and_a_price_is_known_where_any_is(name: str, model: str) -> None:
    check_request(model, SIZES[name], "medium")
    if estimate(model, DEFAULT_SIZE, "medium", references=0) is not None:
        assert (estimate(model, SIZES[name], "medium", references=3) or 0) > 0
