"""Stars: each person's own favourites, on the cards of the History page and in its drawer."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.errors import StudioError
from core.studio import Studio
from core.ui.components.picture_grid.picture_grid import starred_in
from core.ui.frame.problems import show_problem, show_problems
from core.ui.frame.session import open_session
from core.ui.frame.state import Key
from core.viewer import Viewer


def favourites_now(studio: Studio, viewer: Viewer) -> frozenset[str] | None:
    """What this person has starred, with what was pressed on the cards just now; None where nobody can tell.

    Why, is shown. Call it before the cards are drawn.
    """
    marks = starred_in(Key.HISTORY_GRID)
    if marks:
        with show_problems():
            studio.favourites.mark(viewer, marks)
    try:
        return studio.favourites.of(viewer)
    except StudioError as err:
        if not marks:
            show_problem(err)
        return None


def star_button(studio: Studio, viewer: Viewer, comparison_id: str) -> None:
    """Star this comparison, or take its star off."""
    with show_problems():
        is_starred = comparison_id in studio.favourites.of(viewer)
        with st.container(key="star", width="content"):
            st.button(
                "**Favourite**" if is_starred else "Favourite",
                key="star-button",
                icon=":material/star:",
                type="tertiary",
                help="Take the star off." if is_starred else "Find it again under Favourites; they are yours alone.",
                on_click=partial(_mark, comparison_id, is_starred=not is_starred),
            )


def _mark(comparison_id: str, *, is_starred: bool) -> None:
    with show_problems():
        studio, viewer = open_session()
        studio.favourites.mark(viewer, {comparison_id: is_starred})
