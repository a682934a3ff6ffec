"""Even PNGs: the same pixels, and two files that differ in nothing else."""

from __future__ import annotations

import io
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.images.containers.png import chunks
from core.images.even_png import even_pngs

SIDES = st.integers(1, 40)
PICTURES = st.tuples(SIDES, SIDES, st.integers(0, 2**32 - 1), st.booleans())


def drawn(width: int, height: int, seed: int, is_plain: bool) -> Image.Image:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if is_plain:
        pixels[:] = pixels[0, 0]
    return Image.fromarray(pixels)


def decoded(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.mode == "RGB"
        assert image.info == {}
        return image


@given(PICTURES, PICTURES)
def test_both_keep_their_pixels_and_are_equally_long(
    one: tuple[int, int, int, bool], other: tuple[int, int, int, bool]
) -> None:
    pictures = drawn(*one), drawn(*other)
    files = even_pngs(*pictures)
    assert len(files[0]) == len(files[1])
    for picture, data in zip(pictures, files, strict=True):
        assert decoded(data).tobytes() == picture.tobytes()


@given(PICTURES, st.integers(0, 2**32 - 1))
def test_two_of_one_size_have_the_same_bytes_but_for_their_compressed_pixels(
    one: tuple[int, int, int, bool], seed: int
) -> None:
    width, height, _, is_plain = one
    files = even_pngs(drawn(*one), drawn(width, height, seed, not is_plain))
    layouts = [[(chunk.kind, chunk.start, chunk.end) for chunk in chunks(data)] for data in files]
    assert layouts[0] == layouts[1]
    assert [kind for kind, _, _ in layouts[0]] == [b"IHDR", b"IDAT", b"IEND"]
    begin, end = layouts[0][1][1:]
    assert files[0][: begin + 10] == files[1][: begin + 10]  # signature, header, length, type and zlib's own header
    assert files[0][end:] == files[1][end:]


@pytest.mark.parametrize("longer_by", [0, 1, 2, 3, 4, 5, 77])
def test_the_filling_is_valid_deflate_for_every_difference(longer_by: int) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (20, 20 + longer_by, 3), dtype=np.uint8)
    files = even_pngs(Image.fromarray(noise), Image.new("RGB", (20, 20), "#123456"))
    for data in files:
        (idat,) = [data[each.start + 8 : each.end - 4] for each in chunks(data) if each.kind == b"IDAT"]
        unpacker = zlib.decompressobj()
        unpacker.decompress(idat)
        assert unpacker.eof
        assert unpacker.unused_data == b""


def test_the_same_pictures_are_the_same_files_in_every_process() -> None:
    """Or a second server's answer would differ from the first one's."""
    made = even_pngs(drawn(9, 7, 1, False), drawn(9, 7, 2, True))
    code = (
        "import sys; from tests.images.test_even_png import *; "
        "sys.stdout.buffer.write(b''.join(even_pngs(drawn(9, 7, 1, False), drawn(9, 7, 2, True))))"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert there.stdout == b"".join(made)
