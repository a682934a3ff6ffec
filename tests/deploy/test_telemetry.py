"""OpenTelemetry: switched on by its usual variables, off and silent without them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.telemetry import wants_telemetry
from tests.deploy.test_log_lines import make
from tests.fakes.otlp_collector import Collector
from tests.support.processes.programs import ROOT, clean_environment
from tests.support.processes.servers import serving
from tests.support.timeouts import AT_ONCE_S, until


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector().serving() as running:
        yield running


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, False),
        ({"OTEL_SERVICE_NAME": "studio"}, False),
    ],
)
def test_only_the_usual_variables_switch_it_on(environ: dict[str, str], wanted: bool) -> None:
    assert wants_telemetry(environ) is wanted


def test_requests_pages_and_sides_are_traced_and_found_by_their_ids(collector: Collector, tmp_path: Path) -> None:
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with serving(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}) as server:
        server.ready()
        comparison = asyncio.run(make(server.url, "Ada in a linen shirt, cinematic, three-quarter view"))
        until(lambda: len(server.events("side_ended")) == 2, "both sides are made")
        server.get("/image/320/x/y", traceparent=caller)
        until(lambda: len(collector.named("side")) == 2, "the sides are exported")
        (ordered,) = server.events("comparison_ordered")
    sides = collector.named("side")
    assert {span.attributes["comparison.id"] for span in sides} == {comparison}
    assert {span.attributes["outcome"] for span in sides} == {"done"}
    assert all(span.nanoseconds > 0 for span in sides)
    pages = [span for span in collector.named("rerun generate") if span.trace == ordered["trace"]]
    assert [span.attributes["request.id"] for span in pages] == [ordered["request"]]
    pictures = [span for span in collector.named("GET /image") if span.trace == caller.split("-")[1]]
    assert [span.parent for span in pictures] == [caller.split("-")[2]]
    assert {span.service for span in collector.spans} == {"studio-dashboard"}


def test_the_service_is_named_by_the_usual_variable(collector: Collector, tmp_path: Path) -> None:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "studio-seoul"}
    with serving(tmp_path, settings, forked=True) as server:
        server.ready()
    assert {span.service for span in collector.spans} == {"studio-seoul"}, "what was left is sent at the end"


def test_a_collector_that_is_away_holds_nobody_up(tmp_path: Path) -> None:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with serving(tmp_path, settings, forked=True) as server:
        server.ready()
        assert server.get("/healthz").elapsed.total_seconds() < AT_ONCE_S
        assert all(line.startswith("{") for line in server.log.splitlines() if "opentelemetry" in line)


def test_without_its_variables_its_packages_are_never_loaded() -> None:
    script = "import sys, core.studio; print(sorted(name for name in sys.modules if 'opentelemetry' in name))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_package_is_said_once_and_nobody_is_kept_from_work(tmp_path: Path) -> None:
    """A server without the optional packages, asked for traces: its log says what to install."""
    script = (
        "import sys, json; sys.modules['opentelemetry'] = None\n"
        "from core.logs.logs import configure_logs; configure_logs()\n"
        "from core.telemetry import open_telemetry; telemetry = open_telemetry()\n"
        "with telemetry.span('x', {}): print('works')"
    )
    environment = {**clean_environment(tmp_path), "OTEL_TRACES_EXPORTER": "otlp"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "works"
    (line,) = done.stderr.splitlines()
    assert "requirements-telemetry.txt" in json.loads(line)["fix"]
