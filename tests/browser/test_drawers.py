"""Drawers stand in the address: Back closes them and stays on the page, Forward and a shared link open them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.states import drafted, make
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard

GRID = "Comparisons"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Dashboard]:
    """A dashboard with one comparison, and another that was made from it."""
    with dashboard(tmp_path_factory.mktemp("drawers")) as running, chromium.new_context() as context:
        tab = Tab(context.new_page(), running.url)
        drafted(tab, "A porcelain bowl", tone="noir")
        made = make(tab)
        tab.goto(f"/history?opened={made}")
        tab.dialog.get_by_role("button", name="Replay").click()
        expect(tab.downloads).to_have_count(2)
        yield running


def entries(tab: Tab) -> int:
    count: int = tab.page.evaluate("history.length")
    return count


def closed(tab: Tab) -> None:
    expect(tab.dialog).to_have_count(0)
    expect(tab.page).to_have_url(f"{tab.home}/history?text=porcelain")
    expect(tab.page.get_by_role("searchbox", name="Search")).to_have_value("porcelain")
    tab.settled()


def stands_open(tab: Tab, comparison: str) -> None:
    expect(tab.page).to_have_url(re.compile(rf"text=porcelain&opened={comparison}$"))
    expect(tab.dialog).to_contain_text("A porcelain bowl")
    expect(tab.dialog).to_have_count(1)
    tab.settled()


def test_a_drawer_is_one_entry_that_back_and_its_own_ways_out_close(tab: Tab, studio: Dashboard) -> None:
    first, replayed = studio.comparisons()
    tab.goto("/history?text=porcelain")
    before = entries(tab)
    tab.cards(GRID).last.click()
    stands_open(tab, first)
    assert entries(tab) == before + 1
    tab.page.go_back()
    closed(tab)
    tab.page.go_forward()
    stands_open(tab, first)
    for leave in (
        lambda: tab.page.keyboard.press("Escape"),
        tab.dialog.get_by_role("button", name="Close", exact=True).click,
    ):
        leave()
        closed(tab)
        tab.page.go_forward()
        stands_open(tab, first)
    tab.page.keyboard.press("Escape")
    closed(tab)
    tab.cards(GRID).first.click()
    stands_open(tab, replayed)
    assert entries(tab) == before + 1, "closed ones leave nothing behind"

    # One that leads to another page is found open again.
    tab.dialog.get_by_role("button", name="Open in Generate").click()
    expect(tab.page).to_have_url(re.compile(f"comparison={replayed}"))
    tab.settled()
    tab.page.go_back()
    stands_open(tab, replayed)
    tab.page.go_back()
    closed(tab)


def test_a_shared_link_opens_the_drawer_and_closing_stays_on_the_page(tab: Tab, studio: Dashboard) -> None:
    first, _ = studio.comparisons()
    tab.goto("/labels")
    tab.goto(f"/history?text=porcelain&opened={first}")
    stands_open(tab, first)
    tab.page.reload()
    stands_open(tab, first)
    # What keeps the history is there a moment after the drawer is.
    assert tab.comes_to(lambda: bool(tab.page.evaluate("window.studioIsPrepared")))
    tab.page.keyboard.press("Escape")
    closed(tab)
    tab.page.go_back()
    expect(tab.page).to_have_url(re.compile("/labels"))


def test_an_address_that_names_nothing_says_so_and_leaves_the_page_as_it_is(tab: Tab) -> None:
    tab.goto("/history?opened=nothing-of-ours")
    expect(tab.dialog).to_contain_text("There is no comparison nothing-of-ours")
    tab.page.keyboard.press("Escape")
    expect(tab.cards(GRID).first).to_be_visible()
