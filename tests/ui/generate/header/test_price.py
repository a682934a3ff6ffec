"""The price line: what such pictures were charged where that is known, the table's estimate otherwise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from core.generation.records.comparison import RenderSettings
from core.generation.records.usual import Median
from core.generation.spending.budget import Budgets, DailyLimits
from core.generation.spending.ledger import Ledger
from core.studio import Studio
from core.ui.generate.header.price import price_for

RENDER = RenderSettings(engine="openai", model="gpt-image-2")


@pytest.mark.parametrize(
    ("usd", "usual", "line"),
    [
        (0.27, None, "gpt-image-2 · about $0.27 (estimate)"),
        (0.27, Median(0.0862, 50), "gpt-image-2 · about $0.09, the median of the last 50"),
        (None, None, "gpt-image-2 · price unknown"),
        (None, Median(0.31, 6), "gpt-image-2 · about $0.31, the median of the last 6"),
        (0, None, "Preview engine · free"),
        (0.0, Median(0.0, 9), "Preview engine · free"),
    ],
)
def test_a_price_says_where_it_comes_from(usd: float | None, usual: Median | None, line: str) -> None:
    budgets = Budgets(cast(Ledger, None), DailyLimits)  # without limits nobody asks what was spent
    studio = cast(Studio, SimpleNamespace(budgets=budgets))
    assert price_for(studio, usd, RENDER, "anna@studio", usual=usual).line == line


@pytest.mark.parametrize(
    ("usd", "pictures", "line"),
    [
        (0.27, 0, "gpt-image-2 · about $0.27 (estimate)"),
        (0.27, 2, "2 pictures · gpt-image-2 · about $0.27 (estimate)"),
        (0.81, 6, "6 pictures · gpt-image-2 · about $0.81 (estimate)"),
        (None, 8, "8 pictures · gpt-image-2 · price unknown"),
        (0.0, 4, "4 pictures · Preview engine · free"),
    ],
)
def test_more_than_one_take_says_how_many_pictures_are_paid_for(usd: float | None, pictures: int, line: str) -> None:
    studio = cast(Studio, SimpleNamespace(budgets=Budgets(cast(Ledger, None), DailyLimits)))
    assert price_for(studio, usd, RENDER, "anna@studio", pictures=pictures).line == line


def test_two_image_models_are_both_named_and_the_same_one_once() -> None:
    studio = cast(Studio, SimpleNamespace(budgets=Budgets(cast(Ledger, None), DailyLimits)))
    other = RENDER.model_copy(update={"model": "gpt-image-1"})
    line = price_for(studio, 0.3, RENDER, "anna@studio", render_b=other).line
    assert line == "gpt-image-2 and gpt-image-1 · about $0.30 (estimate)"
    better = RENDER.model_copy(update={"quality": "high"})
    assert price_for(studio, 0.3, RENDER, "anna@studio", render_b=better).line.startswith("gpt-image-2 · about")
