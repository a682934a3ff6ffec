"""Bad input: a clear sentence, nothing lost, and the rest goes on."""

from __future__ import annotations

import io
import re
import struct
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard, key_of

PROJECT = "refs/Bad input"
BROKEN_GROUP = f"{PROJECT}/03. Angle/overhead"
AWKWARD_GROUP = f"{PROJECT}/03. Angle/close-up"
GOOD_PICTURE = f"{PROJECT}/01. Model/noir/Nora 01.jpg"  # makes the project one to choose in the composer
LONG_PROMPT = "A long story about a red chair. " * 1250
TOO_LONG = re.compile(r"The prompt has 40,000 characters and at most [\d,]+ can be sent")

AWKWARD_NAMES = [
    "a+b %41 100%.jpg",
    "quote'\"&<b>bold<b>.jpg",
    "fox 🦊.jpg",
    unicodedata.normalize("NFD", "김하늘 07.jpg"),
    "dots...and  spaces .jpg",
    "semi;colon?#hash=1&x=2.jpg",
    "back\\slash.jpg",
    "*star* _under_ `tick` [link](x) $math$ :red[no].jpg",
    "comma,paren(1),[2]{3}~^|.jpg",
    f"{'long ' * 40}.jpg",
]


def jpeg(grey: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 400), (grey, grey, grey)).save(out, "JPEG")
    return out.getvalue()


def bomb(side: int = 30_000) -> bytes:
    """A PNG of 900 megapixels in about 110 kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + side // 8) * 100) for _ in range(side // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


BROKEN = {
    "Not a picture 01.png": b"this is a letter, not a picture",
    "Cut off 01.jpg": jpeg(90)[:700],
    "Empty 01.jpg": b"",
    "Bomb 01.png": bomb(),
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard into whose library somebody has put what pictures should not be."""
    with dashboard(tmp_path_factory.mktemp("bad-input"), {"INDEX_REFRESH_S": "3600"}) as running:
        running.put(GOOD_PICTURE, jpeg(50))
        for name, data in BROKEN.items():
            running.put(f"{BROKEN_GROUP}/{name}", data)
        for at, name in enumerate(AWKWARD_NAMES):
            running.put(f"{AWKWARD_GROUP}/{name}", jpeg(60 + 12 * at))
        yield running


@pytest.fixture
def library(studio: Dashboard, visit: Visit) -> Tab:
    """The References page on the project with the bad input, listed anew."""
    tab = visit(studio).open("/references")
    tab.button("Refresh").click()
    expect(tab.main).to_contain_text(f"{111 + len(BROKEN) + len(AWKWARD_NAMES)} pictures")
    return tab


def search(tab: Tab, text: str) -> None:
    tab.page.get_by_role("searchbox", name="Search").fill(text)


def test_broken_pictures_are_labelled_tiles(library: Tab) -> None:
    """A tile names the file and says what is wrong with it; nothing waits and nothing fails beside it."""
    search(library, "Bad input overhead")
    cards = library.cards("References")
    expect(cards).to_have_count(len(BROKEN))
    library.pictures_loaded()
    for name in BROKEN:
        card = cards.filter(has_text=name)
        expect(card).to_be_visible()
        picture = card.get_by_role("img", name=name)
        expect(picture).to_be_visible()
        url = picture.evaluate("img => img.src")
        answer = library.page.request.get(url)
        assert answer.ok
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert name in answer.text()
    empty = library.page.request.get(cards.filter(has_text="Empty 01").get_by_role("img").evaluate("img => img.src"))
    assert "empty" in empty.text()


def test_awkward_names_are_shown_opened_and_saved_as_they_are(library: Tab, studio: Dashboard, tmp_path: Path) -> None:
    search(library, "Bad input close-up")
    cards = library.cards("References")
    expect(cards).to_have_count(len(AWKWARD_NAMES))
    library.pictures_loaded()
    pictures = cards.get_by_role("img")
    assert pictures.evaluate_all("all => all.map((img) => img.naturalWidth > 0)") == [True] * len(AWKWARD_NAMES)
    keys = [key_of(url) for url in pictures.evaluate_all("all => all.map((img) => img.src)")]
    assert sorted(keys) == sorted(f"{AWKWARD_GROUP}/{name}" for name in AWKWARD_NAMES)
    for name in (AWKWARD_NAMES[1], AWKWARD_NAMES[5], AWKWARD_NAMES[7]):
        key = f"{AWKWARD_GROUP}/{name}"
        cards.nth(keys.index(key)).click()
        expect(library.dialog).to_contain_text(f"s3://studio/{key}")
        expect(library.dialog.get_by_role("heading")).to_have_text(name)
        download = library.save(library.dialog.get_by_role("link", name="Download original"))
        download.save_as(tmp_path / "saved")
        assert (tmp_path / "saved").read_bytes() == studio.read(key)
        library.page.keyboard.press("Escape")
        expect(library.dialog).to_have_count(0)


def test_what_is_no_picture_is_left_out_of_the_plan_and_both_sides_are_made(library: Tab, studio: Dashboard) -> None:
    """The project's own overhead group is all broken, and of the newest file nobody knows that yet."""
    tab = library
    fresh = "Not looked at 01.png"
    tab.goto("/references?q=nobody+of+this+name")
    studio.put(f"{BROKEN_GROUP}/{fresh}", b"this is another letter, and no picture either")
    tab.button("Refresh").click()
    expect(tab.main).to_contain_text(f"{112 + len(BROKEN) + len(AWKWARD_NAMES)} pictures")
    tab.goto("/")
    tab.choose("Person folder", "Bad input")
    tab.tile("Tone", "Noir").click()
    tab.tile("Angle", "Overhead").click()
    tab.type_prompt("A red chair")
    angle = tab.main.get_by_role("img", name=re.compile("^angle reference .* overhead"))
    expect(angle).to_be_visible()
    expect(tab.main.get_by_role("img", name=re.compile("^tone reference")).first).to_be_visible()
    tab.settled()
    drawn = key_of(angle.evaluate("img => img.src"))
    assert not drawn.startswith(BROKEN_GROUP)
    tab.generate.click()

    expect(tab.downloads).to_have_count(2)
    comparison = tab.shown_comparison
    assert [studio.outcome(comparison, side)["state"] for side in ("tone-only", "tone-angle")] == ["done", "done"]


def test_an_empty_prompt_is_asked_for_and_nothing_is_ordered(studio: Dashboard, visit: Visit) -> None:
    before = studio.comparisons()
    tab = visit(studio).open()
    tab.tile("Tone", "Vivid").click()
    expect(tab.main.get_by_role("img", name=re.compile("^tone reference")).first).to_be_visible()
    tab.settled()
    tab.generate.click()
    expect(tab.page.get_by_role("alert")).to_contain_text("The prompt is empty: say in a few words")
    expect(tab.tile("Tone", "Vivid")).to_have_attribute("aria-pressed", "true")
    assert studio.comparisons() == before


def test_a_prompt_of_40_000_characters_is_kept_and_said_to_be_too_long(studio: Dashboard, visit: Visit) -> None:
    before = studio.comparisons()
    assert len(LONG_PROMPT) == 40_000
    tab = visit(studio).open()
    tab.tile("Tone", "Vivid").click()
    tab.type_prompt(LONG_PROMPT)
    expect(tab.page.get_by_role("alert").filter(has_text=TOO_LONG).first).to_be_visible()
    tab.settled()
    if tab.generate.is_enabled():  # either answers: a button that cannot be pressed, or one that says why not
        tab.generate.click()
        tab.settled()
    expect(tab.page.get_by_role("alert").filter(has_text=TOO_LONG).first).to_be_visible()
    expect(tab.prompt).to_have_value(LONG_PROMPT)
    tab.page.get_by_role("link", name="Labels").click()
    expect(tab.main).to_contain_text("portraits have a label")
    tab.page.get_by_role("link", name="Generate").click()
    expect(tab.prompt).to_have_value(LONG_PROMPT)
    assert studio.comparisons() == before
