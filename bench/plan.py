"""How long a plan takes over a library of 100,000 references, in the shapes that cost most."""

from __future__ import annotations

import hashlib
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

from core.injection.plan import Planner
from core.injection.reader import Reading
from core.injection.wishes import Wishes
from core.labels.published import PublishedLabels
from core.objects import StoredObject
from core.references.attributes import load_vocabulary
from core.references.index import ReferenceIndex, build_index

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


def main() -> None:
    """Print the median and the worst of each shape, the first plan of a new index apart."""
    shapes = {
        "100 groups of 1,000": library(100, 1_000, 400),
        "20 groups of 5,000": library(20, 5_000, 400),
        "2 groups of 50,000": library(2, 50_000, 400),
    }
    for name, index in shapes.items():
        planner = Planner(index, PublishedLabels(()), max_model_references=3)
        index.warm()  # as a refresh does before it hands the index out
        times = []
        for seed in range(ROUNDS):
            wishes = Wishes(prompt="a person at a window", tone="natural-film", angle="eye-level", seed=seed)
            started = time.perf_counter()
            planner.plan(wishes, A_PERSON)
            times.append((time.perf_counter() - started) * 1000)
        first, rest = times[0], times[1:]
        print(
            f"{name:<22} {len(index):>7,} references   first {first:7.1f} ms   then {statistics.median(rest):6.1f} ms"
            f" (worst {max(rest):.1f})"
        )


if __name__ == "__main__":
    main()
