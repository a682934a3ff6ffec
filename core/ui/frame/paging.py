"""Paging: 60 pictures at a time, the page number in the URL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from core.ui.frame.state import Key

PAGE_SIZE = 60
T = TypeVar("T")


def paged(items: Sequence[T], key: Key, *, size: int = PAGE_SIZE) -> Sequence[T]:
    """Draw the pagination where there is more than a page, and return the page's items."""
    pages = max(1, -(-len(items) // size))
    if (st.session_state.get(key) or 1) > pages:
        st.session_state[key] = pages
    page = st.pagination(pages, key=key, bind="query-params") if pages > 1 else 1
    return items[(page - 1) * size : page * size]
