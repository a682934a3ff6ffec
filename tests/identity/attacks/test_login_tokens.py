"""Attacks by login token: each is good once, for a minute, and only as we sealed it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest

from core.identity.session import SessionSigner
from tests.fakes.google import signed_with_secret, unsigned
from tests.identity.attacks.forgeries import NOW, forged, refused
from tests.identity.issuer import claims, key, tampered, token
from tests.support.dashboards.production import COOKIE, Production, from_our_page, session

TOKENS: dict[str, Callable[[], str]] = {
    "as Google signs it": lambda: token(claims()),
    "not signed": lambda: unsigned(claims(), kid="first"),
    "signed with the certificate": lambda: signed_with_secret(claims(), key("first").certificate, kid="first"),
    "tampered": lambda: tampered(token(claims()), email="ada@studio.example"),
    "by an unknown key": lambda: token(claims(), by=key("unknown")),
    "for another application": lambda: token(claims(aud="another.apps.googleusercontent.com")),
    "by another issuer": lambda: token(claims(iss="https://evil.example")),
    "without an issuer": lambda: token(claims(iss=...)),
    "expired": lambda: token(claims(exp=NOW - 3600)),
    "from the future": lambda: token(claims(iat=NOW + 3600)),
    "dated in words": lambda: token(claims(iat="now")),
    "with an unverified address": lambda: token(claims(email_verified=False)),
    "of another domain": lambda: token(claims(hd="evil.example")),
    "without a nonce": lambda: token(claims(nonce=...)),
    "without an address": lambda: token(claims(email=...)),
}


@pytest.mark.parametrize("attack", TOKENS)
def test_no_session_for_a_token_that_is(attack: str, studio: Production) -> None:
    """The route takes login tokens of our own and no token, not even a good one."""
    raw = TOKENS[attack]()
    studio.secrets.append(raw)
    assert refused(studio.post(raw), 400)


def used_up(studio: Production) -> str:
    login_token = studio.login_token()
    assert studio.post(login_token).status_code == 204
    return login_token


def signed_out_meanwhile(studio: Production) -> str:
    of = session("noa@studio.example")
    login_token = studio.login_token(replace(of, id="another"))
    answer = studio.client.delete(
        "/session?everywhere=1", headers=from_our_page() | {"Cookie": f"{COOKIE}={studio.cookie(of)}"}
    )
    assert answer.status_code == 204
    return login_token


LOGIN_TOKENS: dict[str, tuple[Callable[[Production], str], int]] = {
    "used already": (used_up, 409),
    "a minute old": (lambda s: s.login_token(now=time.time() - 61), 400),
    "from the future": (lambda s: s.login_token(now=time.time() + 30), 400),
    "a cookie": (lambda s: s.cookie(), 400),
    "under the cookie's salt": (
        lambda _: forged({"id": "x", "until": int(time.time()) + 30, "session": asdict(session())}),
        400,
    ),
    "under another secret": (lambda _: SessionSigner("x" * 40).login_token(session(), now=time.time()), 400),
    "good for ever": (
        lambda _: forged({"id": "x", "until": 10**12, "session": asdict(session())}, salt="studio.handover.1"),
        400,
    ),
    "without an id": (
        lambda _: forged({"until": int(time.time()) + 30, "session": asdict(session())}, salt="studio.handover.1"),
        400,
    ),
    "begun before a sign-out everywhere": (signed_out_meanwhile, 400),
    "somebody's who is not on the list": (lambda s: s.login_token(session("eve@evil.example", hosted_domain="")), 400),
    "somebody's who is blocked": (lambda s: s.login_token(session("mal@studio.example")), 400),
    "garbage": (lambda _: "garbage", 400),
    "not even text": (lambda _: "\x00\x01\x02", 400),
    "eight thousand letters": (lambda _: "A" * 8000, 400),
    "nine thousand letters": (lambda _: "A" * 9000, 413),
}


@pytest.mark.parametrize("attack", LOGIN_TOKENS)
def test_no_session_for_a_hand_over_that_is(attack: str, studio: Production) -> None:
    make, status = LOGIN_TOKENS[attack]
    assert refused(studio.post(make(studio)), status)


def test_a_hand_over_that_many_use_at_once_lets_one_in(studio: Production) -> None:
    login_token = studio.login_token(session("max@studio.example"))
    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(answer.status_code for answer in pool.map(studio.post, [login_token] * 6))
    assert statuses == [204, *[409] * 5]


def test_ten_million_letters_are_not_even_read(studio: Production) -> None:
    assert (
        b" 413 "
        in studio.wire(b"POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n" + b"A" * 100_000).split(
            b"\r\n", 1
        )[0]
    )
