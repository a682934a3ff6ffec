"""Attacks by the grammar of HTTP: no second request, no way around a path."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

import pytest

from core.web.http.addresses import ORIGINAL, image_url
from tests.identity.attacks.forgeries import kept_out
from tests.support.dashboards.production import COOKIE, KEY, ORIGIN, PICTURE, Production
from tests.support.timeouts import LONG_S


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
    body = studio.login_token().encode()
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
        with socket.create_connection((address.hostname, address.port or 0), timeout=LONG_S) as line:
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
