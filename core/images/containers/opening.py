"""Opening: the file that a decoder is given, without what could cost a picture its pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, Final

from core.images.containers import gif, jpeg, png, tiff, webp
from core.images.containers.spans import Parts

_CONTAINERS: Final[tuple[tuple[int, bytes, Callable[[bytes], Parts]], ...]] = (
    (0, b"\xff\xd8\xff", jpeg.parts_of),
    (0, png.START, png.parts_of),
    (8, b"WEBP", webp.parts_of),
    (0, b"GIF8", gif.parts_of),
    *((0, sign, tiff.parts_of) for sign in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
)


def opened(data: bytes) -> IO[bytes]:
    """The file to decode. Raises BadImage for one of more pieces than any picture has.

    Texts, comments, workflows, and profiles and camera data beyond their bounds are left out; pixels and which way up
    they are stay.
    """
    return _parts_of(data).opened()


def opened_with_ends(data: bytes) -> Sequence[IO[bytes]]:
    """Two files to decode of a JPEG whose end is missing, which are the same only if no pixel is; none of any other."""
    if not data.startswith(jpeg.START) or jpeg.has_end(data):
        return ()
    return [_parts_of(data).opened(ending) for ending in jpeg.endings(data)]


def _parts_of(data: bytes) -> Parts:
    for at, sign, parts_of in _CONTAINERS:
        if data.startswith(sign, at):
            return parts_of(data)
    parts = Parts(data)
    parts.keep(0, len(data))
    return parts
