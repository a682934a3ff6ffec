"""Attacks by number: who sends junk is told to wait, and takes nothing from the people behind the same address."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from core.identity.google import GoogleAccount
from core.identity.session import Session, SessionSigner
from tests.fakes.google import Account
from tests.identity.attacks.window import RETURN, SESSION, TOO_MANY, Window, changed
from tests.support.browser.chromium import chromium
from tests.support.dashboards.dashboard import Visitor
from tests.support.dashboards.https_studio import (
    ADA,
    BO,
    SESSION_SECRET,
    HttpsStudio,
    expect_inside,
    expect_login_page,
    https_studio,
    sign_in,
)
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.timeouts import LONG_S, until

OFFICE = "203.0.113.9"


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsStudio]:
    """A server with its limits as they are."""
    with moto_server() as server, https_studio(tmp_path_factory.mktemp("https"), with_bucket(server)) as running:
        yield running


def from_our_page(https: HttpsStudio, address: str, cookie: str = "") -> dict[str, str]:
    """What our page's script sends, from this address."""
    told = {
        "Origin": https.url,
        "Sec-Fetch-Site": "same-origin",
        "X-Studio-Session": "1",
        "X-Forwarded-For": address,
    }
    return told | ({"Cookie": f"{SESSION}={cookie}"} if cookie else {})


def junk_token(https: HttpsStudio, client: httpx.Client, address: str) -> httpx.Response:
    return client.post("/session", content=b"junk", headers=from_our_page(https, address))


def junk_renewal(https: HttpsStudio, client: httpx.Client, address: str) -> httpx.Response:
    return client.post("/session", headers=from_our_page(https, address, "junk"))


def junk_answer(_https: HttpsStudio, client: httpx.Client, address: str) -> httpx.Response:
    """To a sign-in that nobody has begun."""
    return client.get("/oauth/callback?state=tab.junk&code=junk", headers=RETURN | {"X-Forwarded-For": address})


def junk_code(https: HttpsStudio, _client: httpx.Client, address: str) -> httpx.Response:
    """To a sign-in that was begun as it should be: only Google can say that it is junk."""
    window = Window(https, address=address)
    state = httpx.URL(window.begin()).params["state"]
    return window.comes_back(f"/oauth/callback?state={state}&code=junk")


Junk = Callable[[HttpsStudio, httpx.Client, str], httpx.Response]
JUNK: tuple[Junk, ...] = (junk_token, junk_renewal, junk_answer, junk_code)


@contextmanager
def client_of(https: HttpsStudio) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=https.url, verify=https.trust, timeout=LONG_S) as client:
        yield client


@dataclass
class Flood:
    """What a program has been answered that sends junk of every kind from one address, as fast as it can."""

    statuses: Counter[int] = field(default_factory=Counter)


@contextmanager
def junk_flows(https: HttpsStudio, address: str) -> Iterator[Flood]:
    """While the block runs; it begins once the address is over the limit."""
    flood, ending, is_limited = Flood(), threading.Event(), threading.Event()

    def send(junk: Junk) -> None:
        with client_of(https) as client:
            while not ending.is_set():
                status = junk(https, client, address).status_code
                flood.statuses[status] += 1
                if status == 429:
                    is_limited.set()

    with ThreadPoolExecutor(len(JUNK)) as pool:
        senders = [pool.submit(send, junk) for junk in JUNK]
        try:
            assert is_limited.wait(LONG_S)
            yield flood
        finally:
            ending.set()
    for sender in senders:
        sender.result()


def sealed(person: Account) -> tuple[str, str]:
    """A cookie and a login token as the server seals them."""
    signer = SessionSigner(SESSION_SECRET)
    account = GoogleAccount(person.subject, person.email, person.name, person.hosted_domain)
    session = Session.of(account, epoch=0, now=time.time())
    return signer.cookie(session), signer.login_token(session, now=time.time())


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: junk.__name__)
def test_junk_is_told_to_wait_after_twenty_of_a_minute(junk: Junk, https: HttpsStudio) -> None:
    address = f"198.51.100.{1 + JUNK.index(junk)}"
    with client_of(https) as client:
        answers = [junk(https, client, address) for _ in range(23)]
    assert [answer.status_code == 429 for answer in answers] == [False] * 20 + [True] * 3
    for answer in answers[20:]:
        assert TOO_MANY in answer.text
        assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_junk_from_a_subscribers_many_ipv6_addresses_is_one_subscribers(https: HttpsStudio) -> None:
    with client_of(https) as client:
        answers = [junk_token(https, client, f"2001:db8:7:7::{at:x}") for at in range(1, 23)]
        assert [answer.status_code for answer in answers] == [400] * 20 + [429] * 2
        assert junk_token(https, client, "2001:db8:7:8::1").status_code == 400


def test_whoever_sits_behind_the_address_of_the_junk_signs_in_renews_and_signs_out(https: HttpsStudio) -> None:
    with junk_flows(https, OFFICE) as flood, client_of(https) as client:
        window = Window(https, address=OFFICE)
        window.comes_back(window.chooses(ADA))
        assert window.is_in, "by Google, in this tab"

        cookie, login_token = sealed(ADA)
        headers = from_our_page(https, OFFICE)
        assert client.post("/session", content=login_token, headers=headers).status_code == 204, "by the pop-up's token"
        headers = from_our_page(https, OFFICE, cookie)
        for _ in range(30):
            renewed = client.post("/session", headers=headers)
            assert (renewed.status_code, SESSION in renewed.headers["set-cookie"]) == (204, True)
        assert client.delete("/session", headers=headers).status_code == 204
        assert client.post("/session", headers=headers).status_code == 400, "it has ended"

        headers = from_our_page(https, OFFICE, window.cookies[SESSION])
        assert client.delete("/session?everywhere=1", headers=headers).status_code == 204
        assert not window.is_in
    assert flood.statuses[429] > 0


@pytest.mark.browser
def test_a_person_behind_the_address_of_the_junk_signs_in_by_the_pop_up_and_out_again(https: HttpsStudio) -> None:
    """In a browser, which is on this machine as the junk is."""
    https.google.accounts = [ADA]
    with junk_flows(https, "127.0.0.1") as flood, chromium() as browser:
        tab = Visitor(browser.new_context(), https.url).open("/")
        sign_in(tab, ADA)
        expect_inside(tab, ADA)
        tab.page.locator(".st-key-person-menu").get_by_role("button").first.click()
        tab.page.get_by_role("button", name="Sign out", exact=True).click()
        expect_login_page(tab)
    assert flood.statuses[429] > 0


def test_sign_out_is_never_limited(https: HttpsStudio) -> None:
    """Nor is one of nobody's session: there is nothing to do."""
    with client_of(https) as client:
        for cookie in (*["junk"] * 30, sealed(BO)[0]):
            headers = from_our_page(https, "198.51.100.99", cookie)
            assert client.delete("/session", headers=headers).status_code == 204


def test_a_whole_office_signs_in_from_one_address_while_a_program_sends_junk(https: HttpsStudio) -> None:
    """More than its limit would let fail, and each is in."""
    office_signs_in(https, 25)


@pytest.mark.slow
def test_200_colleagues_sign_in_from_one_address_within_a_minute_while_a_program_sends_junk(https: HttpsStudio) -> None:
    assert office_signs_in(https, 200) < 60


def office_signs_in(https: HttpsStudio, people: int) -> float:
    """Seconds until everybody is in, eight at a time, while junk of every kind flows from the same address."""
    colleagues = [Account(f"no-{at}-of-{people}@studio.example", f"No. {at}", "studio.example") for at in range(people)]
    https.google.accounts = colleagues

    def signs_in(person: Account) -> bool:
        window = Window(https, address=OFFICE)
        answer = window.comes_back(window.chooses(person))
        return answer.status_code == 303 and SESSION in window.cookies

    with junk_flows(https, OFFICE) as flood, ThreadPoolExecutor(8) as office:
        began = time.monotonic()
        assert list(office.map(signs_in, colleagues)) == [True] * people
        seconds = time.monotonic() - began
    assert flood.statuses[429] > people, "as fast as it can"
    return seconds


def test_junk_from_everywhere_takes_nothing_from_who_has_not_failed(https: HttpsStudio) -> None:
    """More than the limit in all: each bot is told to wait with its second piece of junk, and nobody else is."""
    bots = [f"192.0.2.{at}" for at in range(1, 221)]
    with client_of(https) as client:

        def second_is_told_to_wait() -> bool:
            """A minute may be over in the middle; then the next one begins with these."""
            first = {junk_token(https, client, bot).status_code for bot in bots}
            second = {junk_token(https, client, bot).status_code for bot in bots[-20:]}
            return first <= {400, 429} and second == {429}

        until(second_is_told_to_wait, "the limit in all is reached")
        assert junk_token(https, client, "203.0.113.77").status_code == 400
        _, login_token = sealed(BO)
        headers = from_our_page(https, bots[0])
        assert client.post("/session", content=login_token, headers=headers).status_code == 204
        window = Window(https)
        window.comes_back(window.goes_to_google(BO))
        assert window.is_in


def test_an_attempt_that_is_good_is_not_ended_by_junk_to_it(https: HttpsStudio) -> None:
    """A foreign answer over the limit leaves what waits for its own."""
    window = Window(https, address="198.51.100.50")
    path = window.goes_to_google()
    for _ in range(25):
        answer = window.comes_back(changed(path, state="tab.junk"))
    assert answer.status_code == 429
    window.comes_back(path)
    assert window.is_in
