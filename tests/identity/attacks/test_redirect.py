"""Attacks on the sign-in in the same tab: what the pop-up's answer has to pass, Google's redirect has to pass too.

Every attack differs from a good sign-in in what its name says and in nothing else; that the good one comes in is
tested first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from core.identity.redirect import RedirectAttempt
from core.identity.session import LIFETIME_S, sealer_for
from tests.browser.test_sign_in import CERTIFICATES, SAID
from tests.fakes.google import CLIENT_SECRET, Account, Fault
from tests.identity.attacks.forgeries import forged, unsealed
from tests.identity.attacks.window import (
    ATTEMPT,
    FOREIGN,
    LINK,
    NOT_CONFIRMED,
    REFUSAL,
    RETURN,
    SESSION,
    TOO_MANY,
    WANTED,
    Window,
    changed,
    query_of,
    secrets,
)
from tests.support.dashboards.https_studio import ADA, BO, BOSS, SESSION_SECRET, STRANGER, HttpsStudio, https_studio
from tests.support.dashboards.production import Production, from_our_page
from tests.support.ports import own_port
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server
from tests.support.server_log import check_log


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Server]:
    with moto_server() as server:
        yield with_bucket(server)


@pytest.fixture(scope="module")
def running(bucket: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsStudio]:
    """A server with a Google; when all attacks are over its log tells nothing of what they sent and got."""
    secrets.clear()
    with https_studio(tmp_path_factory.mktemp("https"), bucket) as https:
        yield https
        assert len(secrets) > 100
        check_log(https.log.read_text("utf-8"), {*secrets, *https.google.handed_out, SESSION_SECRET, CLIENT_SECRET})


@pytest.fixture
def https(running: HttpsStudio) -> Iterator[HttpsStudio]:
    """The server of this module, with a Google that works."""
    yield running
    running.google.fault = None
    running.google.certs_max_age_s = 20_000


def refused(window: Window, answer: httpx.Response, sentence: str, *, page: str = WANTED) -> bool:
    """Whether the login page says this sentence of a window without a session."""
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    told = sealer_for(SESSION_SECRET, "studio.refusal.1").loads(window.cookies[REFUSAL])
    assert sentence in told["said"]
    assert SESSION not in window.cookies
    return not window.is_in


def inert(window: Window, answer: httpx.Response) -> bool:
    """Whether this is the pop-up's page, which does nothing and leads to the dashboard only if somebody wants it."""
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text
    assert "set-cookie" not in answer.headers
    assert SESSION not in window.cookies
    return not window.is_in


def test_a_good_sign_in_ends_with_the_session_at_the_page_that_was_wanted(https: HttpsStudio) -> None:
    """Or all that follows would prove nothing."""
    window = Window(https)
    start = window.get(f"/oauth/start?{urlencode({'to': WANTED})}", LINK)
    asked = query_of(start)
    assert start.headers["Location"].startswith(https.google.authorize_url)
    assert asked["redirect_uri"] == f"{https.url}/oauth/callback"
    assert (asked["code_challenge_method"], asked["prompt"]) == ("S256", "select_account")
    for header, value in (("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")):
        assert start.headers[header] == value
    (line,) = (each for each in start.headers.get_list("set-cookie") if each.startswith(f"{ATTEMPT}="))
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(line.split("; "))
    assert "Domain" not in line

    answer = window.comes_back(window.asked_google(start.headers["Location"]))
    assert (answer.status_code, answer.headers["Location"]) == (303, WANTED)
    (line,) = (each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{SESSION}="))
    told = dict(part.partition("=")[::2] for part in line.split("; "))
    assert {"HttpOnly", "Secure", "Path", "SameSite"} <= set(told)
    assert LIFETIME_S - 60 < int(told["Max-Age"]) <= LIFETIME_S
    assert "Domain" not in line
    assert {*window.cookies} == {SESSION}
    assert window.is_in


@pytest.mark.parametrize("fault", SAID)
def test_no_session_where_google(fault: Fault, https: HttpsStudio) -> None:
    """Every fault of the fake, with the sentence that the pop-up's login page says of it."""
    window = Window(https)
    https.google.fault = fault
    answer = window.comes_back(window.goes_to_google())
    if fault in (Fault.NO_STATE, Fault.WRONG_STATE):  # without the redirect's mark it might as well be the pop-up's
        assert inert(window, answer)
    else:
        assert refused(window, answer, SAID[fault])


def test_no_session_while_googles_certificates_cannot_be_had(https: HttpsStudio) -> None:
    https.restart()  # a server that has none kept from before
    https.google.certs_max_age_s = 0
    for fault in CERTIFICATES:
        https.google.fault = fault
        window = Window(https)
        answer = window.comes_back(window.goes_to_google())
        assert refused(window, answer, "Google's certificates cannot be fetched right now: try again in a minute.")


def of_another_browser(window: Window) -> tuple[str, str, str]:
    """A sign-in that somebody else has begun, with their account: the victim would work as them."""
    return Window(window.https).goes_to_google(BO), FOREIGN, "/"


def of_another_browser_while_one_is_begun(window: Window) -> tuple[str, str, str]:
    window.begin()
    return of_another_browser(window)


def with_its_cookie_lost(window: Window) -> tuple[str, str, str]:
    path = window.goes_to_google()
    del window.cookies[ATTEMPT]
    return path, FOREIGN, "/"


def with_a_cookie(make: Callable[[Window], str]) -> Callable[[Window], tuple[str, str, str]]:
    def attack(window: Window) -> tuple[str, str, str]:
        path = window.goes_to_google()
        window.cookies[ATTEMPT] = make(window)
        secrets.append(window.cookies[ATTEMPT])
        return path, FOREIGN, "/"

    return attack


def resealed(sentence: str, **changes: object) -> Callable[[Window], tuple[str, str, str]]:
    def attack(window: Window) -> tuple[str, str, str]:
        path = window.goes_to_google()
        window.reseal(**changes)
        return path, sentence, WANTED

    return attack


def answered(sentence: str, page: str = WANTED, **changes: str | None) -> Callable[[Window], tuple[str, str, str]]:
    return lambda window: (changed(window.goes_to_google(), **changes), sentence, page)


def with_a_stolen_code(window: Window) -> tuple[str, str, str]:
    """Somebody else's code under the own state: what PKCE is for."""
    stolen = parse_qs(urlsplit(Window(window.https).goes_to_google(BOSS)).query)["code"][0]
    return changed(window.goes_to_google(), code=stolen), NOT_CONFIRMED, WANTED


def with_a_code_of_the_pop_up(window: Window) -> tuple[str, str, str]:
    """The pop-up's own answer, which its page has not taken yet, under the state of the redirect."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(window.begin()).query).items()}
    popup = asked | {"state": "e" * 32, "nonce": "n" * 32, "code_challenge": "c" * 43}
    path = window.asked_google(f"{window.https.google.authorize_url}?{urlencode(popup)}")
    return changed(path, state=asked["state"]), NOT_CONFIRMED, WANTED


def used_already(window: Window) -> tuple[str, str, str]:
    kept = Window(window.https)
    path = kept.goes_to_google()
    window.cookies = dict(kept.cookies)
    assert kept.comes_back(path).headers["Location"] == WANTED
    return path, NOT_CONFIRMED, WANTED


def used_already_with_a_new_code(window: Window) -> tuple[str, str, str]:
    """Google would give as many codes as it is asked for."""
    address = window.begin()
    kept = Window(window.https, dict(window.cookies))
    kept.comes_back(kept.asked_google(address))
    assert kept.is_in
    return window.asked_google(address), "This sign-in has been used already: sign in again.", WANTED


def used_already_in_this_browser(window: Window) -> tuple[str, str, str]:
    path = window.goes_to_google()
    assert window.comes_back(path).headers["Location"] == WANTED
    window.cookies.pop(SESSION)
    return path, FOREIGN, "/"


def damaged_record(window: Window) -> tuple[str, str, str]:
    who = Account("dan@studio.example", "Dan", "studio.example")
    name = sha256(who.subject.encode()).hexdigest()[:40]
    window.https.put(f"studio/sessions/{name}.json", b"{ damaged")
    return window.goes_to_google(who), "The record of your sessions in S3 is damaged", WANTED


NOW = time.time
ATTACKS: dict[str, Callable[[Window], tuple[str, str, str]]] = {
    "of another browser": of_another_browser,
    "of another browser while one is begun here": of_another_browser_while_one_is_begun,
    "whose cookie is lost": with_its_cookie_lost,
    "with another state": answered(FOREIGN, "/", state="tab.another"),
    "with the state's beginning alone": answered(FOREIGN, "/", state="tab."),
    "with a state that is no ASCII": answered(
        FOREIGN, "/", state="tab.\u212a\udfff".encode("utf-8", "replace").decode()
    ),
    "with a cancellation that is somebody else's": answered(
        FOREIGN, "/", state="tab.another", code=None, error="access_denied"
    ),
    "with a cancellation": answered("You cancelled at Google.", code=None, error="access_denied"),
    "with a cancellation and a code": answered("You cancelled at Google.", error="access_denied"),
    "with a script for an error": answered(
        "Google did not let this sign-in through.", error="<script>alert(1)</script>"
    ),
    "without a code": answered("Google did not say who you are.", code=None),
    "with an empty code": answered("Google did not say who you are.", code=""),
    "with a made-up code": answered(NOT_CONFIRMED, code="4/0Amade-up"),
    "with a code of eight thousand letters": answered(NOT_CONFIRMED, code="4" * 8000),
    "with somebody else's code": with_a_stolen_code,
    "with a code of the pop-up": with_a_code_of_the_pop_up,
    "to a cookie that is garbage": with_a_cookie(lambda _: "garbage"),
    "to a cookie without a signature": with_a_cookie(lambda window: window.cookies[ATTEMPT].rsplit(".", 1)[0]),
    "to a cookie that nobody sealed": with_a_cookie(lambda window: f"{unsealed(window.attempt)}.c2lnbmF0dXJl"),
    "to a cookie with one letter changed": with_a_cookie(lambda window: "x" + window.cookies[ATTEMPT][1:]),
    "to a cookie under the session's salt": with_a_cookie(
        lambda window: forged(window.attempt, salt="studio.session.1", secret=SESSION_SECRET)
    ),
    "to a cookie under another secret": with_a_cookie(
        lambda window: forged(window.attempt, salt="studio.attempt.1", secret="x" * 40)
    ),
    "to a cookie with a field too few": with_a_cookie(
        lambda window: forged({"state": window.attempt["state"]}, salt="studio.attempt.1", secret=SESSION_SECRET)
    ),
    "to a cookie that is a list": with_a_cookie(
        lambda window: forged([window.attempt], salt="studio.attempt.1", secret=SESSION_SECRET)
    ),
    "more than ten minutes old": lambda window: resealed(
        "This sign-in was begun more than ten minutes ago.", begun_at_s=NOW() - 601
    )(window),
    "to another nonce": resealed("Google's answer belongs to another sign-in.", nonce="another-nonce-of-ours"),
    "to no nonce": resealed("This sign-in was not begun here.", nonce=""),
    "to another verifier": resealed(NOT_CONFIRMED, verifier="v" * 64),
    "that was used already": used_already,
    "that was used already, with a new code": used_already_with_a_new_code,
    "that was used already in this browser": used_already_in_this_browser,
    "of a stranger": lambda window: (
        window.goes_to_google(STRANGER),
        f"{STRANGER.email} is not on the studio's list. Ask an admin of the studio to add you.",
        WANTED,
    ),
    "of a private account": lambda window: (
        window.goes_to_google(Account(ADA.email, "Mallory")),
        "is not on the studio's list",
        WANTED,
    ),
    "of somebody whose record is damaged": damaged_record,
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_session_for_an_answer(attack: str, https: HttpsStudio) -> None:
    window = Window(https)
    path, sentence, page = ATTACKS[attack](window)
    assert refused(window, window.comes_back(path), sentence, page=page)


def test_an_answer_that_comes_in_time_is_taken(https: HttpsStudio) -> None:
    window = Window(https)
    path = window.goes_to_google()
    window.reseal(begun_at_s=time.time() - 590)
    window.comes_back(path)
    assert window.is_in


def test_a_foreign_answer_does_not_end_the_attempt_that_is_begun(https: HttpsStudio) -> None:
    """Or any page could keep people from signing in."""
    window = Window(https)
    path = window.goes_to_google()
    window.comes_back(of_another_browser(window)[0])
    assert not window.is_in
    window.comes_back(path)
    assert window.is_in


def test_an_attempt_is_good_once_however_many_use_it_at_once(https: HttpsStudio) -> None:
    first = Window(https)
    address = first.begin()
    windows = [Window(https, dict(first.cookies)) for _ in range(5)]
    paths = [window.asked_google(address, BO) for window in windows]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda pair: pair[0].comes_back(pair[1]), zip(windows, paths, strict=True)))
    assert sum(SESSION in window.cookies for window in windows) == 1


def test_another_server_takes_the_answer_and_refuses_it_to_the_first(
    https: HttpsStudio, bucket: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Behind one address, with nothing in common but the settings and S3."""
    folder = tmp_path_factory.mktemp("replica")
    replica = HttpsStudio(folder, bucket, https.google, own_port(), more={"PUBLIC_URL": https.url})
    try:
        replica.start()
        window = Window(https)
        address = window.begin()
        elsewhere = Window(https, dict(window.cookies), origin=f"https://localhost:{replica.port}")
        assert elsewhere.comes_back(elsewhere.asked_google(address)).headers["Location"] == WANTED
        assert elsewhere.is_in
        assert refused(window, window.comes_back(window.asked_google(address)), "has been used already")
    finally:
        replica.stop()


@pytest.mark.parametrize(
    ("change", "method"),
    [
        ({"Sec-Fetch-Dest": "iframe"}, "GET"),
        ({"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"}, "GET"),
        ({"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"}, "GET"),
        ({}, "HEAD"),
    ],
)
def test_only_a_window_brings_an_answer(change: dict[str, str], method: str, https: HttpsStudio) -> None:
    window = Window(https)
    path = window.goes_to_google()
    assert inert(window, window.get(path, RETURN | change, method=method))
    window.comes_back(path)
    assert window.is_in, "it was not used up"


@pytest.mark.parametrize("name", ["state", "code", "x"])
def test_an_answer_that_says_a_thing_twice_is_nobodys(name: str, https: HttpsStudio) -> None:
    window = Window(https)
    path = window.goes_to_google()
    assert inert(window, window.comes_back(f"{path}&{name}=1&{name}=1"))


def test_the_pop_ups_answer_is_the_pop_ups_also_where_a_redirect_was_begun(https: HttpsStudio) -> None:
    """The page that opened it reads the address: nothing may lead the window away."""
    window = Window(https)
    window.begin()
    assert inert(window, window.comes_back(f"/oauth/callback?code=4%2F0Akept&state={'e' * 32}"))


def test_a_refusal_is_told_in_the_words_of_the_server_alone(https: HttpsStudio) -> None:
    """A query can put nothing on the login page, and what another secret or use has sealed is not said."""
    window = Window(https)
    window.comes_back("/oauth/callback?state=tab.x&error=kept-words&said=kept-words")
    assert "kept-words" not in str(sealer_for(SESSION_SECRET, "studio.refusal.1").loads(window.cookies[REFUSAL]))


PAGES = {
    "/": "/",
    "/references": "/references",
    "/references/": "/references/",
    "/history?text=%ED%95%9C&by=a@b.example&x=//y": "/history?text=%ED%95%9C&by=a@b.example&x=//y",
    "/?comparison=01KAM8K4T0YZ7C4D0Q7H7P3N5E": "/?comparison=01KAM8K4T0YZ7C4D0Q7H7P3N5E",
    "": "/",
    "references": "/",
    "//evil.example": "/",
    "///evil.example": "/",
    "//evil.example/%2e%2e": "/",
    "/\\evil.example": "/",
    "\\\\evil.example": "/",
    "/references\\..\\evil": "/",
    "/references?x=\\evil.example": "/",
    "https://evil.example/": "/",
    "https:evil.example": "/",
    "javascript:alert(1)": "/",
    "data:text/html,x": "/",
    "/%09/evil.example": "/",
    "/\t/evil.example": "/",
    "/\n/evil.example": "/",
    "/references\r\nSet-Cookie: x=y": "/",
    "/references?x=\r\nSet-Cookie: x=y": "/",
    "/references\x00": "/",
    "/references\x7f": "/",
    "/references?q=a b": "/",
    " /references": "/",
    "/.//evil.example": "/",
    "/..//evil.example": "/",
    "/@evil.example": "/",
    "/r\u00e9f\u00e9rences": "/",
    "/references\uff0f\uff0fevil.example": "/",
    "/oauth/start?to=/oauth/start": "/",
    "/image/320/x/y": "/",
    "/references?q=" + "a" * 5000: "/references",
    "/" + "a" * 5000: "/" + "a" * 1499,
}


@pytest.mark.parametrize("to", PAGES, ids=range(len(PAGES)))
def test_a_sign_in_ends_at_a_page_of_ours(to: str, https: HttpsStudio) -> None:
    """The good end and the refusal lead to the same place, and both cookies fit into a browser."""
    window = Window(https)
    path = window.goes_to_google(to=to)
    assert len(window.cookies[ATTEMPT]) < 4000
    cancelled = Window(https, dict(window.cookies))
    assert cancelled.comes_back(changed(path, error="access_denied")).headers["Location"] == PAGES[to]
    assert window.comes_back(path).headers["Location"] == PAGES[to]
    assert window.is_in


def test_a_sign_in_begins_at_a_link_of_our_own_page(studio: Production) -> None:
    for site in ("cross-site", "same-site", "none"):
        for more in ({}, {"Referer": "https://studio.example/"}):
            answer = started(studio, **{"Sec-Fetch-Site": site} | more)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    for change in ({"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "cors"}, {"Sec-Fetch-Dest": "image"}):
        assert started(studio, **change).status_code == 403
    assert studio.client.post("/oauth/start", headers=from_our_page()).status_code == 405
    for headers in ({}, {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        begun = started(studio, **headers)
        assert begun.status_code == 303
        assert begun.headers["Location"].startswith("https://accounts.google.com/o/oauth2/v2/auth?")
        assert query_of(begun)["redirect_uri"] == "https://studio.example/oauth/callback"


def started(studio: Production, *, address: str = "", **headers: str) -> httpx.Response:
    told = LINK | {"X-Forwarded-For": address or from_our_page()["X-Forwarded-For"]} | headers
    return studio.client.get("/oauth/start", params={"to": WANTED}, headers=told)


def test_the_twenty_first_junk_answer_of_a_minute_is_told_to_wait(studio: Production) -> None:
    """In a window, with the way back."""
    told = RETURN | {"X-Forwarded-For": "203.0.113.22"}
    back = [studio.client.get("/oauth/callback?state=tab.x&code=y", headers=told) for _ in range(22)]
    assert [answer.status_code for answer in back] == [303] * 20 + [429] * 2
    seal = sealer_for("kept-session-secret-long-enough-to-sign-with", "studio.refusal.1")
    said = [seal.loads(SimpleCookie(answer.headers["set-cookie"])[REFUSAL].value)["said"] for answer in back[:20]]
    assert said == [FOREIGN] * 20
    for answer in back[20:]:
        assert TOO_MANY in answer.text
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert "set-cookie" not in answer.headers
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_beginning_is_never_limited(studio: Production) -> None:
    """It costs less than a page, and what is begun lies in the browser's own cookie."""
    begun = [started(studio, address="203.0.113.21") for _ in range(50)]
    assert all(answer.headers["Location"].startswith("https://accounts") for answer in begun)


def test_an_attempt_says_nothing_that_another_one_says() -> None:
    attempts = [RedirectAttempt("/", 0.0) for _ in range(50)]
    for name in ("id", "state", "nonce", "verifier", "challenge"):
        values = {getattr(attempt, name) for attempt in attempts}
        assert len(values) == 50
        assert min(map(len, values)) >= 32
    assert all(43 <= len(attempt.verifier) <= 128 for attempt in attempts)
