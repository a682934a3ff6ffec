"""Sessions: sealed with one secret for one use, and alive for eight hours, renewed for a week at most."""

from __future__ import annotations

from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from core.errors import SignInError
from core.identity.google import GoogleAccount
from core.identity.session import LIFETIME_S, LOGIN_TOKEN_S, LONGEST_S, RENEW_AFTER_S, Session, SessionSigner

SECRET = "a-secret-that-is-long-enough-to-sign-with"
SIGNER = SessionSigner(SECRET)
NOW = 1_800_000_000.5
KIM = GoogleAccount("1101", "kim@studio.example", "Kim 김", "studio.example")
SESSION = Session.of(KIM, epoch=0, now=NOW)


def forged(content: Any, *, secret: str = SECRET, salt: str = "studio.session.1") -> str:
    """What somebody could seal who has guessed all but one thing."""
    kwargs = {"key_derivation": "hmac", "digest_method": sha256}
    return str(URLSafeSerializer(secret, salt=salt, signer_kwargs=kwargs).dumps(content))


def test_a_sealed_session_is_read_as_it_was() -> None:
    assert SIGNER.session(SIGNER.cookie(SESSION)) == SESSION
    assert SIGNER.session(forged(asdict(SESSION))) == SESSION  # or the forgeries below would prove nothing


def test_a_cookie_fits_a_browser_however_long_a_name_is() -> None:
    """Browsers drop what is longer than 4096 bytes, name and attributes included (RFC 6265 §6.1)."""
    person = GoogleAccount("1" * 255, f"{'k' * 64}@{'s' * 180}.example", "김" * 100, "s" * 180)
    cookie = SIGNER.cookie(Session.of(person, epoch=10**6, now=NOW))
    assert len(cookie) < 3900
    assert SIGNER.session(cookie).name == "김" * 100
    login_token = SIGNER.login_token(Session.of(person, epoch=10**6, now=NOW), now=NOW)
    assert SIGNER.read_login_token(login_token, now=NOW).session.subject == "1" * 255


@pytest.mark.parametrize(
    "sealed",
    [
        pytest.param(forged(asdict(SESSION), secret=SECRET + "x"), id="another secret"),
        pytest.param(forged(asdict(SESSION), secret=""), id="no secret"),
        pytest.param(forged(asdict(SESSION), salt="studio.handover.1"), id="another salt"),
        pytest.param(forged(asdict(SESSION), salt="itsdangerous"), id="the library's own salt"),
        pytest.param(URLSafeTimedSerializer(SECRET, salt="studio.session.1").dumps(asdict(SESSION)), id="another kind"),
        pytest.param(SIGNER.login_token(SESSION, now=NOW), id="a login token"),
        pytest.param(SIGNER.cookie(SESSION).rsplit(".", 1)[0], id="no signature"),
        pytest.param(SIGNER.cookie(SESSION).rsplit(".", 1)[0] + ".", id="an empty signature"),
        pytest.param(SIGNER.cookie(SESSION) + "A", id="one letter more"),
        pytest.param(SIGNER.cookie(SESSION) * 20, id="too long"),
        pytest.param("", id="nothing"),
        pytest.param(".", id="a dot"),
        pytest.param("\udcff", id="what is no text"),
    ],
)
def test_what_we_did_not_seal_as_a_cookie_is_no_cookie(sealed: str) -> None:
    with pytest.raises(SignInError):
        SIGNER.session(sealed)


def test_a_cookie_around_another_person_does_not_hold() -> None:
    """The signature of one person's cookie is no good for another's content."""
    boss = SIGNER.cookie(replace(SESSION, email="boss@studio.example"))
    mine = SIGNER.cookie(SESSION)
    with pytest.raises(SignInError):
        SIGNER.session(f"{boss.rsplit('.', 1)[0]}.{mine.rsplit('.', 1)[1]}")


@given(st.integers(min_value=0), st.characters(codec="ascii"))
def test_no_changed_letter_ever_survives(at: int, letter: str) -> None:
    """Neither in the content nor in the signature, except where the letter is the one that was there.

    The last letter of a base64 text may carry bits that mean nothing: it is left out.
    """
    cookie = SIGNER.cookie(SESSION)
    at %= len(cookie) - 1
    changed = cookie[:at] + letter + cookie[at + 1 :]
    if changed != cookie:
        with pytest.raises(SignInError):
            SIGNER.session(changed)


def test_what_a_forgiving_decoder_takes_for_the_same_is_not_ours() -> None:
    """Base64's other two letters, and what it skips, in a signature that is right otherwise."""
    cookies = (SIGNER.cookie(replace(SESSION, id=f"{number}")) for number in range(1000))
    cookie = next(each for each in cookies if "-" in each.rsplit(".", 1)[1][:-1])
    content, signature = cookie.rsplit(".", 1)
    assert SIGNER.session(cookie)
    for changed in (signature.replace("-", "+"), f"{signature[:9]}!{signature[9:]}", f"{signature}=", f"{signature}\n"):
        with pytest.raises(SignInError):
            SIGNER.session(f"{content}.{changed}")


@given(st.text(max_size=200))
def test_no_text_is_ever_a_cookie_or_a_hand_over(text: str) -> None:
    for read in (SIGNER.session, lambda sealed: SIGNER.read_login_token(sealed, now=NOW)):
        with pytest.raises(SignInError):
            read(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(_json, st.sampled_from([*asdict(SESSION), "more"]))
def test_what_an_older_version_sealed_is_refused_and_never_an_error(value: Any, field: str) -> None:
    """Other content under our own seal: a field of another kind, one too many, or something else altogether."""
    for content in (value, asdict(SESSION) | {field: value}):
        try:
            session = SIGNER.session(forged(content))
        except SignInError:
            continue
        assert [type(part) for part in asdict(session).values()] == [type(part) for part in asdict(SESSION).values()]
        for salted in (content, {"id": "x", "until": int(NOW) + 60, "session": value}):
            with pytest.raises(SignInError):
                SIGNER.read_login_token(forged(salted, salt="studio.handover.1"), now=NOW)


@pytest.mark.parametrize(
    ("later_s", "alive"),
    [
        pytest.param(0, True, id="now"),
        pytest.param(LIFETIME_S - 1, True, id="just within eight hours"),
        pytest.param(LIFETIME_S, False, id="after eight hours"),
        pytest.param(-9, True, id="a server whose clock is nine seconds behind"),
        pytest.param(-10, True, id="ten seconds behind"),
        pytest.param(-11.5, False, id="from the future"),
    ],
)
def test_a_session_lives_for_eight_hours_from_when_it_began(later_s: float, alive: bool) -> None:
    assert SESSION.is_alive(SESSION.renewed_at + later_s) is alive


def test_a_session_in_use_is_renewed_every_half_hour_and_ends_after_a_week() -> None:
    session, now = SESSION, float(SESSION.signed_in_at)
    while session.is_alive(now):
        if session.is_due(now):
            session = session.renew(now)
            assert session.id == SESSION.id
        now += RENEW_AFTER_S / 2
    assert now - SESSION.signed_in_at == pytest.approx(LONGEST_S, abs=RENEW_AFTER_S)


@given(st.lists(st.floats(min_value=0, max_value=2 * LONGEST_S), max_size=30))
def test_no_renewal_ever_outlives_a_week(renewals: list[float]) -> None:
    session = SESSION
    for later_s in renewals:
        session = session.renew(SESSION.signed_in_at + later_s)
    assert session.expires_at <= SESSION.signed_in_at + LONGEST_S
    assert not session.is_alive(SESSION.signed_in_at + LONGEST_S)


def test_a_clock_that_is_behind_does_not_shorten_a_session() -> None:
    assert SESSION.renew(SESSION.renewed_at - 9).renewed_at == SESSION.renewed_at


@pytest.mark.parametrize(
    ("later_s", "holds"),
    [
        pytest.param(0, True, id="at once"),
        pytest.param(LOGIN_TOKEN_S - 1, True, id="within a minute"),
        pytest.param(LOGIN_TOKEN_S + 1, False, id="after a minute"),
        pytest.param(-9, True, id="from a server whose clock is nine seconds ahead"),
        pytest.param(-12, False, id="from a server whose clock is twelve seconds ahead"),
    ],
)
def test_a_hand_over_is_good_for_a_minute(later_s: float, holds: bool) -> None:
    sealed = SIGNER.login_token(SESSION, now=NOW)
    if holds:
        assert SIGNER.read_login_token(sealed, now=NOW + later_s).session == SESSION
    else:
        with pytest.raises(SignInError, match="took too long"):
            SIGNER.read_login_token(sealed, now=NOW + later_s)


def test_a_cookie_is_no_hand_over() -> None:
    with pytest.raises(SignInError):
        SIGNER.read_login_token(SIGNER.cookie(SESSION), now=NOW)


def test_no_two_sessions_and_no_two_hand_overs_share_an_id() -> None:
    assert Session.of(KIM, epoch=0, now=NOW).id != SESSION.id
    first, second = (SIGNER.read_login_token(SIGNER.login_token(SESSION, now=NOW), now=NOW) for _ in range(2))
    assert first.id != second.id
