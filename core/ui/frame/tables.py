"""Tables: rows as Streamlit's table shows them, which anybody can take home as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.errors import legible

# A spreadsheet takes a cell that begins so for a formula, and an apostrophe before it for text
# (https://owasp.org/www-community/attacks/CSV_Injection); Streamlit writes cells as they are.
_FORMULA: Final = ("=", "+", "-", "@")


def draw_table(rows: Sequence[Mapping[str, Any]], **options: Any) -> None:
    """Draw the rows; no text of theirs is a formula in the CSV that is made of them."""
    cells = pd.DataFrame([{name: _cell(value) for name, value in row.items()} for row in rows])
    st.dataframe(cells, hide_index=True, **options)


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = legible(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
