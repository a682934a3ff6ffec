"""Notices: whether the library is there to be drawn from, and what is said while it is not."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.references.listing.other_folders import other_folders
from core.studio import Studio
from core.ui.frame.layout import empty_state
from core.ui.frame.problems import show_problems
from core.ui.frame.session import fragment
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.quantities import time_span

_MOMENT_S: Final = 1.0


def library_is_listed(studio: Studio, *, patience_s: float = _MOMENT_S) -> bool:
    """Whether there is an index to draw from. After a start the first one is waited for.

    Until a run ends the browser leaves standing what another server drew, and keeps what is pressed in it for the
    next run.
    """
    return studio.catalog.wait(patience_s)


def library_loading(studio: Studio) -> None:
    """Progress while the library is listed for the first time, or why it cannot be."""

    def follow() -> None:
        status = studio.catalog.status
        if status.ready:
            st.rerun()
        elif status.error:
            st.error(fill("The reference library cannot be listed: {}", status.error), icon=":material/cloud_off:")
            st.button("Try again", on_click=studio.catalog.request_refresh)
        else:
            st.caption(fill("Listing the reference library straight from S3: {:,} pictures so far.", status.listed))
            st.skeleton(height=360)

    fragment(follow, run_every=0.5)()


def library_empty(studio: Studio) -> None:
    """What there is where the library should be and no picture is."""
    settings = studio.settings
    prefix = settings.s3_library_prefix
    with show_problems():
        others = other_folders(studio.storage.list_pages, prefix, settings.s3_app_prefix)
        empty_state(
            "No picture in the library",
            fill(
                "None lies under `{}` in the bucket `{}`: {}. Whoever runs the dashboard sets S3_LIBRARY_PREFIX.",
                prefix or "/",
                studio.store.bucket,
                others.says,
            ),
        )


def library_trouble(studio: Studio) -> None:
    """One line while S3 fails and the last index keeps serving."""
    status = studio.catalog.status
    error = studio.storage.circuit_breaker.reason or status.error
    if status.ready and error:
        st.warning(
            fill("S3 does not answer: {} What you see is from {} ago.", error, time_span(status.age_s)),
            icon=":material/cloud_off:",
        )
