"""The browser's history: what one act of a person leads to is one entry, so that Back and Forward need one press."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

_MOUNT: Final = "browser-history"
_component = st.components.v2.component(
    "studio.browser_history",
    html="<span hidden></span>",
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
)


def one_entry_an_act() -> None:
    """Have the browser keep its history so, as long as this tab is open."""
    with st.container(key=_MOUNT):
        _component(key=f"{_MOUNT}-script", height=1)
