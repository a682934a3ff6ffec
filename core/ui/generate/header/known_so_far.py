"""What votes say so far of the chosen tone and angle, in one short line of the plan's header."""

from __future__ import annotations

import streamlit as st

from core.generation.planning import Planned
from core.injection.request.wishes import Varies
from core.studio import Studio
from core.ui.frame.filters import go_to
from core.ui.frame.layout import row
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.quantities import unbroken
from core.viewer import Viewer
from core.votes.selection import Filters


def known_so_far(studio: Studio, viewer: Viewer, planned: Planned) -> None:
    """Draw it where a tone and an angle are chosen, the angle is what varies, and somebody has judged such a pair."""
    settled = planned.injection.settled
    if planned.injection.wishes.varies is not Varies.ANGLE or settled.tone is None or settled.angle is None:
        return
    said = studio.insights.so_far(viewer, Filters(tone=settled.tone.value, angle=settled.angle.value))
    if said is None:
        return
    vocabulary = studio.vocabulary
    tone, angle = (
        next((term.name for term in terms if term.id == chosen.value), chosen.value)
        for terms, chosen in ((vocabulary.tones, settled.tone), (vocabulary.angles, settled.angle))
    )
    with row(key="known-so-far", gap="xsmall", width="content"):
        st.caption(fill(":material/how_to_vote: {}", unbroken(said)), width="content")
        if st.button(
            fill("Insights: {}, {}", tone, angle),
            key="known-so-far-insights",
            type="tertiary",
        ):
            go_to("insights", {Key.INSIGHTS_TONE: tone, Key.INSIGHTS_ANGLE: angle})
