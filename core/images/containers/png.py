"""PNG: chunks (W3C PNG specification, chapters 5 and 11)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from core.images.containers.bounds import EXIF_BYTES_MAX, ICC_BYTES_MAX, XMP_BYTES_MAX, short_xmp
from core.images.containers.spans import Parts, steps

START: Final = b"\x89PNG\r\n\x1a\n"
_PIXELS: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"tRNS"})
_COLOURS: Final = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1}  # bytes each has
_XMP: Final = b"XML:com.adobe.xmp"
_RAW_EXIF: Final = b"Raw profile type exif"  # as ImageMagick writes it
_FRAME: Final = 12  # bytes of length, type and checksum


class Chunk(NamedTuple):
    """A type, where its chunk begins and ends, and whether all of it is there."""

    kind: bytes
    start: int
    end: int
    is_whole: bool


def chunks(data: bytes) -> Iterator[Chunk]:
    """Every chunk up to IEND, or to where the file ends."""
    at = len(START)
    for _ in steps():
        kind = data[at + 4 : at + 8]
        if len(kind) < 4:
            return
        end = at + _FRAME + int.from_bytes(data[at : at + 4], "big")
        yield Chunk(kind, at, min(end, len(data)), end <= len(data))
        if kind == b"IEND" or end >= len(data):
            return
        at = end


def parts_of(data: bytes) -> Parts:
    """The chunks that pixels need, and of what says how they are meant as much as there is room for.

    One that is cut off at its end gets the rest of its frame. Further frames of an animation are left out.
    """
    parts = Parts(data)
    parts.keep(0, len(START))
    for chunk in chunks(data):
        if chunk.kind in _PIXELS:
            if chunk.is_whole:
                parts.keep(chunk.start, chunk.end)
            else:
                parts.put(_chunk(chunk.kind, data[chunk.start + 8 : chunk.end]))
        elif chunk.kind == b"IEND" and chunk.is_whole:
            parts.keep(chunk.start, chunk.end)
            return parts
        elif chunk.is_whole:
            _keep_meaning(parts, data, chunk)
    parts.put(_chunk(b"IEND", b""))
    return parts


def _keep_meaning(parts: Parts, data: bytes, chunk: Chunk) -> None:
    """Of an ancillary chunk what matters for the colours, or for which way up the picture is."""
    body = memoryview(data)[chunk.start + 8 : chunk.end - 4]
    if chunk.kind == b"eXIf" and len(body) > EXIF_BYTES_MAX:
        parts.put(_chunk(b"eXIf", bytes(body[:EXIF_BYTES_MAX])))
    elif _matters(chunk.kind, body) and _is_sound(data, chunk):
        if chunk.kind != b"iTXt" or len(_text(body, XMP_BYTES_MAX + 1)) <= XMP_BYTES_MAX:
            parts.keep(chunk.start, chunk.end)
        elif said := short_xmp(_text(body, ICC_BYTES_MAX)):
            parts.put(_chunk(b"iTXt", _XMP + bytes(5) + said))


def _is_sound(data: bytes, chunk: Chunk) -> bool:
    checked = memoryview(data)[chunk.start + 4 : chunk.end - 4]
    return zlib.crc32(checked) == int.from_bytes(data[chunk.end - 4 : chunk.end], "big")


def _matters(kind: bytes, body: memoryview) -> bool:
    if kind == b"iCCP":
        return 0 < len(_inflated(_behind(body, 1), ICC_BYTES_MAX + 1)) <= ICC_BYTES_MAX
    if kind == b"iTXt":
        return bytes(body[: len(_XMP) + 1]) == _XMP + b"\0"
    if kind in (b"tEXt", b"zTXt"):
        of_exif = bytes(body[: len(_RAW_EXIF) + 1]) == _RAW_EXIF + b"\0"
        return of_exif and len(body) <= EXIF_BYTES_MAX and len(_inflated(_behind(body, 1), 1 << 20)) < 1 << 20
    return kind == b"eXIf" or _COLOURS.get(kind) == len(body)


def _text(body: memoryview, most: int) -> bytes:
    """The text of an iTXt chunk with XMP, as far as it may go: keyword, flag, method, language, other keyword, text."""
    rest = bytes(body[len(_XMP) + 3 :]).split(b"\0", 2)
    text = rest[2] if len(rest) == 3 else b""
    return _inflated(text, most) if body[len(_XMP) + 1] else text[:most]


def _behind(body: memoryview, skipped: int) -> bytes:
    """What follows the keyword and so many bytes."""
    return bytes(body).partition(b"\0")[2][skipped:]


def _inflated(data: bytes, most: int) -> bytes:
    """So much of what is compressed; nothing where it is damaged."""
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error:
        return b""


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
