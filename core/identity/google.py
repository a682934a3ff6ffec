"""Google: verifies its ID tokens, with ten seconds of clock skew, and nothing else about a person is believed.

https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
"""

from __future__ import annotations

import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, LiteralString

import structlog
from google.auth import exceptions as vendor
from google.auth import jwt, transport
from google.auth.transport.requests import Request as GoogleRequest
from google.oauth2.id_token import verify_oauth2_token

from core.concurrency.single_flight import SingleFlightCache
from core.errors import SignInError
from core.identity.sign_in_answer import AGAIN, sign_in_error

CLOCK_SKEW_S: Final = 10
_LONGEST_TOKEN: Final = 16_384  # characters; Google's have about 1,200

_CERTIFICATES_TIMEOUT_S = 5.0
_CERTIFICATES_MAX_AGE_S = 3600.0
_CERTIFICATES_STALE_S = 24 * 3600.0  # how long the last good ones serve while Google does not answer
_REFETCH_PAUSE_S = 30.0  # tokens with made-up key ids must not send us to Google each time
_COOLDOWN_S = 10.0  # people who wait behind a fetch that failed must not each wait for another
_URLS_MAX = 8  # there is one
_MAX_AGE = re.compile(r"max-age=(\d{1,9})")

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
class _CertificateResponse(transport.Response):
    """An answer that can be given again; the names are google-auth's."""

    status: int
    headers: Mapping[str, str]
    data: bytes


@dataclass(frozen=True, slots=True)
class _Kept:
    response: _CertificateResponse
    key_ids: frozenset[str]
    fetched_at: float
    fresh_s: float


class Certificates(transport.Request):
    """Google's certificates, fetched in bounded time and kept as long as Google says, at most an hour.

    While Google does not answer, the last good ones serve for a day: keys are announced long before they sign.
    """

    def __init__(
        self, request: transport.Request | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._request = request or GoogleRequest()
        self._clock = clock
        self._fetches: SingleFlightCache[_Kept] = SingleFlightCache(
            size_max=_URLS_MAX,
            is_fresh=lambda kept: self._age_s(kept) < kept.fresh_s,
            cooldown_s=_COOLDOWN_S,
            clock=clock,
        )
        self._last_good: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._asked_again_at = float("-inf")

    def __call__(self, url: str, method: str = "GET", *_: Any, **__: Any) -> _CertificateResponse:
        """The answer for this URL, as google-auth asks for it. Raises TransportError."""
        try:
            return self._fetches.get(url, lambda: self._fetch(url, method)).response
        except vendor.TransportError:
            last = self._last_good.get(url)
            if last is None or self._age_s(last) >= _CERTIFICATES_STALE_S:
                raise
            return last.response

    def ask_again_for(self, key_id: str) -> bool:
        """Let the next call fetch anew for a key that is not among those kept; whether it will.

        Not if that was done a moment ago: a made-up key id costs us nothing.
        """
        with self._lock:
            now = self._clock()
            is_known = any(key_id in kept.key_ids for kept in self._last_good.values())
            if is_known or now - self._asked_again_at < _REFETCH_PAUSE_S:
                return False
            self._asked_again_at = now
            for url in list(self._last_good):
                self._fetches.forget(url)
            return True

    def _fetch(self, url: str, method: str) -> _Kept:
        try:
            kept = self._last_good[url] = self._ask(url, method)
        except vendor.TransportError:
            _log.warning("certificates_unreachable")
            raise
        return kept

    def _ask(self, url: str, method: str) -> _Kept:
        """What the endpoint answers, if these are certificates: a proxy's own page must not be kept in their place."""
        started_at = self._clock()
        given = self._request(url, method=method, timeout=_CERTIFICATES_TIMEOUT_S)
        response = _CertificateResponse(given.status, dict(given.headers), bytes(given.data))
        key_ids = _key_ids(response.data) if response.status == HTTPStatus.OK else frozenset()
        if not key_ids:
            raise vendor.TransportError(f"certificates: status {response.status}")
        return _Kept(response, key_ids, started_at, min(_CERTIFICATES_MAX_AGE_S, _max_age_s(response.headers)))

    def _age_s(self, kept: _Kept) -> float:
        return self._clock() - kept.fetched_at


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
            raise SignInError("This sign-in was not begun here. {}", AGAIN)
        if not isinstance(token, str) or not 0 < len(token) <= _LONGEST_TOKEN or not token.isascii():
            raise SignInError("Google's answer cannot be read. {}", AGAIN)
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
                key_id = jwt.decode_header(token).get("kid")
                if not isinstance(key_id, str) or not self._certificates.ask_again_for(key_id):
                    raise
                return self._verified(token)
        except vendor.TransportError as err:
            sentence = "Google's certificates cannot be fetched right now: try again in a minute."
            raise sign_in_error("certificates unreachable", sentence) from err
        except (vendor.GoogleAuthError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as err:
            # the message of some of these repeats the token
            raise sign_in_error(type(err).__name__, _sentence(err)) from None

    def _verified(self, token: str) -> Mapping[str, Any]:
        claims: Mapping[str, Any] = verify_oauth2_token(
            token, self._certificates, self._client_id, clock_skew_in_seconds=CLOCK_SKEW_S
        )
        return claims


def _check_claims(claims: Mapping[str, Any], *, client_id: str, nonce: str) -> None:
    """What google-auth leaves to its caller. Raises SignInError."""
    carried = claims.get("nonce")
    if not isinstance(carried, str) or not hmac.compare_digest(carried.encode(), nonce.encode()):
        raise sign_in_error("nonce", f"Google's answer belongs to another sign-in. {AGAIN}")
    if claims.get("azp", client_id) != client_id:
        raise sign_in_error("azp", f"Google's answer was made for another application. {AGAIN}")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise sign_in_error("sub", f"Google's answer names nobody. {AGAIN}")
    email = claims.get("email")
    if not isinstance(email, str) or email.count("@") != 1:
        raise sign_in_error("email", "Google did not say your e-mail address: allow it there and sign in again.")
    if not email.isascii():  # in lower case a Kelvin sign would be somebody else's k
        raise sign_in_error(
            "email", "Your e-mail address has letters that cannot be told apart: use one in plain ASCII."
        )
    if claims.get("email_verified") is not True:
        raise sign_in_error(
            "email_verified", "Google has not verified your e-mail address: verify it there, then sign in."
        )
    if not isinstance(claims.get("hd", ""), str) or not claims.get("hd", "").isascii():
        raise sign_in_error("hd", f"Google's answer cannot be read. {AGAIN}")


def _sentence(err: Exception) -> LiteralString:
    """What to tell a person, from google-auth's own words, of which only the beginning is looked at."""
    said = str(err)
    if isinstance(err, vendor.InvalidValue) and said.startswith("Token used too early"):
        return _EARLY
    if isinstance(err, vendor.InvalidValue) and said.startswith("Token expired"):
        return f"Google's answer is too old. {AGAIN}"
    return f"Google's answer could not be verified. {AGAIN}"


def _key_ids(data: bytes) -> frozenset[str]:
    """The ids of the x509 certificates in an answer; none where it holds anything else."""
    try:
        certificates = json.loads(data)
    except (ValueError, RecursionError):
        return frozenset()
    if not isinstance(certificates, dict) or not all(
        isinstance(pem, str) and pem.startswith("-----BEGIN CERTIFICATE-----") for pem in certificates.values()
    ):
        return frozenset()
    return frozenset(certificates)


def _max_age_s(headers: Mapping[str, str]) -> float:
    match = _MAX_AGE.search({name.lower(): value for name, value in headers.items()}.get("cache-control", ""))
    return float(match[1]) if match else 300.0
