"""Stops: from SIGTERM to the end of the process, with clients that hold on and with work at hand.

`python -m bench.stops` puts its section into RESULTS.md; with `--print-only` it leaves that alone. It ends with 1 if
a stop took longer than it may, or was not orderly.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.lingering import large_picture, slow_readers, spare_connections, web_sockets
from bench.listing import machine
from bench.results import write_section
from bench.sessions import session
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Fault
from tests.support.processes.servers import Server, serving
from tests.support.timeouts import until

HEADING = "## Stops"
MARGIN_S = 3.0  # what a stop may take beside GENERATION_STOP_S
AHEAD_S = 0.1  # so long the clients have been there when the signal comes
START_S = 600.0  # so long a start may take on a busy machine; it is not what is measured
WAITED_S = 30.0  # then the process is killed
WORK = "a side at work"


@dataclass(frozen=True, slots=True)
class Stop:
    """How one stop went; `orderly` says that the server took its leave and recorded what it interrupted."""

    kind: str
    seconds: float
    code: int | None
    orderly: bool


@contextmanager
def at_work(server: Server) -> Iterator[None]:
    """Two sides whose partial pictures stream in, ordered by somebody who has gone."""
    asyncio.run(_order(server.url))
    until(lambda: server.metric("studio_queue_running") == 2.0, "two engines are at work")
    yield


async def _order(url: str) -> None:
    async with session(url) as tab:
        await tab.visit()
        await tab.type_prompt("Ada in a linen shirt, cinematic, three-quarter view")
        await tab.click("Generate")


KINDS: Mapping[str, Callable[[Server], AbstractContextManager[None]]] = {
    "spare connections": lambda server: spare_connections(server.url),
    "WebSockets": lambda server: web_sockets(server.url),
    "slow readers": lambda server: slow_readers(server.url, large_picture(server.data_dir)),
    WORK: at_work,
}


def stop(kind: str, settings: Mapping[str, str]) -> Stop:
    """Start a server, let clients of this kind hold on to it, and tell it to stop."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), settings) as server:
        until(lambda: server.get("/readyz").is_success, "ready", START_S)
        with KINDS[kind](server):
            time.sleep(AHEAD_S)
            began = time.perf_counter()
            server.process.send_signal(signal.SIGTERM)
            try:
                code: int | None = server.process.wait(WAITED_S)
            except subprocess.TimeoutExpired:
                code = None
                server.process.kill()
            seconds = time.perf_counter() - began
        phases = [event["phase"] for event in server.events("side_ended")]
        orderly = bool(server.events("server_stopped")) and phases == (["interrupted"] * 2 if kind == WORK else [])
        return Stop(kind, seconds, code, orderly)


def stops(each: int, at_once: int, stop_s: float) -> list[Stop]:
    """So many of each kind, the kinds in turn."""
    with FakeOpenAI(default=Behaviour(Fault.TRICKLE)).serving() as openai, ThreadPoolExecutor(at_once) as pool:
        settings = {
            "DEMO_TOKEN": "off",
            "OPENAI_API_KEY": "sk-fake-key-of-a-measurement",
            "OPENAI_BASE_URL": openai.base_url,
            "OPENAI_STREAMING": "on",
            "GENERATION_STOP_S": str(stop_s),
        }
        made = []
        for done in pool.map(lambda kind: stop(kind, settings), [*KINDS] * each):
            made.append(done)
            print(f"{len(made)}: {done}", file=sys.stderr, flush=True)
        return made


def in_time(done: Stop, stop_s: float) -> bool:
    """Whether it kept what is promised: the time, a clean exit code, and an orderly end."""
    return done.seconds <= stop_s + MARGIN_S and done.code in (0, -signal.SIGTERM) and done.orderly


def report(made: list[Stop], stop_s: float) -> str:
    """The section as Markdown."""
    rows = []
    for kind in KINDS:
        of_kind = [done for done in made if done.kind == kind]
        seconds = sorted(done.seconds for done in of_kind)
        good = sum(in_time(done, stop_s) for done in of_kind)
        rows.append(f"| {kind} | {good} of {len(of_kind)} | {statistics.median(seconds):.2f} | {seconds[-1]:.2f} |")
    return "\n".join(
        [
            HEADING,
            "",
            f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · Python {platform.python_version()}. From SIGTERM to the end "
            f"of the process, GENERATION_STOP_S {stop_s:g}; in time is {stop_s + MARGIN_S:g} s.",
            f"`python -m bench.stops` makes this section. Load average at the end: {os.getloadavg()[0]:.1f}.",
            "",
            "| connected or at work | in time and orderly | median, s | worst, s |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> int:
    """Make the stops."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--each", type=int, default=50, help="stops of each kind")
    parser.add_argument("--at-once", type=int, default=2, help="servers at a time")
    parser.add_argument("--stop-s", type=float, default=1.0, help="GENERATION_STOP_S")
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    made = stops(asked.each, asked.at_once, asked.stop_s)
    section = report(made, asked.stop_s)
    print(section)
    if not asked.print_only:
        write_section(HEADING, section)
    return int(not all(in_time(done, asked.stop_s) for done in made))


if __name__ == "__main__":
    sys.exit(main())
