"""Comparisons with four takes a side: what each picture takes beyond its engine, and what stays in memory."""

from __future__ import annotations

import argparse
import logging
import os
import platform
import statistics
import time
from datetime import UTC, datetime

import structlog

from bench.generation import (
    ENGINE_S,
    LOOKED_AT_S,
    ROLES,
    Outside,
    Overhead,
    bare,
    made,
    made_in,
    outside,
    overhead,
    photo,
    rss_mb,
    samples,
)
from bench.listing import machine
from bench.results import write_section
from tests.generation.comparisons import comparison

HEADING = "## Takes"
TAKES = 4
AT_ONCE = 4  # pictures that a server of this measurement makes at a time
COMPARISONS = 200
FAST_S = 0.04  # of an engine that leaves memory no time to rest


def overhead_of_takes(at: Outside, pictures: list[bytes], rounds: int) -> Overhead:
    """Of each picture, with references that a plan has shown."""
    found = Overhead()
    for _ in range(rounds):
        with at.bench() as bench:
            slots = [bench.reference(f"{number}.jpg", data, ROLES[number]) for number, data in enumerate(pictures)]
            wanted = comparison(*slots, **made(takes=TAKES))
            bench.runner.prefetch(wanted.sides, wanted.render)
            time.sleep(LOOKED_AT_S)
            before = time.process_time()
            status, _ = bench.run(wanted)
            found.worked.append((time.process_time() - before) / len(status.sides))
            found.waited += [made_in(side) - ENGINE_S for side in status.sides]
    return found


def memory(comparisons: int) -> list[float]:
    """RSS in MB before, and after each eighth of so many comparisons, one after the other."""
    found = []
    with outside(FAST_S) as at, at.bench() as bench:
        slots = [bench.reference(f"{number}.jpg", data, ROLES[number]) for number, data in enumerate(samples())]
        for number in range(comparisons + 1):
            if number % (comparisons // 8) == 0:
                found.append(rss_mb())
            bench.run(comparison(*slots, **made(takes=TAKES)))
    return found


def report(rounds: int, comparisons: int) -> str:
    """The section as Markdown."""
    kinds = {
        "none": [],
        "five of the sample library": samples(),
        "five photos of 12 megapixels": [photo(seed) for seed in range(5)],
    }
    rows = []
    with outside() as at:
        overhead(at, [], 1)  # the fake engine paints its pictures the first time
        for name, pictures in kinds.items():
            plain = statistics.median(bare(at, pictures, rounds, at_once=AT_ONCE)) * 1e3
            rows.append(f"| {name} | {plain:.0f} | {overhead_of_takes(at, pictures, rounds)} |")
    kept = memory(comparisons)
    return "\n".join(
        [
            HEADING,
            "",
            f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · load average of the last minute at the end "
            f"{os.getloadavg()[0]:.1f} · Python {platform.python_version()} · the fake engine takes {ENGINE_S:g} s. "
            "`python -m bench.takes` makes this section.",
            "",
            f"Milliseconds that each of {2 * TAKES} pictures takes beyond the engine's own time (target: 150), "
            f"{AT_ONCE} being made at a time, and processor time of our process for each. The plan was shown before. "
            f"Beside it what {AT_ONCE} bare calls of the SDK take side by side.",
            "",
            "| references | bare calls, ms | each picture, ms | processor, ms |",
            "|---|---|---|---|",
            *rows,
            "",
            f"Memory (RSS) before and after each eighth of {comparisons} comparisons of {TAKES} takes a side, one "
            f"after the other, with an engine of {FAST_S:g} s, MB: {', '.join(f'{each:.0f}' for each in kept)}.",
            "",
        ]
    )


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--comparisons", type=int, default=COMPARISONS)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    section = report(asked.rounds, asked.comparisons)
    print(section)
    if not asked.print_only:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
