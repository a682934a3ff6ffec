"""How fast ballots are drawn and votes are taken: 20,000 comparisons, 100,000 votes, 20 people at once.

`python -m bench.ballots` puts its section into RESULTS.md; with `--print-only` it leaves that alone.
"""

from __future__ import annotations

import io
import itertools
import logging
import os
import platform
import random
import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path

import numpy as np
from PIL import Image
from ulid import ULID

from bench.listing import machine
from bench.results import write_section
from bench.voting_people import people_voting
from core.concurrency.garbage import settle
from core.images.decode import decode_picture
from core.images.even_png import even_pngs
from core.record_index.month_file import MonthFile, day_of
from core.settings import Settings
from core.studio import Studio, build_studio
from core.viewer import PersonRole, Viewer
from core.votes.ballots.pairings import PAIRING_MONTHS, Pairing, PairPicture, PicturePair
from core.votes.records.vote_rows import VOTE_MONTHS, VoteRow
from core.votes.records.votes import Answer
from core.votes.selection import Filters

HEADING = "## Ballots and votes"
COMPARISONS, VOTES, VOTERS, PEOPLE, EACH = 20_000, 100_000, 40, 20, 10
PAUSE_S = 3.0  # between two answers of one person
FRESH = 600  # comparisons that nobody has judged yet, and whose pictures are there: the ones that are drawn first
DAYS = 300
TONES = ("vivid", "noir", "pastel")
ROUNDS = 15
NOW = datetime.now(UTC)


def png(grain: float, width: int = 1024, height: int = 1280) -> bytes:
    """A picture that compresses the worse the more grain it has."""
    chance = np.random.default_rng(7)
    shade = np.linspace(40, 200, width)[None, :, None] + chance.normal(0, grain, (height, width, 3))
    out = io.BytesIO()
    Image.fromarray(shade.clip(0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


SHOWN = png(4, 256, 320)
ETAG = md5(SHOWN, usedforsecurity=False).hexdigest()


def pairings() -> list[Pairing]:
    """Comparisons of ten months, a third of them not controlled."""
    return [pairing(number) for number in range(COMPARISONS)]


def pairing(number: int) -> Pairing:
    """One comparison of one take."""
    one = str(ULID.from_datetime(NOW - timedelta(days=DAYS * number / COMPARISONS)))
    made = [PairPicture(f"{side}-1.png", ETAG, 60.0, 20.0, 0.04, 0) for side in ("tone-only", "tone-angle")]
    return Pairing(
        id=one,
        etag=secrets.token_hex(16),
        person=f"person{number % 12}@studio.example",
        prompt=f"A portrait in a café, number {number % 4000}, with some more words as people write them",
        tone=TONES[number % 3],
        angle=("low-angle", "overhead", "profile", "close-up")[number % 4],
        persona=f"Persona {number % 50}",
        model="gpt-image-2",
        varies="angle",
        controlled=number % 3 > 0,
        a="tone-only",
        b="tone-angle",
        titles=("Tone only", "Tone + angle"),
        pairs=(PicturePair(1, made[0], made[1]),),
    )


def votes(judged: list[Pairing]) -> list[VoteRow]:
    """Votes of many people on these, each person's of pairs of their own."""
    chance, voters = random.Random(7), [secrets.token_hex(6) for _ in range(VOTERS)]
    return [
        vote(chance, voters[(number + number // len(judged)) % VOTERS], judged[number % len(judged)])
        for number in range(VOTES)
    ]


def vote(chance: random.Random, voter: str, judged: Pairing) -> VoteRow:
    """One vote, somewhere in the ten months."""
    moment = NOW - timedelta(days=DAYS * chance.random())
    ballot, pair = str(ULID.from_datetime(moment)), judged.pairs[0]
    return VoteRow(
        id=ballot,
        etag=secrets.token_hex(16),
        ballot=ballot,
        voter=voter,
        time=moment.timestamp(),
        comparison=judged.id,
        take=1,
        a=f"studio/generations/{day_of(judged.id)}/{judged.id}/{pair.a.file}",
        etag_a=pair.a.etag,
        b=f"studio/generations/{day_of(judged.id)}/{judged.id}/{pair.b.file}",
        etag_b=pair.b.etag,
        left=chance.choice("ab"),
        answer=chance.choice([each.value for each in Answer]),
        seconds=4.0,
        blind=True,
    )


def by_month(rows: list[Pairing] | list[VoteRow]) -> Iterator[tuple[str, list[Pairing | VoteRow]]]:
    """The rows of each month, like `2026/11`."""
    for month in sorted({day_of(row.id)[:7] for row in rows}):
        yield month, [row for row in rows if day_of(row.id).startswith(month)]


def fill(studio: Studio) -> None:
    """Put all of it into S3 as month files, below months of which something is there."""
    app, judged = studio.settings.s3_app_prefix, pairings()
    for root, months, packing, rows in (
        ("generations/", "votes/pairings/v1/", PAIRING_MONTHS, judged),
        ("votes/cast/", "votes/months/v1/", VOTE_MONTHS, votes(judged[FRESH:])),
    ):
        for month, of_month in by_month(rows):
            studio.store.put(f"{app}{root}{month}/01/there", b"", content_type="text/plain")
            data = packing.pack(MonthFile(NOW, tuple(of_month)))  # type: ignore[arg-type]  # of its own kind each
            studio.store.put(f"{app}{months}{month.replace('/', '-')}.jsonl.gz", data, content_type="application/gzip")
    for each in judged[:FRESH]:
        for picture in each.pairs[0].a, each.pairs[0].b:
            key = f"{app}generations/{day_of(each.id)}/{each.id}/{picture.file}"
            studio.store.put(key, SHOWN, content_type="image/png")


def seconds_of(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def waited(times: list[float]) -> str:
    """Median, 95th percentile and worst, in ms."""
    ordered = sorted(times)
    return " / ".join(f"{1000 * ordered[int(part * (len(ordered) - 1))]:.0f}" for part in (0.5, 0.95, 1.0))


def large(folder: Path) -> list[str]:
    """Drawing among all of them."""
    settings = Settings(data_dir=folder, vote_days=DAYS + 1)
    studio = build_studio(settings)
    try:
        fill(studio)
    finally:
        studio.close()
    studio = build_studio(settings)
    try:
        opened = seconds_of(lambda: (studio.pairings.look(), studio.vote_store.look()))
        settle()
        viewer = Viewer("someone@studio.example", PersonRole.DESIGNER)
        began = time.process_time()
        cold = seconds_of(lambda: studio.insights.answer(viewer, Filters()))
        cold_worked = time.process_time() - began
        known = studio.insights.answer(viewer, Filters()).votes
        filtered = [seconds_of(lambda tone=tone: studio.insights.answer(viewer, Filters(tone=tone))) for tone in TONES]
        studio.votes.ballots(viewer)
        drawn = [seconds_of(lambda: studio.votes.ballots(viewer, count=3)) for _ in range(ROUNDS)]
        began = time.thread_time()
        for _ in range(ROUNDS):
            studio.votes.ballots(viewer, count=3)
        worked = (time.thread_time() - began) / ROUNDS
        rows = while_votes_arrive(studio)
    finally:
        studio.close()
    return [
        f"| {COMPARISONS:,} comparisons and {VOTES:,} votes read from their month files, s | {opened:.1f} |",
        f"| three ballots drawn of them: median / worst of {ROUNDS}, ms (target: 50) "
        f"| {1000 * statistics.median(drawn):.0f} / {1000 * max(drawn):.0f} |",
        f"| the same, of one processor's time, mean, ms | {1000 * worked:.0f} |",
        f"| insights for the first time, {known:,} votes that count: s / of a processor, s (target: 1) "
        f"| {cold:.2f} / {cold_worked:.2f} |",
        f"| a filter of them, worst of {len(filtered)}, s (target: 0.3) | {max(filtered):.2f} |",
        *rows,
    ]


def while_votes_arrive(studio: Studio) -> list[str]:
    """Twenty people vote, and another filter is asked of insights every half second."""
    people = [Viewer(f"voter{number}@studio.example", PersonRole.DESIGNER) for number in range(PEOPLE)]
    done, pause = threading.Event(), threading.Event()
    answers: list[float] = []
    drawn: list[float] = []
    for viewer in people:
        studio.votes.pool(viewer)  # who is new asks S3 once

    def look() -> None:
        tones = itertools.cycle((None, *TONES))
        while not done.is_set():
            answers.append(seconds_of(lambda: studio.insights.answer(people[0], Filters(tone=next(tones)))))
            done.wait(0.5)

    def judge(viewer: Viewer) -> None:
        for _ in range(EACH):
            began = time.perf_counter()
            (ballot,) = studio.votes.ballots(viewer)
            drawn.append(time.perf_counter() - began)
            studio.votes.cast(viewer, ballot.token, Answer.TIE, seconds=1.0)
            pause.wait(PAUSE_S)

    looking = threading.Thread(target=look)
    looking.start()
    with ThreadPoolExecutor(PEOPLE) as pool:
        list(pool.map(judge, people))
    done.set()
    looking.join()
    return [
        f"| {PEOPLE} people vote every {PAUSE_S:g} s: a ballot drawn, median / 95th percentile / worst, ms "
        f"| {waited(drawn)} |",
        f"| insights asked meanwhile, another filter each half second: the same | {waited(answers)} |",
    ]


def pictures() -> list[str]:
    """What the two pictures of a ballot take of one processor."""
    files = [png(grain) for grain in (4, 12)]
    times = []
    for _ in range(5):
        began = time.process_time()
        first, second = (decode_picture(data) for data in files)
        even_pngs(first, second)
        times.append(time.process_time() - began)
    return [f"| two pictures of 1024 × 1280 read and written anew, s of a processor | {statistics.median(times):.2f} |"]


def together(folder: Path) -> list[str]:
    """Twenty people before the real page, each over a socket of their own, and the pictures they look at."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the S3's own log
    found = people_voting(folder, people=PEOPLE, votes=EACH, pause_s=PAUSE_S)
    return [
        f"| {PEOPLE} people vote every {PAUSE_S:g} s on one server over HTTP: from an answer to the next ballot, "
        f"median / 95th percentile / worst of {len(found.votes)}, ms | {waited(found.votes)} |",
        f"| a picture of a ballot meanwhile, of {len(found.pictures)}: the same, ms | {waited(found.pictures)} |",
    ]


def main() -> None:
    """Measure, print, and write the section."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [*large(Path(folder) / "large"), *pictures(), *together(Path(folder) / "together")]
    section = "\n".join(
        (
            HEADING,
            "",
            f"{NOW:%Y-%m-%d} · {machine()} · Python {platform.python_version()}. "
            "`python -m bench.ballots` makes this section.",
            f"Load average: {os.getloadavg()[0]:.1f}. The S3 of the large studio is the demo's, in the same process; "
            "over HTTP it is moto's, in the process of the people.",
            "",
            "| | |",
            "|---|---|",
            *rows,
            "",
        )
    )
    print(section)
    if "--print-only" not in sys.argv:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
