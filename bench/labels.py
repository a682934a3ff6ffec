"""How long ten thousand labels take: a server's start, a page's queue, and a bulk edit, at 30 ms from S3.

Five thousand portraits have been reviewed, in saves of one picture each, and a machine has labelled all of them.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.results import write_section
from core.labels.labeler import LabelerSpec, Proposal
from core.labels.live import LiveLabels
from core.labels.proposals import Proposals
from core.labels.queue import QueueFilter
from core.labels.reports import Reports
from core.labels.review_desk import ReviewDesk
from core.labels.review_log import ReviewLog
from core.labels.reviews import Change, Event, Kind, Save
from core.labels.schema import Gender, Label, LabelField, LabelSource, line_of
from core.objects import Blob, StoredObject
from core.references.attributes import load_vocabulary
from core.references.index import ReferenceIndex, build_index
from core.viewer import PersonRole, Viewer

HEADING = "## Labels"
PORTRAITS, REVIEWED, BULK = 10_000, 5_000, 200
LATENCY_S = 0.03
PAGE = 1000
VOCABULARY = load_vocabulary(Path(__file__).parents[1] / "labels" / "attributes.toml")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


class FarStore:
    """A bucket in memory that answers after 30 ms, a page of a listing too; conditions hold."""

    bucket = "bench"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[StoredObject]:
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > start_after)
        for at in range(0, max(1, len(keys)), PAGE):
            time.sleep(LATENCY_S)  # the distance that is measured
            for key in keys[at : at + PAGE]:
                yield StoredObject(key, "e", len(self.objects[key]), NOW)

    def folders(self, prefix: str) -> Iterator[str]:
        time.sleep(LATENCY_S)
        found = {key[len(prefix) :].split("/")[0] for key in self.objects if key.startswith(prefix)}
        yield from sorted(found)

    def head(self, key: str) -> StoredObject:
        time.sleep(LATENCY_S)
        return StoredObject(key, "e", len(self.objects[key]), NOW)

    def get(self, key: str) -> Blob:
        time.sleep(LATENCY_S)
        return Blob(key, "e", self.objects[key], "application/json", NOW)

    def put(
        self, key: str, data: bytes, *, content_type: str, create_only: bool = False, if_match: str | None = None
    ) -> str:
        _ = content_type, create_only, if_match  # nobody else writes here
        time.sleep(LATENCY_S)
        self.objects[key] = data
        return "e"

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)


class Shelf:
    """An index that is there."""

    def __init__(self, index: ReferenceIndex) -> None:
        self.index = index


def etag_of(number: int) -> str:
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


def key_of(number: int) -> str:
    return f"refs/01. Model/noir {number % 50:02d}/Ada {number:05d}.jpg"


def label(number: int, source: LabelSource) -> Label:
    return Label(
        key=key_of(number),
        etag=etag_of(number),
        age_low=25,
        age_high=34,
        age_range="25–34",
        gender_presentation=Gender.FEMININE,
        hair="black bob",
        confidence={} if source is LabelSource.NOMINAL else {LabelField.AGE: 0.8, LabelField.GENDER: 0.9},
        source=source,
    )


def filled(folder: Path) -> tuple[FarStore, Path]:
    """The bucket and the published file."""
    store = FarStore()
    file = folder / "personas.jsonl"
    file.write_text("".join(line_of(label(number, LabelSource.NOMINAL)) + "\n" for number in range(PORTRAITS)))
    slug = LabelerSpec(LabelSource.LOCAL, "m").slug
    for number in range(PORTRAITS):
        data = Proposal(label=label(number, LabelSource.LOCAL)).model_dump_json(exclude_none=True).encode()
        store.objects[f"studio/labels/proposed/{slug}/{etag_of(number)}.json"] = data
    for number in range(1, REVIEWED + 1):
        changes = (
            Change(field=LabelField.AGE, before=(25, 34), after=(25, 34), seen=(25, 34)),
            Change(field=LabelField.GENDER, before="feminine", after="masculine", seen="feminine"),
            Change(field=LabelField.HAIR, before="black bob", after="black bob"),
        )
        event = Event(id=f"e{number}", kind=Kind.CORRECT, key=key_of(number), etag=etag_of(number), changes=changes)
        time_ = NOW + timedelta(seconds=number)
        save = Save(number=number, reviewer="ops@studio.example", time=time_, events=(event,))
        store.objects[f"studio/reviews/log/{number:012d}.json"] = save.model_dump_json(exclude_none=True).encode()
    return store, file


def main() -> None:
    """Print and write down each step."""
    with tempfile.TemporaryDirectory() as folder:
        store, file = filled(Path(folder))
        first = ReviewLog(store, app_prefix="studio/")
        rows = [timed("the whole log without segments, once for all servers", first.refresh)]
        packing = Proposals(store, app_prefix="studio/")
        rows.append(timed("all proposals without their pack, once for all servers", packing.catch_up))
        log = ReviewLog(store, app_prefix="studio/")
        live = LiveLabels(file, log)
        rows.append(timed("a start: published file and reviews, ready for a plan", lambda: live.current))
        proposals = Proposals(store, app_prefix="studio/")
        rows.append(timed("a start: the proposals", proposals.load))
        keys = (StoredObject(key_of(number), etag_of(number), 1000, NOW) for number in range(PORTRAITS))
        index = build_index(sorted(keys, key=lambda row: row.key.encode()), VOCABULARY)
        reports = Reports(store, app_prefix="studio/")
        desk = ReviewDesk(Shelf(index), live, log, proposals, reports, VOCABULARY)
        person = Viewer("ops@studio.example", PersonRole.OPS)
        rows.append(timed("the queue, opened first", lambda: desk.queue(person, QueueFilter())))
        rows.append(timed("the queue, opened again", lambda: desk.queue(person, QueueFilter(gender=Gender.FEMININE))))
        items = desk.queue(person, QueueFilter())[:BULK]
        save = lambda: desk.set_field(person, items, LabelField.TONE, "noir", id_prefix="bulk")  # noqa: E731
        rows.append(timed(f"one field of {BULK} pictures in one save", save))
        rows.append(timed("the queue after that save", lambda: desk.queue(person, QueueFilter())))
        rows.append(timed("the labels after that save, ready for a plan", lambda: live.current))
    table = "\n".join(f"| {name} | {seconds:.3f} s | {cpu_s:.3f} s |" for name, seconds, cpu_s in rows)
    about = (
        f"{PORTRAITS:,} portraits, {REVIEWED:,} saves, 30 ms to S3; `python -m bench.labels`. On a busy machine the "
        "clock counts the work of others too."
    )
    write_section(
        HEADING, f"{HEADING}\n\n{about}\n\n| step | by the clock | of the processor |\n|---|---|---|\n{table}\n"
    )


def timed(name: str, work: Callable[[], object]) -> tuple[str, float, float]:
    """How long it takes by the clock and of the processor, printed too."""
    started, used = time.perf_counter(), time.process_time()
    work()
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - used
    print(f"{name:<60} {seconds:7.3f} s {cpu_s:7.3f} s CPU")
    return name, seconds, cpu_s


if __name__ == "__main__":
    main()
