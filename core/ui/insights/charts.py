"""The charts of Insights, in the greys of the theme: what is drawn here stands in a table below it, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final
from unicodedata import east_asian_width

import altair as alt

from core.votes.estimate import CoursePoint, Estimate
from core.votes.insights.answer import percent, span
from core.votes.insights.groups import Group
from core.votes.insights.insights import Reason

_GREY: Final = "#808080"  # 3.9:1 on the light page, 4.0:1 on the dark one; all else is the theme's ink
_ALL: Final = alt.Scale(domain=[0, 1], nice=False)
_PERCENT: Final = alt.Axis(  # as `percent` writes it
    labelExpr="format(100 * datum.value, '.0f') + '\u00a0%'", values=[0, 0.25, 0.5, 0.75, 1], labelFlush=True
)
_NAMES_PX: Final = 150
_LETTER_PX: Final = 6
_WIDE: Final = frozenset("FW")  # Hangul and its like, which take two letters' room (Unicode's East Asian Width)
_ROW_PX: Final = 30
_LEGEND_PX: Final = 130
# Vega's own rules and texts are black, on the dark page too: what is coloured by a word gets the theme's ink.
_INK: Final = alt.Color("ink:N", scale=alt.Scale(domain=["ink"]), legend=None)
_HALF: Final = 0.5
_TICKS: Final = 6


def answer_chart(estimate: Estimate) -> alt.LayerChart:
    """The preference with its interval between none and all scenes, and the middle."""
    base = _on([{"low": estimate.low, "high": estimate.high, "preference": estimate.preference}])
    line = base.mark_rule(strokeWidth=8, opacity=0.45, strokeCap="round").encode(x=_x("low"), x2="high:Q", color=_INK)
    point = base.mark_point(filled=True, size=160, opacity=1).encode(x=_x("preference"))
    return _layered(64, _middle(), line, point)


def course_chart(course: Sequence[CoursePoint]) -> alt.LayerChart:
    """The preference and its interval after each so many scenes, over time."""
    base = _on(
        [
            {
                "time": point.time.timestamp() * 1000,
                "until": f"{point.time:%Y-%m-%d %H:%M} UTC",
                "scenes": point.scenes,
                "preference": point.preference,
                "low": point.low,
                "high": point.high,
                "said": f"{percent(point.preference)}, {span(point.low, point.high)}",
            }
            for point in course
        ]
    )
    lasted = course[-1].time - course[0].time if course else timedelta()
    axis = alt.Axis(tickCount=_TICKS, grid=False, labelOverlap=True, format=_moment_format(lasted))
    time = alt.X("time:T", title=None, scale=alt.Scale(type="utc"), axis=axis)  # as days are in the filters
    tooltip = [
        alt.Tooltip("until:N", title="Until"),
        alt.Tooltip("scenes:Q", title="Scenes", format=","),
        alt.Tooltip("said:N", title="Preference"),
    ]
    band = base.mark_area(opacity=0.18).encode(x=time, y=_y("low"), y2="high:Q", tooltip=tooltip)
    line = base.mark_line(strokeWidth=2, point={"size": 12, "filled": True}).encode(
        x=time, y=_y("preference"), tooltip=tooltip
    )
    middle = _on([{"half": _HALF}]).mark_rule(color=_GREY, strokeWidth=1).encode(y=_y("half"))
    return _layered(260, middle, band, line)


def group_chart(groups: Sequence[Group], names: Sequence[str], whole: float | None) -> alt.LayerChart:
    """A line and a point for each group; hollow and dotted where the figure is partly the whole's.

    `whole` is the preference of all, which small groups are pulled towards.
    """
    rows = [
        {
            "name": name,
            "preference": group.preference,
            "low": group.low,
            "high": group.high,
            "said": f"{percent(group.preference)} of {group.scenes:,}",
            "pulled": group.is_pulled,
        }
        for group, name in zip(groups, names, strict=True)
    ]
    y = alt.Y("name:N", title=None, sort=list(names), axis=_names(names))
    tooltip = [
        alt.Tooltip("name:N", title="Group"),
        alt.Tooltip("said:N", title="Preferred, of scenes"),
    ]
    base = _on(rows).encode(y=y, tooltip=tooltip)
    dash = alt.condition("datum.pulled", alt.value([2, 4]), alt.value([1, 0]))
    line = base.mark_rule(strokeWidth=3, opacity=0.5).encode(x=_x("low"), x2="high:Q", strokeDash=dash, color=_INK)
    own = base.transform_filter("!datum.pulled").mark_point(filled=True, size=80, opacity=1).encode(x=_x("preference"))
    pulled = base.transform_filter("datum.pulled").mark_point(filled=False, size=70, opacity=1)
    says = base.mark_text(align="left", dx=6).encode(text="said:N", x=alt.value("width"), color=_INK)
    layers = [_middle(), line, own, pulled.encode(x=_x("preference")), says]
    if whole is not None:
        mark = _on([{"whole": whole}]).mark_rule(color=_GREY, strokeWidth=1, strokeDash=[4, 3])
        layers.insert(1, mark.encode(x=_x("whole")))
    return _layered(_ROW_PX * len(rows) + 30, *layers)


def reason_chart(reasons: Sequence[Reason], names: Sequence[str], answers: Sequence[str]) -> alt.Chart:
    """How often each reason was given, by what the vote said; `answers` are what the four are called."""
    rows = [
        {"reason": name, "answer": answer, "votes": votes, "order": at}
        for reason, name in zip(reasons, names, strict=True)
        for at, (answer, votes) in enumerate(
            zip(answers, (reason.b, reason.a, reason.ties, reason.both_bad), strict=True)
        )
    ]
    answer = alt.Color(
        "answer:N",
        title=None,
        sort=list(answers),
        scale=alt.Scale(domain=list(answers)),  # the theme's greys, which are as far apart as they go
        legend=alt.Legend(orient="top", symbolType="square", labelLimit=220, columns=2),
    )
    bars: alt.Chart = (
        _on(rows)
        .mark_bar(height=14)
        .encode(
            y=alt.Y("reason:N", title=None, sort=list(names), axis=_names(names)),
            x=alt.X("votes:Q", title=None, axis=alt.Axis(tickMinStep=1, format=",d", tickCount=5)),
            color=answer,
            order="order:Q",
            tooltip=[alt.Tooltip("reason:N"), alt.Tooltip("answer:N"), alt.Tooltip("votes:Q", format=",")],
        )
        .properties(height=_ROW_PX * len(names) + _LEGEND_PX)
    )
    return bars


def _on(rows: Iterable[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=[{"ink": "ink", **row} for row in rows]))


def _moment_format(lasted: timedelta) -> str:
    """How the axis of so long a time says its moments, so that no two of them read alike."""
    if lasted >= timedelta(days=_TICKS):
        return "%-d %b"
    return "%-d %b, %H:%M" if lasted >= timedelta(minutes=2 * _TICKS) else "%H:%M:%S"


def _names(names: Sequence[str]) -> alt.Axis:
    """Room for the longest name, and none left out: Vega measures names before the font of Hangul is there."""
    letters = (sum(1 + (east_asian_width(letter) in _WIDE) for letter in name) for name in names)
    return alt.Axis(
        labelLimit=_NAMES_PX, labelOverlap=False, minExtent=min(_NAMES_PX, _LETTER_PX * max(letters, default=0))
    )


def _x(field: str) -> alt.X:
    return alt.X(f"{field}:Q", scale=_ALL, title=None, axis=_PERCENT)


def _y(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", scale=_ALL, title=None, axis=_PERCENT)


def _middle() -> alt.Chart:
    line: alt.Chart = _on([{"half": _HALF}]).mark_rule(color=_GREY, strokeWidth=1.5).encode(x=_x("half"))
    return line


def _layered(height: int, *layers: alt.Chart) -> alt.LayerChart:
    chart: alt.LayerChart = alt.LayerChart(layer=list(layers)).properties(height=height)
    return chart
