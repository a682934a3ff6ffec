"""Takes as a designer works with them: eight pictures at once, found again, looked at, retried and taken home."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.states import drafted
from tests.browser.test_openai_stage import PLANNED, PROMPT, on_angle_side, pane, settings_for
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Fault, Moment
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard
from tests.support.latch import Latch

FOUR = re.compile(r"^A, take \d: |^B, take \d: ")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, chromium: Browser, openai: FakeOpenAI) -> Iterator[Dashboard]:
    """A dashboard whose first engine is OpenAI's. (The browser is started first: its loop must be the outer one.)"""
    del chromium
    with dashboard(
        tmp_path_factory.mktemp("takes"), {**settings_for(openai), "GENERATION_CONCURRENCY": "8"}
    ) as running:
        yield running


def test_eight_running_takes_are_found_by_a_reload_and_each_fails_is_retried_and_kept_alone(
    tab: Tab, openai: FakeOpenAI
) -> None:
    latch, failing = Latch(), iter([Behaviour(Fault.REFUSE)])
    openai.choose(
        lambda got: next(failing, None) if on_angle_side(got) else Behaviour(latches={Moment.RECEIVED: latch})
    )
    drafted(tab, PROMPT, **PLANNED)
    tab.page.locator(".st-key-takes-row").get_by_text("4", exact=True).click()
    tab.settled()
    tab.generate.click()
    shown = tab.shown_comparison
    everything = tab.page.get_by_role("button", name=FOUR)
    expect(everything).to_have_count(8)

    tab.page.reload()
    expect(everything).to_have_count(8)
    assert tab.shown_comparison == shown
    expect(tab.page.get_by_role("button", name=re.compile(r"^A, take \d: Working"))).to_have_count(4)
    expect(tab.page.get_by_role("button", name=re.compile(r"^B, take \d: Fidelity"))).to_have_count(3)
    below = tab.page.locator(".stage .feet")  # the work line has the same button until it knows what is on the stage
    expect(below.get_by_role("button", name="Cancel all 4")).to_be_visible()
    tab.page.get_by_role("link", name="History").click()
    expect(tab.page).to_have_title(re.compile(r"^4 of 8 · \d+ s · Studio$"))
    expect(tab.cards("Comparisons").first).to_contain_text("4 takes")
    latch.open()
    expect(tab.page).to_have_title("7 of 8 done · Studio")
    tab.page.get_by_role("link", name="Generate").click()

    refused = tab.page.get_by_role("button", name=re.compile(r"^B, take \d: Refused"))
    expect(refused).to_have_count(1)
    number = (refused.get_attribute("aria-label") or "").partition(":")[0][-1]
    tab.page.locator(".stage .floor").press(number)
    expect(pane(tab, f"B, Tone + angle · take {number}")).to_contain_text("Refused")
    tab.page.get_by_role("button", name="Retry this take").click()
    expect(tab.page.get_by_role("button", name=re.compile(r"^[AB], take \d: Fidelity"))).to_have_count(8)
    assert len(openai.received) == 9, "one more for the one that failed"

    tab.page.locator(".stage .floor").press("Shift+Digit2")
    expect(pane(tab, "B, Tone + angle · take 2")).to_be_visible()
    saved = tab.save(tab.page.get_by_role("link", name="ZIP"))
    names = {f"{side}{take}.png" for side in ("tone-only", "tone-angle") for take in ("", "-2", "-3", "-4")}
    assert set(ZipFile(BytesIO(Path(saved.path()).read_bytes())).namelist()) == names
