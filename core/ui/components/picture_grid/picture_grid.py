"""The picture grid: cards of pictures with a keyboard, a selection and one way to open a card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from core.ui.components.component import Component, Count, KeyText, Told, keep_value, memory, message

MAX_CARDS = 240

_component = Component(Path(__file__).with_suffix(".js"))


@dataclass(frozen=True, slots=True)
class Card:
    """One picture. Without a `picture_url`, or when it fails to load, the tile says `problem`.

    `badge` is a small note on the picture ("untagged"), `alt` what the picture shows, for those who
    cannot see it.
    """

    id: str
    picture_url: str | None
    alt: str
    title: str
    subtitle: str = ""
    badge: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class GridData:
    """What the browser draws. `turn` is the newest selection heard, `dropped` what was taken out of it since."""

    key: str
    label: str
    selectable: bool
    click: Literal["open", "select"]
    aspect: Literal["portrait", "square", "landscape"]
    fit: Literal["cover", "contain"]
    min_card_px: int
    turn: int
    epoch: int
    dropped: Mapping[str, int]
    cards: Sequence[Card]


@dataclass(frozen=True, slots=True)
class GridEvent:
    """What the person did. `selected` holds only cards shown now, in their order.

    `opened` is told once per opening. It is the browser's word and may name a card of the page before:
    look it up, never trust it.
    """

    opened: str | None
    selected: tuple[str, ...]


class _Sent(Told):
    """The selection as the browser last sent it, and the last drop it had heard of by then."""

    ids: Annotated[
        Sequence[KeyText], Field(max_length=2 * MAX_CARDS)
    ] = ()  # those of the page before may be among them
    turn: Count = 0
    epoch: Count = 0


class _Opened(Told):
    """A card that was opened."""

    id: KeyText


@dataclass(slots=True)
class GridMemory:
    """What outlives a rerun: an opening not told yet, and the ids taken out of the selection.

    The browser owns the selection. What the server takes out is numbered, so that a message sent before the
    browser heard of it loses exactly those ids and none that were selected meanwhile.
    """

    opened: str | None = None
    epoch: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    def drop(self, ids: Iterable[str]) -> None:
        gone = tuple(ids)
        if gone:
            self.epoch += 1
            self.dropped.update(dict.fromkeys(gone, self.epoch))

    def left_of(self, sent: _Sent) -> list[str]:
        """The ids still selected. Forgets what the browser knows is dropped."""
        self.epoch = max(self.epoch, sent.epoch)  # a browser may be older than its server
        self.dropped = {i: epoch for i, epoch in self.dropped.items() if epoch > sent.epoch}
        return [i for i in sent.ids if i not in self.dropped]


def picture_grid(
    cards: Sequence[Card],
    *,
    key: str,
    label: str = "Pictures",
    selectable: bool = False,
    click: Literal["open", "select"] = "open",
    aspect: Literal["portrait", "square", "landscape"] = "portrait",
    fit: Literal["cover", "contain"] = "cover",
    min_card_px: int = 200,
) -> GridEvent:
    """Draw up to 240 cards. `key` is unique in the whole app: the browser keeps the grid's state under it.

    Enter opens, and so does a click unless `click` is "select" (then a double click does). With `fit="cover"`
    a picture that would lose more than a quarter of itself is shown whole all the same.
    """
    ids = [card.id for card in cards]
    if len(set(ids)) != len(ids):
        raise ValueError("two cards of a picture grid have the same id")
    if len(ids) > MAX_CARDS:
        raise ValueError(f"a picture grid shows at most {MAX_CARDS} cards: page them")
    if click == "select" and not selectable:
        raise ValueError('click="select" needs selectable=True')

    known = memory(key, GridMemory)
    sent = message(key, "selection", _Sent) or _Sent()
    selected = set(known.left_of(sent))
    known.drop(sorted(selected.difference(ids)))
    _component.draw(
        GridData(
            key=key,
            label=label,
            selectable=selectable,
            click=click,
            aspect=aspect,
            fit=fit,
            min_card_px=min_card_px,
            turn=sent.turn,
            epoch=known.epoch,
            dropped=known.dropped,
            cards=cards,
        ),
        key=key,
        on_opened_change=partial(_remember_opened, key),
        on_selection_change=keep_value,
    )
    opened, known.opened = known.opened, None
    return GridEvent(opened, tuple(i for i in ids if i in selected) if selectable else ())


def clear_selection(key: str) -> None:
    """Empty a grid's selection, for instance after a bulk edit. Call it in a callback or before the grid."""
    known = memory(key, GridMemory)
    known.drop(known.left_of(message(key, "selection", _Sent) or _Sent()))


def _remember_opened(key: str) -> None:
    """Keep the opening until the grid is drawn: a rerun may interrupt the run that brought it."""
    if opened := message(key, "opened", _Opened):
        memory(key, GridMemory).opened = opened.id
