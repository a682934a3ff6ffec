"""Filters: the parts of a filter row. Each stands in the URL, so that a view can be shared.

What is narrow for a row is for the style sheet to say: `st-key-filters-…` there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Final, LiteralString, TypeVar

import streamlit as st

from core.objects.objects import KEY_BYTES_MAX
from core.settings import PROJECT_ROOT
from core.ui.frame.layout import row
from core.ui.frame.state import Key
from core.ui.frame.streamlit_internals import rewrite_address
from core.ui.frame.words.markdown import fill

E = TypeVar("E", bound=StrEnum)
K = TypeVar("K", bound=str)
_SEARCH_CHARS_MAX: Final = 200


@contextmanager
def fold_when_narrow(shown: Key, narrowing: Sequence[Key]) -> Iterator[None]:
    """Filters that a narrow screen keeps behind a button; it says how many of them narrow."""
    active = sum(bool(st.session_state.get(key, st.query_params.get(key))) for key in narrowing)
    is_shown = bool(st.session_state.get(shown))
    label = "Hide filters" if is_shown else fill("Filters · {} active", active) if active else "Filters"
    with st.container(key="filters-fold", width="content"):
        st.button(label, key=f"{shown}_button", icon=":material/tune:", on_click=partial(_toggle, shown))
    state = "shown" if is_shown else "folded"
    with row(key=f"filters-{state}"):
        yield


def search_box(key: Key, placeholder: str, *, page: Key | None = None, width: int = 260) -> str:
    """A search field that answers while a person types. `page` is the pagination that goes back to its first page."""
    text = st.text_input(
        "Search",
        key=key,
        type="search",
        max_chars=_SEARCH_CHARS_MAX,
        live="200ms",
        bind="query-params",
        placeholder=placeholder,
        label_visibility="collapsed",
        on_change=_back_to_first(page),
        width=width,
    )
    return as_text(text)


def key_filter(label: LiteralString, key: Key, placeholder: str, *, width: int, help: LiteralString) -> str | None:
    """A field for one exact key or address, or none."""
    text = st.text_input(
        label,
        key=key,
        max_chars=KEY_BYTES_MAX,
        bind="query-params",
        placeholder=placeholder,
        label_visibility="collapsed",
        help=help,
        width=width,
    )
    return as_text(text) or None


def as_text(said: object) -> str:
    """What a text field holds: Streamlit hands a program's list on as it came."""
    return said if isinstance(said, str) else ""


def choice(
    label: LiteralString, options: Sequence[str], key: Key, *, page: Key | None = None, width: int = 150
) -> str | None:
    """One of many, or none: the label then says what that means ("Any tone")."""
    return st.selectbox(
        label,
        options,
        index=None,
        key=key,
        placeholder=label,
        label_visibility="collapsed",
        bind="query-params",
        on_change=_back_to_first(page),
        width=width,
    )


def named_choice(
    label: LiteralString, ids: Mapping[str, K], key: Key, *, page: Key | None = None, width: int = 150
) -> K | None:
    """One of many by what it is called, or none; returned is its id.

    The address tells the name, for Streamlit binds what is shown. One that tells the id is put right.
    """
    put_name(ids, key)
    return ids.get(choice(label, list(ids), key, page=page, width=width) or "")


def put_name(ids: Mapping[str, K], key: Key) -> None:
    """Addresses of before told ids: the name is put in their place before the widget is first drawn."""
    said = st.query_params.get(key)
    name = next((name for name, each in ids.items() if each == said), None)
    if name is not None and name != said and key not in st.session_state:
        rewrite_address(key, name)


def choice_of(label: LiteralString, kind: type[E], key: Key, *, page: Key, width: int = 150) -> E | None:
    """One of an enumeration's values, or none."""
    picked = choice(label, [each.value for each in kind], key, page=page, width=width)
    return kind(picked) if picked else None


def segments(
    label: LiteralString,
    options: Sequence[LiteralString],
    key: Key,
    *,
    page: Key | None = None,
    default: str | None = None,
) -> str | None:
    """A few choices beside each other; with a default, one is always chosen."""
    return st.segmented_control(
        label,
        options,
        key=key,
        default=default,
        required=default is not None,
        bind="query-params",
        label_visibility="collapsed",
        on_change=_back_to_first(page),
    )


def switch(label: LiteralString, key: Key, *, page: Key | None = None) -> bool:
    """A filter that is on or off."""
    return st.toggle(label, key=key, bind="query-params", on_change=_back_to_first(page))


def day(label: LiteralString, key: Key, *, width: int = 150) -> date | None:
    """A day, or none: the field then says what it is for."""
    said = st.date_input(
        label,
        value=None,
        key=key,
        format="YYYY-MM-DD",
        bind="query-params",
        label_visibility="collapsed",
        width=width,
    )
    return said if isinstance(said, date) else None


def go_to(page: str, view: Mapping[Key, str] = MappingProxyType({})) -> None:
    """Show another page with these filters. Those of this one that stand in the URL stay behind."""
    file = PROJECT_ROOT / "pages" / f"{page}.py"
    st.switch_page(file, query_params={key.value: value for key, value in view.items()})


def reset_page(page: Key) -> None:
    """Go back to a pagination's first page: another filter has other pages."""
    st.session_state[page] = 1


def _toggle(shown: Key) -> None:
    st.session_state[shown] = not st.session_state.get(shown)


def _back_to_first(page: Key | None) -> Callable[[], None] | None:
    return partial(reset_page, page) if page is not None else None
