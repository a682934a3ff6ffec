"""Shortcuts on other keyboards: what is pressed counts by its place, whatever it types."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import CDPSession, expect

from tests.browser.conftest import StartDashboard, Visit
from tests.browser.states import drafted
from tests.support.dashboards.dashboard import Tab

KOREAN = {"KeyA": "ㅁ", "KeyB": "ㅠ", "KeyF": "ㄹ", "KeyS": "ㄴ", "KeyT": "ㅅ", "KeyZ": "ㅋ", "Slash": "?"}
FRENCH = {"KeyA": "q", "KeyQ": "a", "Digit3": '"', "KeyZ": "w", "KeyS": "s"}
CTRL, SHIFT = 2, 8  # Input.dispatchKeyEvent's modifiers


class Keyboard:
    """Keys pressed with a layout of one's own, as the browser tells them to a page."""

    def __init__(self, tab: Tab, layout: dict[str, str]) -> None:
        self._cdp: CDPSession = tab.page.context.new_cdp_session(tab.page)
        self._layout = layout

    def press(self, code: str, modifiers: int = 0, **more: Any) -> None:
        key = self._layout.get(code, code)
        number = ord(code[-1]) if code.startswith(("Key", "Digit")) else 0
        event = {"key": key, "code": code, "modifiers": modifiers, "windowsVirtualKeyCode": number} | more
        for kind in ("rawKeyDown", "keyUp"):
            self._cdp.send("Input.dispatchKeyEvent", {"type": kind} | event)


def test_the_desk_the_grid_and_the_stage_go_by_the_place_of_a_key(
    start_dashboard: StartDashboard, visit: Visit
) -> None:
    tab = visit(start_dashboard()).open("/labels")
    picture, desk = tab.page.locator(".desk .picture"), tab.page.locator(".desk")
    expect(picture).to_have_attribute("src", re.compile("/image/"))
    first = picture.get_attribute("alt") or ""
    for layout in (KOREAN, FRENCH):
        keyboard = Keyboard(tab, layout)
        keyboard.press("KeyA")
        expect(picture).not_to_have_attribute("alt", first)
        keyboard.press("KeyZ")
        expect(picture).to_have_attribute("alt", first)
        keyboard.press("KeyS")
        expect(desk.locator(".tile.done")).to_have_count(1)
        keyboard.press("KeyZ")
        keyboard.press("KeyQ")  # types a French "a"
        keyboard.press("KeyA", CTRL)
        expect(desk.locator(".tile.done")).to_have_count(0)
        expect(picture).to_have_attribute("alt", first)
    keyboard.press("Digit3")
    Keyboard(tab, KOREAN).press("KeyT")
    word = desk.locator(".fields input")
    expect(word).to_be_focused()
    keyboard.press("Enter", windowsVirtualKeyCode=229)  # ends a syllable, and is no answer
    expect(word).to_be_visible()
    keyboard.press("Escape")
    Keyboard(tab, KOREAN).press("Slash", SHIFT)
    expect(desk.get_by_role("dialog", name="Keys")).to_be_visible()

    tab.goto("/labels?show=Grid&find=Greta")
    cards = tab.cards("Portraits")
    cards.first.focus()
    korean = Keyboard(tab, KOREAN)
    korean.press("KeyA", CTRL)
    expect(cards.and_(tab.page.locator("[aria-selected=true]"))).to_have_count(cards.count())
    expect(tab.page.get_by_role("button", name=re.compile(r"^Accept \d"))).to_be_enabled()
    korean.press("KeyA")  # the button's own shortcut, which is Streamlit's
    expect(tab.main).to_contain_text("demo@localhost")

    drafted(tab, "a woman in a lighthouse", tone="noir", angle="overhead")
    tab.generate.click()
    expect(tab.downloads.first).to_be_visible()
    stage = tab.page.locator(".stage")
    stage.get_by_role("button", name="Flip").click()
    for code, shown in (("KeyB", "B"), ("KeyA", "A"), ("Space", "B")):
        korean.press(code)
        expect(stage.get_by_role("button", name=re.compile(f"^Show {shown}"))).to_have_attribute("aria-pressed", "true")
    korean.press("Digit1")
    expect(stage.get_by_role("button", name="Original pixels, 1:1")).to_have_attribute("aria-pressed", "true")
