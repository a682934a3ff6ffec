"""The limits of the sign-in: what is counted, for how long, and who waits for whom."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.errors import AccessDenied, NotOurs, ReplayedLoginToken, SignInError, TooManyAttempts
from core.identity import sign_in_limits
from core.identity.sign_in_limits import SignInLimits
from tests.identity.conftest import Clock
from tests.support.timeouts import LONG_S

OFFICE, HOME, BOT = "203.0.113.9", "198.51.100.7", "2001:db8:1:2::/64"


@pytest.fixture
def limits(clock: Clock) -> SignInLimits:
    return SignInLimits(address_max=3, all_max=5, clock=clock)


def fails(limits: SignInLimits, address: str, err: SignInError | None = None) -> bool:
    """Whether a sign-in that fails is told so; else it is told to wait."""
    try:
        with limits.counting(address, NotOurs):
            raise err or NotOurs("junk")
    except TooManyAttempts as told:
        return not 0 < told.retry_after_s <= 60
    except SignInError:
        return True


def test_so_many_failures_of_an_address_are_told_what_they_are_and_the_rest_to_wait(limits: SignInLimits) -> None:
    assert [fails(limits, OFFICE) for _ in range(5)] == [True] * 3 + [False] * 2
    assert fails(limits, HOME), "another address"


def test_after_a_minute_all_is_forgotten(limits: SignInLimits, clock: Clock) -> None:
    assert [fails(limits, OFFICE) for _ in range(4)] == [True] * 3 + [False]
    clock.now += 59
    assert not fails(limits, OFFICE)
    clock.now += 1
    assert not limits.is_slowed(OFFICE)
    assert [fails(limits, OFFICE) for _ in range(4)] == [True] * 3 + [False]


@pytest.mark.parametrize(
    "good",
    [
        AccessDenied("known, and may not come in"),
        ReplayedLoginToken("a second time"),
        SignInError("a session that has ended"),
    ],
    ids=lambda err: type(err).__name__,
)
def test_what_bears_our_seal_is_never_counted(good: SignInError, limits: SignInLimits) -> None:
    assert all(fails(limits, OFFICE, good) for _ in range(20))
    assert not limits.is_slowed(OFFICE)


def test_once_too_much_fails_in_all_every_address_that_has_failed_is_limited_and_no_other(limits: SignInLimits) -> None:
    bots = [f"198.51.100.{last}" for last in range(5)]
    assert all(fails(limits, bot) for bot in bots)
    assert not any(fails(limits, bot) for bot in bots)
    assert [limits.is_slowed(bot) for bot in bots] == [True] * 5
    assert not limits.is_slowed(OFFICE)
    assert [fails(limits, OFFICE), fails(limits, OFFICE)] == [True, False]


def test_however_many_addresses_come_few_are_remembered(limits: SignInLimits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_limits, "ADDRESSES_MAX", 100)
    for number in range(1000):
        fails(limits, f"bot {number}")
    assert len(limits._addresses) == 100
    assert not limits.is_slowed("bot 0")
    assert limits.is_slowed("bot 999")


def test_asking_alone_remembers_nobody(limits: SignInLimits) -> None:
    assert not any(limits.is_slowed(f"bot {number}") for number in range(100))
    assert not limits._addresses


@pytest.fixture
def google() -> Iterator[threading.Event]:
    """A Google that answers nobody until this is set."""
    answers = threading.Event()
    yield answers
    answers.set()


def test_calls_of_a_limited_address_hold_up_each_other_and_nobody_else(
    limits: SignInLimits, google: threading.Event
) -> None:
    for _ in range(3):
        fails(limits, BOT)
    slow = [limits.call_google(BOT, lambda: google.wait(LONG_S)) for _ in range(50)]
    assert limits.call_google(OFFICE, lambda: "at once").result(LONG_S) == "at once"
    google.set()
    assert all(each.result(LONG_S) for each in slow), "they waited and were not refused"


def test_who_waits_for_google_is_bounded(limits: SignInLimits, google: threading.Event) -> None:
    for _ in range(3):
        fails(limits, BOT)
    places = sign_in_limits.SLOW_CALLS_MAX + sign_in_limits.WAITING_MAX
    waiting = [limits.call_google(BOT, lambda: google.wait(LONG_S)) for _ in range(places)]
    with pytest.raises(TooManyAttempts):
        limits.call_google(BOT, lambda: google.wait(LONG_S))
    google.set()
    assert all(each.result(LONG_S) for each in waiting)
    assert limits.call_google(BOT, lambda: "there is room again").result(LONG_S)
