"""History: what was made, read from S3; to be found, looked into and made again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from ulid import ULID

from tests.browser.conftest import visiting
from tests.support.browser.chromium import Contexts
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard

GRID = "Comparisons"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, contexts: Contexts) -> Iterator[Dashboard]:
    """A dashboard where a bowl was made in one mode, and then a glass in another."""
    with dashboard(tmp_path_factory.mktemp("history")) as running:
        with visiting(contexts, running) as visitor:
            tab = Tab(visitor.page(), running.url)
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


def test_history_is_searched_and_filtered(tab: Tab) -> None:
    tab.goto("/history")
    cards = tab.cards(GRID)
    glass = cards.filter(has_text="A glass of water")
    bowl = cards.filter(has_text="A porcelain bowl")
    expect(bowl.first).to_contain_text("Tone only · Noir")
    expect(bowl.get_by_role("img", name="Tone only: A porcelain bowl").first).to_be_visible()
    for side in ("Tone only", "Tone + angle"):
        expect(glass.get_by_role("img", name=f"{side}: A glass of water").first).to_be_visible()
    titles = cards.all_inner_texts()
    assert "glass" in titles[-2], "the newest comes first"
    assert "porcelain" in titles[-1]

    search = tab.page.get_by_role("searchbox", name="Search")
    search.press_sequentially("porcelain", delay=20)
    expect(glass).to_have_count(0)
    expect(bowl.first).to_be_visible()
    expect(search).to_be_focused()
    search.fill("")
    tab.choose("Any mode", "Compare")
    expect(bowl).to_have_count(0)
    expect(glass.first).to_be_visible()
    expect(tab.page).to_have_url(re.compile(r"[?&]made=Compare\b"))
    tab.choose("Any tone", "Noir")
    expect(tab.main).to_contain_text("passes these filters")


def test_a_replay_sends_the_identical_request(tab: Tab, studio: Dashboard) -> None:
    tab.goto("/history?text=porcelain")
    tab.cards(GRID).last.click()
    expect(tab.dialog.get_by_role("img", name="Tone only, made picture")).to_be_visible()
    figures(tab)
    expect(tab.dialog).to_contain_text("Fidelity")
    first = studio.record(studio.comparisons()[0])
    tab.dialog.get_by_role("button", name="Replay").click()
    expect(tab.downloads).to_have_count(1)
    again = studio.record(tab.shown_comparison)
    assert again["replay_of"] == first["id"] != again["id"]
    assert again["sides"] == first["sides"]


def figures(tab: Tab) -> None:
    """Unfold what is folded in the open details."""
    tab.dialog.get_by_text("Request, attempts and cost").click()


def details(tab: Tab, text: str) -> None:
    """Open the oldest comparison that has these words."""
    tab.goto(f"/history?text={text}")
    tab.cards(GRID).last.click()
    expect(tab.dialog.get_by_role("img", name="Tone only, made picture")).to_be_visible()


def change(tab: Tab, **picks: str) -> None:
    """Ask for a change in the open details."""
    tab.dialog.get_by_text("Change and make again").click()
    for label, option in picks.items():
        tab.choose(label, option)
    tab.settled()


def test_another_angle_is_shown_before_it_is_sent_and_the_new_record_names_the_old(tab: Tab, studio: Dashboard) -> None:
    """What changes, what stays and what it costs; the side that sends no angle goes in as recorded."""
    details(tab, "glass")
    before = studio.comparisons()
    glass = studio.record(before[1])
    expect(tab.dialog.get_by_role("button", name="Make it")).to_have_count(0)
    change(tab, Angle="Overhead")
    expect(tab.dialog).to_contain_text("Angle: none → Overhead")
    expect(tab.dialog).to_contain_text("Tone only as recorded")
    expect(tab.dialog.get_by_role("img", name=re.compile("^angle reference"))).to_be_visible()
    expect(tab.dialog).to_contain_text("Preview engine · free")
    assert studio.comparisons() == before, "looking records nothing"
    tab.dialog.get_by_role("button", name="Make it").click()
    expect(tab.downloads).to_have_count(2)
    made = studio.record(tab.shown_comparison)
    assert (made["made_from"], made["replay_of"], made["angle"]) == (glass["id"], None, "overhead")
    assert made["sides"][0] == glass["sides"][0]
    expect(tab.tile("Angle", "Overhead")).to_have_attribute("aria-pressed", "true")

    tab.goto(f"/history?text={made['id']}")
    tab.cards(GRID).click()
    origin = tab.dialog.get_by_role("list", name="Made from").locator('[role="button"]')
    expect(origin).to_contain_text("A glass of water")
    origin.click()
    expect(tab.page).to_have_url(re.compile(f"opened={glass['id']}$"))
    expect(tab.dialog.get_by_role("list", name="Made from")).to_have_count(0)
    tab.page.go_back()
    expect(origin).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.page).to_have_url(f"{tab.home}/history?text={made['id']}")


def test_one_side_is_retried_in_its_own_record_and_the_other_is_left_alone(tab: Tab, studio: Dashboard) -> None:
    details(tab, "glass")
    glass = studio.comparisons()[1]
    tab.dialog.get_by_role("button", name="Retry this side").first.click()
    expect(tab.page).to_have_url(re.compile(f"comparison={glass}"))
    expect(tab.downloads).to_have_count(2)
    assert studio.outcome(glass, "tone-only", 2)["state"] == "done"
    assert not [key for key in studio.keys("studio/generations/") if f"{glass}/tone-angle-2" in key]
    details(tab, "glass")
    figures(tab)
    expect(tab.dialog).to_contain_text("Attempt 2: done")
    expect(tab.dialog.get_by_text("Attempt 1: done")).to_have_count(2)


def test_stars_are_kept_and_failed_ones_can_be_hidden(tab: Tab, studio: Dashboard) -> None:
    bowl = studio.record(studio.comparisons()[0])
    lost = ULID()  # whose server ended before it had made anything
    record = bowl | {"id": str(lost), "created_at": "2025-01-01T00:00:00Z"}
    record |= {"wishes": bowl["wishes"] | {"prompt": "A porcelain vase"}}
    studio.put(f"studio/generations/{lost.datetime:%Y/%m/%d}/{lost}/comparison.json", json.dumps(record).encode())
    tab.goto("/history?text=porcelain")
    vase = tab.cards(GRID).filter(has_text="A porcelain vase")
    expect(vase).to_contain_text("Interrupted")
    tab.main.get_by_text("Hide failed").click()
    expect(vase).to_have_count(0)
    expect(tab.page).to_have_url(re.compile("hide_failed=true"))
    items = tab.page.get_by_role("list", name=GRID).get_by_role("listitem")
    stars = items.get_by_role("button", name="Favourite")
    stars.last.click()
    expect(stars.last).to_have_attribute("aria-pressed", "true")
    tab.settled()
    tab.main.get_by_text("Favourites").click()
    expect(tab.cards(GRID)).to_have_count(1)
    tab.page.reload()
    expect(stars).to_have_count(1)
    expect(stars).to_have_attribute("aria-pressed", "true")
    (kept,) = studio.keys("studio/favourites/")
    assert json.loads(studio.read(kept))["comparisons"] == [bowl["id"]]
    tab.cards(GRID).click()
    star = tab.dialog.get_by_role("button", name="Favourite")
    expect(star.locator("strong")).to_be_visible()  # it is on
    star.click()
    expect(star.locator("strong")).to_have_count(0)
    expect(star).to_be_focused()  # the same button as before, or the keys would be lost with it
    tab.page.keyboard.press("Escape")
    expect(tab.main).to_contain_text("No favourite here")


def test_the_address_holds_every_filter(tab: Tab, studio: Dashboard) -> None:
    bowl = studio.record(studio.comparisons()[0])
    (key,) = (slot["key"] for slot in bowl["sides"][0]["slots"] if slot["key"])
    asked = {"text": "bowl", "made": "tone-only", "with_tone": "noir", "by": "demo@localhost", "with_reference": key}
    tab.goto(f"/history?{urlencode(asked)}")
    expect(tab.cards(GRID).filter(has_text="A porcelain bowl").first).to_be_visible()
    for name, other in (("by", "nobody@studio"), ("with_tone", "vivid"), ("made", "compare")):
        tab.goto(f"/history?{urlencode(asked | {name: other})}")
        expect(tab.main).to_contain_text("passes these filters")


def test_an_imported_record_shows_what_it_has_and_offers_nothing_it_cannot_do(tab: Tab, studio: Dashboard) -> None:
    bowl = studio.record(studio.comparisons()[0])
    new = ULID()
    imported = bowl | {"id": str(new), "origin": "backfill", "engine": "backfill", "model": "backfill"}
    imported |= {"legacy": {"id": "old-77"}, "wishes": bowl["wishes"] | {"prompt": "An imported teapot"}}
    folder = f"studio/generations/{new.datetime:%Y/%m/%d}/{new}"
    studio.put(f"{folder}/comparison.json", json.dumps(imported).encode())
    tab.goto("/history?text=teapot")
    tab.cards(GRID).click()
    figures(tab)
    expect(tab.dialog).to_contain_text("imported, record old-77")
    expect(tab.dialog).to_contain_text("no timing, cost or request id came with it")
    for absent in ("Replay", "Retry this side"):
        expect(tab.dialog.get_by_role("button", name=absent)).to_have_count(0)
    expect(tab.dialog.get_by_role("button", name="Open in Generate")).to_be_enabled()


def test_spending_says_what_was_charged_and_what_was_free(tab: Tab) -> None:
    tab.goto("/history")
    tab.button("Spending").click()
    expect(tab.dialog).to_contain_text(re.compile(r"\$0\.00 charged · \d+ pictures"))
    expect(tab.dialog).to_contain_text("Unpriced ones were charged, or may have been")


def test_a_reference_that_has_left_s3_is_shown_as_missing(tab: Tab, studio: Dashboard) -> None:
    glass = studio.record(studio.comparisons()[1])
    gone = glass["sides"][0]["slots"][0]["key"]
    studio.s3().delete_object(Bucket="studio", Key=gone)
    tab.goto("/references")
    tab.button("Refresh").click()
    expect(tab.main).to_contain_text("109 pictures")
    tab.goto(f"/history?text={glass['id']}")
    tab.cards(GRID).first.click()
    expect(tab.dialog).to_contain_text(gone)
    expect(tab.dialog).to_contain_text(re.compile("missing from S3|no longer in S3"))
    expect(tab.dialog.get_by_role("button", name="Replay")).to_be_disabled()
    expect(tab.dialog.get_by_role("img", name="Tone only, made picture")).to_be_visible()
    expect(tab.dialog.get_by_role("button", name="Retry this side").first).to_be_disabled()

    # Nothing takes its place unasked; asked to, another is drawn and shown before anything is sent.
    change(tab, Size="1:1")
    make = tab.dialog.get_by_role("button", name="Make it")
    expect(make).to_be_disabled()
    expect(tab.dialog).to_contain_text("nothing else goes in unasked")
    tab.dialog.get_by_text("Draw others in place of missing references").click()
    expect(make).to_be_enabled()
    expect(tab.dialog).to_contain_text("Other references are drawn in place of those that have left S3")
    make.click()
    expect(tab.downloads).to_have_count(2)
    made = studio.record(tab.shown_comparison)
    keys = [slot["key"] for side in made["sides"] for slot in side["slots"]]
    assert gone not in keys
    assert made["made_from"] == glass["id"]


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
