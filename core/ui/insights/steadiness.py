"""How far the votes can be trusted: agreement, the left side, the busiest voter, and what was left out."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from core.shares import Share
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.quantities import count_of, signed
from core.ui.frame.words.tables import draw_text_table
from core.votes.insights.agreement import Agreement, LeftBias
from core.votes.insights.answer import percent, span
from core.votes.insights.insights import Insights
from core.votes.insights.voter_figures import WithoutBusiest

_NONE: Final = "–"
_MEASURE: Final = "Measure"


def show_steadiness(found: Insights) -> None:
    """A row for each measure, and a warning where the votes tell less than they seem to."""
    st.subheader("Can the votes be trusted?", anchor=False)
    st.caption(
        "Agreement is Krippendorff's alpha: 1 is full agreement, 0 is chance. Which side stands left is drawn by lot, "
        "so the left picture should be chosen in half of all votes."
    )
    if found.left_bias.is_biased:
        share = percent(found.left_bias.share or 0.0)
        st.warning(
            fill(
                "The left picture is chosen in {} of votes, not in half: the votes tell less than they seem to.", share
            ),
            icon=":material/balance:",
        )
    rows = [_between(found.agreement), _with_themselves(found.self_agreement), _left(found.left_bias)]
    if found.without_busiest is not None:
        rows.append(_without(found.without_busiest))
    rows.append(
        {
            _MEASURE: "Median time of an answer",
            "Figure": _NONE if found.median_s is None else f"{found.median_s:.1f} s",
            "95 % interval": _NONE,
            "Of": count_of(found.votes, "vote"),
        }
    )
    draw_text_table(rows, alt="How far the votes can be trusted")


def show_left_out(found: Insights) -> None:
    """What does not count, and why."""
    left_out = found.left_out
    st.subheader(fill("Left out :gray[{}]", count_of(left_out.total, "vote")), anchor=False)
    if not left_out.total:
        st.caption("Nothing: every vote of this question counts.")
        return
    reasons = (
        (left_out.seen, "The voter had seen the sides named", "“Include not blind” counts them"),
        (left_out.uncontrolled, "The sides differ in more than what varies", "Make controlled comparisons"),
        (
            left_out.repeated,
            "The voter had judged the pair before",
            "Nothing: it tells how people agree with themselves",
        ),
        (left_out.other_contrasts, "Something else was compared", "“Most compared” chooses it"),
    )
    draw_text_table(
        [{"Why": why, "Votes": votes, "What to do": then} for votes, why, then in reasons if votes],
        alt="Votes that do not count, and why",
    )


def _between(agreement: Agreement) -> dict[str, Any]:
    low, high = agreement.low, agreement.high
    spread = _NONE if low is None or high is None else f"{_alpha(low)} to {_alpha(high)}"
    return {
        _MEASURE: "Voters agree with each other",
        "Figure": _NONE if agreement.alpha is None else _alpha(agreement.alpha),
        "95 % interval": spread,
        "Of": count_of(agreement.pairs, "pair that several judged", "pairs that several judged"),
    }


def _alpha(value: float) -> str:
    return signed(value, 2).removeprefix("+")  # a plus would begin a formula


def _with_themselves(share: Share) -> dict[str, Any]:
    return {
        _MEASURE: "Voters agree with themselves",
        "Figure": _percent(share.share),
        "95 % interval": _span(share.low, share.high),
        "Of": count_of(share.count, "pair that came again, mirrored", "pairs that came again, mirrored"),
    }


def _left(bias: LeftBias) -> dict[str, Any]:
    return {
        _MEASURE: "The left picture is chosen",
        "Figure": _percent(bias.share),
        "95 % interval": _span(bias.low, bias.high),
        "Of": count_of(bias.votes, "vote that chose one", "votes that chose one"),
    }


def _without(busiest: WithoutBusiest) -> dict[str, Any]:
    """The answer as if the busiest had not voted."""
    estimate = busiest.estimate
    return {
        _MEASURE: f"Preference without {busiest.name}, who voted most",
        "Figure": _percent(estimate.preference),
        "95 % interval": _span(estimate.low, estimate.high),
        "Of": f"{count_of(estimate.scenes, 'scene')}, without {count_of(busiest.votes, 'vote')}",
    }


def _percent(share: float | None) -> str:
    return _NONE if share is None else percent(share)


def _span(low: float | None, high: float | None) -> str:
    return _NONE if low is None or high is None else span(low, high)
