"""Whatever lies in the bucket: an upright sRGB picture comes out of it, or a BadImage that says why not."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from core.errors import BadImage
from core.images.decode import BYTES_MAX, DECODER, PIXELS_MAX, SIGNATURE_BYTES, content_type_of, decode_picture
from tests.support.timeouts import LONG_S

ROOT = Path(__file__).parents[2]
SRGB = ImageCms.createProfile("sRGB")
# The CIE xy of the primaries; SPINACH swaps red and green, so that a picture without its profile is obvious.
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
SPINACH = ((0.300, 0.600), (0.640, 0.330), (0.150, 0.060))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]  # each format has options of its own
    return out.getvalue()


def scene(mode: str = "RGB", width: int = 48, height: int = 32) -> Image.Image:
    """Smooth colours, so that lossy formats stay near them."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)]
    return Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8), "RGB").convert(mode)


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows, 9))
        + png_chunk(b"IEND", b"")
    )


def profile(primaries: tuple[tuple[float, float], ...]) -> bytes:
    """An ICC v2 matrix profile with sRGB's tone curve (ICC.1:2001-04): sRGB's own with other colorants."""
    white = np.array([0.9642, 1.0, 0.8249])  # D50, which colorants are relative to
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    d65 = np.array([0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290])
    colorants = columns * np.linalg.solve(columns, d65)
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    adapt = np.linalg.inv(bradford) @ np.diag((bradford @ white) / (bradford @ d65)) @ bradford
    data = bytearray(ImageCms.ImageCmsProfile(SRGB).tobytes())
    for number in range(struct.unpack_from(">I", data, 128)[0]):
        tag, offset, _ = struct.unpack_from(">4sII", data, 132 + 12 * number)
        if tag in (b"rXYZ", b"gXYZ", b"bXYZ"):
            column = (adapt @ colorants)[:, b"rgb".index(tag[:1])]
            struct.pack_into(">iii", data, offset + 8, *(round(float(value) * 65536) for value in column))
    return bytes(data)


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def assert_near(picture: Image.Image, expected: Image.Image, *, apart: float = 6) -> None:
    assert picture.mode == "RGB"
    assert picture.size == expected.size
    difference = np.abs(np.asarray(picture, float) - np.asarray(expected.convert("RGB"), float))
    assert difference.mean() < apart


SIXTEEN = np.linspace(0, 65535, 48 * 32).reshape(32, 48).astype(np.uint16)
FORMATS = {
    "jpeg": (encoded(scene(), "JPEG", quality=95), scene()),
    "grey jpeg": (encoded(scene("L"), "JPEG", quality=95), scene("L")),
    "cmyk jpeg": (encoded(scene("CMYK"), "JPEG", quality=95), scene("CMYK").convert("RGB")),
    "progressive jpeg": (encoded(scene(), "JPEG", quality=95, progressive=True), scene()),
    "png": (encoded(scene(), "PNG"), scene()),
    "grey png": (encoded(scene("L"), "PNG"), scene("L")),
    "black and white png": (encoded(scene("1"), "PNG"), scene("1")),
    "palette png": (encoded(scene().quantize(64), "PNG"), scene().quantize(64)),
    "16-bit grey png": (
        encoded(Image.fromarray(SIXTEEN), "PNG"),
        Image.fromarray((SIXTEEN / 257).astype(np.uint8)),
    ),
    "gif": (encoded(scene().quantize(64), "GIF"), scene().quantize(64)),
    "webp": (encoded(scene(), "WEBP", quality=95), scene()),
    "lossless webp": (encoded(scene(), "WEBP", lossless=True), scene()),
    "bmp": (encoded(scene(), "BMP"), scene()),
    "tiff": (encoded(scene(), "TIFF"), scene()),
    "lzw tiff": (encoded(scene(), "TIFF", compression="tiff_lzw"), scene()),
    "cmyk tiff": (encoded(scene("CMYK"), "TIFF"), scene("CMYK").convert("RGB")),
    "16-bit tiff": (
        encoded(Image.fromarray(SIXTEEN), "TIFF"),
        Image.fromarray((SIXTEEN / 257).astype(np.uint8)),
    ),
    "float tiff": (
        encoded(Image.fromarray((SIXTEEN / 65535).astype(np.float32)), "TIFF"),
        Image.fromarray((SIXTEEN / 257).astype(np.uint8)),
    ),
    "lab tiff": (
        encoded(ImageCms.profileToProfile(scene(), SRGB, ImageCms.createProfile("LAB"), outputMode="LAB"), "TIFF"),
        scene(),
    ),
    "ycbcr tiff": (encoded(scene("YCbCr"), "TIFF"), scene()),
}
FORMATS["avif"] = (encoded(scene(), "AVIF", quality=95), scene())
FORMATS["heic"] = (encoded(scene(), "HEIF", quality=95), scene())


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_comes_out_as_the_same_eight_bit_rgb_picture(name: str) -> None:
    data, expected = FORMATS[name]
    assert_near(decode_picture(data), expected)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_shrinks_to_the_side_that_was_asked_for(name: str) -> None:
    data, expected = FORMATS[name]
    small = expected.convert("RGB").resize((24, 16), Image.Resampling.LANCZOS)
    assert_near(decode_picture(data, max_side=24), small, apart=9)


@pytest.mark.parametrize("name", FORMATS)
def test_the_type_is_known_by_the_first_bytes(name: str) -> None:
    kind = content_type_of(FORMATS[name][0][:SIGNATURE_BYTES])
    assert kind == f"image/{name.rsplit(' ', 1)[-1]}"


@pytest.mark.parametrize("data", [b"", b"<html>", b"\x89PN", b"RIFF....WAVE", bytes(64), b"\0\0\0\x20ftypqt  "])
def test_what_is_no_picture_of_ours_has_no_type(data: bytes) -> None:
    assert content_type_of(data) is None


def test_a_picture_is_never_enlarged() -> None:
    assert decode_picture(FORMATS["png"][0], max_side=500).size == (48, 32)


def test_sixteen_bits_of_colour_lose_only_their_lower_half() -> None:
    rows = b"".join(b"\0" + struct.pack(">HHH", 65535, 32896, 257) * 4 for _ in range(4))
    assert decode_picture(png(4, 4, 16, 2, rows)).getpixel((2, 2)) == (255, 128, 1)


def test_a_dark_sixteen_bit_picture_stays_dark() -> None:
    dark = Image.fromarray(np.full((8, 8), 200, np.uint16))
    assert decode_picture(encoded(dark, "PNG")).getpixel((4, 4)) == (0, 0, 0)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "webp", "palette", "grey key", "colour key"])
def test_what_is_transparent_shows_the_neutral_grey(mode: str) -> None:
    layer = Image.new("RGBA", (8, 8), (255, 255, 255, 255))
    layer.paste((0, 0, 0, 0), (0, 0, 4, 8))
    if mode == "palette":
        palette = Image.new("P", (8, 8), 1)
        palette.putpalette([0, 0, 0, 255, 255, 255])
        palette.paste(0, (0, 0, 4, 8))
        data = encoded(palette, "PNG", transparency=bytes([0, 255]))
    elif mode == "webp":
        data = encoded(layer, "WEBP", lossless=True)
    elif mode == "grey key":
        data = encoded(layer.convert("L"), "PNG", transparency=0)
    elif mode == "colour key":
        data = encoded(layer.convert("RGB"), "PNG", transparency=(0, 0, 0))
    else:
        data = encoded(layer.convert(mode), "PNG")
    for picture in (decode_picture(data), decode_picture(data, max_side=8)):
        assert picture.getpixel((1, 4)) == (128, 128, 128)
        assert picture.getpixel((6, 4)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_shown(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("#ff0000", "#00ff00", "#0000ff")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=40)
    assert_near(decode_picture(data), frames[0])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("max_side", [None, 32])
def test_the_cameras_orientation_is_applied(orientation: int, kind: str, max_side: int | None) -> None:
    upright = scene(width=64, height=32)
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if undo is None else upright.transpose(undo)
    data = encoded(stored, kind, exif=exif(orientation))
    expected = upright if max_side is None else upright.resize((32, 16), Image.Resampling.LANCZOS)
    assert_near(decode_picture(data, max_side=max_side), expected, apart=9)


@pytest.mark.parametrize("block", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + bytes(40), b"junk"])
def test_a_broken_exif_block_does_not_cost_the_picture(block: bytes) -> None:
    program = (
        "import sys; from core.images.decode import decode_picture;print(decode_picture(sys.stdin.buffer.read()).size)"
    )
    data = encoded(scene(), "JPEG", quality=95, exif=block)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, input=data, capture_output=True, check=False, timeout=LONG_S
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"(48, 32)\n", b"")


def decoded_without_heif(folder: Path, data: bytes) -> bytes:
    """What a fresh process says of a picture, in which pillow_heif cannot be imported."""
    (folder / "pillow_heif.py").write_text("raise ImportError")
    program = (
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "from core.images.decode import content_type_of, decode_picture\n"
        "data = sys.stdin.buffer.read()\n"
        "try: print(content_type_of(data), decode_picture(data).size)\n"
        "except Exception as err: print(content_type_of(data), err.message)"
    )
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, input=data, capture_output=True, check=True, timeout=LONG_S).stdout


def heic() -> bytes:
    """What a phone makes of the scene."""
    return encoded(scene(), "HEIF", quality=95)


def test_heic_without_its_package_is_refused_by_name(tmp_path: Path) -> None:
    said = decoded_without_heif(tmp_path, heic())
    assert said == b"None HEIC is not supported here: save the picture as JPEG and upload that.\n"


def test_a_decoder_that_knows_heic_is_another_one(tmp_path: Path) -> None:
    (tmp_path / "pillow_heif.py").write_text("raise ImportError")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nfrom core.images.decode import DECODER; print(DECODER)"
    )
    without = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, timeout=LONG_S, text=True).strip()
    assert f"{without}-heif" == DECODER


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_embedded_profile_decides_what_the_numbers_mean(kind: str) -> None:
    options = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    red_in_green = Image.new("RGB", (16, 16), (0, 255, 0))
    data = encoded(red_in_green, kind, icc_profile=profile(SPINACH), **options)
    assert_near(decode_picture(data), Image.new("RGB", (16, 16), (255, 0, 0)), apart=5)


def test_a_wide_gamut_picture_gets_the_srgb_numbers_of_its_colours() -> None:
    data = encoded(Image.new("RGB", (8, 8), (200, 100, 100)), "PNG", icc_profile=profile(DISPLAY_P3))
    red, green, blue = decode_picture(data).getpixel((4, 4))  # type: ignore[misc]  # three bands
    assert (red, green, blue) == pytest.approx((215, 93, 98), abs=3)  # what CSS color(display-p3 …) gives


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_a_profile_counts_for_transparent_and_palette_pictures_too(mode: str) -> None:
    green = Image.new("RGB", (8, 8), (0, 255, 0)).convert(mode)
    assert_near(
        decode_picture(encoded(green, "PNG", icc_profile=profile(SPINACH))), Image.new("RGB", (8, 8), (255, 0, 0))
    )


@pytest.mark.parametrize("icc", [b"\0", b"not a profile" * 20, profile(DISPLAY_P3)[:200]])
def test_a_broken_profile_is_ignored(icc: bytes) -> None:
    assert_near(decode_picture(encoded(scene(), "PNG", icc_profile=icc)), scene())


def test_a_profile_for_other_channels_is_ignored() -> None:
    assert_near(decode_picture(encoded(scene("L"), "PNG", icc_profile=profile(DISPLAY_P3))), scene("L"))


def test_what_is_made_of_a_decoded_picture_carries_no_stale_profile() -> None:
    picture = decode_picture(encoded(scene(), "PNG", icc_profile=profile(SPINACH)))
    assert "icc_profile" not in Image.open(io.BytesIO(encoded(picture, "PNG"))).info


def test_an_empty_file_says_so() -> None:
    with pytest.raises(BadImage, match="empty"):
        decode_picture(b"")


def test_a_web_page_named_like_a_picture_is_no_picture() -> None:
    with pytest.raises(BadImage, match="no picture"):
        decode_picture(b"<!doctype html><html><body>404 Not Found</body></html>")


def test_a_file_above_the_byte_limit_is_refused_unread() -> None:
    with pytest.raises(BadImage, match="MB"):
        decode_picture(bytes(BYTES_MAX + 1))


@pytest.mark.parametrize("name", ["jpeg", "png", "16-bit grey png", "gif", "webp", "bmp", "tiff", "lzw tiff"])
def test_a_cut_off_file_is_bad_or_a_picture_of_the_right_size(name: str) -> None:
    data, expected = FORMATS[name]
    for end in range(1, len(data), max(1, len(data) // 40)):
        for max_side in (None, 24):
            try:
                picture = decode_picture(data[:end], max_side=max_side)
            except BadImage as err:
                assert err.message.endswith(("again.", "read.", "here.", "safely."))  # noqa: PT017 - both are right
            else:
                assert picture.mode == "RGB"
                assert picture.size == (expected.size if max_side is None else (24, 16))


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "bmp", "tiff"])
def test_half_a_file_is_called_damaged(name: str) -> None:
    data = FORMATS[name][0]
    with pytest.raises(BadImage):
        decode_picture(data[: len(data) // 2])


@settings(max_examples=150, deadline=None)
@given(st.binary(min_size=1, max_size=400), st.sampled_from([b"", *[data[:20] for data, _ in FORMATS.values()]]))
def test_random_bytes_are_bad_and_nothing_worse(noise: bytes, begin: bytes) -> None:
    try:
        assert decode_picture(begin + noise).mode == "RGB"
    except BadImage as err:
        assert err.message  # noqa: PT017 - a lucky picture is fine too


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_flipped_bits_are_bad_or_a_picture_and_nothing_worse(name: str) -> None:
    data, dice = FORMATS[name][0], random.Random(name)
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(dice.randint(1, 8)):
            broken[dice.randrange(min(len(broken), 400))] ^= 1 << dice.randrange(8)
        try:
            assert decode_picture(bytes(broken), max_side=64).mode == "RGB"
        except BadImage as err:
            assert err.message  # noqa: PT017 - either is right


def test_a_header_that_claims_a_giant_is_refused_before_memory_is_asked_for() -> None:
    with pytest.raises(BadImage, match="60000×60000"):
        decode_picture(png(60_000, 60_000, 8, 2, b"\0"))


def test_a_real_bomb_is_refused_before_it_is_unpacked() -> None:
    packer = zlib.compressobj(9)
    row = bytes(1 + 20_000 // 8)
    rows = b"".join(packer.compress(row) for _ in range(20_000)) + packer.flush()
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    assert len(bomb) < 200_000
    assert PIXELS_MAX < 20_000 * 20_000
    with pytest.raises(BadImage, match="megapixels"):
        decode_picture(bomb, max_side=320)


def test_a_bomb_in_the_text_of_a_png_is_not_unpacked() -> None:
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9))
    data = FORMATS["png"][0]
    at = data.index(b"IDAT") - 4
    tracemalloc.start()
    picture = decode_picture(data[:at] + text + data[at:])
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert_near(picture, FORMATS["png"][1])
