"""Announcer: a live region, for a page whose answer changes far from the control that was used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.ui.components.component import Component

_component = Component(Path(__file__).with_suffix(".js"), html='<p role="status"></p>')


@dataclass(frozen=True, slots=True)
class AnnouncerData:
    """What is said when it is other words than before."""

    words: str


def announce(words: str) -> None:
    """Say it to who hears the page, once for each change; call it in every run, at the same place."""
    with st.container(key="announcer"):
        _component.draw(AnnouncerData(words), key="announcer-region")
