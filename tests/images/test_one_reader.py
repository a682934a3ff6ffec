"""What one reader shows the other sends: thumbnail, preview and every engine accept the same pictures."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from PIL import Image, features

from core.errors import BadImage, EngineError
from core.generation.engines.engine import AttachedReference, PartialPicture, SideRequest
from core.generation.engines.openai_uploads import Uploads
from core.generation.engines.preview_engine import PreviewEngine
from core.generation.records.comparison import Size
from core.images.decode import decode_picture
from core.images.thumbnails import THUMBNAIL_SIDES, encode_webp
from core.injection.request.wishes import SideName
from core.references.vocabulary import Role

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16")
Read = Callable[[bytes], object]


@dataclass(frozen=True)
class Sample:
    name: str
    data: bytes


def scene(mode: str, side: int = 64) -> Image.Image:
    y, x = np.mgrid[0:side, 0:side]
    if mode in ("I", "F", "I;16"):
        kinds = {"I": np.int32, "F": np.float32, "I;16": np.uint16}
        return Image.fromarray((x * y).astype(kinds[mode]))
    planes = np.stack([x * 255 // side, y * 255 // side, (x + y) * 127 // side], axis=-1).astype(np.uint8)
    return Image.fromarray(planes).convert(mode)


def made_once(make: Callable[[], Iterator[Sample]]) -> Callable[[], tuple[Sample, ...]]:
    return cache(lambda: tuple(make()))


@made_once
def kinds_of_pillow() -> Iterator[Sample]:
    """Each format that Pillow both writes and reads, in each mode that it takes, alone and with a second frame."""
    Image.init()
    for kind in sorted(set(Image.SAVE) & set(Image.OPEN)):
        for mode in MODES:
            for options in (
                {},
                {"save_all": True, "append_images": [scene(mode).transpose(Image.Transpose.ROTATE_90)]},
            ):
                out = io.BytesIO()
                try:
                    scene(mode).save(out, kind, **options)
                except Exception:  # noqa: BLE001, S112 - what Pillow does not write is no sample
                    continue
                yield Sample(f"{kind} {mode}{' frames' if options else ''}", out.getvalue())


def written(kind: str, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    scene(mode).save(out, kind, **options)  # type: ignore[arg-type]  # each format has options of its own
    return out.getvalue()


@made_once
def odd_ones() -> Iterator[Sample]:
    """What cameras, other programs and lost bytes make of a picture."""
    jpeg, progressive = written("JPEG", quality=90), written("JPEG", quality=90, progressive=True)
    png, gif, webp = written("PNG"), written("GIF"), written("WEBP")
    table = jpeg.index(b"\xff\xdb")
    for name, data in {"jpeg": jpeg, "progressive jpeg": progressive, "png": png, "gif": gif, "webp": webp}.items():
        yield Sample(f"{name} with bytes behind it", data + b"\0junk\xff" * 9)
        for lost in (1, 2, 3, 8, 12, 15, 40, len(data) // 2, len(data) - 30):
            yield Sample(f"{name} without {lost} bytes", data[:-lost])
    for stray in (b"\0", b"\xff\0", b"\xff", b"\xff\xff\xff", b"junk\0\xff\0", b"\xff\xd0", b"\xff\x01", b"\xff\x05"):
        yield Sample(f"jpeg with {stray!r} before a table", jpeg[:table] + stray + jpeg[table:])
        yield Sample(f"jpeg with {stray!r} behind its start", jpeg[:2] + stray + jpeg[2:])
        yield Sample(f"jpeg with {stray!r} before its end", jpeg[:-2] + stray + jpeg[-2:])
    yield Sample("png with another checksum of its pixels", png[:-20] + bytes([png[-20] ^ 1]) + png[-19:])
    at = png.index(b"IHDR")
    yield Sample("png with another checksum of its header", png[: at + 17] + b"\0\0\0\0" + png[at + 21 :])
    yield Sample("jpeg of one row", written_of(Image.new("RGB", (1, 300), "red"), "JPEG"))
    yield Sample("jpeg in 12 bits", jpeg.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"))
    yield Sample("16-bit png in colour", sixteen_bit_png())
    yield Sample("interlaced png without a row", png[: at + 16] + b"\1" + png[at + 17 :])
    yield Sample("a web page", b"<!doctype html><title>Not found</title>")
    yield Sample("nothing", b"")
    yield Sample("svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>')


def written_of(picture: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def sixteen_bit_png() -> bytes:
    def piece(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(b"".join(b"\0" + bytes(range(48)) for _ in range(8)))
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", header) + piece(b"IDAT", rows) + piece(b"IEND", b"")


def sent_to_a_model(data: bytes) -> object:
    return Uploads().of(AttachedReference(Role.TONE, "refs/a", data))


def previewed(data: bytes) -> object:
    side = SideRequest(
        SideName.TONE_ONLY, "", (AttachedReference(Role.TONE, "refs/a", data),), Size(width=64, height=64), "", "", 0, 9
    )
    return [step for step in PreviewEngine().generate(side, lambda: False) if not isinstance(step, PartialPicture)]


READERS: dict[str, Read] = {
    **{f"thumbnail of {side}": lambda data, side=side: encode_webp(data, side) for side in THUMBNAIL_SIDES},  # type: ignore[misc]
    "whole": decode_picture,
    "preview engine": previewed,
    "model": sent_to_a_model,
}


def verdict(read: Read, data: bytes) -> str:
    """What a reader says: nothing where it takes the picture, else a sentence."""
    try:
        read(data)
    except BadImage as err:
        return err.message
    except EngineError as err:
        if isinstance(err.__cause__, BadImage):
            return err.__cause__.message
        raise
    return ""


@pytest.mark.parametrize("sample", [*kinds_of_pillow(), *odd_ones()], ids=lambda sample: sample.name)
def test_all_readers_take_it_or_none_does_and_each_says_why(sample: Sample) -> None:
    said = {name: verdict(read, sample.data) for name, read in READERS.items()}
    assert len(set(said.values())) == 1, said
    assert "".join(said.values()) == "" or all(sentence.endswith(".") for sentence in said.values())


SHOWN = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


@pytest.mark.parametrize("kind", SHOWN)
def test_every_kind_that_the_library_holds_is_taken_in_every_mode(kind: str) -> None:
    if kind == "AVIF":
        assert features.check("avif")
    samples = [sample for sample in kinds_of_pillow() if sample.name.split()[0] == kind]
    assert samples
    assert [sample.name for sample in samples if verdict(decode_picture, sample.data)] == []


@pytest.mark.parametrize(
    "name",
    [
        *(f"{kind} with bytes behind it" for kind in ("jpeg", "progressive jpeg", "png", "gif", "webp")),
        *(f"{kind} without {lost} bytes" for kind in ("jpeg", "progressive jpeg") for lost in (1, 2)),
        *(f"png without {lost} bytes" for lost in (1, 2, 3, 8, 12, 15)),
        "gif without 1 bytes",
        *(
            f"jpeg with {stray!r} before a table"
            for stray in (b"\0", b"\xff\0", b"\xff", b"\xff\xff\xff", b"junk\0\xff\0")
        ),
        *(f"jpeg with {stray!r} before its end" for stray in (b"\0", b"\xff", b"junk\0\xff\0")),
        "16-bit png in colour",
    ],
)
def test_what_every_browser_shows_is_taken(name: str) -> None:
    sample = next(each for each in odd_ones() if each.name == name)
    assert {reader: verdict(read, sample.data) for reader, read in READERS.items()} == dict.fromkeys(READERS, "")


@pytest.mark.parametrize("kind", ["jpeg", "progressive jpeg", "png", "gif", "webp"])
def test_what_has_lost_pixels_is_called_damaged(kind: str) -> None:
    half = [sample for sample in odd_ones() if sample.name.startswith(f"{kind} without")][-2]
    assert "damaged" in verdict(decode_picture, half.data)


@pytest.mark.parametrize("name", ["jpeg with b'\\x00' before a table", "png without 12 bytes", "jpeg without 2 bytes"])
def test_what_is_sent_of_a_picture_that_others_forgive_shows_the_same(name: str) -> None:
    sample = next(each for each in odd_ones() if each.name == name)
    sent = Uploads().of(AttachedReference(Role.TONE, "refs/a", sample.data))
    with Image.open(io.BytesIO(sent.data)) as image:
        image.load()
        apart = np.abs(np.asarray(image, float) - np.asarray(decode_picture(sample.data), float))
    assert apart.mean() < 4
