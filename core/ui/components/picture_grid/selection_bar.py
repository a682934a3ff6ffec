"""The selection bar: what is selected in a picture grid and what can be done with it, in sight wherever the page is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from core.ui.components.component import Component, KeyText, Told, memory, message
from core.ui.components.picture_grid.picture_grid import clear_selection, deselect

SHOWN_ELSEWHERE: Final = 60  # pictures that are selected and not on this page, drawn small
_component = Component(Path(__file__).with_suffix(".js"))


@dataclass(frozen=True, slots=True)
class SelectedPicture:
    """A picture that is selected and not among the cards that are shown."""

    id: str
    picture_url: str
    name: str


@dataclass(frozen=True, slots=True)
class SelectionBarData:
    """What the browser draws. `ids` go into the form of the ZIP, `copied` onto the clipboard, a line each.

    `zip_problem` says why no ZIP can be had, and is empty where one can.
    """

    key: str
    ids: Sequence[str]
    copied: Sequence[str]
    elsewhere: int
    pictures: Sequence[SelectedPicture]
    zip_url: str
    zip_field: str
    zip_problem: str


class _Pressed(Told):
    """A press on the bar; `id` is the picture that is to be let go."""

    what: Literal["use", "clear", "drop"]
    id: KeyText = ""


@dataclass(slots=True)
class BarMemory:
    """A press that no run has answered yet."""

    wants_use: bool = False


def selection_bar(
    ids: Sequence[str],
    *,
    key: str,
    grid: str,
    copied: Sequence[str],
    elsewhere: Sequence[SelectedPicture],
    zip_url: str,
    zip_field: str,
    zip_problem: str,
) -> bool:
    """Draw the bar for what is selected in the grid of this key, and return whether it is to be used in Generate.

    `elsewhere` are those of `ids` whose cards are not shown.
    """
    _component.draw(
        SelectionBarData(
            key=key,
            ids=ids,
            copied=copied,
            elsewhere=len(elsewhere),
            pictures=elsewhere[:SHOWN_ELSEWHERE],
            zip_url=zip_url,
            zip_field=zip_field,
            zip_problem=zip_problem,
        ),
        key=key,
        on_pressed_change=partial(_hear, key, grid),
    )
    known = memory(key, BarMemory)
    wants_use, known.wants_use = known.wants_use, False
    return wants_use


def _hear(key: str, grid: str) -> None:
    pressed = message(key, "pressed", _Pressed)
    if pressed is None:
        return
    if pressed.what == "clear":
        clear_selection(grid)
    elif pressed.what == "drop":
        deselect(grid, [pressed.id])
    else:
        memory(key, BarMemory).wants_use = True
