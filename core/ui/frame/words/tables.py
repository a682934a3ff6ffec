"""Tables: rows as Streamlit shows them, to sort and take home as CSV, or as part of the page's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.errors import legible
from core.ui.frame.words.markdown import Markdown, plain
from core.ui.frame.words.quantities import unbroken

# A spreadsheet takes a cell that begins so for a formula, and an apostrophe before it for text
# (https://owasp.org/www-community/attacks/CSV_Injection); Streamlit writes cells as they are.
_FORMULA: Final = ("=", "+", "-", "@")
_NOT_KNOWN: Final = "–"


def draw_table(rows: Sequence[Mapping[str, Any]], **options: Any) -> None:
    """Draw the rows; no text of theirs is a formula in the CSV that is made of them."""
    cells = pd.DataFrame([{name: _cell(value) for name, value in row.items()} for row in rows])
    st.dataframe(cells, hide_index=True, **options)


def draw_text_table(rows: Sequence[Mapping[str, Any]], *, alt: str) -> None:
    """Draw rows whose values wrap, so that they fit a narrow page and are read like its text; None is a dash.

    What `draw_table` paints is a canvas, which scrolls sideways and is told to who hears the page as one thing.
    """
    cells = pd.DataFrame([{_text(name): _text(value) for name, value in row.items()} for row in rows])
    st.table(cells, hide_index=True, border="horizontal", alt=alt)


def _text(value: Any) -> Markdown:
    return plain(_NOT_KNOWN if value is None else unbroken(value) if isinstance(value, str) else f"{value:,}")


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = legible(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
