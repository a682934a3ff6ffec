"""The browser of the tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.achromatic import CHROMIUM_FLAG
from tests.support.evidence import pages_kept
from tests.support.patience import LONG_S

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    CHROMIUM_FLAG,
]
PATIENCE_MS = 1000 * LONG_S
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for a test; what its pages show when one fails is kept."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=ARGUMENTS)
        browser.on("context", pages_kept)
        yield browser
        browser.close()


def program() -> str | None:
    """The machine's own Chromium, else None for the one Playwright brings.

    The headless shell has no tabs and menus to draw for nobody: it takes a third less of the processor.
    """
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")
