"""What the whole page needs of its browser, whichever page it is: its history, and peace with a translator."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

from core.ui.components.component import Component

_MOUNT: Final = "whole-page"
_component = Component(Path(__file__).with_suffix(".js"))


def prepare_browser() -> None:
    """Have the browser do so as long as this tab is open: each script says what for."""
    with st.container(key=_MOUNT):
        _component.draw(key=f"{_MOUNT}-script", height=1)
