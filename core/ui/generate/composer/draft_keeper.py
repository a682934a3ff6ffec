"""The draft keeper: has the browser keep what is not sent yet, and takes it back in a session that has just begun.

The draft lives in the browser: only there are the keystrokes that no server has heard, and the next connection
may meet any server.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final

import streamlit as st
from pydantic import Field

from core.errors import NotFound
from core.injection.request.wishes import PROMPT_CHARS_MAX
from core.studio import Studio
from core.ui.components.component import Component, Count, ShortText, Told, keep_value, message
from core.ui.frame.session import browser_owner
from core.ui.frame.state import COMPARISON_PARAM, Key, session_value
from core.ui.frame.words.markdown import fill
from core.ui.generate.composer.stored_draft import Stored, heard_now, picks_now, put_back, refused_chars, widgets_now
from core.viewer import Viewer

_TAKEN: Final = "draft-taken"
_SHOWN: Final = "draft-shown"
_NOT_KEPT: Final = {
    "too long": "This draft is too long to be kept in the browser: reloading the page loses it.",
    "no room": "The browser has no room to keep this draft: reloading the page loses it.",
}
_FIELDS_MAX: Final = 64
_component = Component(Path(__file__).with_suffix(".js"))


@dataclass(frozen=True, slots=True)
class OwnerData:
    """Whose drafts are kept here, as a pseudonym; nobody's while those that lie here are to be forgotten."""

    owner: str | None


@dataclass(frozen=True, slots=True)
class DrawnData:
    """What the composer shows, and how much of what the browser has handed over and typed it has taken.

    `aside` says that another draft of this tab is set aside.
    """

    session: str
    line: str
    taken: int
    shown: str | None
    unsent: bool
    draft: Stored
    heard: Mapping[str, int]
    aside: bool
    prompt_chars_max: int


class Kept(Told):
    """What the browser hands over: the draft, the comparison it was begun on, what a server has heard of it already,
    and which session it is from, if it is from a live one; and the draft that was set aside. Each field of a draft is
    checked where it is put back.
    """

    number: Count
    from_session: ShortText = Field(alias="from")
    shown: ShortText | None
    draft: Annotated[dict[str, Any], Field(max_length=_FIELDS_MAX)]
    heard: Annotated[dict[str, Any], Field(max_length=_FIELDS_MAX)]
    unsent: bool = True
    aside: Annotated[dict[str, Any], Field(max_length=_FIELDS_MAX)] | None = None


class _Problem(Told):
    """Why a draft is not kept; none for one that is."""

    says: ShortText


def _token() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Keeping:
    """What this session and its browser know of each other.

    `taken` counts what the browser has handed over, `waiting` is what of it has yet to be put back. A draft has
    begun with `picks` and `widgets`, and is unsent once it differs; the widgets count as they are first drawn.
    `line` changes when the draft gives way to a recalled comparison. `unsent` is the draft as it was last drawn, if
    anything of it is unsent, and `aside` the one that last gave way so.
    """

    session: str = field(default_factory=_token)
    taken: int = 0
    waiting: Kept | None = None
    line: str = ""
    picks: Stored | None = None
    widgets: Stored | None = None
    is_unsent: bool = False  # whatever it has begun with
    left_out: tuple[str, ...] = ()  # what could not be put back of it
    unsent: Stored | None = None
    aside: Stored | None = None

    def hear(self, kept: Kept | None) -> Keeping:
        """The same with what the browser has handed over, once; of this session's own draft it knows better."""
        if kept is None or kept.number <= self.taken:
            return self
        is_news = kept.from_session != self.session
        waiting = kept if is_news else self.waiting
        return replace(self, taken=kept.number, waiting=waiting, aside=self.aside or kept.aside)


def meet_browser(studio: Studio, viewer: Viewer) -> None:
    """Say whose drafts are to be kept here, and hear what the browser hands over. Call before a page is drawn."""
    with st.container(key="draft-keeper"):
        _component.draw(OwnerData(browser_owner(studio, viewer)), key=_TAKEN, on_kept_change=keep_value)
    _keep(_keeping().hear(message(_TAKEN, "kept", Kept)))


def forget_drafts() -> None:
    """Have the browser forget the drafts of somebody whose session was ended."""
    with st.container(key="draft-keeper"):
        _component.draw(OwnerData(None), key="draft-forgotten")


def patience_s() -> float:
    """How long a page may stay as another server drew it: longer where the browser has handed over a draft, so that
    a restart takes no press from anybody.
    """
    return 10.0 if _keeping().waiting is not None else 1.0


def put_draft_back(studio: Studio) -> None:
    """Set the composer to what the browser has kept, unless the address names another comparison. Call before it is
    drawn. Raises StorageError while S3 does not say whether the comparison on the stage is there.
    """
    keeping = _keeping()
    kept = keeping.waiting
    if kept is None:
        return
    shown, named = kept.shown, st.query_params.get(COMPARISON_PARAM)
    is_there = shown is not None and _is_there(studio, shown)
    _keep(replace(keeping, waiting=None))
    if named is not None and named != shown:
        return
    left_out = put_back(kept.draft, kept.heard, studio)
    st.session_state[Key.SHOWN] = shown if is_there else None
    begin_draft()
    _keep(replace(_keeping(), line=keeping.line, is_unsent=kept.unsent, left_out=left_out))


def begin_draft() -> None:
    """From what the composer holds now on a draft begins: nothing of it is unsent."""
    _keep(replace(_keeping(), picks=picks_now(), widgets=None, is_unsent=False, left_out=(), unsent=None))


def leave_draft() -> None:
    """The same, where a recalled comparison has taken a draft's place: that one is kept for another tab, and set aside
    in this one.
    """
    aside = _keeping().unsent or _keeping().aside
    begin_draft()
    _keep(replace(_keeping(), line=_token(), aside=aside))


def aside_prompt() -> str | None:
    """The prompt of the unsent draft that gave way to a comparison in this tab; None without one."""
    aside = _keeping().aside
    return None if aside is None else str(aside.get("prompt", ""))


def want_aside_back() -> None:
    """From the next run on the draft that was set aside stands in the composer again."""
    st.session_state[Key.ASIDE_WANTED] = True


def put_aside_back(studio: Studio) -> None:
    """Set the composer to the draft that was set aside, if somebody wants it back. Call before it is drawn."""
    aside = _keeping().aside
    if not st.session_state.pop(Key.ASIDE_WANTED, False) or aside is None:
        return
    left_out = put_back(aside, {}, studio)
    begin_draft()
    _keep(replace(_keeping(), line=_token(), aside=None, is_unsent=True, left_out=left_out))


def show_draft() -> bool:
    """Tell the browser what the composer holds, and return whether anything of it is unsent.

    Says why it is not kept, and what of it did not come back.

    Call when the composer is drawn and its order is placed.
    """
    keeping, picks, widgets = _keeping(), picks_now(), widgets_now()
    if keeping.widgets is None:
        keeping = replace(keeping, widgets=widgets)
    is_unsent = keeping.is_unsent or (picks, widgets) != (keeping.picks, keeping.widgets) or bool(refused_chars())
    _keep(replace(keeping, unsent=picks | widgets if is_unsent else None))
    with st.container(key="draft-teller"):
        _component.draw(
            DrawnData(
                session=keeping.session,
                line=keeping.line,
                taken=keeping.taken,
                shown=st.session_state.get(Key.SHOWN),
                unsent=is_unsent,
                draft=picks | widgets,
                heard=heard_now(),
                aside=keeping.aside is not None,
                prompt_chars_max=PROMPT_CHARS_MAX,
            ),
            key=_SHOWN,
            on_problem_change=keep_value,
        )
    problem = message(_SHOWN, "problem", _Problem)
    if problem is not None and problem.says in _NOT_KEPT:
        st.caption(fill(":material/warning: {}", _NOT_KEPT[problem.says]))
    if keeping.left_out:
        st.caption(fill(":material/edit_off: Your draft is back, but for its {}.", _enumerate(keeping.left_out)))
    return is_unsent


def _keeping() -> Keeping:
    """What is known; a session that has just begun has a draft that nothing was done to."""
    return session_value(Key.KEEPING, Keeping, lambda: Keeping(picks=picks_now()))


def _keep(keeping: Keeping) -> None:
    st.session_state[Key.KEEPING] = keeping


def _is_there(studio: Studio, comparison: str) -> bool:
    try:
        studio.history.get(comparison)
    except NotFound:
        return False
    return True


def _enumerate(words: tuple[str, ...]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
