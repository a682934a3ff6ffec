"""The closed door: signing in with Google, and what people see who may not come in."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import streamlit as st
import structlog

from core.errors import AccessDenied, SignInError, StudioError
from core.studio import Studio
from core.ui.markdown import plain
from core.ui.problems import show_problem
from core.ui.session import origin
from core.ui.session_request import hand_over
from core.ui.state import Key
from core.web.doorway import CALLBACK_PATH

ATTEMPT_S: Final = 600.0
_SCOPE: Final = "openid email profile"
_AGAIN: Final = "Sign in again."
_SAID_BY_GOOGLE: Final = {
    "access_denied": f"You cancelled at Google. {_AGAIN}",
    "temporarily_unavailable": "Google is busy: try again in a minute.",
    "server_error": "Google has a fault of its own: try again in a minute.",
}
# What a crafted answer of a browser makes of the library, beside its own errors.
_MALFORMED: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError)

_log = structlog.get_logger(__name__)
_dress = st.components.v2.component(
    "studio.sign_in_button",
    html="<span hidden></span>",
    js=Path(__file__).with_name("sign_in_button.js").read_text("utf-8"),
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in: its name, and the nonce that Google's answer has to carry."""

    key: str = field(default_factory=lambda: f"sign-in-{secrets.token_hex(8)}")
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    begun_at_s: float = field(default_factory=time.monotonic)

    def discard(self) -> None:
        """Forget the attempt, with all that the library and the browser have put into the session for it."""
        for key in (Key.ATTEMPT, self.key, f"state-{self.key}", f"pkce-{self.key}"):
            st.session_state.pop(key, None)


def sign_in(studio: Studio, reason: str) -> None:
    """The door for somebody we do not know; `reason` is why a session ended, if there was one."""
    handover = st.session_state.pop(Key.HANDOVER, None)
    if isinstance(handover, str):
        with _door("Signing you in…"):
            hand_over(handover)
        return
    problem = st.session_state.get(Key.SIGN_IN_PROBLEM)
    if isinstance(problem, AccessDenied):
        ask_somebody(studio, problem)
        return
    with _door("Fair comparisons from an image model, steered with the studio’s own references."):
        attempt = _attempt()
        if attempt.key in st.session_state and st.session_state[attempt.key] is not None:
            st.caption("Asking Google who you are…", text_alignment="center")
        elif isinstance(problem, StudioError):
            show_problem(problem)
        elif reason:
            st.caption(plain(reason), text_alignment="center")
        if origin() == studio.settings.origin:
            _button(studio, attempt)
        else:
            _elsewhere(studio.settings.origin)


def ask_somebody(studio: Studio, err: AccessDenied) -> None:
    """For somebody verified who is not on the list: whom to ask, and another account."""
    with _door("This account cannot come in."):
        st.markdown(plain(err.message), text_alignment="center")
        st.button("Use another account", width="stretch", on_click=_another_account)
        _said_elsewhere(studio)


def out_of_order(err: StudioError) -> None:
    """While nobody can find out who may come in, nobody does."""
    with _door("Nobody can be let in right now."):
        show_problem(err)
        st.button("Try again", type="primary", width="stretch")


def _another_account() -> None:
    st.session_state.pop(Key.SIGN_IN_PROBLEM, None)
    st.session_state[Key.OTHER_ACCOUNT] = True


def _said_elsewhere(studio: Studio) -> None:
    if origin() != studio.settings.origin:
        _elsewhere(studio.settings.origin)


def _elsewhere(address: str) -> None:
    st.caption(f"You can sign in at [{plain(address)}]({address}) only.", text_alignment="center")


@contextmanager
def _door(sentence: str) -> Iterator[None]:
    with st.container(key="door", horizontal_alignment="center"):
        st.title("Studio", anchor=False, text_alignment="center")
        st.markdown(sentence, text_alignment="center")
        yield


def _button(studio: Studio, attempt: Attempt) -> None:
    """Google's pop-up behind a button, and what comes back from it. Each answer ends the attempt."""
    try:
        id_token = _answer(studio, attempt)
        if id_token is None:
            st.caption("Nothing happened? Allow pop-ups for this site, then press again.", text_alignment="center")
            return
        handover = studio.door.let_in(id_token, nonce=attempt.nonce)
    except StudioError as err:
        st.session_state[Key.SIGN_IN_PROBLEM] = err
    else:
        st.session_state.pop(Key.SIGN_IN_PROBLEM, None)
        st.session_state[Key.HANDOVER] = handover
    attempt.discard()
    st.rerun()


def _attempt() -> Attempt:
    attempt = st.session_state.setdefault(Key.ATTEMPT, Attempt())
    assert isinstance(attempt, Attempt)  # noqa: S101 - session state is untyped; nobody else writes this key
    return attempt


def _answer(studio: Studio, attempt: Attempt) -> str | None:
    """The ID token this attempt has brought, or None while nobody has come back. Raises SignInError."""
    # imported here: before the server runs, its component would stay unknown to it; and who is let in needs neither
    import httpx
    from httpx_oauth.exceptions import HTTPXOAuthError
    from streamlit_oauth import StreamlitOauthError

    returned = st.session_state.get(attempt.key)
    if returned is not None:
        studio.door.count_attempt("sign-in", st.context.ip_address or "")
        _check(returned, attempt)
    try:
        answer = _draw_button(studio, attempt)
    except (StreamlitOauthError, HTTPXOAuthError, httpx.HTTPError, *_MALFORMED) as err:
        # messages of some of these repeat the code or the state
        raise _refused(type(err).__name__, f"Google did not confirm this sign-in. {_AGAIN}") from None
    if answer is None:
        return None
    try:
        id_token = answer["token"]["id_token"]
    except (KeyError, TypeError):
        raise _refused("no id token", f"Google did not say who you are. {_AGAIN}") from None
    finally:
        answer.clear()  # it is the very object that the session keeps for this component
    if not isinstance(id_token, str):
        raise _refused("no id token", f"Google did not say who you are. {_AGAIN}")
    return id_token


def _check(returned: object, attempt: Attempt) -> None:
    """Refuse what does not answer this very attempt before its code is used. Raises SignInError.

    The library accepts an answer without a state.
    """
    expected = str(st.session_state.get(f"state-{attempt.key}") or "")
    state = returned.get("state") if isinstance(returned, dict) else None
    if not expected or not isinstance(state, str) or not hmac.compare_digest(state.encode(), expected.encode()):
        raise _refused("state", f"This answer belongs to another sign-in. {_AGAIN}")
    if time.monotonic() - attempt.begun_at_s > ATTEMPT_S:
        raise _refused("attempt expired", f"This sign-in was begun more than ten minutes ago. {_AGAIN}")
    error = returned.get("error") if isinstance(returned, dict) else None
    if error is not None:
        raise _refused("error", _SAID_BY_GOOGLE.get(str(error), f"Google did not let this sign-in through. {_AGAIN}"))


def _draw_button(studio: Studio, attempt: Attempt) -> dict[str, Any] | None:
    from streamlit_oauth import OAuth2Component

    from core.identity.google import GOOGLE

    google = OAuth2Component(
        studio.settings.google_client_id,
        studio.settings.google_client_secret,
        authorize_endpoint=GOOGLE.authorize_url,
        token_endpoint=GOOGLE.token_url,
        token_endpoint_auth_method="client_secret_post",  # noqa: S106 - the name of a method
    )
    answer: dict[str, Any] | None = google.authorize_button(
        "Sign in with Google",
        redirect_uri=studio.settings.origin + CALLBACK_PATH,
        scope=_SCOPE,
        height=640,
        width=520,
        key=attempt.key,
        pkce="S256",
        extras_params={"nonce": attempt.nonce, "prompt": "select_account"},
        use_container_width=True,
    )
    _dress(key="sign-in-dress", height=1)
    return answer


def _refused(reason: str, sentence: str) -> SignInError:
    _log.warning("sign_in_refused", reason=reason)
    return SignInError(sentence)
