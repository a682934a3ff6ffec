"""The stage: one or two sides of a comparison, drawn so that a person can compare them in the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.ui.components.component import Component, ShortText, Told, message

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
    `detail` what to do next. `progress` runs from 0 to 1; None while RUNNING means "unknown". Since `since_ms`
    (milliseconds of the server's clock since 1970) it waits or works: the browser counts from there by itself, and says
    how long it `usually` takes.
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
    since_ms: int | None = None
    usually: str = ""

    def __post_init__(self) -> None:
        if self.width_px <= 0 or self.height_px <= 0:
            raise ValueError(f"side {self.name!r} has no size to be laid out by: {self.width_px} × {self.height_px}")
        if self.state is StageState.DONE and not self.picture_url:
            raise ValueError(f"side {self.name!r} is done but has no picture")


@dataclass(frozen=True, slots=True)
class StageNext:
    """The comparison that will take the stage once it has something to show, and how far it is.

    `cancel` is what the button says that stops it; empty for who may not. `since_ms` and `usually` as of a side.
    """

    comparison: str
    says: str
    since_ms: int | None = None
    usually: str = ""
    cancel: str = ""


@dataclass(frozen=True, slots=True)
class StageData:
    """What the browser draws, and when it was drawn: the browser reckons by the server's clock."""

    comparison: str
    height: int
    sides: Sequence[StageSide]
    drawn_at_ms: int = 0
    made_with: str = ""
    next: StageNext | None = None


class _Cancelled(Told):
    """The comparison that is to be stopped before it has come to the stage."""

    id: ShortText


def stage(
    comparison_id: str,
    sides: Sequence[StageSide],
    *,
    key: str,
    height: int,
    drawn_at_ms: int = 0,
    made_with: str = "",
    following: StageNext | None = None,
    cancel: Callable[[str], None] = lambda _comparison: None,
) -> None:
    """Draw one side, or two to compare.

    What stands there is marked by what it was `made_with`, where that is no longer what is planned, and stays until
    what is `following` has something to show: that one is stopped by `cancel`, which is told its id.

    How a person looks at it (view, zoom, pan, divider) is kept in the browser by `comparison_id` and never
    reaches the server. `height` is in CSS pixels: it is reserved before anything is drawn and is the most
    the stage takes; where the pictures need less, or the window has less, the page gets the rest back.
    """
    if len(sides) not in (1, 2):
        raise ValueError(f"the stage draws one side or two, got {len(sides)}")

    def cancelled() -> None:
        said = message(key, "cancelled", _Cancelled)
        if said is not None:  # also of one that has come to the stage while somebody pressed
            cancel(said.id)

    data = StageData(comparison_id, height, sides, drawn_at_ms, made_with, following)
    _component.draw(data, key=key, height=height, on_cancelled_change=cancelled)
