"""Who is looking at this page, asked again in every run of a page or a part of it, and where its pictures come from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Final, Literal, LiteralString, ParamSpec
from urllib.parse import SplitResult, urlsplit

import streamlit as st

from core.errors import SignInError, StudioError
from core.identity.session import pseudonym
from core.studio import Studio, get_studio
from core.ui.frame.state import Key
from core.ui.frame.streamlit_internals import forget_session
from core.ui.frame.words.markdown import Markdown
from core.viewer import Viewer

P = ParamSpec("P")
_WATCH_S: Final = 15


def part_from_others() -> None:
    """Empty the session when its person has changed: the first thing in a run of the shell.

    Streamlit goes on with a session for whoever knows its name, with the cookies that they bring.
    """
    with suppress(StudioError):  # nobody, or nobody knows: `open_session` says so
        email = get_studio().authenticator.viewer(cookies()).email
        if st.session_state.get(Key.OWNER, email) != email:
            forget_session()
        st.session_state[Key.OWNER] = email


def open_session() -> tuple[Studio, Viewer]:
    """The studio and the verified person behind this browser.

    Raises SignInError, AccessDenied for somebody who is no longer on the list, and StorageError when neither
    can be found out. Callbacks that act ask here too: they run before the page does, and in a session that is
    somebody else's nothing is done.
    """
    studio = get_studio()
    if left := st.session_state.get(Key.LEFT):
        raise SignInError("{}", left)
    viewer = studio.authenticator.viewer(cookies())
    if st.session_state.get(Key.OWNER, viewer.email) != viewer.email:
        raise SignInError("This page was somebody else's: reload it.")
    return studio, viewer


def browser_owner(studio: Studio, viewer: Viewer) -> str:
    """The name, for nobody to read, under which a browser keeps what is this person's."""
    return pseudonym(browser_secret(studio), viewer.email)


def browser_secret(studio: Studio) -> str:
    """What seals values that go to a browser and come back. The demo has none, and nobody to keep apart."""
    return studio.settings.session_secret or ""


def cookies() -> dict[str, str]:
    """The cookies this page was opened with."""
    return dict(st.context.cookies.to_dict())


def fragment(body: Callable[P, None], *, run_every: float | None = None) -> Callable[P, None]:
    """A part of a page that runs by itself, `run_every` so many seconds, and only for who may still see it.

    Streamlit runs a fragment without the shell: for a person who may not come in any more the whole page is run
    instead, and so the sign-in page is shown.
    """
    guarded: Callable[P, None] = st.fragment(_guard(body), run_every=run_every)
    return guarded


def dialog(
    title: LiteralString | Markdown,
    body: Callable[P, None],
    *,
    width: Literal["small", "medium", "large"] = "small",
    position: Literal["center", "right"] = "center",
    on_dismiss: Callable[[], None] | None = None,
) -> Callable[P, None]:
    """A drawer or a window; what happens in it runs without the shell, as in a fragment, and is guarded alike.

    `on_dismiss` is called before the page runs, when somebody has closed it.
    """
    draw = st.dialog(title, width=width, position=position, on_dismiss=on_dismiss or "ignore")
    guarded: Callable[P, None] = draw(_guard(body))
    return guarded


def watch() -> None:
    """Ask every few seconds who is there, so that a page nobody touches closes too."""
    fragment(_nothing, run_every=_WATCH_S)()


def address() -> SplitResult:
    """The address this page was opened under, as the browser says; empty if that is none."""
    try:
        return urlsplit(st.context.url or "")
    except ValueError:
        return urlsplit("")


def origin() -> str:
    """Scheme, host and port of the address this page was opened under."""
    parts = address()
    return f"{parts.scheme}://{parts.netloc}"


def absolute(path: str) -> str:
    """A route of ours as `st.image` needs it: with the origin, or it would be taken for a file."""
    return f"{origin()}{path}"


def _guard(body: Callable[P, None]) -> Callable[P, None]:
    @wraps(body)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            open_session()
        except StudioError:
            st.rerun()
        body(*args, **kwargs)

    return guarded


def _nothing() -> None:
    """Nothing to draw: asking is all."""
