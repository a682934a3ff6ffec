"""The log of a running server: one JSON line an event, ids throughout, no secret, no prompt nobody allowed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.sessions import session
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Fault
from tests.support.processes.checkouts import check_out
from tests.support.processes.servers import Server, serving
from tests.support.server_log import check_log
from tests.support.timeouts import until

PROMPT = "a marmalade cat beside a teapot"
SECRETS = {
    "DEMO_TOKEN": "off",
    "OPENAI_API_KEY": "sk-proj-known-key-of-a-test-0123456789",
    "METRICS_TOKEN": "known-token-of-a-test",
    "AWS_SECRET_ACCESS_KEY": "known-aws-secret-of-a-test",
    "AWS_SESSION_TOKEN": "known-aws-session-of-a-test",
}


async def make(url: str, prompt: str) -> str:
    """Order a comparison as a person would; its id."""
    async with session(url) as tab:
        await tab.visit()
        await tab.type_prompt(prompt)
        drawn = await tab.click("Generate")
        assert drawn.failures() == []
        found = re.search(r"comparison=(\w{26})", tab.query)
        assert found
        return found[1]


@dataclass(frozen=True, slots=True)
class Told:
    """A server that was used, failed at, and stopped."""

    server: Server
    comparison: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("told")
    with FakeOpenAI(default=Behaviour(Fault.BAD_KEY)).serving() as openai:
        settings = {
            **SECRETS,
            "OPENAI_BASE_URL": openai.base_url,
            "OPENAI_STREAMING": "on",
            "S3_BUCKT": "meant-for-production",
        }
        with serving(folder, settings) as server:
            server.ready()
            comparison = asyncio.run(make(server.url, PROMPT))
            until(lambda: len(server.events("side_ended")) == 2, "both sides have failed")
            server.get("/metrics", Authorization=f"Bearer {SECRETS['METRICS_TOKEN']}")
            server.get(f"/image/320/{SECRETS['METRICS_TOKEN']}/x", Cookie=f"x={SECRETS['METRICS_TOKEN']}")
        yield Told(server, comparison)


def test_every_line_is_one_event(told: Told) -> None:
    check_log(told.server.log, SECRETS.values())
    assert {"server_ready", "comparison_ordered", "side_began", "side_ended", "server_stopped"} <= {
        event["event"] for event in told.server.events()
    }


def test_a_misspelled_setting_is_told_of_at_the_start_with_what_may_be_meant(told: Told) -> None:
    (event,) = told.server.events("unknown_setting")
    assert (event["setting"], event["place"], event["nearest"]) == ("S3_BUCKT", "the environment", "S3_BUCKET")
    assert "meant-for-production" not in told.server.log


def test_one_id_leads_from_the_press_to_the_end_of_every_side(told: Told) -> None:
    (ordered,) = told.server.events("comparison_ordered")
    assert ordered["comparison"] == told.comparison
    assert re.fullmatch(r"[0-9A-Z]{26}", ordered["request"])
    assert re.fullmatch(r"[0-9a-f]{10}", ordered["session"])
    assert (ordered["page"], ordered["person"]) == ("generate", "demo@localhost")
    mine = [event for event in told.server.events() if event.get("comparison") == told.comparison]
    for side in ("tone-only", "tone-angle"):
        names = [event["event"] for event in mine if event.get("side") == side]
        assert names[0] == "side_began"
        assert names[-1] == "side_ended"
    calls = told.server.events("openai_call_failed")
    assert {call["comparison"] for call in calls} == {told.comparison}
    assert {call["side"] for call in calls} == {"tone-only", "tone-angle"}


def test_no_secret_is_ever_written(told: Told) -> None:
    for name, secret in SECRETS.items():
        assert secret not in told.server.log, name
        assert secret[:16] not in told.server.log, name
    assert "Bearer" not in told.server.log


def test_a_prompt_is_written_only_where_that_is_allowed(told: Told, tmp_path: Path) -> None:
    assert "marmalade" not in told.server.log
    with serving(tmp_path, {"LOG_PROMPTS": "true"}, forked=True) as server:
        server.ready()
        asyncio.run(make(server.url, PROMPT))
        (ordered,) = server.events("comparison_ordered")
        assert ordered["prompt"] == PROMPT


def test_a_request_keeps_the_id_it_came_with_unless_that_is_none(tmp_path: Path) -> None:
    with serving(tmp_path, forked=True) as server:
        server.healthy()
        assert server.get("/healthz", **{"X-Request-ID": "abcdef-0123456789"}).headers["x-request-id"] == (
            "abcdef-0123456789"
        )
        for given in ("short", "x" * 65, 'quoted"0123456789', "two words here"):
            own = server.get("/healthz", **{"X-Request-ID": given}).headers["x-request-id"]
            assert re.fullmatch(r"[0-9A-Z]{26}", own)


def test_an_incident_that_people_are_shown_is_found_in_the_log(tmp_path: Path) -> None:
    """A page that breaks in a way nobody expected."""
    broken = check_out(tmp_path / "broken")
    page = broken / "pages" / "labels.py"
    page.write_text(page.read_text("utf-8").replace("page()\n", "raise RuntimeError('a fault of a test')\n"), "utf-8")
    with serving(tmp_path, root=broken, forked=True) as server:
        server.ready()

        async def look() -> str:
            async with session(server.url) as tab:
                return (await tab.visit("labels")).failures()[0]

        shown = asyncio.run(look())
        found = re.search(r"report incident `(\w{26})`", shown)
        assert found, shown
        (line,) = [event for event in server.events() if event.get("incident") == found[1]]
        assert line["event"] == "script_error"
        assert "Traceback" in line["exception"]
        assert re.fullmatch(r"[0-9a-f]{10}", line["session"])
        assert server.metric("studio_incidents_total") == 1
