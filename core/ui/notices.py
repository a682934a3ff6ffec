"""Notices: the quiet states of a page, before there is anything to show."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st

from core.generation.desk import Planned
from core.references.attributes import Vocabulary
from core.references.refresh import CatalogStatus
from core.studio import Studio
from core.ui.draft import set_draft
from core.ui.draft_keeper import is_coming_back
from core.ui.session import fragment

_MOMENT_S: Final = 1.0
_COMING_BACK_S: Final = 10.0


def library_is_listed(studio: Studio) -> bool:
    """Whether there is an index to draw from. After a start the first one is waited for.

    Until a run ends the browser leaves standing what another server drew, and keeps what is pressed in it for the
    next run: a tab that comes back with a draft is given longer, so that a restart takes no press from anybody.
    """
    return studio.catalog.wait(_COMING_BACK_S if is_coming_back() else _MOMENT_S)


def library_loading(studio: Studio) -> None:
    """Progress while the library is listed for the first time, or why it cannot be."""

    def follow() -> None:
        status = studio.catalog.status
        if status.ready:
            st.rerun()
        elif status.error:
            st.error(f"The reference library cannot be listed: {status.error}", icon=":material/cloud_off:")
            st.button("Try again", on_click=studio.catalog.request_refresh)
        else:
            st.caption(f"Listing the reference library straight from S3: {status.listed:,} pictures so far.")
            st.skeleton(height=360)

    fragment(follow, run_every=0.5)()


def library_trouble(studio: Studio, status: CatalogStatus) -> None:
    """One line while S3 fails and the last index keeps serving."""
    error = studio.storage.outage.reason or status.error
    if status.ready and error:
        st.warning(
            f"S3 does not answer: {error} What you see is from {age(status.age_s)} ago.",
            icon=":material/cloud_off:",
        )


def quiet(title: str, text: str) -> None:
    """An empty page: what is not there, and what to do about it."""
    with st.container(horizontal_alignment="center"):
        st.space("large")
        st.markdown(f"**{title}**", text_alignment="center")
        st.caption(text, text_alignment="center")


def nothing_planned() -> None:
    """The empty stage."""
    with st.container(horizontal_alignment="center", key="nothing-planned"):
        st.space("large")
        st.markdown("**Nothing planned yet**", text_alignment="center")
        st.caption(
            "Write a prompt or pick a tone. The references that will go in appear here, before anything is sent.",
            text_alignment="center",
        )
        with st.container(key="composer-hidden"):  # shown on a phone, where the composer is folded away
            st.caption("Prompt and tones are behind » at the top.", text_alignment="center")
        st.button(
            "Let chance pick a tone",
            type="tertiary",
            icon=":material/casino:",
            on_click=partial(set_draft, tone_by_chance=True),
        )


def read_from_prompt(planned: Planned, vocabulary: Vocabulary) -> None:
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
        years = str(reading.age_low)
        found.append(years if reading.age_low == reading.age_high else f"{years}–{reading.age_high}")
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


def age(seconds: float | None) -> str:
    """A time span as people say it."""
    if seconds is None:
        return "an unknown time"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
