"""The pictures behind the votes: reasons, and what each side's took beside what people think of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

import streamlit as st

from core.generation.spending.budget import dollars
from core.ui.frame.words.markdown import Markdown, fill
from core.ui.frame.words.quantities import signed, time_span
from core.ui.frame.words.tables import draw_text_table
from core.ui.insights.charts import reason_chart
from core.ui.insights.drawn_charts import chart_and_table
from core.votes.evidence import Contrast
from core.votes.insights.insights import Insights
from core.votes.insights.pictures import FidelityDifference, SideFigures, Taken

_NONE: Final = "–"
TakenBy: TypeAlias = Callable[[SideFigures], Taken | None]

Said: TypeAlias = Callable[[float], str]


def _failures(count: float) -> str:
    """Whole ones, or so many of one picture that two figures of it are read."""
    return f"{count:,.0f}" if count.is_integer() else f"{count:,.2f}"


_TAKEN: Final[tuple[tuple[str, TakenBy, Said], ...]] = (
    ("Failures", lambda side: side.failures, _failures),
    ("Time", lambda side: side.seconds, time_span),
    ("Cost", lambda side: side.usd, dollars),
)


def show_reasons(found: Insights) -> None:
    """How often each reason was given, and with which answer."""
    st.subheader("Reasons", anchor=False)
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
    st.subheader(fill("Pictures :gray[{:,} of each side]", found.pictures.a.pictures), anchor=False)
    st.caption(
        "For each preferred picture: what all pictures of a side took, failed attempts and all, divided by how many "
        "were preferred; a tie is half of one. Pairs of which one side is not known are left out: unpriced is not free."
    )
    draw_text_table(_rows(found), alt="What the pictures of each side took")
    if found.pictures.fidelity_difference is not None:
        st.caption(_nearer(found.contrast, found.pictures.fidelity_difference))


def _nearer(contrast: Contrast, difference: FidelityDifference) -> Markdown:
    """The paired difference in words."""
    way = "higher" if difference.mean >= 0 else "lower"
    said = fill(
        "Pair by pair the tone fidelity of {} is {:.1f} points {} than that of {}",
        *(contrast.b, abs(difference.mean), way, contrast.a),
    )
    if difference.low is None or difference.high is None:
        return fill("{}: so few scenes tell no interval.", said)
    return fill("{} (95 % interval {} to {}).", said, signed(difference.low), signed(difference.high))


def _rows(found: Insights) -> list[dict[str, Any]]:
    """B in front, for it is asked of."""

    def of_both(name: str, figure: Callable[[SideFigures], str]) -> dict[str, Any]:
        sides = ((found.contrast.b, found.pictures.b), (found.contrast.a, found.pictures.a))
        return {"Figure": name, **{title: figure(side) for title, side in sides}}

    rows = [
        of_both("Preferred", lambda side: f"{side.preferred:,.0f} of {side.pictures:,}"),
        of_both("Tone fidelity, mean", lambda side: _NONE if side.fidelity is None else f"{side.fidelity:.1f}"),
    ]
    for name, taken_by, said in _TAKEN:
        rows += [
            of_both(f"{name} for each preferred", partial(_each, taken_by, said)),
            of_both(f"{name} in all", partial(_total, taken_by, said)),
        ]
    return rows


def _each(taken_by: TakenBy, said: Said, side: SideFigures) -> str:
    taken = taken_by(side)
    return _NONE if taken is None or taken.each is None else said(taken.each)


def _total(taken_by: TakenBy, said: Said, side: SideFigures) -> str:
    taken = taken_by(side)
    return _NONE if taken is None else said(taken.total)
