"""Google: verifies its ID tokens, with ten seconds of clock skew, and nothing else about a person is believed.

https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
"""

from __future__ import annotations

import hmac
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import structlog
from google.auth import exceptions as vendor
from google.auth import jwt, transport
from google.auth.transport.requests import Request as GoogleRequest
from google.oauth2.id_token import verify_oauth2_token

from core.errors import SignInError

CLOCK_SKEW_S: Final = 10
_LONGEST_TOKEN: Final = 16_384  # characters; Google's have about 1,200

_CERTIFICATES_TIMEOUT_S = 5.0
_CERTIFICATES_MAX_AGE_S = 3600.0
_CERTIFICATES_STALE_S = 24 * 3600.0  # how long the last good ones serve while Google does not answer
_REFETCH_PAUSE_S = 30.0  # tokens with made-up key ids must not send us to Google each time
_MAX_AGE = re.compile(r"max-age=(\d{1,9})")

_AGAIN = "Sign in again."
_EARLY = (
    f"Google's answer is dated more than {CLOCK_SKEW_S} seconds ahead of this server's clock: "
    "ask an administrator to set the server's clock, then sign in again."
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Provider:
    """Where people are sent to sign in, and where the code they come back with is exchanged."""

    authorize_url: str
    token_url: str


# https://accounts.google.com/.well-known/openid-configuration
GOOGLE: Final = Provider("https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token")


@dataclass(frozen=True, slots=True)
class GoogleAccount:
    """Who Google says has signed in. `subject` never changes; `hosted_domain` is empty for a private account."""

    subject: str
    email: str
    name: str
    hosted_domain: str


@dataclass(frozen=True, slots=True)
class _Answer(transport.Response):
    """An answer that can be given again; the names are google-auth's."""

    status: int
    headers: Mapping[str, str]
    data: bytes


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: _Answer
    fetched_at: float
    fresh_s: float


class Certificates(transport.Request):
    """Google's certificates, fetched in bounded time and kept as long as Google says, at most an hour.

    While Google does not answer, the last good ones serve for a day: keys are announced long before they sign.
    """

    def __init__(self, request: transport.Request | None = None) -> None:
        self._request = request or GoogleRequest()
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._asked_again_at = float("-inf")

    def __call__(self, url: str, method: str = "GET", *_: Any, **__: Any) -> _Answer:
        """The answer for this URL, as google-auth asks for it. Raises TransportError."""
        with self._lock:
            kept = self._kept.get(url)
            if kept is not None and time.monotonic() - kept.fetched_at < kept.fresh_s:
                return kept.answer
            return self._fetched(url, method, kept)

    def ask_again(self) -> bool:
        """Forget how fresh the certificates are, if that was not done a moment ago; whether it was done now."""
        with self._lock:
            now = time.monotonic()
            if now - self._asked_again_at < _REFETCH_PAUSE_S:
                return False
            self._asked_again_at = now
            self._kept = {url: _Kept(kept.answer, kept.fetched_at, 0.0) for url, kept in self._kept.items()}
            return True

    def _fetched(self, url: str, method: str, kept: _Kept | None) -> _Answer:
        started_at = time.monotonic()
        is_usable = kept is not None and started_at - kept.fetched_at < _CERTIFICATES_STALE_S
        try:
            told = self._request(url, method=method, timeout=_CERTIFICATES_TIMEOUT_S)
            answer: _Answer | None = _Answer(told.status, dict(told.headers), bytes(told.data))
        except vendor.TransportError:
            if kept is None or not is_usable:
                raise
            answer = None
        if answer is not None and answer.status == HTTPStatus.OK:
            self._kept[url] = _Kept(answer, started_at, min(_CERTIFICATES_MAX_AGE_S, _told_max_age_s(answer.headers)))
            return answer
        if kept is None or not is_usable:
            raise vendor.TransportError(f"certificates: status {answer.status if answer else None}")
        _log.warning("certificates_stale", status=answer.status if answer else None)
        return kept.answer


class GoogleVerifier:
    """Turns an ID token into an account, or into a SignInError with one plain sentence."""

    def __init__(self, client_id: str, certificates: Certificates | None = None) -> None:
        if not client_id.strip():  # google-auth would skip the check of the audience
            raise ValueError("a client id is needed: without one no audience is checked")
        self._client_id = client_id
        self._certificates = certificates or Certificates()

    def verify(self, token: str, *, nonce: str) -> GoogleAccount:
        """The account this token speaks for. Raises SignInError for every other token.

        `nonce` is the one this sign-in was begun with; the token must carry it.
        """
        if not nonce:
            raise SignInError(f"This sign-in was not begun here. {_AGAIN}")
        if not isinstance(token, str) or not 0 < len(token) <= _LONGEST_TOKEN or not token.isascii():
            raise SignInError(f"Google's answer cannot be read. {_AGAIN}")
        claims = self._claims(token)
        _check_claims(claims, client_id=self._client_id, nonce=nonce)
        name = claims.get("name")
        return GoogleAccount(
            subject=claims["sub"],
            email=claims["email"].strip().lower(),
            name=name[:100] if isinstance(name, str) else "",
            hosted_domain=str(claims.get("hd") or "").strip().lower(),
        )

    def _claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a token whose signature, audience, issuer and times hold."""
        try:
            try:
                return self._verified(token)
            except vendor.MalformedError:
                if not self._is_signed_by_a_new_key(token) or not self._certificates.ask_again():
                    raise
                return self._verified(token)
        except vendor.TransportError as err:
            _log.warning("sign_in_refused", reason="certificates unreachable")
            raise SignInError("Google's certificates cannot be fetched right now: try again in a minute.") from err
        except (vendor.GoogleAuthError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as err:
            # the message of some of these repeats the token
            _log.warning("sign_in_refused", reason=type(err).__name__)
            raise SignInError(_sentence(err)) from None

    def _verified(self, token: str) -> Mapping[str, Any]:
        claims: Mapping[str, Any] = verify_oauth2_token(
            token, self._certificates, self._client_id, clock_skew_in_seconds=CLOCK_SKEW_S
        )
        return claims

    def _is_signed_by_a_new_key(self, token: str) -> bool:
        key_id = jwt.decode_header(token).get("kid")
        return isinstance(key_id, str) and 0 < len(key_id) <= 200


def _check_claims(claims: Mapping[str, Any], *, client_id: str, nonce: str) -> None:
    """What google-auth leaves to its caller. Raises SignInError."""
    carried = claims.get("nonce")
    if not isinstance(carried, str) or not hmac.compare_digest(carried.encode(), nonce.encode()):
        raise _refused("nonce", f"Google's answer belongs to another sign-in. {_AGAIN}")
    if claims.get("azp", client_id) != client_id:
        raise _refused("azp", f"Google's answer was made for another application. {_AGAIN}")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise _refused("sub", f"Google's answer names nobody. {_AGAIN}")
    email = claims.get("email")
    if not isinstance(email, str) or email.count("@") != 1:
        raise _refused("email", "Google did not say your e-mail address: allow it in the pop-up and sign in again.")
    if claims.get("email_verified") is not True:
        raise _refused("email_verified", "Google has not verified your e-mail address: verify it there, then sign in.")
    if not isinstance(claims.get("hd", ""), str):
        raise _refused("hd", f"Google's answer cannot be read. {_AGAIN}")


def _refused(reason: str, sentence: str) -> SignInError:
    _log.warning("sign_in_refused", reason=reason)
    return SignInError(sentence)


def _sentence(err: Exception) -> str:
    """What to tell a person, from google-auth's own words, of which only the beginning is looked at."""
    said = str(err)
    if isinstance(err, vendor.InvalidValue) and said.startswith("Token used too early"):
        return _EARLY
    if isinstance(err, vendor.InvalidValue) and said.startswith("Token expired"):
        return f"Google's answer is too old. {_AGAIN}"
    return f"Google's answer could not be verified. {_AGAIN}"


def _told_max_age_s(headers: Mapping[str, str]) -> float:
    told = {name.lower(): value for name, value in headers.items()}.get("cache-control", "")
    match = _MAX_AGE.search(told)
    return float(match[1]) if match else 300.0
