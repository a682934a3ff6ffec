"""The stage with the OpenAI engine behind it: while it works, when a side fails or is cancelled, and found again."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.accessible import inaccessible
from tests.browser.conftest import StartDashboard, Visit
from tests.browser.states import drafted
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Fault, Received
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard
from tests.support.timeouts import LONG_S

PROMPT = "Ada in a linen shirt, three-quarter view"
PLANNED = {"tone": "cinematic", "angle": "three-quarter"}
A, B = "A, Tone only", "B, Tone + angle"
SAYS_REFUSED = re.compile(r"127\.0\.0\.1:\d+.s safety system refused this picture \(sexual, self harm intent\)")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, chromium: Browser, openai: FakeOpenAI) -> Iterator[Dashboard]:
    """A dashboard whose first engine is OpenAI's. (The browser is started first: its loop must be the outer one.)"""
    del chromium
    with dashboard(tmp_path_factory.mktemp("openai"), settings_for(openai)) as running:
        yield running


@pytest.fixture(autouse=True)
def _anew(openai: FakeOpenAI) -> None:
    openai.reset()


def settings_for(openai: FakeOpenAI) -> dict[str, str]:
    return {
        "DEMO_TOKEN": "off",
        "OPENAI_API_KEY": "sk-fake",
        "OPENAI_BASE_URL": openai.base_url,
        "OPENAI_STREAMING": "on",
    }


def order(tab: Tab) -> str:
    """Order the comparison of a person that this browser has planned before; returns its id."""
    drafted(tab, PROMPT, **PLANNED)
    tab.generate.click()
    return tab.shown_comparison


def pane(tab: Tab, name: str) -> Locator:
    """One side of the stage, by the name a screen reader gives it."""
    return tab.page.get_by_role("group", name=name, exact=True)


def on_angle_side(received: Received) -> bool:
    return "\n\nAngle:\n" in str(received.fields["prompt"])


def angle_side_meets(openai: FakeOpenAI, behaviour: Behaviour) -> None:
    openai.choose(lambda received: behaviour if on_angle_side(received) else None)


def framings(floor: Locator) -> list[list[float]]:
    """Each picture's size, and which point of it (0 to 1) lies in the middle, however tall the stage is."""
    found: list[list[float]] = floor.evaluate(
        """(floor) => [...floor.querySelectorAll(".pane")].map((pane) => {
            const room = pane.getBoundingClientRect();
            const box = pane.querySelector(".frame").getBoundingClientRect();
            const across = (room.x + room.width / 2 - box.x) / box.width;
            const down = (room.y + room.height / 2 - box.y) / box.height;
            return [box.width, box.height, ...[across, down].map((share) => Math.round(share * 100) / 100)];
        })"""
    )
    return found


def source(side: Locator) -> str:
    return side.get_by_role("img").get_attribute("src") or ""


def originals(tab: Tab) -> list[str]:
    """The addresses of both originals, once they stand on the stage: a partial stays until they can be painted."""
    for name in (A, B):
        expect(pane(tab, name).get_by_role("img")).to_have_attribute("src", re.compile("/original/"))
    return [source(pane(tab, name)) for name in (A, B)]


def test_pictures_on_their_way_stand_on_the_stage_before_they_are_done(tab: Tab, openai: FakeOpenAI) -> None:
    """Each side shows its partial under its progress, then the original in its place, and both say so aloud."""
    let_go = threading.Event()
    openai.choose(lambda _: Behaviour(hold=let_go))
    order(tab)
    for name in (A, B):
        expect(pane(tab, name).get_by_role("progressbar", name=f"Progress of {name}")).to_be_visible()
        expect(pane(tab, name).get_by_role("img")).to_have_attribute("src", re.compile("/partial/"))
    expect(tab.downloads).to_have_count(0)
    assert inaccessible(tab) == []
    let_go.set()
    expect(tab.downloads).to_have_count(2)
    for name in (A, B):
        expect(pane(tab, name).get_by_role("progressbar")).to_have_count(0)
    originals(tab)
    spoken = tab.page.locator(".stage [aria-live=polite]")
    expect(spoken).to_have_text(re.compile(r"Tone( only|.*angle): Done\."))
    expect(tab.main).to_contain_text(re.compile(r"Fidelity \d+"))
    expect(tab.main).to_contain_text(re.compile(r"\d s · about \$0\.\d\d"))


def test_a_refused_side_says_why_what_to_do_and_its_request_id_and_can_be_retried_alone(
    tab: Tab, openai: FakeOpenAI, studio: Dashboard
) -> None:
    angle_side_meets(openai, Behaviour(Fault.REFUSE))
    made = order(tab)
    refused = pane(tab, B)
    expect(refused).to_contain_text("Refused")
    expect(refused).to_contain_text(SAYS_REFUSED)
    expect(refused).to_contain_text("change the prompt or the reference pictures")
    (call,) = (one for one in openai.received if on_angle_side(one))
    expect(refused.locator("code")).to_have_text(call.request_id)
    expect(tab.downloads).to_have_count(1)
    expect(pane(tab, A).get_by_role("img")).to_be_visible()
    expect(tab.main).to_contain_text("Attempt 1: failed · not charged")
    assert inaccessible(tab) == []

    openai.choose(None)
    tab.button("Retry this side").click()
    expect(tab.downloads).to_have_count(2)
    assert len(openai.received) == 3, "the side that was done is not made again"
    assert studio.outcome(made, "tone-angle", 2)["state"] == "done"
    assert [key for key in studio.keys("studio/generations/") if f"{made}/tone-only-2" in key] == []


def test_a_cancelled_side_stops_at_openai_too_and_the_other_goes_on(tab: Tab, openai: FakeOpenAI) -> None:
    angle_side_meets(openai, Behaviour(Fault.HANG_MID_STREAM))
    order(tab)
    expect(pane(tab, B).get_by_role("img")).to_have_attribute("src", re.compile("/partial/"))
    expect(tab.downloads).to_have_count(1)
    tab.button("Cancel").click()
    expect(pane(tab, B)).to_contain_text("Cancelled")
    expect(pane(tab, B)).to_contain_text(re.compile(r"what 127\.0\.0\.1:\d+ had begun may still be charged"))
    expect(tab.main).to_contain_text("Attempt 1: cancelled · unpriced")
    expect(tab.downloads).to_have_count(1)
    (call,) = (one for one in openai.received if on_angle_side(one))
    assert call.hung_up.wait(LONG_S)


def test_a_reload_and_a_second_tab_find_the_work_that_goes_on_and_order_nothing_again(
    studio: Dashboard, visit: Visit, openai: FakeOpenAI
) -> None:
    let_go = threading.Event()
    openai.choose(lambda _: Behaviour(hold=let_go))
    tab = Tab(visit(studio).page(), studio.url)
    made = order(tab)
    expect(tab.button("Cancel")).to_be_visible()
    tab.page.reload(wait_until="commit")
    other = visit(studio).open(f"/?comparison={made}")
    for one in (tab, other):
        expect(one.button("Cancel")).to_be_visible()
        expect(pane(one, B).get_by_role("img")).to_have_attribute("src", re.compile("/partial/"))
    let_go.set()
    for one in (tab, other):
        expect(one.downloads).to_have_count(2)
        expect(one.prompt).to_have_value(PROMPT)
        assert one.shown_comparison == made
    assert len(openai.received) == 2


def test_how_a_person_looks_at_it_outlives_reruns_of_the_page(tab: Tab) -> None:
    """The side turned to, the zoom and the point in the middle, while the composer is used all along."""
    order(tab)
    expect(tab.downloads).to_have_count(2)
    floor = tab.page.get_by_role("group", name=re.compile("^Comparison of A, Tone only and B"))
    for key in ("1", "b", "+", "ArrowRight", "ArrowDown"):
        floor.press(key)
    expect(tab.button("Show B, Tone + angle")).to_have_attribute("aria-pressed", "true")
    floor.evaluate("() => new Promise(requestAnimationFrame)")
    before = framings(floor)
    for turn in range(4):
        tab.tile("Angle", ("Overhead", "Three-quarter")[turn % 2]).click()
        expect(tab.tile("Angle", ("Overhead", "Three-quarter")[turn % 2])).to_have_attribute("aria-pressed", "true")
        tab.settled()
    expect(floor).to_have_count(1)
    tab.comes_to(lambda: framings(floor) == before)  # the last of the runs may still be drawn
    assert framings(floor) == before
    expect(tab.button("Show B, Tone + angle")).to_have_attribute("aria-pressed", "true")


def test_over_budget_is_said_once_before_anything_is_sent(
    start_dashboard: StartDashboard, visit: Visit, openai: FakeOpenAI
) -> None:
    studio = start_dashboard(settings_for(openai) | {"DAILY_BUDGET_PERSON_USD": "0.05"})
    tab = Tab(visit(studio).page(), studio.url)
    drafted(tab, PROMPT, **PLANNED)
    said = tab.main.get_by_text(re.compile("Your budget for today has"))
    expect(said).to_have_count(1)
    expect(tab.generate).to_be_disabled()
    tab.prompt.press("Control+Enter")
    tab.settled()
    expect(said).to_have_count(1)
    assert openai.received == []
    assert studio.comparisons() == []
