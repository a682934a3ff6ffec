"""A stop ends in time, whatever is connected and however often it is told; what runs is recorded first."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bench.lingering import half_requests, large_picture, slow_readers, spare_connections, web_sockets
from bench.stops import MARGIN_S, at_work
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Fault
from tests.support.browser.chromium import chromium
from tests.support.processes.servers import Server, serving
from tests.support.timeouts import LONG_S

STOP_S = 0.5


@pytest.fixture(scope="module")
def openai() -> Iterator[FakeOpenAI]:
    """Its pictures never get further than a stream of partials."""
    with FakeOpenAI(default=Behaviour(Fault.TRICKLE)).serving() as fake:
        yield fake


@pytest.fixture
def server(openai: FakeOpenAI, tmp_path: Path) -> Iterator[Server]:
    environment = {
        "DEMO_TOKEN": "off",
        "OPENAI_API_KEY": "sk-fake-key-of-a-test",
        "OPENAI_BASE_URL": openai.base_url,
        "OPENAI_STREAMING": "on",
        "GENERATION_STOP_S": str(STOP_S),
    }
    with serving(tmp_path, environment) as started:
        started.ready()
        yield started


def stopped(server: Server, *signals: signal.Signals) -> int:
    """Send the signals, and let the process end; its exit code. It must be over in time."""
    began = time.monotonic()
    for each in signals:
        server.process.send_signal(each)
    code = server.process.wait(LONG_S)
    assert time.monotonic() - began <= STOP_S + MARGIN_S, server.log
    return code


def moments(server: Server, event: str) -> list[datetime]:
    return [datetime.fromisoformat(each["timestamp"]) for each in server.events(event)]


def check_what_was_recorded(server: Server) -> None:
    """Both sides as interrupted, when their time was over and before anything else was closed."""
    (told,), (closed,) = moments(server, "server_stopping"), moments(server, "server_stopped")
    ended = moments(server, "side_ended")
    assert [each["phase"] for each in server.events("side_ended")] == ["interrupted", "interrupted"]
    assert server.events("outcome_not_recorded") == []
    assert told + timedelta(seconds=STOP_S) <= min(ended)
    assert max(ended) <= closed
    assert "Traceback" not in server.log


def test_everything_that_can_hold_on_holds_on(server: Server) -> None:
    with ExitStack() as held:
        held.enter_context(web_sockets(server.url))
        held.enter_context(slow_readers(server.url, large_picture(server.data_dir)))
        held.enter_context(half_requests(server.url))
        held.enter_context(at_work(server))
        held.enter_context(spare_connections(server.url))
        assert stopped(server, signal.SIGTERM) in (0, -signal.SIGTERM)
    assert server.events("server_stopping")[0]["running"] == 2
    check_what_was_recorded(server)


@pytest.mark.browser
def test_a_page_that_was_just_closed_and_signals_that_come_again(server: Server) -> None:
    """As PM2 and an impatient operator send them: the second one must not skip the end."""
    with at_work(server), chromium() as browser:
        page = browser.new_page()
        page.goto(server.url)
        expect(page.get_by_role("textbox", name="Prompt")).to_be_enabled()
        page.close()
        again = (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGINT)
        assert stopped(server, *again) in (0, 1)  # 1: how `streamlit run` ends at Ctrl+C
    check_what_was_recorded(server)
