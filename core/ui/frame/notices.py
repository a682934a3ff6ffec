"""Notices: whether the library is there to be drawn from, and what is said while it is not."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.studio import Studio
from core.ui.frame.markdown import fill
from core.ui.frame.quantities import time_span
from core.ui.frame.session import fragment

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


def library_trouble(studio: Studio) -> None:
    """One line while S3 fails and the last index keeps serving."""
    status = studio.catalog.status
    error = studio.storage.circuit_breaker.reason or status.error
    if status.ready and error:
        st.warning(
            fill("S3 does not answer: {} What you see is from {} ago.", error, time_span(status.age_s)),
            icon=":material/cloud_off:",
        )
