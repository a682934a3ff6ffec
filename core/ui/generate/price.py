"""The price: what pressing a button may cost, what is left today, and why it may not be pressed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from core.errors import InputError, StorageError, StudioError
from core.generation.planning import Planned
from core.generation.records.comparison import RenderSettings
from core.generation.records.usual import Median
from core.generation.spending.budget import dollars, dollars_left
from core.injection.wishes import check_prompt, check_prompt_length
from core.studio import Studio
from core.ui.generate.composer import render_settings
from core.ui.generate.stored_draft import refused_chars


@dataclass(frozen=True, slots=True)
class Price:
    """One line beside the button, and the sentence that disables it."""

    line: str
    objection: StudioError | str | None = None


def price_of(studio: Studio, planned: Planned, person: str) -> Price:
    """What the composer's plan may cost this person."""
    render = render_settings(studio)
    usual = studio.orders.usual_charge(planned, render)
    price = price_for(studio, studio.orders.estimate(planned, render), render, person, usual=usual)
    return Price(price.line, _too_long(planned.injection.wishes.prompt) or price.objection)


def price_for(
    studio: Studio, usd: float | None, render: RenderSettings, person: str, *, usual: Median | None = None
) -> Price:
    """What something may cost this person: what such are `usual`ly charged, else the estimate; None is unknown.

    The budget is asked about the estimate, which is the higher one.
    """
    if usd == 0:
        return Price("Preview engine · free")
    cost = _in_words(usd, usual)
    try:
        budget = studio.budgets.of(person)
    except StorageError as err:
        return Price(f"{render.model} · {cost}", f"What is left of today's budget is not known: {err.message}")
    if budget is None:
        return Price(f"{render.model} · {cost}")
    if not budget.counted:
        return Price(f"{render.model} · {cost} · counting what was spent today…")
    line = f"{render.model} · {cost} · {dollars_left(budget.left_usd)} left today"
    return Price(line, budget.objection(usd, now=datetime.now(UTC)))


def _in_words(usd: float | None, usual: Median | None) -> str:
    if usual is not None:
        return f"about {dollars(usual.value)}, the median of the last {usual.count}"
    return "price unknown" if usd is None else f"about {dollars(usd)} (estimate)"


def _too_long(prompt: str) -> InputError | None:
    """Why this prompt cannot be sent; an empty one is refused when Generate is pressed."""
    try:
        check_prompt_length(refused_chars())
        check_prompt(prompt or "-")
    except InputError as err:
        return err
    return None
