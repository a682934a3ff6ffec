"""Guarded decoding: bytes from S3 become an upright sRGB picture, or a BadImage that says why not."""

from __future__ import annotations

import hashlib
import io
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Final

import PIL
from PIL import ExifTags, Image, ImageCms, PngImagePlugin, UnidentifiedImageError

from core.errors import BadImage, StudioError
from core.images.containers.bounds import ICC_BYTES_MAX
from core.images.containers.opening import opened, opened_with_ends
from core.images.memory import BYTES_MAX, MIB, PIXELS, PIXELS_MAX, bytes_to_decode, is_simple

# Pillow keeps pixels in blocks. glibc hands back to the system at once what is larger than 32 MiB, while blocks of
# Pillow's own 16 MiB stay with each thread that had them: eight large pictures kept 750 MB of the process.
Image.core.set_block_size(64 * MIB)  # type: ignore[attr-defined]  # documented as it stands
Image.init()  # registers every format this Pillow has; AVIF only where it was built in
with suppress(ImportError):  # HEIC needs a package of its own, which is welcome and not required
    import_module("pillow_heif").register_heif_opener()
# What may be decoded, by content and never by name.
FORMATS: Final = tuple(
    name for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF") if name in Image.OPEN
)
# What could be read: another Pillow, or another limit here (then count up), may read more.
DECODER: Final = f"3-pillow-{PIL.__version__}" + ("-heif" if "HEIF" in FORMATS else "")
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
    (0, b"II+\0", "image/tiff"),  # BigTIFF
    (0, b"MM\0+", "image/tiff"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypavis", "image/avif"),
    *((4, brand, "image/heic") for brand in _HEIC_BRANDS if "HEIF" in FORMATS),
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

_SIDEWAYS: Final = (
    *(Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270),
    *(Image.Transpose.TRANSPOSE, Image.Transpose.TRANSVERSE),
)

_DAMAGED: Final = "The picture is damaged or cut off: upload it again."
_STRIP_PIXELS: Final = 1_000_000
_Conversion = Callable[[Image.Image], Image.Image]

# Our own limit is checked on the header, before a pixel is decoded; Pillow's would warn on top of it.
Image.MAX_IMAGE_PIXELS = None
# Texts are left out before Pillow sees them, and a profile is no text, but Pillow has one limit for both.
PngImagePlugin.MAX_TEXT_CHUNK = ICC_BYTES_MAX
# What Pillow warns about (odd EXIF, odd TIFF tags) is no news to an operator: the picture is shown, or is not.
warnings.filterwarnings("ignore", module=r"PIL\.")


def content_type_of(head: bytes) -> str | None:
    """The picture type by content, or None for what is no picture we show.

    The first SIGNATURE_BYTES of a file are enough.
    """
    return next((kind for at, sign, kind in _SIGNATURES if head[at : at + len(sign)] == sign), None)


def is_plain(data: bytes, *, side_max: int) -> str | None:
    """The content type of a JPEG or PNG that shows the same without its metadata; None for any other picture.

    It is upright, opaque, 8-bit grey or RGB in sRGB, and has no edge beyond `side_max` pixels. Only its header is read.
    Whatever else is in the file counts as metadata: further frames, a second picture.
    """
    try:
        with Image.open(opened(data), formats=("JPEG", "PNG")) as image:
            info = image.info
            is_same = (
                image.mode in ("L", "RGB")
                and max(image.size) <= side_max
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

    With `max_side` (pixels) the picture is shrunk to fit a square of that side. What is much larger is first decoded
    at a reduced scale (JPEG) or averaged (all others), which is several times faster: to the smallest whose longer
    edge has `decoded_side_min` pixels, or twice `max_side`.

    Its pixels are lent for by the process's one budget. Raises BadImage, and Overloaded when no room came free.
    """
    if not data:
        raise BadImage("The file is empty: upload the picture again.")
    check_file(len(data))
    shrink = None if max_side is None else _Shrink(max_side, decoded_side_min or 2 * max_side)
    try:
        ended = opened_with_ends(data)
        if ended:
            _check_that_only_the_end_is_missing(ended)
        return _decoded(ended[0] if ended else opened(data), shrink, len(data))
    except StudioError:
        raise
    except UnidentifiedImageError as err:
        if "HEIF" not in FORMATS and data[4:12] in _HEIC_BRANDS:
            raise BadImage("HEIC is not supported here: save the picture as JPEG and upload that.") from err
        raise BadImage("The file is no picture this program can read.") from err
    except MemoryError as err:
        raise BadImage("The picture is too large to be opened here.") from err
    except Exception as err:  # Pillow's parsers raise whatever they stumble over
        raise BadImage(_DAMAGED) from err


def _decoded(file: IO[bytes], shrink: _Shrink | None, size_bytes: int) -> Image.Image:
    """The picture in a file. Raises BadImage, and whatever Pillow stumbles over."""
    # Some decoders have their file in one piece: what is not in one already is copied.
    copied_bytes = 0 if isinstance(file, io.BytesIO) else size_bytes
    file.seek(0)
    with Image.open(file, formats=FORMATS) as image:
        whole = image.size
        _check_pixels(*whole)
        if shrink is not None:
            image.draft("RGB", _fitting(shrink.decoded_side_min, *whole))
        with PIXELS.lend(min(_memory_for(image, whole, shrink) + copied_bytes, PIXELS.large_bytes)):
            picture = _upright_srgb(image, shrink)
            if picture is not image:
                image.close()  # its pixels are gone before what was lent for them is given back
            return picture


def _check_that_only_the_end_is_missing(files: Iterable[IO[bytes]]) -> None:
    """Raise BadImage if pixels are: what they are then depends on what is put behind the file."""
    found = set()
    for file in files:
        with Image.open(file, formats=("JPEG",)) as image:
            _check_pixels(*image.size)
            with PIXELS.lend(_memory_for(image, image.size, None)):
                found.add(_digest(image))
    if len(found) > 1:
        raise BadImage(_DAMAGED)


def _digest(image: Image.Image) -> bytes:
    """Of all its pixels, strip by strip: they are not copied as a whole."""
    digest, rows = hashlib.blake2b(), max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        digest.update(image.crop((0, top, image.width, min(top + rows, image.height))).tobytes())
    return digest.digest()


def check_file(size_bytes: int) -> None:
    """Raise BadImage for a file that is larger than any that is opened: it need not be fetched."""
    if size_bytes > BYTES_MAX:
        raise BadImage("The file has {:.0f} MB, more than {:.0f} MB can be shown.", size_bytes / 1e6, BYTES_MAX / 1e6)


def _check_pixels(width: int, height: int) -> None:
    if width * height > PIXELS_MAX:
        raise BadImage(
            "The picture has {}×{} pixels, more than {:.0f} megapixels can be opened safely.",
            width,
            height,
            PIXELS_MAX / 1e6,
        )


def _memory_for(image: Image.Image, whole: tuple[int, int], shrink: _Shrink | None) -> int:
    """Bytes. Raises BadImage for more than there are: so much would be needed for this picture alone."""
    across, down = (1, 1) if shrink is None else shrink.factors(*image.size)
    averaged = math.ceil(image.width / across) * math.ceil(image.height / down)
    needed = bytes_to_decode(
        image,
        opened_pixels=math.prod(whole),
        worked_on_pixels=averaged + min(_STRIP_PIXELS, math.prod(image.size)),
        final_pixels=math.prod(image.size if shrink is None else shrink.size(*image.size)),
    )
    if needed > PIXELS.large_bytes:
        raise BadImage(
            "The picture has {}×{} pixels, more than can be opened safely of a {} file like this one: save it smaller, "
            "or as a JPEG that is not progressive.",
            *whole,
            image.format,
        )
    return needed


def _fitting(side: int, width: int, height: int) -> tuple[int, int]:
    """Width and height that fit a square: the square itself would keep the short side larger than it need be."""
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


@dataclass(frozen=True, slots=True)
class _Shrink:
    """How a picture is made small: to fit a square of `max_side`, by way of one with `decoded_side_min` (pixels)."""

    max_side: int
    decoded_side_min: int

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height in the end; nothing is made larger."""
        return _fitting(self.max_side, width, height) if max(width, height) > self.max_side else (width, height)

    def factors(self, width: int, height: int) -> tuple[int, int]:
        """How many pixels, across and down, are averaged to one on the way."""
        gap = max(1.0, self.decoded_side_min / self.max_side)
        across, down = self.size(width, height)
        return max(1, int(width / across / gap)), max(1, int(height / down / gap))


def _upright_srgb(image: Image.Image, shrink: _Shrink | None) -> Image.Image:
    image.seek(0)
    image.load()
    profile, turn = image.info.get("icc_profile"), _turn(image)
    picture = _plain(image)(image) if shrink is None else _shrunk(image, shrink)
    picture = _flat(_srgb(picture, profile))
    if turn is not None:
        picture = picture.transpose(turn)
    picture.info = {}  # else a file made from this would carry a profile that no longer holds
    return picture


def _shrunk(image: Image.Image, shrink: _Shrink) -> Image.Image:
    """The picture in its new size, in a plain mode.

    A large one is converted and averaged strip by strip: a second copy of all its pixels is never made.
    """
    plain, (width, height) = _plain(image), image.size
    across, down = shrink.factors(width, height)
    if (across, down) == (1, 1):
        averaged = plain(image)
    elif is_simple(image):
        averaged = image.reduce((across, down))
    else:
        rows = max(1, _STRIP_PIXELS // (width * down)) * down
        mode = plain(image.crop((0, 0, 1, 1))).mode
        averaged = Image.new(mode, (math.ceil(width / across), math.ceil(height / down)))
        for top in range(0, height, rows):
            strip = plain(image.crop((0, top, width, min(top + rows, height))))
            averaged.paste(strip.reduce((across, down)), (0, top // down))
    return averaged.resize(shrink.size(width, height), Image.Resampling.LANCZOS, (0, 0, width / across, height / down))


def is_turned_sideways(image: Image.Image) -> bool:
    """Whether its width, as it stands in the file, is the height of what is shown."""
    return _turn(image) in _SIDEWAYS


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How the camera says the picture must be turned, if it says so in a way that can be read."""
    with suppress(Exception):  # the pixels are good, whatever stands in the EXIF block
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return None


def _plain(image: Image.Image) -> _Conversion:
    """What brings the picture, or a part of it, into a mode that shrinks smoothly and that colour profiles know."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _eight_bit(image)
    if image.mode in ("LA", "PA") or "transparency" in image.info:
        return lambda part: part.convert("RGBA")
    if image.mode == "1":
        return lambda part: part.convert("L")
    if image.mode in ("L", "RGB", "RGBA", "CMYK", "LAB"):
        return lambda part: part
    return lambda part: part.convert("RGB")


def _eight_bit(image: Image.Image) -> _Conversion:
    """16-bit, 32-bit and float greys scaled to 8 bit; a plain convert would clip them to white."""
    top = 65535.0  # whatever the brightest pixel is: a dark 16-bit picture stays dark
    if not image.mode.startswith("I;16"):
        _, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]  # one band only
        limits = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        top = next((limit for limit in limits if high <= limit), high)
    return lambda part: part.convert("F").point(lambda value: value * (255.0 / top)).convert("L")


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
