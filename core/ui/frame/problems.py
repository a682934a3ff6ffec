"""Errors on screen: our own as their sentence, unknown ones as an incident that the log explains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import AccessDenied, ConfigError, SignInError, StorageError, StudioError
from core.logs.incidents import report
from core.ui.frame.reruns import session_name
from core.ui.frame.words.markdown import fill, plain


@contextmanager
def show_problems() -> Iterator[None]:
    """Show a StudioError that is raised inside, in place of what failed; the rest of the page goes on."""
    try:
        yield
    except StudioError as err:
        show_problem(err)


def show_problem(err: StudioError) -> None:
    """One calm box: what is wrong and what to do."""
    st.error(plain(err), icon=_icon(err))


def report_script_error(err: Exception) -> bool:
    """Log an exception nobody expected and show its incident id. Returns True: it has been shown."""
    if isinstance(err, StudioError):
        show_problem(err)
        return True
    incident = report("script_error", err, session=session_name())
    st.error(
        fill("Something went wrong on this page. Reload it; if it happens again, report incident `{}`.", incident),
        icon=":material/report:",
    )
    return True


def _icon(err: StudioError) -> str:
    if isinstance(err, SignInError | AccessDenied):
        return ":material/lock:"
    if isinstance(err, StorageError):
        return ":material/cloud_off:"
    return ":material/settings_alert:" if isinstance(err, ConfigError) else ":material/error:"
