"""Tokens that say whatever a test wants, and an endpoint for their certificates that a test can break."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Any

from google.auth.transport.requests import Request as GoogleRequest

from tests.fakes.google import CLIENT_ID, Key
from tests.support.s3.servers import Answer, scripted_server

CERTIFICATES_URL = "https://www.googleapis.com/oauth2/v1/certs"
NONCE = "the-nonce-this-sign-in-began-with"
EMAIL = "kim@studio.example"


@cache
def key(key_id: str) -> Key:
    """The key of this id; another id is another key."""
    return Key(key_id)


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


def token(content: Any, *, by: Key | None = None, header: Mapping[str, object] | None = None) -> str:
    """A token signed as Google signs them (RS256); `header` adds to its header or changes it."""
    return (by or key("first")).signed(content, header=header)


def tampered(sealed: str, **changes: object) -> str:
    """The same header and signature around other claims."""
    header, content, signature = sealed.split(".")
    said = json.loads(base64.urlsafe_b64decode(content + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(said | changes).encode()).rstrip(b"=").decode()
    return f"{header}.{forged}.{signature}"


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
        served = json.dumps({each.id: each.certificate for each in self.keys}).encode()
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
