"""Comparisons for tests: a place in a real bucket, the runners at it, and engines that do as they are told."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from PIL import Image
from ulid import ULID

from core.errors import EngineError, EngineFault
from core.generation.engines.engine import AttachedReference, Engine, FinalPicture, PartialPicture, SideRequest
from core.generation.records.attempt import Server, this_server
from core.generation.records.attempt_status import ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison, RenderSettings, SideRecord, Size
from core.generation.records.history import History
from core.generation.records.outcome import Cost
from core.generation.running.runner import RunLimits, Runner
from core.injection.reading.reader import Reading
from core.injection.request.prompt import Section
from core.injection.request.slots import Slot, Step
from core.injection.request.wishes import SIDES_OF_MODE, Mode, SideName, Wishes
from core.references.vocabulary import Role
from core.storage.embedded.server import EmbeddedS3
from core.storage.s3 import Store
from tests.support.s3.servers import served_by

SIZE = Size(width=64, height=80)
TONE_ONLY, TONE_ANGLE = SideName.TONE_ONLY, SideName.TONE_ANGLE


def png(colour: str = "#8090a0", size: tuple[int, int] = (64, 80)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def slot(key: str, etag: str, role: Role = Role.TONE) -> Slot:
    return Slot(
        id=role.value,
        role=role,
        key=key,
        etag=etag,
        group="vivid",
        folder="refs/02. Tone",
        wished="vivid",
        wished_from="picked",
        why="The only one that matches.",
        steps=(Step("all", 4), Step("tagged vivid", 1)),
    )


def comparison(*slots: Slot, mode: Mode = Mode.COMPARE, engine: str = "test", **changes: Any) -> Comparison:
    """A comparison whose sides all have the same slots."""
    comparison_id = ULID()
    sections = (Section("Subject", "a portrait", typed=True),)
    values: dict[str, Any] = {
        "id": str(comparison_id),
        "created_at": comparison_id.datetime,
        "person": "demo@localhost",
        "mode": mode,
        "wishes": Wishes(prompt="a portrait", mode=mode, seed=7),
        "reading": Reading("offline", True, None, None, None, None, None, ()),
        "tone": "vivid",
        "angle": None,
        "engine": engine,
        "model": "test-1",
        "size": SIZE,
        "quality": "medium",
        "seed": 7,
        "controlled": True,
        "sides": tuple(
            SideRecord(side=side, slots=slots, sections=sections, prompt="a portrait") for side in SIDES_OF_MODE[mode]
        ),
        "index_built_at": datetime.now(UTC),
        "labels_version": "1",
    }
    return Comparison(**(values | changes))


class PaintingEngine:
    """Paints one colour; `before` runs first and may look around, wait or raise."""

    name = "test"
    models = ("test-1",)

    def __init__(self, before: Callable[[SideRequest], None] = lambda _: None) -> None:
        self.requests: list[SideRequest] = []
        self._before = before

    def prepare(self, _reference: AttachedReference) -> None:
        """Nothing to get ready."""

    def generate(self, request: SideRequest, cancelled: Callable[[], bool]) -> Iterator[PartialPicture | FinalPicture]:
        self.requests.append(request)
        self._before(request)
        if cancelled():
            raise EngineError("Cancelled before it was done.", kind=EngineFault.CANCELLED)
        yield PartialPicture(png(size=(16, 20)), "image/png", progress=0.5)
        yield FinalPicture(
            png(), request.size, Cost(usd=0.04), request_id=f"req-{len(self.requests)}", notes=("painted",)
        )


class PricedEngine(PaintingEngine):
    """Paints at a price that is known beforehand, or not."""

    def __init__(self, before: Callable[[SideRequest], None] = lambda _: None, *, estimate_usd: float | None = 0.04):
        super().__init__(before)
        self.estimate_usd = estimate_usd

    def qualities(self, _model: str) -> tuple[str, ...]:
        return ()

    def check(self, *_args: object, **_more: object) -> None:
        """Anything goes."""

    def estimate(self, _render: RenderSettings, **_more: object) -> float | None:
        return self.estimate_usd


class PatientEngine:
    """Works until it is let go or told to stop; `started` says that it is at work."""

    name = "test"
    models = ("test-1",)

    def __init__(self) -> None:
        self.started = threading.Event()
        self.let_go = threading.Event()

    def prepare(self, _reference: AttachedReference) -> None:
        """Nothing to get ready."""

    def generate(self, request: SideRequest, cancelled: Callable[[], bool]) -> Iterator[PartialPicture | FinalPicture]:
        yield PartialPicture(png(size=(16, 20)), "image/png", progress=0.25)
        self.started.set()
        while not self.let_go.wait(0.01):
            if cancelled():
                raise EngineError("Cancelled before it was done.", kind=EngineFault.CANCELLED, request_id="req-late")
        yield FinalPicture(png(), request.size, Cost(usd=None))


class StudioFixture:
    """A prefix of a bucket, with any number of runners at it, each as if it were a server of its own."""

    def __init__(self, s3: EmbeddedS3, prefix: str) -> None:
        self.prefix = prefix
        self.s3 = s3
        self.store = served_by(s3).store()
        self.list_pages = served_by(s3).list_pages(attempts=6)
        self._runners: list[Runner] = []

    def store_at(self, endpoint_url: str, *, attempts: int = 3, **changes: Any) -> Store:
        return served_by(self.s3).store(attempts=attempts, endpoint_url=endpoint_url, **changes)

    def history(self, *, store: Store | None = None, server: Server | None = None) -> History:
        list_pages = self.list_pages if store is None else None
        return History(
            store or self.store, app_prefix=self.prefix, server=server or this_server(), list_pages=list_pages
        )

    def runner(self, engine: Engine, *, concurrency: int = 4, store: Store | None = None) -> Runner:
        runner = Runner(
            self.history(store=store),
            store or self.store,
            {engine.name: engine},
            RunLimits(concurrency, deadline_s=60),
        )
        self._runners.append(runner)
        return runner

    def reference(self, name: str, data: bytes, role: Role = Role.TONE) -> Slot:
        """Put a reference into the bucket and the slot that names it."""
        key = f"{self.prefix}refs/{name}"
        return slot(key, self.store.put(key, data, content_type="image/png"), role)

    def keys(self) -> set[str]:
        """What lies below `generations/`, by file name."""
        return {row.key.rsplit("/", 1)[-1] for row in self.store.list(f"{self.prefix}generations/")}

    def close(self) -> None:
        for runner in self._runners:
            runner.close()


def side_of(status: ComparisonStatus, side: SideName = TONE_ONLY) -> SideStatus:
    return status.side(side)
