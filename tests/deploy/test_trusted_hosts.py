"""The demo's names: what asks nobody who they are answers to this machine alone, however a request got here."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.web.http.trusted_hosts import is_trusted_host
from tests.support.processes.servers import Server, serving
from tests.support.timeouts import LONG_S

REBOUND = (
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil-localhost",
    "localhost@evil.example",
)
OWN = ("localhost", "127.0.0.1", "[::1]", "demo.localhost", "10.0.0.7", "demo.studio.example")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    told = {"STREAMLIT_BROWSER_SERVER_ADDRESS": "demo.studio.example"}
    with serving(tmp_path_factory.mktemp("names"), told, forked=True) as running:
        running.ready()
        yield running


def handshake(server: Server, host: str) -> int:
    """The status of a WebSocket that a page of this host opens, to the very name it was loaded from."""
    headers = {
        "Host": host,
        "Origin": f"http://{host}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "streamlit",
    }
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONG_S)) as connection:
        connection.request("GET", "/_stcore/stream", headers=headers)
        return connection.getresponse().status


@pytest.mark.parametrize("name", REBOUND)
def test_a_page_whose_name_was_led_here_gets_nothing(name: str, server: Server) -> None:
    host = f"{name}:{server.port}"
    for path in ("/", "/references", "/image/320/e/k", "/_stcore/health", "/session"):
        answer = server.get(path, Host=host)
        assert answer.status_code == 421
        assert "open it as http://localhost" in answer.text
    assert handshake(server, host) == 403


@pytest.mark.parametrize("name", OWN)
def test_under_its_own_names_and_the_one_it_was_told_the_demo_serves(name: str, server: Server) -> None:
    host = f"{name}:{server.port}"
    assert server.get("/", Host=host).status_code == 200
    assert handshake(server, host) == 101


def test_what_guards_itself_answers_a_probe_under_any_name(server: Server) -> None:
    assert server.get("/healthz", Host="studio.example").json() == {"status": "ok"}
    assert server.get("/readyz", Host="studio.example").status_code == 200
    assert server.get("/metrics", Host="studio.example").status_code == 401


@given(st.from_regex(r"[a-zA-Z0-9.:@\[\]-]{0,40}\.example(:\d{1,5})?", fullmatch=True))
def test_no_name_below_a_public_domain_is_ever_the_demos_own(host: str) -> None:
    assert not is_trusted_host(host)
