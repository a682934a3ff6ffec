"""What is said of a side that waits, works or has failed, and of work that is told on other pages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.errors import EngineError, EngineFault
from core.generation.records.attempt import AttemptId
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.outcome import Outcome
from core.injection.request.wishes import SideName
from core.ui.generate.side_words import headline, next_says, problem, told_in_ms
from core.ui.generate.stage_footers import cancel_label
from core.ui.generate.work import cancel_words, end_words, progress_words
from tests.generation.comparisons import comparison

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
QUEUED, RUNNING, DONE, FAILED = AttemptPhase.QUEUED, AttemptPhase.RUNNING, AttemptPhase.DONE, AttemptPhase.FAILED
CANCELLED = AttemptPhase.CANCELLED


def side(phase: AttemptPhase, *, name: SideName = SideName.TONE_ONLY, **facts: object) -> SideStatus:
    return SideStatus(side=name, attempt=1, phase=phase, **facts)  # type: ignore[arg-type]  # fields of the record


def failed(kind: EngineFault, *, wait: float | None = None) -> SideStatus:
    err = EngineError("It broke.", kind=kind, retry_after_s=wait)
    outcome = Outcome.failed(AttemptId("01JX0000000000000000000000", SideName.TONE_ONLY, 1), err, began=NOW, ended=NOW)
    return side(AttemptPhase.after(outcome), outcomes=(outcome,))


def status(*phases: AttemptPhase, ahead: int = 0) -> ComparisonStatus:
    names = (SideName.TONE_ONLY, SideName.TONE_ANGLE)
    sides = tuple(side(phase, name=name, ahead=ahead) for phase, name in zip(phases, names, strict=False))
    return ComparisonStatus(comparison=comparison(), sides=sides)


def of_takes(*takes: tuple[AttemptPhase, ...]) -> ComparisonStatus:
    """A comparison of several takes, each with the phases of its sides."""
    sides = [
        side.model_copy(update={"take": number})
        for number, phases in enumerate(takes, 1)
        for side in status(*phases).sides
    ]
    return ComparisonStatus(comparison=comparison(takes=len(takes)), sides=tuple(sides))


@pytest.mark.parametrize("kind", EngineFault)
def test_every_kind_of_failure_has_a_title_and_says_what_to_do(kind: EngineFault) -> None:
    assert headline(failed(kind, wait=7))
    assert problem(failed(kind, wait=7), may_act=True).startswith("It broke. ")
    assert problem(failed(kind, wait=7), may_act=False) == "It broke."


def test_an_empty_account_is_not_too_many_requests() -> None:
    assert headline(failed(EngineFault.OUT_OF_CREDIT)) == "Out of credit"
    assert headline(failed(EngineFault.RATE_LIMITED)) == "Too many requests"
    assert len({headline(failed(kind)) for kind in EngineFault}) == len(EngineFault)


def test_what_waits_says_how_many_are_ahead_and_what_was_never_begun_that_the_server_stopped() -> None:
    assert headline(side(QUEUED, ahead=2)) == "Waiting: 2 ahead of you"
    assert headline(side(QUEUED)) == "Waiting"
    assert headline(side(RUNNING)) == "Working"
    assert headline(side(AttemptPhase.INTERRUPTED)) == "Interrupted"
    assert problem(side(AttemptPhase.INTERRUPTED), may_act=False) == "The server stopped before this side was done."
    assert problem(side(RUNNING), may_act=True) == ""


def test_a_wait_is_counted_from_the_end_of_the_attempt_and_told_only_where_the_far_side_has_said_one() -> None:
    limited = failed(EngineFault.RATE_LIMITED, wait=7)
    assert told_in_ms(limited) == round(NOW.timestamp() * 1000) + 7000
    assert told_in_ms(failed(EngineFault.RATE_LIMITED)) is None
    assert told_in_ms(limited.model_copy(update={"phase": RUNNING, "attempt": 2})) is None


def test_the_next_comparison_says_whether_it_waits_or_is_made() -> None:
    assert next_says(status(QUEUED, QUEUED, ahead=3)) == "The next waits: 3 ahead of you"
    assert next_says(status(QUEUED, QUEUED)) == "The next waits"
    assert next_says(status(RUNNING, QUEUED, ahead=1)) == "Making the next"
    assert next_says(status(CANCELLED, QUEUED)) == "The next waits"


def test_both_are_cancelled_only_where_both_are_at_work() -> None:
    assert cancel_label(status(RUNNING, QUEUED)) == cancel_words([status(RUNNING, QUEUED)]) == "Cancel both"
    assert cancel_label(status(RUNNING, DONE)) == cancel_words([status(RUNNING, DONE)]) == "Cancel"
    assert cancel_words([status(RUNNING, DONE), status(QUEUED, QUEUED)]) == "Cancel all 3"
    takes = of_takes((RUNNING, DONE), (QUEUED, QUEUED))
    assert cancel_label(takes) == cancel_words([takes]) == "Cancel all 3"


def test_progress_counts_the_sides_that_have_ended_of_those_in_hand() -> None:
    assert progress_words(status(RUNNING, FAILED).sides) == "1 of 2"
    takes = of_takes((DONE, DONE), (FAILED, RUNNING), (RUNNING, QUEUED), (QUEUED, QUEUED))
    assert progress_words(takes.sides) == "3 of 8"
    assert progress_words((*status(RUNNING, DONE).sides, *status(QUEUED, QUEUED, ahead=2).sides)) == "1 of 4"
    assert progress_words(status(QUEUED, QUEUED, ahead=2).sides) == "Waiting: 2 ahead"
    assert progress_words(status(QUEUED, QUEUED).sides) == "Waiting"


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        ((DONE, DONE), "Done"),
        ((DONE, FAILED), "1 of 2 done"),
        ((FAILED, AttemptPhase.INTERRUPTED), "Failed"),
        ((CANCELLED, DONE), "Done"),
        ((CANCELLED, CANCELLED), ""),
    ],
)
def test_the_end_is_told_but_for_what_was_cancelled(phases: tuple[AttemptPhase, ...], words: str) -> None:
    assert end_words(phases) == words
