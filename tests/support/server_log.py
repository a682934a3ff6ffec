"""A server's log as whoever reads it may count on it: one event a line, harmless, discreet, and not to be filled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

# Colours and whatever else a terminal obeys: ESC, and the same in one byte.
_ESCAPES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_APART_S = 59.0


def check_log(log: str, secrets: Iterable[str] = ()) -> None:
    """Raise AssertionError for a line that is no event, a traceback, an incident, a secret, or the same line again."""
    assert _ESCAPES.search(log) is None
    for secret in secrets:
        for part in (secret, secret.rsplit(".", 1)[-1]):  # in whole, or its signature
            assert len(part) < 8 or part not in log
    starts = 0
    times: dict[tuple[object, ...], list[datetime]] = {}
    for line in log.splitlines():
        assert line.startswith("{"), line
        event = json.loads(line)
        assert {"event", "level", "timestamp"} <= event.keys(), line
        assert "incident" not in event, line
        assert "Traceback" not in line, line.replace("\\n", "\n")
        starts += event["event"] == "server_ready"  # each process counts for itself
        if "logger" in event or event["event"].endswith("_refused"):
            kind = (starts, *(event.get(name) for name in ("event", "reason", "logger", "source")))
            times.setdefault(kind, []).append(datetime.fromisoformat(event["timestamp"]))
    for kind, said in times.items():
        assert all((after - before).total_seconds() > _APART_S for before, after in pairwise(said)), kind
