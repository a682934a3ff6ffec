"""The answer on top of Insights: the sentence, its interval, what is missing, and the figures that go with it."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Literal

import streamlit as st

from core.errors import StorageError
from core.generation.spending.budget import dollars
from core.studio import Studio
from core.ui.frame.filters import go_to
from core.ui.frame.layout import empty_state
from core.ui.frame.words.markdown import Markdown, fill, plain
from core.ui.frame.words.quantities import count_of, signed, unbroken
from core.ui.insights.charts import answer_chart, course_chart
from core.ui.insights.drawn_charts import chart_and_table, draw_chart
from core.viewer import Viewer
from core.votes.insights.answer import percent, span
from core.votes.insights.insights import Insights
from core.votes.insights.pictures import Taken

_NOT_KNOWN: Final = "–"
_FIGURE_PX: Final = 150


def show_answer(studio: Studio, viewer: Viewer, found: Insights) -> None:
    """The sentence and the interval, and below what is to be thought of with it and what is missing."""
    with st.container(gap="xsmall", key="insights-answer"):
        st.header(plain(unbroken(found.sentence)), anchor=False)
        if found.exploratory:
            st.badge("exploratory", color="gray")
        draw_chart(answer_chart(found.estimate), alt=_alt(found), name="answer")
        st.caption(
            fill(
                "How often {} is preferred to {}: the mean over scenes, a tie counts one half. The bar is the 95 % "
                "interval; at the line in the middle neither is preferred.",
                *_titles(found),
            ),
        )
        if found.missing:
            st.markdown(_what_next(studio, viewer, found.missing))
        for caveat in found.caveats:
            st.caption(fill(":material/info: {}", caveat))


def _what_next(studio: Studio, viewer: Viewer, missing: str) -> Markdown:
    """What it takes to decide, and whether this person can do something about it, as far as that is known."""
    left = None
    with suppress(StorageError):  # the answer stands in memory: it is shown while S3 is away
        left = studio.votes.pool(viewer).left
    if left is None:
        return plain(missing)
    if not left:
        return fill("{} No pair waits for your vote now: new comparisons bring new pairs.", missing)
    return fill("{} {} for your vote.", missing, count_of(left, "pair waits", "pairs wait"))


def show_nothing_known(studio: Studio, viewer: Viewer, found: Insights, *, is_narrowed: bool) -> None:
    """Why there is no answer, and what to do about it."""
    if not studio.insights.is_read:
        empty_state("Nothing is known so far", "The votes are still being read from S3.")
        return
    with empty_state("Nothing is known yet", plain(found.next_step or "")):
        left = studio.votes.pool(viewer).left
        if is_narrowed and not found.left_out.total and not found.votes:
            st.caption("No vote passes these filters: clear one of them.", text_alignment="center")
        elif left:
            st.caption(
                fill("{} for your vote, whatever varies.", count_of(left, "pair waits", "pairs wait")),
                text_alignment="center",
            )
            vote_button("primary")
        else:
            st.caption(
                "No pair waits for your vote: make a comparison whose sides are controlled on the Generate page.",
                text_alignment="center",
            )
            if st.button("Generate"):
                go_to("generate")


def vote_button(kind: Literal["primary", "tertiary"] = "tertiary") -> None:
    """The way to the ballots."""
    if st.button("Vote", type=kind, icon=":material/how_to_vote:", key=f"vote-{kind}"):
        go_to("vote")


def show_figures(found: Insights) -> None:
    """What else is to be known at a glance; of the side that is asked of, where nothing else is said."""
    _, a = _titles(found)
    each_a, each_b = _each(found.pictures.a.usd), _each(found.pictures.b.usd)
    nearer = found.pictures.fidelity_difference
    with st.grid(4, min_column_width=_FIGURE_PX, key="insights-figures"):
        _figure(
            "Votes, not all blind" if found.filters.include_seen else "Blind votes",
            f"{found.votes:,}",
            f"{percent(found.ties or 0.0)} ties, {count_of(found.voter_count, 'person', 'people')}",
        )
        _figure("Both bad", percent(found.both_bad or 0.0), "of all votes")
        _figure("Cost of a preferred picture", each_b, fill("{} {}", each_a, a))
        _figure(
            "Tone fidelity, difference",
            _NOT_KNOWN if nearer is None else signed(nearer.mean),
            "not measured"
            if nearer is None
            else "too few scenes"
            if nearer.low is None
            else f"{signed(nearer.low)} to {signed(nearer.high or 0.0)}",
        )


def show_course(found: Insights) -> None:
    """How the answer became what it is."""
    st.subheader("Course over time", anchor=False)
    if len(found.course) < 2:
        st.caption("From the second scene on.")
        return
    st.caption("The preference after each new scene, by all votes known now: not what stood here on that day.")
    chart_and_table(
        course_chart(found.course),
        [
            {
                "Until, UTC": f"{point.time:%Y-%m-%d %H:%M}",
                "Scenes": point.scenes,
                "Preference": percent(point.preference),
                "95 % interval": span(point.low, point.high),
            }
            for point in found.course
        ],
        alt=f"How the preference came about over {count_of(found.estimate.scenes, 'scene')}. {found.sentence}",
        name="course",
    )


def _figure(label: str, value: str, below: str) -> None:
    st.metric(plain(label), plain(unbroken(value)), plain(below), delta_color="off", delta_arrow="off")


def _each(taken: Taken | None) -> str:
    return _NOT_KNOWN if taken is None or taken.each is None else dollars(taken.each)


def _titles(found: Insights) -> tuple[str, str]:
    """B in front, for it is asked of."""
    return found.contrast.b, found.contrast.a


def _alt(found: Insights) -> str:
    return f"The interval from 0 to 100 %, with the middle marked. {found.sentence}"
