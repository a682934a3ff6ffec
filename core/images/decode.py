"""Guarded decoding: bytes from S3 become an upright sRGB picture, or a BadImage that says why not."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Final

import PIL
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from core.errors import BadImage

BYTES_MAX: Final = 80 * 1024 * 1024
PIXELS_MAX: Final = 120_000_000
Image.init()  # registers every format this Pillow has; AVIF only where it was built in
with suppress(ImportError):  # HEIC needs a package of its own, which is welcome and not required
    import_module("pillow_heif").register_heif_opener()
# What may be decoded, by content and never by name.
_FORMATS: Final = tuple(
    name for name in ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF") if name in Image.OPEN
)
# What could be read: another Pillow, or another limit here (then count up), may read more.
DECODER: Final = f"1-pillow-{PIL.__version__}" + ("-heif" if "HEIF" in _FORMATS else "")
_BACKDROP: Final = (128, 128, 128)  # behind transparency: a grey that favours neither light nor dark
_HEIC_BRANDS: Final = (b"ftypheic", b"ftypheix", b"ftypheim", b"ftypheis", b"ftyphevc", b"ftypmif1", b"ftypmsf1")
# The first bytes of each format, and where in the file they stand.
_SIGNATURES: Final = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (8, b"WEBP", "image/webp"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypavis", "image/avif"),
    *((4, brand, "image/heic") for brand in _HEIC_BRANDS if "HEIF" in _FORMATS),
)
SIGNATURE_BYTES: Final = 32
# The Orientation tag of Exif 2.32 (CIPA DC-008), table 6; 1 is upright.
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Our own limit is checked on the header, before a pixel is decoded; Pillow's would warn on top of it.
Image.MAX_IMAGE_PIXELS = None
# What Pillow warns about (odd EXIF, odd TIFF tags) is no news to an operator: the picture is shown, or is not.
warnings.filterwarnings("ignore", module=r"PIL\.")


def content_type_of(head: bytes) -> str | None:
    """The picture type by content, or None for what is no picture we show.

    The first SIGNATURE_BYTES of a file are enough.
    """
    return next((kind for at, sign, kind in _SIGNATURES if head[at : at + len(sign)] == sign), None)


def is_plain(data: bytes, *, side_max: int) -> str | None:
    """The content type of a JPEG or PNG that shows the same without its metadata; None for any other picture.

    It is upright, opaque, 8-bit grey or RGB in sRGB, has one frame, and no edge beyond `side_max` pixels. Only its
    header is read.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            info = image.info
            is_same = (
                image.format != "MPO"
                and image.mode in ("L", "RGB")
                and max(image.size) <= side_max
                and getattr(image, "n_frames", 1) == 1
                and "transparency" not in info
                and not _has_own_colours(info)
                and _turn(image) is None
            )
            return Image.MIME.get(image.format or "") if is_same else None
    except Exception:  # noqa: BLE001 - Pillow's parsers raise whatever they stumble over; decoding will say it
        return None


def _has_own_colours(info: Mapping[str | tuple[int, int], object]) -> bool:
    """Whether a header says that the numbers are not simply sRGB."""
    if "gamma" in info or "chromaticity" in info:
        return "srgb" not in info
    icc = info.get("icc_profile")
    if not isinstance(icc, bytes):
        return False
    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        return not ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))).startswith("sRGB")
    return True


def decode_picture(data: bytes, *, max_side: int | None = None, decoded_side_min: int | None = None) -> Image.Image:
    """Decode to 8-bit RGB in sRGB, EXIF orientation applied, first frame only.

    With `max_side` (pixels) the picture is shrunk to fit a square of that side; a JPEG is then decoded at a
    reduced scale, which is several times faster: at the smallest whose longer edge has `decoded_side_min` pixels,
    or twice `max_side`. Raises BadImage.
    """
    if not data:
        raise BadImage("The file is empty: upload the picture again.")
    if len(data) > BYTES_MAX:
        raise BadImage("The file has {:.0f} MB, more than {:.0f} MB can be shown.", len(data) / 1e6, BYTES_MAX / 1e6)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_pixels(*image.size)
            if max_side is not None:
                image.draft("RGB", _fitting(decoded_side_min or 2 * max_side, *image.size))
            return _upright_srgb(image, max_side)
    except BadImage:
        raise
    except UnidentifiedImageError as err:
        if "HEIF" not in _FORMATS and data[4:12] in _HEIC_BRANDS:
            raise BadImage("HEIC is not supported here: save the picture as JPEG and upload that.") from err
        raise BadImage("The file is no picture this program can read.") from err
    except MemoryError as err:
        raise BadImage("The picture is too large to be opened here.") from err
    except Exception as err:  # Pillow's parsers raise whatever they stumble over
        raise BadImage("The picture is damaged or cut off: upload it again.") from err


def _check_pixels(width: int, height: int) -> None:
    if width * height > PIXELS_MAX:
        raise BadImage(
            "The picture has {}×{} pixels, more than {:.0f} megapixels can be opened safely.",
            width,
            height,
            PIXELS_MAX / 1e6,
        )


def _fitting(side: int, width: int, height: int) -> tuple[int, int]:
    """Width and height that fit a square: the square itself would keep the short side larger than it need be."""
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _upright_srgb(image: Image.Image, max_side: int | None) -> Image.Image:
    image.seek(0)
    image.load()
    profile, turn = image.info.get("icc_profile"), _turn(image)
    picture = _plain(image)
    if max_side is not None:
        picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture = _flat(_srgb(picture, profile))
    if turn is not None:
        picture = picture.transpose(turn)
    picture.info = {}  # else a file made from this would carry a profile that no longer holds
    return picture


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How the camera says the picture must be turned, if it says so in a way that can be read."""
    with suppress(Exception):  # the pixels are good, whatever stands in the EXIF block
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return None


def _plain(image: Image.Image) -> Image.Image:
    """The picture in a mode that shrinks smoothly and that colour profiles know."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _eight_bit(image)
    if image.mode in ("LA", "PA") or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "RGBA", "CMYK", "LAB") else image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and float greys scaled to 8 bit; a plain convert would clip them to white."""
    top = 65535.0  # whatever the brightest pixel is: a dark 16-bit picture stays dark
    if not image.mode.startswith("I;16"):
        _, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]  # one band only
        limits = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        top = next((limit for limit in limits if high <= limit), high)
    return image.convert("F").point(lambda value: value * (255.0 / top)).convert("L")


def _srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Colours taken from the embedded profile to sRGB; a broken profile is ignored."""
    if not icc and image.mode != "LAB":
        return image
    try:
        source = ImageCms.createProfile("LAB") if image.mode == "LAB" else io.BytesIO(icc or b"")
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(source),
            ImageCms.createProfile("sRGB"),
            outputMode="RGBA" if image.mode == "RGBA" else "RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted if converted is not None else image


def _flat(image: Image.Image) -> Image.Image:
    """RGB without transparency."""
    if image.mode == "RGBA":
        flat = Image.new("RGB", image.size, _BACKDROP)
        flat.paste(image, mask=image.getchannel("A"))
        return flat
    return image if image.mode == "RGB" else image.convert("RGB")
