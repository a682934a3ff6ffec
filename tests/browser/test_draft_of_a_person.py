"""Whose draft it is: it stays through an expired session and a deploy, and after a sign-out nobody finds it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from core.identity.google import GoogleAccount
from core.identity.session import Session, SessionSigner
from tests.browser.conftest import Visit
from tests.fakes.google import Account
from tests.support.dashboards.dashboard import Tab, Visitor, expect_line
from tests.support.dashboards.https_studio import (
    ADA,
    BO,
    BOSS,
    SESSION_SECRET,
    HttpsStudio,
    expect_inside,
    expect_login_page,
    https_studio,
    sign_in,
)
from tests.support.latch import Latch
from tests.support.processes.programs import ROOT
from tests.support.s3.http_proxy import Exchange, proxied
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import client_of

KEY = "refs/01. Model/a(natural,film) eye-level/Ada 03.jpg"
PROMPT = "Ada in a linen shirt"
REMEMBER_LINES = """
  window.lines = [];
  window.WebSocket = class extends WebSocket {
    constructor(...to) { super(...to); window.lines.push(this); }
  };
"""
BREAK_LINES = "window.lines.forEach((line) => line.close())"
ALL_KEPT = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }])"


@dataclass
class Listings:
    """Where listings of the library pass by on their way to S3; they can be held there."""

    held: Latch | None = None

    def pass_by(self, passing: Exchange) -> bool:
        if self.held and not passing.key and "prefix=refs" in passing.target:
            self.held.hold()
        return True

    @contextmanager
    def holding(self) -> Iterator[Latch]:
        self.held = Latch()
        try:
            yield self.held
        finally:
            self.held.open()
            self.held = None


LISTINGS = Listings()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsStudio]:
    with (
        moto_server() as server,
        proxied(with_bucket(server, {KEY: (ROOT / "samples" / KEY).read_bytes()}), before=LISTINGS.pass_by) as s3,
        https_studio(tmp_path_factory.mktemp("https"), s3) as running,
    ):
        yield running


@pytest.fixture
def somebody(visit: Visit, studio: HttpsStudio) -> Visitor:
    """A browser on the dashboard, signed out."""
    return visit(studio)


def is_signed_in(somebody: Visitor, account: Account) -> None:
    """Have the cookie of somebody who has signed in, as Google's answer brings it."""
    person = GoogleAccount(account.subject, account.email, account.name, "studio.example")
    cookie = SessionSigner(SESSION_SECRET).cookie(Session.of(person, epoch=0, now=time.time()))
    somebody.context.add_cookies([{"name": "__Host-studio", "value": cookie, "url": somebody.home, "secure": True}])


def drafting(somebody: Visitor, account: Account = ADA) -> Tab:
    """A signed-in tab with a prompt that is not sent."""
    is_signed_in(somebody, account)
    tab = somebody.open("/")
    expect_inside(tab, account)
    expect(tab.prompt).to_have_value("")
    tab.type_prompt(PROMPT)
    expect(tab.main.get_by_text("Read: Ada")).to_be_visible()
    tab.settled()
    assert PROMPT in tab.page.evaluate(ALL_KEPT)
    return tab


def leave(tab: Tab, button: str) -> None:
    tab.page.locator(".st-key-person-menu").get_by_role("button").first.click()
    tab.page.get_by_role("button", name=button, exact=True).click()


def expect_forgotten(tab: Tab) -> None:
    tab.page.wait_for_function(f"() => !{ALL_KEPT}.includes('linen') && !{ALL_KEPT}.includes('studio.draft.')")


def test_after_a_sign_out_nothing_is_left_and_other_tabs_write_nothing(somebody: Visitor) -> None:
    tab = drafting(somebody)
    other = somebody.open("/")
    expect(other.prompt).to_have_value("")
    other.type_prompt("Ada in linen, another one")
    expect(other.main.get_by_text("Read: Ada")).to_be_visible()
    leave(tab, "Sign out")
    expect_login_page(tab)
    other.page.evaluate(  # what is typed until the other tab has noticed
        """() => {
          const visit = (root) => [...root.querySelectorAll("*")].map((node) => node.shadowRoot).filter(Boolean)
            .forEach((inner) => inner.querySelectorAll("textarea").forEach((area) => {
              area.value += ", in linen too";
              area.dispatchEvent(new Event("input", { bubbles: true }));
            }));
          visit(document);
        }"""
    )
    expect_forgotten(tab)
    expect_login_page(other, "You have been signed out")
    expect_forgotten(tab)
    sign_in(tab, BO)
    expect_inside(tab, BO)
    expect(tab.prompt).to_have_value("")
    expect_forgotten(tab)


def test_a_sign_out_everywhere_on_another_device_is_one_here_too(
    visit: Visit, somebody: Visitor, studio: HttpsStudio
) -> None:
    """In a tab that is open, and in a browser that is opened later; where it was pressed nothing is left either."""
    tab = drafting(somebody, BOSS)  # whose cookies of before are good nowhere any more
    closed = visit(studio)
    drafting(closed, BOSS).page.close()
    elsewhere = drafting(visit(studio), BOSS)
    leave(elsewhere, "Sign out all my sessions")
    expect_login_page(elsewhere)
    expect_forgotten(elsewhere)
    for each in (tab, closed.open("/labels")):
        expect_login_page(each, "You have been signed out")
        expect_forgotten(each)


def test_an_expired_session_keeps_the_draft_for_its_person_alone(somebody: Visitor) -> None:
    """What the browser keeps meanwhile names nobody."""
    tab = drafting(somebody)
    assert not re.search(r"ada@|studio\.example", tab.page.evaluate(ALL_KEPT), re.IGNORECASE)
    somebody.context.clear_cookies()
    tab.page.reload()
    expect_login_page(tab)
    sign_in(tab, ADA)
    expect_inside(tab, ADA)
    expect(tab.prompt).to_have_value(PROMPT)

    somebody.context.clear_cookies()
    tab.goto("/history")  # where nothing is composed
    expect_login_page(tab)
    sign_in(tab, BO)
    expect_inside(tab, BO)
    expect_forgotten(tab)
    tab.page.get_by_role("link", name="Generate").click()
    expect(tab.prompt).to_have_value("")


@pytest.mark.parametrize("way", ["the same server", "a server that was started again"])
def test_a_tab_in_which_somebody_else_is_signed_in_begins_anew(
    way: str, somebody: Visitor, studio: HttpsStudio
) -> None:
    """It was left open, and its line was lost; meanwhile another person has signed in in that browser."""
    somebody.is_restarted = True
    somebody.context.add_init_script(REMEMBER_LINES)
    tab = drafting(somebody)
    is_signed_in(somebody, BO)
    if way == "the same server":
        tab.page.evaluate(BREAK_LINES)
    else:
        studio.restart()
    expect_inside(tab, BO)
    expect(tab.prompt).to_have_value("")
    expect_forgotten(tab)
    assert "linen" not in tab.text()


def test_a_deploy_under_a_signed_in_tab_costs_nothing(somebody: Visitor, studio: HttpsStudio) -> None:
    """There Streamlit asks for a run by itself as soon as it has found the server again."""
    tab = drafting(somebody)
    studio.restart()
    expect_line(tab, is_there=True)
    tab.page.keyboard.press("Control+Enter")
    _expect_one_of(tab, studio)


def test_a_press_before_the_library_is_listed_is_answered_once_it_is(somebody: Visitor, studio: HttpsStudio) -> None:
    """The prompt stays where it is, and has the focus that it had."""
    tab = drafting(somebody)
    studio.stop()
    with LISTINGS.holding() as listings:
        studio.start(answers="/healthz")
        listings.wait_for()
        expect_line(tab, is_there=True)
        tab.prompt.focus()
        tab.prompt.press("Control+Enter")
        tab.page.wait_for_timeout(2500)  # longer than a page without a draft waits
        expect(tab.prompt).to_be_focused()
        expect(tab.prompt).to_have_value(PROMPT)
    _expect_one_of(tab, studio)
    expect(tab.prompt).to_be_focused()


def _expect_one_of(tab: Tab, studio: HttpsStudio) -> None:
    asked = studio.read(_record_of(studio, tab.shown_comparison))
    assert asked["wishes"]["prompt"] == PROMPT
    assert len(_records(studio)) == 1
    studio.delete(*_records(studio))


def _records(studio: HttpsStudio) -> list[str]:
    listed = client_of(studio.s3).list_objects_v2(Bucket=studio.s3.bucket, Prefix="studio/generations/")
    return [item["Key"] for item in listed.get("Contents", ()) if item["Key"].endswith("/comparison.json")]


def _record_of(studio: HttpsStudio, comparison: str) -> str:
    (key,) = (key for key in _records(studio) if f"/{comparison}/" in key)
    return key
