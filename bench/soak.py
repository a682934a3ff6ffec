"""One process for a long day: thousands of page turns and hundreds of comparisons, and what memory does meanwhile.

`python -m bench.soak` puts its section into RESULTS.md; with `--print-only` it leaves that alone. It ends with 1 if
memory grows by a tenth after the warm-up, or if anything failed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psutil

from bench.large_studio import LargeStudio, large_studio
from bench.listing import machine
from bench.results import write_section
from bench.sessions import session

HEADING = "## Soak"
GROWTH_MAX = 0.10
WARM_UP = 0.2  # the first part of both, in which caches fill and allocators settle
SAMPLES = 20
TURNS_A_TAB = 40  # then a person closes the tab and opens another
PICTURE_S = 120.0


@dataclass
class Day:
    """What was done so far, and the memory after each part of it."""

    turns: int = 0
    comparisons: int = 0
    memory_mb: list[tuple[float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


async def turn_pages(studio: LargeStudio, count: int, day: Day, first: int) -> None:
    """Pages of references, labels and history, in tabs that come and go."""
    for begin in range(0, count, TURNS_A_TAB):
        async with session(studio.url, patience_s=0) as tab:
            for number in range(begin, min(begin + TURNS_A_TAB, count)):
                page, query = ("references", f"page={(first + number) % 900 + 1}")
                if number % 10 == 9:
                    page, query = ("history", "") if number % 20 == 9 else ("labels", "")
                day.failures += (await tab.visit(page, query)).failures()
                day.turns += 1


async def make(studio: LargeStudio, count: int, day: Day, first: int) -> None:
    """Comparisons, a few at a time, each until it is done."""
    async with session(studio.url, patience_s=0) as tab:
        for number in range(count):
            await tab.visit()
            await tab.type_prompt(f"Araya, cinematic, low angle, take {first + number}")
            day.failures += (await tab.click("Generate")).failures()
            day.comparisons += 1
    deadline = time.monotonic() + PICTURE_S
    while studio.metric("studio_queue_waiting") + studio.metric("studio_queue_running") > 0:
        if time.monotonic() > deadline:
            day.failures.append("the queue did not empty")
            return
        await asyncio.sleep(0.2)


async def live(studio: LargeStudio, turns: int, comparisons: int) -> Day:
    """Both in turns, with a look at memory after each part."""
    day, process = Day(), psutil.Process(studio.pid)
    for part in range(1, SAMPLES + 1):
        due_turns, due_made = turns * part // SAMPLES - day.turns, comparisons * part // SAMPLES - day.comparisons
        await asyncio.gather(
            turn_pages(studio, due_turns, day, day.turns), make(studio, due_made, day, day.comparisons)
        )
        day.memory_mb.append((part / SAMPLES, process.memory_info().rss / 2**20))
    return day


def growth(day: Day) -> float:
    """From the warm-up's end to the end, each the mean of three looks."""
    after = [memory for part, memory in day.memory_mb if part >= WARM_UP]
    begin, end = sum(after[:3]) / len(after[:3]), sum(after[-3:]) / len(after[-3:])
    return end / begin - 1


def report(day: Day, seconds: float, references: int) -> str:
    """The section as Markdown."""
    return "\n".join(
        [
            HEADING,
            "",
            f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · Python {platform.python_version()}. One process, "
            f"{references:,} references: {day.turns:,} page turns and {day.comparisons:,} comparisons in "
            f"{seconds / 60:.0f} min, {len(day.failures)} errors.",
            f"`python -m bench.soak` makes this section. Load average at the end: {os.getloadavg()[0]:.1f}.",
            "",
            f"Memory from the warm-up's end ({WARM_UP:.0%}) to the end: {growth(day):+.1%}.",
            "",
            "| done | memory, MB |",
            "|---|---|",
            *(f"| {part:.0%} | {memory:.0f} |" for part, memory in day.memory_mb),
            "",
        ]
    )


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=2000)
    parser.add_argument("--comparisons", type=int, default=500)
    parser.add_argument("--references", type=int, default=100_000)
    parser.add_argument("--port", type=int, default=8631)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    began = time.monotonic()
    with large_studio(asked.references, asked.port) as studio:
        day = asyncio.run(live(studio, asked.turns, asked.comparisons))
        day.failures += studio.complaints()
    section = report(day, time.monotonic() - began, asked.references)
    print(section)
    for failure in day.failures[:20]:
        print(failure, file=sys.stderr)
    if not asked.print_only:
        write_section(HEADING, section)
    return int(bool(day.failures) or growth(day) > GROWTH_MAX)


if __name__ == "__main__":
    sys.exit(main())
