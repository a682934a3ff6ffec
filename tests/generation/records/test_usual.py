"""What is usual: medians of what this model took lately, of pictures asked for alike, and nothing from too few."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import EngineError, EngineFault
from core.generation.idempotency import IdempotencyKeys
from core.generation.ordering import Orders
from core.generation.records.attempt import AttemptId
from core.generation.records.comparison import Comparison, Legacy, Origin, RenderSettings, Size
from core.generation.records.outcome import Cost, Outcome, StoredPicture
from core.generation.records.usual import Finished, Median, Usual, kind_of, usual_seconds, usual_usd
from core.generation.running.runner import RunLimits, Runner
from core.generation.spending.budget import Budgets, DailyLimits
from core.generation.spending.estimates import Estimates
from core.generation.spending.ledger import Ledger
from core.injection.request.wishes import Mode, SideName
from core.viewer import PersonRole, Viewer
from tests.generation.comparisons import SIZE, TONE_ANGLE, TONE_ONLY, PricedEngine, StudioFixture, comparison, slot

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
RENDER = RenderSettings(engine="test", model="test-1", size=SIZE, quality="medium")


def finished(
    at: int, seconds: float = 1.0, usd: float | None = 0.04, references: int = 0, render: RenderSettings = RENDER
) -> Finished:
    return Finished(NOON + timedelta(seconds=at), kind_of(render), references, seconds, usd)


def done(of: Comparison, side: SideName, seconds: float, usd: float | None, attempt: int = 1) -> Outcome:
    picture = StoredPicture(key="k", etag="e", content_type="image/png", size=of.size)
    began = of.created_at
    cost = Cost(usd=usd)
    ended = began + timedelta(seconds=seconds)
    return Outcome.done(AttemptId(of.id, side, attempt), picture, began=began, ended=ended, cost=cost)


def refused(of: Comparison, side: SideName) -> Outcome:
    err = EngineError("No.", kind=EngineFault.REFUSED)
    return Outcome.failed(AttemptId(of.id, side, 1), err, began=of.created_at, ended=of.created_at)


class TestMedians:
    def test_with_fewer_than_five_nothing_is_called_usual(self) -> None:
        four = [finished(at) for at in range(4)]
        assert usual_seconds(four, RENDER) is None
        assert usual_usd(four, RENDER, references=0) is None
        assert usual_seconds([*four, finished(9)], RENDER) == Median(1.0, 5)

    def test_the_median_is_of_the_last_fifty_however_they_come(self) -> None:
        old = [finished(at, seconds=500.0, usd=9.0) for at in range(60)]
        new = [finished(100 + at, seconds=float(at), usd=at / 100) for at in range(50)]
        assert usual_seconds([*new, *old], RENDER) == Median(24.5, 50)
        usd = usual_usd([*new, *old], RENDER, references=0)
        assert usd is not None
        assert (usd.value, usd.count) == (pytest.approx(0.245), 50)

    def test_an_outlier_does_not_make_the_usual(self) -> None:
        slow = [finished(at, seconds=40.0) for at in range(5)] + [finished(9, seconds=4_000.0)]
        assert usual_seconds(slow, RENDER) == Median(40.0, 6)

    @pytest.mark.parametrize(
        "other",
        [
            RENDER.model_copy(update={"engine": "openai"}),
            RENDER.model_copy(update={"model": "test-2"}),
            RENDER.model_copy(update={"quality": "high"}),
            RENDER.model_copy(update={"size": Size(width=640, height=800)}),
        ],
    )
    def test_another_model_quality_or_size_says_nothing(self, other: RenderSettings) -> None:
        assert usual_seconds([finished(at) for at in range(9)], other) is None

    def test_a_picture_on_its_side_is_the_same_work(self) -> None:
        turned = RENDER.model_copy(update={"size": Size(width=SIZE.height, height=SIZE.width)})
        assert usual_seconds([finished(at) for at in range(5)], turned) == Median(1.0, 5)

    def test_unpriced_pictures_have_seconds_and_no_charge(self) -> None:
        found = [finished(at, usd=None) for at in range(9)]
        assert usual_seconds(found, RENDER) == Median(1.0, 9)
        assert usual_usd(found, RENDER, references=0) is None

    def test_charges_are_of_as_many_references_or_the_next_greater_number(self) -> None:
        found = [
            *(finished(at, usd=0.05, references=1) for at in range(5)),
            *(finished(at, usd=0.10, references=3) for at in range(4)),
            *(finished(at, usd=0.20, references=5) for at in range(6)),
        ]
        assert usual_usd(found, RENDER, references=1) == Median(0.05, 5)
        assert usual_usd(found, RENDER, references=2) == Median(0.20, 6), "four of three are too few"
        assert usual_usd(found, RENDER, references=5) == Median(0.20, 6)
        assert usual_usd(found, RENDER, references=6) is None, "fewer would be too cheap"


class TestReading:
    def test_a_new_server_reads_what_others_have_made(self, studio: StudioFixture) -> None:
        history = studio.history()
        for number in range(3):
            made = comparison(slot("refs/a.png", "e"))
            history.add(made)
            for side in (TONE_ONLY, TONE_ANGLE):
                history.add_outcome(done(made, side, seconds=10.0 + number, usd=0.09))
        usual = Usual(studio.history())
        usual.catch_up()
        assert usual.seconds(RENDER) == Median(11.0, 6)
        assert usual.usd(RENDER, references=1) == Median(0.09, 6)
        assert usual.usd(RENDER, references=2) is None

    def test_failures_imports_and_broken_records_say_nothing(self, studio: StudioFixture) -> None:
        history = studio.history()
        for _ in range(5):
            failed = comparison()
            history.add(failed)
            history.add_outcome(refused(failed, TONE_ONLY))
            imported = comparison(origin=Origin.BACKFILL, legacy=Legacy(id="1"))
            history.add(imported)
            history.add_outcome(done(imported, TONE_ONLY, 3.0, 0.04))
            broken = comparison()
            history.add(broken)
            studio.store.put(f"{history.folder_of(broken.id)}tone-only-1.json", b"no", content_type="application/json")
        usual = Usual(studio.history())
        usual.catch_up()
        assert usual.seconds(RENDER) is None

    def test_what_ends_later_on_another_server_is_found_by_the_next_look(self, studio: StudioFixture) -> None:
        history, usual = studio.history(), Usual(studio.history())
        made = [comparison() for _ in range(5)]
        for one in made:
            history.add(one)
            history.add_outcome(done(one, TONE_ONLY, 10.0, 0.09))
        usual.catch_up()
        assert usual.seconds(RENDER) == Median(10.0, 5)
        for one in made:
            history.add_outcome(done(one, TONE_ANGLE, 30.0, 0.09))
        usual.catch_up()
        assert usual.seconds(RENDER) == Median(20.0, 10)

    def test_an_attempt_of_this_server_counts_at_once_and_once_only(self, studio: StudioFixture) -> None:
        history, usual = studio.history(), Usual(studio.history())
        for _ in range(5):
            one = comparison(mode=Mode.TONE_ONLY)
            history.add(one)
            outcome = done(one, TONE_ONLY, 7.0, 0.02)
            history.add_outcome(outcome)
            usual.add(one, outcome)
        assert usual.seconds(RENDER) == Median(7.0, 5)
        usual.catch_up()
        assert usual.seconds(RENDER) == Median(7.0, 5)


def test_what_orders_were_charged_stands_beside_what_they_may_cost(studio: StudioFixture) -> None:
    """As the studio wires it: the runner tells of every outcome, and budgets are asked about the higher figure."""
    engine = PricedEngine(estimate_usd=0.07)  # and each side is charged $0.04
    engines, history = {"test": engine}, studio.history()
    usual = Usual(history)
    runner = Runner(history, studio.store, engines, RunLimits(4, deadline_s=60), observe=usual.add)
    ledger = Ledger(history, studio.store, engines, app_prefix=studio.prefix, usual=usual)
    keys = IdempotencyKeys(studio.store, app_prefix=studio.prefix, at_work=lambda name: runner.status(name).busy)
    orders = Orders(runner, engines, keys, Budgets(ledger, DailyLimits), usual=usual)
    anna = Viewer("anna@studio", PersonRole.DESIGNER)
    try:
        again = comparison()
        assert orders.usual_charge_again(again) is None
        for _ in range(3):
            runner.wait(orders.order_again(comparison(seed=len(engine.requests)), anna).id)
        charge = orders.usual_charge_again(again)
        assert charge is not None
        assert (charge.value, charge.count) == (pytest.approx(0.08), 6)
        assert orders.usual_charge_again(again, TONE_ONLY) == Median(0.04, 6)
        assert orders.estimate_again(again) == pytest.approx(0.14)
        assert usual.seconds(RENDER) is not None
    finally:
        runner.close()


class TestEstimates:
    def estimates(self, studio: StudioFixture, listed_usd: float | None, charged_usd: float) -> Estimates:
        usual = Usual(studio.history())
        for _ in range(5):
            one = comparison()
            usual.add(one, done(one, TONE_ONLY, 7.0, charged_usd))
        return Estimates({"test": PricedEngine(estimate_usd=listed_usd)}, usual)

    @pytest.mark.parametrize(
        ("listed_usd", "charged_usd", "counts_usd"),
        [(0.17, 0.10, 0.17), (0.02, 0.10, 0.10), (None, 0.10, None)],
        ids=["the table is dearer", "the table has fallen behind", "the table does not know"],
    )
    def test_budgets_count_the_higher_of_table_and_median_and_promise_nothing_without_a_table(
        self, studio: StudioFixture, listed_usd: float | None, charged_usd: float, counts_usd: float | None
    ) -> None:
        estimates = self.estimates(studio, listed_usd, charged_usd)
        assert estimates.at_most(RENDER, references=0) == counts_usd
        assert estimates.usual(RENDER, references=0) == Median(charged_usd, 5)

    def test_of_an_engine_that_is_gone_nobody_can_say(self, studio: StudioFixture) -> None:
        gone = RENDER.model_copy(update={"engine": "gone"})
        assert self.estimates(studio, 0.1, 0.1).at_most(gone, references=0) is None
