"""nginx in front of two replicas on one S3, with the configuration as it is in deploy/."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from bench.sessions import session
from core.settings import Settings
from core.storage.embedded.server import EmbeddedS3
from core.web.http.addresses import image_url
from core.web.sockets import limits
from tests.support.ports import own_port
from tests.support.processes.programs import ROOT, running
from tests.support.processes.servers import Server, serving
from tests.support.timeouts import LONG_S, until

CONFIGURATION = ROOT / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
KEY = "refs/02. Tone/noir/desk.jpg"
ETAG = hashlib.md5((ROOT / "samples" / KEY).read_bytes(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Site:
    """The running site, and what stands behind it."""

    url: str
    trust: ssl.SSLContext
    replicas: tuple[Server, Server]

    def browser(self) -> httpx.Client:
        """Somebody's browser: cookies of its own."""
        return httpx.Client(base_url=self.url, verify=self.trust, timeout=LONG_S)

    def replica_of(self, browser: httpx.Client) -> int:
        """Which replica answers: each counts its own requests."""
        before = [self._served(replica) for replica in self.replicas]
        browser.get("/image/nothing-of-this-name")
        after = [self._served(replica) for replica in self.replicas]
        (which,) = [nth for nth, (was, is_now) in enumerate(zip(before, after, strict=True)) if is_now > was]
        return which

    @staticmethod
    def _served(replica: Server) -> float:
        return replica.metric('studio_request_seconds_count{route="/image",status="404"}') or 0.0


def filled_in(folder: Path, ports: tuple[int, int], listen: int) -> str:
    """The configuration as an operator fills it in, and on ports that need no root."""
    text = CONFIGURATION.read_text("utf-8")
    for was, becomes in (
        ("127.0.0.1:8501", f"127.0.0.1:{ports[0]}"),
        ("127.0.0.1:8502", f"127.0.0.1:{ports[1]}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{listen} ssl"),
        ("    listen [::]:443 ssl http2;\n", ""),
        ("listen 80;", f"listen 127.0.0.1:{own_port()};"),
        ("    listen [::]:80;\n", ""),
        ("/etc/ssl/studio", str(folder)),
        ("/var/log/nginx", str(folder)),
        ("studio.example", "localhost"),
        ("proxy_set_header Host $host;", "proxy_set_header Host $http_host;"),  # with the port, which is not 443 here
    ):
        assert was in text, was
        text = text.replace(was, becomes)
    return text


@contextmanager
def nginx_before(folder: Path, ports: tuple[int, int]) -> Iterator[tuple[str, ssl.SSLContext]]:
    """nginx as deploy/ has it, in front of these two ports: its address, and what trusts it."""
    authority, trust = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trust)
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(str(folder / "privkey.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "fullchain.pem"))
    listen = own_port()
    (folder / "site.conf").write_text(filled_in(folder, ports, listen), "utf-8")
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\n"
        f"events {{ worker_connections 256; }}\nhttp {{\n"
        + "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"include {folder}/site.conf;\n}}\n",
        "utf-8",
    )
    url = f"https://localhost:{listen}"
    command = [NGINX, "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    with running(command, folder / "nginx.txt", os.environ) as nginx:
        until(lambda: nginx.process.poll() is not None or httpx.get(url, verify=trust), "nginx answers")
        yield url, trust


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, data = tmp_path_factory.mktemp("nginx"), tmp_path_factory.mktemp("s3")
    owner = EmbeddedS3.open(data, ROOT / "samples" / "refs")  # one S3, of neither replica
    settings = {"DATA_DIR": str(data)}
    with (
        serving(folder / "one", settings, forked=True) as one,
        serving(folder / "two", settings, forked=True) as two,
    ):
        one.ready()
        two.ready()
        with nginx_before(folder, (one.port, two.port)) as (url, trust):
            yield Site(url, trust, (one, two))
    owner.close()


def test_googles_code_stands_in_no_log_and_no_query_in_the_log_of_requests(tmp_path: Path) -> None:
    """Nobody stands behind this nginx, so it complains of every request as well."""
    with nginx_before(tmp_path, (own_port(), own_port())) as (url, trust):
        asked = ("/oauth/callback?code=4%2F0Akept&state=kept-state", "/references?q=kept-search")
        for path in asked:
            answer = httpx.get(url + path, verify=trust, headers={"Referer": f"{url}/?q=kept-referer"})
            assert answer.status_code == 502
    logs = {file.name: file.read_text("utf-8") for file in tmp_path.glob("*.log")}
    assert '"GET /oauth/callback HTTP/1.1" 502' in logs["studio.log"]
    assert '"GET /references HTTP/1.1" 502' in logs["studio.log"]
    assert "kept" not in logs["studio.log"]
    assert not [line for line in "\n".join(logs.values()).splitlines() if "oauth" in line and "kept" in line]


def test_a_picture_goes_through_byte_for_byte(site: Site) -> None:
    with site.browser() as browser:
        original = browser.get(image_url(KEY, ETAG, "original"))
        assert original.content == (ROOT / "samples" / KEY).read_bytes()
        assert browser.get(image_url(KEY, ETAG)).headers["content-type"] == "image/webp"
        assert len(original.headers["x-request-id"]) == 32, "nginx's request id is the dashboard's"


def test_browsers_are_told_once_to_come_over_tls_by_whoever_answers(site: Site) -> None:
    """The dashboard says so itself where nothing stands in front; nginx says it of its own answers, too."""
    with site.browser() as browser:
        for path, status in (("/", 200), ("/healthz", 200), ("/image/nothing", 404), (f"/{'x' * 20_000}", 414)):
            answer = browser.get(path)
            assert answer.status_code == status
            assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000"], path


def test_a_browser_stays_with_its_replica_and_browsers_are_spread(site: Site) -> None:
    found = []
    for _ in range(12):
        with site.browser() as browser:
            browser.get("/healthz")
            assert browser.cookies["studio_replica"]
            assert len({site.replica_of(browser) for _ in range(3)}) == 1
            found.append(site.replica_of(browser))
    assert set(found) == {0, 1}


def test_a_session_works_over_the_websocket_on_the_replica_of_its_browser(site: Site) -> None:
    """Page, typing and a press of Generate, all within one process, through TLS."""

    async def work(cookie: str) -> str:
        async with session(site.url, headers={"Cookie": f"studio_replica={cookie}"}, ssl=site.trust) as tab:
            drawn = await tab.visit()
            assert "Nothing planned yet" in drawn.texts()
            await tab.type_prompt("Ada in a linen shirt, cinematic, three-quarter view")
            drawn = await tab.click("Generate")
            assert drawn.failures() == []
            return tab.query

    for _ in range(2):
        with site.browser() as browser:
            browser.get("/healthz")
            which, before = site.replica_of(browser), [len(each.events("comparison_ordered")) for each in site.replicas]
            assert "comparison=" in asyncio.run(work(browser.cookies["studio_replica"]))
        until(lambda b=before: [len(e.events("comparison_ordered")) for e in site.replicas] != b, "it was ordered")
        after = [len(each.events("comparison_ordered")) for each in site.replicas]
        assert [now - was for now, was in zip(after, before, strict=True)] == [int(nth == which) for nth in range(2)]


def test_a_websocket_of_another_origin_is_turned_away(site: Site) -> None:
    where = urlsplit(site.url)
    with site.browser() as browser:
        answer = browser.get(
            "/_stcore/stream",
            headers={
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                "Origin": f"https://evil.example:{where.port}",
            },
        )
        assert answer.status_code == 403


def test_what_is_too_large_is_refused_before_it_arrives(site: Site) -> None:
    with site.browser() as browser:
        assert browser.post("/healthz", content=b"x" * (2 * 1024 * 1024 + 1)).status_code == 413
        assert browser.post("/healthz", content=b"x" * 1024).status_code == 405


def test_figures_and_reasons_are_not_for_those_who_come_through_the_proxy(site: Site) -> None:
    """The proxy stands on loopback; whoever comes through it does not, whatever headers they send."""
    for headers in ({}, {"X-Forwarded-For": "127.0.0.1"}, {"Host": "localhost", "X-Real-IP": "127.0.0.1"}):
        with site.browser() as browser:
            assert browser.get("/metrics", headers=headers).status_code == 401
            assert "checks" not in browser.get("/readyz", headers=headers).json()


def test_a_long_key_fits_into_the_request_line(site: Site) -> None:
    with site.browser() as browser:
        answer = browser.get(image_url("refs/" + "가" * 339 + ".jpg", "0" * 32, "original"))
        assert answer.status_code == 404
        assert answer.text == "There is no such picture."


def test_time_outs_are_longer_than_the_deadline_and_nothing_is_sent_twice() -> None:
    text = CONFIGURATION.read_text("utf-8")
    timeouts = [int(found) for found in re.findall(r"proxy_(?:read|send)_timeout (\d+)s;", text)]
    assert timeouts
    assert min(timeouts) > Settings().generation_deadline_s
    assert re.findall(r"proxy_next_upstream (\w+);", text) == ["off"]
    (buffer_kib,) = re.findall(r"proxy_buffer_size (\d+)k;", text)
    assert int(buffer_kib) * 1024 > 4 * 3_500, "a redirect to a presigned URL must fit"


def test_nginx_counts_strangers_sockets_by_the_dashboards_own_numbers() -> None:
    """Above what the dashboard itself holds of one address, nginx refuses; so many at once, it does not slow down."""
    text = CONFIGURATION.read_text("utf-8")
    assert re.findall(r"limit_conn studio_sockets (\d+);", text) == [
        str(limits.STRANGERS_AN_ADDRESS + limits.AT_THE_DOOR)
    ]
    assert re.findall(r"zone=studio_handshakes:\w+ rate=(\d+)r/s;", text) == [f"{limits.HANDSHAKES_PER_S:.0f}"]
    assert re.findall(r"burst=(\d+) delay=(\d+);", text) == [
        (str(2 * limits.HANDSHAKES_BURST), str(limits.HANDSHAKES_BURST))
    ]
    assert re.findall(r"client_(?:header|body)_timeout (\d+)s;", text) == [f"{limits.REQUEST_S:.0f}"] * 2
    assert Settings(s3_bucket="studio", public_url="https://studio.example").cookie_name == "__Host-studio"
    assert '"~(^|; ?)__Host-studio="' in text


def test_a_dead_replica_is_a_clear_failure_once_and_then_left_out(site: Site) -> None:
    """Last of all: it kills one of the two. Nobody's request is repeated; soon everybody lands on the other."""
    with site.browser() as browser:
        browser.get("/healthz")
        which = site.replica_of(browser)
        site.replicas[which].process.kill()
        site.replicas[which].process.wait(LONG_S)
        statuses = [browser.get("/healthz").status_code for _ in range(6)]
    assert statuses[0] == 502
    assert statuses[-1] == 200
    assert statuses.count(502) <= 2
