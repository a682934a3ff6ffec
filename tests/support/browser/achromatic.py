"""Says whether a screenshot of the interface is free of colour outside its pictures and its accent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

# Start Chromium with this, or the edges of its letters are coloured on some machines.
CHROMIUM_FLAG = "--disable-lcd-text"

# Chromium can leave a lone antialiased pixel where a focus ring was. Nothing in the interface is that small.
_SMALLEST_PATCH = 3

# What may carry colour: pictures, the primary button, failures, and what has the keyboard's focus.
COLOURED = (
    "img, canvas[data-picture], video, "
    '[data-testid^="stBaseButton-primary"], [data-testid^="stBaseLinkButton-primary"], '
    '[data-testid="stAlertContentError"], [data-testid="stException"], [data-colour-allowed]'
)

# The frames that show the focus of what lies in them, as in core/ui/style.css.
_FOCUS_FRAMES = (
    'label, [data-testid="stTextInputRootElement"], [data-testid="stTextAreaRootElement"], '
    '[data-testid="stNumberInputContainer"], .react-aria-ComboBox, [data-testid="stAlert"], '
    '[data-testid="stSlider"] [data-focused]'
)

# Rectangles of COLOURED, through open shadow roots too. What has the focus counts with its ring.
_RECTANGLES = """([coloured, frames]) => {
  const boxes = [];
  const add = (node, margin) => {
    const { x, y, width, height } = (node.closest(frames) ?? node).getBoundingClientRect();
    boxes.push({ x: x - margin, y: y - margin, width: width + 2 * margin, height: height + 2 * margin });
  };
  const visit = (root) => {
    root.querySelectorAll(coloured).forEach((node) => add(node, 1));
    root.querySelectorAll(":focus").forEach((node) => add(node, 6));
    root.querySelectorAll("*").forEach((node) => node.shadowRoot && visit(node.shadowRoot));
  };
  visit(document);
  return boxes;
}"""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of the screen in CSS pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Offence:
    """A coloured patch: its most coloured pixel, its size and where it is, in pixels of the picture."""

    x: int
    y: int
    colour: tuple[int, int, int]
    spread: int
    pixels: int
    box: tuple[int, int, int, int]

    def __str__(self) -> str:
        left, top, right, bottom = self.box
        colour = "#{:02x}{:02x}{:02x}".format(*self.colour)
        return (
            f"{colour} at ({self.x}, {self.y}), channels {self.spread} apart, "
            f"{self.pixels} pixels within ({left}, {top})–({right}, {bottom})"
        )


def coloured_rectangles(page: Page, selector: str = COLOURED) -> list[Rectangle]:
    """Where the page shows what may carry colour, shadow roots included."""
    return [Rectangle(**box) for box in page.evaluate(_RECTANGLES, [selector, _FOCUS_FRAMES])]


def assert_page_is_achromatic(page: Page, *, tolerance: int = 2) -> None:
    """Fail if anything on the screen but pictures, accent, failures and focus has a tint."""
    excluded = coloured_rectangles(page)
    scale = page.evaluate("window.devicePixelRatio")
    assert_achromatic(page.screenshot(animations="disabled"), excluded, tolerance=tolerance, scale=scale)


def assert_achromatic(
    screenshot: bytes | Path, excluded: Iterable[Rectangle] = (), *, tolerance: int = 2, scale: float = 1.0
) -> None:
    """Fail, naming the worst places, if a pixel outside `excluded` has channels further apart."""
    offences = find_offences(screenshot, excluded, tolerance=tolerance, scale=scale)
    if offences:
        places = "\n".join(f"  {offence}" for offence in offences[:10])
        raise AssertionError(f"{len(offences)} coloured places in a grey interface, worst first:\n{places}")


def find_offences(
    screenshot: bytes | Path, excluded: Iterable[Rectangle] = (), *, tolerance: int = 2, scale: float = 1.0
) -> list[Offence]:
    """The coloured patches outside `excluded`, worst first; pixels of one 32-pixel tile are one patch."""
    with Image.open(BytesIO(screenshot) if isinstance(screenshot, bytes) else screenshot) as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.int16)
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    _blank(spread, excluded, scale)
    rows, columns = np.nonzero(spread > tolerance)
    patches: dict[tuple[int, int], list[int]] = {}
    for index, patch in enumerate(zip((rows // 32).tolist(), (columns // 32).tolist(), strict=True)):
        patches.setdefault(patch, []).append(index)
    offences = [_offence(pixels, spread, rows[held], columns[held]) for held in patches.values()]
    offences = [offence for offence in offences if offence.pixels >= _SMALLEST_PATCH]
    return sorted(offences, key=lambda offence: (-offence.spread, -offence.pixels, offence.y, offence.x))


def _blank(spread: NDArray[np.int16], excluded: Iterable[Rectangle], scale: float) -> None:
    """Cut the rectangles out, rounded outwards: an edge between two pixels tints both."""
    for box in excluded:
        left, top = (max(0, int(np.floor(edge * scale))) for edge in (box.x, box.y))
        right, bottom = (max(0, int(np.ceil(edge * scale))) for edge in (box.x + box.width, box.y + box.height))
        spread[top:bottom, left:right] = 0


def _offence(
    pixels: NDArray[np.int16], spread: NDArray[np.int16], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> Offence:
    worst = int(np.argmax(spread[rows, columns]))
    y, x = int(rows[worst]), int(columns[worst])
    red, green, blue = (int(channel) for channel in pixels[y, x])
    return Offence(
        x=x,
        y=y,
        colour=(red, green, blue),
        spread=int(spread[y, x]),
        pixels=len(rows),
        box=(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1),
    )
