"""The tile picker: one choice among pictures, picked by hand or proposed from the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import east_asian_width, normalize

from core.ui.components.component import Component, Count, ShortText, Told, memory, message

_component = Component(Path(__file__).with_suffix(".js"), html='<div class="picker"></div>')

# The heights tiles.css draws with, in pixels. The whole height is known before the script has run,
# so nothing below the picker moves when it appears.
_HEADER, _EDGE, _PICTURE, _NAME_LINE, _NAME_GAP, _ROW_GAP = 22, 4, 58, 13, 4, 7

# A name's width in letters of ordinary width, near enough to tell one line from two.
_LETTER_WIDTHS = dict.fromkeys("fijlrt.,:;'-/ ", 0.55) | dict.fromkeys("mwMW@%", 1.5)
_CAPITAL_WIDTH, _HANGUL_WIDTH = 1.15, 1.6
_ANEW = "\0"  # no tile's id, so whatever is given next differs from it
_ROOM_IN_LETTERS = 42  # beside each other, in the 255 px that style.css leaves the composer at least


@dataclass(frozen=True, slots=True)
class Tile:
    """One choice; without a picture it is a quiet plate, with a reason it cannot be picked."""

    id: str
    name: str
    picture_url: str | None
    alt: str
    disabled_reason: str | None = None


@dataclass(frozen=True, slots=True)
class TilesData:
    """What the browser draws; `lines` counts those of each row's names, `turn` the picks by hand that were heard."""

    part: str
    label: str
    note: str
    columns: int
    lines: Sequence[int]
    tiles: Sequence[Tile]
    picked: str | None
    proposed: str | None
    turn: int


class _Answer(Told):
    """A pick by hand."""

    turn: Count
    picked: ShortText | None


@dataclass(slots=True)
class TilesMemory:
    """What the last run knew: the pick it was given, the pick that held, the answers counted."""

    given: str | None = _ANEW
    value: str | None = None
    turn: int = 0


def tile_picker(
    label: str,
    tiles: Sequence[Tile],
    *,
    key: str,
    picked: str | None,
    proposed: str | None,
    columns: int,
    note: str = "",
) -> str | None:
    """Draw the tiles and return the id of the picked one, or None.

    The person's newest pick holds until `picked` is given another value than in the run before; that is how
    a recalled composer wins. `note` stands beside the label while nothing is picked. `proposed` is drawn as a
    proposal and never returned.
    """
    value, turn = _settle(key, tiles, picked)
    lines = _name_lines(tiles, columns)
    _component.draw(
        TilesData(
            part=key,
            label=label,
            note=note if value is None else "",
            columns=columns,
            lines=lines,
            tiles=tiles,
            picked=value,
            proposed=proposed,
            turn=turn,
        ),
        key=key,
        height=_height(lines),
    )
    # A session that has just been made knows the browser's answer once the tiles are drawn.
    return _settle(key, tiles, picked)[0]


def hand_over(key: str) -> None:
    """Let the next `picked` win over what was picked by hand, even where it was the same before."""
    memory(key, TilesMemory).given = _ANEW


def held(key: str, picked: str | None) -> str | None:
    """The pick that holds, where the tiles are given `picked`."""
    known = memory(key, TilesMemory)
    return picked if picked != known.given else known.value


def heard(key: str) -> int:
    """How many picks by hand were taken from the tiles."""
    return memory(key, TilesMemory).turn


def put(key: str, picked: str | None, *, turn: int) -> None:
    """Set the tiles to what they showed a server before, after so many picks. Call before they are drawn."""
    known = memory(key, TilesMemory)
    known.given = known.value = picked
    known.turn = max(turn, known.turn)


def _settle(key: str, tiles: Sequence[Tile], given: str | None) -> tuple[str | None, int]:
    """Decide between the browser's answer, the server's wish and what held before."""
    known = memory(key, TilesMemory)
    answer = message(key, "answer", _Answer)
    if answer is not None and answer.turn <= known.turn:
        answer = None
    if answer is not None:
        known.turn = answer.turn
    if answer is not None and answer.picked in {None, *(tile.id for tile in tiles if tile.disabled_reason is None)}:
        known.value = answer.picked
    elif given != known.given:
        known.value = given
    known.given = given
    return known.value, known.turn


def _name_lines(tiles: Sequence[Tile], columns: int) -> list[int]:
    """How many lines the names of each row need: two as soon as one name is long."""
    room = _ROOM_IN_LETTERS / columns
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    return [2 if any(_width(tile.name) > room for tile in row) else 1 for row in rows]


def _width(name: str) -> float:
    return sum(_letter_width(letter) for letter in normalize("NFC", name))


def _letter_width(letter: str) -> float:
    if letter in _LETTER_WIDTHS:
        return _LETTER_WIDTHS[letter]
    if east_asian_width(letter) in "WF":
        return _HANGUL_WIDTH
    return _CAPITAL_WIDTH if letter.isupper() or letter.isdigit() else 1.0


def _height(lines: Sequence[int]) -> int:
    rows = sum(_PICTURE + _NAME_GAP + count * _NAME_LINE for count in lines)
    return _HEADER + 2 * _EDGE + rows + _ROW_GAP * max(0, len(lines) - 1)
