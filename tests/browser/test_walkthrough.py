"""The whole way through: say what the picture shows, see what goes in, compare what comes out."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import StartDashboard, Visit
from tests.browser.states import drafted
from tests.support.dashboards.dashboard import Dashboard, Tab

PROMPT = "A young woman looks over her shoulder in soft light"
LARGEST = "4:5 large"
BECAUSE_OF_THE_OTHER_SIDE = "None here, so that both sides have equally many. "  # one card says why neither has one


def plan(tab: Tab, prompt: str, tone: str, angle: str) -> None:
    """Tone by mouse, angle by keyboard."""
    tab.type_prompt(prompt)
    tab.tile("Tone", tone).click()
    expect(tab.tile("Tone", tone)).to_have_attribute("aria-pressed", "true")
    tab.page.keyboard.press("Tab")  # from the tones to the angles, which are one stop of the Tab key
    expect(tab.tile("Angle", "Eye level")).to_be_focused()
    while not tab.tile("Angle", angle).evaluate("tile => tile === tile.getRootNode().activeElement"):
        tab.page.keyboard.press("ArrowRight")
    tab.page.keyboard.press("Enter")
    expect(tab.tile("Angle", angle)).to_have_attribute("aria-pressed", "true")
    expect(tab.main.get_by_role("img", name=re.compile(f"^angle reference .* {angle}", re.I))).to_be_visible()
    tab.settled()


def test_a_designer_gets_a_fair_comparison_and_never_loses_it(
    start_dashboard: StartDashboard, visit: Visit, tmp_path: Path
) -> None:
    """One picture at a time is made, and a colleague's come first: so there is a middle to reload in."""
    studio = start_dashboard({"GENERATION_CONCURRENCY": "1"})
    colleague, tab = Tab(visit(studio).page(), studio.url), visit(studio).open()

    drafted(colleague, "A still life", tone="noir", angle="close-up")
    plan(tab, PROMPT, "Cinematic", "Low angle")
    tab.choose("Size", LARGEST)
    tab.settled()

    # What goes in, and why, before anything is ordered.
    assert studio.comparisons() == []
    promised, explained = tab.injected(), tab.text()
    assert promised

    # The order, and a reload before it is ready.
    colleague.generate.click()
    theirs = colleague.shown_comparison
    tab.generate.click()
    expect(tab.button("Cancel")).to_be_visible()
    mine = tab.shown_comparison
    tab.page.reload(wait_until="commit")
    reloaded_at = datetime.now(UTC)
    expect(tab.downloads).to_have_count(2)
    assert tab.shown_comparison == mine
    outcomes = [studio.outcome(mine, side) for side in ("tone-only", "tone-angle")]
    assert max(datetime.fromisoformat(outcome["finished_at"]) for outcome in outcomes) > reloaded_at, (
        "nothing was at work any more when the page was reloaded: this test has to be slower"
    )
    assert studio.comparisons() == sorted([theirs, mine]), "the reload must not order again"

    # The record: exactly what was promised went in, for the reasons that were given.
    record = studio.record(mine)
    slots = [slot for side in record["sides"] for slot in side["slots"]]
    assert {slot["key"] for slot in slots if slot["key"]} == set(promised)
    assert len(set(promised)) == len(promised), "what goes into both sides is shown once"
    for slot in slots:
        assert plain(slot["why"].removeprefix(BECAUSE_OF_THE_OTHER_SIDE)) in explained
    assert [record["mode"], record["tone"], record["angle"]] == ["compare", "cinematic", "low-angle"]

    pictures_are_what_was_ordered(tab, outcomes, tmp_path)
    another_tab_finds_the_same(colleague, mine)
    history_brings_it_back(studio, colleague, mine, promised)


def pictures_are_what_was_ordered(tab: Tab, outcomes: list[dict[str, object]], folder: Path) -> None:
    for at, outcome in enumerate(outcomes):
        download = tab.save(tab.downloads.nth(at))
        assert download.suggested_filename.endswith(f"{outcome['side']}.png")
        file = folder / download.suggested_filename
        download.save_as(file)
        picture = outcome["picture"]
        assert isinstance(picture, dict)
        assert hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() == picture["etag"]
        with Image.open(file) as image:
            image.load()
            assert (image.format, image.size) == ("PNG", (2048, 2560))


def another_tab_finds_the_same(tab: Tab, comparison: str) -> None:
    tab.goto(f"/?comparison={comparison}")
    expect(tab.prompt).to_have_value(PROMPT)
    expect(tab.downloads).to_have_count(2)
    assert tab.shown_comparison == comparison
    stage = tab.page.get_by_role("group", name=re.compile("^Comparison of A, Tone only and B, Tone"))
    for side in ("Tone only", "Tone + angle"):
        picture = stage.get_by_role("img", name=f"{side}: {PROMPT}")
        expect(picture).to_be_visible()
        assert picture.evaluate("img => [img.naturalWidth, img.naturalHeight]") == [2048, 2560]


def history_brings_it_back(studio: Dashboard, tab: Tab, comparison: str, keys: list[str]) -> None:
    """Prompt, mode, tone, angle and the very pictures: after a shuffle too, because they are pinned."""
    tab.goto("/history")
    expect(tab.cards("Comparisons")).to_have_count(2)
    tab.cards("Comparisons").filter(has_text=PROMPT).click()
    expect(tab.dialog).to_contain_text(PROMPT)
    tab.dialog.get_by_role("button", name="Open in Generate").click()
    expect(tab.downloads).to_have_count(2)
    assert tab.shown_comparison == comparison
    expect(tab.prompt).to_have_value(PROMPT)
    expect(tab.page.get_by_role("radio", name="Compare")).to_be_checked()
    expect(tab.tile("Tone", "Cinematic")).to_have_attribute("aria-pressed", "true")
    expect(tab.tile("Angle", "Low angle")).to_have_attribute("aria-pressed", "true")
    expect(tab.page.get_by_role("combobox", name="Size")).to_have_value(re.compile(LARGEST))
    assert tab.injected() == keys
    seed = studio.record(comparison)["seed"]
    tab.button("Shuffle").click()
    assert tab.comes_to(lambda: tab.injected() != keys), f"drawn with seed {seed} and held as recorded until now"


def plain(why: str) -> str:
    """A reason as it reads on the screen."""
    return " ".join(why.replace("`", "").split())
