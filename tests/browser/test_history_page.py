"""History: what was made, read from S3; to be found, looked into and made again."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import StartDashboard, Visit
from tests.browser.dashboard import Tab

GRID = "Comparisons"


def order(tab: Tab, prompt: str, *, mode: str, tone: str) -> None:
    """Order from the composer and stay until every side is there."""
    tab.goto("/")
    tab.page.get_by_role("radiogroup", name="Mode").get_by_text(mode, exact=True).click()
    tab.tile("Tone", tone).click()
    tab.type_prompt(prompt)
    expect(tab.main.get_by_role("img", name=re.compile("^tone reference")).first).to_be_visible()
    tab.settled()
    tab.generate.click()
    expect(tab.downloads).to_have_count(2 if mode == "Compare" else 1)


def test_history_finds_filters_and_replays(start_dashboard: StartDashboard, visit: Visit) -> None:
    studio = start_dashboard()
    visitor = visit(studio)
    tab = visitor.open("/history")
    expect(tab.main).to_contain_text("No comparison yet")

    order(tab, "A porcelain bowl", mode="Tone only", tone="Noir")
    order(visitor.open(), "A glass of water", mode="Compare", tone="Vivid")

    tab.goto("/history")
    cards = tab.cards(GRID)
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("A glass of water")  # the newest first
    expect(cards.nth(1)).to_contain_text("tone-only · noir")
    expect(cards.get_by_role("img", name="Comparison: A porcelain bowl")).to_be_visible()

    search = tab.page.get_by_role("searchbox", name="Search")
    search.press_sequentially("porcelain", delay=20)
    expect(cards).to_have_count(1)
    expect(search).to_be_focused()
    search.fill("")
    tab.choose("Any mode", "compare")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("A glass of water")
    expect(tab.page).to_have_url(re.compile("made=compare"))
    tab.choose("Any tone", "noir")
    expect(tab.main).to_contain_text("passes these filters")

    tab.goto("/history?text=porcelain")
    tab.cards(GRID).click()
    expect(tab.dialog).to_contain_text("Fidelity")
    expect(tab.dialog.get_by_role("img", name="Tone only, made picture")).to_be_visible()
    (first,) = (
        record for record in map(studio.record, studio.comparisons()) if "porcelain" in record["wishes"]["prompt"]
    )
    tab.dialog.get_by_role("button", name="Replay").click()
    expect(tab.downloads).to_have_count(1)
    again = studio.record(tab.shown_comparison)
    assert again["replay_of"] == first["id"] != again["id"]
    assert again["sides"] == first["sides"]


def test_a_reference_that_has_left_s3_is_shown_as_missing(start_dashboard: StartDashboard, visit: Visit) -> None:
    studio = start_dashboard()
    tab = visit(studio).open()
    order(tab, "A porcelain bowl", mode="Tone only", tone="Noir")
    (gone,) = tab.injected()
    studio.s3().delete_object(Bucket="studio", Key=gone)
    tab.goto("/references")
    tab.button("Refresh").click()
    expect(tab.main).to_contain_text("109 pictures")
    tab.goto("/history")
    tab.cards(GRID).first.click()
    expect(tab.dialog).to_contain_text(f"{gone} is missing from S3")
    expect(tab.dialog.get_by_role("button", name="Replay")).to_be_disabled()
    expect(tab.dialog.get_by_role("img", name="Tone only, made picture")).to_be_visible()
