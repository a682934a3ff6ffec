"""Wrong match: a person says that a picture does not belong where it stands, and is told so in its place."""

from __future__ import annotations

import streamlit as st

from core.injection.request.slots import Slot
from core.ui.frame.problems import show_problems
from core.ui.frame.session import open_session
from core.ui.frame.state import Key
from core.viewer import Capability


def report_wrong_match(slot: Slot) -> None:
    """Queue the picture's label for review."""
    with show_problems():
        studio, viewer = open_session()
        viewer.require(Capability.GENERATE)
        studio.reports.add(viewer, key=slot.key or "", etag=slot.etag or "", wished=slot.wished or "")
        st.session_state[Key.REPORTED] = (*st.session_state.get(Key.REPORTED, ()), _report(slot))


def is_reported(slot: Slot) -> bool:
    """Whether this person has said so of this picture, for this wish, since they came."""
    return _report(slot) in st.session_state.get(Key.REPORTED, ())


def _report(slot: Slot) -> tuple[str | None, str | None, str | None]:
    return slot.key, slot.etag, slot.wished
