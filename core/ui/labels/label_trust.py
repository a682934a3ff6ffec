"""The labels page's trust part: how good the labels are, with intervals, and by whose word that is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, LiteralString

import altair as alt
import streamlit as st

from core.labels.decisions.agreement import NOT_BLIND, Agreement, Measurement
from core.labels.published.schema import LabelField
from core.labels.queue.outlook import Outlook
from core.labels.queue.progress import ReviewProgress
from core.labels.queue.queue import ReviewState
from core.studio import Studio
from core.ui.frame.problems import show_problems
from core.ui.frame.words.local_time import reader_zone
from core.ui.frame.words.markdown import Markdown, fill, joined, plain
from core.ui.frame.words.quantities import count_of
from core.ui.frame.words.tables import draw_table
from core.ui.references.label_values import FIELD_NAMES
from core.viewer import Viewer

_FEW: Final = 30  # below this an interval is too wide to conclude from
_STATES: Final = {
    ReviewState.SECOND_LOOK: "waiting for a second look",
    ReviewState.DISAGREEMENT: "in disagreement",
    ReviewState.MISSING: "without a label",
}
_GREY: Final = "#808080"  # 3.9:1 on the light page, 4.0:1 on the dark one


def label_trust(studio: Studio, viewer: Viewer) -> None:
    """Progress, accuracy against reviews, distance to nominal values, labelers against each other, reviewers."""
    with show_problems():
        _progress(studio.review_service.progress(viewer))
        _outlook(studio.review_service.outlook(viewer))
        numbers = studio.trust_numbers()
        _accuracy(numbers)
        _section(
            "Distance to nominal values",
            numbers.nominal,
            "Nominal values were told to a renderer, not measured: this is an indication, and no accuracy.",
        )
        _section("Labeler against labeler", numbers.labelers, "Where two machines differ, at least one is wrong.")
        _reviewers(numbers)


def _progress(progress: ReviewProgress) -> None:
    with st.container(horizontal=True):
        st.metric("Reviewed", f"{progress.reviewed:,} of {progress.portraits:,}")
        st.metric("Waiting for you", f"{progress.waiting:,}")
        st.metric("Second looks", f"{progress.second_looks:,}")
    states = (f"{count:,} {_STATES.get(state, state.value)}" for state, count in progress.by_state.items() if count)
    st.caption(plain(" · ".join(states)))
    rows = [
        {
            "Reviewer": pace.reviewer,
            "Portraits": pace.pictures,
            "Today": pace.today,
            "Corrected": pace.corrected,
            "A minute": "" if pace.per_minute is None else f"{pace.per_minute:.1f}",
            "Last": pace.last,
        }
        for pace in progress.reviewers
    ]
    if rows:
        draw_table(
            rows,
            column_config={
                "A minute": st.column_config.TextColumn(alignment="right"),
                "Last": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone=str(reader_zone())),
            },
        )


def _outlook(outlook: Outlook) -> None:
    """How many labels are probably still wrong, when it is enough, and whether the random tenth bears that out."""
    found, tenth = outlook.remaining, outlook.tenth
    st.markdown("**Probably still wrong**")
    if not found.labels:
        st.caption("There is no label yet that could be wrong.")
        return
    with st.container(horizontal=True):
        st.metric("Labels still wrong", f"about {found.wrong:,.0f}")
        st.metric("Between", f"{found.low:,} and {found.high:,}")
        st.metric("Reviews that halve it", _reviews(found.halved_by))
    st.caption(
        "Added up from how likely each label is wrong, and corrected by what reviews found; the number lies between "
        "the two in 9 of 10 cases. Reviews count from the top of the queue."
    )
    if not tenth.looked_at:
        st.caption("Checked against the random tenth: nobody has looked at any of it yet.")
        return
    says: LiteralString = "Checked against the random tenth: {:,} reviewed, {:,} wrong before, {:.1f} foretold{}"
    verdict = "." if tenth.holds else ": it does not bear the estimate out, so trust it less."
    st.caption(fill(says, tenth.looked_at, tenth.found, tenth.foretold, verdict))


def _reviews(count: int | None) -> str:
    return "more than all" if count is None else f"{count:,}" if count else "none: it is enough"


def _accuracy(numbers: Agreement) -> None:
    if not numbers.reviewed:
        st.markdown("**Accuracy against reviews**")
        st.caption("Nobody has reviewed a label yet: there is nothing to measure the labelers by.")
        return
    few = f" {numbers.reviewed} reviews are few: read the intervals, not the points." if numbers.reviewed < _FEW else ""
    _section(
        "Accuracy against reviews",
        numbers.accuracy,
        fill("How often a labeler says what people decided; the line is Wilson's 95 % interval.{}", few),
    )


def _section(title: LiteralString, rows: Sequence[Measurement], meaning: LiteralString | Markdown) -> None:
    rows = [row for row in rows if row.pictures]
    if not rows:
        return
    st.markdown(fill("**{}**", title))
    st.caption(meaning)
    for row in rows:
        chart, ages, confused = st.columns([2, 2, 2])
        with chart:
            st.caption(fill("{} against {}, {:,} portraits", row.said_by, row.against, row.pictures))
            st.altair_chart(_shares(row), theme=None)
        with ages:
            st.caption("Years off, and bias: above zero the labeler says older")
            draw_table(_ages(row))
        with confused:
            _confusion(row)


def _shares(row: Measurement) -> alt.LayerChart:
    """A point with its interval for every field that could be compared."""
    data = [
        {"field": FIELD_NAMES[field], "share": share.share, "low": share.low, "high": share.high, "count": share.count}
        for field, share in row.fields.items()
        if share.count
    ]
    base = alt.Chart(alt.InlineData(values=data)).encode(y=alt.Y("field:N", title=None, sort=None))
    scale = alt.Scale(domain=[0, 1])
    tooltip = [alt.Tooltip("share:Q", format=".0%"), alt.Tooltip("count:Q")]
    line = base.mark_rule(color=_GREY, strokeWidth=2).encode(
        x=alt.X("low:Q", scale=scale, title=None, axis=alt.Axis(format="%", values=[0, 0.5, 1])), x2="high:Q"
    )
    point = base.mark_point(color=_GREY, filled=True, size=70).encode(x=alt.X("share:Q", scale=scale), tooltip=tooltip)
    description = f"How often {row.said_by} says what {row.against} say, with 95 % intervals"
    return _style((line + point).properties(height=34 * max(1, len(data)) + 24, description=description))


def _style(chart: alt.LayerChart) -> alt.LayerChart:
    return (  # type: ignore[no-any-return]  # altair's own fluent interface
        chart.configure(background="transparent")
        .configure_view(stroke=None)
        .configure_axis(labelColor=_GREY, gridColor=f"{_GREY}33", domainColor=f"{_GREY}66", tickColor=f"{_GREY}66")
    )


def _ages(row: Measurement) -> list[dict[str, Any]]:
    return [
        {"Range": age.age_range, "Portraits": age.count, "Off by": round(age.mean_error, 1), "Bias": round(age.bias, 1)}
        for age in row.ages
    ]


def _confusion(row: Measurement) -> None:
    """The commonest mistakes, in words: a table of all pairs says less."""
    st.caption("What is taken for what")
    wrong = sorted(_mistakes(row.confusion), key=lambda mistake: -mistake[0])[:8]
    if not wrong:
        st.caption("Nothing: they say the same everywhere.")
    st.markdown(joined("  \n", (fill("{} × {}", count, words) for count, words in wrong)))


def _mistakes(confusion: Mapping[LabelField, Mapping[tuple[str, str], int]]) -> Iterable[tuple[int, str]]:
    for counts in confusion.values():
        for (decided, guessed), count in counts.items():
            if decided != guessed:
                yield count, f"{decided} said to be {guessed}"


def _reviewers(numbers: Agreement) -> None:
    st.markdown("**Between reviewers**")
    st.caption("A tenth of all labels is looked at by two people, the second without seeing the first's decision.")
    rows = [
        {
            "Field": FIELD_NAMES[field],
            "Portraits": between.pictures,
            "Same": between.same.share,
            "Krippendorff's alpha": between.alpha,
        }
        for field, between in numbers.reviewers.items()
        if between.pictures
    ]
    if left := numbers.second_looks_left_out:
        st.caption(
            fill("{} left out: {}", count_of(left, "second look is", "second looks are"), NOT_BLIND),
        )
    if not rows:
        st.caption("No label has been looked at twice yet." if not left else "No other label has been looked at twice.")
        return
    draw_table(
        rows,
        column_config={
            "Same": st.column_config.NumberColumn(format="percent"),
            "Krippendorff's alpha": st.column_config.NumberColumn(format="%.2f"),
        },
    )
