"""The focus desk in a real Chromium, on a real `streamlit run`, in front of a keeper that can be slow or away."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from pydantic import ValidationError

from core.ui.components.review_focus.focus_data import DecisionKind, FocusDecision
from core.ui.components.review_focus.review_focus import FocusMemory, _decisions, _Outbox
from tests.support.browser.chromium import chromium
from tests.support.browser.visits import Visits
from tests.support.dashboards.demos import focus_demo


def test_what_the_browser_says_in_another_shape_is_no_decision() -> None:
    """Whoever sent it hears of it, if it says whose it is, and need not send it again."""
    fine = {"id": "a", "kind": "accept", "item": "p", "seen": "0", "values": {"hair": None}}
    damaged = [{}, 7, {**fine, "id": "b", "kind": "publish"}, {**fine, "id": "c", "values": {"age": 3}}]
    known = FocusMemory()
    found = _decisions(known, _Outbox(decisions=[fine, *damaged]), "desk")
    assert found == [FocusDecision("a", DecisionKind.ACCEPT, "p", "0", {"hair": None})]
    assert set(known.lost) == set(known.kept) == {"b", "c"}


@pytest.mark.parametrize("told", [[], "accept", {"decisions": "accept"}, {"decisions": None}, {"decisions": [1] * 201}])
def test_an_outbox_of_another_shape_is_none(told: object) -> None:
    with pytest.raises(ValidationError):
        _Outbox.model_validate(told)


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Visits]:
    with focus_demo(tmp_path_factory.mktemp("focus")) as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        yield Visits(page, url, "focus", request.session)


class FocusPage:
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
def focus(visits: Visits, request: pytest.FixtureRequest) -> Iterator[FocusPage]:
    """A desk that has never seen a decision; a test that is parametrised with a `query` gets the desk of that."""
    marker = request.node.get_closest_marker("parametrize")
    query = request.getfixturevalue("query") if marker and "query" in marker.args[0] else ""
    focus = FocusPage(visits.begin(query))
    focus.expect_picture(0)
    focus.page.locator(".desk").focus()
    yield focus
    visits.end()


def test_one_key_accepts_and_shows_the_next(focus: FocusPage) -> None:
    focus.press("a")
    focus.expect_picture(1)
    focus.expect_kept("accept:p0")


def test_twenty_fast_keys_are_twenty_decisions(focus: FocusPage) -> None:
    """A key acts in the browser; nothing waits for the server, and nothing is lost on the way."""
    focus.press(*"a" * 20)
    focus.expect_kept(*(f"accept:p{n}" for n in range(20)))
    expect(focus.status).to_contain_text("all saved · 4 waiting")
    focus.expect_picture(20)


def test_the_next_pictures_have_been_fetched_before_they_are_asked_for(focus: FocusPage) -> None:
    """So a key need not wait for one; `bench.keys` times it."""
    for n in range(1, 6):
        focus.page.wait_for_function(
            "name => performance.getEntriesByType('resource').some((one) => one.name.endsWith(name))",
            arg=f"/picture/{n}",
        )
        focus.press("ArrowRight")
        focus.expect_picture(n)


def test_digits_open_a_field_and_choose_and_the_correction_travels(focus: FocusPage) -> None:
    focus.press("1", "4")
    expect(focus.page.get_by_role("button", name="Save correction")).to_be_enabled()
    focus.press("a")
    focus.expect_kept("correct:p0")
    expect(focus.page.get_by_text(re.compile("^kept "))).to_contain_text("{'age_range': '35–44'}")


def test_a_word_that_is_no_choice_can_be_typed(focus: FocusPage) -> None:
    focus.press("3", "t")
    focus.page.keyboard.type("as short as a brush")
    focus.press("Enter", "a")
    expect(focus.page.get_by_text(re.compile("^kept "))).to_contain_text("{'hair': 'as short as a brush'}")


def test_a_digit_in_a_free_field_chooses_and_is_never_a_word(focus: FocusPage) -> None:
    """The badge beside a choice is its key there, too; what is no choice's digit does nothing."""
    focus.press("3", "7")
    expect(focus.page.locator(".desk [data-field=hair]")).to_have_class(re.compile("open"))
    focus.press("1", "a")
    expect(focus.page.get_by_text(re.compile("^kept "))).to_contain_text("{'hair': 'brown short'}")


def test_escape_leaves_the_word_that_is_typed_and_the_digits_choose_again(focus: FocusPage) -> None:
    focus.press("3", "t")
    focus.page.keyboard.type("as sho")
    focus.press("Escape", "1", "a")
    expect(focus.page.get_by_text(re.compile("^kept "))).to_contain_text("{'hair': 'brown short'}")


def test_what_is_being_typed_outlives_an_answer_of_the_server(focus: FocusPage) -> None:
    """A decision is acknowledged while the next picture's field is open: no letter is lost, none becomes a command."""
    focus.press("a", "3", "t")
    focus.page.keyboard.type("as sho")
    focus.expect_kept("accept:p0")
    expect(focus.status).to_contain_text("all saved")
    focus.page.keyboard.type("rt as a brush")
    focus.press("Enter", "a")
    expect(focus.page.get_by_text(re.compile("^kept "))).to_contain_text("{'hair': 'as short as a brush'}")
    focus.expect_kept("accept:p0", "correct:p1")


def test_choosing_what_was_said_already_is_no_correction(focus: FocusPage) -> None:
    focus.press("1", "3", "a")
    focus.expect_kept("accept:p0")


def test_unsure_is_a_value_of_its_own(focus: FocusPage) -> None:
    focus.press("2", "0", "a")
    focus.expect_kept("correct:p0")
    expect(focus.page.get_by_text(re.compile("^kept "))).to_contain_text("{'gender_presentation': None}")


def test_what_nobody_has_noted_is_none_and_not_unsure(focus: FocusPage) -> None:
    expect(focus.page.locator(".desk .field").last).to_have_text(re.compile("Notes.*none"))


def test_a_thumbnail_that_is_missing_leaves_an_empty_tile_that_can_be_chosen(focus: FocusPage) -> None:
    focus.page.route("**/picture/3", lambda asked: asked.fulfill(status=404))
    focus.page.reload()
    tile = focus.page.locator(".desk").get_by_role("button", name="Person 03")
    expect(tile).to_have_class(re.compile("broken"))
    expect(tile.locator("img")).to_have_css("visibility", "hidden")
    tile.click()
    focus.expect_picture(3)
    expect(focus.page.get_by_text("This picture cannot be shown")).to_be_visible()


def test_escape_closes_a_field_and_changes_nothing(focus: FocusPage) -> None:
    focus.press("1", "Escape", "a")
    focus.expect_kept("accept:p0")


def test_arrows_look_around_and_decide_nothing(focus: FocusPage) -> None:
    focus.press("ArrowRight", "ArrowRight", "ArrowLeft")
    focus.expect_picture(1)
    focus.press("s")
    focus.expect_kept("skip:p1")
    focus.expect_picture(2)


def test_undo_comes_back_to_the_picture_with_its_correction(focus: FocusPage) -> None:
    focus.press("1", "4", "a")
    focus.expect_kept("correct:p0")
    focus.press("z")
    focus.expect_picture(0)
    expect(focus.page.get_by_role("button", name="Save correction")).to_be_enabled()
    focus.expect_kept("correct:p0", "undo:p0")


def test_undo_before_anything_was_sent_sends_nothing(focus: FocusPage) -> None:
    focus.press("a", "z")
    focus.expect_picture(0)
    focus.press("s")
    focus.expect_kept("skip:p0")


def test_what_was_taken_back_stays_so_whatever_the_server_answers_meanwhile(focus: FocusPage) -> None:
    """It has neither the decision nor that it was taken back, when it tells of something else."""
    focus.page.get_by_role("button", name="Go away").click()
    focus.page.locator(".desk").focus()
    focus.press("s")
    expect(focus.status).to_contain_text("1 kept in this browser")
    focus.press("z")
    focus.expect_picture(0)
    focus.page.get_by_role("button", name="p9 is decided elsewhere").click()
    expect(focus.status).to_contain_text("23 waiting")
    focus.expect_picture(0)
    expect(focus.page.locator(".tile.done")).to_have_count(0)
    focus.page.get_by_role("button", name="Come back").click()
    focus.expect_kept("skip:p0", "undo:p0")
    expect(focus.status).to_contain_text("all saved")
    focus.expect_picture(0)
    expect(focus.page.locator(".tile.done")).to_have_count(0)


def test_undo_reaches_across_a_reload(focus: FocusPage) -> None:
    focus.press("a", "a", "a")
    focus.expect_kept("accept:p0", "accept:p1", "accept:p2")
    focus.page.reload()
    focus.expect_picture(3)
    focus.page.locator(".desk").focus()
    focus.press("z", "z")
    focus.expect_picture(1)
    focus.expect_kept("accept:p0", "accept:p1", "accept:p2", "undo:p2", "undo:p1")
    focus.press("a")
    focus.expect_kept("accept:p0", "accept:p1", "accept:p2", "undo:p2", "undo:p1", "accept:p1")


def test_what_could_not_be_kept_is_kept_here_and_sent_again(focus: FocusPage) -> None:
    focus.page.get_by_role("button", name="Go away").click()
    focus.page.locator(".desk").focus()
    focus.press("a", "a")
    expect(focus.status).to_contain_text("2 kept in this browser · S3 does not answer.")
    focus.page.get_by_role("button", name="Come back").click()
    focus.expect_kept("accept:p0", "accept:p1")
    expect(focus.status).to_contain_text("all saved")


def test_a_reload_while_the_keeper_is_away_loses_nothing(focus: FocusPage) -> None:
    focus.page.get_by_role("button", name="Go away").click()
    focus.page.locator(".desk").focus()
    focus.press("a", "a")
    expect(focus.status).to_contain_text("2 kept in this browser")
    focus.page.reload()
    focus.expect_picture(2)
    focus.page.get_by_role("button", name="Come back").click()
    focus.expect_kept("accept:p0", "accept:p1")


def test_a_lost_race_shows_theirs_and_lets_one_choose(focus: FocusPage) -> None:
    focus.page.get_by_role("button", name="Rival at p2").click()
    focus.page.locator(".desk").focus()
    focus.press("a", "a", "1", "4", "a")
    expect(focus.page.get_by_text("Ops set age range of p2 to 60+ first.")).to_be_visible()
    focus.page.get_by_role("button", name="Keep theirs").click()
    expect(focus.page.get_by_text("Ops set age range of p2")).to_have_count(0)
    expect(focus.status).to_contain_text("all saved · 22 waiting")
    focus.expect_picture(2)
    focus.expect_kept("accept:p0", "accept:p1")
    focus.press("a")
    focus.expect_kept("accept:p0", "accept:p1", "accept:p2")


def test_ones_own_answer_to_a_lost_race_is_kept(focus: FocusPage) -> None:
    focus.page.get_by_role("button", name="Rival at p2").click()
    focus.page.locator(".desk").focus()
    focus.press("a", "a", "1", "4", "a")
    focus.page.get_by_role("button", name="Use mine").click()
    focus.expect_kept("accept:p0", "accept:p1", "correct:p2")
    expect(focus.page.get_by_text(re.compile("^kept "))).to_contain_text("{'age_range': '35–44'}")
    expect(focus.status).to_contain_text("all saved · 21 waiting")
    focus.expect_picture(3)


def test_everything_can_be_done_with_the_mouse(focus: FocusPage) -> None:
    focus.page.get_by_role("button", name="Age range").click()
    focus.page.get_by_role("button", name="60+").click()
    focus.page.get_by_role("button", name="Save correction").click()
    focus.page.get_by_role("button", name="Skip").click()
    focus.page.get_by_role("button", name="Undo").click()
    focus.expect_picture(1)
    expect(focus.page.get_by_text(re.compile("^kept "))).to_contain_text("{'age_range': '60+'}")


@pytest.mark.parametrize("query", ["count=2&queue=two"])
def test_the_desk_ends_with_a_sentence_when_nothing_is_left(focus: FocusPage, query: str) -> None:
    assert query
    focus.press("a", "a")
    expect(focus.page.get_by_text("Nothing waits for a decision").first).to_be_visible()
    focus.expect_kept("accept:p0", "accept:p1")


@pytest.mark.parametrize("query", ["count=3&queue=three"])
def test_who_has_skipped_is_told_so_and_can_look_again(focus: FocusPage, query: str) -> None:
    """More that never comes is promised to nobody."""
    assert query
    focus.press("a", "s", "s")
    expect(focus.page.get_by_text("2 that you skipped are left.")).to_be_visible()
    expect(focus.status).to_contain_text("all saved · 2 waiting")
    focus.page.get_by_role("button", name="Look at the skipped").click()
    focus.expect_picture(1)
    focus.press("a", "a")
    focus.expect_kept("accept:p0", "skip:p1", "skip:p2", "accept:p1", "accept:p2")
    expect(focus.page.get_by_text("Nothing waits for a decision").first).to_be_visible()


def test_a_lost_race_outlives_a_reload_and_is_not_called_saved(focus: FocusPage) -> None:
    focus.page.get_by_role("button", name="Rival at p2").click()
    focus.page.locator(".desk").focus()
    focus.press("a", "a", "1", "4", "a")
    expect(focus.page.get_by_text("You: age range 35–44. Not saved yet.")).to_be_visible()
    expect(focus.status).to_contain_text("1 not saved")
    focus.page.reload()
    expect(focus.page.get_by_text("You: age range 35–44. Not saved yet.")).to_be_visible()
    expect(focus.status).to_contain_text("1 not saved")
    focus.press("m")
    focus.expect_kept("accept:p0", "accept:p1", "correct:p2")
    expect(focus.page.get_by_text(re.compile("^kept "))).to_contain_text("{'age_range': '35–44'}")
    expect(focus.status).to_contain_text("all saved · 21 waiting")


def test_what_was_accepted_and_lost_can_be_insisted_on(focus: FocusPage) -> None:
    focus.page.get_by_role("button", name="Rival at p2").click()
    focus.page.locator(".desk").focus()
    focus.press("a", "a", "a")
    focus.page.get_by_role("button", name="Use mine").click()
    focus.expect_kept("accept:p0", "accept:p1", "correct:p2")
    expect(focus.page.get_by_text(re.compile("^kept "))).to_contain_text("{'age_range': '25–34'}")
    focus.press("z")
    focus.expect_picture(2)
    focus.expect_kept("accept:p0", "accept:p1", "correct:p2", "undo:p2")


def test_who_keeps_theirs_keeps_what_was_not_disputed_as_a_draft(focus: FocusPage) -> None:
    focus.page.get_by_role("button", name="Rival at p2").click()
    focus.page.locator(".desk").focus()
    focus.press("a", "a", "1", "4", "3", "1", "a")
    expect(focus.page.get_by_role("button", name="Look", exact=True)).to_be_visible()
    focus.press("k")
    focus.expect_picture(2)
    focus.press("a")
    focus.expect_kept("accept:p0", "accept:p1", "correct:p2")
    expect(focus.page.get_by_text(re.compile("^kept "))).to_contain_text("{'hair': 'brown short'}")


def test_after_there_is_nothing_to_accept_the_portrait_still_listens(focus: FocusPage) -> None:
    focus.page.get_by_role("button", name="Nothing known of p0").click()
    focus.page.locator(".desk").focus()
    focus.press("a")
    expect(focus.page.get_by_text("There is nothing to accept.")).to_be_visible()
    expect(focus.status).to_contain_text("1 not saved")
    focus.page.get_by_role("button", name="OK").click()
    expect(focus.page.get_by_text("There is nothing to accept.")).to_have_count(0)
    focus.page.locator(".desk .tile").first.click()
    focus.expect_picture(0)
    focus.press("2", "2", "a")
    focus.expect_kept("correct:p0")
    expect(focus.status).to_contain_text("all saved · 23 waiting")


def test_one_press_settles_a_field_for_all_pictures_of_a_person_and_undo_takes_it_back(focus: FocusPage) -> None:
    desk = focus.page.locator(".desk")
    expect(desk.get_by_text("Person elsewhere: feminine ×2, masculine ×1")).to_be_visible()
    expect(desk.get_by_role("group", name="Person elsewhere").get_by_role("img")).to_have_count(3)
    focus.press("2")
    button = desk.get_by_role("button", name="feminine on 3 of Person, 1 decided otherwise stays")
    expect(button).to_be_visible()
    focus.press("p")
    expect(desk.get_by_text("Gender of Person: feminine on 3 pictures.")).to_be_visible()
    expect(desk.get_by_text("Person 77 stays masculine, as Ops decided.")).to_be_visible()
    focus.expect_picture(0)
    desk.get_by_role("status").get_by_role("button", name="Undo").click()
    focus.expect_kept("settle:p0", "undo:p0")
    expect(desk.get_by_role("status")).to_have_count(0)
    focus.press("2", "p")
    focus.expect_kept("settle:p0", "undo:p0", "settle:p0")
    desk.get_by_role("status").get_by_role("button", name="OK").click()
    expect(desk.get_by_role("status")).to_have_count(0)


def test_after_a_filter_was_chosen_by_mouse_the_desk_has_the_keys_back(focus: FocusPage) -> None:
    focus.page.get_by_role("combobox", name="Filter").click()
    focus.page.get_by_role("option", name="low confidence").click()
    expect(focus.page.locator(".desk")).to_be_focused()
    focus.press("a")
    focus.expect_kept("accept:p0")


def test_who_types_a_search_keeps_the_keys(focus: FocusPage) -> None:
    focus.page.get_by_role("textbox", name="Search").click()
    focus.page.keyboard.type("a")
    expect(focus.page.get_by_role("textbox", name="Search")).to_have_value("a")
    focus.expect_picture(0)


def test_a_key_and_a_press_come_nearer_and_go_back(focus: FocusPage) -> None:
    plate = focus.page.locator(".desk .plate")
    whole = focus.picture.bounding_box()
    assert whole is not None
    focus.press(" ")
    expect(plate).to_have_class(re.compile("near"))
    near = focus.picture.bounding_box()
    assert near is not None
    assert near["width"] > whole["width"]
    focus.press("Escape")
    expect(plate).not_to_have_class(re.compile("near"))
    focus.picture.click()
    expect(plate).to_have_class(re.compile("near"))
    focus.press("+", "-", "a")
    focus.expect_picture(1)
    expect(plate).not_to_have_class(re.compile("near"))


def test_a_question_mark_shows_the_keys_and_closes_them(focus: FocusPage) -> None:
    keys = focus.page.locator(".desk").get_by_role("dialog", name="Keys")
    focus.press("?")
    expect(keys).to_be_visible()
    keys.get_by_role("button", name="Close").click()
    expect(keys).to_have_count(0)
    focus.page.locator(".desk").get_by_role("button", name="Keys").click()
    expect(keys).to_be_visible()
    focus.press("Escape")
    expect(keys).to_have_count(0)
    focus.press("a")
    focus.expect_kept("accept:p0")
