"""Votes in a real Chromium while S3 is away, pages are reloaded and the server is killed: each counts once."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page

from core.storage.embedded.server import EmbeddedS3
from core.studio import SAMPLES
from tests.browser.conftest import Visit
from tests.browser.test_vote import judge
from tests.support.ports import own_port
from tests.support.processes.servers import Server, serving
from tests.support.tcp_proxy import TcpProxy, tcp_proxy
from tests.support.timeouts import until
from tests.votes.ballot_box import BallotBox

ANSWERS = {"ArrowLeft": "left", "ArrowDown": "tie", "x": "both-bad", "ArrowRight": "right"}


@dataclass
class Storm:
    """A server, the proxy to its S3, and what was pressed: answers by prompts, of which each is of one comparison."""

    box: BallotBox
    proxy: TcpProxy
    folder: Path
    port: int
    running: ExitStack
    pressed: dict[str, str] = field(default_factory=dict)

    def start(self) -> Server:
        server = self.running.enter_context(serving(self.folder, {}, port=self.port, forked=True))
        server.ready()
        return server

    def press(self, page: Page, key: str) -> None:
        """Answer what is in front, which must not have been answered before."""
        page.locator('.answer[aria-disabled="false"]').first.wait_for()
        prompt = page.locator(".prompt").inner_text()
        assert prompt not in self.pressed
        judge(page, key)
        self.pressed[prompt] = ANSWERS[key]

    def counted(self) -> dict[str, list[str]]:
        """What S3 holds, by prompt."""
        found: dict[str, list[str]] = {}
        for vote in self.box.stored():
            prompt = self.box.studio.history().get(vote.comparison).wishes.prompt
            found.setdefault(prompt, []).append(vote.answer.value)
        return found


@pytest.fixture
def storm(tmp_path: Path) -> Iterator[Storm]:
    data = tmp_path / "data"
    owner = EmbeddedS3.open(data, SAMPLES)
    try:
        box = BallotBox(owner, "studio/", tmp_path / "disks")
        for number in range(16):
            box.compared(prompt=f"a portrait, number {number}")
        with tcp_proxy(owner.endpoint_url) as proxy, ExitStack() as running:
            (data / "s3.endpoint.json").write_text(json.dumps({"endpoint_url": proxy.url, "pid": os.getpid()}))
            yield Storm(box, proxy, tmp_path, own_port(), running)
            proxy.cut()  # or the server would wait for it in vain
    finally:
        owner.close()


def test_votes_over_an_outage_reloads_and_kills_are_all_there_once(storm: Storm, visit: Visit) -> None:
    server = storm.start()
    visitor = visit(server)  # may complain that nobody answers
    page = visitor.context.new_page()

    def waiting() -> list[str]:
        return [key for key in page.evaluate("Object.keys(localStorage)") if key.startswith("studio.votes.")]

    page.goto(f"{server.url}/vote")
    storm.press(page, "ArrowLeft")
    until(lambda: len(storm.box.stored()) == 1)

    storm.proxy.cut()
    storm.press(page, "ArrowDown")
    storm.press(page, "x")
    page.reload()  # before the last one was sent
    until(lambda: waiting() == [], "the server has them on its disk")
    kill(server)
    assert len(storm.box.stored()) == 1
    storm.proxy.mend()
    server = storm.start()
    storm.press(page, "ArrowRight")
    until(lambda: len(storm.counted()) == 4, lambda: f"{storm.counted()} of {storm.pressed}")

    storm.press(page, "ArrowLeft")
    kill(server)  # it has not heard of that key, or has and has not said so
    storm.press(page, "ArrowDown")
    page.close()
    server = storm.start()
    page = visitor.context.new_page()
    page.goto(f"{server.url}/vote")
    storm.press(page, "ArrowRight")
    until(lambda: len(storm.counted()) >= len(storm.pressed), lambda: f"{storm.counted()} of {storm.pressed}")
    until(lambda: waiting() == [])
    assert storm.counted() == {prompt: [answer] for prompt, answer in storm.pressed.items()}
    assert len(storm.pressed) == 7
    visitor.complaints[:] = [each for each in visitor.complaints if "status of 503" not in each]  # S3 was away


def kill(server: Server) -> None:
    """As `kill -9` does."""
    os.kill(server.process.pid or 0, signal.SIGKILL)
    server.end()
