"""What our side adds to the engine's own time, what a comparison costs over its slower side, and a long queue.

`python -m bench.generation` puts its section into RESULTS.md; `--print-only` leaves it. The engine is the fake that
speaks OpenAI's protocol, which waits a known time before each event; S3 is a loopback server with the embedded bucket.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

from bench.listing import ROOT as PROJECT
from bench.listing import machine
from bench.results import write_section
from core.generation.comparison import Comparison, ComparisonStatus, SideRecord, SideStatus, Size
from core.generation.history import History, this_server
from core.generation.openai_engine import OpenAIEngine
from core.generation.runner import Runner
from core.injection.slots import Slot
from core.injection.wishes import Mode, SideName
from core.references.attributes import Role
from core.storage.embedded import EmbeddedS3
from core.storage.s3 import Store
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Received
from tests.generation.comparisons import comparison, slot

HEADING = "## Generation"
SIZE = Size(width=1024, height=1280)
MODEL = "gpt-image-2"
ENGINE_S = 2.0
EVENTS = 4  # three partial pictures and the finished one
PEOPLE, EACH = 20, 10


@dataclass
class Bench:
    """A bucket, an engine and a runner on them."""

    store: Store
    fake: FakeOpenAI
    runner: Runner

    def reference(self, name: str, data: bytes, role: Role) -> Slot:
        """Put a reference into the bucket."""
        key = f"bench/refs/{name}"
        return slot(key, self.store.put(key, data, content_type="image/jpeg"), role)

    def run(self, wanted: Comparison) -> tuple[ComparisonStatus, float]:
        """Order it and wait; seconds from the press to the end of its last side."""
        started = time.monotonic()
        self.runner.submit(wanted)
        status = self.runner.wait(wanted.id, poll_s=0.005)
        return status, time.monotonic() - started


@contextmanager
def opened(concurrency: int = 4) -> Iterator[Bench]:
    """Everything, with nothing warm."""
    with tempfile.TemporaryDirectory() as folder, FakeOpenAI().serving() as fake:
        s3 = EmbeddedS3.open(Path(folder), PROJECT / "samples" / "refs")
        store = Store(s3.bucket, endpoint_url=s3.endpoint_url, access_key=s3.access_key, secret_key=s3.secret_key)
        server = this_server()
        history = History(store, app_prefix="bench/", server=server)
        engine = OpenAIEngine("sk-bench", model=MODEL, base_url=fake.base_url)
        runner = Runner(history, store, {engine.name: engine}, concurrency=concurrency, deadline_s=120, server=server)
        try:
            yield Bench(store, fake, runner)
        finally:
            runner.close()
            s3.close()


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


def overhead(pictures: list[bytes], rounds: int) -> tuple[list[float], list[float]]:
    """Seconds that a side's attempt took beyond the engine's time, with nothing warm and with references met before."""
    cold, warm = [], []
    roles = (Role.TONE, Role.ANGLE, Role.MODEL, Role.MODEL, Role.MODEL)
    for _ in range(rounds + 1):
        with opened() as bench:
            slots = [bench.reference(f"{at}.jpg", data, roles[at]) for at, data in enumerate(pictures)]
            for found in (cold, warm):
                bench.fake.reset()
                bench.fake.default = Behaviour(delay_s=ENGINE_S / EVENTS)
                wanted = comparison(*slots, mode=Mode.COMPARE, engine="openai", model=MODEL, size=SIZE, quality="low")
                status, _ = bench.run(wanted)
                found += [made_in(side) - ENGINE_S for side in status.sides]
    return cold[2:], warm[2:]  # in the first round the fake paints its pictures


def made_in(side: SideStatus) -> float:
    """Seconds that a side's attempt took. Raises SystemExit if it brought no picture."""
    if side.latest is None or side.latest.picture is None:
        raise SystemExit(f"a side was not made: {side}")
    return side.latest.seconds


def slower_side(rounds: int) -> tuple[float, float, float]:
    """Seconds of each side alone, and of the comparison, when one side's engine takes three times as long."""
    fast_s, slow_s = 1.0, 3.0
    with opened() as bench:

        def behaviour(call: Received) -> Behaviour:
            return Behaviour(delay_s=(slow_s if "slow" in call.fields["prompt"] else fast_s) / EVENTS)

        bench.fake.choose(behaviour)
        took = []
        for _ in range(rounds):
            wanted = comparison(engine="openai", model=MODEL, size=SIZE, quality="low")
            sides = tuple(_slowed(side) if side.side is SideName.TONE_ANGLE else side for side in wanted.sides)
            took.append(bench.run(wanted.model_copy(update={"sides": sides}))[1])
    return fast_s, slow_s, statistics.median(took)


def _slowed(side: SideRecord) -> SideRecord:
    return side.model_copy(update={"prompt": "slow"})


def queue() -> dict[str, str]:
    """200 comparisons of 20 people at once: how they end, how fair, and what stays in memory."""
    with opened() as bench:
        _, first_rss = bench.run(_small("warm-up@studio"))[0], _rss_mb()
        orders = [_small(f"person-{number}@studio") for number in range(PEOPLE) for _ in range(EACH)]
        peak = [first_rss]
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(peak, done))
        watcher.start()
        started = time.monotonic()
        for each in orders:
            bench.runner.submit(each)
        ordered_s = time.monotonic() - started
        statuses = [bench.runner.wait(each.id, poll_s=0.1) for each in orders]
        seconds = time.monotonic() - started
        done.set()
        watcher.join()
        last_rss = _rss_mb()
    outcomes = [side.latest for status in statuses for side in status.sides]
    begun = sorted(
        (outcome.started_at, status.comparison.person)
        for status in statuses
        for side in status.sides
        if (outcome := side.latest)
    )
    last_of_first_round = max(
        next(at for at, (_, person) in enumerate(begun) if person == f"person-{number}@studio")
        for number in range(PEOPLE)
    )
    in_order = all(
        _starts(statuses, f"person-{number}@studio") == sorted(_starts(statuses, f"person-{number}@studio"))
        for number in range(PEOPLE)
    )
    return {
        "comparisons, all done": f"{len(statuses)}, {all(o is not None and o.picture is not None for o in outcomes)}",
        "to order all, s": f"{ordered_s:.1f}",
        "to make all, s": f"{seconds:.1f}",
        "each person's in the order of their presses": "yes" if in_order else "no",
        f"everybody's first side had begun by side number (of {len(begun)})": str(last_of_first_round + 1),
        "memory (RSS) before, at most, after, MB": f"{first_rss:.0f}, {max(peak):.0f}, {last_rss:.0f}",
    }


def _small(person: str) -> Comparison:
    small = Size(width=1024, height=640)
    return comparison(engine="openai", model=MODEL, size=small, quality="low", person=person)


def _starts(statuses: list[ComparisonStatus], person: str) -> list[datetime]:
    """When each of a person's comparisons began, in the order of their presses."""
    mine = [status for status in statuses if status.comparison.person == person]
    return [min(side.latest.started_at for side in status.sides if side.latest) for status in mine]


def _watch(peak: list[float], done: threading.Event) -> None:
    while not done.wait(0.2):
        peak.append(_rss_mb())


def _rss_mb() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(next(line for line in status.read_text().splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def report(rounds: int) -> str:
    """The section as Markdown."""
    kinds = {
        "five of the sample library": samples(),
        "five photos of 12 megapixels": [photo(seed) for seed in range(5)],
        "five of 12 megapixels of pure noise": [noisy(seed) for seed in range(5)],
        "none": [],
    }
    rows = []
    for name, pictures in kinds.items():
        cold, warm = overhead(pictures, rounds)
        size = sum(map(len, pictures)) / 1e6
        rows.append(f"| {name} ({size:.1f} MB) | {_ms(cold)} | {_ms(warm)} |")
    fast_s, slow_s, both_s = slower_side(rounds)
    return "\n".join(
        [
            HEADING,
            "",
            f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · load average {os.getloadavg()[0]:.1f} · Python "
            f"{platform.python_version()} · the fake engine takes {ENGINE_S:g} s; engine, S3 and our side share one "
            "process. `python -m bench.generation` makes this section.",
            "",
            "Milliseconds that a side of a comparison takes beyond the engine's own time, from the moment it is taken "
            f"from the queue until its picture is in S3: median and worst of {2 * rounds} sides. Target: 150.",
            "",
            "| references | met for the first time | met before |",
            "|---|---|---|",
            *rows,
            "",
            f"A comparison whose sides take {fast_s:g} s and {slow_s:g} s took {both_s:.2f} s from the press to the "
            f"end: {both_s - slow_s:.2f} s more than its slower side.",
            "",
            f"{PEOPLE} people press {EACH} times each, all at once; four sides are made at a time:",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in queue().items()),
            "",
        ]
    )


def _ms(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1e3:.0f}, {max(seconds) * 1e3:.0f}"


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    section = report(asked.rounds)
    print(section)
    if not asked.print_only:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
