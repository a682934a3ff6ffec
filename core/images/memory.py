"""What pictures take of memory, in the process as a whole: their files on the way from S3, and their pixels."""

from __future__ import annotations

import os
from typing import Final

from PIL import Image

from core.concurrency.byte_budget import ByteBudget

MIB: Final = 1024 * 1024
BYTES_MAX: Final = 80 * MIB
PIXELS_MAX: Final = 120_000_000
WAITING_MAX: Final = 24  # of the 40 threads that answer requests
PATIENCE_S: Final = 120.0

# Files are lent for before pixels, and never the other way round: nobody waits for somebody who waits for them.
FILES: Final = ByteBudget(
    large_bytes=2 * BYTES_MAX,
    small_bytes=64 * MIB,
    small_max=16 * MIB,
    at_once=8,
    waiting_max=WAITING_MAX,
    patience_s=PATIENCE_S,
)
# One picture of PIXELS_MAX at four bytes a pixel, with all that shrinking it takes.
PIXELS: Final = ByteBudget(
    large_bytes=640 * MIB,
    small_bytes=128 * MIB,
    small_max=64 * MIB,
    at_once=max(2, os.cpu_count() or 2),  # more than there are processors are not ready sooner
    waiting_max=WAITING_MAX,
    patience_s=PATIENCE_S,
)

# Bytes a pixel as Pillow keeps them: 4 for every mode of several bands, also for RGB.
_LOADED: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
_LOADED_OTHERWISE: Final = 4
# What a format's decoder holds for each pixel beside that, measured with Pillow 13: libwebp's animation decoder keeps
# two canvases and hands out a third, AVIF and HEIC keep their planes and the copy made of them.
_DECODER: Final = {"WEBP": 12, "AVIF": 8, "HEIF": 8}
_STRIP_ROWS, _TILE_WIDTH, _TILE_LENGTH = 278, 322, 323  # tags of TIFF 6.0
# Bytes a pixel of what is made of the pixels until they are RGB.
_SIMPLE_MODES: Final = frozenset({"L", "RGB", "CMYK"})
_SIMPLE_COPIES, _COPIES = 4, 12


def is_simple(image: Image.Image) -> bool:
    """Whether nothing is copied whole of it while it is made smaller: no other mode is needed, and no transparency."""
    return image.mode in _SIMPLE_MODES and "transparency" not in image.info


def bytes_to_decode(image: Image.Image, *, opened_pixels: int, worked_on_pixels: int, final_pixels: int) -> int:
    """All that decoding an opened picture takes at its peak.

    `opened_pixels` are those of its header; a JPEG's own size is smaller where it is decoded at a reduced scale.
    `worked_on_pixels` are those that conversions and resizing see, `final_pixels` those that come out.
    """
    loaded = _LOADED.get(image.mode, _LOADED_OTHERWISE) * image.width * image.height
    worked_on = (_SIMPLE_COPIES if is_simple(image) else _COPIES) * worked_on_pixels
    return loaded + _bytes_of_decoder(image, opened_pixels) + worked_on + _COPIES * final_pixels


def _bytes_of_decoder(image: Image.Image, opened_pixels: int) -> int:
    if "progressive" in image.info:  # libjpeg keeps all coefficients, two bytes each, as the components are sampled
        sampled = [(across, down) for _, across, down, _ in getattr(image, "layer", ())]
        whole = max(across for across, _ in sampled) * max(down for _, down in sampled)
        return int(2 * opened_pixels * sum(across * down for across, down in sampled) // whole)
    if image.format == "TIFF":  # one strip or tile, which may be the whole picture
        tags = getattr(image, "tag_v2", {})
        part = tags.get(_TILE_WIDTH, image.width) * tags.get(_TILE_LENGTH, tags.get(_STRIP_ROWS, image.height))
        return _LOADED_OTHERWISE * int(min(opened_pixels, part))
    return _DECODER.get(image.format or "", 0) * opened_pixels
