"""Signing in in the same tab, over HTTPS with a Google that speaks the real protocol, and when it is offered."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessible import inaccessible
from tests.browser.conftest import Visit
from tests.browser.test_sign_in import ACCESS, KEY, RESTART, leave, pardon, session_cookies
from tests.support.dashboards.dashboard import Tab, Visitor
from tests.support.dashboards.https_studio import (
    ADA,
    BO,
    STRANGER,
    HttpsStudio,
    choose,
    expect_inside,
    expect_login_page,
    https_studio,
    in_this_tab,
    press_sign_in,
    sign_in,
    signs_in_here,
)
from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server

CLOSED = "Google’s window was closed, or cannot answer this page."
BLOCK_POP_UPS = "window.open = () => null"  # as every browser answers whose person allows no pop-ups
FORGET_THE_BLOCK = "Cannot read properties of null (reading 'focus')"  # which streamlit-oauth does not look at


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with moto_server() as server:
        yield with_bucket(server, {KEY: (ROOT / "samples" / KEY).read_bytes()})


@pytest.fixture(scope="module")
def running(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsStudio]:
    with https_studio(tmp_path_factory.mktemp("https"), s3) as studio:
        yield studio


@pytest.fixture
def studio(running: HttpsStudio) -> Iterator[HttpsStudio]:
    """The server of this module, with a Google whose pages may be opened by others."""
    yield running
    running.google.cuts_off = False
    running.google.requests.clear()


@pytest.fixture
def somebody(visit: Visit, studio: HttpsStudio) -> Visitor:
    """A browser on the dashboard, signed out."""
    return visit(studio)


def expect_offered(tab: Tab, sentence: str) -> None:
    """A sentence, with the sign-in in this tab as a second button beneath it."""
    expect(tab.page.get_by_role("status").filter(has_text=sentence)).to_be_visible()
    expect(in_this_tab(tab)).to_have_css("font-weight", "600")
    assert in_this_tab(tab).bounding_box()["width"] > 250  # type: ignore[index]


def expect_quiet(tab: Tab) -> None:
    expect(in_this_tab(tab)).to_have_css("font-weight", "400")
    assert in_this_tab(tab).bounding_box()["height"] >= 24  # type: ignore[index]


def test_a_person_signs_in_in_the_tab_and_is_where_they_wanted_to_be(somebody: Visitor, studio: HttpsStudio) -> None:
    """With one load of the page, over a reload and in a second tab, until they sign out; and then again."""
    tab = somebody.open("/references?q=Ada")
    expect_login_page(tab)
    expect_quiet(tab)
    assert inaccessible(tab) == []

    loads: list[str] = []
    tab.page.on("framenavigated", lambda frame: loads.append(frame.url) if frame == tab.page.main_frame else None)
    signs_in_here(tab)
    expect(tab.cards("References")).to_have_count(1)
    assert tab.page.url == f"{studio.url}/references?q=Ada"
    assert [url for url in loads if url.startswith(studio.url)] == [f"{studio.url}/references?q=Ada"]
    assert {cookie["name"] for cookie in somebody.context.cookies()} - {"_streamlit_xsrf"} == {"__Host-studio"}
    assert len(somebody.context.pages) == 1

    tab.page.reload()
    expect_inside(tab, ADA)
    expect_inside(somebody.open("/history"), ADA)
    tab.page.bring_to_front()
    leave(tab, "Sign out")
    expect_login_page(tab)
    pardon(somebody, "401 (Unauthorized)")
    signs_in_here(tab)


def test_who_may_not_come_in_reads_it_at_the_door_once(somebody: Visitor, studio: HttpsStudio) -> None:
    tab = somebody.open("/history")
    in_this_tab(tab).click()
    choose(tab.page, STRANGER)
    expect_login_page(tab, "sam@elsewhere.example is not on the studio's list. Ask an admin of the studio to add you.")
    assert tab.page.url == f"{studio.url}/history"
    assert session_cookies(somebody) == []
    assert inaccessible(tab) == []
    tab.button("Use another account").click()
    expect(tab.main).not_to_contain_text("is not on the studio's list")
    signs_in_here(tab)
    assert tab.page.url == f"{studio.url}/history"
    leave(tab, "Sign out")
    expect_login_page(tab)
    expect(tab.main).not_to_contain_text("is not on the studio's list")


def test_who_lost_their_place_can_come_in_as_somebody_else(somebody: Visitor, studio: HttpsStudio) -> None:
    """With the cookie of a person who was removed, whose refusal must not stand for the other account's."""
    tab = somebody.open("/history")
    signs_in_here(tab, BO)
    studio.access_list({"boss@studio.example": "admin", BO.email: "blocked"}, {"studio.example": "designer"})
    try:
        expect_login_page(tab, f"{BO.email} is not on the studio's list.")
        tab.button("Use another account").click()
        in_this_tab(tab).click()
        choose(tab.page, STRANGER)
        expect_login_page(tab, f"{STRANGER.email} is not on the studio's list.")
    finally:
        studio.delete(ACCESS)


def test_a_cancellation_is_said_and_can_be_tried_again_either_way(somebody: Visitor, studio: HttpsStudio) -> None:
    tab = somebody.open("/references?q=Ada")
    in_this_tab(tab).click()
    tab.page.get_by_role("link", name="Cancel").click()
    expect_login_page(tab, "You cancelled at Google. Sign in again.")
    assert tab.page.url == f"{studio.url}/references?q=Ada"
    assert not re.search(r"tab\.[\w-]{20}|Traceback", tab.page.content())
    expect_quiet(tab)
    sign_in(tab, ADA)
    expect_inside(tab, ADA)


def test_a_blocked_pop_up_is_offered_this_tab_at_once(visit: Visit, studio: HttpsStudio) -> None:
    somebody = visit(studio, anew=True)
    somebody.context.add_init_script(BLOCK_POP_UPS)
    tab = somebody.open("/references?q=Ada")
    tab.page.frame_locator(".st-key-door iframe").get_by_role("button", name="Sign in with Google").click()
    expect_offered(tab, "Your browser blocked Google’s window.")
    pardon(somebody, FORGET_THE_BLOCK)
    assert inaccessible(tab) == []
    signs_in_here(tab)
    assert tab.page.url == f"{studio.url}/references?q=Ada"


def test_a_google_that_cuts_its_window_off_is_offered_this_tab_at_once(somebody: Visitor, studio: HttpsStudio) -> None:
    """Cross-Origin-Opener-Policy: same-origin. The window itself ends with a sentence, and not with "Signing in…"."""
    studio.google.cuts_off = True
    tab = somebody.open("/references?q=Ada")
    popup = press_sign_in(tab)
    expect_offered(tab, CLOSED)
    choose(popup, ADA)
    expect(popup.get_by_text("The dashboard’s page did not hear from this window.")).to_be_visible()
    expect(popup.get_by_text("This window closes by itself.")).to_be_hidden()
    popup.get_by_role("link", name="open the dashboard here").click()
    expect_login_page(Tab(popup, studio.url))
    popup.close()
    signs_in_here(tab)
    assert tab.page.url == f"{studio.url}/references?q=Ada"


def test_a_window_that_says_nothing_is_offered_this_tab_and_may_still_answer(visit: Visit, studio: HttpsStudio) -> None:
    """For twenty seconds it is waited for in peace; this test does not wait for them, but moves the page's clock."""
    somebody = visit(studio, anew=True)
    tab = Tab(somebody.context.new_page(), studio.url)
    tab.page.clock.install()
    tab.goto("/history")
    popup = press_sign_in(tab)
    expect(tab.page.get_by_text("Sign in in Google’s window.")).to_be_visible()
    expect_quiet(tab)
    tab.page.clock.fast_forward(21_000)
    expect_offered(tab, "Google’s window has not answered yet.")
    choose(popup, ADA)
    expect_inside(tab, ADA)


def test_choosing_this_tab_closes_the_window(somebody: Visitor) -> None:
    """Whatever it would still bring: it would reach nobody."""
    tab = somebody.open("/history")
    popup = press_sign_in(tab)
    signs_in_here(tab)
    expect_closed(popup)


def expect_closed(popup: Page) -> None:
    if not popup.is_closed():
        popup.wait_for_event("close")


@pytest.mark.parametrize("came_back", [False, True], ids=["the person is at Google", "the person has come back"])
def test_a_restart_while_the_window_is_open_is_said_and_one_press_works(
    came_back: bool, somebody: Visitor, studio: HttpsStudio
) -> None:
    tab = somebody.open("/references?q=Ada")
    popup = press_sign_in(tab)
    studio.stop()
    if came_back:  # to a server that is not there
        with popup.expect_event("requestfailed"):
            popup.get_by_role("link", name=ADA.email).click(no_wait_after=True)
    studio.start()
    said = tab.page.get_by_role("status").filter(
        has_text="The dashboard was restarted while you signed in: press again"
    )
    expect(said).to_be_visible()
    expect_closed(popup)
    expect_quiet(tab)
    sign_in(tab, ADA)
    expect_inside(tab, ADA)
    assert tab.page.url == f"{studio.url}/references?q=Ada"
    pardon(somebody, *RESTART)


def test_a_restart_while_the_person_is_at_google_in_this_tab_goes_unnoticed(
    somebody: Visitor, studio: HttpsStudio
) -> None:
    tab = somebody.open("/references?q=Ada")
    in_this_tab(tab).click()
    expect(tab.page.get_by_role("heading", name="Choose an account")).to_be_visible()
    studio.restart()
    choose(tab.page, ADA)
    expect_inside(tab, ADA)
    assert tab.page.url == f"{studio.url}/references?q=Ada"
    pardon(somebody, *RESTART)


def test_nothing_secret_reaches_the_page_its_storage_or_the_log(somebody: Visitor, studio: HttpsStudio) -> None:
    tab = somebody.open("/references?q=Ada")
    before = len(studio.google.handed_out)
    in_this_tab(tab).click()
    (attempt,) = (each["value"] for each in somebody.context.cookies() if each["name"] == "__Host-studio-attempt")
    state = re.findall(r"state=(tab\.[\w-]+)", tab.page.url)
    choose(tab.page, ADA)
    expect_inside(tab, ADA)
    told = [tab.page.content(), tab.page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")]
    told.append(studio.log.read_text("utf-8"))
    secrets = [attempt, *state, *session_cookies(somebody), *studio.google.handed_out[before:]]
    assert len(secrets) == 6
    assert [secret for secret in secrets if any(secret in text for text in told)] == []
