"""What people and operators are told: the sentences of a refusal, and the lines of the log."""

from __future__ import annotations

import time

import pytest
from structlog.testing import capture_logs

from core.errors import AccessDenied, InputError, ReplayedLoginToken, SignInError, StorageError
from core.generation.spending.budget import DailyLimits
from core.generation.spending.limits import SpendingLimits
from core.identity import revocations
from core.identity.access.access import Access
from core.identity.access.access_list import AccessLevel
from core.identity.authenticator import ClosedAuthenticator, DemoAuthenticator, reason_of
from core.identity.google import Certificates, GoogleVerifier
from core.identity.revocations import Revocations
from core.identity.session import LOGIN_TOKEN_S, LoginToken
from core.logs.refusals import counted
from core.objects.documents import MAX_AGE_S
from core.settings import Settings
from core.storage.s3 import Store
from core.viewer import PersonRole, Viewer
from tests.fakes.google import CLIENT_ID
from tests.identity.conftest import Clock
from tests.identity.issuer import NONCE, certificate_endpoint, claims, led_to, token
from tests.identity.test_revocations import holds, server, session
from tests.support.s3.servers import scripted_server

ADMIN = Viewer("ada@studio.example", PersonRole.ADMIN)


def test_a_changed_budget_is_logged_with_who_whose_and_how_much(store: Store, app_prefix: str) -> None:
    limits = SpendingLimits(store, Settings(s3_app_prefix=app_prefix, daily_budget_usd=50))
    with capture_logs() as logs:
        limits.change(ADMIN, DailyLimits(0.5, 0), seen=limits.read(ADMIN))
    assert [(line["event"], line["by"], line["whose"], line["before"], line["after"]) for line in logs] == [
        ("budget_changed", ADMIN.email, "everybody", 50, 0.5),
        ("budget_changed", ADMIN.email, "a person", None, 0),
    ]
    assert limits.limits() == DailyLimits(0.5, 0)


def test_what_admins_keep_is_stored_as_json_from_the_first_version_on(store: Store, app_prefix: str) -> None:
    limits = SpendingLimits(store, Settings(s3_app_prefix=app_prefix))
    for usd in (1, 2):
        limits.change(ADMIN, DailyLimits(usd, None), seen=limits.read(ADMIN))
        assert store.get(f"{app_prefix}budgets.json").content_type == "application/json"


@pytest.mark.parametrize("level", [AccessLevel.ADMIN, AccessLevel.BLOCKED])
def test_who_names_a_whole_domain_admin_is_told_what_a_domain_can_be(
    level: AccessLevel, store: Store, app_prefix: str
) -> None:
    access = Access(store, Settings(s3_app_prefix=app_prefix, admin_emails=(ADMIN.email,)))
    with pytest.raises(InputError) as refused:
        access.change(ADMIN, "other.example", level, seen=access.read(ADMIN))
    assert refused.value.message == (
        "A whole domain can be designers or ops: name admins and blocked people one by one."
    )


@pytest.mark.parametrize(
    ("age_s", "sentence", "reason"),
    [
        (3700, "Google's answer is too old. Sign in again.", "InvalidValue"),
        (-60, "Google's answer is dated more than 10 seconds ahead of this server's clock", "InvalidValue"),
    ],
)
def test_a_token_out_of_its_time_is_refused_with_its_reason_and_counted(age_s: int, sentence: str, reason: str) -> None:
    before = counted().get(("sign_in_refused", reason), 0)
    with certificate_endpoint() as endpoint, led_to(endpoint.url) as transport:
        verifier = GoogleVerifier(CLIENT_ID, Certificates(transport))
        with pytest.raises(SignInError) as refused:
            verifier.verify(token(claims(now=time.time() - age_s)), nonce=NONCE)
    assert refused.value.message.startswith(sentence)
    assert counted()["sign_in_refused", reason] == before + 1


def test_a_token_may_be_16_384_characters_long_and_no_longer() -> None:
    with certificate_endpoint() as endpoint, led_to(endpoint.url) as transport:
        verifier = GoogleVerifier(CLIENT_ID, Certificates(transport))
        for length, sentence in ((16_384, "could not be verified"), (16_385, "cannot be read")):
            with pytest.raises(SignInError, match=sentence):
                verifier.verify("x" * length, nonce=NONCE)


@pytest.mark.parametrize("authenticator", [DemoAuthenticator(), ClosedAuthenticator()])
def test_where_there_is_no_sign_in_every_step_of_one_says_so(authenticator: DemoAuthenticator) -> None:
    for ask in (
        lambda: authenticator.renew({}),
        lambda: authenticator.sign_in("x", nonce=NONCE),
        lambda: authenticator.redeem("x"),
    ):
        with pytest.raises(SignInError) as refused:
            ask()
        assert refused.value.message == "There is no sign-in here."


def test_a_hand_over_of_a_session_that_was_ended_says_that_it_was(store: Store, app_prefix: str, clock: Clock) -> None:
    known = server(store, app_prefix, clock)
    known.end(session())
    for ask in (lambda: known.redeem(LoginToken("late", session())), lambda: known.check(session())):
        with pytest.raises(SignInError) as refused:
            ask()
        assert refused.value.message == "You have been signed out: sign in again."


def test_a_replay_is_refused_by_a_server_whose_clock_is_an_hour_ahead(
    store: Store, app_prefix: str, clock: Clock
) -> None:
    login_token = LoginToken("once", session())
    server(store, app_prefix, clock).redeem(login_token)
    clock.now += LOGIN_TOKEN_S + 3599
    ahead = server(store, app_prefix, clock)
    ahead.redeem(LoginToken("another", session(2)))  # which forgets what no clock would still let in
    with pytest.raises(ReplayedLoginToken):
        ahead.redeem(login_token)


def test_of_more_people_than_are_kept_in_memory_those_seen_last_are_kept(
    monkeypatch: pytest.MonkeyPatch, app_prefix: str, clock: Clock
) -> None:
    monkeypatch.setattr(revocations, "_PEOPLE_MAX", 2)
    is_up = True
    empty = b"<Error><Code>NoSuchKey</Code></Error>"
    with scripted_server(lambda *_: (404, {"Content-Type": "application/xml"}, empty) if is_up else None) as failing:
        known: Revocations = server(failing.store(attempts=1), app_prefix, clock)
        for subject in ("ann", "bo", "ann", "cy"):
            known.check(session(subject=subject))
        is_up = False
        clock.now += MAX_AGE_S - 1
        assert holds(known, session(subject="ann"))
        assert holds(known, session(subject="cy"))
        with pytest.raises(StorageError):
            known.check(session(subject="bo"))


def test_who_is_turned_away_is_counted_as_unknown_or_as_not_allowed() -> None:
    assert reason_of(SignInError("You are not signed in.")) == "not_signed_in"
    assert reason_of(AccessDenied("You are not on the list.")) == "not_allowed"
