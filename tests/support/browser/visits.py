"""One page that visits a demo again and again, so that a test need not load Streamlit to find the demo as it begins."""

from __future__ import annotations

from itertools import count

import pytest
from playwright.sync_api import Error, Page, expect

# To Streamlit this is a step back or forward to another query of the same page: it runs the page for that one.
_AGAIN = """address => {
    history.replaceState(null, "", address);
    document.querySelectorAll('[data-testid="stMain"]').forEach((scrolled) => scrolled.scrollTo(0, 0));
    dispatchEvent(new PopStateEvent("popstate"));
}"""


class Visits:
    """The visits of a page to one demo of `tests.support.dashboards.demos`, each with a state of its own there.

    `part` is the key of the demo's component, which is mounted anew for every visit.
    """

    def __init__(self, page: Page, url: str, part: str, session: pytest.Session) -> None:
        self.page = page
        self._url = url
        self._part = part
        self._session = session
        self._numbers = count(1)
        self._failed = -1
        self._faults: list[Error] = []
        self._viewport = page.viewport_size
        page.on("pageerror", lambda fault: self._faults.append(fault))

    def begin(self, query: str = "", *, loads: bool = False) -> Page:
        """A visit; with `loads`, and after a test that failed, in a document of its own."""
        number = next(self._numbers)
        address = f"{self._url}/?visit={number}&{query}"
        self.page.mouse.move(0, 0)
        if loads or self._session.testsfailed != self._failed:
            self.page.goto(address)
        else:
            self.page.evaluate(_AGAIN, address)
        self._failed = self._session.testsfailed
        expect(self.page.locator(f".st-key-{self._part}-{number}")).to_be_attached()
        expect(self.page.locator(f"[class*='st-key-{self._part}-']")).to_have_count(1)  # the last one is gone
        return self.page

    def end(self) -> None:
        """No script has failed meanwhile, and what a test has set on the page is undone."""
        self.page.unroute_all()
        self.page.emulate_media(reduced_motion="null")
        self.page.context.clear_permissions()
        if self._viewport and self.page.viewport_size != self._viewport:
            self.page.set_viewport_size(self._viewport)
        faults, self._faults[:] = [*self._faults], []
        assert faults == []
