"""SIGTERM while S3 swallows every write: the process ends in time all the same, and says what it left behind."""

from __future__ import annotations

import json
import signal
import time

from bench.stops import MARGIN_S
from tests.fakes.openai_server import Moment
from tests.faults.matrix import A, B
from tests.faults.servers import Servers
from tests.faults.theatre import Cell, Theatre

STOP_S = 0.2


def test_an_s3_that_does_not_answer_holds_no_stop_up(theatre: Theatre, studio: Servers) -> None:
    server = studio.start(GENERATION_STOP_S=str(STOP_S))
    cell = Cell("stop-without-s3", holds=(Moment.RECEIVED,), everywhere=True)
    theatre.order(server, cell)
    cell.reach(Moment.RECEIVED)
    rule = theatre.sluice.rule("^PUT ")
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    code = server.process.wait(60)
    assert time.monotonic() - began <= STOP_S + MARGIN_S
    assert code in (0, -signal.SIGTERM)
    assert rule.lines, "it did try"
    theatre.sluice.drop_all()
    logged = [json.loads(line) for line in server.log.read_text("utf-8").splitlines() if line.startswith("{")]
    assert [each["event"] for each in logged if each["event"].startswith("server_stop")] == [
        "server_stopping",
        "server_stop_overdue",
    ]
    after = studio.start()
    sides = after.sides(cell.id)
    assert {sides[side]["phase"] for side in (A, B)} == {"interrupted"}, "whose process is gone"
    after.kill()
