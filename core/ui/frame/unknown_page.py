"""The page for an address that has none: it says so, and offers the pages there are."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

import streamlit as st

from core.ui.frame.layout import empty_state
from core.ui.frame.session import address
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import plain

TITLE = "No such page"
_CHARS_MAX = 100  # of the name in an address; a longer one shows the first page


def unknown_name(names: Sequence[str]) -> str:
    """The name in the address if none of `names` is, else nothing.

    A session begins where its tab was loaded. Later on Streamlit tells the address of the page it shows instead; and
    Back leads to the unknown one again.
    """
    if Key.UNKNOWN_PAGE not in st.session_state:
        asked = unquote(address().path).strip("/")
        is_one = 0 < len(asked) <= _CHARS_MAX and asked not in names and "/" not in asked and asked == asked.strip()
        st.session_state[Key.UNKNOWN_PAGE] = asked if is_one else ""
    name: str = st.session_state[Key.UNKNOWN_PAGE]
    return name


def unknown_page(offered: Sequence[st.Page]) -> None:
    """Say it, and lead on."""
    st.set_page_config(page_title=f"{TITLE} · Studio")
    place = empty_state(
        "There is no such page",
        "The address may be mistyped, or from an older version of the studio. These pages are here:",
        key="unknown-page",
    )
    with place, st.container(horizontal=True, horizontal_alignment="center", gap=None):
        for page in offered:
            st.page_link(page, label=plain(page.title))
