"""PNG: chunks (W3C PNG specification, chapters 5 and 11)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from core.images.containers.bounds import EXIF_BYTES_MAX, ICC_BYTES_MAX, XMP_BYTES_MAX, short_xmp
from core.images.containers.spans import Parts, steps

START: Final = b"\x89PNG\r\n\x1a\n"
_PIXELS: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"tRNS"})
_BYTES: Final = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1}  # of those that are of one size
_XMP: Final = b"XML:com.adobe.xmp\0"
_RAW_EXIF: Final = b"Raw profile type exif\0"  # as ImageMagick writes it
# What says how the pixels are meant, and how it begins. Of each the first one counts.
_KEYWORDS: Final = {
    **dict.fromkeys((*_BYTES, b"iCCP", b"eXIf"), b""),
    b"iTXt": _XMP,
    **dict.fromkeys((b"tEXt", b"zTXt"), _RAW_EXIF),
}
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
    parts, seen = Parts(data), set[bytes]()
    parts.keep(0, len(START))
    for chunk in chunks(data):
        if chunk.kind in _PIXELS:
            if chunk.is_whole:
                parts.keep(chunk.start, chunk.end)
            else:
                parts.put(chunk_bytes(chunk.kind, data[chunk.start + 8 : chunk.end]))
        elif chunk.kind == b"IEND" and chunk.is_whole:
            parts.keep(chunk.start, chunk.end)
            return parts
        elif chunk.is_whole and chunk.kind not in seen and _is_known(data, chunk):
            seen.add(chunk.kind)  # what a bomb takes is paid once
            _keep_meaning(parts, data, chunk)
    parts.put(chunk_bytes(b"IEND", b""))
    return parts


def _is_known(data: bytes, chunk: Chunk) -> bool:
    """Whether a chunk may say how the pixels are meant, by its type and keyword."""
    keyword = _KEYWORDS.get(chunk.kind)
    return keyword is not None and data.startswith(keyword, chunk.start + 8)


def _keep_meaning(parts: Parts, data: bytes, chunk: Chunk) -> None:
    """Of such a chunk as much as there is room for."""
    body = data[chunk.start + 8 : min(chunk.end - 4, chunk.start + 8 + ICC_BYTES_MAX)]
    if chunk.kind == b"eXIf" and len(body) > EXIF_BYTES_MAX:
        parts.put(chunk_bytes(b"eXIf", body[:EXIF_BYTES_MAX]))
    elif chunk.kind == b"iTXt" and len(text := _xmp(body)) > XMP_BYTES_MAX:
        if said := short_xmp(text):
            parts.put(chunk_bytes(b"iTXt", _XMP + bytes(4) + said))
    elif _has_room(chunk, body) and _is_sound(data, chunk):
        parts.keep(chunk.start, chunk.end)


def _has_room(chunk: Chunk, body: bytes) -> bool:
    """Whether what a chunk unpacks to is within bounds, and the chunk itself."""
    most = ICC_BYTES_MAX if chunk.kind == b"iCCP" else EXIF_BYTES_MAX
    if chunk.end - chunk.start - _FRAME > most:
        return False
    if chunk.kind in (b"iCCP", b"zTXt"):
        return 0 < len(_inflated(body.partition(b"\0")[2][1:], most + 1)) <= most
    return chunk.kind not in _BYTES or _BYTES[chunk.kind] == len(body)


def _is_sound(data: bytes, chunk: Chunk) -> bool:
    checked = memoryview(data)[chunk.start + 4 : chunk.end - 4]
    return zlib.crc32(checked) == int.from_bytes(data[chunk.end - 4 : chunk.end], "big")


def _xmp(body: bytes) -> bytes:
    """The text of an iTXt chunk, as far as it is looked at: keyword, flag, method, language, other keyword, text."""
    flag, rest = body[len(_XMP) : len(_XMP) + 1], body[len(_XMP) + 2 :].split(b"\0", 2)
    text = rest[2] if len(rest) == 3 else b""
    return _inflated(text, ICC_BYTES_MAX) if flag == b"\1" else text


def _inflated(data: bytes, most: int) -> bytes:
    """So much of what is compressed; nothing where it is damaged."""
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error:
        return b""


def chunk_bytes(kind: bytes, body: bytes) -> bytes:
    """A chunk as it stands in a file."""
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
