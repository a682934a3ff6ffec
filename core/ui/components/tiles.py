"""The tile picker: one choice among pictures, picked by hand or proposed from the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from unicodedata import east_asian_width, normalize

import streamlit as st

from core.ui.components.draft_in_browser import with_draft

_HERE = Path(__file__).parent

# Registered once, at import. Streamlit takes an inline script without a line break for a file name.
_component = st.components.v2.component(
    "studio.tile_picker",
    html='<div class="picker"></div>',
    css=(_HERE / "tiles.css").read_text("utf-8"),
    js=with_draft(_HERE / "tiles.js"),
)

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
class _Memory:
    """What the last run knew: the pick it was given, the pick that held, the answers counted."""

    given: str | None
    value: str | None
    turn: int


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
    _component(
        key=key,
        data={
            "part": key,
            "label": label,
            "note": note if value is None else "",
            "columns": columns,
            "lines": lines,
            "tiles": [asdict(tile) for tile in tiles],
            "picked": value,
            "proposed": proposed,
            "turn": turn,
        },
        height=_height(lines),
    )
    # A session that has just been made knows the browser's answer once the tiles are drawn.
    return _settle(key, tiles, picked)[0]


def hand_over(key: str) -> None:
    """Let the next `picked` win over what was picked by hand, even where it was the same before."""
    memory_key = f"{key}:memory"
    if (memory := st.session_state.get(memory_key)) is not None:
        st.session_state[memory_key] = replace(memory, given=_ANEW)


def held(key: str, picked: str | None) -> str | None:
    """The pick that holds, where the tiles are given `picked`."""
    memory: _Memory | None = st.session_state.get(f"{key}:memory")
    return picked if memory is None or picked != memory.given else memory.value


def heard(key: str) -> int:
    """How many picks by hand were taken from the tiles."""
    memory: _Memory | None = st.session_state.get(f"{key}:memory")
    return memory.turn if memory is not None else 0


def put(key: str, picked: str | None, *, turn: int) -> None:
    """Set the tiles to what they showed a server before, after so many picks. Call before they are drawn."""
    st.session_state[f"{key}:memory"] = _Memory(picked, picked, max(turn, heard(key)))


def _settle(key: str, tiles: Sequence[Tile], given: str | None) -> tuple[str | None, int]:
    """Decide between the browser's answer, the server's wish and what held before."""
    memory_key = f"{key}:memory"  # no widget's key, so it outlives a visit to another page
    memory: _Memory = st.session_state.get(memory_key) or _Memory(given, given, 0)
    value, turn = memory.value, memory.turn
    answer = (st.session_state.get(key) or {}).get("answer")
    if isinstance(answer, Mapping) and isinstance(answer.get("turn"), int) and answer["turn"] > turn:
        turn = answer["turn"]
        choices = {tile.id for tile in tiles if tile.disabled_reason is None}
        if answer.get("picked") is None or answer["picked"] in choices:
            value = answer.get("picked")
    elif given != memory.given:
        value = given
    st.session_state[memory_key] = _Memory(given, value, turn)
    return value, turn


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
