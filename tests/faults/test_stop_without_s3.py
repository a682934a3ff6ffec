"""SIGTERM while S3 swallows every write: the process ends in time all the same, and says what it left behind."""

from __future__ import annotations

import json
import signal
from datetime import datetime

from bench.stops import MARGIN_S
from tests.fakes.openai_server import Moment
from tests.faults.harness import Cell, FaultHarness
from tests.faults.matrix import A, B
from tests.faults.servers import Servers
from tests.support.timeouts import LONG_S

STOP_S = 0.2


def test_an_s3_that_does_not_answer_holds_no_stop_up(harness: FaultHarness, studio: Servers) -> None:
    server = studio.start(GENERATION_STOP_S=str(STOP_S))
    cell = Cell("stop-without-s3", holds=(Moment.RECEIVED,), everywhere=True)
    harness.order(server, cell)
    cell.reach(Moment.RECEIVED)
    rule = harness.proxy.rule("^PUT ")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(LONG_S) == 0
    assert rule.lines, "it did try"
    harness.proxy.drop_all()
    logged = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    began, ended = (each for each in logged if each["event"].startswith("server_stop"))
    assert (began["event"], ended["event"]) == ("server_stopping", "server_stop_overdue")
    took = datetime.fromisoformat(ended["timestamp"]) - datetime.fromisoformat(began["timestamp"])
    assert took.total_seconds() <= STOP_S + MARGIN_S
    after = studio.start()
    sides = after.sides(cell.id)
    assert {sides[side]["phase"] for side in (A, B)} == {"interrupted"}, "whose process is gone"
    after.kill()
