"""Attacks on what is there for operators and for Streamlit's own page: figures, reasons, and whom a page listens to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Frame, Route, expect
from starlette.testclient import TestClient
from streamlit.web.server.starlette.starlette_routes import create_host_config_routes

from tests.support.browser.chromium import PATIENCE_MS, chromium
from tests.support.dashboards.production import METRICS_TOKEN, Production, production
from tests.support.tcp_proxy import tcp_proxy
from tests.support.timeouts import LONG_S

TRUSTED_BY_STREAMLIT = "https://anybody.streamlit.app"
OWN_HOSTS = ("localhost", "127.0.0.1", "[::1]", "localhost:8501")


@pytest.fixture(scope="module")
def tokenless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """A production whose operator has set no token, and told Streamlit to listen to others."""
    told = {"METRICS_TOKEN": "", "STREAMLIT_CLIENT_ALLOWED_ORIGINS": TRUSTED_BY_STREAMLIT}
    with production(tmp_path_factory.mktemp("tokenless"), told) as running:
        yield running


@contextmanager
def relayed(studio: Production) -> Iterator[str]:
    """The address of a relay that passes bytes on and says nothing of it: everybody comes from this machine."""
    with tcp_proxy(studio.url) as relay:
        yield relay.url


def told(url: str, path: str, **headers: str) -> tuple[int, str]:
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=LONG_S)) as line:
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        return answer.status, answer.read().decode()


@pytest.mark.parametrize("host", OWN_HOSTS)
def test_no_figures_and_reasons_through_a_bare_relay_under_a_name_of_this_machine(
    host: str, studio: Production, tokenless: Production
) -> None:
    for server in (studio, tokenless):
        with relayed(server) as relay:
            for url in (relay, server.url):
                status, text = told(url, "/metrics", Host=host)
                assert (status, "studio_ready" in text) == (401, False)
                status, text = told(url, "/readyz", Host=host)
                assert (status, json.loads(text)["ready"], "checks" in json.loads(text)) == (200, True, False)
                assert told(url, "/healthz", Host=host)[0] == 200


def test_the_token_reads_them_from_anywhere(studio: Production) -> None:
    shown = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    with relayed(studio) as relay:
        assert "studio_ready" in told(relay, "/metrics", Host="studio.example", **shown)[1]
        assert "checks" in told(relay, "/readyz", Host="studio.example", **shown)[1]


@pytest.mark.parametrize("shown", ["", "None", "null", '""'])
def test_no_token_is_not_a_token(shown: str, tokenless: Production) -> None:
    for scheme in ("Bearer", "Bearer ", "bearer "):
        assert told(tokenless.url, "/metrics", Host="localhost", Authorization=f"{scheme}{shown}")[0] == 401


def test_a_page_is_told_to_listen_to_nobody(studio: Production, tokenless: Production) -> None:
    """Whatever Streamlit is told; and it finds every field that Streamlit's own answer has."""
    for server in (studio, tokenless):
        for origin in (TRUSTED_BY_STREAMLIT, "http://localhost:3000"):
            answer = server.client.get("/_stcore/host-config", headers={"Origin": origin})
            assert answer.json()["allowedOrigins"] == []
            assert answer.json()["useExternalAuthToken"] is False
            assert answer.json()["enableCustomParentMessages"] is False
            assert not [name for name in answer.headers if name.startswith("access-control-")]
    (own,) = create_host_config_routes(None)
    assert TestClient(own).get("/_stcore/host-config").json().keys() == answer.json().keys()


@pytest.mark.browser
def test_a_page_obeys_no_frame_around_it_that_streamlit_would_trust(studio: Production) -> None:
    """Even where a browser let it be framed: what forbids that is taken off here."""
    order = {"stCommVersion": 1, "type": "UPDATE_HASH", "hash": "obeyed"}
    around = f"""<!doctype html><iframe src="{studio.url}/" width="900" height="700"></iframe><script>
      setInterval(() => frames[0].postMessage({json.dumps(order)}, "*"), 50);</script>"""

    def unguarded(route: Route) -> None:
        answer = route.fetch()
        kept = {n: v for n, v in answer.headers.items() if n not in ("x-frame-options", "content-security-policy")}
        route.fulfill(response=answer, headers=kept)

    with chromium() as browser, closing(browser.new_context()) as context:
        context.set_default_timeout(PATIENCE_MS)
        context.grant_permissions(["local-network-access"])  # the server is on this machine
        page = context.new_page()
        page.route(f"{TRUSTED_BY_STREAMLIT}/**", lambda route: route.fulfill(body=around, content_type="text/html"))
        page.route(f"{studio.url}/", unguarded)
        page.goto(f"{TRUSTED_BY_STREAMLIT}/")
        frame: Frame = page.frames[1]
        app = '[data-testid="stApp"][data-test-script-state="notRunning"]'
        frame.wait_for_selector(app)
        expect(frame.get_by_role("main")).to_contain_text("Studio")
        frame.evaluate("() => new Promise((heard) => { let n = 0; onmessage = () => ++n === 5 && heard(); })")
        assert frame.evaluate("() => location.hash") == ""
