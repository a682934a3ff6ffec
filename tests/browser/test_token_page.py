"""The token page: what people meet of a demo that asks for its start-up token, from the first look to a restart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.storage.local.data_dir import ADDRESS_FILE
from tests.browser.conftest import Visit
from tests.support.ports import give_back, own_port
from tests.support.processes.servers import Server

ASKED = "This demo asks for the address that was printed where it was started"
REFUSED = "That token does not belong to this start"


class Demo:
    """A demo that asks for its token, and can be started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = own_port()
        self.url = f"http://localhost:{self._port}"
        self.server = self._started()

    def _started(self) -> Server:
        server = Server(self._folder, {"DEMO_TOKEN": "on"}, port=self._port, forked=True)
        server.ready()
        return server

    def restart(self) -> None:
        self.server.end()
        self.server = self._started()

    def end(self) -> None:
        self.server.end()
        give_back(self._port)

    @property
    def address(self) -> str:
        return (self.server.data_dir / ADDRESS_FILE).read_text("utf-8").strip()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("token"))
    yield running
    running.end()


def paste(page: Page, text: str) -> None:
    page.get_by_label("Address or token").fill(text)
    page.get_by_role("button", name="Open the dashboard").click()


def is_in(page: Page) -> None:
    expect(page.get_by_role("main")).to_contain_text("110 pictures in 40 groups")


def test_a_wrong_token_says_so_and_the_right_one_opens_the_page_that_was_wanted(demo: Demo, visit: Visit) -> None:
    visitor = visit(demo)
    tab = visitor.open("/references")
    expect(tab.main).to_contain_text(ASKED)
    expect(tab.page.get_by_role("navigation", name="App pages").get_by_role("link")).to_have_count(0)
    for wrong in ("wrong", demo.address[:-1]):
        paste(tab.page, wrong)
        expect(tab.main).to_contain_text(REFUSED)
        expect(tab.page.get_by_label("Address or token")).to_have_value("")
    assert tab.comes_to(lambda: len(visitor.complaints) == 2)  # the second answer looks like the first on the page
    assert all("status of 400" in line for line in visitor.complaints)
    visitor.complaints.clear()
    paste(tab.page, demo.address)  # as a whole
    is_in(tab.page)
    assert "studio" not in tab.page.evaluate("document.cookie")
    expect(tab.page.get_by_role("main").get_by_role("img").first).to_be_visible()


def test_the_address_opens_the_dashboard_and_leaves_no_token_behind(demo: Demo, visit: Visit) -> None:
    tab = visit(demo).open("/references")
    tab.page.goto(demo.address.replace("/?", "/references?q=Ada&"))
    expect(tab.page).to_have_url(f"{demo.url}/references?q=Ada")
    expect(tab.main).to_contain_text(re.compile(r"\d+ pictures?"))
    token = demo.address.partition("token=")[2]
    assert token not in tab.page.evaluate("JSON.stringify([location.href, document.referrer, history.state])")
    assert token not in tab.page.content()


def test_after_a_restart_the_page_says_that_the_token_was_another_starts(demo: Demo, visit: Visit) -> None:
    visitor = visit(demo)
    tab = visitor.open("/references")
    tab.page.goto(demo.address)
    expect(tab.main).to_contain_text("sample library")
    old = demo.address
    tab.page.goto("about:blank")
    demo.restart()
    tab.goto("/references")
    expect(tab.main).to_contain_text(REFUSED)
    tab.page.goto(old)
    expect(tab.main).to_contain_text(REFUSED)
    paste(tab.page, demo.address.partition("token=")[2])
    expect(tab.main).to_contain_text("sample library")
