"""The picture grid in a real Chromium, on a real `streamlit run`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from pydantic import ValidationError

from core.ui.components.picture_grid.picture_grid import Card, GridMemory, Half, _Sent, _Starred, picture_grid
from tests.support.browser.chromium import PATIENCE_MS, chromium
from tests.support.browser.visits import Visits
from tests.support.dashboards.demos import grid_demo


def test_a_message_from_before_a_drop_loses_only_what_was_dropped() -> None:
    memory = GridMemory()
    memory.drop(["a"])
    assert memory.left_of(_Sent(ids=("a", "b"), turn=2, epoch=0)) == ["b"]


def test_a_card_selected_again_after_a_drop_stays_selected() -> None:
    memory = GridMemory()
    memory.drop(["a"])
    assert memory.left_of(_Sent(ids=("a",), turn=3, epoch=1)) == ["a"]


def test_a_drop_counts_for_a_browser_that_outlived_the_server() -> None:
    memory = GridMemory()
    sent = _Sent(ids=("a", "b"), turn=9, epoch=3)
    assert memory.left_of(sent) == ["a", "b"]
    memory.drop(["a"])
    assert memory.left_of(sent) == ["b"]


@pytest.mark.parametrize("raw", [7, [], {"ids": "a"}, {"ids": ["a"], "turn": "1", "epoch": 0}, {"ids": ["x" * 2000]}])
def test_a_selection_that_makes_no_sense_is_none(raw: object) -> None:
    with pytest.raises(ValidationError):
        _Sent.model_validate(raw)


@pytest.mark.parametrize(
    "raw", [7, {"marks": ["a"]}, {"marks": {"a": "yes"}}, {"marks": {"x" * 2000: True}}, {"marks": {}, "turn": -1}]
)
def test_stars_that_make_no_sense_are_none(raw: object) -> None:
    with pytest.raises(ValidationError):
        _Starred.model_validate(raw)


def test_more_stars_than_there_can_be_cards_are_none() -> None:
    with pytest.raises(ValidationError):
        _Starred.model_validate({"marks": {str(n): True for n in range(241)}, "turn": 1})


def test_two_cards_with_one_id_are_refused() -> None:
    card = Card("a", None, "A", "A")
    with pytest.raises(ValueError, match="same id"):
        picture_grid([card, card], key="twice")


def test_a_card_with_one_half_or_three_is_refused() -> None:
    half = Half(None, "")
    for halves in ((half,), (half, half, half)):
        with pytest.raises(ValueError, match="two halves"):
            picture_grid([Card("a", None, "", "", halves=halves)], key="halves")


def test_more_cards_than_the_grid_is_made_for_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 240"):
        picture_grid([Card(str(n), None, "", "") for n in range(241)], key="many")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with grid_demo(tmp_path_factory.mktemp("grid")) as url:
        yield url


@pytest.fixture(scope="module")
def visits(address: str, request: pytest.FixtureRequest) -> Iterator[Visits]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        yield Visits(page, address, "demo", request.session)


class Demo:
    """The demo page as a person at the keyboard sees it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys = page.keyboard
        self.grid = page.locator(".grid")

    def card(self, number: int) -> Locator:
        return self.page.locator(f'[data-id="card {number}"]')

    def says(self, text: str) -> None:
        expect(self.page.get_by_text(text, exact=True)).to_be_visible()

    def shows_selected(self, *numbers: int) -> None:
        """Both the browser and, after a rerun, the server."""
        expect(self.grid.locator('[aria-selected="true"]')).to_have_count(len(numbers))
        self.says(f"selected {[f'card {n}' for n in numbers]}")

    def has_focus(self, number: int) -> None:
        expect(self.card(number)).to_be_focused()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def switch(self, name: str) -> None:
        """Turn a toggle, and wait until it has been: its focus would come in the way of what follows."""
        toggle = self.page.get_by_role("switch", name=name).or_(self.page.get_by_role("checkbox", name=name))
        was_on = toggle.is_checked()
        self.page.get_by_text(name, exact=True).click()
        (expect(toggle).not_to_be_checked if was_on else expect(toggle).to_be_checked)()


@pytest.fixture
def demo(visits: Visits, request: pytest.FixtureRequest) -> Iterator[Demo]:
    """The demo as it begins, with six columns; a test that is parametrised with a `query` gets that page."""
    marker = request.node.get_closest_marker("parametrize")
    query = request.getfixturevalue("query") if marker and "query" in marker.args[0] else ""
    page = visits.begin(query)
    expect(page.locator(".card").first).to_be_visible()
    yield Demo(page)
    visits.end()


browser_test = pytest.mark.browser


@browser_test
class TestKeys:
    def test_arrows_home_end_and_page_keys_move_the_one_tab_stop(self, demo: Demo) -> None:
        demo.card(0).focus()
        for key, number in [
            ("ArrowRight", 1),
            ("ArrowDown", 7),
            ("ArrowLeft", 6),
            ("ArrowUp", 0),
            ("ArrowUp", 0),
            ("End", 59),
            ("ArrowDown", 59),
            ("Home", 0),
            ("PageDown", 12),
            ("PageUp", 0),
        ]:
            demo.keys.press(key)
            demo.has_focus(number)
        expect(demo.grid.locator('[tabindex="0"]')).to_have_count(1)

    def test_space_selects_and_the_server_hears_of_it(self, demo: Demo) -> None:
        demo.card(2).focus()
        demo.keys.press("Space")
        demo.shows_selected(2)
        demo.keys.press("Space")
        demo.shows_selected()

    def test_shift_and_arrows_select_a_range_and_going_back_takes_cards_out(self, demo: Demo) -> None:
        demo.card(1).focus()
        demo.keys.press("Shift+ArrowDown")
        demo.shows_selected(1, 2, 3, 4, 5, 6, 7)
        demo.keys.press("Shift+ArrowUp")
        demo.keys.press("Shift+ArrowRight")
        demo.shows_selected(1, 2)

    def test_a_range_starts_at_the_focus_not_at_the_last_selected_card(self, demo: Demo) -> None:
        demo.card(0).focus()
        for key in ["Space", "ArrowRight", "ArrowRight", "Shift+ArrowRight"]:
            demo.keys.press(key)
        demo.shows_selected(0, 2, 3)

    def test_ctrl_a_selects_the_page_and_escape_clears(self, demo: Demo) -> None:
        demo.card(3).focus()
        demo.keys.press("Control+a")
        demo.shows_selected(*range(60))
        demo.keys.press("Escape")
        demo.shows_selected()

    def test_enter_opens_the_same_card_twice(self, demo: Demo) -> None:
        demo.card(2).focus()
        demo.keys.press("Enter")
        demo.says("opened card 2, 1 openings")
        demo.press("Turn")
        demo.says("opened None, 1 openings")
        demo.card(2).focus()
        demo.keys.press("Enter")
        demo.says("opened card 2, 2 openings")

    @pytest.mark.parametrize("query", ["list=1"])
    def test_a_grid_without_selection_is_a_list_of_buttons(self, demo: Demo, query: str) -> None:
        assert query
        page = demo.page
        expect(page.get_by_role("list", name="Demo pictures").get_by_role("listitem")).to_have_count(60)
        page.get_by_role("button", name="Title 7").focus()
        demo.keys.press("Space")
        demo.says("opened card 7, 1 openings")
        expect(demo.grid.locator("[aria-selected]")).to_have_count(0)

    def test_a_selectable_grid_is_a_listbox(self, demo: Demo) -> None:
        listbox = demo.page.get_by_role("listbox", name="Demo pictures")
        expect(listbox).to_have_attribute("aria-multiselectable", "true")
        expect(listbox.get_by_role("option", name="Title 0, turn 0, untagged")).to_have_count(1)


@browser_test
class TestMouse:
    def test_a_click_opens_and_the_corner_selects(self, demo: Demo) -> None:
        demo.card(7).click(position={"x": 12, "y": 12})
        demo.shows_selected(7)
        demo.card(8).click(modifiers=["Control"])
        demo.shows_selected(7, 8)
        demo.card(9).click()
        demo.says("opened card 9, 1 openings")
        demo.shows_selected(7, 8)

    def test_shift_click_selects_up_to_the_card(self, demo: Demo) -> None:
        demo.card(7).click(modifiers=["Control"])
        demo.card(10).click(modifiers=["Shift"])
        demo.shows_selected(7, 8, 9, 10)

    @pytest.mark.parametrize("query", ["click=select"])
    def test_where_a_click_selects_a_double_click_opens(self, demo: Demo, query: str) -> None:
        assert query
        demo.card(7).click()
        demo.shows_selected(7)
        demo.card(9).dblclick()
        demo.says("opened card 9, 1 openings")
        demo.shows_selected(7)


@browser_test
class TestReruns:
    def test_cards_that_did_not_change_keep_their_elements_and_the_focus(self, demo: Demo) -> None:
        demo.card(7).focus()
        demo.grid.evaluate("grid => grid.querySelectorAll('.card, img').forEach(e => { e.mine = true; })")
        demo.page.get_by_role("button", name="Turn").evaluate("button => button.click()")
        expect(demo.card(0).locator(".subtitle")).to_have_text("turn 1")
        kept = "grid => [...grid.querySelectorAll('.card, img')].every(e => e.mine)"
        assert demo.grid.evaluate(kept)
        demo.has_focus(7)
        demo.page.get_by_role("switch", name="Reversed").evaluate("switcher => switcher.click()")
        expect(demo.grid.locator(".card").first).to_have_attribute("data-id", "card 59")
        assert demo.grid.evaluate(kept)
        demo.has_focus(7)

    @pytest.mark.parametrize("query", ["slow=1"])
    def test_fast_keys_are_all_kept_while_the_script_runs(self, demo: Demo, query: str) -> None:
        assert query
        demo.card(0).focus()
        for _ in range(20):
            demo.keys.press("Space")
            demo.keys.press("ArrowRight", delay=60)
        demo.shows_selected(*range(20))

    @pytest.mark.parametrize("query", ["slow=1"])
    def test_an_opening_survives_the_reruns_around_it(self, demo: Demo, query: str) -> None:
        assert query
        demo.card(0).focus()
        demo.keys.press("Space")
        demo.keys.press("Enter", delay=100)
        demo.keys.press("ArrowRight")
        demo.keys.press("Space")  # its rerun interrupts the run that brought the opening
        demo.shows_selected(0, 1)
        expect(demo.page.get_by_text(re.compile("1 openings"))).to_be_visible()

    def test_a_shortcut_right_after_a_selection_acts_on_it(self, demo: Demo) -> None:
        demo.card(4).focus()
        demo.keys.press("Space")
        demo.keys.press("b")
        demo.says("acted on ['card 4']")

    def test_what_is_no_longer_shown_is_no_longer_selected(self, demo: Demo) -> None:
        demo.card(1).focus()
        demo.keys.press("Space")
        demo.shows_selected(1)
        demo.switch("Other page")
        demo.shows_selected()
        demo.switch("Other page")
        demo.card(2).focus()
        demo.shows_selected()
        demo.keys.press("Space")
        demo.shows_selected(2)

    def test_the_server_can_clear_the_selection(self, demo: Demo) -> None:
        demo.card(1).focus()
        demo.keys.press("Control+a")
        demo.press("Clear on the server")
        demo.shows_selected()
        demo.card(1).focus()
        demo.keys.press("Space")
        demo.shows_selected(1)

    def test_what_was_selected_just_before_the_grid_goes_is_not_lost(self, demo: Demo) -> None:
        demo.card(1).focus()
        demo.page.evaluate(
            """() => {
                const grid = document.querySelector('[data-testid="stBidiComponentIsolated"]').shadowRoot;
                const hide = document.querySelectorAll('[role="switch"]')[1];
                const press = new KeyboardEvent("keydown", { key: " ", bubbles: true, composed: true });
                grid.querySelector('[data-id="card 1"]').dispatchEvent(press);
                hide.click();
            }"""
        )
        expect(demo.grid).to_have_count(0)
        demo.switch("Hidden")
        demo.shows_selected(1)

    def test_the_selection_is_there_again_when_the_grid_is(self, demo: Demo) -> None:
        demo.card(1).focus()
        demo.keys.press("Space")
        demo.shows_selected(1)
        demo.switch("Hidden")
        expect(demo.grid).to_have_count(0)
        demo.switch("Hidden")
        demo.shows_selected(1)


@browser_test
class TestDialogs:
    @pytest.mark.parametrize("query", ["dialog=1"])
    def test_the_card_has_the_focus_again_when_its_dialog_closes(self, demo: Demo, query: str) -> None:
        assert query
        demo.card(8).focus()
        demo.keys.press("Space")
        demo.keys.press("Enter")
        for _ in range(2):
            demo.says("Details of card 8")
            demo.keys.press("Escape")
            expect(demo.page.get_by_role("dialog")).to_have_count(0)
            demo.has_focus(8)
            demo.keys.press("Enter")
        demo.says("Details of card 8")
        demo.page.get_by_role("button", name="Close").click()
        demo.has_focus(8)
        demo.shows_selected(8)


@browser_test
class TestLook:
    def test_a_picture_that_cannot_be_shown_says_why(self, demo: Demo) -> None:
        expect(demo.card(4).locator(".tile")).to_have_text("Picture cannot be shown")
        expect(demo.card(4).locator(".tile")).to_be_visible()
        expect(demo.card(5).locator(".tile")).to_have_text("Not in S3 any more")
        expect(demo.card(5).locator(".tile")).to_be_visible()
        expect(demo.card(0).locator(".tile")).to_be_hidden()

    def test_a_landscape_picture_is_shown_whole_in_an_upright_frame(self, demo: Demo) -> None:
        expect(demo.card(6).locator("img")).to_have_css("object-fit", "contain")
        expect(demo.card(0).locator("img")).to_have_css("object-fit", "cover")

    def test_names_are_text_and_never_markup(self, demo: Demo) -> None:
        expect(demo.card(1).locator(".title")).to_have_text("<b>bold</b>.jpg")
        expect(demo.card(1).locator(".title")).to_have_attribute("title", "<b>bold</b>.jpg")
        expect(demo.card(3).locator(".title")).to_have_css("direction", "rtl")

    def test_columns_divide_a_page_of_sixty(self, demo: Demo) -> None:
        for width, columns in [(390, 2), (800, 3), (1024, 4), (1440, 6), (1920, 6), (2560, 10), (3000, 12)]:
            demo.page.set_viewport_size({"width": width, "height": 900})
            expect(demo.grid).to_have_css("grid-template-columns", re.compile(rf"^\S+( \S+){{{columns - 1}}}$"))

    def test_nothing_moves_when_pictures_arrive(self, demo: Demo) -> None:
        page = demo.page
        held: list[Route] = []
        page.route("**/picture/**", lambda route: held.append(route))
        page.reload()
        expect(demo.card(0)).to_be_visible()
        expect(demo.grid.locator(".loaded")).to_have_count(0)
        tops = "grid => [...grid.querySelectorAll('.title')].map(e => e.getBoundingClientRect().top)"
        before = demo.grid.evaluate(tops)
        page.unroute_all()
        for route in held:
            route.fallback()
        expect(demo.card(0).locator(".loaded")).to_be_visible()
        expect(demo.card(6).locator(".loaded")).to_be_visible()
        assert demo.grid.evaluate(tops) == before

    def test_the_selection_is_neutral_and_the_focus_has_the_accent(self, demo: Demo) -> None:
        demo.card(7).focus()
        demo.keys.press("Space")
        demo.shows_selected(7)
        picture = demo.card(7).locator(".picture")
        expect(picture).to_have_css("outline-color", "rgb(255, 0, 0)")
        ring = picture.evaluate("e => getComputedStyle(e).boxShadow")
        assert "rgb(28, 28, 28)" in ring
        assert "rgb(244, 244, 244)" in ring

    @pytest.mark.parametrize("query", ["count=240&min=96"])
    def test_240_cards_answer_a_key_before_anything_else_happens(self, demo: Demo, query: str) -> None:
        """Within the event itself: neither the server nor the next frame is waited for. `bench.keys` times it."""
        assert query
        expect(demo.grid.locator(".card")).to_have_count(240)
        demo.card(0).focus()
        selected = demo.card(0).evaluate(
            """card => {
                const how = { key: "a", ctrlKey: true, bubbles: true, composed: true };
                const press = new KeyboardEvent("keydown", how);
                card.dispatchEvent(press);
                return card.getRootNode().querySelectorAll('.card[aria-selected="true"]').length;
            }"""
        )
        assert selected == 240
        demo.shows_selected(*range(240))
