"""The log: one JSON line an event, readable in Korean, whatever the event carries."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from core.logs.logs import configure_logs


def crash() -> None:
    raise ValueError("two\nlines")


@pytest.fixture
def _configured() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("_configured")
def test_every_event_is_one_json_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    log = structlog.get_logger("test")
    log.info("side_ended", key="refs/로우앵글\n05.png", odd=object())
    log.debug("not_told")
    try:
        crash()
    except ValueError:
        log.exception("engine_crashed", incident="01X")
    out, err = capsys.readouterr()
    first, second = err.splitlines()
    assert out == ""
    assert "로우앵글" in first
    assert json.loads(first)["key"] == "refs/로우앵글\n05.png"
    assert json.loads(first)["timestamp"].endswith("Z")
    crashed = json.loads(second)
    assert (crashed["level"], crashed["incident"]) == ("error", "01X")
    assert "ValueError: two\nlines" in crashed["exception"]
