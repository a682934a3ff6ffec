"""Google's token: believed only if signature, times, issuer, audience, nonce and address all hold."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from core.errors import SignInError
from core.identity.google import Certificates, GoogleAccount, GoogleVerifier
from tests.fakes.google import CLIENT_ID, signed_with_secret, unsigned
from tests.identity.issuer import (
    EMAIL,
    NONCE,
    CertificateEndpoint,
    certificate_endpoint,
    claims,
    key,
    led_to,
    tampered,
    token,
)
from tests.support.timeouts import LONG_S

ROOT = Path(__file__).parents[2]
AGAIN = "Sign in again."
EARLY = "Google's answer is dated more than 10 seconds ahead of this server's clock"
OLD = "Google's answer is too old."
UNVERIFIED = "Google's answer could not be verified."
UNREACHABLE = "Google's certificates cannot be fetched right now: try again in a minute."


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def google() -> Iterator[CertificateEndpoint]:
    """An endpoint that the tests of single tokens share and leave alone."""
    with certificate_endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def verifier(google: CertificateEndpoint) -> Iterator[GoogleVerifier]:
    with led_to(google.url) as transport:
        yield GoogleVerifier(CLIENT_ID, Certificates(transport))


def error(verifier: GoogleVerifier, raw: str, *, nonce: str = NONCE) -> str:
    """The sentence with which a token is refused, which repeats nothing of the token, nor does the log."""
    with capture_logs() as logs, pytest.raises(SignInError) as refused:
        verifier.verify(raw, nonce=nonce)
    told = refused.value.message
    assert told.endswith(".")
    assert "\n" not in told
    for part in (*raw.split("."), EMAIL, NONCE):
        assert len(part) < 8 or part not in f"{told} {refused.value!r} {logs}"
    return told


def test_a_token_of_googles_names_a_person(verifier: GoogleVerifier) -> None:
    """The address comes in lower case; the hosted domain is Google's word for the account's owner."""
    account = verifier.verify(token(claims(email="Kim@Studio.example")), nonce=NONCE)
    assert account == GoogleAccount("110169484474386276334", EMAIL, "Kim", "studio.example")


def test_a_private_account_has_no_hosted_domain(verifier: GoogleVerifier) -> None:
    assert verifier.verify(token(claims(hd=...)), nonce=NONCE).hosted_domain == ""


@pytest.mark.parametrize("issuer", ["accounts.google.com", "https://accounts.google.com"])
def test_both_spellings_of_the_issuer_are_googles(verifier: GoogleVerifier, issuer: str) -> None:
    assert verifier.verify(token(claims(iss=issuer)), nonce=NONCE).email == EMAIL


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"aud": "another.apps.googleusercontent.com"}, UNVERIFIED, id="another audience"),
        pytest.param({"aud": [CLIENT_ID]}, UNVERIFIED, id="a list of audiences"),
        pytest.param({"aud": ...}, UNVERIFIED, id="no audience"),
        pytest.param({"azp": "another.apps.googleusercontent.com"}, "another application", id="another application"),
        pytest.param({"iss": "https://accounts.studio.example"}, UNVERIFIED, id="another issuer"),
        pytest.param({"iss": ...}, UNVERIFIED, id="no issuer"),
        pytest.param({"iat": "yesterday"}, UNVERIFIED, id="a date in words"),
        pytest.param({"iat": ...}, UNVERIFIED, id="no date"),
        pytest.param({"exp": ...}, UNVERIFIED, id="no end"),
        pytest.param({"exp": None}, UNVERIFIED, id="an end that is null"),
        pytest.param({"nonce": "of-another-sign-in"}, "belongs to another sign-in", id="another nonce"),
        pytest.param({"nonce": ...}, "belongs to another sign-in", id="no nonce"),
        pytest.param({"nonce": [NONCE]}, "belongs to another sign-in", id="a list of nonces"),
        pytest.param({"email_verified": False}, "has not verified your e-mail", id="unverified address"),
        pytest.param({"email_verified": "true"}, "has not verified your e-mail", id="address verified in words"),
        pytest.param({"email_verified": 1}, "has not verified your e-mail", id="address verified by a number"),
        pytest.param({"email_verified": ...}, "has not verified your e-mail", id="nothing about verification"),
        pytest.param({"email": ...}, "did not say your e-mail", id="no address"),
        pytest.param({"email": ""}, "did not say your e-mail", id="an empty address"),
        pytest.param({"email": [EMAIL]}, "did not say your e-mail", id="a list of addresses"),
        pytest.param({"email": f"x@evil.example,{EMAIL}"}, "did not say your e-mail", id="two addresses in one"),
        pytest.param({"email": "\u212aim@studio.example"}, "cannot be told apart", id="a sign that looks like a k"),
        pytest.param({"hd": ["studio.example"]}, "cannot be read", id="a list of domains"),
        pytest.param({"sub": ...}, "names nobody", id="no subject"),
        pytest.param({"sub": 110169484474386276334}, "names nobody", id="a subject that is a number"),
    ],
)
def test_a_token_that_says_something_else_is_refused(
    verifier: GoogleVerifier, changes: dict[str, object], sentence: str
) -> None:
    assert sentence in error(verifier, token(claims(**changes)))


def test_another_hosted_domain_is_passed_on_as_google_says_it(verifier: GoogleVerifier) -> None:
    """Whether a domain may come in is the list's to say, and it must be told the account's, not the address's."""
    assert verifier.verify(token(claims(hd="other.example")), nonce=NONCE).hosted_domain == "other.example"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        pytest.param(lambda: tampered(token(claims()), email="boss@studio.example"), UNVERIFIED, id="tampered"),
        pytest.param(lambda: token(claims(), by=key("unknown")), UNVERIFIED, id="a key nobody knows"),
        pytest.param(lambda: token(claims(), by=key("x"), header={"kid": "first"}), UNVERIFIED, id="a borrowed key id"),
        pytest.param(lambda: token(claims(), by=key("x"), header={"kid": None}), UNVERIFIED, id="no key id"),
        pytest.param(lambda: token(claims(), header={"kid": ["first"]}), UNVERIFIED, id="a list of key ids"),
        pytest.param(lambda: unsigned(claims(), kid="first"), UNVERIFIED, id="alg none"),
        pytest.param(lambda: token(claims(), header={"alg": "NonE"}), UNVERIFIED, id="alg none in other letters"),
        pytest.param(lambda: token(claims()).rsplit(".", 1)[0] + ".", UNVERIFIED, id="an empty signature"),
        pytest.param(
            lambda: signed_with_secret(claims(), key("first").certificate, kid="first"), UNVERIFIED, id="key confusion"
        ),
        pytest.param(lambda: token(claims(), header={"alg": "ES256"}), UNVERIFIED, id="another kind of key"),
        pytest.param(lambda: token(claims(), header={"alg": ["RS256"]}), UNVERIFIED, id="a list of algorithms"),
        pytest.param(lambda: re.sub(r"\..*\.", ".W10.", token(claims())), UNVERIFIED, id="claims in a list"),
        pytest.param(lambda: token(claims()) + ".x", UNVERIFIED, id="four parts"),
        pytest.param(lambda: token(claims()).rsplit(".", 1)[0], UNVERIFIED, id="two parts"),
        pytest.param(lambda: "no token", UNVERIFIED, id="no token"),
        pytest.param(lambda: "", "cannot be read", id="nothing"),
        pytest.param(lambda: "tökén." * 3, "cannot be read", id="letters no token has"),
        pytest.param(lambda: token(claims(padding="x" * 20_000)), "cannot be read", id="too long"),
        pytest.param(lambda: f"{'W' * 16_000}.e30.e30", UNVERIFIED, id="deep nesting"),
    ],
)
def test_a_token_that_google_did_not_sign_is_refused(verifier: GoogleVerifier, raw: object, sentence: str) -> None:
    assert callable(raw)
    assert sentence in error(verifier, raw())


def test_without_a_nonce_no_token_is_believed(verifier: GoogleVerifier) -> None:
    """Nobody who has begun no sign-in has one, not even an empty one."""
    assert "was not begun here" in error(verifier, token(claims(nonce="")), nonce="")
    assert "was not begun here" in error(verifier, token(claims(nonce=...)), nonce="")


@pytest.mark.parametrize("client_id", ["", " "])
def test_without_a_client_id_there_is_no_verifier(client_id: str) -> None:
    """google-auth would not look at the audience."""
    with pytest.raises(ValueError, match="client id"):
        GoogleVerifier(client_id)


@given(st.text(max_size=300) | st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(repr))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_no_token_ends_in_a_sign_in_error(verifier: GoogleVerifier, raw: str) -> None:
    with pytest.raises(SignInError):
        verifier.verify(raw, nonce=NONCE)


@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "azp", "iat", "exp", "nonce", "email", "email_verified", "hd", "sub", "name"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers()),
        min_size=1,
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_signed_token_says_it_names_this_person_or_nobody(
    verifier: GoogleVerifier, changes: dict[str, object]
) -> None:
    """No value of any claim ends in another error, and none without its nonce, audience and verified address."""
    try:
        account = verifier.verify(token(claims(**changes)), nonce=NONCE)
    except SignInError:
        return
    assert not {"nonce", "aud", "iss", "email_verified"} & {name for name in changes if changes[name] is not True}
    assert account.email


# ---- certificates


@pytest.fixture
def own() -> Iterator[CertificateEndpoint]:
    """An endpoint of the test's own."""
    with certificate_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asking(own: CertificateEndpoint, clock: Clock) -> Iterator[GoogleVerifier]:
    """A verifier that has fetched nothing yet."""
    with led_to(own.url) as transport:
        yield GoogleVerifier(CLIENT_ID, Certificates(transport, clock=clock))


def lets_in(verifier: GoogleVerifier, key_id: str = "first") -> bool:
    try:
        verifier.verify(token(claims(), by=key(key_id)), nonce=NONCE)
    except SignInError:
        return False
    return True


@pytest.mark.parametrize(
    ("cache_control", "fresh_s"),
    [("public, max-age=600", 600), ("public, max-age=20000, must-revalidate", 3600), ("", 300)],
    ids=["as long as Google says", "an hour at most", "five minutes if Google says nothing"],
)
def test_certificates_are_fetched_once_and_kept(
    own: CertificateEndpoint, asking: GoogleVerifier, clock: Clock, cache_control: str, fresh_s: int
) -> None:
    own.cache_control = cache_control
    for later_s in (0, 1, fresh_s - 2):
        clock.now += later_s
        assert lets_in(asking)
    assert own.asked == 1
    clock.now += 2
    assert lets_in(asking)
    assert own.asked == 2


def test_certificates_that_may_not_be_kept_are_fetched_each_time(
    own: CertificateEndpoint, asking: GoogleVerifier
) -> None:
    own.cache_control = "max-age=0"
    assert [lets_in(asking) for _ in range(3)] == [True] * 3
    assert own.asked == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", 503),
        ("status", 404),
        ("is_broken", True),
        ("body", b"<html>Sign in to the hotel's network</html>"),
        ("body", b'{"error": "quota"}'),
        ("body", b'{"keys": []}'),
        ("body", b"{}"),
        ("body", b"[" * 100_000),
    ],
    ids=["503", "404", "broken off", "a proxy's page", "an error", "another format", "no certificate", "deep nesting"],
)
class TestWhenGoogleDoesNotAnswerWithCertificates:
    """Whatever comes instead."""

    def test_nobody_comes_in_and_a_sentence_says_why(
        self, own: CertificateEndpoint, asking: GoogleVerifier, name: str, value: object
    ) -> None:
        setattr(own, name, value)
        assert error(asking, token(claims())) == UNREACHABLE

    def test_the_last_good_ones_serve_for_a_day(
        self, own: CertificateEndpoint, asking: GoogleVerifier, clock: Clock, name: str, value: object
    ) -> None:
        assert lets_in(asking)
        setattr(own, name, value)
        clock.now += 3601
        assert lets_in(asking)
        clock.now += 24 * 3600
        assert error(asking, token(claims())) == UNREACHABLE


def test_after_a_failure_google_is_left_in_peace_for_a_moment(
    own: CertificateEndpoint, asking: GoogleVerifier, clock: Clock
) -> None:
    """Else everybody who signs in meanwhile would wait for a time-out of their own, one after the other."""
    own.status = 503
    assert [lets_in(asking) for _ in range(5)] == [False] * 5
    assert own.asked == 1
    own.status = 200
    clock.now += 10
    assert lets_in(asking)
    assert own.asked == 2


def test_a_new_key_is_fetched_at_once(own: CertificateEndpoint, asking: GoogleVerifier) -> None:
    assert lets_in(asking)
    own.keys = [key("first"), key("second")]
    assert lets_in(asking, "second")
    assert own.asked == 2
    assert lets_in(asking)


def test_made_up_key_ids_send_us_to_google_once_in_half_a_minute(
    own: CertificateEndpoint, asking: GoogleVerifier, clock: Clock
) -> None:
    assert lets_in(asking)
    assert [lets_in(asking, f"made-up-{number}") for number in range(4)] == [False] * 4
    assert own.asked == 2
    clock.now += 30
    assert not lets_in(asking, "made-up-0")
    assert own.asked == 3


def test_a_forged_signature_never_sends_us_to_google(own: CertificateEndpoint, asking: GoogleVerifier) -> None:
    """Its key id is known: there is nothing new to learn."""
    assert lets_in(asking)
    error(asking, tampered(token(claims()), email="boss@studio.example"))
    assert own.asked == 1


def test_a_key_that_google_has_withdrawn_signs_nothing_any_more(
    own: CertificateEndpoint, asking: GoogleVerifier, clock: Clock
) -> None:
    assert lets_in(asking)
    own.keys = [key("second")]
    clock.now += 3600
    assert not lets_in(asking)


def test_many_who_sign_in_at_once_share_one_fetch(own: CertificateEndpoint, asking: GoogleVerifier) -> None:
    let_in: list[bool] = []
    threads = [threading.Thread(target=lambda: let_in.append(lets_in(asking))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert let_in == [True] * 8
    assert own.asked == 1


def test_an_endpoint_that_hangs_is_given_up_after_five_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # takes connections and says nothing
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/oauth2/v1/certs"
        with led_to(url) as transport:
            verifier = GoogleVerifier(CLIENT_ID, Certificates(transport))
            started = time.monotonic()
            assert error(verifier, token(claims())) == UNREACHABLE
            assert 4.5 < time.monotonic() - started < LONG_S
            assert error(verifier, token(claims())) == UNREACHABLE  # and the next does not wait again
            assert time.monotonic() - started < LONG_S


# ---- the clock

ISSUED = 1776217863  # the second of the accident: our clock said 1776217862


@pytest.fixture(scope="module")
def moved_clock() -> dict[str, str]:
    """What an environment needs for a process to live at another time; the operating system's clock, not ours."""
    places = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), *Path(sys.prefix).rglob("libfaketime.so.1")]
    assert places, "libfaketime is missing: make test installs it"
    return {"LD_PRELOAD": str(places[0]), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}


def verified_at(now: int, tokens: list[str], url: str, moved_clock: dict[str, str]) -> list[str]:
    """What a process whose clock stands at `now` says to each token."""
    stands = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    done = subprocess.run(
        [sys.executable, "-m", "tests.identity.verify_once", url],
        input="\n".join(tokens),
        cwd=ROOT,
        env=os.environ | moved_clock | {"FAKETIME": stands},
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=True,
    )
    assert not [token for token in tokens if token in done.stderr + done.stdout]
    clock, *lines = done.stdout.splitlines()
    assert int(clock) == now, "the clock was not moved"
    return [line.removeprefix("said: ") for line in lines if line.startswith("said: ")]


BEHIND_S = {
    1: EMAIL,  # the accident
    9: EMAIL,
    10: EMAIL,
    11: EARLY,
    -3609: EMAIL,  # nine seconds after the end
    -3611: OLD,
}


def test_a_clock_may_be_ten_seconds_off_and_no_more(google: CertificateEndpoint, moved_clock: dict[str, str]) -> None:
    """The server's clock is moved to a second before the accident's token was issued; the others are dated by it."""
    now = ISSUED - 1
    said = verified_at(now, [token(claims(now=now + behind_s)) for behind_s in BEHIND_S], google.url, moved_clock)
    assert [each.startswith(expected) for each, expected in zip(said, BEHIND_S.values(), strict=True)] == [True] * 6


@pytest.mark.parametrize(("ahead_s", "expected"), [(1, ""), (9, ""), (30, EARLY)])
def test_a_token_that_google_dates_ahead_of_our_clock(verifier: GoogleVerifier, ahead_s: int, expected: str) -> None:
    raw = token(claims(iat=int(time.time()) + ahead_s))
    if expected:
        assert expected in error(verifier, raw)
    else:
        assert verifier.verify(raw, nonce=NONCE).email == EMAIL
