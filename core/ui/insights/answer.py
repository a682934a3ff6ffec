"""The answer on top of Insights: the sentence, its interval, what is missing, and the figures that go with it."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from core.generation.spending.budget import dollars
from core.studio import Studio
from core.ui.frame.layout import empty_state
from core.ui.frame.markdown import fill, plain
from core.ui.frame.quantities import count_of, signed
from core.ui.insights.charts import answer_chart, course_chart
from core.ui.insights.drawn_charts import chart_and_table, draw_chart
from core.ui.references.reference_details import go_to
from core.viewer import Viewer
from core.votes.insights.answer import interval_text, percent
from core.votes.insights.insights import Insights
from core.votes.insights.pictures import Taken

_NOT_KNOWN = "–"


def show_answer(found: Insights) -> None:
    """The sentence and the interval, and below what is to be thought of with it."""
    with st.container(gap="xsmall", key="insights-answer"):
        st.markdown(fill("## {}", found.sentence))
        if found.exploratory:
            st.badge("exploratory", color="gray")
        draw_chart(answer_chart(found.estimate), alt=_alt(found), name="answer")
        st.caption(
            fill("Share of scenes in which {} is preferred to {}: at the line both are alike.", *_titles(found)),
        )
        if found.missing:
            st.markdown(plain(found.missing))
        for caveat in found.caveats:
            st.caption(fill(":material/info: {}", caveat))


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
    """What else is to be known at a glance."""
    b, a = _titles(found)
    each_a, each_b = _each(found.pictures.a.usd), _each(found.pictures.b.usd)
    nearer = found.pictures.fidelity_difference
    with st.container(horizontal=True, key="insights-figures"):
        _figure(fill("{} preferred", b), percent(found.estimate.preference or 0.0), interval_text(found.estimate))
        _figure(
            "Votes, not all blind" if found.filters.include_seen else "Blind votes",
            f"{found.votes:,}",
            f"{percent(found.ties or 0.0)} ties, {count_of(found.voter_count, 'person', 'people')}",
        )
        _figure("Both bad", percent(found.both_bad or 0.0), "of all votes")
        _figure(fill("Cost of a preferred picture, {}", b), each_b, fill("{} {}", each_a, a))
        _figure(
            fill("Tone fidelity, {} beside {}", b, a),
            _NOT_KNOWN if nearer is None else signed(nearer.mean),
            "not measured"
            if nearer is None
            else "one scene alone"
            if nearer.low is None
            else f"{signed(nearer.low)} to {signed(nearer.high or 0.0)}",
        )


def show_course(found: Insights) -> None:
    """How the answer became what it is."""
    st.markdown("**Course**")
    st.caption("After each scene that came in, as all votes until now tell it: not what stood here on that day.")
    chart_and_table(
        course_chart(found.course),
        [
            {
                "Until": f"{point.time:%Y-%m-%d %H:%M}",
                "Scenes": point.scenes,
                "Preference": percent(point.preference),
                "Low": percent(point.low),
                "High": percent(point.high),
            }
            for point in found.course
        ],
        alt=f"How the preference came about over {count_of(found.estimate.scenes, 'scene')}. {found.sentence}",
        name="course",
    )


def _figure(label: str, value: str, below: str) -> None:
    st.metric(plain(label), plain(value), plain(below), delta_color="off", delta_arrow="off")


def _each(taken: Taken | None) -> str:
    return _NOT_KNOWN if taken is None or taken.each is None else dollars(taken.each)


def _titles(found: Insights) -> tuple[str, str]:
    """B in front, for it is asked of."""
    return found.contrast.b, found.contrast.a


def _alt(found: Insights) -> str:
    return f"The interval from 0 to 100 %, with the middle marked. {found.sentence}"
