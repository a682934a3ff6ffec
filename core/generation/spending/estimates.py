"""Estimates: what a picture may cost, on the safe side, and what such pictures are usually charged.

Budgets count the higher of the two: the price table where it says more than was charged, and the charges where the
table has fallen behind. Where the table says nothing nothing is promised, however much was charged before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.generation.engines.engine import Engine
from core.generation.records.comparison import RenderSettings
from core.generation.records.usual import Median, Usual


@dataclass(frozen=True, slots=True)
class Estimates:
    """What one side of a comparison costs, in US dollars. Without `usual` only the price tables are asked."""

    engines: Mapping[str, Engine]
    usual_figures: Usual | None = None

    def at_most(self, render: RenderSettings, *, references: int) -> float | None:
        """What counts against budgets; None when nobody can say, or where there is no such engine any more."""
        engine = self.engines.get(render.engine)
        listed = engine.estimate(render, references=references) if engine else None
        if not listed:  # unknown, or free
            return listed
        usual = self.usual(render, references=references)
        return listed if usual is None else max(listed, usual.value)

    def usual(self, render: RenderSettings, *, references: int) -> Median | None:
        """The median of what such pictures were charged; None while too few are known."""
        return self.usual_figures.usd(render, references=references) if self.usual_figures else None


def sum_of(parts: Iterable[float | None]) -> float | None:
    """The sum of prices; None as soon as one is unknown."""
    total = 0.0
    for part in parts:
        if part is None:
            return None
        total += part
    return total
