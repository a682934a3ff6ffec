"""The browser of the tests."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

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
    """A browser's contexts, each used again once it is given back, with one page: it forgets all but its cache.

    A page that was used before has the scripts of the dashboard read already: it loads in half the time of a new one.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self._spare: dict[str, list[BrowserContext]] = defaultdict(list)
        self._options: dict[BrowserContext, dict[str, Any]] = {}

    def take(self, *, anew: bool = False, **options: Any) -> BrowserContext:
        """One with these options that nobody uses, with a blank page if it was used before.

        `anew` is for who looks at its cache, or changes more of it than what its pages show and how large they are.
        """
        kind = _kind(options)
        if self._spare[kind] and not anew:
            return self._spare[kind].pop()
        context = self.browser.new_context(**options)
        if not anew:
            self._options[context] = options
        return context

    def give_back(self, context: BrowserContext, origin: str, keep: Page | None) -> None:
        """Make it forget cookies and what the origin has stored, and close its pages but this one."""
        options, page = self._options.get(context), keep
        if options is None or page is None or page.is_closed():
            context.close()  # with all its pages: one that is on its way somewhere may never say that it is closed
            return
        for other in context.pages:
            if other != page:
                other.close()
        page.emulate_media(color_scheme=options.get("color_scheme"), reduced_motion=options.get("reduced_motion"))
        if "viewport" in options:
            page.set_viewport_size(options["viewport"])
        try:
            self._forget(page, origin)
        except Error:  # it was on its way somewhere: the next one has a context of its own
            context.close()
            return
        self._spare[_kind(options)].append(context)

    @staticmethod
    def _forget(page: Page, origin: str) -> None:
        """Empty its storage behind the back of the page that was open: that one stores something when it is left.

        The blank page of the origin is brought by the protocol itself: `route` would switch the cache off.
        """
        session = page.context.new_cdp_session(page)

        def answer(asked: dict[str, Any]) -> None:
            header = {"name": "Content-Type", "value": "text/html"}
            blank = {"requestId": asked["requestId"], "responseCode": 200, "responseHeaders": [header]}
            session.send("Fetch.fulfillRequest", blank)

        session.on("Fetch.requestPaused", answer)
        session.send("Fetch.enable", {"patterns": [{"urlPattern": f"{origin}/nothing"}]})
        page.goto(f"{origin}/nothing")
        page.evaluate("sessionStorage.clear()")
        page.context.clear_cookies()
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        page.goto("about:blank")
        session.send("Page.resetNavigationHistory")
        session.detach()


def _kind(options: dict[str, Any]) -> str:
    return repr(sorted(options.items()))


def program() -> str | None:
    """The machine's own Chromium, else None for the one Playwright brings.

    The headless shell has no tabs and menus to draw for nobody: it takes a third less of the processor.
    """
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")
