"""The price: what pressing a button may cost, what is left today, and why it may not be pressed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from core.errors import InputError, StorageError, StudioError
from core.generation.planning import Planned
from core.generation.records.comparison import RenderSettings
from core.generation.records.usual import Median
from core.generation.spending.budget import dollars, dollars_left
from core.injection.request.wishes import check_prompt, check_prompt_length
from core.studio import Studio
from core.ui.generate.composer.render_fields import render_settings, second_render
from core.ui.generate.composer.stored_draft import refused_chars
from core.ui.generate.composer.varied import takes


@dataclass(frozen=True, slots=True)
class Price:
    """One line beside the button, and the sentence that disables it."""

    line: str
    objection: StudioError | str | None = None


def price_of(studio: Studio, planned: Planned, person: str) -> Price:
    """What the composer's plan may cost this person."""
    render, render_b = render_settings(studio), second_render(studio)
    usual = studio.orders.usual_charge(planned, render, render_b=render_b, takes=takes())
    usd = studio.orders.estimate(planned, render, render_b=render_b, takes=takes())
    pictures = takes() * len(planned.sides) if takes() > 1 else 0
    price = price_for(studio, usd, render, person, usual=usual, render_b=render_b, pictures=pictures)
    return Price(price.line, _too_long(planned.injection.wishes.prompt) or price.objection)


def price_for(
    studio: Studio,
    usd: float | None,
    render: RenderSettings,
    person: str,
    *,
    usual: Median | None = None,
    render_b: RenderSettings | None = None,
    pictures: int = 0,
) -> Price:
    """What something may cost this person: what such are `usual`ly charged, else the estimate; None is unknown.

    The budget is asked about the estimate, which is the higher one. `render_b` is what the second side is made with,
    where that differs, and `pictures` how many are made, where that is more than one a side.
    """
    count = f"{pictures} pictures · " if pictures else ""
    if usd == 0:
        return Price(f"{count}Preview engine · free")
    cost, made_by = _in_words(usd, usual), count + _models(render, render_b)
    try:
        budget = studio.budgets.of(person)
    except StorageError as err:
        return Price(f"{made_by} · {cost}", f"What is left of today's budget is not known: {err.message}")
    if budget is None:
        return Price(f"{made_by} · {cost}")
    if not budget.counted:
        return Price(f"{made_by} · {cost} · counting what was spent today…")
    line = f"{made_by} · {cost} · {dollars_left(budget.left_usd)} left today"
    return Price(line, budget.objection(usd, now=datetime.now(UTC)))


def _models(*renders: RenderSettings | None) -> str:
    """The image models, each once."""
    return " and ".join(dict.fromkeys(render.model for render in renders if render is not None))


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
