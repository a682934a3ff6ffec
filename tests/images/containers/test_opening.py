"""Metadata never costs pixels: whatever a file says besides them, the same picture comes out of it."""

from __future__ import annotations

import io
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from core.errors import BadImage
from core.images.containers import spans
from core.images.containers.bounds import EXIF_BYTES_MAX, ICC_BYTES_MAX
from core.images.containers.opening import opened
from core.images.containers.spans import Spans
from core.images.decode import decode_picture, is_plain

LARGE = 3 << 20
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ON_ITS_SIDE = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/>'
WORKFLOW = b'{"nodes": [%s]}' % b", ".join([b'{"id": 1, "type": "KSampler"}'] * 60_000)


def scene() -> Image.Image:
    return Image.radial_gradient("L").resize((60, 40)).convert("RGB")


def written(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    scene().save(out, kind, **options)  # type: ignore[arg-type]  # each format has options of its own
    return out.getvalue()


def exif_on_its_side(padding: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes() + b"\0" * padding


def chunk(kind: bytes, body: bytes, crc: int | None = None) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + (zlib.crc32(kind + body) if crc is None else crc).to_bytes(4)


def png_with(*pieces: bytes, at_end: bool = False) -> bytes:
    data = written("PNG")
    at = data.index(b"IEND") - 4 if at_end else data.index(b"IDAT") - 4
    return data[:at] + b"".join(pieces) + data[at:]


def itxt(keyword: bytes, text: bytes, *, is_compressed: bool) -> bytes:
    packed = zlib.compress(text, 9) if is_compressed else text
    return chunk(b"iTXt", keyword + b"\0" + bytes([is_compressed, 0]) + b"\0\0" + packed)


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def jpeg_with(*pieces: bytes) -> bytes:
    data = written("JPEG", quality=95)
    return data[:20] + b"".join(pieces) + data[20:]  # behind JFIF's


def riff(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)


def webp_with(**metadata: bytes) -> bytes:
    return written("WEBP", lossless=True, **metadata)


def gif_with(*extensions: bytes) -> bytes:
    data = written("GIF")
    at = 13 + (3 << (data[10] & 7) + 1)
    return data[:at] + b"".join(extensions) + data[at:]


def blocks(body: bytes) -> bytes:
    return b"".join(bytes([len(body[at : at + 255])]) + body[at : at + 255] for at in range(0, len(body), 255)) + b"\0"


RAW_EXIF = b"Raw profile type exif\0\0" + zlib.compress(
    b"\nexif\n      %d\n" % len(exif_on_its_side(0)) + exif_on_its_side(0).hex().encode() + b"\n"
)
XMP = b"XML:com.adobe.xmp"
METADATA: dict[str, Callable[[], bytes]] = {
    "png: a large text": lambda: png_with(chunk(b"tEXt", b"Comment\0" + b"x" * LARGE)),
    "png: many texts": lambda: png_with(*[chunk(b"tEXt", b"k%d\0" % n + b"x" * 700_000) for n in range(100)]),
    "png: a text that is a bomb": lambda: png_with(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(90_000_000)))),
    "png: international text that is a bomb": lambda: png_with(itxt(b"Title", bytes(90_000_000), is_compressed=True)),
    "png: large xmp": lambda: png_with(itxt(XMP, b"x" * LARGE, is_compressed=False)),
    "png: xmp that is a bomb": lambda: png_with(itxt(XMP, bytes(90_000_000), is_compressed=True)),
    "png: xmp behind the pixels": lambda: png_with(itxt(XMP, b"x" * LARGE, is_compressed=True), at_end=True),
    "png: a workflow": lambda: png_with(
        chunk(b"tEXt", b"workflow\0" + WORKFLOW), chunk(b"tEXt", b"prompt\0" + WORKFLOW)
    ),
    "png: text without end": lambda: png_with(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 999)[:-9])),
    "png: text with another checksum": lambda: png_with(chunk(b"tEXt", b"Comment\0x", crc=1)),
    "png: a profile that is a bomb": lambda: png_with(chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(90_000_000)))),
    "png: a profile that is none": lambda: png_with(chunk(b"iCCP", b"p\0\0" + b"none")),
    "png: colours of a wrong length": lambda: png_with(chunk(b"gAMA", b"\0"), chunk(b"cHRM", b"\0" * 31)),
    "png: many profiles that are bombs": lambda: png_with(
        *[chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(3_900_000))) for _ in range(300)]
    ),
    "png: a large private chunk": lambda: png_with(chunk(b"caBX", b"x" * LARGE)),
    "png: large exif": lambda: png_with(chunk(b"eXIf", b"MM\0*" + b"x" * LARGE)),
    "png: further frames": lambda: png_with(
        chunk(b"acTL", b"\0\0\0\x02\0\0\0\0"), chunk(b"fdAT", b"x" * LARGE), at_end=True
    ),
    "jpeg: comments": lambda: jpeg_with(*[segment(0xFE, b"x" * 65_000)] * 50),
    "jpeg: photoshop's": lambda: jpeg_with(*[segment(0xED, b"Photoshop 3.0\x008BIM\x04" + b"\xff" * 60_000)] * 30),
    "jpeg: another segment that Adobe names itself in": lambda: jpeg_with(segment(0xED, b"Adobe_CM\0\2\x80")),
    "jpeg: extended xmp": lambda: jpeg_with(
        *[segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"x" * 60_000)] * 50
    ),
    "jpeg: a profile of 15 MB": lambda: jpeg_with(
        *[segment(0xE2, b"ICC_PROFILE\0" + bytes([n + 1, 240]) + b"x" * 65_000) for n in range(240)]
    ),
    "jpeg: an index of pictures that are not there": lambda: jpeg_with(
        segment(0xE2, b"MPF\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 80)
    ),
    "jpeg: a second exif block that is none": lambda: jpeg_with(
        segment(0xE1, b"Exif\0\0II"), segment(0xE1, b"Exif\0\0junk")
    ),
    "jpeg: a workflow": lambda: jpeg_with(
        *[segment(0xEB, WORKFLOW[at : at + 65_000]) for at in range(0, len(WORKFLOW), 65_000)]
    ),
    "gif: a comment of 3 MB": lambda: gif_with(b"!\xfe" + blocks(b"x" * LARGE)),
    "gif: another program's data": lambda: gif_with(b"!\xff\x0bXMP DataXMP" + blocks(b"x" * LARGE)),
    "webp: large xmp": lambda: webp_with(xmp=b"x" * LARGE),
    "webp: large exif": lambda: webp_with(exif=b"Exif\0\0MM\0*" + b"x" * LARGE),
    "webp: a large profile": lambda: webp_with(icc_profile=b"x" * (ICC_BYTES_MAX + 1)),
    "webp: xmp that is cut off": lambda: webp_with(xmp=b"x" * 5000)[:-1000],
    "tiff: a large description": lambda: written("TIFF", tiffinfo={270: "x" * LARGE}),
    "tiff: a large description in LZW": lambda: written("TIFF", compression="tiff_lzw", tiffinfo={270: "x" * LARGE}),
    "bigtiff: a large description": lambda: written("TIFF", big_tiff=True, tiffinfo={270: "x" * LARGE}),
}


@pytest.mark.parametrize("name", METADATA)
def test_metadata_costs_no_pixel_and_no_memory(name: str) -> None:
    data, kind = METADATA[name](), name.partition(":")[0]
    tracemalloc.start()
    try:
        picture = decode_picture(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    expected = {"jpeg": written("JPEG", quality=95), "gif": written("GIF")}.get(kind) or written("PNG")
    assert picture.tobytes() == decode_picture(expected).tobytes()
    assert peak < 3 * ICC_BYTES_MAX + len(data)


@pytest.mark.parametrize(
    "data",
    [
        png_with(itxt(XMP, ON_ITS_SIDE + b" " * LARGE, is_compressed=False)),
        png_with(itxt(XMP, ON_ITS_SIDE + b" " * LARGE, is_compressed=True)),
        png_with(itxt(XMP, ON_ITS_SIDE, is_compressed=True)),
        png_with(chunk(b"eXIf", exif_on_its_side(LARGE)[6:])),
        png_with(chunk(b"zTXt", RAW_EXIF)),
        png_with(chunk(b"eXIf", exif_on_its_side(0)[6:]), chunk(b"tEXt", b"c\0" + b"x" * LARGE)),
        jpeg_with(segment(0xE1, exif_on_its_side(60_000)), *[segment(0xFE, b"x" * 65_000)] * 20),
        jpeg_with(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + ON_ITS_SIDE + b" " * 60_000)),
        webp_with(exif=exif_on_its_side(LARGE)),
        webp_with(xmp=ON_ITS_SIDE + b" " * LARGE),
        written("TIFF", tiffinfo={270: "x" * LARGE, 274: 6}),
    ],
)
def test_which_way_up_a_picture_is_stays(data: bytes) -> None:
    assert decode_picture(data).size == (40, 60)
    assert is_plain(data, side_max=2048) is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_profile_stays(kind: str) -> None:
    data = written(kind, icc_profile=PROFILE)
    with Image.open(opened(data)) as image:
        assert image.info["icc_profile"] == PROFILE


def test_what_adobe_says_of_the_colours_is_not_taken_from_another_segment() -> None:
    data = written_cmyk()
    assert (
        decode_picture(data[:2] + segment(0xED, b"Adobe_CM\0\2") + data[2:]).tobytes() == decode_picture(data).tobytes()
    )


def written_cmyk() -> bytes:
    out = io.BytesIO()
    scene().convert("CMYK").save(out, "JPEG")
    return out.getvalue()


def test_transparency_and_its_index_stay() -> None:
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([9, 9, 9, 255, 255, 255])
    out = io.BytesIO()
    picture.save(out, "GIF", transparency=1, comment=b"x" * 5000)
    assert decode_picture(out.getvalue()).getpixel((4, 4)) == (128, 128, 128)


def test_a_file_without_metadata_is_read_as_it_is() -> None:
    for kind in ("JPEG", "PNG", "TIFF", "BMP"):
        assert isinstance(opened(written(kind)), io.BytesIO), kind


def test_camera_data_is_cut_and_not_left_out() -> None:
    with Image.open(opened(png_with(chunk(b"eXIf", exif_on_its_side(LARGE)[6:])))) as image:
        assert 6 < len(image.info["exif"]) <= EXIF_BYTES_MAX + 6


@pytest.mark.parametrize("piece", [chunk(b"tEXt", b""), chunk(b"IDAT", b"")])
def test_a_file_of_nothing_but_pieces_is_refused(monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    monkeypatch.setattr(spans, "PARTS_MAX", 500)
    with pytest.raises(BadImage, match="500 pieces"):
        decode_picture(png_with(piece * 500))


@given(st.lists(st.binary(max_size=9), max_size=6), st.lists(st.tuples(st.integers(-5, 60), st.integers(-1, 12))))
def test_spans_read_like_the_bytes_they_are_of(parts: list[bytes], reads: list[tuple[int, int]]) -> None:
    mine, plain = io.BufferedReader(Spans(parts), 4), io.BytesIO(b"".join(parts))
    for at, size in reads:
        if at >= 0:
            assert mine.seek(at) == plain.seek(at)
        assert mine.read(size) == plain.read(size)
        assert mine.tell() == plain.tell()
    assert mine.seek(0, io.SEEK_END) == plain.seek(0, io.SEEK_END)


@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "TIFF"]), st.data())
def test_a_damaged_file_opens_or_is_bad_and_nothing_worse(kind: str, data: st.DataObject) -> None:
    broken = bytearray(written(kind))
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(12, min(len(broken), 300) - 1))] = data.draw(st.integers(0, 255))
    del broken[data.draw(st.integers(13, len(broken))) :]
    opened(bytes(broken)).read()


def test_texts_of_a_png_are_not_given_to_pillow() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", "a portrait")
    with Image.open(opened(written("PNG", pnginfo=info))) as image:
        assert "prompt" not in image.info
