"""WebP: chunks of a RIFF (https://developers.google.com/speed/webp/docs/riff_container)."""

from __future__ import annotations

from typing import Final

from core.images.containers.bounds import EXIF_BYTES_MAX, ICC_BYTES_MAX, XMP_BYTES_MAX, short_xmp
from core.images.containers.spans import Parts, steps

_HEADER: Final = 12
_FRAME: Final = 8
_BOUNDS: Final = {b"ICCP": ICC_BYTES_MAX, b"EXIF": EXIF_BYTES_MAX, b"XMP ": XMP_BYTES_MAX}
_FLAGS: Final = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}  # of VP8X, which a chunk that is left out must not have


def parts_of(data: bytes) -> Parts:
    """The file without its metadata that is too large or cut off, and with nothing behind it."""
    kept: list[tuple[int, int] | bytes] = []
    flags, header = 0, b""
    at, stop = _HEADER, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    for _ in steps():
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if at + _FRAME > stop:
            break
        end = at + _FRAME + size + size % 2
        if kind == b"VP8X" and not kept:
            header = data[at:end]
        elif kind not in _BOUNDS:
            kept.append((at, min(end, len(data))))
        elif size <= _BOUNDS[kind] and end <= len(data):
            kept.append((at, end))
            flags |= _FLAGS[kind]
        elif said := _shortened(kind, data, at):
            kept.append(said)
            flags |= _FLAGS[kind]
        at = end
    return _assembled(data, _with_flags(header, flags), kept)


def _with_flags(header: bytes, flags: int) -> bytes:
    """VP8X with the flags of the metadata that is left."""
    if len(header) <= _FRAME:
        return header
    rest = header[_FRAME] & ~sum(_FLAGS.values())
    return header[:_FRAME] + bytes([rest | flags]) + header[_FRAME + 1 :]


def _shortened(kind: bytes, data: bytes, at: int) -> bytes:
    """Of metadata that is too large what says which way up the picture is; empty if nothing does."""
    if kind == b"EXIF":
        said = data[at + _FRAME : at + _FRAME + EXIF_BYTES_MAX]
    else:
        said = short_xmp(data[at + _FRAME : at + _FRAME + ICC_BYTES_MAX]) if kind == b"XMP " else b""
    return kind + len(said).to_bytes(4, "little") + said + bytes(len(said) % 2) if said else b""


def _assembled(data: bytes, header: bytes, kept: list[tuple[int, int] | bytes]) -> Parts:
    parts = Parts(data)
    size = 4 + len(header) + sum(len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in kept)
    start = b"RIFF" + size.to_bytes(4, "little") + b"WEBP" + header
    if data.startswith(start):
        parts.keep(0, len(start))
    else:
        parts.put(start)
    for piece in kept:
        if isinstance(piece, bytes):
            parts.put(piece)
        else:
            parts.keep(*piece)
    return parts


def size_in(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels by the first chunk, which is enough of the file.

    None for what is none, and where EXIF or XMP, which stand at the end, may have the picture turned.
    """
    kind, body = head[12:16], head[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X" and not body[0] & (_FLAGS[b"EXIF"] | _FLAGS[b"XMP "]):
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":  # RFC 6386, section 9.1
        width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and body[0] == 0x2F:  # RFC 9649, section 3.4
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None
