"""Every vote and every scene behind an answer, to take home as CSV."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

import streamlit as st

from core.studio import Studio
from core.ui.frame.layout import row
from core.ui.frame.session import cookies
from core.viewer import Viewer
from core.votes.selection import Filters


def show_downloads(studio: Studio, wanted: Filters) -> None:
    """Two buttons; nothing is written before one is pressed, and who presses is asked for anew then."""
    held = cookies()

    def written(write: Callable[[Viewer, Filters], str]) -> Callable[[], str]:
        return lambda: write(studio.authenticator.viewer(held), wanted)

    with row(key="insights-downloads"):
        _button("Every vote as CSV", "votes.csv", written(studio.insights.votes_csv))
        _button("Every scene as CSV", "scenes.csv", written(studio.insights.scenes_csv))


def _button(label: LiteralString, file_name: str, write: Callable[[], str]) -> None:
    st.download_button(
        label,
        write,
        file_name=file_name,
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
