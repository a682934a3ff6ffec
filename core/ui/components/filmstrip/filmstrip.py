"""The filmstrip: comparisons in a row, each as its small pictures; one is brought back, or two are put side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from core.ui.components.component import Component, ShortText, Told, memory, message

ITEMS_MAX: Final = 60

_component = Component(Path(__file__).with_suffix(".js"))


@dataclass(frozen=True, slots=True)
class FilmstripSide:
    """One small picture, or the state that stands in its place.

    `word` says what the picture is, or stands in its place. `elapsed_s` is for how long a side has been at work: the
    browser counts on from there.
    """

    side: str
    state: Literal["queued", "running", "failed", "cancelled", "done"]
    word: str
    picture_url: str | None = None
    elapsed_s: int | None = None


@dataclass(frozen=True, slots=True)
class FilmstripItem:
    """One comparison. `name` is its whole description for those who hear it or point at it.

    `note` stands in place of sides that all wait alike; without any sides it is nothing to be put side by side.
    `ratio` is a picture's width by its height; `takes` says how many there are of each side, where it is more than the
    one that is shown.
    """

    id: str
    name: str
    mark: Literal["", "shown", "left", "right"]
    note: str
    ratio: float
    sides: Sequence[FilmstripSide]
    takes: str = ""


@dataclass(frozen=True, slots=True)
class FilmstripData:
    """What the browser draws."""

    label: str
    more: str
    items: Sequence[FilmstripItem]


@dataclass(frozen=True, slots=True)
class Chosen:
    """An item, and which side of it if one was pointed at."""

    id: str
    side: str | None


@dataclass(frozen=True, slots=True)
class FilmstripEvent:
    """What the person did, told once. It is the browser's word: look up what it names."""

    brought: str | None = None
    paired: tuple[Chosen, Chosen] | None = None
    wants_more: bool = False


class _Choice(Told):
    id: ShortText
    side: ShortText | None


class _Act(Told):
    """One press: an item to bring back, two to put side by side, or neither for the link to more."""

    brought: ShortText | None = None
    left: _Choice | None = None
    right: _Choice | None = None


@dataclass(slots=True)
class FilmstripMemory:
    """A press that no run has answered yet: a rerun may interrupt the run that brought it."""

    act: FilmstripEvent = FilmstripEvent()


def filmstrip(items: Sequence[FilmstripItem], *, key: str, label: str, more: str) -> FilmstripEvent:
    """Draw up to 60 items, in their order, and one that is no comparison; `more` is what the link behind them says."""
    if len(items) > ITEMS_MAX + 1:
        raise ValueError(f"a filmstrip shows at most {ITEMS_MAX} items")
    _component.draw(FilmstripData(label, more, items), key=key, on_act_change=partial(_remember, key))
    known = memory(key, FilmstripMemory)
    event, known.act = known.act, FilmstripEvent()
    return event


def _remember(key: str) -> None:
    act = message(key, "act", _Act)
    if act is None:
        return
    paired = None
    if act.left is not None and act.right is not None:
        paired = Chosen(act.left.id, act.left.side), Chosen(act.right.id, act.right.side)
    wants_more = act.brought is None and paired is None
    memory(key, FilmstripMemory).act = FilmstripEvent(act.brought, paired, wants_more)
