"""Even PNGs: two pictures as PNG files that differ in nothing but their pixels, not even in length.

Both are written by one encoder with one filter, without metadata. The shorter one is made as long as the other inside
its compressed data, by empty blocks, which every decoder passes over (RFC 1951 §3.2.4 and §3.2.6): a file's length
would tell a detailed picture from a plain one before a pixel is seen.
PNG: W3C PNG specification, chapters 5 (chunks), 9 (filters) and 10 (zlib).
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np
from PIL import Image

from core.images.containers.png import START, chunk_bytes

_LEVEL: Final = 1  # a tenth longer than level 6, in a sixth of the time
_UP: Final = 2  # the filter that takes the row above off
_RGB8: Final = bytes((8, 2, 0, 0, 0))  # bits a sample, colour type, and compression, filter and interlace methods
_ZLIB_HEAD: Final = 2
# Empty blocks that begin and end at a byte's border: a stored one, and one of fixed codes with a stored one behind it.
_FIVE: Final = b"\x00\x00\x00\xff\xff"
_SIX: Final = b"\x02\x00\x00\x00\xff\xff"
_FILL_MIN: Final = 20  # from here on every number is a sum of fives and sixes


def even_pngs(first: Image.Image, second: Image.Image) -> tuple[bytes, bytes]:
    """Two RGB pictures as PNG files of one length."""
    packed = _packed(first), _packed(second)
    length = max(map(len, packed)) + _FILL_MIN
    one, other = (_png(image, _filled(data, length)) for image, data in zip((first, second), packed, strict=True))
    return one, other


def _packed(image: Image.Image) -> bytes:
    """The filtered rows as one zlib stream."""
    rows = np.asarray(image, dtype=np.uint8).reshape(image.height, -1)
    filtered = np.empty((image.height, 1 + rows.shape[1]), dtype=np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return zlib.compress(filtered.data, _LEVEL)


def _filled(stream: bytes, length: int) -> bytes:
    """A zlib stream made longer by `_FILL_MIN` bytes at least, with empty blocks in front of its first one."""
    missing = length - len(stream)
    sixes = missing % 5
    return stream[:_ZLIB_HEAD] + _SIX * sixes + _FIVE * ((missing - 6 * sixes) // 5) + stream[_ZLIB_HEAD:]


def _png(image: Image.Image, stream: bytes) -> bytes:
    header = image.width.to_bytes(4, "big") + image.height.to_bytes(4, "big") + _RGB8
    return START + chunk_bytes(b"IHDR", header) + chunk_bytes(b"IDAT", stream) + chunk_bytes(b"IEND", b"")
