"""Both sides at once: retried and cancelled by one press, within one budget and by whoever may."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import AccessDenied, EngineError, EngineFault, InputError
from core.generation.engines.engine import SideRequest
from core.generation.idempotency import IdempotencyKeys
from core.generation.ordering import Orders
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus
from core.generation.records.comparison import Comparison
from core.generation.running.runner import Runner
from core.generation.spending.budget import Budgets, DailyLimits
from core.generation.spending.ledger import Ledger
from core.injection.request.wishes import Mode
from core.viewer import PersonRole, Viewer
from tests.generation.comparisons import (
    TONE_ANGLE,
    TONE_ONLY,
    PatientEngine,
    PricedEngine,
    StudioFixture,
    comparison,
    side_of,
)
from tests.support.timeouts import LONG_S

ANNA = Viewer("anna@studio", PersonRole.DESIGNER)
BERT = Viewer("bert@studio", PersonRole.DESIGNER)
OPS = Viewer("ops@studio", PersonRole.OPS)


class Desk:
    """Orders within a budget, and an engine that fails for as long as it is told to."""

    def __init__(self, studio: StudioFixture, *, daily_person_usd: float | None = None) -> None:
        self.is_away = True
        self.wait_s: float | None = None
        self.engine = PricedEngine(self._before)
        self.runner: Runner = studio.runner(self.engine)
        self.orders = orders(studio, self.runner, self.engine, daily_person_usd)

    def made(self, **changes: object) -> Comparison:
        """A comparison of Anna's whose sides have all ended."""
        wanted = comparison(person=ANNA.email, **changes)  # type: ignore[arg-type]  # fields of the record
        self.runner.submit(wanted)
        self.runner.wait(wanted.id)
        return wanted

    def _before(self, _request: SideRequest) -> None:
        if self.is_away:
            raise EngineError("Away.", kind=EngineFault.RATE_LIMITED, retry_after_s=self.wait_s)


def orders(
    studio: StudioFixture, runner: Runner, engine: PricedEngine | PatientEngine, daily_person_usd: float | None = None
) -> Orders:
    ledger = Ledger(studio.history(), studio.store, {"test": engine}, app_prefix=studio.prefix)  # type: ignore[dict-item]
    budgets = Budgets(ledger, lambda: DailyLimits(daily_person_usd=daily_person_usd))
    keys = IdempotencyKeys(studio.store, app_prefix=studio.prefix, at_work=lambda name: runner.status(name).busy)
    return Orders(runner, {"test": engine}, keys, budgets)  # type: ignore[dict-item]


def phases(status: ComparisonStatus) -> list[AttemptPhase]:
    return [side.phase for side in status.sides]


def test_every_side_without_a_picture_is_run_again_and_no_other(studio: StudioFixture) -> None:
    desk = Desk(studio)
    failed = desk.made()
    desk.is_away = False
    desk.orders.retry_all(failed.id, ANNA)
    status = desk.runner.wait(failed.id)
    assert phases(status) == [AttemptPhase.DONE] * 2
    assert [side.attempt for side in status.sides] == [2, 2]
    with pytest.raises(InputError, match="nothing to retry"):
        desk.orders.retry_all(failed.id, ANNA)
    assert len(desk.engine.requests) == 4


def test_of_a_side_that_is_done_and_one_that_failed_only_that_one_is_run_again(studio: StudioFixture) -> None:
    desk = Desk(studio)
    made = desk.made()
    desk.is_away = False
    desk.orders.retry(made.id, TONE_ONLY, ANNA)
    desk.runner.wait(made.id)
    desk.orders.retry_all(made.id, ANNA)
    status = desk.runner.wait(made.id)
    assert [side_of(status, side).attempt for side in (TONE_ONLY, TONE_ANGLE)] == [2, 2]
    assert len(desk.engine.requests) == 4


def test_both_fit_into_the_budget_or_neither_is_sent(studio: StudioFixture) -> None:
    desk = Desk(studio, daily_person_usd=0.11)
    failed = desk.made()
    desk.is_away = False
    desk.made(mode=Mode.TONE_ONLY)
    before = studio.keys()
    with pytest.raises(InputError, match=r"\$0\.07 of \$0\.11 left and this may cost \$0\.08"):
        desk.orders.retry_all(failed.id, ANNA)
    assert studio.keys() == before
    desk.orders.retry(failed.id, TONE_ONLY, ANNA)
    assert side_of(desk.runner.wait(failed.id)).phase is AttemptPhase.DONE


def test_only_who_is_in_charge_retries_or_cancels_both(studio: StudioFixture) -> None:
    desk = Desk(studio)
    failed = desk.made()
    for act in (desk.orders.retry_all, desk.orders.cancel_all):
        with pytest.raises(AccessDenied, match="Only who ordered this comparison"):
            act(failed.id, BERT)
    assert len(desk.engine.requests) == 2
    desk.orders.retry_all(failed.id, OPS)
    outcomes = [side.latest for side in desk.runner.wait(failed.id).sides]
    assert {outcome.person for outcome in outcomes if outcome} == {OPS.email}


def test_all_work_on_a_comparison_is_stopped_by_one_press_what_runs_and_what_waits(studio: StudioFixture) -> None:
    engine = PatientEngine()
    runner, wanted = studio.runner(engine, concurrency=1), comparison(person=ANNA.email)
    runner.submit(wanted)
    assert engine.started.wait(LONG_S)
    orders(studio, runner, engine).cancel_all(wanted.id, ANNA)
    status = runner.wait(wanted.id)
    assert phases(status) == [AttemptPhase.CANCELLED] * 2
    assert {side.latest.cancelled.person for side in status.sides if side.latest and side.latest.cancelled} == {
        ANNA.email
    }
    orders(studio, runner, engine).cancel_all(wanted.id, ANNA)  # nothing happens to what has ended
    assert runner.status(wanted.id) == status


def test_the_work_of_a_person_is_known_without_asking_s3(studio: StudioFixture) -> None:
    engine = PatientEngine()
    runner = studio.runner(engine, concurrency=1)
    first, second = comparison(person=ANNA.email), comparison(person=ANNA.email, mode=Mode.TONE_ONLY)
    for wanted in (first, comparison(person=BERT.email, mode=Mode.TONE_ONLY), second):
        runner.submit(wanted)
    assert engine.started.wait(LONG_S)
    at_work = runner.work_of(ANNA.email)
    assert [status.comparison.id for status in at_work] == [first.id, second.id]
    assert phases(at_work[0]) == [AttemptPhase.RUNNING, AttemptPhase.QUEUED]
    assert runner.work_of("nobody@studio") == []
    engine.let_go.set()
    for wanted in (first, second):
        runner.wait(wanted.id)
    assert runner.work_of(ANNA.email) == []


def test_a_retry_is_refused_until_the_far_side_allows_it_but_for_what_clocks_differ(studio: StudioFixture) -> None:
    desk = Desk(studio)
    desk.wait_s = 60
    failed = desk.made()
    before = studio.keys()
    for retry in (desk.orders.retry_all, lambda made, viewer: desk.orders.retry(made, TONE_ONLY, viewer)):
        with pytest.raises(InputError, match=r"no further call before \d\d:\d\d:\d\d UTC, in 1 min: retry then"):
            retry(failed.id, ANNA)
    assert studio.keys() == before
    desk.wait_s = 1
    failed = desk.made()
    desk.is_away = False
    desk.orders.retry_all(failed.id, ANNA)
    assert phases(desk.runner.wait(failed.id)) == [AttemptPhase.DONE] * 2


def test_a_retry_is_allowed_when_the_far_side_said_so_and_within_a_day(studio: StudioFixture) -> None:
    desk = Desk(studio)
    desk.wait_s = 7
    outcome = side_of(desk.runner.status(desk.made(mode=Mode.TONE_ONLY).id)).latest
    assert outcome is not None
    assert outcome.failure is not None
    assert outcome.retry_at == outcome.finished_at + timedelta(seconds=7)
    for wait_s, allowed in ((None, None), (1e12, outcome.finished_at + timedelta(days=1))):
        failure = outcome.failure.model_copy(update={"retry_after_s": wait_s})
        assert outcome.model_copy(update={"failure": failure}).retry_at == allowed
