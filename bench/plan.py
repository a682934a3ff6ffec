"""How long a plan takes over a library of 100,000 references, in the shapes that cost most.

`python -m bench.plan` puts its section into RESULTS.md; with `--print-only` it leaves that alone.
"""

from __future__ import annotations

import hashlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.listing import machine
from bench.results import write_section
from core.concurrency.garbage import settle
from core.injection.plan import Planner
from core.injection.reading.reader import Reading
from core.injection.request.wishes import Ages, Wishes
from core.labels.published.label_file import LabelSet
from core.labels.published.schema import Gender, Label, LabelSource
from core.objects.objects import StoredObject
from core.references.index import ReferenceIndex, build_index
from core.references.vocabulary import Role, load_vocabulary

HEADING = "## Plan"
VOCABULARY = load_vocabulary(Path(__file__).parents[1] / "labels" / "attributes.toml")
MODIFIED = datetime(2026, 1, 1, tzinfo=UTC)
A_PERSON = Reading("offline", True, None, None, None, None, None, ())
ROUNDS = 15


def library(groups: int, pictures: int, personas: int) -> ReferenceIndex:
    """`groups` model groups over all tones and angles with `pictures` each, and a tone and an angle folder."""
    tones = [term.id for term in VOCABULARY.tones]
    angles = [term.id for term in VOCABULARY.angles]
    keys = [
        f"refs/01. Model/{at:03d} {tones[at % len(tones)]} {angles[at // len(tones) % len(angles)]}"
        f"/Persona{number % personas:04d} {number:05d}.jpg"
        for at in range(groups)
        for number in range(pictures)
    ]
    keys += [f"refs/02. Tone/{tone}/{number:03d}.jpg" for tone in tones for number in range(200)]
    keys += [f"refs/03. Angle/{angle}/{number:03d}.jpg" for angle in angles for number in range(200)]
    return build_index((stored(key) for key in keys), VOCABULARY)


def stored(key: str) -> StoredObject:
    """One row of a listing."""
    return StoredObject(key, hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(), 1000, MODIFIED)


def labels_for(index: ReferenceIndex) -> LabelSet:
    """Every portrait labelled, half of them each gender, over all ages of grown-ups."""
    portraits = [ref for folder in index.folders_of(Role.MODEL) for group in folder.groups for ref in group.usable]
    return LabelSet(
        Label(
            key=ref.key,
            etag=ref.etag,
            source=LabelSource.NOMINAL,
            age_low=20 + at % 60,
            age_high=20 + at % 60,
            gender_presentation=(Gender.FEMININE, Gender.MASCULINE)[at % 2],
        )
        for at, ref in enumerate(portraits)
    )


def timed(planner: Planner, wished: Mapping[str, Any]) -> list[float]:
    """Milliseconds of one plan after the other, each with another seed."""
    times = []
    for seed in range(ROUNDS):
        wishes = Wishes(prompt="a person at a window", tone="natural-film", angle="eye-level", seed=seed, **wished)
        started = time.perf_counter()
        planner.plan(wishes, A_PERSON)
        times.append((time.perf_counter() - started) * 1000)
    return times


def rows() -> Iterator[str]:
    """The median and the worst of each shape, the first plan of new labels and the first after a review apart."""
    shapes = {
        "100 groups of 1,000": library(100, 1_000, 400),
        "20 groups of 5,000": library(20, 5_000, 400),
        "2 groups of 50,000": library(2, 50_000, 400),
    }
    asked: dict[str, dict[str, Any]] = {
        "a person": {},
        "of a gender": {"gender": Gender.FEMININE},
        "of an age": {"ages": Ages(30, 39)},
        "of both": {"gender": Gender.FEMININE, "ages": Ages(40, 59)},
    }
    for shape, index in shapes.items():
        index.warm()  # as a refresh does before it hands the index out
        published = labels_for(index)
        settle()  # as a server does when it has started
        for wish, wished in asked.items():
            # new objects for every wish, so that none finds what the one before has looked up
            first, *rest = timed(Planner(index, LabelSet(published), max_model_references=3), wished)
            reviewed = published.under([next(iter(published))], version="reviewed")
            after_review = timed(Planner(index, reviewed, max_model_references=3), wished)[0]
            median, worst = statistics.median(rest), max(rest)
            yield f"| {shape}, {wish} | {first:.1f} | {after_review:.1f} | {median:.1f} | {worst:.1f} |"


def main() -> None:
    """Put the section into RESULTS.md."""
    lines = [
        HEADING,
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · Python {platform.python_version()}. `python -m bench.plan` "
        "makes this section.",
        f"Load average: {os.getloadavg()[0]:.1f}. 103,000 references, every portrait labelled; {ROUNDS} plans of both "
        "sides, each with another seed (target: 20 ms).",
        "",
        "| | the first after new labels, ms | the first after a review, ms | median, ms | worst, ms |",
        "|---|---|---|---|---|",
        *rows(),
    ]
    print(section := "\n".join([*lines, ""]))
    if "--print-only" not in sys.argv:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
