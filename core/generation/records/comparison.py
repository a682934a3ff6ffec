"""The comparison record: what was asked for and what was planned."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from core.generation.records.record import Record
from core.injection.fairness import Difference
from core.injection.prompt import Section
from core.injection.reader import Reading
from core.injection.slots import Slot
from core.injection.wishes import Mode, SideName, Wishes

RECORD_VERSION = 1


class Size(Record):
    """Width and height of a picture in pixels."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


DEFAULT_SIZE = Size(width=1024, height=1280)


class RenderSettings(Record):
    """What both sides share besides prompt and references."""

    engine: str
    model: str
    size: Size = DEFAULT_SIZE
    quality: str = "medium"


class SideRecord(Record):
    """What one side was asked for: its slots with their reasons, and the prompt that is sent."""

    side: SideName
    slots: tuple[Slot, ...]
    sections: tuple[Section, ...]
    prompt: str

    @property
    def attached(self) -> int:
        """How many reference pictures are sent."""
        return sum(slot.filled for slot in self.slots)


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
        return {record.side: record for record in self.sides}[name]

    @property
    def render(self) -> RenderSettings:
        """What all sides share besides prompt and references."""
        return RenderSettings(engine=self.engine, model=self.model, size=self.size, quality=self.quality)

    @property
    def reference_keys(self) -> tuple[str, ...]:
        """Every key that went in, once each, in slot order."""
        keys = (slot.key for side in self.sides for slot in side.slots if slot.key)
        return tuple(dict.fromkeys(keys))
