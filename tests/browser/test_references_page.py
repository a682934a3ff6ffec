"""References: narrow, share, page, look closer, take one over to Generate."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Response, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.browser.conftest import Visit
from tests.support.dashboards.dashboard import Dashboard, Tab, key_of

GRID = "References"


def keys_shown(cards: Locator) -> list[str]:
    return [key_of(url) for url in cards.get_by_role("img").evaluate_all("all => all.map((img) => img.src)")]


def test_a_view_is_shared_by_its_url(studio: Dashboard, visit: Visit) -> None:
    tab = visit(studio).open("/references")
    tab.page.get_by_role("radiogroup", name="Role").get_by_text("Person").click()
    tab.choose("Any tone", "Cinematic")
    tab.choose("Any angle", "Low angle")
    cards = tab.cards(GRID)
    expect(cards).to_have_count(4)
    shown = keys_shown(cards)
    assert all(key.startswith("refs/01. Model/c(cinematic,contrast) low angle/") for key in shown)
    for wish in ("role=Person", "tone=Cinematic", r"angle=Low(\+|%20)angle"):
        expect(tab.page).to_have_url(re.compile(rf"[?&]{wish}\b"))

    shared = visit(studio).open(tab.page.url.removeprefix(studio.url))
    expect(shared.cards(GRID)).to_have_count(4)
    assert keys_shown(shared.cards(GRID)) == shown
    expect(shared.page.get_by_role("combobox", name="Any tone")).to_have_value("Cinematic")
    expect(shared.page.get_by_role("radio", name="Person")).to_be_checked()


def test_search_answers_while_typing_and_keeps_the_focus(tab: Tab) -> None:
    tab.goto("/references")
    search = tab.page.get_by_role("searchbox", name="Search")
    expect(tab.cards(GRID)).to_have_count(60)
    search.press_sequentially("jam", delay=20)
    expect(tab.cards(GRID).filter(has_not_text="Jamal")).to_have_count(0)
    expect(tab.cards(GRID).filter(has_text="Jamal").first).to_be_visible()
    expect(search).to_be_focused()
    expect(search).to_have_value("jam")
    search.press_sequentially("al 02.jpg", delay=20)
    expect(tab.cards(GRID)).to_have_count(1)
    expect(search).to_be_focused()
    search.fill("nobody of this name")
    expect(tab.main).to_contain_text("passes these filters")


def test_pages_share_the_library_out_and_a_filter_goes_back_to_the_first(studio: Dashboard, visit: Visit) -> None:
    """And no run counts on what the browser may have forgotten: a page that is told of a message it does not hold any
    more takes no message at all from then on."""
    visitor, told = visit(studio), list[BackMsg]()
    page = visitor.context.new_page()
    page.on("websocket", lambda line: line.on("framesent", lambda data: told.append(BackMsg.FromString(data))))
    tab = Tab(page, visitor.home)
    tab.goto("/references")
    expect(tab.cards(GRID)).to_have_count(60)
    first = keys_shown(tab.cards(GRID))
    for press, count in (("Next page", 50), ("Previous page", 60), ("Next page", 50)):
        tab.button(press).click()
        expect(tab.cards(GRID)).to_have_count(count)
        tab.settled()
        assert (keys_shown(tab.cards(GRID)) == first) is (press == "Previous page")
    assert not set(first) & set(keys_shown(tab.cards(GRID)))
    runs = [message.rerun_script for message in told if message.HasField("rerun_script")]
    assert len(runs) > 3
    assert [list(run.cached_message_hashes) for run in runs if run.cached_message_hashes] == []

    expect(tab.page).to_have_url(re.compile("page=2"))
    tab.page.reload()
    expect(tab.cards(GRID)).to_have_count(50)
    tab.choose("Any tone", "Vivid")
    expect(tab.cards(GRID).filter(has_not_text="vivid")).to_have_count(0)
    expect(tab.page).not_to_have_url(re.compile("page=2"))


def test_details_open_by_enter_and_escape_gives_the_focus_back(tab: Tab) -> None:
    tab.goto("/references?q=Greta+01")
    card = tab.cards(GRID).first
    card.focus()
    card.press("Enter")
    expect(tab.dialog).to_contain_text("s3://studio/refs/01. Model/a(natural,film) eye-level/Greta 01.jpg")
    expect(tab.dialog).to_contain_text("60")
    large = tab.dialog.get_by_role("img", name="Greta 01.jpg, large")
    expect(large).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.dialog).to_have_count(0)
    expect(card).to_be_focused()


def test_a_picture_taken_over_to_generate_goes_into_its_slot(tab: Tab) -> None:
    tab.goto("/references?role=tone&tone=cinematic&q=glassware")
    expect(tab.cards(GRID)).to_have_count(1)
    (wanted,) = keys_shown(tab.cards(GRID))
    tab.cards(GRID).first.click()
    tab.dialog.get_by_role("button", name="Use in Generate").click()
    expect(tab.tile("Tone", "Cinematic")).to_have_attribute("aria-pressed", "true")
    expect(tab.button("Unpin")).to_be_visible()
    tab.settled()
    assert set(tab.injected()) == {wanted}
    tab.button("Shuffle").click()
    tab.settled()
    assert set(tab.injected()) == {wanted}


def test_a_wide_screen_has_every_filter_in_one_row_and_groups_open_into_their_pictures(tab: Tab) -> None:
    tab.goto("/references")
    tab.still()
    places = [
        tab.page.get_by_role("searchbox", name="Search"),
        tab.page.get_by_role("combobox", name="Any tone"),
        tab.page.get_by_role("combobox", name="Any folder"),
        tab.page.get_by_role("radiogroup", name="View"),
    ]

    def middles() -> list[float]:
        return [box["y"] + box["height"] / 2 for box in (place.bounding_box() for place in places) if box]

    assert tab.comes_to(lambda: len(middles()) == len(places) and max(middles()) - min(middles()) < 8), middles()
    expect(tab.page.get_by_role("button", name="Filters")).to_be_hidden()

    tab.page.get_by_role("radiogroup", name="View").get_by_text("Groups").click()
    groups = tab.cards("Groups")
    expect(groups).to_have_count(40)
    korean = groups.filter(has_text="느와르 쿼터뷰")
    expect(korean).to_contain_text("Noir · Three-quarter")
    expect(korean).to_contain_text("3 pictures")
    korean.click()
    expect(tab.cards(GRID)).to_have_count(3)
    assert all("/01. Model/느와르 쿼터뷰/" in key for key in keys_shown(tab.cards(GRID)))


def test_problems_show_the_ambiguous_and_the_untagged_group(tab: Tab) -> None:
    tab.goto("/references")
    tab.page.get_by_role("switch", name="Problems").press("Space")
    expect(tab.cards(GRID)).to_have_count(2)
    expect(tab.cards(GRID).filter(has_text="ambiguous")).to_have_count(1)
    expect(tab.cards(GRID).filter(has_text="untagged")).to_have_count(1)
    expect(tab.page).to_have_url(re.compile("problems=true", re.I))
    tab.cards(GRID).filter(has_text="ambiguous").click()
    expect(tab.dialog).to_contain_text("It cannot be injected")
    expect(tab.dialog.get_by_role("button", name="Use in Generate")).to_be_disabled()
    tab.page.keyboard.press("Escape")
    tab.page.get_by_role("radiogroup", name="View").get_by_text("Groups").click()
    expect(tab.cards("Groups")).to_have_count(2)
    expect(tab.cards("Groups").filter(has_text="vivid 느와르 테스트")).to_contain_text("ambiguous")
    expect(tab.cards("Groups").filter(has_text="미분류")).to_contain_text("untagged")


def test_a_page_of_made_thumbnails_is_light_and_fetches_no_original(studio: Dashboard, visit: Visit) -> None:
    first = visit(studio).open("/references")
    expect(first.cards(GRID)).to_have_count(60)
    urls = first.cards(GRID).get_by_role("img").evaluate_all("all => all.map((img) => img.src)")
    first.page.evaluate("urls => Promise.all(urls.map((url) => fetch(url).then((got) => got.blob())))", urls)

    somebody_else = visit(studio, anew=True)
    tab = Tab(somebody_else.context.new_page(), studio.url)
    received: list[Response] = []
    tab.page.on("response", lambda answer: received.append(answer) if "/image/" in answer.url else None)
    tab.goto("/references")
    cards = tab.cards(GRID)
    expect(cards).to_have_count(60)
    for at in range(0, 60, 6):
        cards.nth(at).scroll_into_view_if_needed()
        tab.pictures_loaded()
    cards.last.scroll_into_view_if_needed()
    tab.pictures_loaded()
    pictures = [answer for answer in received if "/image/320/" in answer.url]
    assert {answer.url for answer in pictures} == set(urls)
    assert len(received) == len(pictures) == 60, "each thumbnail once, and nothing but thumbnails"
    assert all(answer.headers["cache-control"].endswith("immutable") for answer in pictures)
    assert sum(len(answer.body()) for answer in pictures) < 2_000_000


def test_a_phone_keeps_the_filters_behind_one_button_that_counts_them(studio: Dashboard, visit: Visit) -> None:
    phone = visit(studio, viewport={"width": 390, "height": 844}).open("/references?role=model&tone=cinematic")
    tone = phone.page.get_by_role("combobox", name="Any tone")
    expect(phone.button("Filters · 2 active")).to_be_visible()
    expect(tone).to_be_hidden()
    phone.still()
    first = phone.cards(GRID).first.bounding_box()
    assert first is not None
    assert first["y"] < 844 / 2, "pictures begin in the upper half of the screen"
    phone.button("Filters · 2 active").press("Enter")
    expect(tone).to_have_value("Cinematic")
    phone.choose("Any angle", "Low angle")
    expect(phone.cards(GRID)).to_have_count(4)
    phone.button("Hide filters").click()
    expect(phone.button("Filters · 3 active")).to_be_visible()
    expect(phone.cards(GRID)).to_have_count(4)


@pytest.mark.parametrize(
    ("path", "filters", "one"),
    [
        ("/labels?presentation=feminine&age=60%2B", "Filters · 2 active", "Any gender"),
        ("/history?made=compare", "Filters · 1 active", "Any mode"),
    ],
)
def test_other_pages_fold_their_filters_alike(
    studio: Dashboard, visit: Visit, path: str, filters: str, one: str
) -> None:
    phone = visit(studio, viewport={"width": 390, "height": 844}).open(path)
    box = phone.page.get_by_role("combobox", name=one)
    expect(phone.button(filters)).to_be_visible()
    expect(box).to_be_hidden()
    phone.button(filters).press("Enter")
    expect(box).to_be_visible()
    phone.button("Hide filters").click()
    expect(box).to_be_hidden()
