"""What hostile values become in a real Chromium, in every place where Streamlit draws Markdown: themselves."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import Locator, Page, expect

from core.errors import legible
from tests.support.browser.chromium import chromium
from tests.support.dashboards.demos import markdown_demo
from tests.support.hostile import ALL

_SEEN = """element => ({
    text: element.textContent,
    tags: [...element.querySelectorAll("*")].map((each) => each.tagName.toLowerCase())
        .filter((tag) => !["p", "span", "div"].includes(tag)),
    styled: [...element.querySelectorAll("span")].filter((each) => each.role || each.className || each.style.cssText)
        .filter((each) => each.className != "stMarkdownBadge").map((each) => each.outerHTML),
})"""
_PARTS = """key => [...document.querySelectorAll(`[class*="st-key-${key}-"]`)].map((place) => {
    const drawn = place.querySelector('[data-testid="stMarkdownContainer"], [data-testid="stCaptionContainer"]');
    const number = [...place.classList].find((name) => name.startsWith("st-key-")).split("-").pop();
    return [number, (SEEN)(drawn)];
})""".replace("SEEN", _SEEN)
EVERYTHING = " | ".join(map(legible, ALL))
LINES = [re.sub(r"\s+", " ", legible(value)).strip() for value in ALL]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with markdown_demo(tmp_path_factory.mktemp("markdown")) as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        expect(page.get_by_text("drawn", exact=True)).to_be_visible()
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        yield page


def parts(page: Page, key: str) -> dict[str, Mapping[str, object]]:
    return {legible(ALL[int(number)]): seen for number, seen in page.evaluate(_PARTS, key)}


def is_everything_as_text(place: Locator) -> None:
    """All values stand in it, and nothing but text."""
    seen = place.evaluate(_SEEN)
    assert EVERYTHING in seen["text"]
    assert seen["tags"] == []
    assert seen["styled"] == []


@pytest.mark.parametrize(
    ("key", "said", "tags"),
    [
        ("alone", "{0}", []),
        ("button", "Remove {0}", []),
        ("code", "before {0} after", ["code"]),
        ("among", "“{0}”: {0}, {0} {0}", ["strong"]),
    ],
)
def test_each_value_is_its_own_text_and_nothing_else(page: Page, key: str, said: str, tags: list[str]) -> None:
    found = parts(page, key)
    assert len(found) == len(ALL)
    assert {value: seen["text"] for value, seen in found.items()} == {value: said.format(value) for value in found}
    # nothing between the backticks of nothing, and code that would be an icon stands in two pieces
    expected = {v: tags * (2 if ":material/" in v and tags == ["code"] else 1) for v in found}
    assert {value: seen["tags"] for value, seen in found.items()} == expected
    ours = 1 if key == "among" else 0  # the grey one
    assert {value: seen["styled"] for value, seen in found.items() if len(seen["styled"]) != ours} == {}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "key", ["error", "expander", "metric", "progress", "badge", "tab", "toggle", "segments", "popover"]
)
def test_no_place_makes_more_of_values_than_text(page: Page, key: str) -> None:
    drawn = page.locator(f".st-key-{key}").get_by_test_id("stMarkdownContainer")
    is_everything_as_text(drawn.filter(has_text="Sign in again").first)


def test_a_tooltip_makes_no_more_of_values_than_text(page: Page) -> None:
    page.locator(".st-key-help").get_by_role("button").hover()
    is_everything_as_text(page.get_by_test_id("stTooltipContent").get_by_test_id("stMarkdownContainer"))
    page.mouse.move(0, 0)


def test_a_toast_makes_no_more_of_values_than_text(page: Page) -> None:
    page.get_by_role("button", name="Toast", exact=True).click()
    is_everything_as_text(page.get_by_test_id("stToast").get_by_test_id("stMarkdownContainer"))


def test_a_dialogs_title_makes_no_more_of_values_than_text(page: Page) -> None:
    page.get_by_role("button", name="Dialog", exact=True).click()
    is_everything_as_text(page.get_by_role("dialog").get_by_test_id("stMarkdownContainer").first)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_table_that_is_taken_home_holds_no_formula(page: Page) -> None:
    page.locator(".st-key-table").hover()
    page.evaluate("delete window.showSaveFilePicker")
    with page.expect_download() as download:
        page.locator(".st-key-table").get_by_role("button", name="Download as CSV").click()
    rows = list(csv.reader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
    assert rows[0] == ["What", "Number"]
    assert len(rows) == 1 + len(ALL)
    cells = [row[0] for row in rows[1:]]
    assert [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert {row[1] for row in rows[1:]} == {"-1"}  # numbers stay numbers


def test_nobody_who_hears_the_page_is_told_how_a_value_was_written(page: Page) -> None:
    """Names of elements are made of what is shown; but for those of fields, where no value stands in a label."""
    told = page.evaluate(
        """() => [...document.querySelectorAll("*:not(input)")].flatMap((each) => [...each.attributes])
            .filter((one) => one.value.includes("&#58;")).map((one) => one.ownerElement.outerHTML)"""
    )
    assert told == []
