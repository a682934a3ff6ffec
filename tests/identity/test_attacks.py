"""Attacks on a running server in production: none of them gets in, and nothing is told on the way.

Every forged thing differs from a good one in what its name says and in nothing else; that the good one is let in
is tested first.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from itsdangerous import URLSafeSerializer
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.util import calc_hash
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.sessions import session as tab_on
from core.identity.session import LIFETIME_S, LONGEST_S, SessionSigner
from core.references.key import encode_key
from core.web.addresses import ORIGINAL, image_url
from tests.browser.dashboard import REPOSITORY
from tests.fakes.google import signed_with_secret, unsigned
from tests.identity.issuer import claims, key, tampered, token
from tests.identity.production import (
    COOKIE,
    KEY,
    MADE,
    ORIGIN,
    PAGES,
    PICTURE,
    SECRET,
    Production,
    from_our_page,
    production,
    run,
    session,
)

COMPARISON = "01KAM8K4T0YZ7C4D0Q7H7P3N5E"
TOLD_BY_PAGES = (b"Ada 03", b"a(natural,film)", b"01. Model", b"/image/")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with production(tmp_path_factory.mktemp("production")) as running:
        yield running


def pictures(studio: Production) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Every way to a picture."""
    etag = studio.etags[KEY]
    return {
        "thumbnail": ("GET", image_url(KEY, etag), {}),
        "large thumbnail": ("GET", image_url(KEY, etag, 960), {}),
        "original": ("GET", image_url(KEY, etag, ORIGINAL), {}),
        "download": ("GET", image_url(KEY, etag, ORIGINAL, download_as="Ada.jpg"), {}),
        "result": ("GET", image_url(MADE, studio.etags[MADE], ORIGINAL), {}),
        "head": ("HEAD", image_url(KEY, etag, ORIGINAL), {}),
        "range": ("GET", image_url(KEY, etag, ORIGINAL), {"Range": "bytes=0-99"}),
        "cached": ("GET", image_url(KEY, etag, ORIGINAL), {"If-None-Match": f'"{etag}"'}),
        "missing": ("GET", image_url("refs/none.jpg", etag), {}),
        "partial": ("GET", f"/partial/{COMPARISON}/tone-only", {}),
        "download of a page": ("GET", f"/media/{'0' * 56}.jsonl", {}),
    }


def kept_out(studio: Production, headers: dict[str, str]) -> bool:
    """Whether every way to a picture is closed, all of them with the same words."""
    for method, path, more in pictures(studio).values():
        answer = studio.client.request(method, path, headers=headers | more)
        assert answer.status_code == 401, path
        assert answer.text == ("" if method == "HEAD" else "Sign in to see this.")
        assert answer.headers["Cache-Control"] == "no-store"
        assert not {"etag", "set-cookie", "location", "content-disposition", "content-range"} & set(answer.headers)
    return True


def refused(answer: httpx.Response, *statuses: int) -> bool:
    """Whether a request for a session was turned away: no cookie, plain words."""
    assert answer.status_code in statuses
    assert "set-cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert re.fullmatch(r"[^\n<>]{5,160}\.", answer.text), answer.text
    return True


def door_only(told: bytes) -> bool:
    """Whether the frames of a page's run hold the door and nothing from behind it."""
    assert b"sign in" in told.lower() or b"This account cannot come in" in told
    assert not [secret for secret in TOLD_BY_PAGES if secret in told]
    return True


# ---- what is let in


def test_a_good_cookie_opens_pictures_and_pages(studio: Production) -> None:
    """Or all that follows would prove nothing."""
    cookie = studio.cookie()
    for name, (method, path, more) in pictures(studio).items():
        answer = studio.client.request(method, path, headers={"Cookie": f"{COOKIE}={cookie}"} | more)
        expected = {"range": 206, "cached": 304, "missing": 404, "partial": 404, "download of a page": 404}.get(
            name, 200
        )
        assert (name, answer.status_code) == (name, expected)
        if name == "original":
            assert answer.content == PICTURE
    told = studio.page("references", cookie)
    assert b"Ada" in told
    assert b"/image/" in told


def test_a_good_hand_over_becomes_a_cookie_that_scripts_cannot_read(studio: Production) -> None:
    answer = studio.post(studio.handover())
    assert answer.status_code == 204
    (told,) = answer.headers.get_list("set-cookie")
    name, *attributes = re.split("; |=", told)
    assert name == COOKIE
    assert {"HttpOnly", "Secure", "Path", "/", "SameSite", "lax"} <= set(attributes)
    assert LIFETIME_S - 60 < int(attributes[attributes.index("Max-Age") + 1]) <= LIFETIME_S
    assert "Domain" not in told
    studio.secrets.append(attributes[0])
    assert studio.lets_in(attributes[0])


# ---- cookies


def forged(content: Any, *, salt: str = "studio.session.1", secret: str = SECRET) -> str:
    kwargs = {"key_derivation": "hmac", "digest_method": sha256}
    return str(URLSafeSerializer(secret, salt=salt, signer_kwargs=kwargs).dumps(content))


def unsealed(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def ended(studio: Production) -> str:
    cookie = studio.cookie()
    assert studio.lets_in(cookie)
    assert studio.sign_out(cookie).status_code == 204
    return cookie


def ended_everywhere(studio: Production) -> str:
    mine, other = (studio.cookie(session("lee@studio.example")) for _ in range(2))
    assert studio.lets_in(mine)
    answer = studio.client.delete("/session?everywhere=1", headers=from_our_page() | {"Cookie": f"{COOKIE}={other}"})
    assert answer.status_code == 204
    return mine


def elses(studio: Production) -> str:
    """The boss's content under a designer's signature."""
    boss, mine = studio.cookie(session("ada@studio.example")), studio.cookie()
    return f"{boss.rsplit('.', 1)[0]}.{mine.rsplit('.', 1)[1]}"


NOW = int(time.time())
COOKIES: dict[str, Callable[[Production], str]] = {
    "nothing in it": lambda _: "",
    "garbage": lambda _: "garbage",
    "a name instead of a seal": lambda _: "demo@localhost",
    "no signature": lambda s: s.cookie().rsplit(".", 1)[0],
    "an empty signature": lambda s: s.cookie().rsplit(".", 1)[0] + ".",
    "content that nobody sealed": lambda _: f"{unsealed(asdict(session()))}.c2lnbmF0dXJl",
    "one letter changed": lambda s: "x" + s.cookie()[1:],
    "another salt": lambda _: forged(asdict(session()), salt="studio.session.2"),
    "the hand-over's salt": lambda _: forged(asdict(session()), salt="studio.handover.1"),
    "another secret": lambda _: SessionSigner(SECRET[::-1]).cookie(session()),
    "an empty secret": lambda _: forged(asdict(session()), secret=""),
    "the client id as the secret": lambda _: SessionSigner("1234-studio.apps.googleusercontent.com").cookie(session()),
    "a hand-over": lambda s: s.handover(),
    "a token of Google's": lambda _: token(claims()),
    "a token that is not signed": lambda _: unsigned(claims(), kid="first"),
    "another person's content": elses,
    "ended eight hours ago": lambda s: s.cookie(session(renewed_at=NOW - LIFETIME_S, signed_in_at=NOW - LIFETIME_S)),
    "renewed for more than a week": lambda s: s.cookie(session(signed_in_at=NOW - LONGEST_S)),
    "from the future": lambda s: s.cookie(session(renewed_at=NOW + 3600, signed_in_at=NOW + 3600)),
    "signed out": ended,
    "signed out everywhere": ended_everywhere,
    "a later sign-out's number": lambda s: s.cookie(session(epoch=7)),
    "nobody on the list": lambda s: s.cookie(session("eve@evil.example", hosted_domain="evil.example")),
    "somebody blocked": lambda s: s.cookie(session("mal@studio.example")),
    "a private account of the domain": lambda s: s.cookie(session(hosted_domain="")),
    "a domain below the studio's": lambda s: s.cookie(session("x@a.studio.example", hosted_domain="a.studio.example")),
    "a field too few": lambda _: forged({"email": "ada@studio.example"}),
    "a field too many": lambda _: forged(asdict(session()) | {"role": "admin"}),
    "a number for a name": lambda _: forged(asdict(session()) | {"email": 7}),
    "words for a date": lambda _: forged(asdict(session()) | {"renewed_at": "tomorrow"}),
    "a list": lambda _: forged([asdict(session())]),
    "four thousand letters": lambda _: "A" * 4000,
}


@pytest.mark.parametrize("attack", COOKIES)
def test_no_picture_page_or_renewal_for_a_cookie_with(attack: str, studio: Production) -> None:
    """Every way to a picture, the page over a WebSocket, and a request for a fresh cookie."""
    cookie = COOKIES[attack](studio)
    studio.secrets += [cookie] if len(cookie) > 20 else []
    assert kept_out(studio, {"Cookie": f"{COOKIE}={cookie}"})
    assert refused(studio.post(cookie=cookie), 400)
    assert door_only(studio.page("references", cookie))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("studio={good}", id="the name it has without TLS"),
        pytest.param("__host-studio={good}", id="its name in small letters"),
        pytest.param("__Host-studio2={good}", id="a name that begins alike"),
        pytest.param("x=__Host-studio={good}", id="its name in another's value"),
        pytest.param('x="; __Host-studio={bad}"', id="its name in quotes"),
        pytest.param("__Host-studio={bad}; __Host-studio={bad}", id="the same name twice"),
        pytest.param("__Host-studio=;__Host-studio={bad},{good}", id="two values in one"),
        pytest.param("__Host-studio={bad}\t{good}", id="a tab between two values"),
        pytest.param('$Version=1; __Host-studio="{bad}"; $Path=/', id="an old grammar"),
    ],
)
def test_no_picture_for_a_cookie_header_that_has(line: str, studio: Production) -> None:
    """The good one stands where it does not count."""
    assert kept_out(studio, {"Cookie": line.format(good=studio.cookie(), bad="forged")})


def test_two_cookie_headers_with_a_forged_cookie_each_open_nothing(studio: Production) -> None:
    path = image_url(KEY, studio.etags[KEY], ORIGINAL)
    answer = studio.client.get(path, headers=[("Cookie", f"{COOKIE}=forged"), ("Cookie", f"{COOKIE}=forged too")])
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Request-Email", "Remote-User", "X-Goog-Authenticated-User-Email"],
)
def test_no_picture_for_a_header_that_names_an_admin(header: str, studio: Production) -> None:
    assert kept_out(studio, {header: "ada@studio.example"})


@pytest.mark.parametrize("header", ["Authorization", "X-Studio-Session"])
def test_no_picture_for_a_good_cookie_in_another_header(header: str, studio: Production) -> None:
    assert kept_out(studio, {header: f"Bearer {studio.cookie()}"})


def test_no_picture_for_a_good_cookie_in_the_address(studio: Production) -> None:
    path = image_url(KEY, studio.etags[KEY], ORIGINAL)
    answer = studio.client.get(path, params={COOKIE: studio.cookie()})
    assert answer.status_code == 401


# ---- hand-overs

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
    """The route takes hand-overs of our own and no token, not even a good one."""
    raw = TOKENS[attack]()
    studio.secrets.append(raw)
    assert refused(studio.post(raw), 400)


def used_up(studio: Production) -> str:
    handover = studio.handover()
    assert studio.post(handover).status_code == 204
    return handover


def signed_out_meanwhile(studio: Production) -> str:
    of = session("noa@studio.example")
    handover = studio.handover(replace(of, id="another"))
    answer = studio.client.delete(
        "/session?everywhere=1", headers=from_our_page() | {"Cookie": f"{COOKIE}={studio.cookie(of)}"}
    )
    assert answer.status_code == 204
    return handover


HANDOVERS: dict[str, tuple[Callable[[Production], str], int]] = {
    "used already": (used_up, 409),
    "a minute old": (lambda s: s.handover(now=time.time() - 61), 400),
    "from the future": (lambda s: s.handover(now=time.time() + 30), 400),
    "a cookie": (lambda s: s.cookie(), 400),
    "under the cookie's salt": (
        lambda _: forged({"id": "x", "until": int(time.time()) + 30, "session": asdict(session())}),
        400,
    ),
    "under another secret": (lambda _: SessionSigner("x" * 40).handover(session(), now=time.time()), 400),
    "good for ever": (
        lambda _: forged({"id": "x", "until": 10**12, "session": asdict(session())}, salt="studio.handover.1"),
        400,
    ),
    "without an id": (
        lambda _: forged({"until": int(time.time()) + 30, "session": asdict(session())}, salt="studio.handover.1"),
        400,
    ),
    "begun before a sign-out everywhere": (signed_out_meanwhile, 400),
    "somebody's who is not on the list": (lambda s: s.handover(session("eve@evil.example", hosted_domain="")), 400),
    "somebody's who is blocked": (lambda s: s.handover(session("mal@studio.example")), 400),
    "garbage": (lambda _: "garbage", 400),
    "not even text": (lambda _: "\x00\x01\x02", 400),
    "eight thousand letters": (lambda _: "A" * 8000, 400),
    "nine thousand letters": (lambda _: "A" * 9000, 413),
}


@pytest.mark.parametrize("attack", HANDOVERS)
def test_no_session_for_a_hand_over_that_is(attack: str, studio: Production) -> None:
    make, status = HANDOVERS[attack]
    assert refused(studio.post(make(studio)), status)


def test_a_hand_over_that_many_use_at_once_lets_one_in(studio: Production) -> None:
    handover = studio.handover(session("max@studio.example"))
    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(answer.status_code for answer in pool.map(studio.post, [handover] * 6))
    assert statuses == [204, *[409] * 5]


def test_ten_million_letters_are_not_even_read(studio: Production) -> None:
    assert (
        b" 413 "
        in studio.wire(b"POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n" + b"A" * 100_000).split(
            b"\r\n", 1
        )[0]
    )


# ---- who asks


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"Origin": None}, id="no origin"),
        pytest.param({"Origin": "null"}, id="a null origin"),
        pytest.param({"Origin": ""}, id="an empty origin"),
        pytest.param({"Origin": "https://evil.example"}, id="a foreign origin"),
        pytest.param({"Origin": "http://studio.example"}, id="the origin without TLS"),
        pytest.param({"Origin": "https://studio.example:8443"}, id="another port"),
        pytest.param({"Origin": "https://sub.studio.example"}, id="a host below ours"),
        pytest.param({"Origin": "https://studio.example.evil.example"}, id="a host that begins like ours"),
        pytest.param({"Origin": "https://studio.example/"}, id="an origin with a path"),
        pytest.param({"Origin": f"{ORIGIN}, https://evil.example"}, id="two origins in one"),
        pytest.param({"Origin": "https://evil.example", "Host": "evil.example"}, id="a foreign host and its origin"),
        pytest.param({"Origin": "https://evil.example", "X-Forwarded-Host": "studio.example"}, id="a forwarded host"),
        pytest.param({"Origin": None, "Referer": f"{ORIGIN}/"}, id="a referrer in place of the origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="a foreign site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="a host of the same site"),
        pytest.param({"Sec-Fetch-Site": "none"}, id="no site"),
        pytest.param({"X-Studio-Session": None}, id="no header of ours"),
        pytest.param({"X-Studio-Session": "0"}, id="another value of our header"),
    ],
)
def test_no_session_for_a_request_with(changes: dict[str, str | None], studio: Production) -> None:
    """With a good hand-over and a good cookie: neither opens, renews nor ends a session."""
    cookie = studio.cookie()
    assert refused(studio.post(studio.handover(), **changes), 403)
    assert refused(studio.post(cookie=cookie, **changes), 403)
    assert refused(studio.sign_out(cookie, **changes), 403)
    assert studio.lets_in(cookie)


def test_no_session_for_a_request_with_two_origins(studio: Production) -> None:
    for origins in ((ORIGIN, "https://evil.example"), ("https://evil.example", ORIGIN), (ORIGIN, ORIGIN)):
        headers = [*from_our_page(Origin=None).items(), *(("Origin", origin) for origin in origins)]
        assert refused(studio.client.post("/session", content=studio.handover(), headers=headers), 403)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "OPTIONS", "TRACE"])
def test_no_session_by_the_method(method: str, studio: Production) -> None:
    """Nor is one ended, nor may a foreign page read or send anything."""
    cookie = studio.cookie()
    headers = from_our_page() | {"Cookie": f"{COOKIE}={cookie}", "X-HTTP-Method-Override": "DELETE"}
    preflight = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "x-studio-session"}
    answer = studio.client.request(method, "/session", headers=headers | preflight, content=studio.handover())
    assert "set-cookie" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert studio.lets_in(cookie)


def test_no_session_by_a_form_of_a_foreign_page(studio: Production) -> None:
    """What a browser sends when a page elsewhere submits a form: its own origin, and no header of ours."""
    headers = from_our_page(X_Studio_Session=None, Origin="https://evil.example", Sec_Fetch_Site="cross-site")
    answer = studio.client.post("/session", data={studio.handover(): ""}, headers=headers)
    assert refused(answer, 403)


def test_the_twenty_first_attempt_in_a_minute_is_turned_away(studio: Production) -> None:
    """The address is the one the proxy in front has seen: what the attacker puts before it counts for nothing."""
    answers = [studio.post("garbage", X_Forwarded_For=f"10.0.0.{at}, 203.0.113.9") for at in range(24)]
    assert [answer.status_code for answer in answers] == [400] * 20 + [429] * 4
    assert refused(answers[-1], 429)
    assert answers[-1].headers["Retry-After"] == "60"
    assert refused(studio.post(studio.handover(), X_Forwarded_For="203.0.113.9"), 429)
    assert studio.post(studio.handover(), X_Forwarded_For="203.0.113.10").status_code == 204


def test_the_twenty_first_answer_of_a_minute_at_the_door_is_told_to_wait(studio: Production) -> None:
    """On the screen, whatever the browser makes of the pop-up; and the button stays, for a minute later."""

    async def answers(count: int) -> list[str]:
        said = []
        async with tab_on(studio.url) as tab:
            tab.url = ORIGIN  # where the button is
            await tab.visit("references")
            for _ in range(count):
                button = next(name for name in reversed(tab.widgets) if re.fullmatch("sign-in-[0-9a-f]{16}", name))
                tab.states[button] = WidgetState(id=tab.widgets[button], json_value='{"code": "c", "state": "s"}')
                drawn = await tab.again()
                tab.states.clear()
                said += drawn.failures()
            assert button not in list(tab.widgets)[-1:], "there is a new button to press"
        return said

    said = asyncio.run(answers(23))
    assert (
        said
        == ["This answer belongs to another sign-in. Sign in again."] * 20
        + ["Too many attempts to sign in: wait a minute, then try again."] * 3
    )


# ---- smuggling


def head(*lines: str, method: str = "POST", path: str = "/session") -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: studio.example", *lines, "", "")).encode("latin-1")


OURS = ("Sec-Fetch-Site: same-origin", "X-Studio-Session: 1", "X-Forwarded-For: 203.0.113.77")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(("Origin: https://studio.example\r\n .evil.example", *OURS), id="a folded origin"),
        pytest.param(("Origin : https://studio.example", *OURS), id="a space before the colon"),
        pytest.param((" Origin: https://studio.example", *OURS), id="a space before the name"),
        pytest.param(("Origin: https://evil.example\nOrigin: https://studio.example", *OURS), id="a bare line feed"),
        pytest.param(("Origin: https://studio.example\x00.evil.example", *OURS), id="a zero byte"),
        pytest.param(("Origin: https://studio.example\xa0", *OURS), id="a space that is none"),
        pytest.param(("X: x\rOrigin: https://studio.example", *OURS), id="a bare carriage return"),
    ],
)
def test_no_session_for_a_head_with(lines: tuple[str, ...], studio: Production) -> None:
    body = studio.handover().encode()
    told = studio.wire(head(*lines, f"Content-Length: {len(body)}", "Connection: close") + body)
    assert re.match(rb"HTTP/1\.1 (400|403) ", told), told[:80]
    assert b"set-cookie" not in told.lower()


@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param(("Content-Length: 5", "Transfer-Encoding: chunked"), id="a length and chunks"),
        pytest.param(("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), id="two encodings"),
        pytest.param(("Transfer-Encoding: xchunked",), id="an unknown encoding"),
        pytest.param(("Transfer-Encoding : chunked",), id="an encoding behind a space"),
        pytest.param(("Content-Length: 5", "Content-Length: 50"), id="two lengths"),
        pytest.param(("Content-Length: +5",), id="a length with a sign"),
        pytest.param(("Content-Length: -5",), id="a negative length"),
    ],
)
def test_no_second_request_is_smuggled_behind_one_with(lengths: tuple[str, ...], studio: Production) -> None:
    """The hidden one would take a picture; neither the first nor the second is answered with one, or a session."""
    hidden = head(method="GET", path=image_url(KEY, studio.etags[KEY], ORIGINAL))
    told = studio.wire(head(f"Origin: {ORIGIN}", *OURS, *lengths) + b"0\r\n\r\n" + hidden)
    statuses = re.findall(rb"HTTP/1\.1 (\d+)", told)
    assert statuses
    assert set(statuses) <= {b"400", b"401", b"403", b"501"}
    assert b"set-cookie" not in told.lower()
    assert PICTURE[:64] not in told


def test_a_request_that_breaks_off_in_the_middle_leaves_no_traceback(studio: Production) -> None:
    """What a client does is no fault of ours, and a thousand of them must not fill the log."""
    address = urlsplit(studio.url)
    for _ in range(5):
        with socket.create_connection((address.hostname, address.port or 0), timeout=10) as line:
            line.sendall(head(f"Origin: {ORIGIN}", *OURS, "Content-Length: 500") + b"half of it")
    cookie = studio.cookie()
    assert studio.lets_in(cookie)
    assert studio.sign_out(cookie).status_code == 204
    assert "Traceback" not in studio.log.read_text("utf-8")


def test_a_head_of_a_hundred_thousand_letters_is_turned_away(studio: Production) -> None:
    told = studio.wire(head(f"Cookie: {COOKIE}={'A' * 100_000}", method="GET", path="/image/320/x/y"))
    assert re.match(rb"HTTP/1\.1 4\d\d ", told)


@pytest.mark.parametrize("header", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix"])
def test_no_picture_by_a_header_that_names_an_open_path(header: str, studio: Production) -> None:
    assert kept_out(studio, {header: "/healthz"})


@pytest.mark.parametrize("prefix", ["/healthz/..", "/session/..", "/oauth/callback/..", "/app/static/..", "/."])
def test_no_picture_by_a_way_around(prefix: str, studio: Production) -> None:
    for way in (prefix, prefix.replace("..", "%2e%2e"), prefix.replace("..", "..;")):
        answer, body = studio.raw("GET", way + image_url(KEY, studio.etags[KEY], ORIGINAL))
        assert answer.status in (400, 401, 404) or answer.getheader("Content-Type", "").startswith("text/html")
        assert PICTURE[:64] not in body


# ---- redirects


@pytest.mark.parametrize(
    "path",
    [
        "/oauth/callback?next=https://evil.example",
        "/oauth/callback?redirect_uri=//evil.example&code=x&state=y",
        "/generate?next=https://evil.example",
        "/generate?//evil.example",
        "/generate//evil.example",
        "/generate/%2f%2fevil.example/",
        "//evil.example",
        "//evil.example/",
        "//evil.example/%2e%2e",
        "///evil.example/",
        "/\\evil.example/",
        "/%5cevil.example/",
        "/%2fevil.example/",
        "/%09//evil.example/",
        "/references/?x=//evil.example",
        "/session/",
        "https://evil.example/",
    ],
)
def test_no_redirect_leaves_the_dashboard_from(path: str, studio: Production) -> None:
    """A Location is a path on this server, whatever was asked and whatever host it was asked of."""
    for headers in ({}, {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        answer, _ = studio.raw("GET", path, headers)
        told = answer.getheader("Location")
        assert told is None or re.match(r"/(?![/\\])", told), told
        assert answer.getheader("Refresh") is None


def test_the_callback_does_nothing_with_what_it_is_given(studio: Production) -> None:
    """Not even to whom is signed in; no script, no echo, nothing kept."""
    answer = studio.client.get(
        "/oauth/callback",
        params={"code": "<script>alert(1)</script>", "state": "kept-state", "error": "kept-error"},
        headers={"Cookie": f"{COOKIE}={studio.cookie()}"},
    )
    studio.secrets += ["kept-state", "kept-error"]
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "kept" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers


# ---- keys

GUESSES = {
    "the list of people": "studio/access.json",
    "somebody's sessions": "studio/sessions/x.json",
    "a thumbnail": "studio/thumbs/320/aa/aa.webp",
    "a record": f"studio/generations/2026/11/22/{COMPARISON}/comparison.json",
    "what is not there": "refs/none.jpg",
    "a climb": "refs/../studio/access.json",
    "a climb out of the bucket": "../../../etc/passwd",
    "an absolute path": "/etc/passwd",
    "a folder": "refs/01. Model/",
    "the bucket": "",
    "a zero byte": f"{KEY}\x00.jpg",
    "another case": KEY.upper(),
    "the settings": ".streamlit/secrets.toml",
    "the source": "core/settings.py",
}


@pytest.mark.parametrize("guess", GUESSES)
def test_no_key_but_a_pictures_is_served_and_all_refusals_are_alike(guess: str, studio: Production) -> None:
    """To somebody who is signed in, and with the object's true etag where there is one."""
    wanted = GUESSES[guess]
    cookie = {"Cookie": f"{COOKIE}={studio.cookie()}"}
    seen = set()
    for etag in (studio.etags.get(wanted, "0" * 32), "0" * 32, "x"):
        for size in (320, 960, ORIGINAL, "0", "1e3"):
            answer = studio.client.get(f"/image/{size}/{etag}/{encode_key(wanted) or 'x'}", headers=cookie)
            seen.add((answer.status_code, answer.text, _telling(answer.headers)))
    ((status, text, _),) = seen
    assert (status, text) == (404, "There is no such picture.")
    other = studio.client.get(image_url("refs/none at all.jpg", "1" * 32), headers=cookie)
    assert _telling(other.headers) == next(iter(seen))[2]


def _telling(headers: httpx.Headers) -> tuple[tuple[str, str], ...]:
    """The headers without those that differ from answer to answer, whatever was asked for."""
    return tuple(sorted((name, value) for name, value in headers.items() if name not in ("date", "x-request-id")))


@pytest.mark.parametrize(
    "path",
    [
        "/image/320/../../app.py",
        "/image/%2e%2e/%2e%2e/app.py",
        "/image/original/x/..%2f..%2f..%2fetc%2fpasswd",
        "/image/original/x/....//....//etc/passwd",
        "/partial/..%2f..%2fapp.py/x",
        "/app/static/..%2f..%2f..%2fapp.py",
        "/app/static/%2e%2e/shell.py",
        "/app/static//etc/passwd",
        "/component/x/..%2f..%2fetc%2fpasswd",
        "/media/..%2f..%2fapp.py",
        "/static/..%2f..%2f..%2fpyvenv.cfg",
        "/.streamlit/secrets.toml",
        "/core/settings.py",
    ],
)
def test_no_file_of_the_server_by(path: str, studio: Production) -> None:
    answer, body = studio.raw("GET", path, {"Cookie": f"{COOKIE}={studio.cookie()}"})
    assert b"import " not in body.split(b"<!--")[0]
    assert b"root:" not in body
    assert answer.status in (400, 404) or answer.getheader("Content-Type", "").startswith("text/html")


# ---- Streamlit's own doors


@contextmanager
def program(studio: Production, cookie: str | None = None) -> Iterator[ClientConnection]:
    """A WebSocket as a program opens it, without an Origin."""
    shown = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
    address = f"ws://{urlsplit(studio.url).netloc}/_stcore/stream"
    with connect(address, additional_headers=shown, subprotocols=[Subprotocol("streamlit")], proxy=None) as line:
        yield line


def test_a_websocket_without_an_origin_comes_from_no_browser_and_gets_what_its_cookie_is_good_for(
    studio: Production,
) -> None:
    """Browsers always send an Origin (RFC 6455 §4.1), so nobody's cookie is sent along unseen: none is the door."""
    for forged in (None, "garbage", studio.cookie(session("mal@studio.example"))):
        with program(studio, forged) as line:
            assert door_only(run(line, "references")[0])
    with program(studio, studio.cookie()) as line:
        assert b"Ada" in run(line, "references")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda name: name or "the root")
def test_a_websocket_without_a_cookie_gets_the_door_of_page(page: str, studio: Production) -> None:
    assert door_only(studio.page(page))


@pytest.mark.parametrize("page", PAGES[1:])
def test_a_page_is_not_run_by_its_scripts_hash(page: str, studio: Production) -> None:
    """Streamlit's client may name a page by a hash that anybody can work out."""
    with studio.websocket() as line:
        for name in (str(REPOSITORY / "pages" / f"{page}.py"), page, f"pages/{page}.py"):
            assert door_only(run(line, script_hash=calc_hash(name))[0])


def test_somebody_elses_streamlit_session_is_not_taken_over_without_a_cookie(studio: Production) -> None:
    """A session's name is all that Streamlit asks for; what it shows is decided anew for whoever comes."""
    with studio.websocket(studio.cookie()) as line:
        told, name = run(line, "references")
        assert b"Ada" in told
    with studio.websocket(resume=name) as line:
        assert door_only(run(line, "references")[0])


def test_an_open_page_closes_at_its_next_run_after_the_sign_out(studio: Production) -> None:
    """The WebSocket keeps the cookies it was opened with."""
    cookie = studio.cookie()
    with studio.websocket(cookie) as line:
        assert b"Ada" in run(line, "references")[0]
        assert studio.sign_out(cookie).status_code == 204
        assert door_only(run(line, "references")[0])


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://sub.studio.example",
        "https://studio.example.evil.example",
        "http://127.0.0.1.evil.example",
        "file://",
    ],
)
def test_a_websocket_of_a_foreign_page_is_not_even_accepted(origin: str, studio: Production) -> None:
    """With the person's own cookie, as their browser would send it along."""
    with pytest.raises(InvalidStatus) as turned_away, studio.websocket(studio.cookie(), origin=origin):
        pass
    assert turned_away.value.response.status_code == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_stcore/health"),
        ("GET", "/_stcore/host-config"),
        ("GET", "/_stcore/metrics"),
        ("GET", "/_stcore/script-health-check"),
        ("GET", "/_stcore/stream"),
        ("GET", "/_stcore/upload_file/x/y"),
        ("GET", "/media/0123456789abcdef.jpg"),
        ("GET", "/component/x/index.html"),
        ("GET", "/_stcore/bidi-components/x/y.js"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/"),
    ],
)
def test_nothing_of_the_studio_is_told_to_a_stranger_by(method: str, path: str, studio: Production) -> None:
    answer = studio.client.request(method, path)
    told = answer.content + str(answer.headers).encode()
    assert not [secret for secret in (*TOLD_BY_PAGES, studio.s3.bucket.encode(), b"ada@") if secret in told]
    assert "set-cookie" not in answer.headers or COOKIE not in answer.headers["set-cookie"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_no_upload_without_a_session_of_streamlits(method: str, studio: Production) -> None:
    for token_of_theirs in ({}, {"X-Xsrftoken": "x", "Cookie": "_streamlit_xsrf=x"}):
        answer = studio.client.request(
            method, "/_stcore/upload_file/x/y", files={"file": b"x" * 100}, headers=token_of_theirs
        )
        assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    "path", ["/_stcore/agent/mcp", "/_stcore/agent", "/_stcore/agent/run", "/references/_stcore/agent/mcp"]
)
def test_the_agent_api_is_off_at(path: str, studio: Production) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    answer = studio.client.post(path, json=asked, headers={"Accept": "application/json, text/event-stream"})
    assert 400 <= answer.status_code < 500
    assert b'"result"' not in answer.content


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout", "/oauth2callback?code=x&state=y"])
def test_streamlits_own_sign_in_lets_nobody_in_at(path: str, studio: Production) -> None:
    answer = studio.client.get(path)
    assert COOKIE not in answer.headers.get("set-cookie", "")
    assert answer.headers.get("location", "/") == "/"


def test_a_session_of_streamlits_own_sign_in_is_none_of_ours(studio: Production) -> None:
    """Its signed user cookie says nothing here."""
    user = URLSafeSerializer(SECRET, salt="_streamlit_user").dumps(
        {"is_logged_in": True, "email": "ada@studio.example"}
    )
    assert kept_out(studio, {"Cookie": f"_streamlit_user={user}"})


# ---- what is left behind


@pytest.mark.parametrize("path", ["/", "/references", "/session", "/oauth/callback", "/healthz", "/image/320/x/y"])
def test_every_answer_tells_the_browser_to_be_careful(path: str, studio: Production) -> None:
    headers = studio.client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert "frame-ancestors" in headers["Content-Security-Policy"] or "sandbox" in headers["Content-Security-Policy"]
    assert "access-control-allow-origin" not in headers


def test_the_log_of_all_this_tells_no_secret(studio: Production) -> None:
    """No secret, cookie, hand-over or token, in whole or in its signature. Stands last, after all the others."""
    log = studio.log.read_text("utf-8")
    assert "sign_in_refused" in log or "session_request_refused" in log or len(studio.secrets) == 2
    for secret in studio.secrets:
        for part in (secret, secret.rsplit(".", 1)[-1]):
            assert len(part) < 8 or part not in log
