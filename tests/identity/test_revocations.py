"""Revocations: a session that was ended stays ended, on every server and after a restart."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ReplayedLoginToken, SignInError, StorageError, StorageUnavailable
from core.identity.google import GoogleAccount
from core.identity.revocations import Revocations
from core.identity.session import LOGIN_TOKEN_S, LoginToken, Session
from core.objects.documents import MAX_AGE_S
from core.storage.s3 import Store
from tests.identity.conftest import Clock
from tests.support.s3.moto_server import fill
from tests.support.s3.servers import S3Server, scripted_server

KIM = GoogleAccount("1101", "kim@studio.example", "Kim", "studio.example")


def session(number: int = 1, *, subject: str = "1101", epoch: int = 0) -> Session:
    made = Session.of(KIM, epoch=epoch, now=1_800_000_000)
    return replace(made, id=f"session-{number}", subject=subject)


def server(store: Store, prefix: str, clock: Clock) -> Revocations:
    """What a server knows: another one has another memory."""
    return Revocations(store, app_prefix=prefix, clock=clock, monotonic=clock)


@pytest.fixture
def here(store: Store, app_prefix: str, clock: Clock) -> Revocations:
    return server(store, app_prefix, clock)


@pytest.fixture
def elsewhere(store: Store, app_prefix: str, clock: Clock) -> Revocations:
    return server(store, app_prefix, clock)


def holds(known: Revocations, wanted: Session) -> bool:
    try:
        known.check(wanted)
    except SignInError:
        return False
    return True


def test_a_hand_over_is_good_once_on_all_servers_together(here: Revocations, elsewhere: Revocations) -> None:
    login_token = LoginToken("once", session())
    here.redeem(login_token)
    for known in (here, elsewhere):
        with pytest.raises(ReplayedLoginToken):
            known.redeem(login_token)


def test_a_replay_is_refused_until_no_clock_takes_the_hand_over_any_more(
    here: Revocations, store: Store, app_prefix: str, clock: Clock
) -> None:
    """Also after a restart, and after other login tokens of the same person."""
    login_token = LoginToken("once", session())
    here.redeem(login_token)
    clock.now += LOGIN_TOKEN_S + 30
    here.redeem(LoginToken("another", session(2)))
    with pytest.raises(ReplayedLoginToken):
        server(store, app_prefix, clock).redeem(login_token)


def test_signing_out_here_ends_this_session_and_no_other(
    here: Revocations, elsewhere: Revocations, store: Store, app_prefix: str, clock: Clock
) -> None:
    mine, other, foreign = session(1), session(2), session(1, subject="2202")
    assert all(holds(known, each) for known in (here, elsewhere) for each in (mine, other, foreign))
    here.end(mine)
    assert not holds(here, mine)
    clock.now += MAX_AGE_S
    assert not holds(elsewhere, mine)
    assert not holds(server(store, app_prefix, clock), mine)
    assert holds(elsewhere, other)
    assert holds(elsewhere, foreign)


def test_signing_out_everywhere_ends_every_session_of_the_person_and_of_nobody_else(
    here: Revocations, elsewhere: Revocations, store: Store, app_prefix: str, clock: Clock
) -> None:
    mine, other, foreign = session(1), session(2), session(3, subject="2202")
    assert holds(elsewhere, other)
    here.end_all(mine)
    clock.now += MAX_AGE_S
    for known in (here, elsewhere, server(store, app_prefix, clock)):
        assert not holds(known, mine)
        assert not holds(known, other)
        assert holds(known, foreign)
        with pytest.raises(SignInError):
            known.redeem(LoginToken("begun before", session(4)))
    assert holds(here, session(5, epoch=here.epoch("1101")))


def test_other_servers_hear_of_a_sign_out_within_twenty_seconds(
    here: Revocations, elsewhere: Revocations, clock: Clock
) -> None:
    holds(elsewhere, session())
    here.end(session())
    heard_after = next(later for later in range(61) if _ticked(clock) and not holds(elsewhere, session()))
    assert heard_after < 20


def _ticked(clock: Clock) -> bool:
    clock.now += 1
    return True


def test_an_ended_session_ends_no_other(here: Revocations) -> None:
    """Whoever holds a stolen cookie that was ended cannot sign its person out again and again."""
    here.end(session(1))
    here.end_all(session(1))
    assert holds(here, session(2))
    here.end_all(session(2))
    here.end_all(session(2))
    assert here.epoch("1101") == 1


def test_ended_sessions_are_forgotten_only_when_no_clock_would_let_them_in(here: Revocations, clock: Clock) -> None:
    here.end(session(1))
    clock.now += 7 * 24 * 3600
    here.end(session(2))
    assert not holds(here, session(1))


@pytest.mark.parametrize(
    "record", [b"", b"{", b"[]", b"null", b'{"epoch": null}', b'{"ended": ["x"]}', b'{"surprise": 1}', b"\xff\xfe"]
)
def test_with_a_damaged_record_nobody_is_let_in_on_a_guess(
    here: Revocations, s3: S3Server, app_prefix: str, record: bytes
) -> None:
    fill(s3, {f"{app_prefix}sessions/{sha256(b'1101').hexdigest()[:40]}.json": record})
    for ask in (
        lambda: here.check(session()),
        lambda: here.redeem(LoginToken("x", session())),
        lambda: here.epoch("1101"),
    ):
        with pytest.raises(StorageUnavailable, match="damaged"):
            ask()
    assert holds(here, session(subject="2202"))


def test_a_subject_of_any_letters_has_a_record_of_its_own(here: Revocations) -> None:
    """No subject reaches another's record, whatever path it spells."""
    for subject in ("../access", "", "/", "a" * 2000, "김"):
        here.end(session(subject=subject))
        assert not holds(here, session(subject=subject))
    assert holds(here, session())


def test_when_s3_is_down_a_session_holds_for_as_long_as_the_record_may_be_old(app_prefix: str, clock: Clock) -> None:
    is_up = True
    empty = b"<Error><Code>NoSuchKey</Code></Error>"
    with scripted_server(lambda *_: (404, {"Content-Type": "application/xml"}, empty) if is_up else None) as failing:
        known = server(failing.store(attempts=1), app_prefix, clock)
        known.check(session())
        is_up = False
        clock.now += MAX_AGE_S - 1
        known.check(session())
        for ask in (
            lambda: known.end(session()),
            lambda: known.redeem(LoginToken("x", session())),
            lambda: known.check(session(subject="2202")),
        ):
            with pytest.raises(StorageError):
                ask()
        clock.now += 1
        with pytest.raises(StorageError):
            known.check(session())


steps = st.lists(
    st.tuples(st.sampled_from(["end", "end all", "restart"]), st.integers(1, 3), st.integers(0, 1)), max_size=6
)


@given(steps)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_of_events_ever_brings_an_ended_session_back(
    store: Store, app_prefix: str, clock: Clock, steps: list[tuple[str, int, int]]
) -> None:
    """Sign-outs on two servers and restarts of either, in any order."""
    subject = f"{clock.now}"  # an example's own person
    clock.now += 1000
    servers = [server(store, app_prefix, clock) for _ in range(2)]
    ended: set[int] = set()
    for what, number, at in steps:
        if what == "restart":
            servers[at] = server(store, app_prefix, clock)
            continue
        if what == "end all":
            ended |= set() if number in ended else {1, 2, 3}
            servers[at].end_all(session(number, subject=subject))
        else:
            ended.add(number)
            servers[at].end(session(number, subject=subject))
        clock.now += MAX_AGE_S
        for each in servers:
            assert {n for n in (1, 2, 3) if not holds(each, session(n, subject=subject))} == ended
