"""The fake Google is held to the protocol too, or what is proved with it proves nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from google.auth.transport.requests import Request
from google.oauth2.id_token import verify_token

from tests.fakes.google import CLIENT_ID, CLIENT_SECRET, Account, FakeGoogle, Fault
from tests.support.processes.programs import TRUSTS_NOBODY

ADA = Account("ada@studio.example", "Ada", "studio.example")
CALLBACK = "https://localhost:1/oauth/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
NONCE, STATE = "n" * 24, "s" * 32
ASKED = {
    "client_id": CLIENT_ID,
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid email profile",
    "state": STATE,
    "nonce": NONCE,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    fake = FakeGoogle(ADA, redirect_uri=CALLBACK)
    fake.answers_at_once = ADA
    with fake.serving():
        yield fake


def code_of(google: FakeGoogle) -> str:
    back = httpx.get(google.authorize_url, params=ASKED, verify=TRUSTS_NOBODY)
    answer = parse_qs(urlsplit(back.headers["location"]).query)
    assert answer["state"] == [STATE]
    return answer["code"][0]


def exchange(google: FakeGoogle, code: str, /, **changes: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "code_verifier": VERIFIER,
    }
    return httpx.post(google.token_url, data=form | changes, verify=TRUSTS_NOBODY)


def test_a_sign_in_ends_with_a_token_that_googles_own_library_accepts(google: FakeGoogle) -> None:
    answer = exchange(google, code_of(google)).json()
    claims = verify_token(answer["id_token"], Request(), CLIENT_ID, certs_url=google.certs_url)
    assert (claims["email"], claims["nonce"], claims["hd"]) == (ADA.email, NONCE, "studio.example")


def test_a_rotated_key_verifies_as_soon_as_it_is_announced(google: FakeGoogle) -> None:
    old = google.token(ADA, nonce=NONCE)
    google.rotate()
    for token in (old, google.token(ADA, nonce=NONCE)):
        assert verify_token(token, Request(), CLIENT_ID, certs_url=google.certs_url)["sub"] == ADA.subject


@pytest.mark.parametrize("name", ASKED)
def test_an_authorization_request_that_lacks_something_stays_at_google(name: str, google: FakeGoogle) -> None:
    asked = {key: value for key, value in ASKED.items() if key != name}
    answer = httpx.get(google.authorize_url, params=asked, verify=TRUSTS_NOBODY)
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "4/another"},
        {"redirect_uri": f"{CALLBACK}/elsewhere"},
        {"client_secret": "guessed"},
        {"code_verifier": "w" * 64},
        {"grant_type": "password"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_code_is_not_exchanged_for_a_wrong(changed: dict[str, str], google: FakeGoogle) -> None:
    answer = exchange(google, code_of(google), **changed)
    assert answer.status_code in (400, 401)
    assert "id_token" not in answer.json()


def test_a_code_is_good_once(google: FakeGoogle) -> None:
    code = code_of(google)
    assert exchange(google, code).status_code == 200
    assert exchange(google, code).json()["error"] == "invalid_grant"


def test_an_endpoint_can_break_off(google: FakeGoogle) -> None:
    code = code_of(google)
    google.fault = Fault.TOKEN_DOWN
    with pytest.raises(httpx.TransportError):
        exchange(google, code)
