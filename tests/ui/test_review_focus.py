"""The focus desk in a real Chromium, on a real `streamlit run`, in front of a keeper that can be slow or away."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from core.ui.review_focus import DecisionKind, FocusDecision, _decisions
from tests.support.chromium import chromium
from tests.support.demos import focus_demo


def test_what_the_browser_says_in_another_shape_is_no_decision() -> None:
    fine = {"id": "a", "kind": "accept", "item": "p", "seen": "0", "values": {"hair": None, "age": 3}}
    assert _decisions({"decisions": [fine, {}, 7, {**fine, "kind": "publish"}, {**fine, "id": ""}]}) == [
        FocusDecision("a", DecisionKind.ACCEPT, "p", "0", {"hair": None})
    ]
    for told in (None, [], "accept", {"decisions": "accept"}, {"decisions": None}):
        assert _decisions(told) == []


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with focus_demo(tmp_path_factory.mktemp("focus")) as url:
        yield f"{url}/"


@pytest.fixture(scope="module")
def window() -> Iterator[BrowserContext]:
    with chromium() as browser:
        yield browser.new_context(viewport={"width": 1440, "height": 900})


class Desk:
    """The desk as a person at the keyboard sees it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.picture = page.locator(".desk .picture")
        self.status = page.locator(".desk .status")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def expect_picture(self, n: int) -> None:
        expect(self.picture).to_have_attribute("alt", f"Person {n:02}")

    def expect_kept(self, *decisions: str) -> None:
        """Exactly these decisions reached the keeper, in this order, each once."""
        pattern = r"^kept " + " ".join(re.escape(decision) + r":\S*\{.*?\}" for decision in decisions) + "$"
        expect(self.page.get_by_text(re.compile(r"^kept "))).to_have_text(re.compile(pattern))
        expect(self.page.get_by_text("twice 0")).to_be_visible()


@pytest.fixture
def desk(window: BrowserContext, address: str) -> Iterator[Desk]:
    page = window.new_page()
    page.goto(address)
    page.get_by_role("button", name="Come back").click()
    page.get_by_role("button", name="Forget").click()
    expect(page.get_by_text(re.compile("^kept$|^kept $"))).to_be_visible()
    page.goto(address)  # a desk that has never seen a decision
    desk = Desk(page)
    desk.expect_picture(0)
    page.locator(".desk").focus()
    yield desk
    page.close()


def test_one_key_accepts_and_shows_the_next(desk: Desk) -> None:
    desk.press("a")
    desk.expect_picture(1)
    desk.expect_kept("accept:p0")


def test_twenty_fast_keys_are_twenty_decisions(desk: Desk) -> None:
    """A key acts in the browser; nothing waits for the server, and nothing is lost on the way."""
    desk.press(*"a" * 20)
    desk.expect_kept(*(f"accept:p{n}" for n in range(20)))
    expect(desk.status).to_contain_text("all saved · 4 left")
    desk.expect_picture(20)


def test_the_next_pictures_have_been_fetched_before_they_are_asked_for(desk: Desk) -> None:
    """So a key need not wait for one; `bench.keys` times it."""
    for n in range(1, 6):
        desk.page.wait_for_function(
            "name => performance.getEntriesByType('resource').some((one) => one.name.endsWith(name))",
            arg=f"/picture/{n}",
        )
        desk.press("ArrowRight")
        desk.expect_picture(n)


def test_digits_open_a_field_and_choose_and_the_correction_travels(desk: Desk) -> None:
    desk.press("1", "4")
    expect(desk.page.get_by_role("button", name="Save correction")).to_be_enabled()
    desk.press("a")
    desk.expect_kept("correct:p0")
    expect(desk.page.get_by_text(re.compile("^kept "))).to_contain_text("{'age_range': '35–44'}")


def test_a_word_that_is_no_choice_can_be_typed(desk: Desk) -> None:
    desk.press("3")
    desk.page.keyboard.type("as short as a brush")
    desk.press("Enter", "a")
    expect(desk.page.get_by_text(re.compile("^kept "))).to_contain_text("{'hair': 'as short as a brush'}")


def test_what_is_being_typed_outlives_an_answer_of_the_server(desk: Desk) -> None:
    """A decision is acknowledged while the next picture's field is open: no letter is lost, none becomes a command."""
    desk.press("a", "3")
    desk.page.keyboard.type("as sho")
    desk.expect_kept("accept:p0")
    expect(desk.status).to_contain_text("all saved")
    desk.page.keyboard.type("rt as a brush")
    desk.press("Enter", "a")
    expect(desk.page.get_by_text(re.compile("^kept "))).to_contain_text("{'hair': 'as short as a brush'}")
    desk.expect_kept("accept:p0", "correct:p1")


def test_choosing_what_was_said_already_is_no_correction(desk: Desk) -> None:
    desk.press("1", "3", "a")
    desk.expect_kept("accept:p0")


def test_unsure_is_a_value_of_its_own(desk: Desk) -> None:
    desk.press("2", "3", "a")
    desk.expect_kept("correct:p0")
    expect(desk.page.get_by_text(re.compile("^kept "))).to_contain_text("{'gender_presentation': None}")


def test_what_nobody_has_noted_is_none_and_not_unsure(desk: Desk) -> None:
    expect(desk.page.locator(".desk .field").last).to_have_text(re.compile("Notes.*none"))


def test_a_thumbnail_that_is_missing_leaves_an_empty_tile_that_can_be_chosen(desk: Desk) -> None:
    desk.page.route("**/picture/3", lambda asked: asked.fulfill(status=404))
    desk.page.reload()
    tile = desk.page.locator(".desk").get_by_role("button", name="Person 03")
    expect(tile).to_have_class(re.compile("broken"))
    expect(tile.locator("img")).to_have_css("visibility", "hidden")
    tile.click()
    desk.expect_picture(3)
    expect(desk.page.get_by_text("This picture cannot be shown")).to_be_visible()


def test_escape_closes_a_field_and_changes_nothing(desk: Desk) -> None:
    desk.press("1", "Escape", "a")
    desk.expect_kept("accept:p0")


def test_arrows_look_around_and_decide_nothing(desk: Desk) -> None:
    desk.press("ArrowRight", "ArrowRight", "ArrowLeft")
    desk.expect_picture(1)
    desk.press("s")
    desk.expect_kept("skip:p1")
    desk.expect_picture(2)


def test_undo_comes_back_to_the_picture_with_its_correction(desk: Desk) -> None:
    desk.press("1", "4", "a")
    desk.expect_kept("correct:p0")
    desk.press("z")
    desk.expect_picture(0)
    expect(desk.page.get_by_role("button", name="Save correction")).to_be_enabled()
    desk.expect_kept("correct:p0", "undo:p0")


def test_undo_before_anything_was_sent_sends_nothing(desk: Desk) -> None:
    desk.press("a", "z")
    desk.expect_picture(0)
    desk.press("s")
    desk.expect_kept("skip:p0")


def test_undo_reaches_across_a_reload(desk: Desk) -> None:
    desk.press("a", "a", "a")
    desk.expect_kept("accept:p0", "accept:p1", "accept:p2")
    desk.page.reload()
    desk.expect_picture(3)
    desk.page.locator(".desk").focus()
    desk.press("z", "z")
    desk.expect_picture(1)
    desk.expect_kept("accept:p0", "accept:p1", "accept:p2", "undo:p2", "undo:p1")
    desk.press("a")
    desk.expect_kept("accept:p0", "accept:p1", "accept:p2", "undo:p2", "undo:p1", "accept:p1")


def test_what_could_not_be_kept_is_kept_here_and_sent_again(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Go away").click()
    desk.page.locator(".desk").focus()
    desk.press("a", "a")
    expect(desk.status).to_contain_text("2 kept in this browser · S3 does not answer.")
    desk.page.get_by_role("button", name="Come back").click()
    desk.expect_kept("accept:p0", "accept:p1")
    expect(desk.status).to_contain_text("all saved")


def test_a_reload_while_the_keeper_is_away_loses_nothing(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Go away").click()
    desk.page.locator(".desk").focus()
    desk.press("a", "a")
    expect(desk.status).to_contain_text("2 kept in this browser")
    desk.page.reload()
    desk.expect_picture(2)
    desk.page.get_by_role("button", name="Come back").click()
    desk.expect_kept("accept:p0", "accept:p1")


def test_a_lost_race_shows_theirs_and_lets_one_choose(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Rival at p2").click()
    desk.page.locator(".desk").focus()
    desk.press("a", "a", "1", "4", "a")
    expect(desk.page.get_by_text("Ops set age range of p2 to 60+ first.")).to_be_visible()
    desk.page.get_by_role("button", name="Keep theirs").click()
    expect(desk.page.get_by_text("Ops set age range of p2")).to_have_count(0)
    expect(desk.status).to_contain_text("all saved · 22 left")
    desk.expect_picture(2)
    desk.expect_kept("accept:p0", "accept:p1")
    desk.press("a")
    desk.expect_kept("accept:p0", "accept:p1", "accept:p2")


def test_ones_own_answer_to_a_lost_race_is_kept(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Rival at p2").click()
    desk.page.locator(".desk").focus()
    desk.press("a", "a", "1", "4", "a")
    desk.page.get_by_role("button", name="Use mine").click()
    desk.expect_kept("accept:p0", "accept:p1", "correct:p2")
    expect(desk.page.get_by_text(re.compile("^kept "))).to_contain_text("{'age_range': '35–44'}")
    expect(desk.status).to_contain_text("all saved · 21 left")
    desk.expect_picture(3)


def test_everything_can_be_done_with_the_mouse(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Age range").click()
    desk.page.get_by_role("button", name="60+").click()
    desk.page.get_by_role("button", name="Save correction").click()
    desk.page.get_by_role("button", name="Skip").click()
    desk.page.get_by_role("button", name="Undo").click()
    desk.expect_picture(1)
    expect(desk.page.get_by_text(re.compile("^kept "))).to_contain_text("{'age_range': '60+'}")


def test_the_desk_ends_with_a_sentence_when_nothing_is_left(desk: Desk, address: str) -> None:
    desk.page.goto(f"{address}?count=2&queue=two")
    desk.expect_picture(0)
    desk.page.locator(".desk").focus()
    desk.press("a", "a")
    expect(desk.page.get_by_text("Nothing waits for a decision").first).to_be_visible()
    desk.expect_kept("accept:p0", "accept:p1")
