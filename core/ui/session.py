"""Who is looking at this page, and where its pictures come from."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from core.studio import Studio, get_studio
from core.viewer import Viewer


def open_session() -> tuple[Studio, Viewer]:
    """The studio and the verified person behind this browser. Raises SignInError."""
    studio = get_studio()
    return studio, studio.door.viewer(st.context.cookies.to_dict())


def absolute(path: str) -> str:
    """A route of ours as `st.image` needs it: with the origin, or it would be taken for a file."""
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}{path}"
