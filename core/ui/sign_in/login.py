"""The sign-in page: signing in with Google, and what people see who may not come in."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import streamlit as st

from core.errors import AccessDenied, NotOurs, SignInError, StudioError, TooManyAttempts
from core.identity.sign_in_answer import (
    CALLBACK_PATH,
    MALFORMED,
    NOT_CONFIRMED,
    SCOPE,
    check_answer,
    id_token_of,
    sign_in_error,
)
from core.studio import Studio
from core.ui.components.component import Component, keep_value
from core.ui.frame.account.session_request import send_login_token
from core.ui.frame.problems import show_problem
from core.ui.frame.session import cookies, origin
from core.ui.frame.state import Key, session_value
from core.ui.frame.streamlit_internals import forget_oauth, oauth_answer, oauth_state
from core.ui.frame.words.markdown import fill, link, plain
from core.web.http.auth_routes import START_PATH
from core.web.http.client_address import counted_as

_dress = Component(
    Path(__file__).with_name("sign_in_button.js"),
    html='<div class="studio-way"><p role="status"></p><a target="_self">Sign in in this tab</a></div>',
    # in a shadow root axe-core would not see that the page's skip link stands before this one
    isolated=False,
)


@dataclass(frozen=True, slots=True)
class SignInData:
    """The attempt, the one whose answer was taken last, and where a sign-in in this tab starts."""

    attempt: str
    after: str
    start: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in: its name, and the nonce that Google's answer has to carry."""

    key: str = field(default_factory=lambda: f"sign-in-{secrets.token_hex(8)}")
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    begun_at_s: float = field(default_factory=time.monotonic)

    def discard(self) -> None:
        """Forget the attempt, with all that the library and the browser have put into the session for it."""
        forget_oauth(self.key)
        st.session_state.pop(Key.ATTEMPT, None)
        st.session_state[Key.LAST_ATTEMPT] = self.key


def sign_in(studio: Studio, reason: StudioError | None) -> None:
    """The page for somebody who is not signed in; `reason` is why their session ended, if there was one."""
    login_token = st.session_state.pop(Key.LOGIN_TOKEN, None)
    if isinstance(login_token, str):
        with door("Signing you in…"):
            send_login_token(login_token)
        return
    problem = _problem(studio)
    if isinstance(problem, AccessDenied):
        ask_somebody(studio, problem)
        return
    with door("Fair comparisons from an image model, steered with the studio’s own references."):
        attempt = session_value(Key.ATTEMPT, Attempt, Attempt)
        if oauth_answer(attempt.key) is not None:
            st.caption("Asking Google who you are…", text_alignment="center")
        elif problem is not None:
            show_problem(problem)
        elif reason:
            st.caption(plain(reason), text_alignment="center")
        if origin() == studio.settings.origin:
            _button(studio, attempt)
        _point_to_own_address(studio)


def was_just_refused(studio: Studio) -> bool:
    """Whether a sign-in in this tab was refused a moment ago, which `sign_in` says why."""
    return _problem(studio) is not None


def ask_somebody(studio: Studio, err: AccessDenied) -> None:
    """For somebody verified who is not on the list: whom to ask, and another account."""
    with door("This account cannot come in."):
        st.markdown(plain(err), text_alignment="center")
        st.button("Use another account", width="stretch", on_click=_another_account)
        _point_to_own_address(studio)


def out_of_order(err: StudioError) -> None:
    """While nobody can find out who may come in, nobody does."""
    with door("Nobody can be let in right now."):
        show_problem(err)
        st.button("Try again", type="primary", width="stretch")


def _problem(studio: Studio) -> StudioError | None:
    """What the last try ended with: the pop-up's in this tab, or the redirect's that has led here."""
    if studio.redirect is not None and Key.REFUSAL_SHOWN not in st.session_state:
        st.session_state[Key.REFUSAL_SHOWN] = True
        if error := studio.redirect.error(cookies()):
            st.session_state[Key.SIGN_IN_PROBLEM] = error
    problem = st.session_state.get(Key.SIGN_IN_PROBLEM)
    return problem if isinstance(problem, StudioError) else None


def _another_account() -> None:
    st.session_state.pop(Key.SIGN_IN_PROBLEM, None)
    st.session_state[Key.OTHER_ACCOUNT] = True


def _point_to_own_address(studio: Studio) -> None:
    """Google leads back to one address only: say which, where the page was opened under another."""
    address = studio.settings.origin
    if origin() != address:
        st.caption(fill("You can sign in at {} only.", link(address, address)), text_alignment="center")


@contextmanager
def door(sentence: LiteralString) -> Iterator[None]:
    with st.container(key="door", horizontal_alignment="center"):
        st.title("Studio", anchor=False, text_alignment="center")
        st.markdown(sentence, text_alignment="center")
        yield


def _button(studio: Studio, attempt: Attempt) -> None:
    """Google's pop-up behind a button, and what comes back from it. Each answer ends the attempt."""
    try:
        id_token = _answer(studio, attempt)
        if id_token is None:
            return
        login_token = studio.authenticator.sign_in(id_token, nonce=attempt.nonce)
    except StudioError as err:
        st.session_state[Key.SIGN_IN_PROBLEM] = _counted(studio, err)
    else:
        st.session_state.pop(Key.SIGN_IN_PROBLEM, None)
        st.session_state[Key.LOGIN_TOKEN] = login_token
    attempt.discard()
    st.rerun()


def _counted(studio: Studio, err: StudioError) -> StudioError:
    """What is to be said of a failure, which counts. What Google was asked about is said as it is."""
    if isinstance(err, SignInError) and not isinstance(err, AccessDenied | TooManyAttempts):
        try:
            studio.sign_in_limits.count_failure(_address())
        except TooManyAttempts as too_many:
            return too_many if isinstance(err, NotOurs) else err
    return err


def _address() -> str:
    """What this tab's browser is counted by; Streamlit says nothing of one on this machine."""
    return counted_as(st.context.ip_address or "127.0.0.1")


def _answer(studio: Studio, attempt: Attempt) -> str | None:
    """The ID token this attempt has brought, or None while nobody has come back. Raises SignInError."""
    # imported here: before the server runs, its component would stay unknown to it; and who is let in needs neither
    import httpx
    from httpx_oauth.exceptions import HTTPXOAuthError
    from streamlit_oauth import StreamlitOauthError

    returned = oauth_answer(attempt.key)
    if returned is not None:
        _check(returned, attempt)
    try:
        answer = _draw_button(studio, attempt)
    except (StreamlitOauthError, HTTPXOAuthError, httpx.HTTPError, *MALFORMED) as err:
        # messages of some of these repeat the code or the state
        raise sign_in_error(type(err).__name__, NOT_CONFIRMED) from None
    if answer is None:
        return None
    try:
        return id_token_of(answer.get("token"))
    finally:
        answer.clear()  # it is the very object that the session keeps for this component


def _check(returned: object, attempt: Attempt) -> None:
    """Refuse what does not answer this very attempt before its code is used. Raises SignInError.

    The library accepts an answer without a state.
    """
    check_answer(returned, state=oauth_state(attempt.key), age_s=time.monotonic() - attempt.begun_at_s)


def _draw_button(studio: Studio, attempt: Attempt) -> dict[str, Any] | None:
    from streamlit_oauth import OAuth2Component

    from core.identity.oauth import GoogleClient

    client = GoogleClient(studio.settings, studio.sign_in_limits, _address())
    answer: dict[str, Any] | None = OAuth2Component(client=client).authorize_button(
        "Sign in with Google",
        redirect_uri=studio.settings.origin + CALLBACK_PATH,
        scope=SCOPE,
        height=640,
        width=520,
        key=attempt.key,
        pkce="S256",
        extras_params={"nonce": attempt.nonce, "prompt": "select_account"},
        use_container_width=True,
    )
    after = st.session_state.get(Key.LAST_ATTEMPT, "")
    # whoever comes back needs the run alone, in which a session that has begun since draws an attempt of its own
    _dress.draw(SignInData(attempt.key, after, START_PATH), key="sign-in-dress", on_returned_change=keep_value)
    return answer
