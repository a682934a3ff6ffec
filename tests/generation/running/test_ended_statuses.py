"""Ended statuses: half a minute old at most, and never of what is at work."""

from __future__ import annotations

from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.running.ended_statuses import EndedStatuses
from core.injection.request.wishes import Mode
from tests.generation.comparisons import TONE_ONLY, comparison


def status(phase: AttemptPhase) -> ComparisonStatus:
    sides = (SideStatus(side=TONE_ONLY, attempt=1, phase=phase),)
    return ComparisonStatus(comparison=comparison(mode=Mode.TONE_ONLY), sides=sides)


def test_what_ended_is_kept_for_half_a_minute_and_no_longer() -> None:
    now = [100.0]
    kept, ended = EndedStatuses(clock=lambda: now[0]), status(AttemptPhase.DONE)
    assert kept.get(ended.comparison.id) is None
    kept.keep(ended)
    now[0] += 29
    assert kept.get(ended.comparison.id) is ended
    now[0] += 2
    assert kept.get(ended.comparison.id) is None


def test_what_is_at_work_is_not_kept_nor_what_is_run_again() -> None:
    kept, busy, ended = EndedStatuses(), status(AttemptPhase.RUNNING), status(AttemptPhase.FAILED)
    kept.keep(busy)
    kept.keep(ended)
    kept.forget(ended.comparison.id)
    assert kept.get(busy.comparison.id) is None
    assert kept.get(ended.comparison.id) is None
