"""A made-up Google: keys with their certificates, tokens that say whatever a test wants, certificates over HTTP."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from google.auth.transport.requests import Request as GoogleRequest

from tests.storage.s3_servers import Answer, scripted_server

CERTIFICATES_URL = "https://www.googleapis.com/oauth2/v1/certs"
CLIENT_ID = "1234-studio.apps.googleusercontent.com"
NONCE = "the-nonce-this-sign-in-began-with"
EMAIL = "kim@studio.example"


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key under an id, and its certificate."""

    id: str
    private: rsa.RSAPrivateKey
    pem: str


@cache
def key(key_id: str) -> Key:
    """The key of this id; another id is another key."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "accounts.studio.example")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36500))
        .sign(private, hashes.SHA256())
    )
    return Key(key_id, private, certificate.public_bytes(serialization.Encoding.PEM).decode())


def claims(*, now: float | None = None, **changes: object) -> dict[str, object]:
    """What Google says of a person of the studio, with changes; `...` leaves a claim out."""
    now = time.time() if now is None else now
    said: dict[str, object] = {
        "iss": "https://accounts.google.com",
        "azp": CLIENT_ID,
        "aud": CLIENT_ID,
        "sub": "110169484474386276334",
        "email": EMAIL,
        "email_verified": True,
        "hd": "studio.example",
        "name": "Kim",
        "nonce": NONCE,
        "iat": int(now),
        "exp": int(now) + 3600,
    }
    return {name: value for name, value in (said | changes).items() if value is not ...}


def token(content: object, *, by: Key | None = None, header: Mapping[str, object] | None = None) -> str:
    """A token signed as Google signs them (RS256); `header` adds to its header or changes it."""
    by = by or key("first")
    return _sealed(
        {"alg": "RS256", "kid": by.id, "typ": "JWT"} | dict(header or {}),
        content,
        lambda signed: by.private.sign(signed, padding.PKCS1v15(), hashes.SHA256()),
    )


def unsigned(content: object, algorithm: str = "none") -> str:
    """A token that says it needs no signature."""
    return _sealed({"alg": algorithm, "kid": "first", "typ": "JWT"}, content, lambda _: b"")


def signed_with_the_certificate(content: object) -> str:
    """Key confusion: the public certificate, used as the secret of a symmetric signature."""
    secret = key("first").pem.encode()
    header = {"alg": "HS256", "kid": "first", "typ": "JWT"}
    return _sealed(header, content, lambda signed: hmac.digest(secret, signed, "sha256"))


def tampered(sealed: str, **changes: object) -> str:
    """The same header and signature around other claims."""
    header, content, signature = sealed.split(".")
    said = json.loads(base64.urlsafe_b64decode(content + "=="))
    return ".".join((header, _encoded(json.dumps(said | changes).encode()), signature))


def _sealed(header: Mapping[str, object], content: object, sign: Callable[[bytes], bytes]) -> str:
    signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(content).encode())}"
    return f"{signed}.{_encoded(sign(signed.encode()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class CertificateEndpoint:
    """Where Google's certificates are served; a test turns its screws and counts who asks."""

    url: str = ""
    keys: list[Key] = field(default_factory=lambda: [key("first")])
    cache_control: str = "public, max-age=20000, must-revalidate, no-transform"
    status: int = 200
    body: bytes | None = None  # instead of certificates
    is_broken: bool = False  # breaks every connection off
    asked: int = 0

    def answer(self, _request: BaseHTTPRequestHandler, _body: bytes) -> Answer | None:
        self.asked += 1
        if self.is_broken:
            return None
        served = json.dumps({each.id: each.pem for each in self.keys}).encode()
        headers = {"Cache-Control": self.cache_control, "Content-Type": "application/json"}
        return self.status, headers, served if self.body is None else self.body


class LedHere(GoogleRequest):  # type: ignore[misc]  # google-auth ships half of its types
    """google-auth's own transport, which finds the made-up endpoint where Google's should be."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def __call__(self, url: str, *args: Any, **kwargs: Any) -> Any:
        assert url == CERTIFICATES_URL
        return super().__call__(self._url, *args, **kwargs)


@contextmanager
def certificate_endpoint() -> Iterator[CertificateEndpoint]:
    """A running endpoint that serves the first key's certificate."""
    endpoint = CertificateEndpoint()
    with scripted_server(endpoint.answer) as server:
        endpoint.url = f"{server.endpoint_url}/oauth2/v1/certs"
        yield endpoint


@contextmanager
def led_to(url: str) -> Iterator[LedHere]:
    """A transport to this address, closed in the end."""
    transport = LedHere(url)
    with closing(transport.session):
        yield transport
