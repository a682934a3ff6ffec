"""An hour's work in one tab: several presses, the queue, what was made today, and two of it side by side."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.accessible import inaccessible
from tests.browser.conftest import Visit
from tests.fakes.openai_server import Behaviour, FakeOpenAI
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard

NOBODY = "01JX0000000000000000000000"
PROMPTS = ["Ada in a linen shirt", "Ada in a wool coat", "Ada in a raincoat"]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, chromium: Browser, openai: FakeOpenAI) -> Iterator[Dashboard]:
    """A dashboard that makes one side at a time. (The browser is started first: its loop must be the outer one.)"""
    del chromium
    settings = {
        "DEMO_TOKEN": "off",
        "OPENAI_API_KEY": "sk-fake",
        "OPENAI_BASE_URL": openai.base_url,
        "OPENAI_STREAMING": "on",
        "GENERATION_CONCURRENCY": "1",
    }
    with dashboard(tmp_path_factory.mktemp("filmstrip"), settings) as running:
        yield running


def items(tab: Tab) -> Locator:
    """The comparisons of the strip, the newest first."""
    return tab.page.get_by_role("list", name="Today").get_by_role("button")


def item(tab: Tab, prompt: str) -> Locator:
    return tab.page.get_by_role("list", name="Today").get_by_role("button", name=re.compile(f"“{prompt}”"))


def press(tab: Tab, prompt: str) -> str:
    """Order a comparison of this prompt at once, whatever is at work, and return its id."""
    tab.type_prompt(prompt)
    expect(tab.prompt).to_have_value(prompt)
    tab.settled()
    before = tab.page.url
    tab.generate.click()
    expect(tab.page).not_to_have_url(before)
    tab.settled()
    return tab.shown_comparison


def chips(tab: Tab) -> Locator:
    return tab.page.locator(".stage .chip")


def test_several_presses_wait_in_an_order_of_ones_own_and_are_brought_back(
    studio: Dashboard, visit: Visit, openai: FakeOpenAI
) -> None:
    gate = threading.Event()
    openai.choose(lambda _: Behaviour(hold=gate))
    tab = visit(studio).open()
    tab.tile("Tone", "Cinematic").click()
    made = [press(tab, prompt) for prompt in PROMPTS]
    assert studio.comparisons() == sorted(set(made))
    expect(items(tab)).to_have_count(3)
    expect(item(tab, PROMPTS[0])).to_have_accessible_name(re.compile("Tone only at work, Tone . angle waiting$"))
    expect(item(tab, PROMPTS[0])).to_contain_text(re.compile(r"\d+ s"))
    expect(item(tab, PROMPTS[1])).to_have_text("waiting · 2nd")
    expect(item(tab, PROMPTS[2])).to_have_text("waiting · 3rd")
    expect(item(tab, PROMPTS[2])).to_have_attribute("aria-current", "true")
    assert inaccessible(tab) == []

    # What was ordered last is wanted first, and one is not wanted any more.
    tab.button("Queue: 3 comparisons waiting").click()
    queue = tab.page.get_by_test_id("stPopoverBody")
    queue.get_by_role("button", name="First").nth(2).click()
    expect(item(tab, PROMPTS[2])).to_have_text("waiting · 1st")
    expect(queue.get_by_text(re.compile("^1st Ada in a raincoat"))).to_be_visible()
    assert inaccessible(tab) == []
    queue.get_by_role("button", name="Cancel").last.click()
    expect(item(tab, PROMPTS[1])).to_have_accessible_name(re.compile(": cancelled$"))
    tab.page.keyboard.press("Escape")

    # It comes to its end while somebody types, and in that order.
    tab.prompt.fill("half a thought")
    gate.set()
    expect(tab.page.locator(".filmstrip img")).to_have_count(4)
    expect(tab.button("Queue")).to_have_count(0)
    expect(tab.prompt).to_have_value("half a thought")
    sent = [prompt for call in openai.received for prompt in PROMPTS if prompt in str(call.fields["prompt"])]
    assert sent == [PROMPTS[0], PROMPTS[2], PROMPTS[2], PROMPTS[0]]

    # A press brings one back with its composer, and what was typed is set aside.
    tab.prompt.press("Tab")
    tab.settled()
    item(tab, PROMPTS[0]).focus()
    tab.page.keyboard.press("Enter")
    expect(tab.prompt).to_have_value(PROMPTS[0])
    expect(tab.downloads).to_have_count(2)
    assert tab.shown_comparison == made[0]
    expect(item(tab, PROMPTS[0])).to_have_attribute("aria-current", "true")
    tab.button("Your unsent draft, “half a thought”").click()
    expect(tab.prompt).to_have_value("half a thought")
    expect(tab.button("Your unsent draft")).to_have_count(0)

    # The same press once more, on what was seen at work, is another comparison; a reload keeps all there is.
    item(tab, PROMPTS[2]).click()
    expect(tab.prompt).to_have_value(PROMPTS[2])
    tab.settled()
    tab.generate.click()
    expect(items(tab)).to_have_count(4 + 1)
    assert tab.shown_comparison not in made
    expect(tab.downloads).to_have_count(2)
    tab.page.reload()
    expect(items(tab)).to_have_count(4 + 1)
    expect(tab.page.locator(".filmstrip img")).to_have_count(6)
    tab.button("Your unsent draft, “half a thought”").click()
    expect(tab.prompt).to_have_value("half a thought")
    expect(items(tab)).to_have_count(4)


def test_two_that_differ_are_put_side_by_side_and_found_again(
    studio: Dashboard, visit: Visit, openai: FakeOpenAI
) -> None:
    openai.choose(None)
    tab = visit(studio).open()
    tab.tile("Tone", "Noir").click()
    first = press(tab, "Bea by a window")
    expect(tab.downloads).to_have_count(2)
    tab.tile("Tone", "Vivid").click()
    expect(tab.tile("Tone", "Vivid")).to_have_attribute("aria-pressed", "true")
    second = press(tab, "Bea by a river")
    expect(tab.downloads).to_have_count(2)
    tab.settled()

    tab.page.get_by_role("button", name="Put two side by side").click()
    item(tab, "Bea by a window").locator("[data-side='tone-only']").click()
    expect(item(tab, "Bea by a window")).to_have_attribute("aria-pressed", "true")
    item(tab, "Bea by a river").locator("[data-side='tone-angle']").click()
    expect(tab.page).to_have_url(re.compile(rf"pair={first}\.tone-only~{second}\.tone-angle"))
    expect(chips(tab)).to_have_text([re.compile("^Left .*Tone only$"), re.compile("^Right .*Tone . angle$")])
    said = tab.main.get_by_text(re.compile("^Differs in prompt"))
    expect(said).to_contain_text("Bea by a window / Bea by a river · kind Tone only / Tone + angle · tone Noir / Vivid")
    tab.still()
    assert inaccessible(tab) == []

    # The stage's own ways of looking; a reload, and a colleague's tab, find the same.
    stage = tab.page.get_by_role("group", name=re.compile("^Comparison of Left"))
    stage.press("b")
    expect(tab.page.get_by_role("button", name="Show Right", exact=False)).to_have_attribute("aria-pressed", "true")
    address = tab.page.url
    tab.page.reload()
    expect(said).to_be_visible()
    colleague = visit(studio).open(address.removeprefix(studio.url))
    expect(colleague.main.get_by_text(re.compile("^Differs in prompt"))).to_be_visible()
    expect(colleague.prompt).to_have_value("Bea by a river")

    # Another side, then Back in the browser, then the comparison.
    tab.page.get_by_role("radiogroup", name="Side on the left").get_by_role("radio", name="Tone + angle").click()
    expect(tab.page).to_have_url(re.compile(rf"pair={first}\.tone-angle~"))
    expect(said).not_to_contain_text("kind")
    tab.page.go_back()
    expect(tab.page).to_have_url(address)
    expect(said).to_contain_text("kind")
    tab.button("Back to the comparison").click()
    expect(chips(tab)).to_have_text([re.compile("^A"), re.compile("^B")])
    expect(said).to_have_count(0)
    expect(tab.page).not_to_have_url(re.compile("pair="))

    # With Ctrl, and the keyboard's own way.
    item(tab, "Bea by a river").click(modifiers=["Control"])
    item(tab, "Bea by a window").focus()
    tab.page.keyboard.press("Control+Enter")
    expect(tab.page).to_have_url(re.compile(rf"pair={second}\.tone-angle~{first}\.tone-angle"))


@pytest.mark.parametrize("pair", [f"{NOBODY}.tone-only~{NOBODY}.tone-angle", "cut-off-in-a-mail"])
def test_an_address_of_two_that_are_not_there_says_so_and_shows_what_is(
    studio: Dashboard, visit: Visit, pair: str
) -> None:
    tab = visit(studio).open(f"/?pair={pair}")
    expect(tab.main).to_contain_text("One of the two pictures of this address is not there")
    expect(tab.main).to_contain_text("Nothing planned yet")
