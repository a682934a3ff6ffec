"""Labels: what is said about every portrait, and by whom."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.dashboards.dashboard import Dashboard, Tab

GRID = "Portraits"


def test_every_portrait_has_a_label_that_says_who_said_so_and_a_search_that_finds_none_says_so(tab: Tab) -> None:
    tab.goto("/labels?show=Grid")
    expect(tab.main).to_contain_text("82 of 82 portraits have a label")
    expect(tab.cards(GRID)).to_have_count(82)
    expect(tab.cards(GRID).filter(has_not_text="nominal")).to_have_count(0)
    search = tab.page.get_by_role("searchbox", name="Search")
    search.press_sequentially("nobody", delay=20)
    expect(tab.main).to_contain_text("passes these filters")
    expect(search).to_be_focused()


def test_label_filters_stand_in_the_url(studio: Dashboard, visit: Visit) -> None:
    tab = visit(studio).open("/labels?show=Grid")
    tab.choose("Any age", "60+")
    tab.choose("Any gender", "feminine")
    cards = tab.cards(GRID)
    expect(cards.filter(has_not_text="60+ · feminine")).to_have_count(0)
    count = cards.count()
    assert count > 0
    for wish in ("age=60", "presentation=feminine"):
        expect(tab.page).to_have_url(re.compile(rf"[?&]{wish}\b"))
    shared = visit(studio).open(tab.page.url.removeprefix(studio.url))
    expect(shared.cards(GRID)).to_have_count(count)


def test_a_portrait_opens_with_its_label(tab: Tab) -> None:
    tab.goto("/labels?show=Grid&find=Greta")
    card = tab.cards(GRID).first
    expect(card).to_contain_text("60+ · feminine")
    card.focus()
    card.press("Enter")
    expect(tab.dialog).to_contain_text("Greta")
    expect(tab.dialog).to_contain_text("feminine")
    expect(tab.dialog).to_contain_text("nominal")
    tab.page.keyboard.press("Escape")
    expect(tab.dialog).to_have_count(0)
