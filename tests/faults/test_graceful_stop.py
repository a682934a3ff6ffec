"""SIGTERM: what runs may finish within its limit, what waits is given up at once, and nothing is left open."""

from __future__ import annotations

import threading
from contextlib import suppress

from tests.fakes.openai_server import Moment
from tests.faults.harness import Cell, FaultHarness
from tests.faults.matrix import A, B
from tests.faults.servers import Refused, Server, Servers, until
from tests.support.timeouts import LONG_S


def ordered(harness: FaultHarness, server: Server, name: str) -> Cell:
    """A comparison whose running sides wait at the engine."""
    cell = Cell(name, holds=(Moment.RECEIVED,), everywhere=True)
    harness.order(server, cell)
    return cell


def told_to_stop(server: Server) -> threading.Thread:
    """The process once it takes nobody any more; join it to wait for its end."""
    ending = threading.Thread(target=server.end)
    ending.start()

    def takes_nobody() -> bool:
        with suppress(Refused):
            try:
                server.ask("status", id="0")
            except OSError:
                return True
        return False

    until(takes_nobody)
    return ending


def test_what_runs_may_finish_within_the_limit(harness: FaultHarness, studio: Servers) -> None:
    server = studio.start(GENERATION_STOP_S="30")
    cell = ordered(harness, server, "stop-finishes")
    cell.reach(Moment.RECEIVED)
    ending = told_to_stop(server)
    assert ending.is_alive()
    cell.open_all()
    ending.join(LONG_S)
    assert server.process.poll() is not None
    assert {f"{side}-1{end}" for side in (A, B) for end in (".json", ".png")} <= harness.names(cell).keys()
    after = studio.start()
    for side in after.sides(cell.id).values():
        assert side["phase"] == "done"
        harness.check_picture(side)
    after.kill()


def test_what_takes_longer_is_interrupted_and_says_that_it_may_be_charged(
    harness: FaultHarness, studio: Servers
) -> None:
    server = studio.start(GENERATION_STOP_S="0.2")
    cell = ordered(harness, server, "stop-too-slow")
    cell.reach(Moment.RECEIVED)
    server.end()
    for side in (A, B):
        (call,) = harness.calls(cell, side)
        assert call.hung_up.wait(LONG_S)
    after = studio.start()
    ended = after.sides(cell.id)
    for side in (A, B):
        (outcome,) = ended[side]["outcomes"]
        assert (ended[side]["phase"], outcome["failure"]["kind"]) == ("interrupted", "interrupted")
        assert "may still be charged" in outcome["failure"]["message"]
        assert outcome["cost"] == {"usd": None, "input_tokens": None, "output_tokens": None, "estimate": False}
        assert harness.retry(after, cell, side)["phase"] == "done"
    after.kill()


def test_what_waits_is_given_up_at_once_while_what_runs_finishes(harness: FaultHarness, studio: Servers) -> None:
    server = studio.start(GENERATION_STOP_S="30", GENERATION_CONCURRENCY="1")
    cell = ordered(harness, server, "stop-waiting")
    cell.latches[A][Moment.RECEIVED].wait_for()
    ending = told_to_stop(server)
    until(lambda: f"{B}-1.json" in harness.names(cell))
    assert f"{A}-1.json" not in harness.names(cell)
    cell.open_all()
    ending.join(LONG_S)
    after = studio.start()
    ended = after.sides(cell.id)
    assert (ended[A]["phase"], ended[B]["phase"]) == ("done", "interrupted")
    assert ended[B]["outcomes"][0]["cost"] is None
    assert harness.calls(cell, B) == []
    assert harness.retry(after, cell, B)["phase"] == "done"
    after.kill()
