"""Metadata leaves a picture's file without a pixel being touched, and a damaged file is noticed."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from core.errors import BadImage
from core.images.decode import is_plain
from core.images.metadata import without_metadata

SECRET = "Araya at 37.5665 N"


def picture(kind: str, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((90, 70), 80).convert(mode).save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    found = Image.Exif()
    found[ExifTags.Base.ImageDescription] = SECRET
    found[ExifTags.Base.Orientation] = orientation
    found.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSMapDatum] = SECRET
    return found


def texts() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET)
    info.add_itxt("XML:com.adobe.xmp", SECRET)
    return info


FILES = {
    "jpeg": picture("JPEG", exif=exif(), comment=SECRET.encode()),
    "progressive jpeg": picture("JPEG", exif=exif(), progressive=True, quality=95, subsampling=0),
    "jpeg with restarts": picture("JPEG", exif=exif(), restart_marker_blocks=2),
    "grey jpeg": picture("JPEG", "L", exif=exif()),
    "png": picture("PNG", exif=exif(), pnginfo=texts()),
    "grey png": picture("PNG", "L", pnginfo=texts()),
}


@pytest.mark.parametrize("name", FILES)
def test_nothing_but_the_pixels_is_left(name: str) -> None:
    bare = without_metadata(FILES[name] + b"trailing " + SECRET.encode())
    assert SECRET.encode() in FILES[name]
    assert SECRET.encode() not in bare
    with Image.open(io.BytesIO(FILES[name])) as before, Image.open(io.BytesIO(bare)) as after:
        assert (before.mode, before.tobytes()) == (after.mode, after.tobytes())
        assert not after.getexif()
    assert without_metadata(bare) == bare


@pytest.mark.parametrize("name", FILES)
@given(share=st.floats(0, 0.995))
@settings(max_examples=40, deadline=None)
def test_a_file_that_is_cut_off_anywhere_is_never_taken_for_whole(name: str, share: float) -> None:
    bare = without_metadata(FILES[name])
    with pytest.raises(BadImage):
        without_metadata(bare[: int(len(bare) * share)])


@given(st.binary(max_size=200))
def test_any_bytes_are_a_picture_or_a_bad_one_and_never_hang(data: bytes) -> None:
    for start in (b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b""):
        with suppress(BadImage):
            assert without_metadata(start + data).startswith(start)


def test_what_shows_the_same_without_metadata_is_plain() -> None:
    for name, data in FILES.items():
        assert is_plain(data, side_max=90) == ("image/png" if "png" in name else "image/jpeg")


@pytest.mark.parametrize(
    "data",
    [
        picture("JPEG", exif=exif(6)),
        picture("JPEG", "CMYK"),
        picture("JPEG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()),
        picture("PNG", "RGBA"),
        picture("PNG", "P"),
        picture("PNG", "I;16"),
        picture("PNG", transparency=(0, 0, 0)),
        picture("WEBP"),
        picture("GIF"),
        b"no picture",
    ],
    ids=["turned", "cmyk", "own profile", "alpha", "palette", "16 bit", "one clear colour", "webp", "gif", "nothing"],
)
def test_what_would_show_otherwise_is_not_plain(data: bytes) -> None:
    assert is_plain(data, side_max=100) is None


def test_an_srgb_profile_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert is_plain(picture("JPEG", icc_profile=srgb), side_max=90) == "image/jpeg"


def test_a_picture_beyond_the_edge_is_not_plain() -> None:
    assert is_plain(FILES["jpeg"], side_max=89) is None
