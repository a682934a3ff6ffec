"""Start: from `make run` on an installed checkout to a Generate page that can be used, and where the time goes.

`python -m bench.start` puts its section into RESULTS.md; with `--print-only` it leaves that alone. It ends with 1 if
the median is above three seconds. The browser is open already, as a person's is, and asks again until it is answered.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from bench.listing import machine
from bench.results import write_section
from core.settings import PROJECT_ROOT
from tests.support.browser.chromium import ARGUMENTS, program
from tests.support.ports import own_port

HEADING = "## Start"
START_MAX_S = 3.0
WAITED_S = 120.0
POLL_S = 0.01
_PAINTED = "() => performance.timeOrigin + performance.getEntriesByName('first-contentful-paint')[0].startTime"
MILESTONES = ("answers /healthz", "answers /readyz", "first paint", "usable")


@dataclass(frozen=True, slots=True)
class Moment:
    """When it came, from the command on, and what the server's processes had used of the processor by then."""

    wall_s: float
    cpu_s: float


Start = dict[str, Moment]


@dataclass(frozen=True, slots=True)
class Clock:
    """Runs from the command on, whose process is `pid`."""

    began: float
    pid: int

    def now(self) -> Moment:
        """This moment."""
        make = psutil.Process(self.pid)
        used = [each.cpu_times() for each in (make, *make.children(recursive=True))]
        return Moment(time.time() - self.began, sum(each.user + each.system for each in used))


def start(browser: Browser) -> Start:
    """Start a server of its own, and look at it until it can be used."""
    port = own_port()
    url = f"http://127.0.0.1:{port}"
    reached: Start = {}
    page = browser.new_page()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "DATA_DIR": f"{folder}/data"}
        # -o: what is installed counts as new, whatever the clock says of the files of a checkout
        command = ["make", "-o", ".venv/.runtime", "run", f"PORT={port}"]
        began = time.time()
        with Path(folder, "log.txt").open("wb") as log:
            make = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log)
        try:
            server = Clock(began, make.pid)
            watching = threading.Thread(target=_watch, args=(url, server, reached))
            watching.start()
            _visit(page, url)
            _use(page)
            reached["usable"] = server.now()
            reached["first paint"] = Moment(page.evaluate(_PAINTED) / 1000 - began, math.nan)
            watching.join()
        finally:
            page.close()
            for each in psutil.Process(make.pid).children(recursive=True):
                each.terminate()
            make.wait(WAITED_S)
    return reached


def _watch(url: str, clock: Clock, reached: Start) -> None:
    """Note when the routes for supervisors answer."""
    for path in ("/healthz", "/readyz"):
        while clock.now().wall_s < WAITED_S:
            with suppress(httpx.TransportError):
                if httpx.get(url + path, timeout=WAITED_S).status_code == httpx.codes.OK:
                    reached[f"answers {path}"] = clock.now()
                    break
            time.sleep(POLL_S)


def _visit(page: Page, url: str) -> None:
    """Open the page as soon as anybody listens there."""
    until = time.monotonic() + WAITED_S
    while time.monotonic() < until:
        with suppress(PlaywrightError):
            page.goto(url, wait_until="commit", timeout=WAITED_S * 1000)
            return
        time.sleep(POLL_S)
    raise SystemExit("nobody listened")


def _use(page: Page) -> None:
    """Return once the prompt can be typed and every tile is drawn with its picture."""
    expect(page.get_by_role("textbox", name="Prompt")).to_be_enabled()
    for kind in ("Tone", "Angle"):
        tiles = page.get_by_role("group", name=kind).get_by_role("button")
        tiles.first.wait_for()
        tiles.locator("img").evaluate_all("(all) => Promise.all(all.map((each) => each.decode()))")


def report(made: list[Start]) -> str:
    """The section as Markdown."""
    rows = []
    for name in MILESTONES:
        seconds = sorted(each[name].wall_s for each in made)
        cpu_s = statistics.median(each[name].cpu_s for each in made)
        used = "" if math.isnan(cpu_s) else f"{cpu_s:.2f}"
        rows.append(f"| {name} | {statistics.median(seconds):.2f} | {seconds[0]:.2f} | {seconds[-1]:.2f} | {used} |")
    return "\n".join(
        [
            HEADING,
            "",
            f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · Python {platform.python_version()}. {len(made)} starts of "
            "the demo by `make run`, each with an empty DATA_DIR and a browser that is open already.",
            f"`python -m bench.start` makes this section. Load average at the end: {os.getloadavg()[0]:.1f}.",
            "",
            "| seconds from the command on | median | best | worst | the server's processor time |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> int:
    """Make the starts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=ARGUMENTS)
        start(browser)  # files are in the page cache from then on
        made = [start(browser) for _ in range(asked.starts)]
        browser.close()
    section = report(made)
    print(section)
    if not asked.print_only:
        write_section(HEADING, section)
    return int(statistics.median(each["usable"].wall_s for each in made) > START_MAX_S)


if __name__ == "__main__":
    sys.exit(main())
