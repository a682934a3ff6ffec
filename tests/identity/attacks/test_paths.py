"""Attacks by address: no foreign redirect, no key but a picture's, no file of the server."""

from __future__ import annotations

import re

import httpx
import pytest

from core.references.key import encode_key
from core.web.http.addresses import ORIGINAL, image_url
from tests.identity.attacks.forgeries import COMPARISON
from tests.support.dashboards.production import COOKIE, KEY, Production


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


@pytest.mark.parametrize("path", ["/", "/references", "/session", "/oauth/callback", "/healthz", "/image/320/x/y"])
def test_every_answer_tells_the_browser_to_be_careful(path: str, studio: Production) -> None:
    headers = studio.client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert "frame-ancestors" in headers["Content-Security-Policy"] or "sandbox" in headers["Content-Security-Policy"]
    assert "unsafe-eval" not in headers["Content-Security-Policy"]
    assert "access-control-allow-origin" not in headers
