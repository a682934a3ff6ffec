"""How long ten thousand labels take: the labels page opened, and a bulk edit saved, in a real server over a real S3.

Ten thousand portraits are published, a machine has labelled all of them, five thousand have been reviewed, in saves of
one picture each. Server and S3 are processes of their own; every answer of S3 takes 30 ms. Pages are opened over
Streamlit's own WebSocket protocol, each in a session of its own, from the question to the end of the script.
`python -m bench.labels` puts its section into RESULTS.md; with `--print-only` it leaves that alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.checkout import copy_of_the_checkout
from bench.label_server import label
from bench.large_studio import LargeStudio, large_studio
from bench.listing import machine
from bench.reference_page import cpu_s
from bench.results import write_section
from bench.sessions import Drawn, session
from core.labels.published.schema import LabelSource, line_of

HEADING = "## Labels"
PORTRAITS, BULK = 10_000, 200
LATENCY_S = 0.03
CALM_S, CALM_CPU_S = 4, 0.1
FOCUS, GRID = "show=Focus", "show=Grid"
VIEWS = {
    "a later opening, in focus mode": FOCUS,
    "a later opening, in grid mode": GRID,
    "a later opening, narrowed by a search": "show=Grid&find=noir+07",
}
SAVED = f"one field of {BULK} pictures in one save, from the press to the page with the result"


@dataclass(frozen=True, slots=True)
class Row:
    """How long something took in seconds, and the server's processor time for one of them."""

    name: str
    median_s: float
    worst_s: float
    cpu_s: float

    def __str__(self) -> str:
        return f"| {self.name} | {self.median_s:.2f} | {self.worst_s:.2f} | {self.cpu_s:.2f} |"


@contextmanager
def label_studio(portraits: int, port: int, *, latency_s: float = LATENCY_S) -> Iterator[LargeStudio]:
    """A dashboard over so many labelled portraits, of which half are reviewed."""
    with tempfile.TemporaryDirectory() as folder:
        checkout = copy_of_the_checkout(Path(folder))
        lines = [line_of(label(number, LabelSource.NOMINAL)) for number in range(portraits)]
        (checkout / "labels" / "personas.jsonl").write_text("".join(f"{line}\n" for line in sorted(lines)))
        s3 = ("bench.label_server",)
        with large_studio(portraits, port, latency_s=latency_s, s3=s3, checkout=checkout) as studio:
            yield studio


def until_calm(studio: LargeStudio) -> None:
    """Wait until what the server does after its start is done: for a while it uses hardly any processor time."""
    calm = 0
    while calm < CALM_S:
        before = cpu_s(studio.pid)
        time.sleep(1.0)  # the span that is looked at
        calm = calm + 1 if cpu_s(studio.pid) - before < CALM_CPU_S else 0


async def opening(studio: LargeStudio, query: str) -> tuple[float, float]:
    """Seconds until the page is drawn in a new session, and the server's processor time for it."""
    before = cpu_s(studio.pid)
    async with session(studio.url) as tab:
        drawn = sound(await tab.visit("labels", query))
    return drawn.seconds, cpu_s(studio.pid) - before


async def bulk_save(studio: LargeStudio, value: str) -> tuple[float, float]:
    """Seconds from the press of the button until the page shows the result, and the processor time for it.

    It is the first page of the grid that is saved, all of it.
    """
    async with session(studio.url) as tab:
        drawn = sound(await tab.visit("labels", GRID))
        await tab.tell("label_grid", {"selection": {"ids": shown_in(drawn), "turn": 1, "epoch": 0}})
        await tab.choose("Value", value)
        before = cpu_s(studio.pid)
        done = sound(await tab.click(f"Set age range of {BULK}"))
        if not any(kind == "toast" and str(BULK) in element.body for kind, element in done.elements):
            raise SystemExit("the bulk edit was not saved")
        return done.seconds, cpu_s(studio.pid) - before


def shown_in(drawn: Drawn) -> list[str]:
    """The keys of the pictures in the grid."""
    grids = [element for kind, element in drawn.elements if kind == "bidi_component"]
    found = [card["id"] for grid in grids for card in json.loads(grid.json or "{}").get("cards", ())]
    if len(found) != BULK:
        raise SystemExit(f"the grid shows {len(found)} pictures, not {BULK}")
    return found


def sound(drawn: Drawn) -> Drawn:
    """What was drawn, unless it tells of an error."""
    if drawn.failures():
        raise SystemExit("\n".join(drawn.failures()))
    return drawn


def rows_of(studio: LargeStudio, rounds: int) -> list[Row]:
    """All measurements of one running server, told as they are made."""
    rows = [row("the first opening after the start, in focus mode", asyncio.run(opening(studio, FOCUS)))]
    for name, query in VIEWS.items():
        rows.append(row(name, *(asyncio.run(opening(studio, query)) for _ in range(rounds))))
    values = ["18–24", "25–34"] * rounds
    rows.append(row(SAVED, *(asyncio.run(bulk_save(studio, value)) for value in values[:rounds])))
    rows.append(row("the next opening after a save, in focus mode", asyncio.run(opening(studio, FOCUS))))
    return rows


def row(name: str, *runs: tuple[float, float]) -> Row:
    """The median and the worst of some runs."""
    seconds, cpu = zip(*runs, strict=True)
    made = Row(name, statistics.median(seconds), max(seconds), statistics.median(cpu))
    print(made, flush=True)
    return made


def main() -> None:
    """Measure all, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--port", type=int, default=8741)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    with label_studio(PORTRAITS, asked.port) as studio:
        hasty = row("the first opening, asked for the moment the server is ready", asyncio.run(opening(studio, FOCUS)))
    with label_studio(PORTRAITS, asked.port) as studio:
        until_calm(studio)
        rows = [hasty, *rows_of(studio, asked.rounds)]
        complaints = studio.complaints()
    section = report(rows, asked.rounds)
    print(section)
    if complaints:
        raise SystemExit("\n".join(complaints))
    if not asked.print_only:
        write_section(HEADING, section)


def report(rows: list[Row], rounds: int) -> str:
    """The section as Markdown."""
    lines = [
        HEADING,
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · Python {platform.python_version()}. "
        f"`python -m bench.labels` makes this section. Load average: {os.getloadavg()[0]:.1f}.",
        "",
        f"{PORTRAITS:,} labels, {PORTRAITS // 2:,} saves, S3 over HTTP with {LATENCY_S * 1000:.0f} ms for each answer; "
        f"{rounds} rounds. Seconds from the question to the end of the script, over the page's own WebSocket; "
        "the processor time is the server's. On a busy machine the clock counts the work of others too.",
        "",
        "| | median, s | worst, s | processor, s |",
        "|---|---|---|---|",
        *(str(each) for each in rows),
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
