"""Attacks on what Streamlit serves itself: WebSockets, uploads, its agent API and its own sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from itsdangerous import URLSafeSerializer
from streamlit.util import calc_hash
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.identity.attacks.forgeries import TOLD_BY_PAGES, door_only, kept_out
from tests.support.dashboards.production import COOKIE, PAGES, SECRET, Production, run, session
from tests.support.processes.programs import ROOT


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
    """Browsers always send an Origin (RFC 6455 §4.1), so nobody's cookie is sent along unseen: none is let in."""
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
        for name in (str(ROOT / "pages" / f"{page}.py"), page, f"pages/{page}.py"):
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
