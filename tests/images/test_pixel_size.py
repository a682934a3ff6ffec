"""Pixel sizes: read from the beginning of a file, as the picture is shown, and not at all where it does not say."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from core.errors import NotFound
from core.images.pixel_size import HEAD_BYTES, PixelSize, PixelSizes, pixel_size_in


def picture(kind: str, size: tuple[int, int] = (1280, 1024), **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *(("JPEG", {}), ("PNG", {}), ("GIF", {}), ("BMP", {}), ("JPEG", {"progressive": True})),
        *(("WEBP", {}), ("WEBP", {"lossless": True})),
    ],
)
def test_the_first_bytes_are_enough(kind: str, options: dict[str, object]) -> None:
    data = picture(kind, **options)
    assert len(data) > HEAD_BYTES[0]
    assert pixel_size_in(data[: HEAD_BYTES[0]]) == PixelSize(1280, 1024)


@pytest.mark.parametrize(
    ("orientation", "wanted"), [(1, (1280, 1024)), (3, (1280, 1024)), (6, (1024, 1280)), (8, (1024, 1280))]
)
def test_a_picture_that_its_camera_turns_has_the_size_it_is_shown_in(orientation: int, wanted: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    assert pixel_size_in(picture("JPEG", exif=exif)) == wanted


def test_what_stands_in_front_of_the_size_is_passed_over() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", "x" * 200_000)
    data = picture("PNG", pnginfo=info)
    assert pixel_size_in(data[: HEAD_BYTES[0]]) == PixelSize(1280, 1024)


def test_a_webp_whose_camera_data_is_not_there_yet_has_no_size_until_it_is() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = picture("WEBP", exif=exif)
    assert pixel_size_in(data[: HEAD_BYTES[0]]) is None
    assert pixel_size_in(data) == PixelSize(1024, 1280)


def test_an_avif_says_it_in_whole() -> None:
    assert pixel_size_in(picture("AVIF")) == PixelSize(1280, 1024)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff", b"<!doctype html>", b"\x89PNG\r\n\x1a\n then nothing", b"II*\0" + b"\xff" * 9]
)
def test_what_does_not_say_it_has_no_size(data: bytes) -> None:
    assert pixel_size_in(data) is None


@dataclass
class Stream:
    etag: str
    chunks: Iterator[bytes]

    def close(self) -> None:
        """Nothing is open."""


class Bucket:
    """One object, and how often which part of it was asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[tuple[int, int] | None] = []

    def stream(self, key: str, *, byte_range: tuple[int, int] | None = None) -> Stream:
        assert key
        self.asked.append(byte_range)
        assert byte_range is not None
        return Stream("etag", iter([self.data[byte_range[0] : byte_range[1] + 1]]))


def test_s3_is_asked_once_for_a_picture_and_never_for_all_of_it() -> None:
    bucket = Bucket(picture("JPEG"))
    sizes = PixelSizes(bucket)
    assert [sizes.of("a.jpg", "etag", len(bucket.data)) for _ in range(3)] == [PixelSize(1280, 1024)] * 3
    assert bucket.asked == [(0, HEAD_BYTES[0] - 1)]


def test_an_empty_file_is_not_asked_for_and_a_small_one_once() -> None:
    assert PixelSizes(Bucket(b"")).of("a.jpg", "etag", 0) is None
    bucket = Bucket(b"no picture")
    assert PixelSizes(bucket).of("a.jpg", "etag", len(bucket.data)) is None
    assert len(bucket.asked) == 1


def test_another_version_in_s3_has_another_size() -> None:
    with pytest.raises(NotFound):
        PixelSizes(Bucket(picture("PNG"))).of("a.png", "older", 100)
