"""GIF: blocks up to the first picture (GIF89a, https://www.w3.org/Graphics/GIF/spec-gif89a.txt)."""

from __future__ import annotations

from typing import Final

from core.images.containers.spans import Parts, steps

_HEADER: Final = 13  # signature and logical screen
_EXTENSION: Final = 0x21
_PICTURE: Final = 0x2C
_TRAILER: Final = b";"
_GRAPHIC_CONTROL: Final = 0xF9  # its transparency, which counts for the picture behind it


def parts_of(data: bytes) -> Parts:
    """The first picture, with what it needs; comments, other applications' data and further frames are left out."""
    parts = Parts(data)
    at = _HEADER + _table_bytes(data, _HEADER - 3)
    parts.keep(0, min(at, len(data)))
    for _ in steps():
        if at + 2 > len(data) or data[at] not in (_EXTENSION, _PICTURE):
            break
        if data[at] == _PICTURE:
            begin = at + 10 + _table_bytes(data, at + 9) + 1  # its descriptor, its colours, its code size
            parts.keep(at, _end_of_blocks(data, begin))
            break
        end = _end_of_blocks(data, at + 2)
        if data[at + 1] == _GRAPHIC_CONTROL:
            parts.keep(at, end)
        at = end
    parts.put(_TRAILER)
    return parts


def _table_bytes(data: bytes, flags_at: int) -> int:
    """What the table of colours takes that these flags announce."""
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_blocks(data: bytes, at: int) -> int:
    """Where a chain of data blocks ends, the empty one at its end included; the file's end where there is none."""
    for _ in steps():
        if at >= len(data):
            break
        size = data[at]
        at += 1 + size
        if not size:
            break
    return min(at, len(data))
