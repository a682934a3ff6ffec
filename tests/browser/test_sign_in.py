"""Signing in over HTTPS with a Google that speaks the real protocol: in, out, and every way in which it can fail."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest
from playwright.sync_api import APIResponse, Browser, BrowserContext, expect

from core.identity.google import GoogleAccount
from core.identity.session import Session, SessionSigner
from tests.browser.accessible import inaccessible
from tests.browser.conftest import Visit
from tests.fakes.google import CLIENT_SECRET, Account, Fault
from tests.support.dashboards.dashboard import Tab, Visitor
from tests.support.dashboards.https_studio import (
    ADA,
    BO,
    BOSS,
    SESSION_SECRET,
    STRANGER,
    HttpsStudio,
    choose,
    expect_inside,
    expect_login_page,
    https_studio,
    picture_paths,
    press_sign_in,
    sign_in,
    signs_in_here,
)
from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server, client_of
from tests.support.timeouts import LONG_S, until

EMI = Account("emi@studio.example", "Emi Sato", "studio.example")  # all of whose sessions end in one test
KEY = "refs/01. Model/a(natural,film) eye-level/Ada 03.jpg"
ACCESS = "studio/access.json"
RESTART = (
    "ERR_CONNECTION_REFUSED",
    "ERR_CONNECTION_RESET",
    "WebSocket",
    "ERR_EMPTY_RESPONSE",
    "disconnected from server",
)


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
    """The server of this module, with nobody's change to its list and a Google that works."""
    yield running
    running.google.fault = None
    running.google.faults = {}
    running.google.certs_max_age_s = 20_000
    running.delete(ACCESS)


@pytest.fixture
def somebody(visit: Visit, studio: HttpsStudio) -> Iterator[Visitor]:
    """A browser on the dashboard, signed out."""
    return visit(studio)


def etag_of(s3: S3Server) -> str:
    found: str = client_of(s3).head_object(Bucket=s3.bucket, Key=KEY)["ETag"].strip('"')
    return found


def fetched(context: BrowserContext, studio: HttpsStudio) -> list[APIResponse]:
    """What this browser gets of a picture, under every address it has."""
    return [context.request.get(studio.url + path) for path in picture_paths(KEY, etag_of(studio.s3))]


def session_cookies(visitor: Visitor) -> list[str]:
    """The session cookies a browser has; Streamlit has one of its own that says nothing about a person."""
    return [cookie["value"] for cookie in visitor.context.cookies() if cookie["name"] == "__Host-studio"]


def pardon(visitor: Visitor, *words: str) -> None:
    """What a browser rightly complains about while a test takes its server or its storage away."""
    visitor.complaints[:] = [each for each in visitor.complaints if not any(word in each for word in words)]


def signed_in(visitor: Visitor, account: Account) -> Visitor:
    """Let this browser be somebody's, with a cookie as the server would have set it a minute ago."""
    known = GoogleAccount(account.subject, account.email, account.name, account.hosted_domain)
    begun = Session.of(known, epoch=0, now=time.time() - 60)
    cookie = SessionSigner(SESSION_SECRET).cookie(begun)
    visitor.context.add_cookies([{"name": "__Host-studio", "value": cookie, "url": visitor.home, "secure": True}])
    return visitor


def leave(tab: Tab, button: str) -> None:
    tab.page.locator(".st-key-person-menu").get_by_role("button").first.click()
    tab.page.get_by_role("button", name=button, exact=True).click()


def test_a_person_signs_in_and_stays_in_wherever_the_link_led(somebody: Visitor, studio: HttpsStudio) -> None:
    """A deep link, a reload, a second tab and a restart of the server, all on one sign-in."""
    tab = somebody.open("/references?q=Ada")
    expect_login_page(tab)
    assert inaccessible(tab) == []
    assert all(answer.status == 401 for answer in fetched(somebody.context, studio))

    sign_in(tab, ADA)
    expect_inside(tab, ADA)
    expect(tab.cards("References")).to_have_count(1)
    assert tab.page.url == f"{studio.url}/references?q=Ada"
    assert [answer.status for answer in fetched(somebody.context, studio)] == [200, 200, 200, 200, 404]

    tab.page.reload()
    expect_inside(tab, ADA)
    second = somebody.open("/history")
    expect_inside(second, ADA)
    second.page.close()
    tab.goto("/people")  # which is for admins, and in nobody else's menu
    expect(tab.main).to_contain_text("Your role (designer) does not include this: ask an admin of the studio.")
    expect(tab.page.get_by_role("navigation", name="App pages").get_by_role("link")).to_have_count(6)
    studio.restart()
    tab.goto("/labels")
    expect_inside(tab, ADA)
    pardon(somebody, *RESTART)
    (cookie,) = (each for each in somebody.context.cookies() if each["name"] == "__Host-studio")
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")


def test_nothing_secret_reaches_the_page_its_storage_or_the_log(somebody: Visitor, studio: HttpsStudio) -> None:
    tab = somebody.open("/")
    told: list[str] = []
    tab.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: told.append(_text(frame))))
    tab.page.reload()
    sign_in(tab, ADA)
    expect_inside(tab, ADA)
    told += [tab.page.content(), tab.page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")]
    told.append(studio.log.read_text("utf-8"))
    secrets = [CLIENT_SECRET, SESSION_SECRET, *session_cookies(somebody), *studio.google.handed_out]
    assert len(secrets) >= 6
    assert [secret for secret in secrets if any(secret in text for text in told)] == []


def _text(frame: str | bytes) -> str:
    return frame if isinstance(frame, str) else frame.decode("utf-8", "replace")


def test_signing_out_closes_every_tab_of_this_browser_and_its_pictures(somebody: Visitor, studio: HttpsStudio) -> None:
    tab = signed_in(somebody, ADA).open("/history")
    expect_inside(tab, ADA)
    other = somebody.open("/labels")
    expect_inside(other, ADA)
    kept = somebody.context.cookies()

    leave(tab, "Sign out")
    expect_login_page(tab)
    expect_login_page(other, "You have been signed out")
    pardon(somebody, "401 (Unauthorized)")  # of a picture that the other tab was about to show
    assert [answer.status for answer in fetched(somebody.context, studio)] == [401] * 5
    somebody.context.add_cookies(kept)  # a copy of the cookie that somebody kept
    assert [answer.status for answer in fetched(somebody.context, studio)] == [401] * 5
    other.page.reload()
    expect_login_page(other, "You have been signed out")
    signs_in_here(other)


def test_signing_out_everywhere_ends_the_sessions_of_other_browsers_and_nobody_elses(
    visit: Visit, studio: HttpsStudio
) -> None:
    accounts = (EMI, EMI, BO)
    browsers = [signed_in(visit(studio), account) for account in accounts]
    tabs = [browser.open("/history") for browser in browsers]
    for tab, account in zip(tabs, accounts, strict=True):
        expect_inside(tab, account)

    leave(tabs[0], "Sign out all my sessions")
    expect_login_page(tabs[0])
    expect_login_page(tabs[1], "You have been signed out")
    studio.restart()
    assert [answer.status for answer in fetched(browsers[1].context, studio)] == [401] * 5
    tabs[2].page.reload()
    expect_inside(tabs[2], BO)
    for browser in browsers:
        pardon(browser, *RESTART)


def test_somebody_who_is_not_on_the_list_sees_whom_to_ask_and_can_use_another_account(
    somebody: Visitor, studio: HttpsStudio
) -> None:
    tab = somebody.open("/")
    sign_in(tab, STRANGER)
    expect_login_page(tab, "sam@elsewhere.example is not on the studio's list. Ask an admin of the studio to add you.")
    assert inaccessible(tab) == []
    assert session_cookies(somebody) == []
    assert fetched(somebody.context, studio)[0].status == 401

    tab.button("Use another account").click()
    sign_in(tab, ADA)
    expect_inside(tab, ADA)


def test_who_is_removed_from_the_list_sees_the_door_without_touching_anything(
    somebody: Visitor, studio: HttpsStudio
) -> None:
    tab = signed_in(somebody, ADA).open("/references")
    expect(tab.cards("References")).to_have_count(1)

    studio.access_list({BOSS.email: "admin", ADA.email: "blocked"}, {"studio.example": "designer"})
    expect_login_page(tab, f"{ADA.email} is not on the studio's list. Ask an admin of the studio to add you.")
    expect(tab.cards("References")).to_have_count(0)
    assert [answer.status for answer in fetched(somebody.context, studio)] == [401] * 5

    studio.access_list({BOSS.email: "admin"}, {"studio.example": "designer"})
    until(lambda: fetched(somebody.context, studio)[0].status == 200, "the list is read anew")
    tab.page.reload()
    expect_inside(tab, ADA)


def test_while_the_list_cannot_be_read_nobody_is_let_in_and_trying_again_helps(
    somebody: Visitor, studio: HttpsStudio
) -> None:
    tab = signed_in(somebody, ADA).open("/references")
    expect_inside(tab, ADA)
    studio.put(ACCESS, b"{ damaged")
    expect_login_page(tab, "Nobody can be let in right now.")
    expect(tab.main).to_contain_text("access.json in S3 is damaged")
    studio.delete(ACCESS)
    tab.button("Try again").click()
    expect_inside(tab, ADA)
    pardon(somebody, "status of 503")  # the picture that was on its way


SAID = {
    Fault.DENIED: "You cancelled at Google.",
    Fault.SERVER_ERROR_AT_AUTHORIZE: "Google has a fault of its own",
    Fault.NO_STATE: "This answer belongs to another sign-in.",
    Fault.WRONG_STATE: "This answer belongs to another sign-in.",
    Fault.NO_CODE: "Google did not say who you are.",
    Fault.WRONG_CODE: "Google did not confirm this sign-in.",
    Fault.TOKEN_DOWN: "Google did not confirm this sign-in.",
    Fault.TOKEN_500: "Google did not confirm this sign-in.",
    Fault.TOKEN_SLOW: "Google did not confirm this sign-in.",
    Fault.TOKEN_GARBAGE: "Google did not confirm this sign-in.",
    Fault.TOKEN_LIST: "Google did not say who you are.",
    Fault.NO_ID_TOKEN: "Google did not say who you are.",
    Fault.ID_TOKEN_NUMBER: "Google did not say who you are.",
    Fault.NO_NONCE: "Google's answer belongs to another sign-in.",
    Fault.WRONG_NONCE: "Google's answer belongs to another sign-in.",
    Fault.WRONG_AUDIENCE: "Google's answer could not be verified.",
    Fault.WRONG_ISSUER: "Google's answer could not be verified.",
    Fault.EXPIRED: "Google's answer is too old.",
    Fault.EARLY: "Google's answer is dated more than 10 seconds ahead of this server's clock",
    Fault.UNVERIFIED_EMAIL: "Google has not verified your e-mail address",
    Fault.NO_EMAIL: "Google did not say your e-mail address",
    Fault.ALG_NONE: "Google's answer could not be verified.",
    Fault.ALG_HS256: "Google's answer could not be verified.",
    Fault.TAMPERED: "Google's answer could not be verified.",
    Fault.UNKNOWN_KEY: "Google's answer could not be verified.",
}
# One of a kind comes through the pop-up. What Google's answer has to pass is the same code for both ways in, and
# `tests/identity/attacks/test_redirect.py` tries every fault at it.
OF_A_KIND = (
    *(Fault.DENIED, Fault.SERVER_ERROR_AT_AUTHORIZE, Fault.NO_STATE, Fault.WRONG_STATE, Fault.NO_CODE),
    *(Fault.TOKEN_DOWN, Fault.WRONG_NONCE, Fault.NO_ID_TOKEN, Fault.TAMPERED, Fault.EXPIRED),
    *(Fault.UNVERIFIED_EMAIL, Fault.NO_EMAIL),
)
CERTIFICATES = (Fault.CERTS_500, Fault.CERTS_DOWN)


def test_every_fault_of_the_fake_is_tried() -> None:
    assert {*SAID, *CERTIFICATES} == set(Fault)
    by_clock = SAID[Fault.EARLY]  # which is met in test_sign_in_clock.py
    assert {by_clock, *(SAID[fault] for fault in OF_A_KIND)} == {*SAID.values()}


def test_every_kind_of_failure_says_one_sentence_leaves_nobody_inside_and_can_be_tried_again(
    somebody: Visitor, studio: HttpsStudio
) -> None:
    """Two tabs at a time, for a pop-up takes a second to be noticed; in each the sentence is another every time."""
    before = studio.refusals("sign_in_refused")
    tabs = [somebody.open("/references?q=Ada") for _ in range(2)]
    met = {Account(f"{fault.name.lower()}@studio.example", fault.name): fault for fault in OF_A_KIND}
    studio.google.accounts = (*studio.google.accounts, *met)
    studio.google.faults = {account.email: fault for account, fault in met.items()}
    for pair in zip(*[iter(met)] * len(tabs), strict=True):
        for tab, account in zip(tabs, pair, strict=True):
            sign_in(tab, account)
        for tab, account in zip(tabs, pair, strict=True):
            expect(tab.main, account.name).to_contain_text(SAID[met[account]])
            tab.settled()
            assert not re.search(r"4/0A|ya29|eyJ|Traceback", tab.page.content()), account.name
    assert studio.refusals("sign_in_refused") == before + len(met)
    assert session_cookies(somebody) == []
    sign_in(tabs[0], ADA)
    expect_inside(tabs[0], ADA)
    assert tabs[0].page.url == f"{studio.url}/references?q=Ada"


def test_a_server_without_googles_certificates_lets_nobody_in_until_it_gets_them(
    somebody: Visitor, studio: HttpsStudio
) -> None:
    """A server that has just started has none kept from before."""
    studio.restart()
    studio.google.certs_max_age_s = 0  # each sign-in asks for them again
    tab = somebody.open("/")
    studio.google.fault = Fault.CERTS_DOWN
    sign_in(tab, ADA)
    expect(tab.main).to_contain_text("Google's certificates cannot be fetched right now: try again in a minute.")
    tab.settled()
    studio.google.fault = None
    signs_in_here(tab)

    for fault in CERTIFICATES:  # from now on there are some, which serve for a day
        studio.google.fault = fault
        asked_before = studio.google.requests.count("/certs")
        leave(tab, "Sign out")
        expect_login_page(tab)
        signs_in_here(tab)
        assert studio.google.requests.count("/certs") > asked_before, "it has asked in vain"


def test_a_pop_up_that_is_closed_leaves_the_button_to_be_pressed_again(chromium: Browser, studio: HttpsStudio) -> None:
    with chromium.new_context(ignore_https_errors=True) as context:
        tab = Visitor(context, studio.url).open("/")
        pop_up = press_sign_in(tab)
        pop_up.wait_for_load_state()  # a person closes what they see
        pop_up.close()
        expect(tab.main).to_contain_text("Google’s window was closed, or cannot answer this page.")
        choose(press_sign_in(tab), ADA)
        expect_inside(tab, ADA)


def test_at_another_address_people_are_told_where_to_go(visit: Visit, studio: HttpsStudio) -> None:
    visitor = visit(studio)
    tab = Tab(visitor.page(), studio.url.replace("localhost", "127.0.0.1"))
    tab.goto("/history")
    expect_login_page(tab)
    expect(tab.main.get_by_role("link", name=studio.url)).to_have_attribute("href", studio.url)
    expect(tab.page.locator(".st-key-door iframe")).to_have_count(0)


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("{public}", "localhost:{port}", 101),
        ("{public}", "10.0.0.7:8501", 101),  # behind a proxy that asks under an address of its own
        ("https://10.0.0.7:8501", "10.0.0.7:8501", 101),  # opened there: told where to go, with no cookie to lose
        (None, "localhost:{port}", 101),  # no browser
        ("https://evil.example", "localhost:{port}", 403),
        ("https://localhost:1", "localhost:{port}", 403),
        ("http://localhost", "localhost:{port}", 403),
        ("https://127.0.0.1:{port}", "localhost:{port}", 403),
        ("{public}.evil.example", "localhost:{port}", 403),
        ("null", "localhost:{port}", 403),
    ],
)
def test_a_websocket_is_opened_for_pages_of_the_dashboard_alone(
    origin: str | None, host: str, status: int, running: HttpsStudio
) -> None:
    """Streamlit by itself takes every port of this machine, and every name of it, for its own."""
    told = {"public": running.url, "port": running.port}
    headers = {
        "Host": host.format(**told),
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "streamlit",
    }
    if origin is not None:
        headers["Origin"] = origin.format(**told)
    assert asked(running, "GET", "/_stcore/stream", headers) == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/_stcore/upload_file/a/b"),
        ("OPTIONS", "/_stcore/upload_file/a/b"),
        ("DELETE", "/_stcore/upload_file/a/b"),
        ("GET", "/_stcore/metrics"),
        ("GET", "/_stcore/script-health-check"),
        ("POST", "/_stcore/agent/run"),
    ],
)
def test_what_no_page_needs_of_streamlit_is_not_there(method: str, path: str, running: HttpsStudio) -> None:
    assert asked(running, method, path, {}) == 404


def asked(studio: HttpsStudio, method: str, path: str, headers: Mapping[str, str]) -> int:
    """The status of an answer, with exactly these headers."""
    connection = http.client.HTTPSConnection("localhost", studio.port, context=studio.trust, timeout=LONG_S)
    with closing(connection):
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status


def test_a_change_that_lost_a_race_waits_for_its_admin(somebody: Visitor, studio: HttpsStudio) -> None:
    """Streamlit calls back once more for widgets that have left the page when a fragment runs: the one that
    watches the session must not save what the admin was just told is not saved."""
    studio.access_list({BOSS.email: "admin", ADA.email: "designer"})
    tab = signed_in(somebody, BOSS).open("/people")
    expect_inside(tab, BOSS)
    expect(tab.main).to_contain_text("2 people")
    studio.access_list({BOSS.email: "admin", ADA.email: "designer", BO.email: "ops"})
    tab.choose(f"{ADA.email} comes in as", "Blocked")
    expect(tab.main).to_contain_text(f"Yours is not saved yet: {ADA.email}, blocked.")
    runs = tab.page.evaluate_handle(
        """() => {
          const seen = { runs: 0 };
          const app = document.querySelector('[data-testid="stApp"]');
          new MutationObserver(() => (seen.runs += app.dataset.testScriptState === "notRunning"))
            .observe(app, { attributeFilter: ["data-test-script-state"] });
          return seen;
        }"""
    )
    tab.page.wait_for_function("seen => seen.runs >= 2", arg=runs)
    assert studio.read(ACCESS)["people"][ADA.email] == "designer"
    tab.button("Save mine as well").click()
    expect(tab.main).not_to_contain_text("Yours is not saved yet")
    assert studio.read(ACCESS)["people"] == {ADA.email: "blocked", BO.email: "ops", BOSS.email: "admin"}
