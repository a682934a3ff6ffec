"""What our side adds to the engine's own time, what a comparison costs over its slower side, and a long queue.

`python -m bench.generation` puts its section into RESULTS.md; `--print-only` leaves it. The engine is the fake that
speaks OpenAI's protocol, which waits a known time before each event; S3 is a loopback server with the embedded bucket.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import logging
import os
import platform
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openai
import structlog
from PIL import Image

from bench.listing import ROOT as PROJECT
from bench.listing import machine
from bench.results import write_section
from core.generation.engines.openai_engine import OpenAIEngine
from core.generation.records.attempt import this_server
from core.generation.records.attempt_status import ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison, SideRecord, Size
from core.generation.records.history import History
from core.generation.running.runner import RunLimits, Runner
from core.injection.request.slots import Slot
from core.injection.request.wishes import Mode, SideName
from core.openai.client import Endpoint
from core.references.vocabulary import Role
from core.storage.client import Reach
from core.storage.embedded.server import EmbeddedS3
from core.storage.s3 import Store
from tests.generation.comparisons import comparison, slot
from tests.support.ports import own_port

HEADING = "## Generation"
SIZE = Size(width=1024, height=1280)
MODEL = "gpt-image-2"
ENGINE_S = 1.0
EVENTS = 4  # three partial pictures and the finished one
LOOKED_AT_S = 2.0  # the plan, before Generate is pressed
SLOW_EVENT_S = 2.0  # what the fake does with a prompt that says [[slow]]
PEOPLE, EACH = 20, 10
ROLES = (Role.TONE, Role.ANGLE, Role.MODEL, Role.MODEL, Role.MODEL)


@dataclass
class Bench:
    """A bucket, an engine and a runner on them, with nothing warm. The first two are processes of their own."""

    store: Store
    openai_url: str
    runner: Runner

    def reference(self, name: str, data: bytes, role: Role) -> Slot:
        """Put a reference into the bucket."""
        key = f"bench/refs/{name}"
        return slot(key, self.store.put(key, data, content_type="image/jpeg"), role)

    def run(self, wanted: Comparison) -> tuple[ComparisonStatus, float]:
        """Order it and wait; seconds from the press to the end of its last picture."""
        started = time.monotonic()
        self.runner.submit(wanted)
        status = self.runner.wait(wanted.id, poll_s=0.02)
        return status, time.monotonic() - started


@dataclass(frozen=True)
class Outside:
    """Where the bucket and the engine are."""

    s3: dict[str, str]
    openai_url: str

    @contextmanager
    def bench(self) -> Iterator[Bench]:
        """A new server of ours."""
        store = Store(Reach(EmbeddedS3.bucket, self.s3["endpoint_url"], self.s3["access_key"], self.s3["secret_key"]))
        engine = OpenAIEngine(Endpoint("sk-bench", self.openai_url), model=MODEL)
        history = History(store, app_prefix="bench/", server=this_server())
        runner = Runner(history, store, {engine.name: engine}, RunLimits(concurrency=4, deadline_s=240))
        try:
            yield Bench(store, self.openai_url, runner)
        finally:
            runner.close()


@contextmanager
def outside(engine_s: float = ENGINE_S) -> Iterator[Outside]:
    """Start the bucket and the engine."""
    port = own_port()
    engine = [sys.executable, "tests/fakes/openai_server.py", f"--port={port}", f"--delay={engine_s / EVENTS}"]
    with ExitStack() as ending:
        folder = ending.enter_context(tempfile.TemporaryDirectory())
        bucket = [sys.executable, "tests/support/s3/serve_embedded.py", folder, str(PROJECT / "samples" / "refs"), "0"]
        quiet: dict[str, Any] = {"cwd": PROJECT, "stderr": subprocess.DEVNULL}
        fake = ending.enter_context(subprocess.Popen(engine, stdout=subprocess.DEVNULL, **quiet))
        ending.callback(fake.kill)
        # it serves until its standard input ends
        s3 = ending.enter_context(subprocess.Popen(bucket, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **quiet))
        said = s3.stdout.readline() if s3.stdout else b""
        ending.callback(s3.kill)
        url = f"http://127.0.0.1:{port}/v1"
        while not _listens(port):
            threading.Event().wait(0.05)
        yield Outside(json.loads(said), url)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def noisy(seed: int) -> bytes:
    """A camera's 12 megapixels with as much noise as a JPEG can hold, some 10 MB."""
    pixels = np.random.default_rng(seed).integers(0, 255, (3000, 4000, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    return out.getvalue()


def photo(seed: int) -> bytes:
    """A camera's 12 megapixels of an ordinary scene, some 3 MB."""
    coarse = np.random.default_rng(seed).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    scene = Image.fromarray(coarse).resize((4000, 3000), Image.Resampling.BICUBIC)
    grain = Image.effect_noise((4000, 3000), 6).convert("RGB")
    out = io.BytesIO()
    Image.blend(scene, grain, 0.15).save(out, "JPEG", quality=90)
    return out.getvalue()


def samples() -> list[bytes]:
    """Five pictures of the sample library."""
    files = sorted((PROJECT / "samples" / "refs").rglob("*.jpg"))
    return [file.read_bytes() for file in files[:: max(1, len(files) // 5)][:5]]


@dataclass
class Overhead:
    """What sides took beyond the engine's own time, and the processor time of our process for each, in seconds."""

    waited: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        wall = f"{statistics.median(self.waited) * 1e3:.0f} (worst {max(self.waited) * 1e3:.0f})"
        return f"{wall} | {statistics.median(self.worked) * 1e3:.0f}"


def overhead(at: Outside, pictures: list[bytes], rounds: int) -> tuple[Overhead, Overhead, Overhead]:
    """Of a comparison's sides, with references nobody has planned with, such as a plan has shown, and met before."""
    cold, planned, warm = Overhead(), Overhead(), Overhead()
    for _ in range(rounds):
        for first in (cold, planned):
            with at.bench() as bench:
                slots = [bench.reference(f"{number}.jpg", data, ROLES[number]) for number, data in enumerate(pictures)]
                for found in (first, warm):
                    wanted = comparison(*slots, **made())
                    if found is planned:
                        bench.runner.prefetch(wanted.sides, wanted.render)
                        time.sleep(LOOKED_AT_S)
                    before = time.process_time()
                    status, _ = bench.run(wanted)
                    found.worked.append((time.process_time() - before) / len(status.sides))
                    found.waited += [made_in(side) - ENGINE_S for side in status.sides]
    return cold, planned, warm


def made(**more: Any) -> dict[str, Any]:
    """What every comparison here is made with."""
    return {"mode": Mode.COMPARE, "engine": "openai", "model": MODEL, "size": SIZE, "quality": "low", **more}


def bare(at: Outside, pictures: list[bytes], rounds: int, *, at_once: int = 2) -> list[float]:
    """Seconds beyond the engine's own that bare calls of the SDK take, side by side, with the very same files."""
    spent: list[float] = []
    files = [(f"{number}.jpg", data, "image/jpeg") for number, data in enumerate(pictures)]
    asked: dict[str, Any] = {
        "model": MODEL,
        "prompt": "a plain call",
        "size": f"{SIZE.width}x{SIZE.height}",
        "quality": "low",
    }

    def call(client: openai.OpenAI) -> float:
        started = time.monotonic()
        streamed: dict[str, Any] = {**asked, "stream": True, "partial_images": EVENTS - 1}
        stream = client.images.edit(image=files, **streamed) if files else client.images.generate(**streamed)
        with stream:
            *_, finished = stream
        base64.b64decode(finished.b64_json)
        return time.monotonic() - started - ENGINE_S

    with openai.OpenAI(api_key="sk-bench", base_url=at.openai_url, max_retries=0) as client:
        call(client)  # its connections are there, as a script's would be after its first call
        for _ in range(rounds):
            with ThreadPoolExecutor(at_once) as together:
                spent += together.map(call, [client] * at_once)
    return spent


def made_in(side: SideStatus) -> float:
    """Seconds that a side's attempt took. Raises SystemExit if it brought no picture."""
    if side.latest is None or side.latest.picture is None:
        raise SystemExit(f"a side was not made: {side}")
    return side.latest.seconds


def slower_side(at: Outside) -> tuple[float, float]:
    """Seconds of the slower side's engine, four times the other's, and of the whole comparison."""
    slow_s = SLOW_EVENT_S * EVENTS
    with at.bench() as bench:
        wanted = comparison(engine="openai", model=MODEL, size=SIZE, quality="low")
        sides = tuple(_slowed(side) if side.side is SideName.TONE_ANGLE else side for side in wanted.sides)
        return slow_s, bench.run(wanted.model_copy(update={"sides": sides}))[1]


def _slowed(side: SideRecord) -> SideRecord:
    return side.model_copy(update={"prompt": "[[slow]]"})


def queue(at: Outside) -> dict[str, str]:
    """200 comparisons of 20 people who press at the same time: how they end, how fair, and what stays in memory."""
    with at.bench() as bench:
        bench.run(_small("warm-up@studio"))
        first_rss, peak, done = rss_mb(), [0.0], threading.Event()
        watcher = threading.Thread(target=_watch, args=(peak, done))
        watcher.start()
        people = [f"person-{number}@studio" for number in range(PEOPLE)]
        orders = {person: [_small(person) for _ in range(EACH)] for person in people}

        def press(person: str) -> None:
            for each in orders[person]:
                bench.runner.submit(each)

        started = time.monotonic()
        with ThreadPoolExecutor(PEOPLE) as pressing:
            list(pressing.map(press, people))
        statuses = {person: [bench.runner.wait(each.id, poll_s=0.5) for each in orders[person]] for person in people}
        seconds = time.monotonic() - started
        done.set()
        watcher.join()
        last_rss = rss_mb()
    ended = {person: [_begun(status) for status in mine] for person, mine in statuses.items()}
    shares = [sorted(at for begun in ended[person] for at in begun) for person in people]
    begun = sorted(at for share in shares for at in share)
    half = begun[len(begun) // 2]
    had = [sum(at <= half for at in share) for share in shares]
    return {
        "sides made, of those ordered": f"{len(begun)} of {PEOPLE * EACH * 2}",
        "seconds for all": f"{seconds:.0f}",
        "each person's comparisons began in the order of their presses": "yes"
        if all(mine == sorted(mine) for mine in ([min(begun) for begun in ended[person]] for person in people))
        else "no",
        "sides begun for each person when half of all had: fewest, most": f"{min(had)}, {max(had)}",
        "memory (RSS) before, at most, after, MB": f"{first_rss:.0f}, {max(peak):.0f}, {last_rss:.0f}",
    }


def _begun(status: ComparisonStatus) -> list[datetime]:
    """When its sides began, of those that brought a picture."""
    return [side.latest.started_at for side in status.sides if side.latest and side.latest.picture]


def _small(person: str) -> Comparison:
    small = Size(width=1024, height=640)
    return comparison(engine="openai", model=MODEL, size=small, quality="low", person=person)


def _watch(peak: list[float], done: threading.Event) -> None:
    while not done.wait(0.2):
        peak.append(rss_mb())


def rss_mb() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(next(line for line in status.read_text().splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def report(rounds: int) -> str:
    """The section as Markdown."""
    kinds = {
        "none": [],
        "five of the sample library": samples(),
        "five photos of 12 megapixels": [photo(seed) for seed in range(5)],
        "five of 12 megapixels of pure noise": [noisy(seed) for seed in range(5)],
    }
    with outside() as at:
        overhead(at, [], 1)  # the fake engine paints its pictures the first time
        rows = []
        for name, pictures in kinds.items():
            found = " | ".join(map(str, overhead(at, pictures, rounds)))
            plain = statistics.median(bare(at, pictures, rounds)) * 1e3
            rows.append(f"| {name} ({sum(map(len, pictures)) / 1e6:.1f} MB) | {plain:.0f} | {found} |")
        slow_s, both_s = slower_side(at)
        queued = queue(at)
    return "\n".join(
        [
            HEADING,
            "",
            f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · load average of the last minute at the end "
            f"{os.getloadavg()[0]:.1f} · Python {platform.python_version()} · the fake engine takes {ENGINE_S:g} s; "
            "engine and S3 are processes of their own on the same machine. `python -m bench.generation` makes this "
            "section.",
            "",
            "Milliseconds that a side of a comparison takes beyond the engine's own time, from the moment it is taken "
            "from the queue until its picture is in S3 (target: 150), and processor time of our process for it, which "
            "other work on the machine does not change. Beside it what two bare calls of the SDK take beyond the same "
            "second, side by side and with the same files: the way to the engine and its reading of them. In the "
            "browser the plan is shown before the press; only the command line orders what it has just planned.",
            "",
            "| references | bare calls, ms | never planned with, ms | processor, ms | shown in the plan for "
            f"{LOOKED_AT_S:g} s, ms | processor, ms | met before, ms | processor, ms |",
            "|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"A comparison whose sides take {ENGINE_S:g} s and {slow_s:g} s took {both_s:.2f} s from the press to the "
            f"end: {both_s - slow_s:.2f} s more than its slower side.",
            "",
            f"{PEOPLE} people press {EACH} times each, all at once; four sides are made at a time:",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in queued.items()),
            "",
        ]
    )


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    section = report(asked.rounds)
    print(section)
    if not asked.print_only:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
