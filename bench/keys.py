"""Keys that act in the browser: from the event to the second frame after it, against a round trip through Streamlit.

A turn of the stage on original pixels, the next portrait of the review desk, all 240 cards of a grid chosen at once,
and the next pair to judge, which was loaded before. `python -m bench.keys` puts its section into RESULTS.md; with
`--print-only` it leaves that alone.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, expect

from bench.listing import machine
from bench.results import write_section
from core.votes.ballots.practice import PRACTICE
from tests.support.browser.chromium import chromium
from tests.support.dashboards.dashboard import dashboard
from tests.support.dashboards.demos import focus_demo, grid_demo, stage_demo

HEADING = "## Keys"
ROUNDS = 20
# Resolves with the milliseconds once what `act` changes has been painted.
_PAINTED = """async (target, act) => {
  const began = performance.now();
  await act(target);
  return new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began))));
}"""
_KEY = """(how) => (target) => {
  target.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, composed: true, ...how }));
}"""


@contextmanager
def page_of(browser: Browser, url: str) -> Iterator[Page]:
    """A page that is as wide as a desk's screen."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.goto(url)
        yield page


def next_pair_ms(page: Page) -> float:
    """The median time from a vote until the next pair of a fresh demo is there, over all but the last of its pairs."""
    page.get_by_role("button", name="Make practice comparisons").click()
    took = []
    for _ in range(PRACTICE - 1):
        page.locator('.answer[aria-disabled="false"]').first.wait_for()
        vote = {"key": "ArrowRight", "code": "ArrowRight"}
        took.append(page.locator(".vote").evaluate(f"(target, how) => ({_PAINTED})(target, ({_KEY})(how))", vote))
    return median(took)


def key_ms(page: Page, target: str, *keys: dict[str, object]) -> float:
    """The median time of these keys in turn on what the selector means."""
    where, took = page.locator(target).first, []
    for nth in range(ROUNDS):
        how = keys[nth % len(keys)]
        took.append(where.evaluate(f"(target, how) => ({_PAINTED})(target, ({_KEY})(how))", how))
    return median(took)


def round_trip_ms(page: Page) -> float:
    """The median time from a click on the demo's own button until what its run writes is there, as each key would take.

    A short run begins and ends between two looks: the page's state of running tells nothing of it.
    """
    took = []
    for _ in range(ROUNDS):
        took.append(
            page.evaluate(
                """async () => {
                  const run = () => Number(document.body.innerText.match(/run (\\d+),/)[1]);
                  const began = performance.now(), before = run();
                  [...document.querySelectorAll("button")].find((one) => one.innerText.trim() === "Rerun").click();
                  while (run() === before) await new Promise(requestAnimationFrame);
                  return performance.now() - began;
                }"""
            )
        )
    return median(took)


def measured() -> dict[str, tuple[float, float]]:
    """For each key its milliseconds, and those of a round trip on the stage's page in the same run."""
    with tempfile.TemporaryDirectory() as home, chromium(is_timed=True) as browser:
        folders = {name: Path(home) / name for name in ("stage", "focus", "grid")}
        for folder in folders.values():
            folder.mkdir()
        found: dict[str, float] = {}
        with stage_demo(folders["stage"]) as url, page_of(browser, url) as page:
            expect(page.locator(".stage .floor img")).to_have_count(2)
            turns = ({"key": "b", "code": "KeyB"}, {"key": "a", "code": "KeyA"})
            found["turn the stage"] = key_ms(page, ".stage .floor", *turns)
            server_ms = round_trip_ms(page)
            page.goto(f"{url}/?case=takes")
            expect(page.locator(".stage .floor img")).to_have_count(5)  # four that are done, and one on its way
            digits = ({"key": "1", "code": "Digit1"}, {"key": "2", "code": "Digit2"})
            found["choose a take"] = key_ms(page, ".stage .floor", *digits)
        with focus_demo(folders["focus"]) as url, page_of(browser, url) as page:
            expect(page.locator(".desk .picture")).to_be_visible()
            steps = ({"key": "ArrowRight"}, {"key": "ArrowLeft"})
            found["next portrait"] = key_ms(page, ".desk", *steps)
        with grid_demo(folders["grid"]) as url, page_of(browser, f"{url}/?count=240&min=96") as page:
            expect(page.locator(".grid .card")).to_have_count(240)
            found["choose 240 cards"] = key_ms(page, ".grid .card", {"key": "a", "ctrlKey": True}, {"key": "Escape"})
        with dashboard(Path(home) / "vote") as studio, page_of(browser, f"{studio.url}/vote") as page:
            found["next pair to judge"] = next_pair_ms(page)
    return {name: (ms, server_ms) for name, ms in found.items()}


def section(found: dict[str, tuple[float, float]]) -> str:
    """The results as Markdown."""
    rows = "\n".join(
        f"| {name} | {ms:.0f} | {server:.0f} | {server / ms:.1f}x |" for name, (ms, server) in found.items()
    )
    return (
        f"{HEADING}\n\n{datetime.now(UTC):%Y-%m-%d} · {machine()}. `python -m bench.keys` makes this section.\n\n"
        f"Milliseconds from the key to the second frame after it, medians of {ROUNDS} (of {PRACTICE - 1} pairs),\n"
        f"beside a round trip through a Streamlit script that draws one component:\n\n"
        f"| key | ours | round trip | |\n|---|---|---|---|\n{rows}\n"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--print-only", action="store_true")
    made = section(measured())
    print(made)
    if not options.parse_args().print_only:
        write_section(HEADING, made)


if __name__ == "__main__":
    main()
