"""The work line: what is being made for a person, in the top bar and in the tab's title."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from core.ui.components.component import Component, ShortText, Told, keep_value, message

_component = Component(Path(__file__).with_suffix(".js"))
_COMPARISONS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class WorkData:
    """What the browser draws.

    `comparisons` are at work since `since_ms`, in milliseconds of the server's clock since 1970, which showed
    `drawn_at_ms` when this was drawn; with what the line `says` it counts on by itself. `cancel` is what the button
    says that stops all of them. `ended` is how the last work ended, and `ended_at_ms` when. `is_on_stage` on the page
    with the stage.
    """

    comparisons: Sequence[str] = ()
    says: str = ""
    cancel: str = ""
    since_ms: int = 0
    drawn_at_ms: int = 0
    ended: str = ""
    ended_at_ms: int = 0
    is_on_stage: bool = False


class _Cancelled(Told):
    """The comparisons that were at work when somebody pressed."""

    comparisons: Annotated[list[ShortText], Field(max_length=_COMPARISONS_MAX)]


def work_line(data: WorkData, *, key: str, cancel: Callable[[Sequence[str]], None]) -> None:
    """Draw it. While there is work the browser asks again by itself; `cancel` is told which comparisons to stop."""

    def cancelled() -> None:
        said = message(key, "cancelled", _Cancelled)
        if said is not None:
            cancel(said.comparisons)

    _component.draw(data, key=key, height=36, on_asked_change=keep_value, on_cancelled_change=cancelled)
