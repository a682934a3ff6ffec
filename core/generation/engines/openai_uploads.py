"""Uploads: references as the Images API takes them, re-encoded only where its limits or their content ask for it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from core.concurrency.single_flight import SingleFlightCache
from core.errors import BadImage, Overloaded
from core.generation.engines.engine import AttachedReference, unreadable_error
from core.images.decode import decode_picture, is_plain
from core.images.encode import encode
from core.images.metadata import without_metadata

# The API takes 50 MB a picture, but sixteen of those would take longer to send than to shrink.
_BYTES_MAX = 2_000_000
# Longer edges bring the models nothing, and every side sends its pictures anew.
_SIDE_MAX = 2048
# A camera's JPEG is decoded at half its scale, three times faster than as a whole.
_DECODED_SIDE_MIN = 1536
# JPEG quality and chroma subsampling (2 is 4:2:0); the second is for grain, in which nobody sees the difference.
_QUALITIES = ((92, 0), (75, 2))
_LOOKED_AT_SIDE = 256
_KEPT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture as it is sent. Its name says place and role only, because file names carry people's names."""

    data: bytes
    content_type: str
    name: str = ""


class Uploads:
    """Makes each reference ready once, for both sides and for later comparisons; the last used are kept."""

    def __init__(self) -> None:
        self._ready: SingleFlightCache[Upload] = SingleFlightCache(
            size_max=_KEPT_BYTES, size_of=lambda ready: len(ready.data)
        )

    def of(self, reference: AttachedReference, *, number: int = 1) -> Upload:
        """Upright, in sRGB, opaque, without metadata. Raises EngineError for what is no picture."""
        try:
            ready = (
                self._ready.get(reference.etag, lambda: _make_ready(reference.data))
                if reference.etag
                else _make_ready(reference.data)
            )
        except (BadImage, Overloaded) as err:
            raise unreadable_error(reference, err) from err
        extension = "png" if ready.content_type == "image/png" else "jpg"
        return replace(ready, name=f"{number:02d}-{reference.role.value}.{extension}")


def _make_ready(data: bytes) -> Upload:
    if len(data) <= _BYTES_MAX and (kind := is_plain(data, side_max=_SIDE_MAX)):
        with suppress(BadImage):  # what browsers forgive, models may not: that is written anew
            bare = without_metadata(data)
            decode_picture(bare, max_side=_LOOKED_AT_SIDE)  # what no reader here shows is not sent
            return Upload(bare, kind)
    picture = decode_picture(data, max_side=_SIDE_MAX, decoded_side_min=_DECODED_SIDE_MIN)
    for quality, subsampling in _QUALITIES:
        data = encode(picture, "JPEG", quality=quality, subsampling=subsampling)
        if len(data) <= _BYTES_MAX:
            break
    return Upload(data, "image/jpeg")
