"""The stage stays, and work that goes on is in view wherever one looks: the walks of a designer who waits."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.accessible import inaccessible
from tests.browser.states import drafted
from tests.browser.test_openai_stage import PLANNED, PROMPT, A, B, order, originals, pane, settings_for, source
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Fault, Moment
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard
from tests.support.latch import Latch

SECONDS = re.compile(r"\d+ s")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, chromium: Browser, openai: FakeOpenAI) -> Iterator[Dashboard]:
    """A dashboard whose first engine is OpenAI's. (The browser is started first: its loop must be the outer one.)"""
    del chromium
    with dashboard(tmp_path_factory.mktemp("stays"), settings_for(openai)) as running:
        yield running


@pytest.fixture(autouse=True)
def _anew(openai: FakeOpenAI) -> None:
    openai.reset()


def floor_of(tab: Tab) -> Locator:
    return tab.page.locator(".stage .floor")


def at_work(tab: Tab) -> Locator:
    """The line in the top bar."""
    return tab.page.get_by_role("group", name="At work")


def title_is(tab: Tab, words: str | re.Pattern[str]) -> None:
    expect(tab.page).to_have_title(words)


def place_of(locator: Locator) -> tuple[int, int]:
    box = locator.bounding_box()
    assert box
    return round(box["y"]), round(box["height"])


def test_a_changed_plan_marks_the_picture_and_the_next_takes_its_place_once_it_has_something_to_show(
    tab: Tab, openai: FakeOpenAI
) -> None:
    order(tab)
    expect(tab.downloads).to_have_count(2)
    before, stands = originals(tab), place_of(floor_of(tab))
    expect(floor_of(tab)).not_to_contain_text("Made with")

    tab.type_prompt(f"{PROMPT}, at sea")
    for name in (A, B):
        expect(pane(tab, name)).to_contain_text("Made with another prompt")
    tab.tile("Angle", "Eye level").click()
    expect(pane(tab, A)).to_contain_text("Made with three-quarter")
    tab.settled()
    assert [source(pane(tab, name)) for name in (A, B)] == before
    assert place_of(floor_of(tab)) == stands

    latch = Latch()
    openai.choose(lambda _: Behaviour(latches={Moment.RECEIVED: latch}))
    tab.generate.click()
    following = floor_of(tab).locator(".next")
    expect(following).to_contain_text("Making the next")
    first = following.locator(".seconds").inner_text()
    expect(following.locator(".seconds")).not_to_have_text(first)  # they run, and nobody is asked
    expect(following.get_by_role("button", name="Cancel both")).to_be_visible()
    assert [source(pane(tab, name)) for name in (A, B)] == before
    assert place_of(floor_of(tab)) == stands
    expect(at_work(tab)).to_be_hidden()
    assert inaccessible(tab) == []
    latch.open()
    expect(following).to_be_hidden()
    expect(tab.downloads).to_have_count(2)
    for name, was in zip((A, B), before, strict=True):
        expect(pane(tab, name).get_by_role("img")).not_to_have_attribute("src", was)
    expect(floor_of(tab)).not_to_contain_text("Made with")


def test_what_has_failed_on_both_sides_is_retried_by_one_press_when_the_far_side_allows_it(
    tab: Tab, openai: FakeOpenAI
) -> None:
    openai.choose(lambda _: Behaviour(Fault.RATE_LIMIT, retry_after="6"))
    order(tab)
    for name in (A, B):
        expect(pane(tab, name)).to_contain_text("Too many requests")
    both = tab.page.get_by_role("button", name=re.compile(r"Retry both in \d s"))
    expect(both).to_be_disabled()
    expect(tab.page.get_by_role("button", name=re.compile(r"Retry this side in \d s"))).to_have_count(2)
    allowed = tab.page.get_by_role("button", name=re.compile(r"Retry both$"))
    expect(allowed).to_be_enabled()
    assert len(openai.received) == 2, "nothing is sent again by itself"
    stands = place_of(floor_of(tab))

    openai.choose(lambda _: Behaviour(Fault.NO_QUOTA))
    allowed.click()
    for name in (A, B):
        expect(pane(tab, name)).to_contain_text("Out of credit")
        expect(pane(tab, name)).to_contain_text("an administrator must top it up")
    openai.choose(None)
    allowed.click()
    expect(tab.downloads).to_have_count(2)
    assert place_of(floor_of(tab)) == stands
    assert len(openai.received) == 6


def test_work_is_told_in_the_title_of_another_page_and_its_end_until_it_is_looked_at(
    tab: Tab, openai: FakeOpenAI
) -> None:
    let_go = threading.Event()
    openai.choose(lambda _: Behaviour(hold=let_go))
    order(tab)
    expect(pane(tab, A).get_by_role("img")).to_have_attribute("src", re.compile("/partial/"))
    expect(pane(tab, A)).to_contain_text(re.compile(r"Working · \d+ s"))
    title_is(tab, "Studio")
    expect(at_work(tab)).to_be_hidden()

    tab.page.get_by_role("link", name="References").click()
    title_is(tab, re.compile(r"^0 of 2 · \d+ s · Studio$"))
    expect(at_work(tab)).to_contain_text(SECONDS)
    expect(at_work(tab).get_by_role("button", name="Cancel both")).to_be_visible()
    tab.page.get_by_role("link", name="History").click()
    title_is(tab, re.compile(r"^0 of 2 · \d+ s · Studio$"))
    let_go.set()
    title_is(tab, "Done · Studio")
    expect(at_work(tab)).to_be_hidden()
    tab.page.get_by_role("link", name="References").click()
    expect(tab.cards("References")).to_have_count(60)
    title_is(tab, "Done · Studio")
    tab.page.get_by_role("link", name="Generate").click()
    expect(tab.downloads).to_have_count(2)
    title_is(tab, "Studio")


def test_a_line_stands_in_the_top_bar_while_the_stage_is_out_of_view_and_stops_both_sides(
    tab: Tab, openai: FakeOpenAI
) -> None:
    tab.page.set_viewport_size({"width": 1024, "height": 420})
    openai.choose(lambda _: Behaviour(Fault.HANG_MID_STREAM))
    drafted(tab, PROMPT, **PLANNED)
    tab.generate.click()
    expect(at_work(tab)).to_contain_text(re.compile(r"0 of 2 · \d+ s"))
    bar, button = place_of(at_work(tab)), place_of(tab.generate)
    assert bar[0] + bar[1] <= button[0], "it covers nothing that is pressed"
    at_work(tab).get_by_role("button", name="Cancel both").click()
    for name in (A, B):
        expect(pane(tab, name)).to_contain_text("Cancelled")
    expect(at_work(tab)).to_be_hidden()
    expect(tab.page.get_by_role("button", name="Retry both")).to_be_enabled()
    assert all(call.hung_up.wait(10) for call in openai.received)
