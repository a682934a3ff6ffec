"""Admission: who has to go, who has to wait, and for whom all that is not meant."""

from __future__ import annotations

import pytest

from core.web.sockets import limits
from core.web.sockets.admission import Admission, OpenSocket
from core.web.sockets.refusals import CODES, Refusal


class Clock:
    """Seconds that pass when a test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(clock: Clock) -> Admission:
    return Admission(clock)


def let_in(admission: Admission, address: str, many: int, person: str = "", closed: list[int] | None = None) -> None:
    """Open so many sockets; the numbers of those that have to go are added to `closed`."""
    for nth in range(many):
        socket = OpenSocket(address, person)
        socket.close = lambda _, nth=nth: closed.append(nth) if closed is not None else None  # type: ignore[misc]
        admission.let_in(socket)


def test_an_office_signs_in_at_once_and_nobody_waits_or_goes(admission: Admission) -> None:
    gone: list[int] = []
    assert [admission.wait_s("office") for _ in range(200)] == [0.0] * 200
    let_in(admission, "office", 200, closed=gone)
    assert gone == []


def test_the_oldest_stranger_of_a_crowded_address_goes(admission: Admission) -> None:
    gone: list[int] = []
    let_in(admission, "crowd", limits.STRANGERS_AN_ADDRESS + 3, closed=gone)
    assert gone == [0, 1, 2]
    assert admission.wait_s("crowd") > 0


def test_of_too_many_strangers_in_all_the_oldest_of_the_address_with_most_goes(admission: Admission) -> None:
    quiet: list[int] = []
    crowd: list[int] = []
    let_in(admission, "quiet", limits.STRANGERS - limits.STRANGERS_AN_ADDRESS, closed=quiet)
    let_in(admission, "crowd", limits.STRANGERS_AN_ADDRESS, closed=crowd)
    let_in(admission, "other", 2)
    assert (quiet, crowd) == ([], [0, 1])


def test_strangers_take_no_place_of_somebody_who_is_signed_in(admission: Admission) -> None:
    gone: list[int] = []
    let_in(admission, "crowd", 10, person="ada", closed=gone)
    let_in(admission, "crowd", 2 * limits.STRANGERS)
    assert gone == []
    let_in(admission, "crowd", limits.KNOWN_A_PERSON, person="ada")
    assert gone == list(range(10)), "only her own tabs do, when they are too many"


def test_the_greatest_sender_goes_when_strangers_hold_too_much(admission: Admission) -> None:
    small, large = OpenSocket("a", ""), OpenSocket("b", "")
    admission.let_in(small)
    admission.let_in(large)
    assert admission.sent(large, limits.STRANGERS_BYTES) is None
    assert admission.sent(small, 1) is large
    admission.gone(large)
    assert admission.sent(large, limits.STRANGERS_BYTES) is None, "what is closed counts no more"
    assert admission.sent(small, 1) is None


def test_the_wait_at_the_door_grows_with_each_strike_to_its_longest_and_passes(
    admission: Admission, clock: Clock
) -> None:
    waits = []
    for _ in range(20):
        admission.strike("attacker")
        waits.append(admission.wait_s("attacker"))
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(2 * limits.STRIKE_S)
    assert waits[-1] == limits.LONGEST_WAIT_S
    assert admission.wait_s("neighbour") == 0
    clock.now += 10 * limits.STRIKES_HALVE_S
    assert admission.wait_s("attacker") == 0


def test_half_of_the_door_is_the_most_for_one_address(admission: Admission) -> None:
    assert sum(admission.begin_to_wait("attacker") for _ in range(1000)) == limits.AT_THE_DOOR // 2
    assert admission.begin_to_wait("neighbour")
    admission.end_to_wait("attacker")
    assert admission.begin_to_wait("attacker")


def test_one_address_leaves_turns_for_others(admission: Admission) -> None:
    waits = [admission.turn_in_s("attacker") for _ in range(1000)]
    assert waits[-1] is None
    assert admission.turn_in_s("neighbour") is not None


def test_every_refusal_but_one_at_the_door_has_a_code() -> None:
    assert set(Refusal) - set(CODES) == {Refusal.TOO_MANY_AT_THE_DOOR}
