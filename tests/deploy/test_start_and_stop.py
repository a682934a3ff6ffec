"""Start and stop: what must not start says why in one sentence, and what ends leaves nothing unsaid."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from pathlib import Path

import pytest

from bench.sessions import session
from core.storage.embedded.server import EmbeddedS3
from tests.fakes.openai_server import Behaviour, FakeOpenAI
from tests.support.processes.programs import ROOT
from tests.support.processes.servers import Server, serving
from tests.support.timeouts import LONG_S, until


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"exec_mode": "cluster_mode", "NODE_APP_INSTANCE": "0"}, "exec_mode is cluster"),
        ({"exec_mode": "fork_mode", "NODE_APP_INSTANCE": "1"}, "further instance"),
        ({"exec_mode": "fork_mode", "NODE_APP_INSTANCE": "0", "pm_id": "0", "instances": "4"}, "instances is 4"),
        ({"SESSION_SECRET": "x" * 40}, "S3_BUCKET"),
        ({"INDEX_REFRESH_S": "often"}, "INDEX_REFRESH_S"),
    ],
    ids=["cluster", "second instance", "instances", "half a production", "no number"],
)
def test_what_must_not_start_says_so_in_one_sentence(environment: dict[str, str], named: str, tmp_path: Path) -> None:
    server = Server(tmp_path, environment, forked=True)
    assert server.process.wait(LONG_S) == 2
    (sentence,) = re.findall(r"^The dashboard cannot start: (.*)$", server.log, re.MULTILINE)
    assert named in sentence
    assert sentence.endswith(".")
    assert "Traceback" not in server.log


def test_a_second_start_on_the_same_port_says_so_and_leaves_the_first_alone(tmp_path: Path) -> None:
    with serving(tmp_path / "first", forked=True) as first:
        first.ready()
        (tmp_path / "second").mkdir()
        second = Server(tmp_path / "second", port=first.port)
        assert second.process.wait(LONG_S) == 1
        (sentence,) = [line for line in second.log.splitlines() if line.strip()]
        assert sentence.endswith(f"Port {first.port} is not available")
        assert first.get("/healthz").json() == {"status": "ok"}


def test_work_that_runs_at_the_end_is_recorded_as_interrupted(tmp_path: Path) -> None:
    """SIGTERM while an engine is at work: within seconds the record says so, and the next start shows it."""
    with FakeOpenAI(default=Behaviour(delay_s=30)).serving() as openai:
        environment = {
            "DEMO_TOKEN": "off",
            "OPENAI_API_KEY": "sk-fake-key-of-a-test",
            "OPENAI_BASE_URL": openai.base_url,
            "OPENAI_STREAMING": "on",
        }
        with serving(tmp_path, environment, forked=True) as server:
            server.ready()
            asyncio.run(order(server.url, "Ada in a linen shirt, cinematic, three-quarter view"))
            until(lambda: server.metric("studio_queue_running"), "an engine is at work")
            assert server.end(signal.SIGTERM) in (0, -signal.SIGTERM)
            assert server.events("server_stopping")[0]["running"] > 0
            assert server.events("server_stopped")
            assert "Traceback" not in server.log
    owner = EmbeddedS3.open(tmp_path / "data", ROOT / "samples" / "refs")
    try:
        ended = outcomes(tmp_path / "data")
    finally:
        owner.close()
    assert ended
    assert {each["failure"]["kind"] for each in ended} == {"interrupted"}


async def order(url: str, prompt: str) -> None:
    async with session(url) as tab:
        await tab.visit()
        await tab.type_prompt(prompt)
        await tab.click("Generate")


def outcomes(data_dir: Path) -> list[dict[str, dict[str, str]]]:
    """Every attempt's end among the objects on disk: a header line, then the bytes."""
    found = []
    for file in (data_dir / "s3").rglob("*"):
        head, _, body = file.read_bytes().partition(b"\n") if file.is_file() else (b"", b"", b"")
        if head.startswith(b"{") and re.search(r"-1\.json$", json.loads(head)["key"]):
            found.append(json.loads(body))
    return found
