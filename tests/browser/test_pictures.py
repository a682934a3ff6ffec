"""The pictures of the README: taken here, so that they show what the program really looks like.

`STUDIO_WRITE_PICTURES=1 pytest tests/browser/test_pictures.py` takes them anew; otherwise they are
compared with today's screen, coarsely enough that another draw of references is no difference.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visit, visiting
from tests.browser.states import State, done, history, labels, make, nothing_yet, plan, references
from tests.support.browser.chromium import Contexts
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard
from tests.support.processes.programs import ROOT

FOLDER = ROOT / "docs" / "pictures"
WRITE = os.environ.get("STUDIO_WRITE_PICTURES") == "1"
SIZE = (1440, 900)
BYTES_MAX = 500_000
PICTURES: dict[State, dict[str, Literal["light", "dark"]]] = {
    done: {"generate": "light", "generate-dark": "dark"},
    references: {"references": "light"},
    labels: {"labels": "light"},
    history: {"history": "light"},
}
ORDERS = [
    ("Natural film", "Jamal in a green shirt, low angle"),
    ("Beauty", "A portrait of Emi, close-up"),
    ("Cinematic", "Ada in a linen shirt, three-quarter view"),
]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard whose history is the same every time."""
    with dashboard(tmp_path_factory.mktemp("pictures")) as running:
        yield running


@pytest.fixture(scope="module")
def made(studio: Dashboard, contexts: Contexts) -> str:
    """The last of the comparisons."""
    with visiting(contexts, studio) as visitor:
        tab = Tab(visitor.page(), studio.url)
        for tone, prompt in ORDERS:
            nothing_yet(tab, "")
            plan(tab, tone, prompt)
            newest = make(tab)
        return newest


@pytest.mark.parametrize("state", PICTURES, ids=lambda state: state.__name__)
def test_the_readme_shows_the_page_as_it_is(state: State, made: str, studio: Dashboard, visit: Visit) -> None:
    tab = Tab(visit(studio).page(), studio.url)
    state(tab, made)
    tab.page.mouse.move(SIZE[0] / 2, SIZE[1] - 1)
    expect(tab.page.get_by_role("tooltip")).to_have_count(0)
    for name, scheme in PICTURES[state].items():
        tab.page.emulate_media(color_scheme=scheme)
        tab.still()
        file = FOLDER / f"{name}.png"
        if WRITE:
            file.write_bytes(compressed(tab.page.screenshot(animations="disabled")))
        assert file.is_file(), f"take it with: STUDIO_WRITE_PICTURES=1 pytest {__file__}"
        assert file.stat().st_size < BYTES_MAX
        with Image.open(file) as image:
            assert (image.format, image.size) == ("PNG", SIZE)
            shown = image.convert("RGB")

        def changed(shown: Image.Image = shown) -> float:
            return share_changed(shown, Image.open(io.BytesIO(tab.page.screenshot(animations="disabled"))))

        assert tab.comes_to(lambda: changed() < 0.2), f"{changed():.0%} of {file.name} looks different: take it anew"


def compressed(screenshot: bytes) -> bytes:
    """Greys as they are, colours of pictures to the nearest 6 of 255: half the bytes, and no hue is lost."""
    with Image.open(io.BytesIO(screenshot)) as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.int16)
    coloured = np.ptp(pixels, axis=2) > 2
    pixels[coloured] = np.clip((pixels[coloured] + 3) // 6 * 6, 0, 255)
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, "PNG", optimize=True)
    return out.getvalue()


def share_changed(before: Image.Image, after: Image.Image) -> float:
    """How much of the screen has another lightness, in fields of 30 by 30 pixels."""
    return float((np.abs(_fields(before) - _fields(after)) > 24).mean())


def _fields(image: Image.Image) -> NDArray[np.float64]:
    grey = image.convert("RGB").convert("L").resize((SIZE[0] // 30, SIZE[1] // 30), Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.float64)
