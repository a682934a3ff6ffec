"""Charts on the page, and the same as tables: who cannot see the one reads the other, and takes it home as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import streamlit as st

from core.ui.frame.words.tables import draw_text_table

# Streamlit's theme for Vega tints words and grid whatever the config says. These are `grayTextColor` of either mode.
_WORDS: Final = {"light": "#5e5e5e", "dark": "#a6a6a6"}
_EITHER: Final = "#808080"
_GRID: Final = "#80808040"


def draw_chart(chart: alt.Chart | alt.LayerChart, *, alt: str, name: str) -> None:
    """Draw it in true greys; `alt` says in words what it shows."""
    words = _WORDS.get(st.context.theme.type or "", _EITHER)
    styled = (  # `alt` and the table tell what the marks say: each of them for itself would be an image without a name
        chart.configure_axis(labelColor=words, gridColor=_GRID)
        .configure_legend(labelColor=words)
        .configure_mark(aria=False)
    )
    st.altair_chart(styled, alt=alt, key=f"chart-{name}")


def chart_and_table(
    chart: alt.Chart | alt.LayerChart, *tables: Sequence[Mapping[str, Any]], alt: str, name: str
) -> None:
    """Draw it, and behind a press the same as a table, with more of the same kind below."""
    draw_chart(chart, alt=alt, name=name)
    with st.expander("As a table", key=f"table-{name}", type="compact"):
        for rows in tables:
            draw_text_table(rows, alt=alt)
