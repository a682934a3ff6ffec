"""Reruns: each drawing of a page is timed, and has an id that stands in whatever is logged while it runs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import streamlit as st
import structlog
from ulid import ULID

from core.studio import Studio
from core.ui.frame.state import Key
from core.ui.frame.streamlit_internals import is_session_race, session_id

_log = structlog.get_logger(__name__)
_SLOW_S: Final = 2.0
_RACES_MAX: Final = 3
_RACES_WITHIN_S: Final = 10.0


@contextmanager
def observe_rerun(studio: Studio, page: str) -> Iterator[None]:
    """A page is drawn inside, once."""
    request, began = str(ULID()), time.perf_counter()
    about = {"page": page, "request.id": request}
    with (
        structlog.contextvars.bound_contextvars(request=request, session=session_name(), page=page),
        studio.telemetry.span(f"rerun {page}", about),
        studio.metrics.rerun(page),
    ):
        try:
            yield
        finally:
            seconds = time.perf_counter() - began
            if seconds > _SLOW_S:
                _log.warning("rerun_slow", seconds=round(seconds, 3))


@contextmanager
def rerun_after_race() -> Iterator[None]:
    """Begin a run anew that met Streamlit in the middle of ending the one before.

    What happens for the fourth time in ten seconds is no race, and is raised as it is.
    """
    try:
        yield
    except RuntimeError as err:
        now = time.monotonic()
        races = [at for at in st.session_state.get(Key.RACES, ()) if now - at < _RACES_WITHIN_S]
        if not is_session_race(err) or len(races) >= _RACES_MAX:
            raise
        st.session_state[Key.RACES] = [*races, now]
        _log.info("rerun_raced")
        st.rerun()


def session_name() -> str:
    """A browser session's name in the log. Its real id is as good as a key to it, so it is hashed."""
    session = session_id()
    return hashlib.sha256(session.encode()).hexdigest()[:10] if session else "none"
