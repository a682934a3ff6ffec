"""The persona label: what is said about one portrait, by whom, and how sure they are."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import LabelError

AGE_MAX = 120
# Buckets people think in; a label's `age_range` is the one that holds the middle of its years.
AGE_RANGES: tuple[tuple[str, int, int], ...] = (
    ("under 18", 0, 17),
    ("18–24", 18, 24),
    ("25–34", 25, 34),
    ("35–44", 35, 44),
    ("45–59", 45, 59),
    ("60+", 60, AGE_MAX),
)


class Gender(StrEnum):
    """How a portrait presents; None stands for unsaid or unsure."""

    FEMININE = "feminine"
    MASCULINE = "masculine"


class LabelField(StrEnum):
    """What a label says, as people decide on it and machines are sure of it; `age` is both years together."""

    AGE = "age"
    GENDER = "gender_presentation"
    HAIR = "hair"
    EXPRESSION = "expression"
    FRAMING = "framing"
    TONE = "tone"
    ANGLE = "angle"
    NOTES = "notes"


FRAMINGS: tuple[str, ...] = ("close-up", "head-and-shoulders", "half-length", "full-length")


class LabelSource(StrEnum):
    """Who says so. `nominal` was told to a renderer, and neither seen nor decided by anyone."""

    OPENAI = "openai"
    LOCAL = "local"
    NOMINAL = "nominal"
    HUMAN = "human"


Years = Annotated[int, Field(ge=0, le=AGE_MAX)]


class Label(BaseModel):
    """One label. Ages in whole years, both ends included; confidences from 0 to 1, machines only.

    It speaks of the bytes with this `etag`: when the picture behind `key` changes, the label is stale.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(min_length=1)
    etag: str = Field(min_length=1)
    age_low: Years | None = None
    age_high: Years | None = None
    age_range: str | None = None
    gender_presentation: Gender | None = None
    hair: str | None = None
    expression: str | None = None
    framing: str | None = None
    tone: str | None = None
    angle: str | None = None
    notes: str | None = None
    confidence: dict[LabelField, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    source: LabelSource
    model: str | None = None
    prompt_version: str | None = None
    shots: int | None = None
    run: str | None = None
    time: datetime | None = None
    reviewer: str | None = None

    @model_validator(mode="after")
    def _check_ages(self) -> Self:
        if (self.age_low is None) != (self.age_high is None):
            raise ValueError("age_low and age_high are given together or not at all")
        if self.age_low is not None and self.age_high is not None:
            if self.age_low > self.age_high:
                raise ValueError(f"age_low {self.age_low} is above age_high {self.age_high}")
            if self.age_range is not None and self.age_range != age_range_of(self.age_low, self.age_high):
                raise ValueError(f"age_range {self.age_range!r} does not hold {self.age_low}–{self.age_high}")
        return self

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        if (self.source is LabelSource.HUMAN) != (self.reviewer is not None):
            raise ValueError("a human label names its reviewer, and only a human label does")
        return self

    @property
    def ages(self) -> tuple[int, int] | None:
        """The labelled years, both included."""
        return None if self.age_low is None or self.age_high is None else (self.age_low, self.age_high)

    def fits_age(self, low: int, high: int) -> bool:
        """Whether the middle of the labelled years lies inside the wished ones."""
        if self.age_low is None or self.age_high is None:
            return False
        return low <= (self.age_low + self.age_high) / 2 <= high


def age_range_of(low: int, high: int) -> str:
    """The bucket that holds the middle of these years."""
    middle = (low + high) // 2
    return next(name for name, first, last in AGE_RANGES if first <= middle <= last)


def line_of(label: Label) -> str:
    """A label as a line of the published file: what it does not say is left out, Korean stays readable."""
    said = label.model_dump(mode="json", exclude_none=True)
    if not said["confidence"]:
        del said["confidence"]
    return json.dumps(said, ensure_ascii=False)


def json_schema() -> dict[str, Any]:
    """The JSON schema of a line, as `labels/schema.json` holds it."""
    made = Label.model_json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "A line of personas.jsonl"
    return made


def parse_label(line: str) -> Label:
    """Read one JSON line. Raises LabelError with the first thing that is wrong."""
    try:
        return Label.model_validate_json(line)
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the line"
        raise LabelError("{}: {}.", where, first["msg"].removeprefix("Value error, ")) from err
