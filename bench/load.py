"""Fifty people at once: real WebSocket sessions and two real browsers, browsing and generating.

`python -m bench.load` puts its section into RESULTS.md; with `--print-only` it leaves that alone. It ends with 1 if a
rerun's 95th percentile is above a second, or if anything failed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import statistics
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

from bench.large_studio import LargeStudio, large_studio
from bench.listing import machine
from bench.results import write_section
from bench.sessions import Drawn, Session, session
from tests.support.browser.chromium import program

HEADING = "## Load"
P95_MAX_S = 1.0
BROWSER_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TONES = ("natural film", "vivid", "cinematic", "beauty", "noir")
ANGLES = ("eye level", "low angle", "overhead", "close-up")
PEOPLE = ("Araya", "Beatriz", "Chidi", "a woman", "a man")


@dataclass
class Seen:
    """What happened, by kind: seconds of each rerun, and every failure."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    thumbnails: int = 0

    def take(self, kind: str, drawn: Drawn) -> None:
        """Note a rerun."""
        self.seconds.setdefault(kind, []).append(drawn.seconds)
        self.failures += [f"{kind}: {each}" for each in drawn.failures()]

    def everything(self) -> list[float]:
        """The seconds of all the sessions' reruns."""
        return [each for kind, found in self.seconds.items() if kind != "browser" for each in found]


async def person(number: int, studio: LargeStudio, seen: Seen, until: float, pause_s: float) -> None:
    """One designer: mostly turns pages of references, looks at history and labels, sometimes generates."""
    chance = random.Random(number)
    try:
        async with session(studio.url, patience_s=0) as tab, httpx.AsyncClient(base_url=studio.url) as http:
            await asyncio.sleep(chance.uniform(0, pause_s))
            seen.take("first page", await tab.visit())
            while time.monotonic() < until:
                await asyncio.sleep(chance.uniform(0.5, 1.5) * pause_s)
                await act(tab, http, chance, seen)
    except Exception as err:  # noqa: BLE001 - whatever ends a person's session is a failure of the run
        seen.failures.append(f"session {number}: {type(err).__name__}: {err}")


async def act(tab: Session, http: httpx.AsyncClient, chance: random.Random, seen: Seen) -> None:
    """One thing a person does."""
    dice = chance.random()
    if dice < 0.60:
        page = chance.randrange(1, 200)
        drawn = await tab.visit("references", f"page={page}" if dice < 0.45 else f"q={chance.choice(PEOPLE)}")
        seen.take("references", drawn)
    elif dice < 0.72:
        seen.take("history", await tab.visit("history"))
    elif dice < 0.80:
        seen.take("labels", await tab.visit("labels"))
    else:
        seen.take("generate page", await tab.visit())
        subject = f"{chance.choice(PEOPLE)}, {chance.choice(TONES)}, {chance.choice(ANGLES)}, {chance.randrange(10**6)}"
        seen.take("typing", await tab.type_prompt(subject))
        seen.take("press of Generate", await tab.click("Generate"))
    answer = await http.get("/healthz", timeout=30)
    if answer.status_code != 200:
        seen.failures.append(f"/healthz answered {answer.status_code}")


async def browse(page: Page, studio: LargeStudio, seen: Seen, until: float, pause_s: float) -> None:
    """A real browser, whose every failure is one of the run."""
    try:
        await _turn_pages(page, studio, seen, until, pause_s)
    except PlaywrightError as err:
        seen.failures.append(f"browser: {str(err).splitlines()[0]}")


async def _turn_pages(page: Page, studio: LargeStudio, seen: Seen, until: float, pause_s: float) -> None:
    """Pages of references with all their thumbnails, until everything on it stands still."""
    bad: list[str] = []
    page.on("response", lambda answer: bad.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
    page.on("response", lambda answer: _count(seen) if "/image/" in answer.url else None)
    turn = 0
    while time.monotonic() < until:
        turn += 1
        began = time.perf_counter()
        await page.goto(f"{studio.url}/references?page={turn}")
        await page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000)
        cards = page.get_by_role("list", name="References").get_by_role("button")
        cards = cards.or_(page.get_by_role("listbox", name="References").get_by_role("option"))
        await cards.first.wait_for(timeout=60_000)
        seen.seconds.setdefault("browser", []).append(time.perf_counter() - began)
        await asyncio.sleep(pause_s)
    seen.failures += bad


def _count(seen: Seen) -> None:
    seen.thumbnails += 1


async def crowd(studio: LargeStudio, people: int, browsers: int, seconds: float, pause_s: float) -> Seen:
    """Everybody at once."""
    seen, until = Seen(), time.monotonic() + seconds
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(executable_path=program(), args=BROWSER_FLAGS)
        pages = [await (await browser.new_context()).new_page() for _ in range(browsers)]
        await asyncio.gather(
            *(person(number, studio, seen, until, pause_s) for number in range(people)),
            *(browse(page, studio, seen, until, pause_s) for page in pages),
        )
        await browser.close()
    return seen


def percentile(found: list[float], part: float) -> float:
    """The value below which this part of all lies."""
    return sorted(found)[min(len(found) - 1, int(len(found) * part))]


def report(seen: Seen, asked: argparse.Namespace, made: dict[str, float]) -> str:
    """The section as Markdown."""
    everything = seen.everything()
    rows = [*sorted(seen.seconds.items()), ("**all sessions**", everything)]
    return "\n".join(
        [
            HEADING,
            "",
            f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · Python {platform.python_version()}. "
            f"{asked.people} sessions over WebSockets and {asked.browsers} browsers for {asked.seconds:g} s, on "
            f"the dashboard's own machine; {asked.references:,} references, {asked.pause:g} s between two things "
            "that a person does.",
            f"`python -m bench.load` makes this section. Load average at the end: {os.getloadavg()[0]:.1f}.",
            "",
            "Seconds from the question to the end of the rerun; a browser's until its first picture stands there:",
            "",
            "| | count | median | p95 | worst |",
            "|---|---|---|---|---|",
            *(
                f"| {kind} | {len(found)} | {statistics.median(found):.2f} | {percentile(found, 0.95):.2f} |"
                f" {max(found):.2f} |"
                for kind, found in rows
                if found
            ),
            "",
            f"{made['done']:.0f} pictures made, {seen.thumbnails} thumbnails fetched by the browsers, "
            f"{len(seen.failures)} errors.",
            "",
        ]
    )


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--browsers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--pause", type=float, default=10, help="seconds between two things that a person does")
    parser.add_argument("--references", type=int, default=100_000)
    parser.add_argument("--port", type=int, default=8630)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    with large_studio(asked.references, asked.port) as studio:
        seen = asyncio.run(crowd(studio, asked.people, asked.browsers, asked.seconds, asked.pause))
        seen.failures += studio.complaints()
        made = {"done": studio.metric('studio_generations_total{engine="preview",outcome="done"}')}
    section = report(seen, asked, made)
    print(section)
    for failure in seen.failures[:20]:
        print(failure, file=sys.stderr)
    if not asked.print_only:
        write_section(HEADING, section)
    return int(bool(seen.failures) or percentile(seen.everything(), 0.95) > P95_MAX_S)


if __name__ == "__main__":
    sys.exit(main())
