"""The picture grid: cards of pictures with a keyboard, a selection and one way to open a card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from core.ui.components.component import Component, Count, KeyText, Told, keep_value, memory, message

MAX_CARDS = 240
SELECTED_MAX: Final = 500  # with `keeps`, whose selection outlives the page it was made on

_component = Component(Path(__file__).with_suffix(".js"))


@dataclass(frozen=True, slots=True)
class Half:
    """One of two pictures beside each other on a card, as a card's own is; `badge` names it ("A")."""

    picture_url: str | None
    alt: str
    badge: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One picture. Without a `picture_url`, or when it fails to load, the tile says `problem`.

    `badge` is a small note on the picture ("untagged"), `alt` what the picture shows, for those who
    cannot see it. With `halves` they stand in its place. `starred` is whether its star is on, None for no star.
    """

    id: str
    picture_url: str | None
    alt: str
    title: str
    subtitle: str = ""
    badge: str = ""
    problem: str = ""
    halves: Sequence[Half] = ()
    starred: bool | None = None


@dataclass(frozen=True, slots=True)
class GridData:
    """What the browser draws. `turn` is the newest selection heard, `dropped` what was taken out of it since.

    `star_turn` is the newest press of a star heard: until then the browser shows what was pressed.
    """

    key: str
    label: str
    selectable: bool
    keeps: bool
    selected_max: int
    click: Literal["open", "select"]
    aspect: Literal["portrait", "square", "landscape"]
    fit: Literal["cover", "contain"]
    min_card_px: int
    turn: int
    epoch: int
    dropped: Mapping[str, int]
    star_turn: int
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

    ids: Annotated[Sequence[KeyText], Field(max_length=SELECTED_MAX)] = ()  # those of the page before may be among them
    turn: Count = 0
    epoch: Count = 0


class _Opened(Told):
    """A card that was opened."""

    id: KeyText


class _Starred(Told):
    """Every star that was pressed and that the server was not known to have heard of."""

    marks: Annotated[Mapping[KeyText, bool], Field(max_length=MAX_CARDS)] = {}
    turn: Count = 0


@dataclass(slots=True)
class GridMemory:
    """What outlives a rerun: an opening and stars not told yet, and the ids taken out of the selection.

    The browser owns the selection. What the server takes out is numbered, so that a message sent before the
    browser heard of it loses exactly those ids and none that were selected meanwhile.
    """

    opened: str | None = None
    epoch: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    marks: dict[str, bool] = field(default_factory=dict)
    star_turn: int = 0
    kept: tuple[str, ...] = ()  # of a grid that keeps, what was selected when it was drawn last

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
    keeps: bool = False,
    click: Literal["open", "select"] = "open",
    aspect: Literal["portrait", "square", "landscape"] = "portrait",
    fit: Literal["cover", "contain"] = "cover",
    min_card_px: int = 200,
    on_open: Callable[[str], None] | None = None,
) -> GridEvent:
    """Draw up to 240 cards. `key` is unique in the whole app: the browser keeps the grid's state under it.

    Enter opens, and so does a click unless `click` is "select" (then a double click does). With `fit="cover"`
    a picture that would lose more than a quarter of itself is shown whole all the same. With `keeps` what is selected
    stays so when its card is not shown any more: `selection_of` has all of it. `on_open` is called back with a card of
    this grid that is opened, before the page is run, instead of telling of it.
    """
    ids = [card.id for card in cards]
    if len(set(ids)) != len(ids):
        raise ValueError("two cards of a picture grid have the same id")
    if len(ids) > MAX_CARDS:
        raise ValueError(f"a picture grid shows at most {MAX_CARDS} cards: page them")
    if any(len(card.halves) not in (0, 2) for card in cards):
        raise ValueError("a card of a picture grid has one picture or two halves")
    if click == "select" and not selectable:
        raise ValueError('click="select" needs selectable=True')

    known = memory(key, GridMemory)
    sent = message(key, "selection", _Sent)
    if keeps and sent is not None:  # drawn anew, the browser has not yet said what it still has
        known.kept = tuple(known.left_of(sent))
    selected = set(selection_of(key) if keeps else known.left_of(sent or _Sent()))
    if not keeps:
        known.drop(sorted(selected.difference(ids)))
    _component.draw(
        GridData(
            key=key,
            label=label,
            selectable=selectable,
            keeps=keeps,
            selected_max=SELECTED_MAX,
            click=click,
            aspect=aspect,
            fit=fit,
            min_card_px=min_card_px,
            turn=sent.turn if sent else 0,
            epoch=known.epoch,
            dropped=known.dropped,
            star_turn=known.star_turn,
            cards=cards,
        ),
        key=key,
        on_opened_change=partial(_remember_opened, key, frozenset(ids), on_open),
        on_selection_change=keep_value,
        on_starred_change=partial(_remember_stars, key),
    )
    opened, known.opened = known.opened, None
    return GridEvent(opened, tuple(i for i in ids if i in selected) if selectable else ())


def starred_in(key: str) -> Mapping[str, bool]:
    """The stars that were pressed since this was asked last, on or off. Call it before the grid, whose cards then tell.

    It is the browser's word, and may name a card of the page before.
    """
    known = memory(key, GridMemory)
    marks, known.marks = known.marks, {}
    return marks


def selection_of(key: str) -> tuple[str, ...]:
    """All that is selected in a grid that keeps, in the order in which it was; also while the grid is not drawn.

    It is the browser's word: look each up, never trust it.
    """
    known = memory(key, GridMemory)
    return tuple(each for each in known.kept if each not in known.dropped)


def clear_selection(key: str) -> None:
    """Empty a grid's selection, for instance after a bulk edit. Call it in a callback or before the grid."""
    known = memory(key, GridMemory)
    known.drop((*known.left_of(message(key, "selection", _Sent) or _Sent()), *selection_of(key)))


def deselect(key: str, ids: Iterable[str]) -> None:
    """Take some out of the selection. Call it in a callback or before the grid."""
    memory(key, GridMemory).drop(ids)


def _remember_opened(key: str, ids: frozenset[str], on_open: Callable[[str], None] | None) -> None:
    """Keep the opening until the grid is drawn: a rerun may interrupt the run that brought it."""
    opened = message(key, "opened", _Opened)
    if opened is None:
        return
    if on_open is None:
        memory(key, GridMemory).opened = opened.id
    elif opened.id in ids:
        on_open(opened.id)


def _remember_stars(key: str) -> None:
    """Keep the stars until they are asked for: a rerun may interrupt the run that brought them."""
    if starred := message(key, "starred", _Starred):
        known = memory(key, GridMemory)
        known.marks |= starred.marks
        known.star_turn = starred.turn
