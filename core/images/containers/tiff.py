"""TIFF: the fields of the first directory (TIFF 6.0, section 2; BigTIFF)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from core.images.containers.bounds import ICC_BYTES_MAX
from core.images.containers.spans import Parts, steps

_ORDERS: Final[dict[bytes, Literal["little", "big"]]] = {b"II": "little", b"MM": "big"}
_TYPE_BYTES: Final = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # by the type's number
# Where pixels lie, how many bytes they have, their colours and tables: as large as the picture makes them.
_OF_PIXELS: Final = frozenset({273, 279, 320, 324, 325, 347})
_PROFILE: Final = 34675
OTHERS_BYTES_MAX: Final = 1024 * 1024  # all other fields together


class _Field(NamedTuple):
    tag: int
    start: int  # of its entry
    size_bytes: int  # of its value


@dataclass(frozen=True, slots=True)
class _Layout:
    """How wide numbers are, and where the first directory lies."""

    order: Literal["little", "big"]
    count_bytes: int
    entry_bytes: int
    offset_bytes: int
    directory: int

    def number(self, data: bytes, at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], self.order)

    def fields(self, data: bytes) -> Iterator[_Field]:
        """Every field whose entry is in the file."""
        at = self.directory + self.count_bytes
        for _ in zip(range(self.number(data, self.directory, self.count_bytes)), steps(), strict=False):
            if at + self.entry_bytes > len(data):
                return
            kind = self.number(data, at + 2, 2)
            width = _TYPE_BYTES[kind] if kind < len(_TYPE_BYTES) else 0
            yield _Field(self.number(data, at, 2), at, width * self.number(data, at + 4, self.offset_bytes))
            at += self.entry_bytes


def parts_of(data: bytes) -> Parts:
    """The file with no more fields in its first directory than there is room for, each once; further ones are unseen.

    Offsets stay as they are: what is left of the directory lies where all of it lay.
    """
    parts, layout = Parts(data), _layout_of(data)
    found = list(layout.fields(data)) if layout else []
    kept = list(_within_bounds(found))
    if layout is None or len(kept) == len(found):
        parts.keep(0, len(data))
        return parts
    end = layout.directory + layout.count_bytes + len(found) * layout.entry_bytes + layout.offset_bytes
    entries = b"".join(data[field.start : field.start + layout.entry_bytes] for field in kept)
    left = len(kept).to_bytes(layout.count_bytes, layout.order) + entries
    parts.keep(0, layout.directory)
    parts.put(left + bytes(end - layout.directory - len(left)))
    parts.keep(end, len(data))
    return parts


def _within_bounds(fields: list[_Field]) -> Iterator[_Field]:
    seen, room = set[int](), OTHERS_BYTES_MAX
    for field in fields:
        if field.tag in seen:
            continue
        if field.tag not in _OF_PIXELS:
            most = ICC_BYTES_MAX if field.tag == _PROFILE else room
            if field.size_bytes > most:
                continue
            room -= 0 if field.tag == _PROFILE else field.size_bytes
        seen.add(field.tag)
        yield field


def _layout_of(data: bytes) -> _Layout | None:
    """None for what is no TIFF."""
    order = _ORDERS.get(data[:2])
    if order is None:
        return None
    if int.from_bytes(data[2:4], order) == 43:
        return _Layout(order, 8, 20, 8, int.from_bytes(data[8:16], order))
    return _Layout(order, 2, 12, 4, int.from_bytes(data[4:8], order))
