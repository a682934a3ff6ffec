"""Small libraries, labels and readings, written as a studio would name them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from core.injection.plan import Injection, Planner
from core.injection.reading.reader import Reading
from core.injection.request.slots import Slot
from core.injection.request.wishes import SideName, Wishes
from core.labels.published.label_file import LabelSet
from core.labels.published.schema import Gender, Label, LabelSource, age_range_of
from core.objects.objects import StoredObject
from core.references.index import ReferenceIndex, build_index
from core.references.vocabulary import Role, load_vocabulary

ROOT = Path(__file__).parents[2]
VOCABULARY = load_vocabulary(ROOT / "labels" / "attributes.toml")
MODIFIED = datetime(2026, 1, 1, tzinfo=UTC)
SILENT = Reading("offline", False, None, None, None, None, None, ())
A_PERSON = Reading("offline", True, None, None, None, None, None, ())


def etag_of(key: str) -> str:
    """A made-up etag that differs from key to key."""
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()


def stored(key: str, *, etag: str | None = None, size_bytes: int = 1000) -> StoredObject:
    """One row of a listing."""
    return StoredObject(key, etag or etag_of(key), size_bytes, MODIFIED)


def library(*keys: str | StoredObject) -> ReferenceIndex:
    """The index over these keys."""
    rows = [stored(key) if isinstance(key, str) else key for key in keys]
    return build_index(sorted(rows, key=lambda row: row.key.encode()), VOCABULARY)


def sample_library() -> ReferenceIndex:
    """The library that is shipped, as its bucket lists it."""
    samples = ROOT / "samples"
    rows = []
    for file in (samples / "refs").rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
            rows.append(stored(file.relative_to(samples).as_posix(), etag=etag, size_bytes=len(data)))
    return library(*rows)


def label(key: str, gender: Gender | None = None, age: int | None = None, *, etag: str | None = None) -> Label:
    """A nominal label for the bytes behind a key."""
    return Label(
        key=key,
        etag=etag or etag_of(key),
        gender_presentation=gender,
        age_low=age,
        age_high=age,
        age_range=None if age is None else age_range_of(age, age),
        source=LabelSource.NOMINAL,
    )


def plan(
    index: ReferenceIndex,
    wishes: Wishes,
    reading: Reading = A_PERSON,
    *,
    labels: Iterable[Label] = (),
    recent: Iterable[str] = (),
    limit: int = 3,
) -> Injection:
    """What would go in."""
    return Planner(index, LabelSet(labels), max_model_references=limit).plan(wishes, reading, recent=recent)


def tone_of(injection: Injection, side: SideName) -> Slot:
    """The side's tone slot."""
    return next(slot for slot in injection.side(side).slots if slot.role is Role.TONE)


def angle_of(injection: Injection, side: SideName) -> Slot:
    """The side's angle slot."""
    return next(slot for slot in injection.side(side).slots if slot.role is Role.ANGLE)


def models_of(injection: Injection, side: SideName) -> list[Slot]:
    """The side's model slots, filled or not."""
    return [slot for slot in injection.side(side).slots if slot.role is Role.MODEL]


def model_keys(injection: Injection, side: SideName) -> list[str]:
    """The keys of the side's filled model slots."""
    return [slot.key for slot in models_of(injection, side) if slot.key]


def keys_of(injection: Injection) -> Mapping[SideName, list[str | None]]:
    """Every side's keys, in slot order."""
    return {side.side: [slot.key for slot in side.slots] for side in injection.sides}
