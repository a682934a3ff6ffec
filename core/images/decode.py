"""Guarded decoding: bytes from S3 become an upright sRGB picture, or a BadImage that says why not."""

from __future__ import annotations

import io
import struct
from typing import Final

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from core.errors import BadImage

BYTES_MAX: Final = 80 * 1024 * 1024
PIXELS_MAX: Final = 120_000_000
# What browsers and our own thumbnails may be made of, by content and never by name.
CONTENT_TYPES: Final = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}
Image.init()  # registers every format this Pillow has; AVIF only where it was built in
_FORMATS: Final = tuple(name for name in CONTENT_TYPES if name in Image.OPEN)
_BACKDROP: Final = (128, 128, 128)  # behind transparency: a grey that favours neither light nor dark
_DEPTH_16: Final = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")

# Our own limit is checked on the header, before a pixel is decoded; Pillow's would warn on top of it.
Image.MAX_IMAGE_PIXELS = None


def content_type_of(data: bytes) -> str | None:
    """The picture type by content, or None for what is no picture we show."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            return CONTENT_TYPES.get(image.format or "")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error):
        return None


def decode_picture(data: bytes, *, max_side: int | None = None) -> Image.Image:
    """Decode to 8-bit RGB in sRGB, EXIF orientation applied, first frame only.

    With `max_side` (pixels) the picture is shrunk to fit a square of that side; a JPEG is then decoded
    at a reduced scale, which is several times faster. Raises BadImage.
    """
    if not data:
        raise BadImage("The file is empty: upload the picture again.")
    if len(data) > BYTES_MAX:
        raise BadImage(
            f"The file has {len(data) / 1e6:.0f} MB, more than {BYTES_MAX / 1e6:.0f} MB can be shown."
        )
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_pixels(*image.size)
            if max_side is not None:
                image.draft("RGB", (max_side * 2, max_side * 2))
            return _upright_srgb(image, max_side)
    except BadImage:
        raise
    except UnidentifiedImageError as err:
        raise BadImage("The file is no picture this program can read.") from err
    except (OSError, ValueError, SyntaxError, struct.error, EOFError, IndexError, KeyError) as err:
        raise BadImage("The picture is damaged or cut off: upload it again.") from err
    except MemoryError as err:
        raise BadImage("The picture is too large to be opened here.") from err


def _check_pixels(width: int, height: int) -> None:
    if width * height > PIXELS_MAX:
        raise BadImage(
            f"The picture has {width}×{height} pixels, more than "
            f"{PIXELS_MAX / 1e6:.0f} megapixels can be opened safely."
        )


def _upright_srgb(image: Image.Image, max_side: int | None) -> Image.Image:
    image.seek(0)
    image.load()
    icc = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    if max_side is not None:
        upright.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if upright.mode in _DEPTH_16:
        upright = _eight_bit(upright)
    return _flat(_srgb(upright, icc))


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit and float greys scaled to 8 bit; a plain convert would clip them to white."""
    low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]  # one band only
    top = 255.0 if high <= 255 else 65535.0 if high <= 65535 else high
    if image.mode == "F" and low >= 0 and high <= 1:
        top = 1.0
    return image.convert("F").point(lambda value: value * (255.0 / top)).convert("L")


def _srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Colours taken from the embedded profile to sRGB; a broken profile is ignored."""
    if not icc or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted if converted is not None else image


def _flat(image: Image.Image) -> Image.Image:
    """RGB without transparency."""
    if image.mode == "RGB":
        return image
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        flat = Image.new("RGB", layer.size, _BACKDROP)
        flat.paste(layer, mask=layer.getchannel("A"))
        return flat
    return image.convert("RGB")
