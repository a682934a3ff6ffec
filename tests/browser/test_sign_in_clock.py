"""Signing in while clocks move: the server's, which the tests set, and Google's, which stands."""

from __future__ import annotations

import http.client
import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_sign_in import KEY, SAID, fetched, session_cookies, signed_in
from tests.fakes.google import Fault
from tests.support.dashboards.dashboard import Tab, Visitor
from tests.support.dashboards.https_studio import (
    ADA,
    BO,
    HttpsStudio,
    choose,
    expect_inside,
    expect_login_page,
    https_studio,
    in_this_tab,
    sign_in,
    signs_in_here,
)
from tests.support.processes.clock import Clock
from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server
from tests.support.timeouts import LONG_S


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with moto_server() as server:
        yield with_bucket(server, {KEY: (ROOT / "samples" / KEY).read_bytes()})


@pytest.fixture(scope="module")
def running(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HttpsStudio, Clock]]:
    """A server on a machine whose clock somebody may set."""
    folder = tmp_path_factory.mktemp("steady")
    clock = Clock(folder / "clock", steady=True)
    with https_studio(folder, s3, clock) as studio:
        yield studio, clock


@pytest.fixture
def steady(running: tuple[HttpsStudio, Clock]) -> Iterator[tuple[HttpsStudio, Clock]]:
    """That server, with its clock set right."""
    yield running
    moved(*running, 0)


def test_a_session_in_use_is_renewed_after_half_an_hour_and_an_idle_one_ends_after_eight(
    visit: Visit, tmp_path_factory: pytest.TempPathFactory, s3: S3Server
) -> None:
    """The server's clock is moved, not its code."""
    folder = tmp_path_factory.mktemp("clock")
    clock = Clock(folder / "clock")
    with https_studio(folder, s3, clock) as studio:
        visitor = visit(studio)
        tab = visitor.open("/history")
        signs_in_here(tab)
        first = session_cookies(visitor)
        clock.move(31 * 60)
        renewed = renewed_by(tab, visitor, first)
        clock.move(8 * 3600 + 60)  # the first cookie has ended, and the page was opened with it
        assert renewed_by(tab, visitor, renewed) != renewed
        expect_inside(tab, ADA)

        clock.move(17 * 3600)
        expect_login_page(tab, "Your session has ended: sign in again.")
        assert [answer.status for answer in fetched(visitor.context, studio)] == [401] * 5


def test_a_clock_that_is_set_wrong_and_right_again(visit: Visit, steady: tuple[HttpsStudio, Clock]) -> None:
    """Half a minute either way, while it runs: who is in stays in, and who comes is told about the clock."""
    studio, clock = steady
    inside = signed_in(visit(studio), BO)
    here = inside.open("/references")
    expect_inside(here, BO)
    tab = visit(studio).open("/")
    for shift_s in (-30, 30):
        moved(studio, clock, shift_s)
        here.page.reload()
        expect_inside(here, BO)
        assert [answer.status for answer in fetched(inside.context, studio)] == [200, 200, 200, 200, 404]
        if shift_s < 0:  # to a clock that is behind, Google's answer comes from the future
            sign_in(tab, ADA)
            expect(tab.main).to_contain_text(SAID[Fault.EARLY])
            expect(tab.main).to_contain_text("ask an administrator to set the server's clock")
            tab.settled()
    moved(studio, clock, 0)
    signs_in_here(tab)
    here.page.reload()
    expect_inside(here, BO)


def test_who_takes_longer_than_ten_minutes_is_told_so(visit: Visit, steady: tuple[HttpsStudio, Clock]) -> None:
    """The server's clock is moved, not its code; Google's stands, so the ID token would be good."""
    studio, clock = steady
    tab = visit(studio).open("/references?q=Ada")
    in_this_tab(tab).click()
    expect(tab.page.get_by_role("heading", name="Choose an account")).to_be_visible()
    moved(studio, clock, 11 * 60)
    choose(tab.page, ADA)
    expect_login_page(tab, "This sign-in was begun more than ten minutes ago. Sign in again.")
    assert tab.page.url == f"{studio.url}/references?q=Ada"
    signs_in_here(tab)


def moved(studio: HttpsStudio, clock: Clock, shift_s: int) -> None:
    """Set the server's clock, and wait until it has noticed."""
    clock.move(shift_s)
    deadline = time.monotonic() + 15
    while abs(_ahead_s(studio) - shift_s) > 5:
        assert time.monotonic() < deadline, "the clock has not moved"


def _ahead_s(studio: HttpsStudio) -> float:
    line = http.client.HTTPSConnection("localhost", studio.port, context=studio.trust, timeout=LONG_S)
    with closing(line) as connection:
        connection.request("GET", "/healthz")
        told = connection.getresponse().headers["Date"]
    return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()


def renewed_by(tab: Tab, visitor: Visitor, before: list[str]) -> list[str]:
    """The session cookie that takes the place of this one while the page is used, without a reload."""
    tab.page.evaluate("window.stays = true")
    deadline = time.monotonic() + 60
    names = itertools.cycle(("History", "Labels"))
    while session_cookies(visitor) == before:
        assert time.monotonic() < deadline, "the session was not renewed"
        tab.page.get_by_role("link", name=next(names)).click()
        tab.settled()
    assert tab.page.evaluate("window.stays") is True
    return session_cookies(visitor)
