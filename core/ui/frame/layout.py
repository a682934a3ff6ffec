"""Layout: how the parts of a page stand to each other; rows, pages of many things, and a place with nothing in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Literal, LiteralString, TypeVar

import streamlit as st

from core.ui.frame.state import Key
from core.ui.frame.streamlit_internals import learn_address
from core.ui.frame.words.markdown import Markdown, fill

PAGE_SIZE = 60
T = TypeVar("T")


def row(
    *,
    spread: bool = False,
    key: str | None = None,
    width: Literal["stretch", "content"] = "stretch",
    gap: Literal["xsmall", "small"] = "small",
) -> st.delta_generator.DeltaGenerator:
    """Things beside each other on one middle line; `spread` puts the first and the last at the edges."""
    return st.container(
        horizontal=True,
        horizontal_alignment="distribute" if spread else "left",
        vertical_alignment="center",
        key=key,
        width=width,
        gap=gap,
    )


@contextmanager
def page_of(items: Sequence[T], key: Key, *, size: int = PAGE_SIZE, is_counted: bool = False) -> Iterator[Sequence[T]]:
    """One page of the items, to be drawn inside; below it stand the pagination and, if wished, how many were found.

    The number of the page stands in the URL under `key`.
    """
    body = st.container()
    pages = max(1, -(-len(items) // size))
    if not 1 <= (st.session_state.get(key) or 1) <= pages:
        st.session_state[key] = pages
    learn_address()  # the filters stand above, and a first page takes its number out of the address
    with row(spread=True) if is_counted else nullcontext():
        if is_counted:
            st.caption(fill("{:,} found", len(items)), width="content")
        page = st.pagination(pages, key=key, bind="query-params") if pages > 1 else 1
    with body:
        yield items[(int(page) - 1) * size : int(page) * size]


def empty_state(
    title: LiteralString, text: LiteralString | Markdown, *, key: str | None = None
) -> st.delta_generator.DeltaGenerator:
    """What is not there, and what to do about it; what is drawn into the place that is returned stands below."""
    place = st.container(horizontal_alignment="center", key=key)
    with place:
        st.space("large")
        st.markdown(fill("**{}**", title), text_alignment="center")
        st.caption(text, text_alignment="center")
    return place
