"""One thing varied, as a designer plans it: balanced or not, two image models, takes and what all of it costs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.accessible import inaccessible
from tests.browser.conftest import Visit
from tests.browser.states import drafted
from tests.browser.test_openai_stage import PLANNED, PROMPT, settings_for
from tests.fakes.openai_server import FakeOpenAI
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, chromium: Browser, openai: FakeOpenAI) -> Iterator[Dashboard]:
    """A dashboard with two image models and the preview. (The browser is started first: its loop is the outer one.)"""
    del chromium
    with dashboard(tmp_path_factory.mktemp("varied"), settings_for(openai)) as running:
        yield running


def balanced(tab: Tab) -> Locator:
    return tab.page.get_by_role("switch", name="Balanced")


def chosen(tab: Tab, what: str, option: str) -> Locator:
    """One segment of a control."""
    return tab.page.get_by_role("radiogroup", name=what).get_by_role("radio", name=option, exact=True)


def vary(tab: Tab, what: str) -> None:
    tab.choose("Varies", f"Varies: {what}")
    tab.settled()


def sent_prompt(tab: Tab) -> str:
    """What the sent prompt says, and the popover closed again."""
    tab.button("Sent prompt").click()
    words = tab.page.get_by_test_id("stPopoverBody")
    expect(words).to_contain_text("Subject")
    said = words.inner_text()
    tab.page.keyboard.press("Escape")
    return said


def test_where_balance_is_impossible_the_strip_says_so_and_one_press_goes_over_and_back(
    studio: Dashboard, visit: Visit
) -> None:
    """Nobody is photographed from a high angle in Cinematic: neither side gets a person, and both say why."""
    tab = Tab(visit(studio, color_scheme="dark").page(), studio.url)
    drafted(tab, PROMPT, **PLANNED | {"angle": "high-angle"})
    expect(balanced(tab)).to_be_checked()
    expect(tab.main).to_contain_text("Nothing in “refs/01. Model” is tagged Cinematic, tagged High angle, of Ada.")
    expect(tab.main).to_contain_text(re.compile("Add one, or choose .*Three-quarter"))
    expect(tab.verdict("yes")).to_be_visible()

    tab.button("As each mode alone").click()
    expect(balanced(tab)).not_to_be_checked()
    expect(tab.verdict("no")).to_be_visible()
    expect(tab.main).to_contain_text("as each mode alone")
    tab.button("Differs: ").click()
    expect(tab.page.get_by_test_id("stPopoverBody")).to_contain_text("person references")
    tab.page.keyboard.press("Escape")
    assert inaccessible(tab) == []

    tab.page.reload()
    expect(balanced(tab)).not_to_be_checked()  # the draft remembers it
    expect(tab.verdict("no")).to_be_visible()
    tab.button("Balance both sides").click()
    expect(balanced(tab)).to_be_checked()
    expect(tab.verdict("yes")).to_be_visible()


def test_two_image_models_with_two_takes_are_priced_made_and_found_again(
    studio: Dashboard, visit: Visit, openai: FakeOpenAI
) -> None:
    openai.reset()
    tab = Tab(visit(studio).page(), studio.url)
    drafted(tab, PROMPT, **PLANNED)
    vary(tab, "Model")
    expect(tab.verdict("yes")).to_be_visible()
    models = [tab.page.get_by_role("combobox", name=f"Engine {side}", exact=True) for side in "AB"]
    first, second = (field.input_value() for field in models)
    assert first != second
    tab.choose("Quality B", "low")
    cost = r"(about \$|price unknown)"  # not every model has a price
    expect(tab.main).to_contain_text(re.compile(f"{re.escape(first)} and {re.escape(second)} · {cost}"))
    chosen(tab, "Takes", "2").click()
    expect(tab.main).to_contain_text(f"4 pictures · {first} and {second} · ")
    expect(tab.main).to_contain_text("Compare the image model · 2 takes a side")
    said = sent_prompt(tab)
    assert f"A {first} · medium · B {second} · low" in said
    assert "only" not in said.replace("as a hint only", "")  # everything is sent to both
    assert inaccessible(tab) == []

    tab.generate.click()
    made = tab.shown_comparison
    expect(tab.downloads.first).to_be_visible()
    tab.settled()
    asked = [(received.fields["model"], received.fields["quality"]) for received in openai.received]
    assert sorted(asked) == sorted([(first, "medium"), (second, "low")] * 2)

    again = visit(studio).open(f"/?comparison={made}")
    for field, name in zip("AB", (first, second), strict=True):
        expect(again.page.get_by_role("combobox", name=f"Engine {field}", exact=True)).to_have_value(name)
    expect(chosen(again, "Takes", "2")).to_be_checked()
    expect(again.main).to_contain_text("Compare the image model · 2 takes a side")


def test_on_a_phone_a_strength_and_the_tones_way_are_chosen_and_the_prompt_names_the_sides(
    studio: Dashboard, visit: Visit
) -> None:
    tab = Tab(visit(studio, viewport={"width": 390, "height": 844}).page(), studio.url)
    drafted(tab, PROMPT, **PLANNED)
    tab.page.get_by_test_id("stExpandSidebarButton").click()
    vary(tab, "Strength")
    chosen(tab, "Strength B", "Exact").click()
    assert inaccessible(tab) == []
    fold = tab.page.get_by_test_id("stSidebarCollapseButton").get_by_role("button")
    fold.click()
    expect(tab.main).to_contain_text("A normal, B exact")
    assert "A Tone: normal · B Tone: exact" in sent_prompt(tab)

    tab.page.get_by_test_id("stExpandSidebarButton").click()
    vary(tab, "Tone's way")
    fold.click()
    expect(tab.main).to_contain_text("A only")
    assert "A Tone reference · B Tone in words" in sent_prompt(tab)
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
