"""Plan notices: the empty stage, and what was read from the prompt."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.generation.planning import Planned
from core.references.vocabulary import Vocabulary
from core.ui.frame.layout import empty_state
from core.ui.frame.quantities import year_span
from core.ui.generate.draft import set_draft


def show_empty_plan() -> None:
    """The empty stage."""
    text = "Write a prompt or pick a tone. The references that will go in appear here, before anything is sent."
    with empty_state("Nothing planned yet", text, key="nothing-planned"):
        with st.container(key="composer-hidden"):  # shown on a phone, where the composer is folded away
            st.caption("Prompt and tones are behind » at the top.", text_alignment="center")
        st.button(
            "Let chance pick a tone",
            type="tertiary",
            icon=":material/casino:",
            on_click=partial(set_draft, tone_by_chance=True),
        )


def show_reading(planned: Planned, vocabulary: Vocabulary) -> None:
    """What the reader took from the prompt, so that nothing is guessed behind anyone's back."""
    reading = planned.injection.reading
    if not planned.injection.wishes.prompt.strip():
        st.caption("No prompt yet", width="content")
        return
    persona = planned.injection.settled.persona
    found = [persona.value if persona else "a person" if reading.person else "no person"]
    if reading.gender:
        found.append("woman" if reading.gender == "feminine" else "man")
    if reading.age_low is not None and reading.age_high is not None:
        found.append(year_span(reading.age_low, reading.age_high))
    if reading.tone:
        found.append(vocabulary.tone(reading.tone).name.lower())
    if reading.angle:
        found.append(vocabulary.angle(reading.angle).name.lower())
    if reading.note:
        st.caption(f":material/cloud_off: {reading.note}", width="content")
    st.caption(
        f"Read: {' · '.join(found)}",
        width="content",
        help="What was read from the prompt. What you pick counts before it.",
    )
