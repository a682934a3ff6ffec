"""Ten jobs of a designer, done in a real Chromium: how many presses each takes, how many letters, and how many seconds.

Every job is told by what stands on the screen, roles and names, and ends when what was wanted is there. One that the
dashboard has no way to is "not possible": a button that is missing, or an end that does not come. The seconds hold the
machine's own work: they compare on the same machine alone.
`python -m bench.ten_jobs` puts its section into RESULTS.md; with `--print-only` it leaves that alone.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Locator
from playwright.sync_api import Error as BrowserError

from bench.listing import machine
from bench.results import write_section
from tests.fakes.openai_server import Behaviour, FakeOpenAI, Fault
from tests.support.browser.chromium import chromium
from tests.support.dashboards.dashboard import Dashboard, Tab, dashboard, key_of

HEADING: Final = "## Ten jobs of a designer"
KOREAN: Final = "카페에 앉아 있는 30대 여자, 시네마틱 톤, 로우앵글"
SOMEBODY: Final = "a woman in a linen shirt"
PATIENCE_S: Final = 20.0
MADE_S: Final = 90.0
PERSONS: Final = re.compile("^(person|model) reference ", re.IGNORECASE)
TONES: Final = re.compile("^tone reference ", re.IGNORECASE)


class NotPossible(Exception):
    """The job cannot be done, and what it failed for."""


@dataclass
class Hand:
    """The designer's hand: it counts what it does. A press is a click or a key that is no letter of a text."""

    tab: Tab
    presses: int = 0
    letters: int = 0

    def press(self, what: str, *places: Locator, key: str | None = None) -> None:
        """Press the first of these places that is there."""
        place = first_of(what, *places)
        place.click(modifiers=["Control"] if key == "Control" else [], timeout=1000 * PATIENCE_S)
        self.presses += 1
        self.tab.settled()

    def key(self, name: str) -> None:
        """Press a key, or several at once."""
        self.tab.page.keyboard.press(name)
        self.presses += 1
        self.tab.settled()

    def write(self, into: Locator, text: str) -> None:
        """Go into a field, which is a press unless one is in it already, and write."""
        if not into.evaluate("field => field.getRootNode().activeElement === field"):
            into.click()
            self.presses += 1
        into.press_sequentially(text, delay=0)
        self.letters += len(text)
        self.tab.settled()

    def sees(self, what: str, holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait for what was wanted."""
        until = time.monotonic() + patience_s
        while not safely(holds):
            if time.monotonic() > until:
                raise NotPossible(what)
            time.sleep(0.05)
        self.tab.settled()


def safely(holds: Callable[[], bool]) -> bool:
    """What is asked while the page changes under one's hands is asked again."""
    try:
        return holds()
    except BrowserError:
        return False


def first_of(what: str, *places: Locator) -> Locator:
    """The first place that is on the screen, waited for."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        for place in places:
            if safely(place.first.is_visible) and safely(place.first.is_enabled):
                return place.first
        time.sleep(0.05)
    raise NotPossible(what)


def keys_in(tab: Tab, which: re.Pattern[str]) -> list[str]:
    """The references of the plan on screen."""
    pictures = tab.main.get_by_role("img", name=which)
    return [key_of(src) for src in pictures.evaluate_all("all => all.map((img) => img.src)") if src]


def people_in(tab: Tab) -> set[str]:
    """The names of the persons in the plan on screen."""
    return {Path(key).stem.rpartition(" ")[0] for key in keys_in(tab, PERSONS)}


def by_name(tab: Tab, name: str | re.Pattern[str]) -> Locator:
    """The button of exactly this name in the main part."""
    return tab.main.get_by_role("button", name=name, exact=isinstance(name, str))


def planned(tab: Tab, prompt: str, tone: str = "Cinematic", angle: str = "Low angle") -> None:
    """Set up: a plan with people in it; nothing is counted."""
    tab.goto("/")
    tab.page.evaluate("sessionStorage.clear()")
    tab.goto("/")
    tab.type_prompt(prompt)
    pick(tab, "Tone", tone)
    pick(tab, "Angle", angle)
    first_of("a plan", tab.main.get_by_role("img", name=PERSONS))
    tab.settled()


def pick(tab: Tab, kind: str, name: str) -> None:
    """Set up: a tile is picked, unless it is."""
    tile = tab.page.get_by_role("group", name=kind, exact=True).get_by_role("button", name=name, exact=True)
    if tile.get_attribute("aria-pressed") != "true":
        tile.click()
    tab.settled()


def is_made(tab: Tab, pictures: int = 2) -> Callable[[], bool]:
    """Whether so many pictures can be taken home."""
    return lambda: tab.downloads.count() >= pictures


def made(tab: Tab, prompt: str = SOMEBODY, tone: str = "Cinematic") -> None:
    """Set up: a comparison of today."""
    planned(tab, prompt, tone)
    tab.generate.click()
    Hand(tab).sees("a finished comparison", is_made(tab), MADE_S)


def first_comparison(tab: Tab, hand: Hand) -> None:
    """From a Korean prompt to two pictures."""
    hand.write(tab.prompt, KOREAN)
    hand.key("Control+Enter")
    hand.sees("two pictures", is_made(tab), MADE_S)


def keep_person(tab: Tab, hand: Hand) -> None:
    """Pin Ada from the library, then pick a tone in which she has no picture: nobody else takes her place."""
    use_found(tab, hand, "Ada 03", keeps_tone=False)
    hand.press("another tone", tab.tile("Tone", "Vivid"))
    hand.sees("the tone of the plan", lambda: "vivid" in "".join(keys_in(tab, TONES)).lower())
    hand.sees("Ada, and nobody else", lambda: people_in(tab) <= {"Ada"}, 5)


def change_recorded(tab: Tab, hand: Hand) -> None:
    """Open what was made, and pick another tone: it is planned with that tone."""
    hand.press("a card of History", tab.cards("Comparisons"))
    hand.press("Open in Generate", tab.dialog.get_by_role("button", name="Open in Generate"))
    hand.press("another tone", tab.tile("Tone", "Noir"))
    hand.sees("a tone reference of that tone", lambda: "noir" in "".join(keys_in(tab, TONES)).lower(), 8)


def use_found(tab: Tab, hand: Hand, search: str = "Ada 04", *, keeps_tone: bool = True) -> None:
    """Find a picture of Ada and use it: it is in its slot, and the tone is as it was."""
    hand.press("References", tab.page.get_by_role("link", name="References"))
    hand.write(tab.page.get_by_role("searchbox", name="Search"), search)
    hand.sees("the one that was found", lambda: tab.cards("References").count() == 1)
    hand.press("its card", tab.cards("References"))
    use = "Use in Generate"
    hand.press(use, tab.dialog.get_by_role("button", name=use), tab.page.get_by_role("button", name=use))
    hand.sees("her in the plan", lambda: people_in(tab) == {"Ada"})
    if keeps_tone:
        hand.sees(
            "the tone as it was", lambda: tab.tile("Tone", "Cinematic").get_attribute("aria-pressed") == "true", 5
        )


def other_candidate(tab: Tab, hand: Hand) -> None:
    """Have the third of a slot's other pictures in it."""
    before = keys_in(tab, TONES)[0]
    chooser = by_name(tab, "Tone")
    if safely(chooser.first.is_visible):
        hand.press("the slot's own candidates", chooser)
        hand.press("the one that is wanted", tab.cards("Candidates").nth(2))
        hand.sees("another picture", lambda: keys_in(tab, TONES)[0] != before)
        return
    for _ in range(3):  # nobody knows what comes: the third is in its place after three
        was = keys_in(tab, TONES)[0]
        hand.press("Re-roll", by_name(tab, "Re-roll"))
        hand.sees("the next picture", lambda was=was: keys_in(tab, TONES)[0] != was)  # type: ignore[misc]


def set_strength(tab: Tab, hand: Hand) -> None:
    """Have the tone reference followed strongly."""
    strong = tab.page.get_by_role("radio", name="Strong").or_(tab.page.get_by_role("button", name="Strong"))
    if not safely(strong.first.is_visible):
        hand.press("Why", by_name(tab, "Why"))
    hand.press("Strong", strong)
    hand.sees("Strong chosen", lambda: "true" in (strong.first.get_attribute("aria-checked") or "true"))
    if safely(tab.page.get_by_test_id("stPopoverBody").first.is_visible):
        hand.key("Escape")


def retry_both(tab: Tab, hand: Hand) -> None:
    """Two sides have failed: have both made after all."""
    both = by_name(tab, "Retry both")
    if safely(both.first.is_visible):
        hand.press("Retry both", both)
    else:
        hand.press("Retry this side", by_name(tab, "Retry this side"))
        hand.sees("the other one", lambda: by_name(tab, "Retry this side").count() == 1)
        hand.press("Retry this side", by_name(tab, "Retry this side"))
    hand.sees("two pictures", is_made(tab), MADE_S)


def two_of_today(tab: Tab, hand: Hand) -> None:
    """Look at pictures of two of today's comparisons side by side."""
    hand.press("Put two side by side", by_name(tab, "Put two side by side"))
    today = tab.main.get_by_role("list", name="Today").get_by_role("button")
    hand.press("the one", today.nth(0))
    hand.press("the other", today.nth(1))
    hand.sees("both on the stage", lambda: by_name(tab, re.compile("^Back to the comparison|^Close")).count() > 0)


def film_women(tab: Tab, hand: Hand) -> None:
    """Find 필름 pictures of women and put two of them in."""
    hand.press("References", tab.page.get_by_role("link", name="References"))
    hand.write(tab.page.get_by_role("searchbox", name="Search"), "필름 여자")
    hand.sees("some that were found", lambda: 2 <= tab.cards("References").count() < 60)
    hand.press("the one", tab.cards("References").nth(0), key="Control")
    hand.press("another", tab.cards("References").nth(1), key="Control")
    hand.press("Use in Generate", tab.page.get_by_role("button", name="Use in Generate"))
    asked = tab.cards("Which one")

    def is_answered_or_there() -> bool:
        return asked.count() > 0 or "/references" not in tab.page.url

    hand.sees("Generate, or what is asked", is_answered_or_there)
    while asked.count() > 0 and "/references" in tab.page.url:  # two women: who of them, then which picture of a group
        hand.press("which of them", asked)
        tab.still()
    hand.sees("Generate with them", lambda: len(keys_in(tab, PERSONS)) > 0 and "/references" not in tab.page.url)


def loosen(tab: Tab, hand: Hand) -> None:
    """An empty slot says what would fill it: do that."""
    before = len(keys_in(tab, PERSONS))
    way_out = by_name(tab, re.compile(r"(instead of .*)?: [\d,]+ pictures?$"))
    hand.press("a way out", way_out)
    hand.sees("somebody in the slot", lambda: len(keys_in(tab, PERSONS)) > before)


def to_empty(tab: Tab) -> None:
    tab.goto("/")


def to_plan(tab: Tab) -> None:
    planned(tab, SOMEBODY)


def to_history(tab: Tab) -> None:
    made(tab)
    tab.goto("/history")


def to_two_of_today(tab: Tab) -> None:
    made(tab)
    made(tab, "a man by a window", "Vivid")


def to_empty_slot(tab: Tab) -> None:
    planned(tab, "Ada by a window", "Cinematic", "Low angle")
    tab.page.get_by_role("radio", name="Tone + angle").click()
    pick(tab, "Angle", "Overhead")
    Hand(tab).sees("a plan without anybody", lambda: not keys_in(tab, PERSONS))


JOBS: Final[dict[str, tuple[Callable[[Tab], None], Callable[[Tab, Hand], None]]]] = {
    "the first comparison, from a Korean prompt": (to_empty, first_comparison),
    "pin a person from the library and change the tone": (to_plan, keep_person),
    "open an item of History and change its tone": (to_history, change_recorded),
    "use a reference that was found": (to_plan, use_found),
    "pick another candidate in a slot": (to_plan, other_candidate),
    "set a strength": (to_plan, set_strength),
    "retry two failed sides": (to_plan, retry_both),
    "compare two of today's pictures": (to_two_of_today, two_of_today),
    "find 필름 pictures of women and use two": (to_plan, film_women),
    "loosen an empty slot": (to_empty_slot, loosen),
}


@dataclass(frozen=True, slots=True)
class Done:
    """What a job took; `fault` says why it was not possible."""

    presses: int
    letters: int
    seconds: float
    fault: str = ""


def do(tab: Tab, job: str) -> Done:
    """Set up and do one job."""
    set_up, work = JOBS[job]
    try:
        set_up(tab)
    except (NotPossible, BrowserError) as err:
        return Done(0, 0, 0.0, f"set up: {str(err).splitlines()[0]}")
    hand, began, fault = Hand(tab), time.perf_counter(), ""
    try:
        work(tab, hand)
    except (NotPossible, BrowserError) as err:
        fault = str(err).splitlines()[0]
    return Done(hand.presses, hand.letters, time.perf_counter() - began, fault)


def failed_twice(tab: Tab, openai: FakeOpenAI) -> None:
    """Set up: both sides are refused, and would be made now."""
    planned(tab, SOMEBODY)
    openai.choose(lambda _: Behaviour(Fault.REFUSE))
    tab.generate.click()
    first_of("two failed sides", by_name(tab, "Retry this side").nth(1))
    openai.choose(None)


def measured(browser: Browser, only: str) -> dict[str, Done]:
    """All jobs, each in a browser of its own; those that need failures with the OpenAI engine."""
    found: dict[str, Done] = {}
    with tempfile.TemporaryDirectory() as folder, FakeOpenAI().serving() as openai:
        settings = {"DEMO_TOKEN": "off", "OPENAI_API_KEY": "sk-fake", "OPENAI_BASE_URL": openai.base_url}
        with dashboard(Path(folder, "demo")) as demo, dashboard(Path(folder, "openai"), settings) as failing:
            JOBS["retry two failed sides"] = (lambda tab: failed_twice(tab, openai), retry_both)
            for job in JOBS:
                if only in job:
                    found[job] = in_a_tab(browser, failing if "failed" in job else demo, job)
                    print(f"{job:<48} {row_of(found[job])}", flush=True)
    return found


def in_a_tab(browser: Browser, of: Dashboard, job: str) -> Done:
    """Do a job where nobody has been before."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    try:
        return do(Tab(context.new_page(), of.url), job)
    finally:
        context.close()


def row_of(done: Done) -> str:
    """The cells of a line."""
    if done.fault:
        return f"not possible | | ({done.fault})"
    return f"{done.presses} | {done.letters} | {done.seconds:.1f}"


def report(found: dict[str, Done]) -> str:
    """The section as Markdown."""
    lines = [
        HEADING,
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · {machine()}. `python -m bench.ten_jobs` makes this section. "
        f"Load average: {os.getloadavg()[0]:.1f}.",
        "A press is a click or a key that is no letter of a text. Seconds are the machine's, from the first press to "
        "what was wanted.",
        "",
        "| | presses | letters | seconds |",
        "|---|---|---|---|",
        *(f"| {job} | {row_of(done)} |" for job, done in found.items()),
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Do all jobs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="jobs with these words in their names")
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    with chromium(is_timed=True) as browser:
        section = report(measured(browser, asked.only))
    print(section)
    if not asked.print_only:
        write_section(HEADING, section)


if __name__ == "__main__":
    main()
