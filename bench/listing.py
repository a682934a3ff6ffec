"""Listing and index against boto3's paginator, rclone and s5cmd, over one loopback S3 with a set latency.

`python -m bench.listing` puts its section into RESULTS.md; `python -m bench.listing 1000 10000 --print-only`
is a quick look. Every contender lists the same keys from the same server in the same run, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pyarrow as pa
from botocore.config import Config

from bench.results import write_section
from core.references.listing.list_page import read_list_page
from core.references.listing.listing import Listing, list_all
from core.references.reference import Filter
from core.references.table import ReferenceTable
from core.references.vocabulary import Role, load_vocabulary
from core.storage.client import Reach
from core.storage.list_pages import ListPages

ROOT = Path(__file__).resolve().parents[1]
HEADING = "## Listing and index"
BUCKET, PREFIX = "bench", "refs/"
ACCESS_KEY, SECRET_KEY = "bench", "bench-bench"
STALL_KEYS = 100_000
TICK_S = 0.005
QUESTIONS = ("araya", "jpg", "서연 05", "noir cosmetics", "nothing like it", "model/a")


@contextmanager
def served(count: int, latency_s: float) -> Iterator[str]:
    """A list server in a process of its own; gives its address."""
    command = [sys.executable, str(ROOT / "bench" / "list_server.py"), str(count), str(latency_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip() if process.stdout else ""
        process.communicate()  # closes its standard input, which ends it


def contenders(address: str, workers: int, hints: tuple[str, ...]) -> dict[str, Callable[[], int]]:
    """What lists, by name; each gives the number of keys."""
    list_pages = ListPages(Reach(BUCKET, address, ACCESS_KEY, SECRET_KEY))
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=address,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )

    def by_boto3() -> int:
        found = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX)
        return len([row for page in found for row in page.get("Contents", ())])

    ways: dict[str, Callable[[], int]] = {
        "ours, cold": lambda: len(list_all(list_pages, PREFIX, workers=workers)),
        "ours, warm": lambda: len(list_all(list_pages, PREFIX, workers=workers, hints=hints)),
        "boto3 paginator": by_boto3,
    }
    env = os.environ | {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}

    def by(command: list[str]) -> Callable[[], int]:
        return lambda: subprocess.run(command, env=env, check=True, capture_output=True).stdout.count(b"\n")

    if rclone := program("rclone"):
        remote = f":s3,provider=Other,env_auth=true,endpoint='{address}',list_version=2:{BUCKET}/{PREFIX}"
        ways["rclone lsf -R"] = by([rclone, "--config", os.devnull, "lsf", "-R", "--fast-list", "--files-only", remote])
    if s5cmd := program("s5cmd"):
        ways["s5cmd ls"] = by([s5cmd, "--endpoint-url", address, "ls", f"s3://{BUCKET}/{PREFIX}*"])
    return ways


def program(name: str) -> str | None:
    """Where a program is, the environment's own first."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


def race(count: int, latency_s: float, workers: int, rounds: int) -> tuple[dict[str, float], Listing]:
    """Median seconds of every contender, and the listing."""
    with served(count, latency_s) as address:
        list_pages = ListPages(Reach(BUCKET, address, ACCESS_KEY, SECRET_KEY))
        listing = list_all(list_pages, PREFIX, workers=workers)
        ways = contenders(address, workers, listing.hints())
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(rounds):
            for name, way in ways.items():
                # the slow ones take minutes at a million and vary by seconds: once is enough
                if turn and count >= 1_000_000 and not name.startswith("ours"):
                    continue
                started = time.perf_counter()
                found = way()
                spent[name].append(time.perf_counter() - started)
                if found != count:
                    raise SystemExit(f"{name} listed {found} of {count} keys")
                print(f"{count:>9,}  {name:<16} {spent[name][-1]:8.3f} s", flush=True)
    return {name: statistics.median(times) for name, times in spent.items()}, listing


def page_cpu_ms(latency_s: float = 0.0) -> tuple[float, float]:
    """CPU of reading one full page, and of fetching it."""
    with served(20_000, latency_s) as address:
        list_pages = ListPages(Reach(BUCKET, address, ACCESS_KEY, SECRET_KEY))
        raw = list_pages.page(PREFIX)
        return cpu_ms(lambda: read_list_page(raw).rows), cpu_ms(lambda: list_pages.page(PREFIX))


def cpu_ms(work: Callable[[], object], rounds: int = 60) -> float:
    """Median CPU of this thread."""
    spent = []
    for _ in range(rounds):
        started = time.thread_time()
        work()
        spent.append((time.thread_time() - started) * 1e3)
    return statistics.median(spent)


def wall_ms(work: Callable[[], object], rounds: int = 21) -> float:
    """Median wall-clock time."""
    spent = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        spent.append((time.perf_counter() - started) * 1e3)
    return statistics.median(spent)


def index_figures(listing: Listing) -> dict[str, float]:
    """Memory for a key, and how long the questions take."""
    vocabulary = load_vocabulary(ROOT / "labels" / "attributes.toml")
    started = time.perf_counter()
    table = ReferenceTable.of(listing, vocabulary)
    build_s = time.perf_counter() - started
    del table
    arrow_before = pa.total_allocated_bytes()
    tracemalloc.start()
    table = ReferenceTable.of(listing, vocabulary)
    python_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    total = python_bytes + pa.total_allocated_bytes() - arrow_before
    some = iter(random.Random(3).choices(listing.keys, k=2001))
    middle = listing.keys[len(listing) // 2]
    folder = middle[: middle.rfind("/", 0, len(middle) // 2) + 1]
    figures = {
        "build, s": build_s,
        "memory, bytes a key": total / len(table),
        "exact key, µs": wall_ms(lambda: table.get(next(some)), 2001) * 1e3,
        "prefix and a page of 60, ms": wall_ms(lambda: list(table.prefixed(folder)[:60])),
        "role and tone, a page of 60, ms": wall_ms(
            lambda: list(table.search(Filter(role=Role.TONE, tone="noir"))[:60])
        ),
    }
    searches = [wall_ms(lambda text=text: list(table.search(Filter(text=text))[:60]), 9) for text in QUESTIONS]  # type: ignore[misc]
    return figures | {"text search, median, ms": statistics.median(searches), "text search, worst, ms": max(searches)}


def stalls(latency_s: float, workers: int) -> dict[str, tuple[float, float]]:
    """How late an event loop's timers ring (p95, worst, in ms): at rest, and while 100k keys are refreshed."""
    vocabulary = load_vocabulary(ROOT / "labels" / "attributes.toml")
    with served(STALL_KEYS, latency_s) as address:
        list_pages = ListPages(Reach(BUCKET, address, ACCESS_KEY, SECRET_KEY))
        first = list_all(list_pages, PREFIX, workers=workers)
        table = ReferenceTable.of(first, vocabulary)

        def refresh(hints: tuple[str, ...]) -> object:
            following = ReferenceTable.of(list_all(list_pages, PREFIX, workers=workers, hints=hints), vocabulary)
            return following.drift_since(table)

        works: dict[str, Callable[[], object]] = {
            "at rest": lambda: time.sleep(2),  # what the machine itself is late by
            "cold refresh": lambda: [refresh(()) for _ in range(3)],
            "warm refresh": lambda: [refresh(first.hints()) for _ in range(3)],
        }
        late = {}
        for name, work in works.items():
            late[name] = lateness(work)
            print(f"{name:<14} timers late: p95 {late[name][0]:.1f} ms, worst {late[name][1]:.1f} ms", flush=True)
        return late


def lateness(work: Callable[[], object]) -> tuple[float, float]:
    """p95 and worst lateness in ms of a loop that ticks while a thread works."""

    async def tick(worker: threading.Thread) -> list[float]:
        late = []
        while worker.is_alive():
            due = time.perf_counter() + TICK_S
            await asyncio.sleep(TICK_S)
            late.append((time.perf_counter() - due) * 1e3)
        return late

    worker = threading.Thread(target=work)
    worker.start()
    late = asyncio.run(tick(worker))
    return statistics.quantiles(late, n=20)[-1], max(late)


def report(
    latency_s: float,
    workers: int,
    races: dict[int, dict[str, float]],
    index: dict[int, dict[str, float]],
    page: tuple[float, float],
    late: dict[str, tuple[float, float]],
) -> str:
    """The section as Markdown."""
    names = list(next(iter(races.values())))
    lines = [
        HEADING,
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · {latency_s * 1e3:.0f} ms a page, {workers} workers.",
        f"{versions()}. `python -m bench.listing` makes this section.",
        "",
        f"Load average of the last quarter of an hour: {os.getloadavg()[2]:.1f}.",
        "",
        "Seconds to list, and how many times faster than boto3's paginator in the same run. Medians; of a",
        "million keys the others have one run each:",
        "",
        f"| keys | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
    ]
    for count, medians in races.items():
        base = medians["boto3 paginator"]
        cells = (f"{medians[name]:.2f} ({base / medians[name]:.1f}x)" for name in names)
        lines.append(f"| {count:,} | {' | '.join(cells)} |")
    lines += ["", f"CPU for a page of 1000 rows: {page[0]:.1f} ms to read, {page[1]:.1f} ms to sign and fetch.", ""]
    lines += [f"| index of | {' | '.join(f'{count:,}' for count in index)} |", f"|---|{'---|' * len(index)}"]
    for name in next(iter(index.values())):
        lines.append(f"| {name} | {' | '.join(f'{figures[name]:.2f}' for figures in index.values())} |")
    lines += ["", "Lateness of an event loop's timers while 100,000 keys are refreshed (listing, index, drift):", ""]
    lines += ["| | p95, ms | worst, ms |", "|---|---|---|"]
    for name, (p95, worst) in late.items():
        lines.append(f"| {name} | {p95:.1f} | {worst:.1f} |")
    return "\n".join([*lines, ""])


def machine() -> str:
    """Processor and cores."""
    info = Path("/proc/cpuinfo")
    model = platform.processor() or platform.machine()
    if info.exists():
        named = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = named[0] if named else model
    return f"{model}, {os.cpu_count()} cores"


def versions() -> str:
    """What was measured."""
    packages = ("boto3", "lxml", "pyarrow", "numpy")
    found = [f"Python {platform.python_version()}", *(f"{p} {importlib.metadata.version(p)}" for p in packages)]
    if rclone := program("rclone"):
        answered = subprocess.run([rclone, "version"], check=True, capture_output=True, text=True).stdout
        found.append(answered.splitlines()[0])
    if not program("s5cmd"):
        found.append("s5cmd not installed")
    return ", ".join(found)


def main() -> None:
    """Run everything for the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--latency-ms", type=float, default=80)
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    latency_s = asked.latency_ms / 1e3
    races: dict[int, dict[str, float]] = {}
    index: dict[int, dict[str, float]] = {}
    for count in asked.sizes:
        races[count], listing = race(count, latency_s, asked.workers, asked.rounds)
        index[count] = index_figures(listing)
        print(*(f"{count:>9,}  {name}: {figure:.2f}" for name, figure in index[count].items()), sep="\n", flush=True)
    late = stalls(latency_s, asked.workers)
    section = report(latency_s, asked.workers, races, index, page_cpu_ms(), late)
    print(section)
    if not asked.print_only:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
