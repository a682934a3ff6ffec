"""Pixel sizes: how wide and high originals are, read from the beginning of their files and never from all of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from PIL import Image

from core.concurrency.single_flight import SingleFlightCache
from core.errors import NotFound
from core.images.containers import webp
from core.images.containers.opening import opened
from core.images.decode import FORMATS, is_turned_sideways

# Most files say it in their first bytes; camera data and profiles may stand in front of it.
HEAD_BYTES: Final = (64 * 1024, 1024 * 1024)
_KEPT: Final = 10_000


class PixelSize(NamedTuple):
    """Width and height in pixels, as the picture is shown: turned the way its camera says."""

    width: int
    height: int


class Beginning(Protocol):
    """The first bytes of an object, on their way."""

    @property
    def etag(self) -> str:
        """Whose bytes they are."""

    @property
    def chunks(self) -> Iterator[bytes]:
        """The bytes."""

    def close(self) -> None:
        """Give the connection back."""


class Beginnings(Protocol):
    """What is asked of S3."""

    def stream(self, key: str, *, byte_range: tuple[int, int] | None = None) -> Beginning:
        """An object's bytes; first and last are both included. Raises StorageError."""


class PixelSizes:
    """Knows the sizes of the pictures that were asked about last; for any number of threads."""

    def __init__(self, store: Beginnings) -> None:
        self._store = store
        self._known: SingleFlightCache[PixelSize | None] = SingleFlightCache(size_max=_KEPT)

    def of(self, key: str, etag: str, size_bytes: int) -> PixelSize | None:
        """The size of these bytes; None where nobody knows: their file does not say it at its beginning.

        Raises StorageError, NotFound among them for a picture that has changed, and ObjectArchived.
        """
        return self._known.get(etag, lambda: self._find(key, etag, size_bytes))

    def _find(self, key: str, etag: str, size_bytes: int) -> PixelSize | None:
        for asked in HEAD_BYTES if size_bytes else ():
            head = self._beginning(key, etag, asked)
            size = pixel_size_in(head)
            if size is not None or len(head) >= size_bytes:
                return size
        return None

    def _beginning(self, key: str, etag: str, size_bytes: int) -> bytes:
        beginning = self._store.stream(key, byte_range=(0, size_bytes - 1))
        try:
            if beginning.etag != etag:
                raise NotFound("The picture has changed in S3.", key=key)
            return b"".join(beginning.chunks)
        finally:
            beginning.close()


def pixel_size_in(head: bytes) -> PixelSize | None:
    """What the beginning of a file says, or None where that is not enough, or no picture's."""
    try:
        with Image.open(opened(head), formats=FORMATS) as image:
            size = PixelSize(*image.size)
            return PixelSize(*reversed(size)) if is_turned_sideways(image) else size
    except Exception:  # noqa: BLE001 - Pillow's parsers raise whatever they stumble over, and half a file is little
        size_of_webp = webp.size_in(head) if head[8:12] == b"WEBP" else None  # all of which Pillow wants to see
        return PixelSize(*size_of_webp) if size_of_webp else None
