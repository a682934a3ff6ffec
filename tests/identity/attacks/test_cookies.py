"""Attacks by cookie: none opens a picture, a page or a fresh session.

Every forged thing differs from a good one in what its name says and in nothing else; that the good one is let in
is tested first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict

import pytest

from core.identity.session import LIFETIME_S, LONGEST_S, SessionSigner
from core.web.http.addresses import ORIGINAL, image_url
from tests.fakes.google import unsigned
from tests.identity.attacks.forgeries import NOW, door_only, forged, kept_out, pictures, refused, unsealed
from tests.identity.issuer import claims, token
from tests.support.dashboards.production import COOKIE, KEY, PICTURE, SECRET, Production, from_our_page, session


def test_a_good_cookie_opens_pictures_and_pages(studio: Production) -> None:
    """Or all that follows would prove nothing."""
    cookie = studio.cookie()
    for name, (method, path, more) in pictures(studio).items():
        answer = studio.client.request(method, path, headers={"Cookie": f"{COOKIE}={cookie}"} | more)
        expected = {"range": 206, "cached": 304, "missing": 404, "partial": 404, "download of a page": 404}.get(
            name, 200
        )
        assert (name, answer.status_code) == (name, expected)
        if name == "original":
            assert answer.content == PICTURE
    told = studio.page("references", cookie)
    assert b"Ada" in told
    assert b"/image/" in told


def test_a_good_hand_over_becomes_a_cookie_that_scripts_cannot_read(studio: Production) -> None:
    answer = studio.post(studio.login_token())
    assert answer.status_code == 204
    (told,) = answer.headers.get_list("set-cookie")
    name, *attributes = re.split("; |=", told)
    assert name == COOKIE
    assert {"HttpOnly", "Secure", "Path", "/", "SameSite", "lax"} <= set(attributes)
    assert LIFETIME_S - 60 < int(attributes[attributes.index("Max-Age") + 1]) <= LIFETIME_S
    assert "Domain" not in told
    studio.secrets.append(attributes[0])
    assert studio.lets_in(attributes[0])


def ended(studio: Production) -> str:
    cookie = studio.cookie()
    assert studio.lets_in(cookie)
    assert studio.sign_out(cookie).status_code == 204
    return cookie


def ended_everywhere(studio: Production) -> str:
    mine, other = (studio.cookie(session("lee@studio.example")) for _ in range(2))
    assert studio.lets_in(mine)
    answer = studio.client.delete("/session?everywhere=1", headers=from_our_page() | {"Cookie": f"{COOKIE}={other}"})
    assert answer.status_code == 204
    return mine


def elses(studio: Production) -> str:
    """The boss's content under a designer's signature."""
    boss, mine = studio.cookie(session("ada@studio.example")), studio.cookie()
    return f"{boss.rsplit('.', 1)[0]}.{mine.rsplit('.', 1)[1]}"


COOKIES: dict[str, Callable[[Production], str]] = {
    "nothing in it": lambda _: "",
    "garbage": lambda _: "garbage",
    "a name instead of a seal": lambda _: "demo@localhost",
    "no signature": lambda s: s.cookie().rsplit(".", 1)[0],
    "an empty signature": lambda s: s.cookie().rsplit(".", 1)[0] + ".",
    "content that nobody sealed": lambda _: f"{unsealed(asdict(session()))}.c2lnbmF0dXJl",
    "one letter changed": lambda s: "x" + s.cookie()[1:],
    "another salt": lambda _: forged(asdict(session()), salt="studio.session.2"),
    "the login token's salt": lambda _: forged(asdict(session()), salt="studio.handover.1"),
    "another secret": lambda _: SessionSigner(SECRET[::-1]).cookie(session()),
    "an empty secret": lambda _: forged(asdict(session()), secret=""),
    "the client id as the secret": lambda _: SessionSigner("1234-studio.apps.googleusercontent.com").cookie(session()),
    "a login token": lambda s: s.login_token(),
    "a token of Google's": lambda _: token(claims()),
    "a token that is not signed": lambda _: unsigned(claims(), kid="first"),
    "another person's content": elses,
    "ended eight hours ago": lambda s: s.cookie(session(renewed_at=NOW - LIFETIME_S, signed_in_at=NOW - LIFETIME_S)),
    "renewed for more than a week": lambda s: s.cookie(session(signed_in_at=NOW - LONGEST_S)),
    "from the future": lambda s: s.cookie(session(renewed_at=NOW + 3600, signed_in_at=NOW + 3600)),
    "signed out": ended,
    "signed out everywhere": ended_everywhere,
    "a later sign-out's number": lambda s: s.cookie(session(epoch=7)),
    "nobody on the list": lambda s: s.cookie(session("eve@evil.example", hosted_domain="evil.example")),
    "somebody blocked": lambda s: s.cookie(session("mal@studio.example")),
    "a private account of the domain": lambda s: s.cookie(session(hosted_domain="")),
    "a domain below the studio's": lambda s: s.cookie(session("x@a.studio.example", hosted_domain="a.studio.example")),
    "a field too few": lambda _: forged({"email": "ada@studio.example"}),
    "a field too many": lambda _: forged(asdict(session()) | {"role": "admin"}),
    "a number for a name": lambda _: forged(asdict(session()) | {"email": 7}),
    "words for a date": lambda _: forged(asdict(session()) | {"renewed_at": "tomorrow"}),
    "a list": lambda _: forged([asdict(session())]),
    "four thousand letters": lambda _: "A" * 4000,
}


@pytest.mark.parametrize("attack", COOKIES)
def test_no_picture_page_or_renewal_for_a_cookie_with(attack: str, studio: Production) -> None:
    """Every way to a picture, the page over a WebSocket, and a request for a fresh cookie."""
    cookie = COOKIES[attack](studio)
    studio.secrets += [cookie] if len(cookie) > 20 else []
    assert kept_out(studio, {"Cookie": f"{COOKIE}={cookie}"})
    assert refused(studio.post(cookie=cookie), 400)
    assert door_only(studio.page("references", cookie))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("studio={good}", id="the name it has without TLS"),
        pytest.param("__host-studio={good}", id="its name in small letters"),
        pytest.param("__Host-studio2={good}", id="a name that begins alike"),
        pytest.param("x=__Host-studio={good}", id="its name in another's value"),
        pytest.param('x="; __Host-studio={bad}"', id="its name in quotes"),
        pytest.param("__Host-studio={bad}; __Host-studio={bad}", id="the same name twice"),
        pytest.param("__Host-studio=;__Host-studio={bad},{good}", id="two values in one"),
        pytest.param("__Host-studio={bad}\t{good}", id="a tab between two values"),
        pytest.param('$Version=1; __Host-studio="{bad}"; $Path=/', id="an old grammar"),
    ],
)
def test_no_picture_for_a_cookie_header_that_has(line: str, studio: Production) -> None:
    """The good one stands where it does not count."""
    assert kept_out(studio, {"Cookie": line.format(good=studio.cookie(), bad="forged")})


def test_two_cookie_headers_with_a_forged_cookie_each_open_nothing(studio: Production) -> None:
    path = image_url(KEY, studio.etags[KEY], ORIGINAL)
    answer = studio.client.get(path, headers=[("Cookie", f"{COOKIE}=forged"), ("Cookie", f"{COOKIE}=forged too")])
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Request-Email", "Remote-User", "X-Goog-Authenticated-User-Email"],
)
def test_no_picture_for_a_header_that_names_an_admin(header: str, studio: Production) -> None:
    assert kept_out(studio, {header: "ada@studio.example"})


@pytest.mark.parametrize("header", ["Authorization", "X-Studio-Session"])
def test_no_picture_for_a_good_cookie_in_another_header(header: str, studio: Production) -> None:
    assert kept_out(studio, {header: f"Bearer {studio.cookie()}"})


def test_no_picture_for_a_good_cookie_in_the_address(studio: Production) -> None:
    path = image_url(KEY, studio.etags[KEY], ORIGINAL)
    answer = studio.client.get(path, params={COOKIE: studio.cookie()})
    assert answer.status_code == 401
