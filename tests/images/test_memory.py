"""What is lent for a picture is what decoding it takes: never less, and not much more."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.errors import BadImage
from core.images.decode import decode_picture
from core.images.memory import FILES, PIXELS
from tests.support.large_pictures import GREY, GREY_ALPHA, PALETTE, RGB, RGBA, large_png
from tests.support.timeouts import LONG_S

ROOT = Path(__file__).parents[2]
MEASURE = """
import sys
from core.images import memory
from core.images.decode import decode_picture

lend = memory.PIXELS.lend
lent = []
memory.PIXELS.lend = lambda size_bytes: lent.append(size_bytes) or lend(size_bytes)

def kib(name):
    return int(next(line for line in open("/proc/self/status") if line.startswith(name)).split()[1])

data, side = open(sys.argv[1], "rb").read(), int(sys.argv[2])
before = kib("VmRSS")
open("/proc/self/clear_refs", "w").write("5")
decode_picture(data, max_side=side or None)
print(sum(lent), (kib("VmHWM") - before) * 1024)
"""
SLACK = 24 * 1024 * 1024  # libraries that are loaded for a format, tables, the allocator's own


def encoded(mode: str, kind: str, *, frames: int = 1, size: tuple[int, int] = (5000, 4000), **options: object) -> bytes:
    out = io.BytesIO()
    more = [Image.new(mode, size, 9)] * (frames - 1)
    several = {"save_all": True, "append_images": more} if more else {}
    Image.new(mode, size).save(out, kind, **several, **options)  # type: ignore[arg-type]
    return out.getvalue()


PICTURES: dict[str, Callable[[], bytes]] = {
    "a JPEG": lambda: encoded("RGB", "JPEG"),
    "a progressive JPEG": lambda: encoded("RGB", "JPEG", progressive=True),
    "a progressive JPEG with all its colours": lambda: encoded("RGB", "JPEG", progressive=True, subsampling=0),
    "a JPEG in CMYK": lambda: encoded("CMYK", "JPEG"),
    "a PNG": lambda: encoded("RGB", "PNG"),
    "a PNG with a palette": lambda: encoded("P", "PNG"),
    "a PNG with a transparent colour": lambda: encoded("RGB", "PNG", transparency=(1, 2, 3)),
    "a PNG with alpha": lambda: encoded("RGBA", "PNG"),
    "a grey PNG with alpha": lambda: encoded("LA", "PNG"),
    "a PNG of 16 bits": lambda: encoded("I;16", "PNG"),
    "a PNG of one bit": lambda: encoded("1", "PNG"),
    "a WebP": lambda: encoded("RGB", "WEBP", method=0),
    "an animated WebP": lambda: encoded("RGB", "WEBP", frames=2, method=0),
    "an animated GIF": lambda: encoded("P", "GIF", frames=2),
    "a TIFF": lambda: encoded("RGB", "TIFF", compression="tiff_deflate"),
    "a TIFF of floats": lambda: encoded("F", "TIFF", compression="tiff_deflate"),
    "a BMP": lambda: encoded("RGB", "BMP"),
}


@pytest.mark.slow  # a process of its own for each
@pytest.mark.parametrize("side", [960, 2048, 0])
@pytest.mark.parametrize("kind", PICTURES)
def test_decoding_takes_no_more_than_was_lent_for(kind: str, side: int, tmp_path: Path) -> None:
    file = tmp_path / "picture"
    file.write_bytes(PICTURES[kind]())
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file), str(side)], cwd=ROOT, capture_output=True, timeout=LONG_S, check=True
    )
    lent, taken = map(int, done.stdout.split())
    assert taken <= lent + SLACK
    assert lent <= 6 * taken + SLACK, "or the budget would keep people waiting for nothing"


@pytest.mark.parametrize("colour_type", [GREY, RGB, PALETTE, GREY_ALPHA, RGBA])
def test_a_png_of_119_megapixels_is_within_the_budget(colour_type: int) -> None:
    assert decode_picture(large_png(colour_type, 7), max_side=320).size == (320, 320)


def test_what_would_take_more_than_there_is_at_all_is_refused_from_its_header() -> None:
    """A frame of WebP is decoded into three canvases; of this one only the header was ever written."""
    header = encoded("RGB", "WEBP", size=(16, 16), lossless=True)
    at = header.index(b"VP8L") + 9
    sized = (9999 | 9999 << 14).to_bytes(4, "little")
    with pytest.raises(BadImage, match="10000×10000 pixels, more than can be opened safely of a WEBP"):
        decode_picture(header[:at] + sized + header[at + 4 :], max_side=320)


def test_nothing_stays_lent() -> None:
    for damaged in (b"\x89PNG\r\n\x1a\n", large_png(GREY, 7)[:5000], b"GIF89a"):
        with pytest.raises(BadImage):
            decode_picture(damaged, max_side=320)
    for budget in (FILES, PIXELS):
        with budget.lend(budget.large_bytes):
            pass
