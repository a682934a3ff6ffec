"""Bounds: what a file may say besides its pixels, as much of it as a decoder is given."""

from __future__ import annotations

import re
from typing import Final

ICC_BYTES_MAX: Final = 4 * 1024 * 1024  # no profile of a device or a paper is larger
EXIF_BYTES_MAX: Final = 64 * 1024  # what a JPEG can hold; orientation stands at its beginning
XMP_BYTES_MAX: Final = 64 * 1024  # the same
# As Pillow reads it.
_XMP_ORIENTATION: Final = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


def short_xmp(xmp: bytes) -> bytes:
    """Of XMP nothing but which way up the picture is; empty if it does not say."""
    found = _XMP_ORIENTATION.search(xmp)
    return b'<x:xmpmeta tiff:Orientation="%s"/>' % found[1] if found else b""
