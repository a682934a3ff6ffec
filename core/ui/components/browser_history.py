"""The browser's history: what one act of a person leads to is one entry, so that Back and Forward need one press."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

from core.ui.components.component import Component

_MOUNT: Final = "browser-history"
_component = Component(Path(__file__).with_suffix(".js"))


def one_entry_an_act() -> None:
    """Have the browser keep its history so, as long as this tab is open."""
    with st.container(key=_MOUNT):
        _component.draw(key=f"{_MOUNT}-script", height=1)
