"""The stage: one or two sides of a comparison, drawn so that a person can compare them in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.ui.components.component import Component

_component = Component(Path(__file__).with_suffix(".js"))


class StageState(StrEnum):
    """What a side of the stage is doing."""

    QUEUED = "queued"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"
    CANCELLED = "cancelled"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class StageSide:
    """One side as the stage draws it.

    `picture_url` is drawn while RUNNING (the latest partial) and when DONE (the original pixels); the other
    states ignore it. `width_px` and `height_px` are those of the original and lay the side out before
    anything has loaded, so they must not change between states. `headline` says what is going on,
    `detail` what to do next. `progress` runs from 0 to 1; None while RUNNING means "unknown".
    """

    name: str
    title: str
    state: StageState
    width_px: int
    height_px: int
    picture_url: str | None = None
    alt: str = ""
    headline: str = ""
    detail: str = ""
    request_id: str | None = None
    progress: float | None = None

    def __post_init__(self) -> None:
        if self.width_px <= 0 or self.height_px <= 0:
            raise ValueError(f"side {self.name!r} has no size to be laid out by: {self.width_px} × {self.height_px}")
        if self.state is StageState.DONE and not self.picture_url:
            raise ValueError(f"side {self.name!r} is done but has no picture")


@dataclass(frozen=True, slots=True)
class StageData:
    """What the browser draws."""

    comparison: str
    height: int
    sides: Sequence[StageSide]


def stage(comparison_id: str, sides: Sequence[StageSide], *, key: str, height: int) -> None:
    """Draw one side, or two to compare.

    How a person looks at it (view, zoom, pan, divider) is kept in the browser by `comparison_id` and never
    reaches the server. `height` is in CSS pixels: it is reserved before anything is drawn and is the most
    the stage takes; where the pictures need less, or the window has less, the page gets the rest back.
    """
    if len(sides) not in (1, 2):
        raise ValueError(f"the stage draws one side or two, got {len(sides)}")
    _component.draw(StageData(comparison_id, height, sides), key=key, height=height)
