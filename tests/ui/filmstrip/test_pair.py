"""A pair's address: read as it was written, and by no other; the sides that are chosen where nobody pointed at one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.generation.records.attempt import AttemptId
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison, SideTake
from core.generation.records.outcome import Outcome, StoredPicture
from core.injection.request.wishes import SideName
from core.ui.components.filmstrip.filmstrip import Chosen
from core.ui.filmstrip.pair import Pair, PairedSide, pair_of
from tests.generation.comparisons import SIZE, TONE_ANGLE, TONE_ONLY, comparison

ONE, OTHER = "01JX0000000000000000000000", "01JX0000000000000000000001"
ADDRESS = f"{ONE}.tone-only~{OTHER}.tone-angle"


def status(wanted: Comparison, *pictured: SideName) -> ComparisonStatus:
    """A comparison that ended, with pictures of these sides."""

    def side(name: SideName) -> SideStatus:
        picture = StoredPicture(key="k", etag="e", content_type="image/png", size=SIZE)
        done = Outcome.done(AttemptId(wanted.id, name, 1), picture, began=wanted.created_at, ended=wanted.created_at)
        phase = AttemptPhase.DONE if name in pictured else AttemptPhase.FAILED
        return SideStatus(side=name, attempt=1, phase=phase, outcomes=(done,) if name in pictured else ())

    return ComparisonStatus(comparison=wanted, sides=tuple(side(record.side) for record in wanted.sides))


def test_an_address_is_read_as_it_was_written() -> None:
    pair = Pair.read(ADDRESS)
    assert pair == Pair(PairedSide(ONE, TONE_ONLY), PairedSide(OTHER, TONE_ANGLE))
    assert str(pair) == ADDRESS
    assert str(pair.with_place(0, SideTake(TONE_ANGLE))) == f"{ONE}.tone-angle~{OTHER}.tone-angle"
    assert str(pair.with_place(1, SideTake(TONE_ONLY))) == f"{ONE}.tone-only~{OTHER}.tone-only"
    taken = f"{ONE}.a.3~{OTHER}.tone-angle.2"
    assert Pair.read(taken) == Pair(PairedSide(ONE, SideName.A, 3), PairedSide(OTHER, TONE_ANGLE, 2))
    assert str(pair.with_place(1, SideTake(TONE_ANGLE, 2)).with_place(0, SideTake(SideName.A, 3))) == taken


@pytest.mark.parametrize(
    "text",
    [
        *("", ADDRESS + " ", ADDRESS.lower(), f"{ADDRESS}~{ADDRESS}", ADDRESS.replace("~", ","), f"\n{ADDRESS}"),
        *(f"{ONE}.tone-only.1~{OTHER}.tone-only", f"{ONE}.a.5~{OTHER}.b", f"{ONE}.a.02~{OTHER}.b"),
        *(f"{ONE}.tone-only", f"{ONE}.other~{OTHER}.tone-only", f"../{ADDRESS}", ADDRESS.replace("0", "٠")),
    ],
)
def test_what_is_no_address_of_ours_names_nothing(text: str) -> None:
    assert Pair.read(text) is None


@given(some.text())
def test_whatever_somebody_writes_there_is_read_or_names_nothing(text: str) -> None:
    assert Pair.read(text) is None or str(Pair.read(text)) == text


@pytest.mark.parametrize(
    ("left", "right", "sides"),
    [
        ((TONE_ONLY, TONE_ANGLE), (TONE_ONLY, TONE_ANGLE), (TONE_ANGLE, TONE_ANGLE)),
        ((TONE_ONLY,), (TONE_ONLY, TONE_ANGLE), (TONE_ONLY, TONE_ONLY)),
        ((TONE_ONLY,), (TONE_ANGLE,), (TONE_ONLY, TONE_ANGLE)),
        ((), (TONE_ONLY,), (TONE_ANGLE, TONE_ONLY)),
    ],
)
def test_the_same_side_of_both_is_taken_where_both_have_a_picture_of_it(
    left: tuple[SideName, ...], right: tuple[SideName, ...], sides: tuple[SideName, SideName]
) -> None:
    one, other = status(comparison(), *left), status(comparison(), *right)
    nobody = [Chosen(each.comparison.id, None) for each in (one, other)]
    pair = pair_of((one, nobody[0]), (other, nobody[1]))
    assert (pair.left.side, pair.right.side) == sides


def test_a_picture_that_was_pointed_at_is_taken_and_an_unknown_side_is_not() -> None:
    one, other = (status(comparison(), TONE_ONLY, TONE_ANGLE) for _ in range(2))
    pair = pair_of((one, Chosen(one.comparison.id, "tone-only")), (other, Chosen(other.comparison.id, "evil")))
    assert (pair.left.side, pair.right.side) == (TONE_ONLY, TONE_ANGLE)


def test_of_several_takes_the_best_scored_one_stands_there() -> None:
    one, other = taken((51, 60), (80, None), (70, 72)), status(comparison(), TONE_ONLY, TONE_ANGLE)
    pair = pair_of((one, Chosen(one.comparison.id, None)), (other, Chosen(other.comparison.id, "tone-only")))
    assert (pair.left.place, pair.right.place) == (SideTake(TONE_ANGLE, 3), SideTake(TONE_ONLY))


def taken(*scores: tuple[int | None, int | None]) -> ComparisonStatus:
    """A comparison of several takes, each picture with its fidelity; None for one that failed."""
    wanted = comparison(takes=len(scores))
    sides = [
        side_of_take(wanted, name, take, score)
        for take, pair in enumerate(scores, 1)
        for name, score in zip((TONE_ONLY, TONE_ANGLE), pair, strict=True)
    ]
    return ComparisonStatus(comparison=wanted, sides=tuple(sides))


def side_of_take(wanted: Comparison, name: SideName, take: int, score: int | None) -> SideStatus:
    if score is None:
        return SideStatus(side=name, take=take, attempt=1, phase=AttemptPhase.FAILED)
    key = f"{name}-take{take}"
    picture = StoredPicture(key=key, etag="e", content_type="image/png", size=SIZE, fidelity=score)
    of, made_at = AttemptId(wanted.id, name, 1, take), wanted.created_at
    done = Outcome.done(of, picture, began=made_at, ended=made_at)
    return SideStatus(side=name, take=take, attempt=1, phase=AttemptPhase.DONE, outcomes=(done,))
