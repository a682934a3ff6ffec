"""The pictures behind the votes: reasons, and what each side's took beside what people think of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

import streamlit as st

from core.ui.frame.markdown import fill
from core.ui.frame.quantities import signed
from core.ui.frame.tables import draw_table
from core.ui.insights.charts import reason_chart
from core.ui.insights.drawn_charts import chart_and_table
from core.votes.insights.insights import Insights
from core.votes.insights.pictures import SideFigures, Taken

_NONE: Final = "–"
TakenBy: TypeAlias = Callable[[SideFigures], Taken | None]

_TAKEN: Final[dict[str, TakenBy]] = {
    "Failures": lambda side: side.failures,
    "Seconds": lambda side: side.seconds,
    "US$": lambda side: side.usd,
}


def show_reasons(found: Insights) -> None:
    """How often each reason was given, and with which answer."""
    st.markdown("**Reasons**")
    if not found.reasons:
        st.caption("Nobody has given a reason yet: 1 to 5 on a ballot give one.")
        return
    st.caption("A vote may give several, or none.")
    names = [reason.name.replace("-", " ").capitalize() for reason in found.reasons]
    answers = (f"for {found.contrast.b}", f"for {found.contrast.a}", "tie", "both bad")
    chart_and_table(
        reason_chart(found.reasons, names, answers),
        [
            {
                "Reason": name,
                "Votes": reason.votes,
                **dict(zip(answers, (reason.b, reason.a, reason.ties, reason.both_bad), strict=True)),
            }
            for reason, name in zip(found.reasons, names, strict=True)
        ],
        alt="Reasons: " + ", ".join(f"{name} {each.votes}" for name, each in zip(names, found.reasons, strict=True)),
        name="reasons",
    )


def show_pictures(found: Insights) -> None:
    """Fidelity, failures, seconds and cost of both sides, in all and for each preferred picture."""
    st.markdown(fill("**Pictures** :gray[{:,} of each side]", found.pictures.a.pictures))
    st.caption(
        "For each preferred picture: what all of a side took, failed attempts and all, divided by how many were "
        "preferred; a tie is half of one. Known pairs only: unpriced is not free."
    )
    draw_table(_rows(found), alt="What the pictures of each side took")
    nearer = found.pictures.fidelity_difference
    if nearer is not None:
        spread = (
            "" if nearer.low is None or nearer.high is None else f" ({signed(nearer.low)} to {signed(nearer.high)})"
        )
        st.caption(
            fill("Pair by pair {} is {} points{} nearer to its tone.", found.contrast.b, signed(nearer.mean), spread)
        )


def _rows(found: Insights) -> list[dict[str, Any]]:
    """B in front, for it is asked of."""

    def of_both(name: str, figure: Callable[[SideFigures], str]) -> dict[str, Any]:
        sides = ((found.contrast.b, found.pictures.b), (found.contrast.a, found.pictures.a))
        return {"Figure": name, **{title: figure(side) for title, side in sides}}

    rows = [
        of_both("Preferred", lambda side: f"{side.preferred:,.1f}"),
        of_both("Tone fidelity, mean", lambda side: _NONE if side.fidelity is None else f"{side.fidelity:.1f}"),
    ]
    for name, taken_by in _TAKEN.items():
        rows += [
            of_both(f"{name} for each preferred", partial(_each, taken_by)),
            of_both(f"{name} in all", partial(_total, taken_by)),
        ]
    return rows


def _each(taken_by: TakenBy, side: SideFigures) -> str:
    taken = taken_by(side)
    return _number(None if taken is None else taken.each)


def _total(taken_by: TakenBy, side: SideFigures) -> str:
    taken = taken_by(side)
    return _number(None if taken is None else taken.total)


def _number(figure: float | None) -> str:
    return _NONE if figure is None else f"{figure:,.0f}" if figure >= 1000 else f"{figure:,.3g}"
