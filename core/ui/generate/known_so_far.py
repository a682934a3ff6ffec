"""What votes say so far of the chosen tone and angle, in one short line of the plan's header."""

from __future__ import annotations

import streamlit as st

from core.generation.planning import Planned
from core.injection.wishes import Varies
from core.studio import Studio
from core.ui.frame.markdown import fill
from core.viewer import Viewer
from core.votes.evidence import Filters


def known_so_far(studio: Studio, viewer: Viewer, planned: Planned) -> None:
    """Draw it where a tone and an angle are chosen, the angle is what varies, and somebody has judged such a pair."""
    settled = planned.injection.settled
    if planned.injection.wishes.varies is not Varies.ANGLE or settled.tone is None or settled.angle is None:
        return
    said = studio.insights.so_far(viewer, Filters(tone=settled.tone.value, angle=settled.angle.value))
    if said is not None:
        with st.container(key="known-so-far", width="content"):
            st.caption(fill(":material/how_to_vote: {}", said), width="content")
