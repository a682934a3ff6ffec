"""A small Google for tests: its sign-in's real protocol over HTTP, with faults on demand.

Authorization (https://developers.google.com/identity/openid-connect/openid-connect), the code's exchange with
PKCE (RFC 7636), ID tokens signed with RS256, and the certificates as `{key id: x509 PEM}`.

`python -m tests.fakes.google --port 8649` serves it to look at.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import html
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.fakes.asgi_server import serving_app

CLIENT_ID = "1234-studio.apps.googleusercontent.com"
CLIENT_SECRET = "GOCSPX-made-up-client-secret"
TOKEN_LIFETIME_S = 3600
CODE_LIFETIME_S = 600


class Fault(StrEnum):
    """What can go wrong with a sign-in. Every one stays until another is set."""

    DENIED = "the person presses Cancel"
    SERVER_ERROR_AT_AUTHORIZE = "the pop-up comes back with server_error"
    NO_STATE = "the way back lacks the state"
    WRONG_STATE = "the way back has another state"
    NO_CODE = "the way back lacks the code"
    WRONG_CODE = "the way back has a code that is none"
    TOKEN_DOWN = "the token endpoint breaks off in the middle of its answer"
    TOKEN_500 = "the token endpoint answers 500"
    TOKEN_SLOW = "the token endpoint takes longer than anybody waits"
    TOKEN_GARBAGE = "the token endpoint answers what is no JSON"
    TOKEN_LIST = "the token endpoint answers JSON that is no object"
    NO_ID_TOKEN = "the answer lacks the ID token"
    ID_TOKEN_NUMBER = "the ID token is a number"
    NO_NONCE = "the ID token lacks the nonce"
    WRONG_NONCE = "the ID token has another nonce"
    WRONG_AUDIENCE = "the ID token is for another application"
    WRONG_ISSUER = "the ID token is from somebody else"
    EXPIRED = "the ID token is an hour old"
    EARLY = "the ID token is dated eleven seconds ahead"
    UNVERIFIED_EMAIL = "Google has not verified the address"
    NO_EMAIL = "the ID token names no address"
    ALG_NONE = "the ID token is not signed"
    ALG_HS256 = "the ID token is signed with the certificate as a shared secret"
    TAMPERED = "the ID token was changed after it was signed"
    UNKNOWN_KEY = "the ID token is signed by a key nobody announced"
    CERTS_500 = "the certificates endpoint answers 500"
    CERTS_DOWN = "the certificates endpoint breaks off in the middle of its answer"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with a Google account; `hosted_domain` is empty for a private one."""

    email: str
    name: str
    hosted_domain: str = ""

    @property
    def subject(self) -> str:
        """The number Google knows the account by."""
        return str(int(hashlib.sha256(self.email.encode()).hexdigest()[:16], 16))


@dataclass(frozen=True)
class Key:
    """A key that signs ID tokens, and the certificate that tells the world."""

    id: str = field(default_factory=lambda: secrets.token_hex(20))

    @cached_property
    def private(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def certificate(self) -> str:
        """PEM, self-signed, good for a day around now."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federated-signon.system.gserviceaccount.com")])
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.private, hashes.SHA256())
        )
        return built.public_bytes(serialization.Encoding.PEM).decode()

    def signed(self, claims: Mapping[str, Any], *, header: Mapping[str, Any] | None = None) -> str:
        """A compact RS256 JWS of these claims; `header` adds to or overrides its header."""
        told = {"alg": "RS256", "kid": self.id, "typ": "JWT"} | dict(header or {})
        signing = f"{_b64(json.dumps(told).encode())}.{_b64(json.dumps(dict(claims)).encode())}"
        signature = self.private.sign(signing.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signing}.{_b64(signature)}"


@dataclass(frozen=True, slots=True)
class _Grant:
    """What a code stands for."""

    account: Account
    redirect_uri: str
    nonce: str
    challenge: str
    fault: Fault | None
    at: float


class FakeGoogle:
    """Accounts, faults and counters of one fake Google. Change its attributes while it serves."""

    def __init__(self, *accounts: Account, redirect_uri: str = "", client_id: str = CLIENT_ID) -> None:
        self.accounts = accounts
        self.redirect_uri = redirect_uri
        self.client_id = client_id
        self.client_secret = CLIENT_SECRET
        self.answers_at_once: Account | None = None  # nobody is asked which account it shall be
        self.fault: Fault | None = None
        self.faults: dict[str, Fault] = {}  # what the sign-ins of one address meet, in place of that
        self.cuts_off = False  # its pages keep to themselves: whoever opened their window loses it
        self.certs_max_age_s = 20_000
        self.key = Key()
        self.announced = [self.key]
        self.requests: list[str] = []  # the paths that were asked for
        self.handed_out: list[str] = []  # every code and token, to be looked for where they must not be
        self.url = ""
        self._grants: dict[str, _Grant] = {}
        self._asked: dict[str, dict[str, str]] = {}
        self._ending = threading.Event()

    @property
    def authorize_url(self) -> str:
        return f"{self.url}/authorize"

    @property
    def token_url(self) -> str:
        return f"{self.url}/token"

    @property
    def certs_url(self) -> str:
        return f"{self.url}/certs"

    def rotate(self, *, keep_old: bool = True) -> Key:
        """Sign with a new key from now on, and announce it."""
        self.key = Key()
        self.announced = [*self.announced, self.key] if keep_old else [self.key]
        return self.key

    def claims(self, account: Account, *, nonce: str | None, **changes: Any) -> dict[str, Any]:
        """What an ID token for this account says now; a change to None takes a claim out."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": "https://accounts.google.com",
            "azp": self.client_id,
            "aud": self.client_id,
            "sub": account.subject,
            "email": account.email,
            "email_verified": True,
            "name": account.name,
            "nonce": nonce,
            "iat": now,
            "exp": now + TOKEN_LIFETIME_S,
        }
        if account.hosted_domain:
            claims["hd"] = account.hosted_domain
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, account: Account, *, nonce: str, **changes: Any) -> str:
        """A good ID token for this account, but for these changes of its claims."""
        return self.key.signed(self.claims(account, nonce=nonce, **changes))

    def app(self) -> Starlette:
        """The server as an ASGI application."""
        return Starlette(
            routes=[
                Route("/authorize", self._authorize),
                Route("/consent", self._consent),
                Route("/token", self._token, methods=["POST"]),
                Route("/certs", self._certs),
                Route("/favicon.ico", lambda _: Response(status_code=204)),
            ]
        )

    @contextmanager
    def serving(self, port: int = 0) -> Iterator[FakeGoogle]:
        """Serve on loopback, in a thread, until the block ends."""
        listening = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with serving_app(self.app(), listening, "fake-google"):
            try:
                yield self
            finally:
                self._ending.set()

    def _authorize(self, request: Request) -> Response:
        """The pop-up: checks what the application asks for, then lets the person choose an account."""
        self.requests.append(request.url.path)
        asked = dict(request.query_params)
        if objection := self._objection(asked):
            return HTMLResponse(_page("Access blocked", f"<p>Error 400: {html.escape(objection)}</p>"), 400)
        if self.answers_at_once is not None:
            return self._way_back(asked, self.answers_at_once)
        name = secrets.token_urlsafe(16)
        self._asked[name] = asked
        choices = [(account.email, account.name) for account in self.accounts] + [("", "Cancel")]
        buttons = "".join(
            f'<p><a href="/consent?{urlencode({"request": name, "account": email})}">'
            f"{html.escape(label)}{f' ({html.escape(email)})' if email else ''}</a></p>"
            for email, label in choices
        )
        kept = {"Cross-Origin-Opener-Policy": "same-origin"} if self.cuts_off else {}
        return HTMLResponse(_page("Choose an account", buttons), headers=kept)

    def _consent(self, request: Request) -> Response:
        asked = self._asked.pop(request.query_params.get("request", ""), None)
        if asked is None:
            return HTMLResponse(_page("Access blocked", "<p>Error 400: this page has expired</p>"), 400)
        chosen = request.query_params.get("account")
        return self._way_back(asked, next((each for each in self.accounts if each.email == chosen), None))

    def _objection(self, asked: Mapping[str, str]) -> str | None:
        if asked.get("client_id") != self.client_id:
            return "invalid_client"
        if asked.get("redirect_uri") != self.redirect_uri:
            return "redirect_uri_mismatch"
        if asked.get("response_type") != "code":
            return "unsupported_response_type"
        if not {"openid", "email"} <= set(asked.get("scope", "").split()):
            return "invalid_scope"
        if asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
            return "invalid_request: code_challenge"
        missing = [name for name in ("state", "nonce") if len(asked.get(name, "")) < 20]
        return f"invalid_request: {missing[0]}" if missing else None

    def _way_back(self, asked: Mapping[str, str], account: Account | None) -> Response:
        answer = {"state": asked["state"], "scope": asked["scope"]}
        fault = self.fault if account is None else self.faults.get(account.email, self.fault)
        if account is None or fault is Fault.DENIED:
            answer["error"] = "access_denied"
        elif fault is Fault.SERVER_ERROR_AT_AUTHORIZE:
            answer["error"] = "server_error"
        else:
            code = f"4/0A{secrets.token_urlsafe(32)}"
            self._grants[code] = _Grant(
                account, asked["redirect_uri"], asked["nonce"], asked["code_challenge"], fault, time.time()
            )
            self.handed_out.append(code)
            answer["code"] = code
        if fault is Fault.NO_STATE:
            del answer["state"]
        if fault is Fault.WRONG_STATE:
            answer["state"] = secrets.token_hex(16)
        if fault is Fault.NO_CODE:
            del answer["code"]
        if fault is Fault.WRONG_CODE:
            answer["code"] = "4/0Anever-handed-out"
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", status_code=302)

    async def _token(self, request: Request) -> Response:
        """The code's exchange, client_secret_post (RFC 6749 §4.1.3)."""
        self.requests.append(request.url.path)
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        grant = self._grants.pop(form.get("code", ""), None)  # a code is good once
        fault = self.fault or (grant.fault if grant is not None else None)
        if fault is Fault.TOKEN_SLOW:
            await run_in_threadpool(self._ending.wait, 30)
        if fault in _AT_TOKEN:
            return _AT_TOKEN[fault]()
        if "authorization" in request.headers or form.get("client_id") != self.client_id:
            return _token_error("invalid_client", "The OAuth client was not found.", 401)
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self.client_secret.encode()):
            return _token_error("invalid_client", "Unauthorized", 401)
        if form.get("grant_type") != "authorization_code":
            return _token_error("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}")
        if grant is None or time.time() - grant.at > CODE_LIFETIME_S:
            return _token_error("invalid_grant", "Malformed auth code.")
        if form.get("redirect_uri") != grant.redirect_uri:
            return _token_error("redirect_uri_mismatch", "Bad Request")
        verifier = form.get("code_verifier", "")
        if not 43 <= len(verifier) <= 128 or _b64(hashlib.sha256(verifier.encode()).digest()) != grant.challenge:
            return _token_error("invalid_grant", "Invalid code verifier.")
        answer: dict[str, Any] = {
            "access_token": f"ya29.{secrets.token_urlsafe(48)}",
            "expires_in": TOKEN_LIFETIME_S - 1,
            "scope": "openid https://www.googleapis.com/auth/userinfo.email",
            "token_type": "Bearer",
            "id_token": self._id_token(grant),
        }
        self.handed_out += [answer["access_token"], str(answer["id_token"])]
        if fault is Fault.NO_ID_TOKEN:
            del answer["id_token"]
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def _id_token(self, grant: _Grant) -> str | int:
        now = int(time.time())
        changes: dict[Fault | None, dict[str, Any]] = {
            Fault.NO_NONCE: {"nonce": None},
            Fault.WRONG_NONCE: {"nonce": secrets.token_urlsafe(24)},
            Fault.WRONG_AUDIENCE: {"aud": "another.apps.googleusercontent.com"},
            Fault.WRONG_ISSUER: {"iss": "https://accounts.example"},
            Fault.EXPIRED: {"iat": now - 2 * TOKEN_LIFETIME_S, "exp": now - TOKEN_LIFETIME_S},
            Fault.EARLY: {"iat": now + 12},  # the second may turn before it is read
            Fault.UNVERIFIED_EMAIL: {"email_verified": False},
            Fault.NO_EMAIL: {"email": None, "email_verified": None},
        }
        claims = self.claims(grant.account, **({"nonce": grant.nonce} | changes.get(grant.fault, {})))
        if grant.fault is Fault.ID_TOKEN_NUMBER:
            return 7
        if grant.fault is Fault.ALG_NONE:
            return unsigned(claims, kid=self.key.id)
        if grant.fault is Fault.ALG_HS256:
            return signed_with_secret(claims, self.key.certificate, kid=self.key.id)
        if grant.fault is Fault.UNKNOWN_KEY:
            return Key().signed(claims)
        token = self.key.signed(claims)
        if grant.fault is Fault.TAMPERED:
            head, _, signature = token.split(".")
            return f"{head}.{_b64(json.dumps(claims | {'email': 'boss@studio.example'}).encode())}.{signature}"
        return token

    def _certs(self, request: Request) -> Response:
        self.requests.append(request.url.path)
        if self.fault is Fault.CERTS_DOWN:
            return _cut_off()
        if self.fault is Fault.CERTS_500:
            return Response("Internal Server Error", 500, media_type="text/plain")
        told = {"Cache-Control": f"public, max-age={self.certs_max_age_s}, must-revalidate, no-transform"}
        return JSONResponse({key.id: key.certificate for key in self.announced}, headers=told)


def unsigned(claims: Mapping[str, Any], *, kid: str) -> str:
    """A token of the algorithm `none`."""
    header = {"alg": "none", "kid": kid, "typ": "JWT"}
    return f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(dict(claims)).encode())}."


def signed_with_secret(claims: Mapping[str, Any], secret: str, *, kid: str) -> str:
    """A token of the algorithm HS256: key confusion, where `secret` is a public certificate."""
    header = {"alg": "HS256", "kid": kid, "typ": "JWT"}
    signing = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(dict(claims)).encode())}"
    return f"{signing}.{_b64(hmac.digest(secret.encode(), signing.encode(), 'sha256'))}"


def _cut_off() -> Response:
    """An answer that promises more than it brings: the connection ends in the middle of it."""
    return Response("{", headers={"Content-Length": "1000", "Content-Type": "application/json"})


_AT_TOKEN: dict[Fault | None, Callable[[], Response]] = {
    Fault.TOKEN_DOWN: _cut_off,
    Fault.TOKEN_500: lambda: Response("Internal Server Error", 500, media_type="text/plain"),
    Fault.TOKEN_GARBAGE: lambda: HTMLResponse("<html>busy</html>"),
    Fault.TOKEN_LIST: lambda: JSONResponse([]),
}


def _page(title: str, body: str) -> str:
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{body}</html>'


def _token_error(error: str, description: str, status: int = 400) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status)


def _b64(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8649)
    parser.add_argument("--redirect-uri", default="https://localhost:8640/oauth/callback")
    parser.add_argument("--fault", choices=[fault.name for fault in Fault])
    asked = parser.parse_args()
    people = (Account("ada@studio.example", "Ada Designer", "studio.example"), Account("sam@gmail.com", "Sam"))
    fake = FakeGoogle(*people, redirect_uri=asked.redirect_uri)
    fake.fault = Fault[asked.fault] if asked.fault else None
    with fake.serving(asked.port):
        print(f"authorize: {fake.authorize_url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
