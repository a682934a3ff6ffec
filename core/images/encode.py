"""Encoding: a picture as the bytes of a file."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def encode(picture: Image.Image, file_format: str, **options: Any) -> bytes:
    """The bytes that Pillow writes in a format, with its own options. Raises OSError or ValueError."""
    out = io.BytesIO()
    picture.save(out, file_format, **options)
    return out.getvalue()
