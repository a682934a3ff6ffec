"""Attacks by number on the WebSocket: floods of sockets, messages and bytes by strangers, while people work.

What has to do with time stands in the slow lane; here it is looked at who is closed, who is not, and what is told.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.sessions import session as tab
from core.logs.refusals import WINDOW_S
from core.web.http.addresses import image_url
from core.web.sockets import limits
from tests.deploy.test_nginx import nginx_before
from tests.identity.attacks.forgeries import door_only
from tests.support.dashboards.production import COOKIE, KEY, Production, run
from tests.support.processes.programs import TRUSTS_NOBODY
from tests.support.timeouts import LONG_S, until

FLOOD = Path(__file__).with_name("flood.py")
MOST_MORE_MB = 100
# kind of flood: why its sockets are closed
FLOODS = {
    "reruns": "too many messages",
    "large-messages": "message too large",
    "unfinished-messages": "message too large",
    "pings": "too many messages",
    "fragments": "too many messages",
    "texts": "not a message",
    "garbage": "not a message",
}


@contextmanager
def flood(url: str, kind: str, sockets: int, seconds: float, address: str = "") -> Iterator[subprocess.Popen[str]]:
    """A process that attacks; what it has seen comes on its standard output in the end."""
    command = [sys.executable, str(FLOOD), url, kind, str(sockets), str(seconds)]
    with subprocess.Popen(command, env={**os.environ, "FLOOD_ADDRESS": address}, stdout=-1, text=True) as attacker:
        try:
            yield attacker
        finally:
            attacker.kill()


def seen_by(attacker: subprocess.Popen[str]) -> dict[str, int]:
    told: dict[str, int] = json.loads(attacker.communicate(timeout=LONG_S)[0])
    return told


@contextmanager
def stranger(studio: Production, address: str, cookie: str = "") -> Iterator[ClientConnection]:
    """A WebSocket from an address, as a proxy on this machine vouches for it."""
    said = {"X-Forwarded-For": address} | ({"Cookie": f"{COOKIE}={cookie}"} if cookie else {})
    where = f"ws://{urlsplit(studio.url).netloc}/_stcore/stream"
    protocols = [Subprotocol("streamlit")]
    with connect(where, additional_headers=said, subprotocols=protocols, proxy=None, open_timeout=LONG_S) as line:
        yield line


def closed_with(line: ClientConnection) -> int:
    """The code that the server closes with, whatever it says before."""
    try:
        while True:
            line.recv(timeout=LONG_S)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


def rerun(*states: str) -> bytes:
    """A rerun with values for widgets that no page has."""
    said = BackMsg()
    said.rerun_script.context_info.url = "https://studio.example/"
    for nth, value in enumerate(states):
        said.rerun_script.widget_states.widgets.add(id=f"$$ID-{nth}-nobody", string_value=value)
    return said.SerializeToString()


def metric(studio: Production, name: str) -> float:
    found = [line for line in studio.figures().splitlines() if line.startswith(f"{name} ")]
    return float(found[0].rsplit(" ", 1)[1]) if found else 0.0


def refused(studio: Production, why: str) -> float:
    return metric(studio, f'studio_refusals_total{{event="websocket_refused",reason="{why}"}}')


def memory_mb(studio: Production) -> float:
    """What the server's process holds of the machine's memory."""
    return float(psutil.Process(studio.pid).memory_info().rss / 1e6)


def lines_of(studio: Production, address: str) -> list[dict[str, object]]:
    lines = studio.log.read_text("utf-8").splitlines()
    return [line for line in map(json.loads, filter(_is_json, lines)) if line.get("source") == address]


def _is_json(line: str) -> bool:
    return line.startswith("{")


@pytest.mark.parametrize(("number", "kind"), [*enumerate(FLOODS)], ids=FLOODS)
def test_a_flood_of(number: int, kind: str, studio: Production) -> None:
    """Who floods is closed, ever later let in, counted and told of in one line; who is signed in works on beside it."""
    address, why = f"203.0.113.{number + 1}", FLOODS[kind]
    cookie, before, before_mb, began = studio.cookie(), refused(studio, why), memory_mb(studio), time.monotonic()
    with stranger(studio, address, cookie) as colleague:  # signed in, behind the same address
        assert b"Ada" in run(colleague, "references")[0]
        with flood(studio.url, kind, 6, LONG_S, address):
            until(lambda: refused(studio, why) >= before + 6, "as many were closed as there are")
            assert b"Ada" in run(colleague, "references")[0]
            assert studio.lets_in(cookie)
        assert b"Ada" in run(colleague, "references")[0]
    assert memory_mb(studio) - before_mb < MOST_MORE_MB
    told = [line["reason"] for line in lines_of(studio, address)]
    assert set(told) == {why}
    assert len(told) <= 1 + (time.monotonic() - began) / WINDOW_S
    assert "Traceback" not in studio.log.read_text("utf-8")
    assert metric(studio, "studio_incidents_total") == 0


def test_strangers_wait_behind_an_address_that_floods_and_people_who_are_signed_in_do_not(studio: Production) -> None:
    address = "203.0.113.50"
    with flood(studio.url, "texts", 6, 60.0, address):
        until(lambda: len(lines_of(studio, address)) > 0, "it was refused")
        with stranger(studio, address) as line:  # comes in, though later
            assert door_only(run(line, "references")[0])
        with stranger(studio, address, studio.cookie()) as line:
            assert b"Ada" in run(line, "references")[0]


@pytest.mark.parametrize(("size", "code"), [(limits.STRANGER.message_bytes - 200, None), (70_000, 1009)])
def test_a_strangers_message_has_64_kb_at_most(size: int, code: int | None, studio: Production) -> None:
    with stranger(studio, "203.0.113.51") as line:
        line.send(rerun("x" * size))
        if code:
            assert closed_with(line) == code
        else:
            assert door_only(run(line)[0])


def test_a_stranger_leaves_one_sessions_worth_of_state(studio: Production) -> None:
    with stranger(studio, "203.0.113.52") as line:
        for _ in range(limits.STRANGER_BYTES // 60_000 + 1):
            line.send(rerun("x" * 60_000))
        assert closed_with(line) == 1008
    with stranger(studio, "203.0.113.53") as line:
        line.send(rerun(*"x" * (limits.STRANGER_WIDGETS + 1)))
        assert closed_with(line) == 1008


@pytest.mark.parametrize(
    "kind",
    ["clear_cache", "debug_disconnect_websocket", "debug_shutdown_runtime", "set_run_on_save", "load_git_info"],
)
def test_what_no_page_of_ours_says_closes_the_socket_by(kind: str, studio: Production) -> None:
    """Streamlit's own client can do more than its pages: empty everybody's caches, for one."""
    for cookie in ("", studio.cookie()):
        with stranger(studio, "203.0.113.54", cookie) as line:
            line.send(BackMsg(**{kind: True}).SerializeToString())
            assert closed_with(line) == 1002


def test_somebody_signed_in_who_sends_too_fast_is_slowed_down_and_loses_nothing(studio: Production) -> None:
    """500 reruns at once, which is no person: the last is answered, and everybody else meanwhile."""
    with stranger(studio, "203.0.113.55", studio.cookie()) as line:
        run(line, "references")
        for _ in range(500):
            line.send(rerun())
        assert studio.client.get("/healthz").status_code == 200
        until(lambda: b"Ada" in run(line, "references")[0], "the last is answered, behind those that it cut short")


def test_of_too_many_strangers_sockets_the_oldest_goes_and_no_known_one(studio: Production) -> None:
    address = "203.0.113.56"
    with ExitStack() as lines:
        colleague = lines.enter_context(stranger(studio, address, studio.cookie()))
        oldest, *_ = [lines.enter_context(stranger(studio, address)) for _ in range(limits.STRANGERS_AN_ADDRESS + 1)]
        assert closed_with(oldest) == 1013
        assert b"Ada" in run(colleague, "references")[0]


def test_requests_that_never_end_leave_room_for_those_that_do(studio: Production) -> None:
    """Of half a request on each of more connections than are kept waiting, the oldest are given up."""
    with flood(studio.url, "unfinished-requests", limits.INCOMPLETE_REQUESTS + 20, 4.0) as attacker:
        seen = seen_by(attacker)
        assert studio.lets_in(studio.cookie())
    assert seen["closed"] >= 20


@dataclass
class Person:
    """Somebody signed in who looks at pictures and draws a page again and again; `seconds` is how long each took."""

    url: str
    cookie: str
    picture: str
    trust: SSLContext | None
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"picture": [], "rerun": []})
    _is_leaving: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Until the block ends."""
        work = [threading.Thread(target=each) for each in (self._look, lambda: asyncio.run(self._draw()))]
        for each in work:
            each.start()
        try:
            yield
        finally:
            self._is_leaving.set()
            for each in work:
                each.join(LONG_S)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.cookie}"}

    def _look(self) -> None:
        while not self._is_leaving.wait(0.2):
            with httpx.Client(base_url=self.url, timeout=LONG_S, verify=self.trust or TRUSTS_NOBODY) as browser:
                began = time.perf_counter()
                assert browser.get(self.picture, headers=self._headers).status_code == 200
                self.seconds["picture"].append(time.perf_counter() - began)

    async def _draw(self) -> None:
        async with tab(self.url, headers=self._headers, ssl=self.trust, patience_s=0) as page:
            await page.visit("references")
            while not self._is_leaving.is_set():
                self.seconds["rerun"].append((await page.again()).seconds)
                await asyncio.sleep(0.2)


def p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)]


@pytest.mark.soak
@pytest.mark.timeout(240)
@pytest.mark.parametrize("way", ["directly", "through nginx"])
@pytest.mark.parametrize(
    "kinds",
    [
        {"reruns": 20},
        {"large-messages": 10, "unfinished-messages": 10},
        {"reconnecting": 10, "flapping": 10},
        {"never-reading": 20},
        {"reruns": 5, "pings": 5, "fragments": 5, "large-messages": 5},
    ],
    ids="+".join,
)
def test_twenty_sockets_that_send_as_fast_as_they_can_slow_nobody_down(
    kinds: dict[str, int], way: str, studio: Production, tmp_path: Path
) -> None:
    """For a minute; the picture and the rerun of somebody signed in take at most a second (95th percentile)."""
    port = urlsplit(studio.url).port or 0
    with ExitStack() as running:
        url, trust = studio.url, None
        if way == "through nginx":
            url, trust = running.enter_context(nginx_before(tmp_path, (port, port)))
        person = Person(url, studio.cookie(), image_url(KEY, studio.etags[KEY]), trust)
        studio.lets_in(person.cookie)
        before_mb = memory_mb(studio)
        running.enter_context(person.at_work())
        until(lambda: person.seconds["rerun"] and person.seconds["picture"], "the person is at work")
        for seconds in person.seconds.values():
            seconds.clear()
        attackers = [running.enter_context(flood(url, kind, many, 60.0)) for kind, many in kinds.items()]
        most_mb = before_mb
        while any(attacker.poll() is None for attacker in attackers):
            most_mb = max(most_mb, memory_mb(studio))
            time.sleep(0.5)
        took = {what: p95(seconds) for what, seconds in person.seconds.items()}
    print(f"{kinds} {way}: p95 {took}, memory {before_mb:.0f}, at most {most_mb:.0f}, then {memory_mb(studio):.0f} MB")
    assert max(took.values()) <= 1.0, took
    assert most_mb - before_mb <= MOST_MORE_MB
    until(lambda: memory_mb(studio) - before_mb <= MOST_MORE_MB / 2, "what was taken comes back")
    assert "Traceback" not in studio.log.read_text("utf-8")
