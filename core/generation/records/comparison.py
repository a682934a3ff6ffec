"""The comparison record: what was asked, what was planned, and what became of each attempt."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import EngineFault, StorageError
from core.injection.fairness import Difference
from core.injection.plan import Injection
from core.injection.prompt import Section
from core.injection.reader import Reading
from core.injection.slots import Slot
from core.injection.wishes import Mode, SideName, Wishes

RECORD_VERSION = 1


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


_R = TypeVar("_R", bound=_Record)


class Size(_Record):
    """Width and height of a picture in pixels."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


DEFAULT_SIZE = Size(width=1024, height=1280)


class SideRecord(_Record):
    """What one side was asked for: its slots with their reasons, and the prompt that is sent."""

    side: SideName
    slots: tuple[Slot, ...]
    sections: tuple[Section, ...]
    prompt: str

    @property
    def attached(self) -> int:
        """How many reference pictures are sent."""
        return sum(slot.filled for slot in self.slots)


class Server(_Record):
    """The process that works on something: enough for another to see whether it still lives."""

    host: str
    pid: int
    boot: str


class Origin(StrEnum):
    """Where a record comes from."""

    STUDIO = "studio"
    BACKFILL = "backfill"


class Legacy(_Record):
    """What an imported record brought along.

    `output` is the key of its picture if that lies in the bucket, `output_etag` goes with it where the
    picture is one of the library and can be shown.
    """

    id: str
    output: str | None = None
    output_etag: str | None = None


class Comparison(_Record):
    """The record written before any engine is called; it never changes afterwards."""

    version: int = RECORD_VERSION
    id: str
    created_at: datetime
    person: str
    mode: Mode
    wishes: Wishes
    reading: Reading
    tone: str | None
    angle: str | None
    engine: str
    model: str
    size: Size
    quality: str
    seed: int
    controlled: bool | None
    differences: tuple[Difference, ...] = ()
    sides: tuple[SideRecord, ...]
    index_built_at: datetime
    labels_version: str
    replay_of: str | None = None  # the record whose identical request this is
    made_from: str | None = None  # the record this was made from, with something changed
    recent: tuple[str, ...] = ()  # what this person had been given before: the plan depends on it
    origin: Origin = Origin.STUDIO
    legacy: Legacy | None = None  # set when the origin is a backfill: then nothing was planned or sent from here

    def side(self, name: SideName) -> SideRecord:
        """One side's record. Raises KeyError for a side that was not asked for."""
        for record in self.sides:
            if record.side is name:
                return record
        raise KeyError(name)

    @property
    def render(self) -> RenderSettings:
        """What all sides share besides prompt and references."""
        return RenderSettings(engine=self.engine, model=self.model, size=self.size, quality=self.quality)

    @property
    def reference_keys(self) -> tuple[str, ...]:
        """Every key that went in, once each, in slot order."""
        keys = (slot.key for side in self.sides for slot in side.slots if slot.key)
        return tuple(dict.fromkeys(keys))


class OutcomeState(StrEnum):
    """How an attempt ended."""

    DONE = "done"
    FAILED = "failed"


class Failure(_Record):
    """Why an attempt brought no picture: a sentence for people, and what support needs."""

    kind: EngineFault
    message: str
    request_id: str | None = None
    retry_after_s: float | None = None


class Picture(_Record):
    """A finished picture in S3. `fidelity` is the tone-fidelity score from 0 to 100, if there was a tone."""

    key: str
    etag: str
    content_type: str
    size: Size
    fidelity: float | None = None


class Cost(_Record):
    """What an attempt cost; `usd` None means unpriced, which is not the same as free.

    It is an `estimate` where the price is known at second hand only.
    """

    usd: float | None
    input_tokens: int | None = None
    output_tokens: int | None = None
    estimate: bool = False


class Outcome(_Record):
    """How one attempt of one side ended. Written once, never overwritten.

    `cost` is None when nothing is charged. `person` is who asked for this attempt, and `mode` the comparison's;
    older records lack both.
    """

    comparison: str
    side: SideName
    attempt: int = Field(ge=1)
    state: OutcomeState
    started_at: datetime
    finished_at: datetime
    picture: Picture | None = None
    failure: Failure | None = None
    request_id: str | None = None
    cost: Cost | None = None
    notes: tuple[str, ...] = ()
    person: str | None = None
    mode: Mode | None = None

    @property
    def seconds(self) -> float:
        """Wall-clock time from start to end; none where the clock was set back meanwhile."""
        return max(0.0, (self.finished_at - self.started_at).total_seconds())

    def pictured(self, key: str, etag: str, *, fidelity: float | None = None) -> Outcome:
        """The same, once its picture has a place in S3."""
        if self.picture is None:
            return self
        placed = {"key": key, "etag": etag, "fidelity": fidelity}
        return self.model_copy(update={"picture": self.picture.model_copy(update=placed)})


class AttemptStart(_Record):
    """Written before an engine is called, so that no call can go unrecorded."""

    comparison: str
    side: SideName
    attempt: int = Field(ge=1)
    started_at: datetime
    deadline_s: float
    server: Server
    person: str | None = None  # who asked for it; older records lack it


class AttemptPhase(StrEnum):
    """Where an attempt stands, as a person sees it."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class SideStatus(_Record):
    """The newest attempt of a side, who claimed it, and every outcome so far."""

    side: SideName
    attempt: int
    phase: AttemptPhase
    outcomes: tuple[Outcome, ...] = ()
    ahead: int = 0
    progress: float | None = None
    since: datetime | None = None
    server: Server | None = None

    @property
    def latest(self) -> Outcome | None:
        """The outcome of the newest attempt, once there is one."""
        return next((outcome for outcome in self.outcomes if outcome.attempt == self.attempt), None)

    @property
    def picture(self) -> Picture | None:
        """The newest finished picture."""
        done = [outcome for outcome in self.outcomes if outcome.picture is not None]
        return done[-1].picture if done else None

    @property
    def busy(self) -> bool:
        """Whether something may still come."""
        return self.phase in (AttemptPhase.QUEUED, AttemptPhase.RUNNING)


class ComparisonStatus(_Record):
    """A comparison with where each of its sides stands."""

    comparison: Comparison
    sides: tuple[SideStatus, ...]

    @property
    def busy(self) -> bool:
        """Whether any side is still at work."""
        return any(side.busy for side in self.sides)

    def side(self, name: SideName) -> SideStatus:
        """One side's status. Raises KeyError for a side that was not asked for."""
        for status in self.sides:
            if status.side is name:
                return status
        raise KeyError(name)


class RenderSettings(_Record):
    """What both sides share besides prompt and references."""

    engine: str
    model: str
    size: Size = DEFAULT_SIZE
    quality: str = "medium"


def record_of(
    comparison_id: str,
    injection: Injection,
    sides: tuple[SideRecord, ...],
    render: RenderSettings,
    *,
    person: str,
    index_built_at: datetime,
    labels_version: str,
    made_from: str | None = None,
    recent: tuple[str, ...] = (),
) -> Comparison:
    """The record of a planned injection."""
    fairness = injection.fairness
    return Comparison(
        id=comparison_id,
        created_at=datetime.now(UTC),
        person=person,
        mode=injection.wishes.mode,
        wishes=injection.wishes,
        reading=injection.reading,
        tone=injection.settled.tone.value if injection.settled.tone else None,
        angle=injection.settled.angle.value if injection.settled.angle else None,
        engine=render.engine,
        model=render.model,
        size=render.size,
        quality=render.quality,
        seed=injection.wishes.seed,
        controlled=fairness.controlled if fairness else None,
        differences=fairness.differences if fairness else (),
        sides=sides,
        index_built_at=index_built_at,
        labels_version=labels_version,
        made_from=made_from,
        recent=recent,
    )


def parse_comparison(data: bytes) -> Comparison:
    """Read comparison.json. Raises StorageError when it is not one."""
    return _parse(Comparison, data)


def parse_outcome(data: bytes) -> Outcome:
    """Read an outcome. Raises StorageError when it is not one."""
    return _parse(Outcome, data)


def parse_start(data: bytes) -> AttemptStart:
    """Read an attempt's start. Raises StorageError when it is not one."""
    return _parse(AttemptStart, data)


def _parse(kind: type[_R], data: bytes) -> _R:
    try:
        return kind.model_validate_json(data)
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StorageError(f"This record cannot be read: {where}: {first['msg']}.") from err
