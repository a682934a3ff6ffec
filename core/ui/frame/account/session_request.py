"""Session requests: what a page asks the browser to tell the server about its session, and what came of it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final, Literal

import streamlit as st
from pydantic import Field

from core.errors import SignInError
from core.studio import Studio
from core.ui.components.component import Component, Count, ShortText, Told, message
from core.ui.frame.session import cookies
from core.ui.frame.state import Key
from core.web.http.auth_routes import REQUEST_HEADER, SESSION_PATH

_MOUNT: Final = "session-request"
_NOT_SIGNED_IN: Final = "The server did not answer: sign in again."
_NOT_SIGNED_OUT: Final = "The server did not answer, so you are still signed in: sign out again."
_RENEWAL_PAUSE_S: Final = 300.0  # a renewal that failed is tried again, but not with every click
_component = Component(Path(__file__).with_suffix(".js"))


class Purpose(StrEnum):
    """What a request is for."""

    OPEN = "open"
    RENEW = "renew"
    SIGN_OUT = "sign out"
    SIGN_OUT_EVERYWHERE = "sign out everywhere"


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """One request, which the browser makes once."""

    purpose: Purpose
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    made_at_s: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class RequestData:
    """The request as the browser makes it. A silent one neither loads the page again nor says why it failed."""

    id: str
    method: Literal["POST", "DELETE"]
    url: str
    header: str
    body: str
    is_silent: bool


class _Refused(Told):
    """Why the server refused a request: its status, 0 for no answer, and its sentence, if it had one."""

    id: ShortText
    status: Count
    said: Annotated[str, Field(max_length=400)]


def send_login_token(token: str) -> None:
    """Have the browser open a session with a login token; the page is loaded again when it is there."""
    request = SessionRequest(Purpose.OPEN)
    st.session_state[Key.REQUEST] = request
    _mount(request, body=token)


def keep_renewed(studio: Studio) -> None:
    """Have the browser ask for a fresh cookie while the session is in use, when that is due, and once."""
    if not studio.authenticator.is_renewal_due(cookies()):
        return
    request = st.session_state.get(Key.REQUEST)
    if not isinstance(request, SessionRequest) or time.monotonic() - request.made_at_s > _RENEWAL_PAUSE_S:
        request = st.session_state[Key.REQUEST] = SessionRequest(Purpose.RENEW)
    _mount(request)


def sign_out(*, everywhere: bool) -> None:
    """From the next run on this tab signs out."""
    st.session_state[Key.REQUEST] = SessionRequest(Purpose.SIGN_OUT_EVERYWHERE if everywhere else Purpose.SIGN_OUT)


def is_signing_out() -> bool:
    """Whether this tab is signing out: draws the request, and then nothing else of the page is to be drawn."""
    request = st.session_state.get(Key.REQUEST)
    if not isinstance(request, SessionRequest) or request.purpose in (Purpose.OPEN, Purpose.RENEW):
        return False
    _mount(request)
    return True


def _mount(request: SessionRequest, *, body: str = "") -> None:
    everywhere = "?everywhere=1" if request.purpose is Purpose.SIGN_OUT_EVERYWHERE else ""
    _component.draw(
        RequestData(
            id=request.id,
            method="POST" if request.purpose in (Purpose.OPEN, Purpose.RENEW) else "DELETE",
            url=f"{SESSION_PATH}{everywhere}",
            header=REQUEST_HEADER,
            body=body,
            is_silent=request.purpose is Purpose.RENEW,
        ),
        key=_MOUNT,
        height=1,
        on_refused_change=_explain_refusal,
    )


def _explain_refusal() -> None:
    """Say why a request failed. A 503 to a sign-out means that the cookie is gone, and only S3 does not know."""
    answer = message(_MOUNT, "refused", _Refused)
    request = st.session_state.get(Key.REQUEST)
    if answer is None or not isinstance(request, SessionRequest) or answer.id != request.id:
        return
    del st.session_state[Key.REQUEST]
    is_sign_out = request.purpose is not Purpose.OPEN  # a renewal reports nothing
    sentence = answer.said or (_NOT_SIGNED_OUT if is_sign_out else _NOT_SIGNED_IN)
    if is_sign_out and answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        st.session_state[Key.LEFT] = sentence
    else:
        st.session_state[Key.SIGN_IN_PROBLEM] = SignInError("{}", sentence)
