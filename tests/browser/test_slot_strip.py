"""The strip of slots as a designer works with it: controls that stay, a stage that does not move, ways out, whole
pictures.
"""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser.accessible import inaccessible
from tests.browser.states import drafted, make
from tests.support.dashboards.dashboard import Tab

HIGHEST_STAGE = 232  # px of 900


def slots(tab: Tab) -> Locator:
    return tab.main.locator('[class*="st-key-slot-"]')


def slot(tab: Tab, name: str) -> Locator:
    return slots(tab).filter(has=tab.page.get_by_role("button", name=name, exact=True))


def stage_top(tab: Tab) -> float:
    tab.still()
    top: float = tab.page.get_by_role("group", name=re.compile("^Comparison of A")).evaluate(
        "node => node.getRootNode().host.getBoundingClientRect().top"
    )
    return top


def test_after_a_result_every_slot_keeps_its_controls_and_the_stage_its_place(tab: Tab) -> None:
    """Strength, another candidate, off and on by presses on the slots, and a new tone: the stage stands still."""
    drafted(tab, "Ada by a window, three-quarter view", tone="cinematic")
    make(tab)
    tops = [stage_top(tab)]

    tone = slot(tab, "Tone")
    tone.get_by_role("radio", name="Strong").click()
    expect(tone).to_contain_text("strong")
    tops.append(stage_top(tab))

    tone.get_by_role("button", name="Tone", exact=True).click()
    candidates = tab.page.get_by_role("list", name="Candidates").get_by_role("button")
    expect(candidates.first).to_be_visible()
    other = candidates.filter(has_not_text="goes in").last
    name = str(other.get_attribute("aria-label"))
    tops.append(stage_top(tab))
    other.focus()
    tab.page.keyboard.press("Enter")
    expect(candidates.filter(has_text="pinned")).to_have_accessible_name(f"{name}, pinned")
    tab.page.keyboard.press("Escape")
    expect(tone.get_by_role("button", name="Unpin")).to_be_visible()
    expect(tone.get_by_role("img")).to_have_accessible_name(re.compile(f"^tone reference {name}\\."))

    person = slot(tab, "Person 1")
    person.get_by_role("button", name="Off").click()
    expect(person.get_by_role("button", name="Switch on")).to_be_visible()
    expect(tab.main.get_by_role("button", name="Switch on")).to_have_count(1)
    tops.append(stage_top(tab))
    person.get_by_role("button", name="Switch on").click()
    expect(person.get_by_role("img")).to_be_visible()

    tab.tile("Tone", "Noir").click()
    expect(tone.get_by_role("img")).to_have_accessible_name(re.compile("^tone reference .* noir"))
    tops.append(stage_top(tab))
    assert max(tops) - min(tops) < 1, tops
    assert max(tops) <= HIGHEST_STAGE, tops


def test_a_slot_that_nothing_fits_is_filled_by_one_press_that_changes_one_wish(tab: Tab) -> None:
    drafted(tab, "A young woman by a window", tone="noir", angle="low-angle")
    empty = slot(tab, "Person")
    offer = empty.get_by_role("button", name="Vivid instead of Noir")
    expect(offer).to_be_visible()
    expect(offer).to_have_accessible_name(re.compile(r"^Vivid instead of Noir: \d+ pictures?$"))
    offer.click()
    expect(tab.tile("Tone", "Vivid")).to_have_attribute("aria-pressed", "true")
    expect(tab.tile("Angle", "Low angle")).to_have_attribute("aria-pressed", "true")
    expect(tab.prompt).to_have_value("A young woman by a window")
    expect(slots(tab).get_by_role("img", name=re.compile("^person reference")).first).to_be_visible()


def test_references_are_shown_whole_and_what_is_shared_is_shown_once(tab: Tab) -> None:
    """Before the first result and above a stage, on a wide screen, at 150 % zoom and on a phone."""
    drafted(tab, "a bowl of oranges", tone="cinematic")
    expect(slots(tab).get_by_role("img")).to_have_count(1)
    for empty in (slot(tab, "Angle"), slot(tab, "Person")):
        box = empty.bounding_box()
        assert box
        assert box["height"] < 160
    make(tab)
    for width, height in ((1440, 900), (960, 600), (390, 844)):
        tab.page.set_viewport_size({"width": width, "height": height})
        tab.still()
        picture = slots(tab).get_by_role("img")
        assert picture.evaluate("img => getComputedStyle(img).objectFit") == "contain"
        heights = slots(tab).evaluate_all("all => all.map((node) => node.getBoundingClientRect().height)")
        assert set(map(round, heights)) == {58}, "all cards of the strip are of one height"
        slot(tab, "Person").get_by_role("button", name="Why").click()
        expect(tab.page.get_by_test_id("stPopoverBody")).to_contain_text("The prompt asks for no person")
        tab.page.keyboard.press("Escape")
    slot(tab, "Tone").get_by_role("button", name="Tone", exact=True).click()
    expect(tab.page.get_by_role("list", name="Candidates").get_by_role("button")).to_have_count(4)
    assert inaccessible(tab) == []
