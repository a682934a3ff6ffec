"""Insights in a real Chromium, of a bucket full of votes: the answer, filters in the address, and what is taken home.

In production: a designer and an admin are told different things.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import expect

from core.identity.session import SessionSigner
from tests.browser.accessible import COLOURS, inaccessible
from tests.browser.conftest import Visit
from tests.browser.test_look import offences_in_all_looks
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard
from tests.support.dashboards.production import KEY, LISTED, PICTURE, SECRET, session, settings_of
from tests.support.processes.commands import core
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.ui.insights.vote_sample import fill

DESIGNER, ADMIN = "kim@studio.example", "ada@studio.example"
VOTERS = (DESIGNER, ADMIN, "하늘@studio.example")
VOTES = 70


@dataclass(frozen=True, slots=True)
class Judged:
    """The dashboard, and the settings by which commands find its bucket."""

    studio: Dashboard
    settings: dict[str, str]

    def tab(self, visit: Visit, person: str, path: str = "/insights", **looks: Any) -> Tab:
        """The page as this person has it before them."""
        visitor = visit(self.studio, **looks)
        cookie = SessionSigner(SECRET).cookie(session(person))
        visitor.context.add_cookies([{"name": "studio", "value": cookie, "url": self.studio.url}])
        return visitor.open(path)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    with moto_server() as server:
        bucket = with_bucket(server, {KEY: PICTURE, "studio/access.json": LISTED})
        fill(bucket.store(), "studio/", VOTERS, comparisons=24, votes=VOTES, preference=0.8, blind=0.9)
        settings = settings_of(bucket, public_url="http://127.0.0.1:1")
        with dashboard(tmp_path_factory.mktemp("judged"), settings) as studio:
            yield Judged(studio, settings)


@pytest.fixture(scope="module")
def exported(judged: Judged) -> list[str]:
    """Every vote, as the command tells of it."""
    return core("votes", "export", environ=judged.settings).out.splitlines()


def answer(tab: Tab) -> str:
    """The sentence on top, once it is there."""
    heading = tab.main.get_by_role("heading", level=2)
    expect(heading).to_contain_text("is preferred in")
    return heading.inner_text().replace("\N{NO-BREAK SPACE}", " ")


def downloaded(tab: Tab, button: str) -> tuple[str, list[dict[str, str]]]:
    """A CSV as text and as rows."""
    with tab.page.expect_download() as started:
        tab.button(button).click()
    text = started.value.path().read_text("utf-8-sig")
    return text, list(csv.DictReader(text.splitlines()))


def test_the_page_says_what_the_command_prints_in_either_theme_on_every_screen(judged: Judged, visit: Visit) -> None:
    told = core("insights", "--json", environ=judged.settings).json
    tab = judged.tab(visit, DESIGNER)
    said = answer(tab)
    low, high = round(100 * told["low"]), round(100 * told["high"])
    assert said.startswith(f"Tone + angle is preferred in {100 * told['preference']:.0f} % of scenes, {low}–{high} %: ")
    assert said.endswith(f"decided. {told['scenes']} scenes, {told['voters']} people.")
    assert ("not decided" in said) is not told["decided"]
    expect(tab.main).to_contain_text("Left out")
    expect(tab.main.get_by_role("cell", name="The voter had seen the sides named")).to_be_visible()
    levels = [int(tag[1]) for tag in tab.main.get_by_role("heading").evaluate_all("all => all.map((h) => h.tagName)")]
    assert levels[:2] == [1, 2]
    assert set(levels[2:]) == {3}
    offences = offences_in_all_looks(tab)
    assert offences == []


def test_a_filter_changes_the_address_and_the_answer_both_are_found_again_on_the_way_back_and_can_be_sent(
    judged: Judged, visit: Visit
) -> None:
    tab = judged.tab(visit, DESIGNER)
    whole = answer(tab)
    tab.choose("Any tone", "Natural film")
    expect(tab.page).to_have_url(re.compile(r"[?&]of_tone=Natural\+film"))
    expect(tab.main.get_by_text("exploratory", exact=True).first).to_be_visible()
    tab.settled()
    part = answer(tab)
    assert part != whole
    region = tab.page.get_by_role("status").filter(has_text="is preferred in")
    assert region.inner_text() == part, "who hears the page is told the new answer"
    sent = judged.tab(visit, ADMIN, tab.page.url.removeprefix(judged.studio.url))
    assert answer(sent) == part
    tab.page.get_by_role("link", name="History").click()  # a filter is no entry of its own, a page with its filters is
    expect(tab.page).to_have_url(re.compile(r"/history$"))
    tab.page.go_back()
    expect(tab.page).to_have_url(re.compile(r"[?&]of_tone=Natural\+film"))
    expect(tab.main.get_by_role("heading", level=2)).to_have_text(part)
    tab.main.get_by_role("button", name="Clear value").click()
    expect(tab.main.get_by_role("heading", level=2)).to_have_text(whole)


def test_the_filters_are_gone_through_and_chosen_by_keys_alone(judged: Judged, visit: Visit) -> None:
    tab = judged.tab(visit, DESIGNER)
    whole = answer(tab)
    tab.main.get_by_role("group", name="From this day on, UTC").get_by_role("spinbutton").first.focus()
    reached: list[str] = []
    while not reached or not reached[-1].startswith("Any angle"):
        tab.page.keyboard.press("Tab")
        reached.append(tab.page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent"))
        assert len(reached) < 20, reached
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    expect(tab.page).to_have_url(re.compile(r"[?&]of_angle="))
    tab.settled()
    assert answer(tab) != whole
    expect(tab.page.get_by_role("combobox", name="Any angle")).to_be_focused()
    assert [name for name in reached if name.startswith("Any ")] == ["Any tone", "Any angle"]


@pytest.mark.parametrize(("person", "is_named"), [(DESIGNER, False), (ADMIN, True)], ids=["designer", "admin"])
def test_every_vote_and_every_scene_is_taken_home_and_voters_have_names_for_who_may_see_them(
    judged: Judged, exported: list[str], visit: Visit, person: str, is_named: bool
) -> None:
    tab = judged.tab(visit, person, "/insights?parts=Voter")
    said = answer(tab)
    votes, rows = downloaded(tab, "Every vote as CSV")
    assert len(rows) == len(exported)
    scenes, scored = downloaded(tab, "Every scene as CSV")
    assert f" {len(scored)} scenes, " in said
    tab.main.get_by_text("As a table").first.click()
    expect(tab.main.get_by_role("columnheader", name="Before pulling")).to_be_visible()
    page = tab.page.locator("body").inner_text()
    for text in (votes, page):
        assert [voter for voter in VOTERS if voter in text] == (list(VOTERS) if is_named else [])
    assert "studio.example" not in scenes


def test_where_nothing_was_judged_the_page_says_what_to_do_and_is_as_accessible(judged: Judged, visit: Visit) -> None:
    tab = judged.tab(visit, DESIGNER, "/insights?question=Strength")
    expect(tab.main).to_contain_text("Nobody has judged such a pair yet")
    assert inaccessible(tab) == []
    tab.page.emulate_media(color_scheme="dark")
    assert inaccessible(tab, COLOURS) == []
