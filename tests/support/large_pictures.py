"""Pictures of more than a hundred megapixels, of one colour: made in a moment, and a few kilobytes long."""

from __future__ import annotations

import struct
import zlib
from typing import Final

SIDE: Final = 10_909  # 119 megapixels
_ROWS: Final = 101  # whose compressed bytes are repeated; 10,908 of them is 108 times
HEIGHT: Final = 108 * _ROWS
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6  # colour types of PNG
_BYTES: Final = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def large_png(colour_type: int, value: int, *, depth: int = 8) -> bytes:
    """One whose every byte has this value."""
    row = b"\0" + bytes([value]) * (SIDE * _BYTES[colour_type] * depth // 8)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    part = packer.compress(row * _ROWS) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = _adler32_of_repeated(row * _ROWS, HEIGHT // _ROWS)
    pixels = b"\x78\xda" + part * (HEIGHT // _ROWS) + b"\x03\x00" + struct.pack(">I", checksum)
    header = struct.pack(">IIBBBBB", SIDE, HEIGHT, depth, colour_type, 0, 0, 0)
    palette = _chunk(b"PLTE", bytes(range(256)) * 3) if colour_type == PALETTE else b""
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + palette + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _adler32_of_repeated(data: bytes, times: int) -> int:
    """The checksum of all of it by that of one part, for all of it is half a gigabyte (RFC 1950 §8.2)."""
    of_one = zlib.adler32(data, 0)
    first, second = 1, 0
    for _ in range(times):
        second = (second + len(data) * first + (of_one >> 16)) % 65521
        first = (first + (of_one & 0xFFFF)) % 65521
    return second << 16 | first


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
