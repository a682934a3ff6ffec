"""The comparison record: what was asked for and what was planned."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic import Field, model_validator

from core.generation.records.record import Record
from core.injection.reading.reader import Reading
from core.injection.request.fairness import Difference
from core.injection.request.prompt import Section
from core.injection.request.slots import Slot
from core.injection.request.wishes import Mode, SideName, Varies, Wishes

RECORD_VERSION: Final = 2
TAKES_MAX: Final = 4
# What records of version 1 do not say: they were planned as each mode alone, one picture a side.
_BEFORE_VERSION_2: Final = {"varies": Varies.ANGLE, "balanced": False, "strengths_b": {}}


class Size(Record):
    """Width and height of a picture in pixels."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


DEFAULT_SIZE = Size(width=1024, height=1280)


class RenderSettings(Record):
    """Who makes a picture, and how: engine, model, size in pixels and quality."""

    engine: str
    model: str
    size: Size = DEFAULT_SIZE
    quality: str = "medium"


class SideTake(NamedTuple):
    """One picture of a comparison: which of a side's takes, from 1."""

    side: SideName
    take: int = 1

    @property
    def name(self) -> str:
        """What people call it: `tone-only`, and `tone-only-2` for the second take."""
        return str(self.side) if self.take == 1 else f"{self.side}-{self.take}"

    @property
    def file_name(self) -> str:
        """What its picture is called where people get it: `tone-only.png`, `tone-only-2.png`."""
        return f"{self.name}.png"


class SideRecord(Record):
    """What one side was asked for: its slots with their reasons, and the prompt that is sent.

    `render` is set only where a side is made otherwise than its comparison says.
    """

    side: SideName
    slots: tuple[Slot, ...]
    sections: tuple[Section, ...]
    prompt: str
    render: RenderSettings | None = None

    @property
    def attached(self) -> int:
        """How many reference pictures are sent."""
        return sum(slot.filled for slot in self.slots)

    @property
    def asks_for_angle(self) -> bool:
        """Whether its prompt says an angle, which sides A and B of a pair do together or neither does."""
        return any(section.title == "Angle" for section in self.sections)


class Origin(StrEnum):
    """Where a record comes from."""

    STUDIO = "studio"
    BACKFILL = "backfill"


class Legacy(Record):
    """What an imported record brought along.

    `output` is the key of its picture if that lies in the bucket, `output_etag` goes with it where the
    picture is one of the library and can be shown.
    """

    id: str
    output: str | None = None
    output_etag: str | None = None


class Comparison(Record):
    """The record written before any engine is called; it never changes afterwards.

    Version 2 (decision 055) says how many `takes` each side has, what varies and whether the sides are balanced.
    """

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
    takes: int = Field(default=1, ge=1, le=TAKES_MAX)  # pictures of each side
    index_built_at: datetime
    labels_version: str
    replay_of: str | None = None  # the record whose identical request this is
    made_from: str | None = None  # the record this was made from, with something changed
    recent: tuple[str, ...] = ()  # what this person had been given before: the plan depends on it
    origin: Origin = Origin.STUDIO
    legacy: Legacy | None = None  # set when the origin is a backfill: then nothing was planned or sent from here

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        """Have records of version 1 say what was true of all of them, whatever the defaults are by now."""
        if not isinstance(data, dict) or not isinstance(data.get("wishes"), dict) or data.get("version", 1) != 1:
            return data
        return {**data, "version": 1, "takes": 1, "wishes": {**data["wishes"], **_BEFORE_VERSION_2}}

    def side(self, name: SideName) -> SideRecord:
        """One side's record. Raises KeyError for a side that was not asked for."""
        return {record.side: record for record in self.sides}[name]

    @property
    def varies(self) -> Varies:
        """The one factor in which two sides were to differ; nothing that means anything where there is one side."""
        return self.wishes.varies

    @property
    def side_takes(self) -> tuple[SideTake, ...]:
        """Every picture that was ordered, take by take, so that a pair begins together."""
        return tuple(SideTake(record.side, take) for take in range(1, self.takes + 1) for record in self.sides)

    @property
    def render(self) -> RenderSettings:
        """How the sides are made that do not say otherwise."""
        return RenderSettings(engine=self.engine, model=self.model, size=self.size, quality=self.quality)

    def render_of(self, name: SideName) -> RenderSettings:
        """How one side is made. Raises KeyError for a side that was not asked for."""
        return self.side(name).render or self.render

    @property
    def reference_keys(self) -> tuple[str, ...]:
        """Every key that went in, once each, in slot order."""
        keys = (slot.key for side in self.sides for slot in side.slots if slot.key)
        return tuple(dict.fromkeys(keys))
