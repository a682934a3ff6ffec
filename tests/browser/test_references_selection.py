"""References as a designer works with them: found by any word, selected over many pages, taken along together."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, quote_plus, urlsplit
from zipfile import ZipFile

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.support.dashboards.dashboard import Dashboard, Tab

GRID = "References"


def bar(tab: Tab) -> Locator:
    return tab.page.get_by_role("region", name="Selection")


def mark(tab: Tab, number: int) -> None:
    tab.cards(GRID).nth(number).locator(".mark").click()


def search(tab: Tab, text: str, *, found: int) -> None:
    tab.page.get_by_role("searchbox", name="Search").fill(text)
    expect(tab.page).to_have_url(re.compile(rf"[?&]q={re.escape(quote_plus(text))}(&|$)"))
    expect(tab.cards(GRID)).to_have_count(found)
    tab.settled()


def test_a_filter_that_is_set_on_a_later_page_stays_in_the_address(tab: Tab) -> None:
    """The number of the page leaves the address in the same run: with the pagination, or for the first page's sake."""
    tab.goto("/references?page=2")
    tab.main.get_by_text("Person", exact=True).click()
    expect(tab.cards(GRID)).to_have_count(60)
    tab.settled()
    expect(tab.page).to_have_url(re.compile(r"/references\?role=Person$"))
    tab.button("Next page").click()
    expect(tab.cards(GRID)).to_have_count(2)
    search(tab, "여자 20대", found=15)
    assert parse_qs(urlsplit(tab.page.url).query) == {"role": ["Person"], "q": ["여자 20대"]}
    tab.page.reload()
    expect(tab.cards(GRID)).to_have_count(15)


def test_a_selection_outlives_pages_and_searches_and_is_taken_along_from_a_bar_in_sight(
    studio: Dashboard, visit: Visit, tmp_path: Path
) -> None:
    visitor = visit(studio, anew=True, permissions=["clipboard-read", "clipboard-write"])
    tab = visitor.open("/references")
    for number in (1, 2):
        mark(tab, number)
    expect(bar(tab)).to_contain_text("2 selected")
    expect(bar(tab)).to_be_in_viewport()  # at the top of a long page
    tab.button("Next page").click()
    expect(tab.cards(GRID)).to_have_count(50)
    mark(tab, 0)
    expect(bar(tab)).to_contain_text("3 selected")
    expect(bar(tab)).to_contain_text("2 not on this page")

    tab.cards(GRID).last.scroll_into_view_if_needed()
    tab.page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, main.scrollHeight)")
    last, below = tab.cards(GRID).last.bounding_box(), bar(tab).bounding_box()
    assert last is not None
    assert below is not None
    assert last["y"] + last["height"] <= below["y"], "the bar covers the last row"
    expect(bar(tab)).to_be_in_viewport()

    search(tab, "여자 20대", found=15)
    expect(bar(tab)).to_contain_text("3 not on this page")
    bar(tab).get_by_role("button", name="3 not on this page").click()
    expect(bar(tab).get_by_role("listitem")).to_have_count(3)
    bar(tab).get_by_role("button", name="Let go of cosmetics.jpg").click()
    expect(bar(tab)).to_contain_text("2 selected")

    bar(tab).get_by_role("button", name="Copy").click()
    expect(bar(tab)).to_contain_text("Copied 2 S3 addresses")
    lines = tab.page.evaluate("navigator.clipboard.readText()").splitlines()
    assert [line.startswith("s3://studio/refs/") for line in lines] == [True, True]

    with tab.page.expect_download() as loading:
        bar(tab).get_by_role("button", name="ZIP").click()
    loading.value.save_as(tmp_path / "originals.zip")
    with ZipFile(tmp_path / "originals.zip") as archive:
        assert [archive.read(name) for name in archive.namelist()] == [
            studio.read(line.removeprefix("s3://studio/")) for line in lines
        ]
    bar(tab).get_by_role("button", name="Clear selection").click()
    expect(bar(tab)).to_have_count(0)


def test_several_pictures_go_in_together_what_cannot_says_why_and_back_keeps_the_view(tab: Tab) -> None:
    tab.goto("/references?q=noir&role=Tone")
    expect(tab.cards(GRID)).to_have_count(4)
    for number in (0, 1):
        mark(tab, number)
    expect(bar(tab)).to_contain_text("2 selected")
    tab.page.get_by_role("radiogroup", name="Role").get_by_text("Tone").click()
    expect(tab.cards(GRID)).to_have_count(10)
    search(tab, "미분류", found=1)  # a group whose name says nothing
    mark(tab, 0)
    expect(bar(tab)).to_contain_text("3 selected")
    search(tab, "dae 느와르", found=2)
    mark(tab, 0)
    expect(bar(tab)).to_contain_text("4 selected")
    bar(tab).get_by_role("button", name="Use in Generate").click()
    expect(tab.dialog).to_contain_text("Test 02.jpg stays out.")
    expect(tab.dialog).to_contain_text("Which one?")
    expect(tab.page).to_have_url(re.compile(r"opened=use"))
    tab.dialog.get_by_role("button", name=re.compile("^desk.jpg")).click()
    expect(tab.tile("Tone", "Noir")).to_have_attribute("aria-pressed", "true")
    assert tab.comes_to(lambda: any(key.endswith("/desk.jpg") for key in tab.injected()))
    tab.tile("Angle", "Three-quarter").click()  # without an angle nobody stands in a balanced pair
    assert tab.comes_to(lambda: any("/Dae " in key for key in tab.injected()))

    tab.page.go_back()
    expect(tab.page.get_by_role("searchbox", name="Search")).to_have_value("dae 느와르")
    expect(bar(tab)).to_contain_text("4 selected")


def test_details_are_an_address_that_turns_by_keys_and_closes_by_back(tab: Tab) -> None:
    tab.goto("/references?q=noir&role=Tone")
    tab.cards(GRID).first.click()
    expect(tab.dialog).to_contain_text("1 of 4")
    expect(tab.dialog).to_contain_text("× ")
    expect(tab.dialog.get_by_role("button", name="Previous")).to_be_disabled()
    first = tab.page.url
    tab.page.keyboard.press("ArrowRight")
    expect(tab.dialog).to_contain_text("2 of 4")
    tab.dialog.get_by_role("button", name="Next").click()
    expect(tab.dialog).to_contain_text("3 of 4")
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.dialog).to_contain_text("2 of 4")
    assert tab.page.url != first
    tab.settled()
    tab.page.go_back()
    expect(tab.dialog).to_have_count(0)
    expect(tab.cards(GRID)).to_have_count(4)

    tab.page.goto(first)
    expect(tab.dialog).to_contain_text("1 of 4")
    tab.goto("/references?opened=refs/01. Model/nobody.jpg")
    expect(tab.dialog).to_contain_text("It is not in the library, or not any more.")


def test_gender_and_age_by_labels_are_filters_that_stand_in_the_address(tab: Tab) -> None:
    tab.goto("/references")
    tab.choose("Any gender", "Man")
    tab.choose("Any age", "60+")
    for wish in ("presents=Man", "aged=60%2B"):
        expect(tab.page).to_have_url(re.compile(rf"[?&]{wish}"))
    for address in (tab.page.url.removeprefix(tab.home), "/references?q=old+man", "/references?q=60%2B 남자"):
        tab.goto(address)
        expect(tab.cards(GRID)).to_have_count(4)
        expect(tab.cards(GRID).filter(has_text="Hugo")).to_have_count(4)
