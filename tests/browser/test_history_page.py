"""History: what was made, read from S3; to be found, looked into and made again."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import StartDashboard, Visit
from tests.browser.dashboard import Dashboard, Tab, dashboard

GRID = "Comparisons"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Dashboard]:
    """A dashboard where a bowl was made in one mode, and then a glass in another."""
    with dashboard(tmp_path_factory.mktemp("history")) as running, chromium.new_context() as context:
        tab = Tab(context.new_page(), running.url)
        order(tab, "A porcelain bowl", mode="Tone only", tone="Noir")
        order(tab, "A glass of water", mode="Compare", tone="Vivid")
        yield running


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


def test_an_empty_history_says_so(start_dashboard: StartDashboard, visit: Visit) -> None:
    tab = visit(start_dashboard()).open("/history")
    expect(tab.main).to_contain_text("No comparison yet")


def test_history_is_searched_and_filtered(tab: Tab) -> None:
    tab.goto("/history")
    cards = tab.cards(GRID)
    glass = cards.filter(has_text="A glass of water")
    bowl = cards.filter(has_text="A porcelain bowl")
    expect(bowl.first).to_contain_text("tone-only")
    expect(bowl.get_by_role("img", name="Comparison: A porcelain bowl").first).to_be_visible()
    titles = cards.all_inner_texts()
    assert "glass" in titles[-2], "the newest comes first"
    assert "porcelain" in titles[-1]

    search = tab.page.get_by_role("searchbox", name="Search")
    search.press_sequentially("porcelain", delay=20)
    expect(glass).to_have_count(0)
    expect(bowl.first).to_be_visible()
    expect(search).to_be_focused()
    search.fill("")
    tab.choose("Any mode", "compare")
    expect(bowl).to_have_count(0)
    expect(glass.first).to_be_visible()
    expect(tab.page).to_have_url(re.compile(r"[?&]made=compare\b"))
    tab.choose("Any tone", "noir")
    expect(tab.main).to_contain_text("passes these filters")


def test_a_replay_sends_the_identical_request(tab: Tab, studio: Dashboard) -> None:
    tab.goto("/history?text=porcelain")
    tab.cards(GRID).last.click()
    expect(tab.dialog).to_contain_text("Fidelity")
    expect(tab.dialog.get_by_role("img", name="Tone only, made picture")).to_be_visible()
    first = studio.record(studio.comparisons()[0])
    tab.dialog.get_by_role("button", name="Replay").click()
    expect(tab.downloads).to_have_count(1)
    again = studio.record(tab.shown_comparison)
    assert again["replay_of"] == first["id"] != again["id"]
    assert again["sides"] == first["sides"]


def test_a_reference_that_has_left_s3_is_shown_as_missing(tab: Tab, studio: Dashboard) -> None:
    glass = studio.record(studio.comparisons()[1])
    gone = glass["sides"][0]["slots"][0]["key"]
    studio.s3().delete_object(Bucket="studio", Key=gone)
    tab.goto("/references")
    tab.button("Refresh").click()
    expect(tab.main).to_contain_text("109 pictures")
    tab.goto("/history?text=glass")
    tab.cards(GRID).first.click()
    expect(tab.dialog).to_contain_text(gone)
    expect(tab.dialog).to_contain_text(re.compile("missing from S3|no longer in S3"))
    expect(tab.dialog.get_by_role("button", name="Replay")).to_be_disabled()
    expect(tab.dialog.get_by_role("img", name="Tone only, made picture")).to_be_visible()


def test_a_reference_says_how_often_it_was_used_and_leads_to_those_comparisons(studio: Dashboard, tab: Tab) -> None:
    (bowl,) = (one for one in map(studio.record, studio.comparisons()[:1]) if "porcelain" in one["wishes"]["prompt"])
    (used,) = (slot["key"] for slot in bowl["sides"][0]["slots"] if slot["key"])
    name = used.rsplit("/", 1)[-1]
    tab.goto(f"/references?role=tone&tone=noir&q={name}")
    tab.cards("References").filter(has_text=name).first.click()
    expect(tab.dialog).to_contain_text(re.compile(r"Used in \d+ comparisons?"))
    tab.dialog.get_by_role("button", name="Show in History").click()
    expect(tab.main).to_contain_text(re.compile(r"\d+ comparisons"))
    expect(tab.page.get_by_role("textbox", name="Reference")).to_have_value(used)
    expect(tab.cards(GRID).filter(has_text="A porcelain bowl").first).to_be_visible()
    expect(tab.cards(GRID).filter(has_text="A glass of water")).to_have_count(0)
