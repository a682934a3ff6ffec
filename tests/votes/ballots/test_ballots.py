"""Ballot seals: what a browser holds tells nothing, and nothing but what it was given is taken back."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from core.errors import InputError
from core.logs.refusals import counted
from core.votes.ballots.ballots import BALLOT_S, SEAL_CHARS_MAX, BallotSeals, DrawnBallot, Purpose
from core.votes.records.judgements import SideLetter
from tests.votes.ballot_box import SECRET

NOW = 1_800_000_000.0
BALLOT = DrawnBallot(
    id=str(ULID()),
    voter="0123456789ab",
    comparison=str(ULID()),
    take=1,
    left=SideLetter.A,
    again=False,
    folder="studio/generations/2026/11/22/x/",
    a="tone-only-1.png",
    etag_a="a" * 32,
    b="tone-angle-1.png",
    etag_b="b" * 32,
)


def seals(secret: str = SECRET, *, now: float = NOW) -> BallotSeals:
    return BallotSeals(secret, clock=lambda: now)


SEALED = seals().seal(BALLOT, Purpose.VOTE)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_seal_opens_for_its_voter_and_its_purpose_on_every_server_of_the_secret(purpose: Purpose) -> None:
    assert seals().open(seals().seal(BALLOT, purpose), BALLOT.voter, *Purpose) == (BALLOT, purpose)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_seal_for_one_use_is_refused_for_another(purpose: Purpose) -> None:
    others = [other for other in Purpose if other is not purpose]
    with pytest.raises(InputError, match="not one that you were given"):
        seals().open(seals().seal(BALLOT, purpose), BALLOT.voter, *others)


def test_nothing_of_a_ballot_can_be_read_in_its_seal() -> None:
    for purpose in Purpose:
        sealed = seals().seal(BALLOT, purpose)
        raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        for word in (b"tone", b"angle", b"png", b"studio", BALLOT.comparison.encode(), BALLOT.voter.encode()):
            assert word not in raw
            assert word.decode() not in sealed


def test_the_seals_of_both_pictures_and_of_either_order_are_equally_long() -> None:
    drawn = [BALLOT, replace(BALLOT, left=SideLetter.B)]
    lengths = {len(seals().seal(each, purpose)) for each in drawn for purpose in Purpose}
    assert len(lengths) == 1


def test_no_two_seals_are_alike() -> None:
    assert len({seals().seal(BALLOT, Purpose.LEFT) for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "forged",
    [
        *("", "x", "no seal at all", "gAAAAA", "%00", "é" * 40, "A" * (SEAL_CHARS_MAX + 1), "=" * 40, "\n"),
        base64.urlsafe_b64encode(b"\x80" + bytes(100)).decode(),
        base64.urlsafe_b64encode(json.dumps(["v", "id"]).encode()).decode(),
    ],
)
def test_what_is_no_seal_is_refused(forged: str) -> None:
    with pytest.raises(InputError, match="not one that you were given"):
        seals().open(forged, BALLOT.voter, *Purpose)


@given(st.data())
def test_a_seal_with_any_letter_changed_is_refused(data: st.DataObject) -> None:
    sealed = SEALED
    at = data.draw(st.integers(0, len(sealed) - 2))  # the last letter has bits that mean nothing
    letter = data.draw(st.sampled_from([each for each in "ABCxyz019-_" if each != sealed[at]]))
    with pytest.raises(InputError):
        seals().open(sealed[:at] + letter + sealed[at + 1 :], BALLOT.voter, Purpose.VOTE)


@pytest.mark.parametrize("cut", [1, 2, 3, 40])
def test_a_seal_that_is_cut_is_refused(cut: int) -> None:
    sealed = seals().seal(BALLOT, Purpose.VOTE)
    for short in (sealed[:-cut], sealed[cut:]):
        with pytest.raises(InputError):
            seals().open(short, BALLOT.voter, Purpose.VOTE)


def test_a_seal_of_another_secret_is_refused() -> None:
    with pytest.raises(InputError, match="not one that you were given"):
        seals("another secret").open(seals().seal(BALLOT, Purpose.VOTE), BALLOT.voter, Purpose.VOTE)


def test_a_key_made_of_the_secret_itself_opens_nothing() -> None:
    """Sessions and ballots share the secret, and no seal of one is good for the other."""
    plain = Fernet(base64.urlsafe_b64encode(SECRET.encode()[:32].ljust(32, b"0")))
    with pytest.raises(InputError):
        seals().open(plain.encrypt(b"[]").decode(), BALLOT.voter, *Purpose)


def test_somebody_elses_seal_is_refused() -> None:
    with pytest.raises(InputError, match="not one that you were given"):
        seals().open(seals().seal(BALLOT, Purpose.VOTE), "ba9876543210", Purpose.VOTE)


@pytest.mark.parametrize(("age_s", "is_good"), [(0, True), (BALLOT_S - 1, True), (BALLOT_S + 1, False)])
def test_a_seal_expires(age_s: float, is_good: bool) -> None:
    sealed = seals().seal(BALLOT, Purpose.VOTE)
    late = seals(now=NOW + age_s)
    if is_good:
        assert late.open(sealed, BALLOT.voter, Purpose.VOTE)[0] == BALLOT
    else:
        with pytest.raises(InputError, match="older than a day"):
            late.open(sealed, BALLOT.voter, Purpose.VOTE)


def test_refusals_are_counted_by_their_reason() -> None:
    before = counted().get(("ballot_refused", "forged"), 0)
    with pytest.raises(InputError):
        seals().open("nothing", BALLOT.voter, Purpose.VOTE)
    assert counted()["ballot_refused", "forged"] == before + 1


def test_the_ballot_after_an_undo_is_another_one_of_the_same_pictures() -> None:
    again = BALLOT.anew()
    assert again.id != BALLOT.id
    assert replace(again, id=BALLOT.id) == BALLOT
