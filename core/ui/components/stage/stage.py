"""The stage: the takes of a comparison, one or two sides each, drawn so that a person can compare them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from core.ui.components.component import Component, ShortText, Told, message

_TAKE_KEYS = 9  # the keys from 1 to 9 choose one

_component = Component(Path(__file__).with_suffix(".js"))
Doing = Literal["cancel", "retry"]


class StageState(StrEnum):
    """What a side of the stage is doing."""

    QUEUED = "queued"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"
    CANCELLED = "cancelled"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class StageButton:
    """Something to be done: to one picture, or to all of a comparison that it can be done to.

    Where it cannot be done before `ready_at_ms` (milliseconds of the server's clock since 1970), the browser counts
    down to that by itself. It is the browser's word when it is pressed: who may is asked again.
    """

    does: Doing
    label: str
    help: str = ""
    ready_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class StageLink:
    """Where a file is to be had, and what its link does."""

    url: str
    help: str


@dataclass(frozen=True, slots=True)
class StageFoot:
    """What stands below a picture: what it came to, its file, and what may be done about it. All of it is plain text.

    `fidelity` and `figures` are told with what they mean, `notes` a line each. `side` is its name in the record.
    """

    side: str
    fidelity: str = ""
    fidelity_help: str = ""
    figures: str = ""
    figures_help: str = ""
    picture: StageLink | None = None
    button: StageButton | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StageSide:
    """One side of one take as the stage draws it.

    `picture_url` is drawn while RUNNING (the latest partial) and when DONE (the original pixels); the other
    states ignore it. `width_px` and `height_px` are those of the original and lay the side out before
    anything has loaded, so they must not change between states. `headline` says what is going on,
    `detail` what to do next. `progress` runs from 0 to 1; None while RUNNING means "unknown". Since `since_ms`
    (milliseconds of the server's clock since 1970) it waits or works: the browser counts from there by itself, and says
    how long it `usually` takes. In the strip of all takes it is drawn by its `thumbnail_url` once it is done.
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
    thumbnail_url: str | None = None
    foot: StageFoot | None = None

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
    """What the browser draws, and when it was drawn: the browser reckons by the server's clock.

    Of several `takes`, each the same sides in the same order, one is looked at: at first `take`, counted from 1. What
    can be done for all pictures `together`, and the `zip` of all of them, stand in the last foot.
    """

    comparison: str
    height: int
    takes: Sequence[Sequence[StageSide]]
    take: int = 1
    drawn_at_ms: int = 0
    made_with: str = ""
    next: StageNext | None = None
    together: StageButton | None = None
    zip: StageLink | None = None


@dataclass(frozen=True, slots=True)
class StageAct:
    """What a person has pressed: for one side of one take, or for all that can be where no side is named."""

    does: Doing
    comparison: str
    side: str | None
    take: int


class _Asked(Told):
    """A button of the stage that was pressed."""

    does: Doing
    id: ShortText
    side: ShortText | None = None
    take: Annotated[int, Field(ge=1, le=_TAKE_KEYS)] = 1


def stage(
    data: StageData,
    *,
    key: str,
    act: Callable[[StageAct], None] = lambda _act: None,
) -> None:
    """Draw one side, or two to compare; of several takes one at a time, with a strip of all of them below.

    What stands there is marked by what it was `made_with`, where that is no longer what is planned, and stays until
    what is `next` has something to show. `act` is told what was pressed.

    How a person looks at it (view, zoom, pan, divider, take) is kept in the browser by the comparison's id and never
    reaches the server. The height is in CSS pixels: it is reserved before anything is drawn and is the most the
    pictures take; where they need less, or the window has less, the page gets the rest back.
    """
    counts = {len(sides) for sides in data.takes}
    if counts not in ({1}, {2}):
        raise ValueError(f"the stage draws one side or two of every take, got {sorted(counts)}")
    if not 1 <= data.take <= len(data.takes) <= _TAKE_KEYS:
        raise ValueError(f"take {data.take} of {len(data.takes)} is none that can be looked at")

    def asked() -> None:
        said = message(key, "asked", _Asked)
        if said is not None:  # also of one that has come to the stage while somebody pressed
            act(StageAct(said.does, said.id, said.side, said.take))

    _component.draw(data, key=key, height=data.height, on_asked_change=asked)
