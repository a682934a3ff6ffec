"""Every attempt of a side in words: how it ended, when, for how much, by which request, and what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import EngineFault
from core.generation.records.attempt_status import AttemptPhase, SideStatus
from core.generation.records.comparison import Size
from core.generation.records.outcome import Cost, Failure, Outcome, OutcomeState, StoredPicture
from core.injection.request.wishes import SideName
from core.ui.history.attempts import attempt_words

BEGAN = datetime(2026, 5, 4, 12, 30, 5, tzinfo=UTC)
PICTURE = StoredPicture(
    key="studio/x.png", etag="e", content_type="image/png", size=Size(width=64, height=80), fidelity=83.4
)


def ended(attempt: int, *, kind: EngineFault | None = None, cost: Cost | None = None) -> Outcome:
    return Outcome(
        comparison="01JX0000000000000000000000",
        side=SideName.TONE_ONLY,
        attempt=attempt,
        state=OutcomeState.FAILED if kind else OutcomeState.DONE,
        started_at=BEGAN,
        finished_at=BEGAN + timedelta(seconds=8.25),
        picture=None if kind else PICTURE,
        failure=Failure(kind=kind, message="OpenAI refused: change the prompt.", request_id="req_1") if kind else None,
        request_id=f"req_{attempt}",
        cost=cost,
        notes=() if kind else ("It came smaller than asked for.",),
        person="anna@studio",
    )


def side(*outcomes: Outcome, attempt: int, phase: AttemptPhase) -> SideStatus:
    return SideStatus(side=SideName.TONE_ONLY, attempt=attempt, phase=phase, outcomes=outcomes, since=BEGAN)


def test_the_newest_attempt_comes_first_and_none_is_left_out() -> None:
    refused = ended(1, kind=EngineFault.REFUSED)
    done = ended(2, cost=Cost(usd=0.0412, input_tokens=4662, output_tokens=2056))
    newest, oldest = attempt_words(side(refused, done, attempt=2, phase=AttemptPhase.DONE))
    assert (newest.heading, newest.request_id, newest.fidelity) == ("Attempt 2: done", "req_2", 83.4)
    assert newest.facts == "May 4, 12:30:05 UTC · 8.2 s · $0.04 · 4,662 tokens in, 2,056 out · anna@studio"
    assert newest.notes == ("It came smaller than asked for.",)
    assert (oldest.heading, oldest.request_id) == ("Attempt 1: failed", "req_1")
    assert oldest.facts.startswith("refused · ")
    assert "not charged" in oldest.facts
    assert oldest.notes == (
        "OpenAI refused: change the prompt.",
        "A retry alone sends the same once more.",
    )


@pytest.mark.parametrize(
    ("phase", "notes"),
    [
        (AttemptPhase.INTERRUPTED, ("The server stopped before this side was done: retry it.",)),
        (AttemptPhase.RUNNING, ()),
    ],
)
def test_an_attempt_without_an_end_is_told_as_well(phase: AttemptPhase, notes: tuple[str, ...]) -> None:
    (words, _) = attempt_words(side(ended(1), attempt=2, phase=phase))
    assert words.heading == f"Attempt 2: {phase.value}"
    assert words.facts == "since May 4, 12:30:05 UTC"
    assert words.notes == notes
