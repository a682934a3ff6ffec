"""The stage in a real Chromium on a real Streamlit server: what a person does, and what reruns must not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, WebSocket, expect

from core.ui.components.stage.stage import StageData, StageSide, StageState, stage
from tests.support.browser.chromium import chromium
from tests.support.browser.visits import Visits
from tests.support.dashboards.demos import STAGE_HEIGHT, STAGE_WIDTH, stage_demo

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with stage_demo(tmp_path_factory.mktemp("stage")) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def visits(browser: Browser, url: str, request: pytest.FixtureRequest) -> Visits:
    return Visits(browser.new_page(viewport={"width": 1280, "height": 900}), url, "stage", request.session)


@pytest.fixture(scope="module")
def visits_by_phone(browser: Browser, url: str, request: pytest.FixtureRequest) -> Visits:
    page = browser.new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    return Visits(page, url, "stage", request.session)


@pytest.fixture
def desk(visits: Visits) -> Iterator[Visits]:
    yield visits
    visits.end()


@pytest.fixture
def phone(visits_by_phone: Visits) -> Iterator[Visits]:
    yield visits_by_phone
    visits_by_phone.end()


@pytest.fixture
def page(desk: Visits) -> Page:
    """What a desk's screen shows, once a case is opened on it."""
    return desk.page


@pytest.fixture
def sent(page: Page) -> Iterator[list[object]]:
    """What the page sends the server, from its next load on."""
    sent: list[object] = []

    def hear_frames(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: sent.append(frame))

    def hear_request(asked: Request) -> None:
        sent.append(asked.url)

    page.on("websocket", hear_frames)
    page.on("request", hear_request)
    yield sent
    page.remove_listener("websocket", hear_frames)
    page.remove_listener("request", hear_request)


def open_case(place: Visits, case: str = "pair", pictures: int | None = None, *, loads: bool = False) -> Locator:
    """The floor of the stage, once `pictures` of them (default: all of the pair) are drawn."""
    page = place.begin(f"case={case}", loads=loads)
    floor = page.locator(".stage .floor")
    expected = {"pair": 2, "one": 1}.get(case, 0) if pictures is None else pictures
    expect(floor.locator("img")).to_have_count(expected)
    expect(page.get_by_text("run 1, step 0")).to_be_visible()
    return floor


def framings(floor: Locator) -> list[list[float]]:
    """For each pane: where its picture lies in it and how large it is, once what was done last has been painted."""
    found: list[list[float]] = floor.evaluate(
        """async (floor) => {
            await new Promise(requestAnimationFrame);
            return [...floor.querySelectorAll(".pane")].map((pane) => {
                const room = pane.getBoundingClientRect();
                const box = pane.querySelector(".frame").getBoundingClientRect();
                const sizes = [box.x - room.x, box.y - room.y, box.width, box.height];
                return sizes.map((size) => Math.round(size * 100) / 100);
            });
        }"""
    )
    return found


def shown(floor: Locator) -> list[bool]:
    found: list[bool] = floor.evaluate(
        "(floor) => [...floor.querySelectorAll('.pane')].map((pane) => getComputedStyle(pane).opacity == 1)"
    )
    return found


def advance(page: Page, step: int) -> None:
    page.get_by_role("button", name="Advance").click()
    expect(page.get_by_text(f"step {step},")).to_be_visible()


# ---- comparing -----------------------------------------------------------------------------------------


def test_keys_turn_between_the_sides(page: Page, desk: Visits) -> None:
    floor = open_case(desk)
    assert shown(floor) == [True, True]
    for key, expected in {"a": [True, False], "b": [False, True], "Space": [True, False]}.items():
        floor.press(key)
        assert shown(floor) == expected
    expect(page.get_by_role("button", name="Flip", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Show A, Tone only")).to_have_attribute("aria-pressed", "true")


def test_a_korean_keyboard_turns_too(desk: Visits) -> None:
    floor = open_case(desk)
    floor.evaluate("(at) => at.dispatchEvent(new KeyboardEvent('keydown', {key: 'ㅠ', code: 'KeyB', bubbles: true}))")
    assert shown(floor) == [False, True]


def test_typing_in_the_prompt_does_not_touch_the_stage(page: Page, desk: Visits) -> None:
    floor = open_case(desk)
    before = framings(floor)
    page.get_by_label("Prompt").press_sequentially("b a +1 b")
    assert shown(floor) == [True, True]
    assert framings(floor) == before


def test_a_turn_is_made_within_the_keys_own_event(desk: Visits) -> None:
    """Neither the server nor the next frame is waited for; `bench.keys` times it, on original pixels."""
    floor = open_case(desk)
    floor.press("a")
    turned = floor.evaluate(
        """(floor) => [..."ba".repeat(20)].map((key) => {
            floor.dispatchEvent(new KeyboardEvent("keydown", { key, code: `Key${key.toUpperCase()}`, bubbles: true }));
            return [...floor.querySelectorAll(".pane")].map((pane) => getComputedStyle(pane).opacity === "1");
        })"""
    )
    assert turned == [[False, True], [True, False]] * 20


def test_zoom_is_locked_on_both_sides_and_stays_under_the_pointer(page: Page, desk: Visits) -> None:
    floor = open_case(desk)
    floor.press("1")
    box = floor.locator(".pane").first.bounding_box()
    assert box
    at_x, at_y = box["width"] * 0.3, box["height"] * 0.6
    (x, y, width, height), _ = framings(floor)
    spot = ((at_x - x) / width, (at_y - y) / height)
    page.mouse.move(box["x"] + at_x, box["y"] + at_y)
    page.keyboard.down("Control")
    for _ in range(3):
        page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    expect(page.get_by_role("button", name="Fit, now at")).not_to_have_text("100 %")
    one, other = framings(floor)
    assert one == other
    assert one[2] > STAGE_WIDTH
    assert ((at_x - one[0]) / one[2], (at_y - one[1]) / one[3]) == pytest.approx(spot, abs=0.003)


def test_zooming_stops_at_original_pixels_on_the_way_in_and_at_fit_on_the_way_out(page: Page, desk: Visits) -> None:
    floor = open_case(desk)
    level = page.get_by_role("button", name="Fit, now at")
    levels = []
    for key in "+" * 8 + "-" * 10:
        floor.press(key)
        levels.append(level.text_content())
    assert levels.index("100 %") < 8
    assert levels[-1] == "Fit"


def test_a_plain_wheel_scrolls_the_page_and_leaves_the_zoom(page: Page, desk: Visits) -> None:
    floor = open_case(desk)
    before = framings(floor)
    floor.hover()
    page.mouse.wheel(0, -120)
    assert framings(floor) == before


def test_dragging_one_side_pans_both(page: Page, desk: Visits) -> None:
    floor = open_case(desk)
    floor.press("1")
    before, _ = framings(floor)
    box = floor.locator(".pane").nth(1).bounding_box()
    assert box
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 70, steps=5)
    page.mouse.up()
    one, other = framings(floor)
    assert one == other
    assert one[0] == pytest.approx(before[0] - 40, abs=1)
    assert one[1] == pytest.approx(before[1] - 30, abs=1)


def test_original_pixels_are_pixels_and_large_ones_are_crisp(page: Page, desk: Visits) -> None:
    floor = open_case(desk)
    page.get_by_role("button", name="Original pixels, 1:1").click()
    assert [framing[2:] for framing in framings(floor)] == [[STAGE_WIDTH, STAGE_HEIGHT]] * 2
    smooth = floor.locator("img").first.evaluate("(img) => getComputedStyle(img).imageRendering")
    for _ in range(5):
        page.get_by_role("button", name="Zoom in").click()
    crisp = floor.locator("img").first.evaluate("(img) => getComputedStyle(img).imageRendering")
    assert (smooth, crisp) == ("auto", "pixelated")
    floor.press("0")
    expect(page.get_by_role("button", name="Fit, now at")).to_have_text("Fit")


def test_the_divider_moves_by_pointer_and_by_arrow(page: Page, desk: Visits) -> None:
    floor = open_case(desk)
    page.get_by_role("button", name="Slider", exact=True).click()
    divider = page.get_by_role("slider", name="Divider between A and B")
    expect(divider).to_have_attribute("aria-valuenow", "50")
    floor.press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuenow", "48")
    divider.press("Shift+ArrowRight")
    expect(divider).to_have_attribute("aria-valuetext", "58 % A, 42 % B")
    divider.press("End")
    expect(divider).to_have_attribute("aria-valuenow", "100")
    divider.press("Home")
    box = divider.bounding_box()
    frame = floor.locator(".frame").first.bounding_box()
    assert box
    assert frame
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] / 4, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(divider).to_have_attribute("aria-valuenow", "25")


@pytest.mark.parametrize("native", [True, False], ids=["full screen", "top layer where there is none"])
def test_full_screen_and_back(page: Page, desk: Visits, native: bool) -> None:
    floor = open_case(desk)
    if not native:
        page.locator(".stage").evaluate("(stage) => { stage.requestFullscreen = undefined; }")
    page.get_by_role("button", name="Full screen").click()
    leave = page.get_by_role("button", name="Leave full screen")
    expect(leave).to_be_visible()
    box = page.locator(".stage").bounding_box()
    assert box
    assert (box["x"], box["width"]) == (0, 1280)
    floor.press("b")
    assert shown(floor) == [False, True]
    if native:
        leave.click()
    else:
        floor.press("Escape")
    expect(page.get_by_role("button", name="Full screen", exact=True)).to_be_visible()


# ---- takes ---------------------------------------------------------------------------------------------

TAKES = 4


def looked_at(floor: Locator) -> list[str]:
    """What is on the stage, by the names of its sides."""
    chips: list[str] = floor.evaluate(
        """(floor) => [...floor.querySelectorAll(".pane:not(.aside)")].map((pane) => {
            const isSeen = getComputedStyle(pane).opacity === "1" && !pane.inert;
            return isSeen ? pane.querySelector(".chip").textContent : "";
        })"""
    )
    return chips


# How high the pictures are, and how far below their top the feet begin: whatever the page has scrolled to.
STANDS = """(floor) => {
    const { top, height } = floor.getBoundingClientRect();
    return [height, floor.closest(".stage").querySelector(".feet").getBoundingClientRect().top - top];
}"""


def open_takes(desk: Visits, *, loads: bool = False) -> Locator:
    floor = open_case(desk, "takes", pictures=5, loads=loads)
    assert looked_at(floor) == ["A Tone only · take 2", "B Tone + angle · take 2"], "the one that Python puts first"
    return floor


def test_digits_choose_the_take_and_with_shift_that_of_b_alone(page: Page, desk: Visits) -> None:
    floor = open_takes(desk)
    floor.press("1")
    assert looked_at(floor) == ["A Tone only · take 1", "B Tone + angle · take 1"]
    floor.press("Shift+Digit3")
    assert looked_at(floor) == ["A Tone only · take 1", "B Tone + angle · take 3"]
    floor.press("9")
    assert looked_at(floor) == ["A Tone only · take 1", "B Tone + angle · take 3"]
    strips = [page.get_by_role("group", name=f"Takes of {name}") for name in "AB"]
    expect(strips[0].get_by_role("button", pressed=True)).to_have_accessible_name("A, take 1: Fidelity 61")
    expect(strips[1].get_by_role("button", pressed=True)).to_have_accessible_name("B, take 3: Refused")
    strips[0].get_by_role("button").nth(1).click()
    assert looked_at(floor) == ["A Tone only · take 2", "B Tone + angle · take 2"]
    strips[0].get_by_role("button").nth(3).click(modifiers=["Shift"])
    assert looked_at(floor) == ["A Tone only · take 4", "B Tone + angle · take 2"]


def test_the_way_of_looking_stays_whichever_take_is_chosen_even_one_without_a_picture(page: Page, desk: Visits) -> None:
    floor = open_takes(desk)
    floor.press("z")
    floor.press("b")
    floor.press("+")
    floor.press("ArrowLeft")
    before = framings(floor)[:2]
    for key in ("1", "4", "2", "Shift+Digit1", "1"):
        floor.press(key)
    assert looked_at(floor) == ["", "B Tone + angle · take 1"]
    assert framings(floor)[:2] == before
    expect(page.get_by_role("button", name="Flip", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Original pixels, 1:1")).to_have_attribute("aria-keyshortcuts", "z")


def test_a_take_is_on_the_stage_within_its_keys_own_event_and_the_server_is_asked_nothing(
    page: Page, desk: Visits, sent: list[object]
) -> None:
    """Neither the server nor a picture is waited for; `bench.keys` times it up to the next frame."""
    floor = open_takes(desk, loads=True)
    page.wait_for_load_state("networkidle")
    sent.clear()
    turned: list[tuple[float, list[str]]] = floor.evaluate(
        """(floor) => [..."1212121212"].map((digit) => {
            const began = performance.now();
            floor.dispatchEvent(new KeyboardEvent("keydown", { key: digit, code: `Digit${digit}`, bubbles: true }));
            const took = performance.now() - began;
            const seen = [...floor.querySelectorAll(".pane:not(.aside)")];
            return [took, seen.map((pane) => pane.querySelector("img").getAttribute("src"))];
        })"""
    )
    pictures = [["/picture/a.png", "/picture/b.png"], ["/picture/b-1.png", "/picture/b-2.png"]]
    assert [shows for _, shows in turned] == pictures * 5
    assert sorted(took for took, _ in turned)[len(turned) // 2] < 100
    assert sent == []


def test_what_stands_below_follows_the_take_and_acts_for_it(page: Page, desk: Visits) -> None:
    floor = open_takes(desk)
    feet = page.locator(".stage .foot")
    expect(feet.first).to_contain_text("Fidelity 64")
    expect(feet.nth(1).get_by_role("link", name="PNG")).to_have_attribute("href", "/picture/b-2.png")
    expect(feet.nth(1).get_by_role("link", name="ZIP")).to_have_attribute("title", "Download all")
    stands = floor.evaluate(STANDS)
    floor.press("4")
    waits = feet.nth(1).get_by_role("button", name=re.compile(r"^Retry this take in \d\d min$"))
    expect(waits).to_be_disabled()
    floor.press("3")
    feet.nth(1).get_by_role("button", name="Retry this take", exact=True).click()
    expect(page.get_by_text("asked StageAct")).to_contain_text(
        re.compile(r"does='retry', comparison='[-\w]+-1', side='b', take=3")
    )
    feet.nth(1).get_by_role("button", name="Cancel all 2").click()
    expect(page.get_by_text("asked StageAct")).to_contain_text(
        re.compile(r"does='cancel', comparison='[-\w]+-1', side=None")
    )
    assert looked_at(floor) == ["A Tone only · take 3", "B Tone + angle · take 3"]
    assert floor.evaluate(STANDS) == stands


def test_a_better_take_that_comes_later_never_takes_the_place_of_what_is_looked_at(page: Page, desk: Visits) -> None:
    floor = open_takes(desk)
    advance(page, 1)
    expect(page.get_by_role("button", name="B, take 3: Fidelity 90")).to_be_visible()
    assert looked_at(floor) == ["A Tone only · take 2", "B Tone + angle · take 2"]


def test_on_a_phone_a_take_is_chosen_with_a_finger(phone: Visits) -> None:
    floor = open_case(phone, "takes", pictures=5)
    phone.page.get_by_role("group", name="Takes of B").get_by_role("button").first.tap()
    assert looked_at(floor)[0] == "A Tone only · take 1"


# ---- reruns --------------------------------------------------------------------------------------------


def test_the_view_and_the_nodes_survive_twenty_reruns(page: Page, desk: Visits) -> None:
    floor = open_case(desk)
    floor.press("1")
    floor.press("b")
    floor.press("+")
    floor.press("ArrowLeft")
    floor.evaluate("(floor) => { window.before = [floor, ...floor.querySelectorAll('img')]; }")
    before = framings(floor)
    for run in range(2, 22):
        page.get_by_role("button", name="Rerun").click()
        expect(page.get_by_text(f"run {run},")).to_be_visible()
    assert framings(floor) == before
    assert shown(floor) == [False, True]
    same = "(floor) => [floor, ...floor.querySelectorAll('img')].every((node, at) => node === window.before[at])"
    assert floor.evaluate(same)


def test_every_comparison_is_remembered_by_itself(page: Page, desk: Visits) -> None:
    floor = open_case(desk)
    floor.press("b")
    other = page.get_by_role("button", name="Other comparison")
    other.click()
    expect(page.get_by_text("comparison 2")).to_be_visible()
    assert shown(floor) == [True, True]
    other.click()
    expect(page.get_by_text("comparison 1")).to_be_visible()
    assert shown(floor) == [False, True]


def test_looking_asks_the_server_nothing(page: Page, desk: Visits, sent: list[object]) -> None:
    floor = open_case(desk, loads=True)
    page.wait_for_load_state("networkidle")
    assert sent
    sent.clear()
    for key in ("b", "a", "Space", "1", "+", "-", "ArrowLeft", "0"):
        floor.press(key)
    page.get_by_role("button", name="Slider", exact=True).click()
    floor.press("ArrowRight")
    page.get_by_role("button", name="Side by side").click()
    page.get_by_role("button", name="Zoom in").click()
    floor.drag_to(floor, source_position={"x": 200, "y": 200}, target_position={"x": 150, "y": 180})
    page.wait_for_load_state("networkidle")
    assert sent == []


def test_nothing_moves_from_waiting_to_done(page: Page, desk: Visits) -> None:
    floor = open_case(desk, "making")
    below = page.get_by_text("run 1, step 0")
    before = framings(floor)
    ground = below.bounding_box()
    for step in range(1, 7):
        advance(page, step)
        assert framings(floor) == before
    after = page.get_by_text("step 6,").bounding_box()
    assert ground
    assert after
    assert after["y"] == ground["y"]


def test_a_next_partial_replaces_the_last_without_a_flash(page: Page, desk: Visits) -> None:
    floor = open_case(desk, "making")
    advance(page, 1)
    pane = floor.locator(".pane").nth(1)
    expect(pane.locator("img")).to_have_attribute("src", "/picture/b-1.png")
    pane.evaluate(
        """(pane) => {
            window.seen = [];
            const look = () => {
                const imgs = [...pane.querySelectorAll("img")];
                window.seen.push(imgs.length === 1 && imgs[0].complete && imgs[0].naturalWidth > 0);
                if (pane.isConnected) requestAnimationFrame(look);
            };
            look();
        }"""
    )
    advance(page, 2)
    expect(pane.locator("img")).to_have_attribute("src", "/picture/b-2.png")
    advance(page, 3)
    expect(pane.locator("img")).to_have_attribute("src", "/picture/b.png")
    seen: list[bool] = page.evaluate("window.seen")
    assert len(seen) > 3
    assert all(seen)


def test_zoom_survives_the_change_from_partial_to_done(page: Page, desk: Visits) -> None:
    floor = open_case(desk, "making")
    advance(page, 1)
    expect(floor.locator("img")).to_have_count(1)
    floor.press("1")
    for step in (2, 3, 4):
        advance(page, step)
    expect(floor.locator("img")).to_have_count(2)
    one, other = framings(floor)
    assert one == other
    assert one[2:] == [STAGE_WIDTH, STAGE_HEIGHT]


# ---- states --------------------------------------------------------------------------------------------


def test_each_side_tells_its_own_state(page: Page, desk: Visits) -> None:
    floor = open_case(desk, "making")
    a = page.get_by_role("group", name="A, Tone only", exact=True)
    b = page.get_by_role("group", name="B, Tone + angle", exact=True)
    expect(a).to_contain_text("Waiting: 2 ahead of you")
    advance(page, 1)
    expect(a.get_by_role("progressbar")).not_to_have_attribute("aria-valuenow", "0")
    expect(b.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "33")
    advance(page, 2)
    expect(a).to_contain_text("Reword the prompt.")
    expect(a.locator("code")).to_have_text("req_42")
    expect(a.locator(".mark")).to_be_visible()
    expect(a.get_by_role("progressbar")).to_have_count(0)
    expect(floor.page.locator("[aria-live=polite]").filter(has_text="A, Tone only: Refused.")).to_have_count(1)
    advance(page, 3)
    expect(b.get_by_role("img", name="Picture B")).to_be_visible()


def test_the_request_id_can_be_copied(page: Page, desk: Visits) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_case(desk, "making")
    for step in (1, 2):
        advance(page, step)
    copy = page.get_by_role("button", name="Copy the request id of A")
    copy.click()
    expect(copy).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "req_42"


def test_a_picture_that_does_not_load_says_so_and_can_be_asked_for_again(page: Page, desk: Visits, url: str) -> None:
    answers = iter([404])

    def answer(route: Any) -> None:
        status = next(answers, None)
        if status:
            route.fulfill(status=status)
        else:
            route.continue_(url=f"{url}/picture/b.png")

    page.route("**/picture/nowhere.png", answer)
    floor = open_case(desk, "lost", pictures=1)
    expect(floor).to_contain_text("The picture did not load")
    page.get_by_role("button", name="Try again").click()
    expect(floor.locator("img")).to_have_count(2)
    expect(floor).not_to_contain_text("The picture did not load")


def test_one_side_stands_alone_without_tools_for_two(page: Page, desk: Visits) -> None:
    floor = open_case(desk, "one")
    for name in ("Side by side", "Slider", "Flip"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    pane, frame = floor.bounding_box(), floor.locator(".frame").bounding_box()
    assert pane
    assert frame
    assert frame["x"] - pane["x"] == pytest.approx(pane["x"] + pane["width"] - frame["x"] - frame["width"], abs=1)
    floor.press("b")
    assert shown(floor) == [True]


def test_words_from_outside_are_shown_as_words(desk: Visits) -> None:
    floor = open_case(desk, "hostile", pictures=1)
    expect(floor).to_contain_text("<img src=x onerror=alert(1)>")
    expect(floor).to_contain_text("<b>no</b>")


def test_progress_stands_still_for_those_who_asked_for_it(page: Page, desk: Visits) -> None:
    page.emulate_media(reduced_motion="reduce")
    floor = open_case(desk, "making")
    bar = floor.locator(".line.unknown i")
    expect(bar).to_have_count(2)
    advance(page, 1)
    expect(bar).to_have_count(1)  # how far B is, is known: its side is told of it after the page's text
    assert bar.evaluate("(bar) => getComputedStyle(bar).animationName") == "none"


# ---- touch ---------------------------------------------------------------------------------------------


class Fingers:
    """Touches as the browser gets them from a screen; in one session, or the second lifts the first."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def __call__(self, kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})


def test_on_a_phone_one_picture_fills_the_width_and_a_tap_turns_it(phone: Visits) -> None:
    floor = open_case(phone)
    assert shown(floor) == [True, False]
    frame, room = floor.locator(".frame").first.bounding_box(), floor.bounding_box()
    assert frame
    assert room
    assert frame["width"] == pytest.approx(room["width"], abs=1)
    floor.tap()
    assert shown(floor) == [False, True]
    floor.tap()
    assert shown(floor) == [True, False]
    bar = phone.page.locator(".stage .bar")
    assert bar.evaluate("(bar) => bar.scrollWidth <= bar.clientWidth")


def test_two_fingers_zoom_both_sides_and_one_then_pans(phone: Visits) -> None:
    floor = open_case(phone)
    phone.page.get_by_role("button", name="Both").tap()
    box = floor.bounding_box()
    assert box
    x, y = box["x"] + 80, box["y"] + 100
    before = framings(floor)[0]
    touch = Fingers(phone.page)
    touch("touchStart", (x - 20, y), (x + 20, y))
    for spread in (30, 45, 60):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    one, other = framings(floor)
    assert one == other
    assert one[2] == pytest.approx(before[2] * 3, rel=0.02)
    touch("touchStart", (x, y))
    for moved in (15, 30):
        touch("touchMove", (x + moved, y + moved))
    touch("touchEnd")
    panned, locked = framings(floor)
    assert panned == locked
    assert panned[1] > one[1]
    assert phone.page.evaluate("visualViewport.scale") == 1


# ---- the Python side -----------------------------------------------------------------------------------


def test_all_takes_have_the_same_sides_and_the_first_is_one_of_them() -> None:
    side = StageSide("A", "", StageState.EMPTY, 10, 10)
    for wrong in ([[side], [side, side]], [[side] * 3], [[]], []):
        with pytest.raises(ValueError, match="one side or two of every take"):
            stage(StageData("c", 100, wrong), key="stage")
    with pytest.raises(ValueError, match="take 3 of 2"):
        stage(StageData("c", 100, [[side], [side]], take=3), key="stage")


def test_a_side_must_have_a_size_and_if_done_a_picture() -> None:
    side = StageSide("A", "Tone only", StageState.QUEUED, STAGE_WIDTH, STAGE_HEIGHT)
    with pytest.raises(ValueError, match="size"):
        replace(side, width_px=0)
    with pytest.raises(ValueError, match="no picture"):
        replace(side, state=StageState.DONE)
