"""Health and metrics of a running server: who may ask, and what they are told."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bench.sessions import session
from tests.support.dashboards.dashboard import dashboard
from tests.support.processes.programs import TRUSTS_NOBODY
from tests.support.processes.servers import Server, serving
from tests.support.timeouts import AT_ONCE_S, until

TOKEN = "a-token-for-prometheus"
PRODUCTION = {
    "S3_BUCKET": "a-bucket-of-a-test",
    "S3_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "AKIDTEST",
    "AWS_SECRET_ACCESS_KEY": "kept-secret",
    "GOOGLE_CLIENT_ID": "id",
    "GOOGLE_CLIENT_SECRET": "kept-client-secret",
    "PUBLIC_URL": "https://studio.example",
    "SESSION_SECRET": "kept-session-secret-of-a-test-long-enough",
    "ALLOWED_DOMAINS": "studio.example",
    "METRICS_TOKEN": TOKEN,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"METRICS_TOKEN": TOKEN, "DAILY_BUDGET_USD": "5"}
    with serving(tmp_path_factory.mktemp("health"), settings, forked=True) as running:
        running.ready()
        yield running


SHOWN = {"Authorization": f"Bearer {TOKEN}"}
OTHERS = (
    {},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Real-IP": "127.0.0.1"},
    {"Forwarded": "for=127.0.0.1"},
    {"Via": "1.1 proxy"},
    {"Host": "studio.example"},
)


def shows(server: Server, **headers: str) -> bool:
    """Whether the figures and the reasons are shown; either both are, or neither is."""
    answer = server.get("/metrics", **headers)
    is_shown = "studio_ready" in answer.text
    assert answer.status_code == (200 if is_shown else 401)
    assert ("checks" in server.get("/readyz", **headers).json()) is is_shown
    return is_shown


@pytest.mark.parametrize("headers", OTHERS, ids=str)
def test_where_a_token_is_set_it_is_wanted_of_everybody(headers: dict[str, str], server: Server) -> None:
    assert shows(server, **headers, **SHOWN)
    assert not shows(server, **headers)


@pytest.mark.parametrize("shown", ["Bearer wrong", "Bearer", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}"])
def test_another_token_is_none(shown: str, server: Server) -> None:
    assert not shows(server, Authorization=shown)
    assert server.get("/metrics").headers["WWW-Authenticate"] == "Bearer"


def test_the_demo_without_a_token_is_read_by_its_own_machine_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A proxy on this machine makes everybody look like loopback: its headers, or a Host it passes on, give it away."""
    with serving(tmp_path_factory.mktemp("tokenless"), {"METRICS_TOKEN": ""}, forked=True) as server:
        server.healthy()
        assert [shows(server, **headers) for headers in OTHERS] == [True, *[False] * (len(OTHERS) - 1)]


def test_without_a_token_none_is_accepted_and_a_demo_that_asks_for_its_own_shows_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whoever else uses the machine comes from it too."""
    settings = {"METRICS_TOKEN": "", "DEMO_TOKEN": "on"}
    with serving(tmp_path_factory.mktemp("tokenless"), settings, forked=True) as server:
        server.healthy()
        assert not any(shows(server, **headers) for headers in OTHERS)
        for shown in ("Bearer", "Bearer None", "Bearer null"):
            assert server.get("/metrics", Host="studio.example", Authorization=shown).status_code == 401


def test_every_figure_an_operator_needs_is_there_in_prometheus_own_format(server: Server) -> None:
    async def use() -> None:
        async with session(server.url) as tab:
            await tab.visit("references")
            await tab.visit()
            await tab.type_prompt("Ada in a linen shirt, cinematic, three-quarter view")
            drawn = await tab.click("Generate")
            assert drawn.failures() == []

    asyncio.run(use())
    done = 'studio_generations_total{engine="preview",outcome="done"}'
    until(lambda: (server.metric(done) or 0) >= 1, "a side is made")
    until(lambda: server.metric("studio_queue_running") == 0, "all sides are made")
    answer = server.ask("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert {
        "studio_ready",
        "studio_storage_failing",
        "studio_index_age_seconds",
        "studio_index_references",
        "studio_index_refresh_seconds",
        "studio_label_backlog",
        "studio_queue_waiting",
        "studio_queue_running",
        "studio_spend_usd",
        "studio_spend_today_usd",
        "studio_budget_usd",
        "studio_unpriced",
        "studio_generations",
        "studio_generation_seconds",
        "studio_request_seconds",
        "studio_rerun_seconds",
        "studio_sign_ins_refused",
        "studio_thumbnails",
        "studio_incidents",
        "studio_loop_rounds",
        "studio_loop_incidents",
        "studio_loop_silent_seconds",
        "process_resident_memory_bytes",
    } <= families.keys()
    assert server.metric("studio_index_references") == 110
    assert server.metric("studio_budget_usd") == 5
    assert (server.metric('studio_rerun_seconds_count{page="references"}') or 0) >= 1
    assert server.metric('studio_label_backlog{why="missing"}') == 0
    pages = {sample.labels["page"] for sample in families["studio_rerun_seconds"].samples}
    assert pages <= {"generate", "references", "labels", "history"}


def test_the_budgets_in_force_are_shown_wherever_they_were_set(tmp_path: Path) -> None:
    """An admin changes them on the People page: what counts is what alerts are made of."""
    with dashboard(tmp_path, {"DAILY_BUDGET_USD": "5", "METRICS_TOKEN": TOKEN}) as studio:

        def shown() -> dict[str, float]:
            figures = httpx.get(f"{studio.url}/metrics", headers=SHOWN, verify=TRUSTS_NOBODY).text
            return {name: float(usd) for name, usd in re.findall(r"^(studio_budget\w*) (\S+)$", figures, re.MULTILINE)}

        until(lambda: shown() == {"studio_budget_usd": 5}, "those of the settings are shown")
        studio.put("studio/budgets.json", b'{"daily_usd": 40, "daily_person_usd": 4.5}')
        until(lambda: shown() == {"studio_budget_usd": 40, "studio_budget_person_usd": 4.5}, "the new ones are shown")
        studio.put("studio/budgets.json", b"{}")
        until(lambda: shown() == {}, "no limit is no figure")


def test_no_key_and_no_id_ever_becomes_a_label(server: Server) -> None:
    """Or a scraper would keep one series for each picture there ever was."""
    for path in ("/image/320/abc/ZZZ", "/no/such/page", "/partial/01M81AWXAK8CRY1N6BYMMB3E81/tone-only", "/image/%00"):
        server.get(path)
    routes = set(re.findall(r'studio_request_seconds_count\{route="([^"]+)"', server.ask("/metrics").text))
    assert routes <= {"/image", "/partial", "/metrics", "/readyz", "/healthz", "streamlit"}


def test_each_check_of_readiness_says_what_to_do(server: Server) -> None:
    found = {check["name"]: check for check in server.ask("/readyz").json()["checks"]}
    assert found.keys() == {"settings", "storage", "index", "engine", "background", "disk"}
    assert {check["state"] for check in found.values()} == {"ok"}


def test_a_server_without_s3_says_why_and_how_to_mend_it_to_operators_alone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with serving(tmp_path_factory.mktemp("no-s3"), PRODUCTION, forked=True) as server:
        server.healthy()
        storage = until(lambda: failed(server.check("storage")), "S3 was asked in vain")
        assert "http://127.0.0.1:9" in storage["reason"]
        assert "python -m core check" in storage["fix"]
        assert server.check("engine")["state"] == "degraded"
        answer = server.get("/readyz", Host="studio.example")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == [
            "An operator has to look after this: storage.",
            "An operator has to look after this: engine.",
        ]
        assert "127.0.0.1:9" not in answer.text
        assert server.metric("studio_ready") == 0
        assert server.metric("studio_storage_failing") == 1
        assert server.get("/image/320/x/y").status_code == 401
        assert server.metric('studio_sign_ins_refused_total{reason="not_signed_in"}') == 1


def failed(check: dict[str, str]) -> dict[str, str] | None:
    return check if check.get("state") == "failed" and check["reason"] else None


def test_health_answers_while_s3_hangs(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A process that waits for S3 is alive, and whoever restarts it would only make things worse."""
    folder = tmp_path_factory.mktemp("hangs")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections and never answers
        settings = {**PRODUCTION, "S3_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with serving(folder, settings, forked=True) as server:
            server.healthy()
            assert server.get("/readyz").status_code == 503
            assert server.ask("/metrics").status_code == 200
            assert server.get("/healthz").elapsed.total_seconds() < AT_ONCE_S
            server.end(signal.SIGKILL)
