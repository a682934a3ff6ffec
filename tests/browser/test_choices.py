"""What a designer chose stays chosen: a pinned face, an opened record, a tone that is wished, and Undo."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.states import drafted
from tests.support.dashboards.dashboard import Tab

GRID = "References"
ADA = "refs/01. Model/a(natural,film) low angle/Ada"


def people(tab: Tab) -> set[str]:
    """Who is on the person references of the plan."""
    pictures = tab.main.get_by_role("img", name=re.compile("^person reference"))
    names = [str(name) for name in pictures.evaluate_all("all => all.map((img) => img.alt)")]
    return {name.removeprefix("person reference ").split()[0] for name in names}


def toned(tab: Tab) -> list[str]:
    """The references that go in and are of a tone."""
    return [key for key in tab.injected() if "/03. Angle/" not in key]


def reads(tab: Tab, text: str | re.Pattern[str]) -> None:
    expect(tab.main.get_by_text(text).first).to_be_visible()


def test_a_pinned_face_stays_whatever_tone_is_picked_and_a_dead_end_has_a_way_out(tab: Tab) -> None:
    """References → Use in Generate leaves everything else as it is; no other woman turns up."""
    drafted(tab, "a woman at a window", tone="cinematic", angle="three-quarter")
    tab.page.get_by_role("link", name="References").click()
    tab.goto("/references?role=model&tone=natural-film&angle=low-angle&q=Ada")
    tab.cards(GRID).first.click()
    tab.dialog.get_by_role("button", name="Use in Generate").click()
    expect(tab.tile("Tone", "Cinematic")).to_have_attribute("aria-pressed", "true")
    expect(tab.prompt).to_have_value("a woman at a window")
    assert tab.comes_to(lambda: people(tab) == {"Ada"})
    reads(tab, "Ada is pinned for every slot.")

    tab.tile("Tone", "Natural film").click()
    assert tab.comes_to(lambda: people(tab) == {"Ada"} and any(key.startswith(ADA) for key in tab.injected()))
    tab.tile("Tone", "Vivid").click()
    reads(tab, re.compile("^No picture of Ada is tagged Vivid"))
    assert tab.comes_to(lambda: people(tab) == set())

    tab.main.get_by_role("button", name=re.compile("^Natural film instead of Vivid")).first.click()
    assert tab.comes_to(lambda: people(tab) == {"Ada"})
    expect(tab.tile("Tone", "Natural film")).to_have_attribute("aria-pressed", "true")

    tab.choose("Person", "No")
    reads(tab, "You set Person to No: the pinned person Ada gave way.")
    assert tab.comes_to(lambda: people(tab) == set())
    tab.page.reload()
    reads(tab, "You set Person to No: the pinned person Ada gave way.")
    tab.main.get_by_role("button", name="Undo").click()
    assert tab.comes_to(lambda: people(tab) == {"Ada"})
    expect(tab.page.get_by_role("combobox", name="Person", exact=True)).to_have_value("From prompt")


def test_opening_a_comparison_pins_nothing_and_shuffle_lets_go_of_it(tab: Tab) -> None:
    drafted(tab, "a man on a pier", tone="cinematic", angle="three-quarter")
    before = tab.injected()
    tab.generate.click()
    expect(tab.downloads.first).to_be_visible()
    made = tab.shown_comparison

    opened = Tab(tab.page.context.new_page(), tab.home)
    opened.goto(f"/?comparison={made}")
    assert opened.comes_to(lambda: opened.injected() == before)
    expect(opened.main.get_by_role("button", name="Unpin")).to_have_count(0)
    opened.tile("Tone", "Natural film").click()
    assert opened.comes_to(lambda: all("natural,film" in key for key in toned(opened)) and toned(opened))
    expect(opened.main.get_by_text("does not fit")).to_have_count(0)
    opened.tile("Tone", "Cinematic").click()
    assert opened.comes_to(lambda: opened.injected() == before)
    opened.button("Shuffle").click()
    assert opened.comes_to(lambda: opened.injected() != before)


def test_a_tone_without_its_reference_is_asked_about_before_anything_is_made(tab: Tab) -> None:
    drafted(tab, "a man in a quiet street", tone="cinematic", angle="low-angle")
    tab.main.get_by_role("button", name="Off").first.click()
    expect(tab.main.get_by_role("button", name="Switch on").first).to_be_visible()
    tab.prompt.press("Control+Enter")
    reads(tab, "Cinematic is wished, and no tone reference goes in.")
    expect(tab.downloads).to_have_count(0)
    tab.main.get_by_role("button", name="Not now").click()
    expect(tab.main.get_by_text("Cinematic is wished")).to_have_count(0)
    tab.generate.click()
    tab.main.get_by_role("button", name="Generate all the same").click()
    expect(tab.downloads.first).to_be_visible()
    first = tab.shown_comparison
    tab.page.wait_for_timeout(2_500)  # sooner it would be the second half of a double click
    tab.generate.click()  # whoever has said yes to an empty slot of their own is not asked again
    assert tab.comes_to(lambda: tab.shown_comparison != first)
