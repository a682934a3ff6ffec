"""Drawers: a drawer or dialog that stands in the address, so that it can be shared, and Back closes it.

A page asks `opened` what the address wants and draws it, in every run: what is not drawn is closed. What the browser's
history is to hold of it, `core/ui/components/whole_page/browser_history.js` sees to: opening is one entry, its own
button and Esc go back over it, another one in the same place takes its entry over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, LiteralString, NoReturn, ParamSpec

import streamlit as st

from core.ui.frame.problems import show_problems
from core.ui.frame.session import dialog
from core.ui.frame.state import OPENED_PARAM
from core.ui.frame.words.markdown import Markdown

P = ParamSpec("P")
_DEEPER: Final = "drawer-deeper"  # the script knows it by this name


def opened() -> str | None:
    """What the address says is open, None for nothing. Anybody may have written it: look it up, never trust it."""
    return st.query_params.get(OPENED_PARAM) or None


def open_drawer(name: str) -> None:
    """Have this stand open from now on. Call it in a callback, or in the page's run before what asks `opened`."""
    st.query_params[OPENED_PARAM] = name


def turn_to(name: str) -> NoReturn:
    """Show this in place of what is open: for what is pressed inside of a drawer, as it runs without its page."""
    open_drawer(name)
    st.rerun()


def close_drawer() -> None:
    """Have nothing stand open. Call it in a callback; inside of a drawer, `st.rerun` has to follow."""
    st.query_params.pop(OPENED_PARAM, None)


def deeper(name: str) -> st.delta_generator.DeltaGenerator:
    """A place for what leads on from one drawer to another: Back then leads to this one, and not to the page."""
    return st.container(key=f"{_DEEPER}-{name}", width="content")


def drawer(
    title: LiteralString | Markdown,
    body: Callable[P, None],
    *,
    width: Literal["small", "medium", "large"] = "small",
    position: Literal["center", "right"] = "right",
) -> Callable[P, None]:
    """Draw what `opened` has asked for; its own button and Esc take it out of the address."""

    def draw(*args: P.args, **kwargs: P.kwargs) -> None:
        with show_problems():
            body(*args, **kwargs)

    return dialog(title, draw, width=width, position=position, on_dismiss=close_drawer)
