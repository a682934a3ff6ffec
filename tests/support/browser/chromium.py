"""The browser of the tests."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.support.artifacts import pages_kept
from tests.support.browser.achromatic import CHROMIUM_FLAG
from tests.support.browser.certificate import certificate
from tests.support.timeouts import LONG_S

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    CHROMIUM_FLAG,
]
# No page of a test lives long enough to win what optimising its scripts costs: a sixth of what loading it takes.
SHORT_LIVED = "--js-flags=--no-maglev --no-opt"
PATIENCE_MS = 1000 * LONG_S
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium(*, is_timed: bool = False) -> Iterator[Browser]:
    """A browser for a test; what its pages show when one fails is kept. `is_timed` is for who times what they have."""
    with sync_playwright() as playwright:
        trusted = f"--ignore-certificate-errors-spki-list={certificate().public_key}"
        arguments = [*ARGUMENTS, trusted] if is_timed else [*ARGUMENTS, trusted, SHORT_LIVED]
        browser = playwright.chromium.launch(executable_path=program(), args=arguments)
        browser.on("context", pages_kept)
        yield browser
        browser.close()


class Contexts:
    """A browser's contexts, each used again once it is given back: it forgets all but the scripts in its cache."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._spare: dict[str, list[BrowserContext]] = defaultdict(list)
        self._options: dict[BrowserContext, str] = {}

    def take(self, *, anew: bool = False, **options: Any) -> BrowserContext:
        """One with these options that nobody uses; `anew` for who looks at its cache or changes more than its pages."""
        kind = repr(sorted(options.items()))
        if self._spare[kind] and not anew:
            return self._spare[kind].pop()
        context = self._browser.new_context(**options)
        if not anew:
            self._options[context] = kind
        return context

    def give_back(self, context: BrowserContext, origin: str) -> None:
        """Close its pages, and make it forget cookies and what the origin has stored."""
        if context not in self._options:
            context.close()
            return
        page = context.new_page()
        for other in context.pages:
            if other != page:
                other.close()
        context.clear_cookies()
        forgets = {"origin": origin, "storageTypes": "all"}
        context.new_cdp_session(page).send("Storage.clearDataForOrigin", forgets)
        page.close()
        self._spare[self._options[context]].append(context)


def program() -> str | None:
    """The machine's own Chromium, else None for the one Playwright brings.

    The headless shell has no tabs and menus to draw for nobody: it takes a third less of the processor.
    """
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")
