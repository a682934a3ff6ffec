"""History over many comparisons: rebuilt from the records alone, opened by its month files, and searched.

`python -m bench.history` puts its section into RESULTS.md; `python -m bench.history 2000 --print-only` is
a quick look. Every comparison has seven objects in a loopback S3 that answers with a set latency.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from bench.history_server import BUCKET, DAYS, PEOPLE, ROOT
from bench.listing import ROOT as PROJECT
from bench.listing import machine
from bench.results import write_section
from core.generation.records.attempt import this_server
from core.generation.records.history import History, HistoryFilter
from core.generation.running.runner import RunLimits, Runner
from core.storage.client import Reach
from core.storage.list_pages import ListPages
from core.storage.s3 import Store

HEADING = "## History"
SHOWN = 25
SEARCHES = {
    "a word in most prompts": HistoryFilter(text="street"),
    "two Korean words": HistoryFilter(text="서울 거리"),
    "a phrase in few prompts": HistoryFilter(text="red coat on a"),
    "nothing like it": HistoryFilter(text="no such words"),
    "person, tone and angle": HistoryFilter(person=PEOPLE[3], tone="noir", angle="overhead"),
    "a reference": HistoryFilter(reference="refs/client 3/2026/02. Tone/noir/p 100.jpg"),
}


@contextmanager
def served(count: int, latency_s: float) -> Iterator[str]:
    """The server in a process of its own; gives its address."""
    command = [sys.executable, str(PROJECT / "bench" / "history_server.py"), str(count), str(latency_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip() if process.stdout else ""
        process.communicate()  # closes its standard input, which ends it


def timed(work: Callable[[], object]) -> float:
    """Wall-clock seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(count: int, latency_s: float, rounds: int) -> dict[str, float]:
    """Seconds for each question, in the order in which a new server meets them."""
    found: dict[str, float] = {}
    with served(count, latency_s) as address:

        def history() -> tuple[History, Runner]:
            reach = Reach(BUCKET, address, "bench", "bench-bench")
            store, list_pages = Store(reach), ListPages(reach)
            made = History(
                store, app_prefix=ROOT.removesuffix("generations/"), server=this_server(), list_pages=list_pages
            )
            return made, Runner(made, store, {}, RunLimits(concurrency=1, deadline_s=270))

        def opened() -> tuple[History, float, float]:
            fresh, runner = history()
            shown: list[str] = []
            newest_s = timed(lambda: shown.extend(c.id for c in fresh.newest(limit=SHOWN)))
            page_s = newest_s + timed(fresh.count) + timed(lambda: runner.statuses(shown))
            return fresh, newest_s, page_s

        first, found["first screen of a server that has no month files"], _ = opened()
        found["cold rebuild, month files written"] = timed(first.catch_up)
        found["a later round of all listings"] = timed(first.catch_up)
        if first.count() != count:
            raise SystemExit(f"{first.count()} of {count} comparisons were found")
        runs = [opened() for _ in range(rounds)]
        found["open: the newest 25 and the count"] = statistics.median(run[1] for run in runs)
        found["open: the whole page, with the state of each side"] = statistics.median(run[2] for run in runs)
        warm = runs[-1][0]
        if warm.count() != count:
            raise SystemExit(f"{warm.count()} of {count} comparisons were opened")
        found["what a person was given last, on a server that is up"] = timed(lambda: warm.last_given(PEOPLE[5]))
        found["how often a reference was used"] = timed(
            lambda: warm.used_in("refs/client 3/2026/02. Tone/noir/p 100.jpg")
        )
        for name, wanted in SEARCHES.items():
            spent = [timed(lambda wanted=wanted: warm.newest(limit=SHOWN, wanted=wanted)) for _ in range(rounds)]  # type: ignore[misc]
            found[f"search: {name}"] = statistics.median(spent)
    return found


def report(count: int, latency_s: float, found: dict[str, float]) -> str:
    """The section as Markdown."""
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return "\n".join(
        [
            HEADING,
            "",
            f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · Python {platform.python_version()} · "
            f"{latency_s * 1e3:.0f} ms an answer. {count:,} comparisons over {DAYS} days, "
            f"{7 * count:,} objects; server and client share the machine. Memory at the end {memory_mb:.0f} MB.",
            "`python -m bench.history` makes this section.",
            "",
            "| | seconds |",
            "|---|---|",
            *(f"| {name} | {seconds:.2f} |" for name, seconds in found.items()),
            "",
        ]
    )


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", nargs="?", type=int, default=50_000)
    parser.add_argument("--latency-ms", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    section = report(asked.count, asked.latency_ms / 1e3, measure(asked.count, asked.latency_ms / 1e3, asked.rounds))
    print(section)
    if not asked.print_only:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
