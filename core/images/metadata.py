"""Metadata: what a picture file says besides its pixels is taken out without touching a pixel.

JPEG: ITU-T T.81 annex B (markers and segments). PNG: W3C PNG specification, chapter 5 (chunks).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

from core.errors import BadImage

# What a decoder needs: tables, frames, scans, restart intervals, and Adobe's word on the colour transform.
_JPEG_START: Final = b"\xff\xd8"
_JPEG_ADOBE: Final = 0xEE
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
# In the data of a scan a marker is what does not follow 0xFF as a stuffed zero, a restart or a fill byte.
_JPEG_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_PNG_NEEDED: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_TRUNCATED: Final = "The picture is damaged or cut off: upload it again."


def without_metadata(data: bytes) -> bytes:
    """The same JPEG or PNG with nothing but its pixels: no place, time, camera, names, comments or profile.

    Whoever needs its orientation or colour profile must have read them before. Raises BadImage for a file that
    is damaged or of another kind.
    """
    if data.startswith(_JPEG_START):
        return b"".join(_jpeg_parts(data))
    if data.startswith(_PNG_START):
        return b"".join(_png_parts(data))
    raise BadImage("The file is neither JPEG nor PNG.")


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
    yield _JPEG_START
    at = len(_JPEG_START)
    while True:
        marker = _at(data, at + 1)
        if _at(data, at) != 0xFF:
            raise BadImage(_TRUNCATED)
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _JPEG_END:
            yield data[at : at + 2]
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data) or end < at + 4:
            raise BadImage(_TRUNCATED)
        if marker == _JPEG_SCAN:
            end = _end_of_scan(data, end)
        if not _is_metadata(marker):
            yield data[at:end]
        at = end


def _is_metadata(marker: int) -> bool:
    """Whether a segment is an application's or a comment, and no decoder's business."""
    return (0xE0 <= marker <= 0xEF and marker != _JPEG_ADOBE) or marker == 0xFE


def _end_of_scan(data: bytes, at: int) -> int:
    found = _JPEG_MARKER.search(data, at)
    if found is None:
        raise BadImage(_TRUNCATED)
    return found.start()


def _png_parts(data: bytes) -> Iterator[bytes]:
    yield _PNG_START
    at, kind = len(_PNG_START), b""
    while kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise BadImage(_TRUNCATED)
        if kind in _PNG_NEEDED:
            yield data[at:end]
        at = end


def _at(data: bytes, place: int) -> int:
    if place >= len(data):
        raise BadImage(_TRUNCATED)
    return data[place]
