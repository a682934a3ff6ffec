"""The ledger and the budgets: what S3 says was spent, no more and no less, on every server; and what may be sent."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ulid import ULID

from core.errors import Charge, EngineError, EngineFault, InputError, StorageUnavailable
from core.generation.engines.engine import SideRequest
from core.generation.idempotency import IdempotencyKeys
from core.generation.ordering import Orders
from core.generation.planning import ComparisonPlanner, Planned
from core.generation.records.attempt import AttemptStart, this_server
from core.generation.records.comparison import Comparison, RenderSettings, Size
from core.generation.records.outcome import Cost, Failure, Outcome, OutcomeState
from core.generation.running.runner import Runner
from core.generation.spending.budget import Budget, Budgets, DailyLimits
from core.generation.spending.ledger import Account, Ledger, Tally
from core.generation.variations import Variations
from core.injection.reading.reader import OfflineReader
from core.injection.request.wishes import Mode, SideName, Wishes
from core.labels.published.label_file import LabelSet
from core.storage.client import Reach
from core.storage.s3 import Store
from core.viewer import PersonRole, Viewer
from tests.faults.proxy import FaultProxy
from tests.generation.comparisons import TONE_ANGLE, TONE_ONLY, PricedEngine, StudioFixture, comparison
from tests.injection.libraries import VOCABULARY, library, plan
from tests.support.timeouts import LONG_S, until

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = NOON.date()
ANNA, BERT = "anna@studio", "bert@studio"


def designer(email: str) -> Viewer:
    return Viewer(email, PersonRole.DESIGNER)


def ledger(
    studio: StudioFixture, *, estimate_usd: float | None = 0.04, now: datetime | None = None, **more: Any
) -> Ledger:
    engines = {"test": PricedEngine(estimate_usd=estimate_usd)}
    clock = {"now": lambda: now} if now else {}
    return Ledger(studio.history(), more.get("store", studio.store), engines, app_prefix=studio.prefix, **clock)


def recorded(studio: StudioFixture, at: datetime = NOON, **changes: Any) -> Comparison:
    """A comparison in S3, as old as wanted."""
    name = ULID.from_datetime(at)
    wanted = comparison(**({"id": str(name), "created_at": at, "person": ANNA} | changes))
    studio.history().add(wanted)
    return wanted


def begun(studio: StudioFixture, of: Comparison, at: datetime = NOON, **changes: Any) -> AttemptStart:
    """An attempt's claim in S3."""
    start = AttemptStart(
        **(
            {
                "comparison": of.id,
                "side": TONE_ONLY,
                "attempt": 1,
                "started_at": at,
                "deadline_s": 60,
                "server": this_server(),
                "person": of.person,
            }
            | changes
        )
    )
    studio.history().add_start(start)
    return start


def ended(
    studio: StudioFixture,
    of: Comparison,
    cost: Cost | None,
    kind: EngineFault | None = None,
    at: datetime = NOON,
    **changes: Any,
) -> Outcome:
    """An attempt's end in S3."""
    values: dict[str, Any] = {
        "comparison": of.id,
        "side": TONE_ONLY,
        "attempt": 1,
        "state": OutcomeState.FAILED if kind else OutcomeState.DONE,
        "started_at": at,
        "finished_at": at + timedelta(seconds=9),
        "failure": Failure(kind=kind, message="It did not work.") if kind else None,
        "cost": cost,
        "person": of.person,
        "mode": of.mode,
    }
    outcome = Outcome(**(values | changes))
    studio.history().add_outcome(outcome)
    return outcome


def only(accounts: list[Account]) -> Tally:
    assert len(accounts) == 1
    return accounts[0].tally


class TestAccounts:
    def test_spending_is_kept_by_person_day_and_mode(self, studio: StudioFixture) -> None:
        ended(studio, recorded(studio), Cost(usd=0.10))
        ended(studio, recorded(studio, mode=Mode.TONE_ONLY), Cost(usd=0.20))
        ended(studio, recorded(studio, person=BERT), Cost(usd=0.40))
        ended(studio, recorded(studio, NOON - timedelta(days=1)), Cost(usd=0.80), at=NOON - timedelta(days=1))
        accounts = ledger(studio).accounts(DAY - timedelta(days=1), DAY)
        assert [(each.person, each.day, each.mode, each.tally.usd) for each in accounts] == [
            (ANNA, DAY - timedelta(days=1), Mode.COMPARE, 0.80),
            (ANNA, DAY, Mode.COMPARE, 0.10),
            (ANNA, DAY, Mode.TONE_ONLY, 0.20),
            (BERT, DAY, Mode.COMPARE, 0.40),
        ]

    @pytest.mark.parametrize(
        ("cost", "kind", "tally"),
        [
            (Cost(usd=0.05), None, Tally(done=1, usd=0.05)),
            (Cost(usd=0.0), None, Tally(done=1)),
            (Cost(usd=None), None, Tally(done=1, unpriced=1, held_usd=0.04)),
            (None, None, Tally(done=1, unpriced=1, held_usd=0.04)),
            (None, EngineFault.REFUSED, Tally(refused=1)),
            (None, EngineFault.RATE_LIMITED, Tally(failed=1)),
            (None, EngineFault.BAD_REQUEST, Tally(failed=1)),
            (Cost(usd=None), EngineFault.TIMED_OUT, Tally(failed=1, unpriced=1, held_usd=0.04)),
            (Cost(usd=0.07), EngineFault.UNAVAILABLE, Tally(failed=1, usd=0.07)),
            (Cost(usd=None), EngineFault.CANCELLED, Tally(cancelled=1, unpriced=1, held_usd=0.04)),
            (None, EngineFault.CANCELLED, Tally(cancelled=1)),
            (None, EngineFault.INTERRUPTED, Tally(interrupted=1)),
        ],
    )
    def test_an_attempt_is_counted_as_what_it_is(
        self, studio: StudioFixture, cost: Cost | None, kind: EngineFault | None, tally: Tally
    ) -> None:
        ended(studio, recorded(studio), cost, kind)
        assert only(ledger(studio).accounts(DAY, DAY)) == tally

    def test_every_attempt_of_every_side_counts(self, studio: StudioFixture) -> None:
        wanted = recorded(studio)
        for attempt in (1, 2, 3):
            for side in (TONE_ONLY, TONE_ANGLE):
                ended(studio, wanted, Cost(usd=0.5), side=side, attempt=attempt)
        assert only(ledger(studio).accounts(DAY, DAY)) == Tally(done=6, usd=3.0)

    def test_a_retry_is_at_the_expense_of_who_asked_for_it(self, studio: StudioFixture) -> None:
        wanted = recorded(studio)
        ended(studio, wanted, Cost(usd=0.1))
        ended(studio, wanted, Cost(usd=0.2), attempt=2, person=BERT)
        accounts = ledger(studio).accounts(DAY, DAY)
        assert [(each.person, each.tally.usd) for each in accounts] == [(ANNA, 0.1), (BERT, 0.2)]

    def test_older_records_belong_to_who_made_the_comparison(self, studio: StudioFixture) -> None:
        ended(studio, recorded(studio), Cost(usd=0.1), person=None, mode=None)
        [account] = ledger(studio).accounts(DAY, DAY)
        assert (account.person, account.mode, account.tally) == (ANNA, Mode.COMPARE, Tally(done=1, usd=0.1))

    def test_what_nobody_can_read_may_have_cost_something(self, studio: StudioFixture) -> None:
        wanted = recorded(studio, datetime.now(UTC))
        studio.store.put(f"{studio.history().folder_of(wanted.id)}tone-only-1.json", b"{", content_type="text/plain")
        today = datetime.now(UTC).date()
        assert only(ledger(studio).accounts(today, today)) == Tally(failed=1, unpriced=1, held_usd=0.04)

    def test_attempts_without_their_comparison_are_counted_under_nobody(self, studio: StudioFixture) -> None:
        ended(studio, comparison(id=str(ULID.from_datetime(NOON))), Cost(usd=0.1), person=None, mode=None)
        [account] = ledger(studio).accounts(DAY, DAY)
        assert (account.person, account.mode, account.tally.usd) == ("unknown", None, 0.1)

    def test_other_files_are_no_attempts(self, studio: StudioFixture) -> None:
        folder = studio.history().folder_of(recorded(studio).id)
        for name in ("tone-only-1.png", "tone-only-0.json", "notes.json", "tone-only-1.json.bak"):
            studio.store.put(f"{folder}{name}", b"{}", content_type="text/plain")
        assert ledger(studio).accounts(DAY, DAY) == []


class TestCatchingUp:
    def test_a_ledger_that_kept_up_and_one_built_from_s3_alone_agree(self, studio: StudioFixture) -> None:
        kept_up = ledger(studio, now=NOON)
        for number in range(12):
            wanted = recorded(studio, person=(ANNA, BERT)[number % 2], mode=list(Mode)[number % 3])
            begun(studio, wanted)
            kept_up.catch_up()
            if number % 4 != 3:
                ended(studio, wanted, Cost(usd=0.01 * number), EngineFault.REFUSED if number % 5 == 4 else None)
            if number % 2:
                kept_up.catch_up()
        built = ledger(studio, now=NOON)
        built.catch_up()
        kept_up.catch_up()
        assert kept_up.accounts(DAY, DAY) == built.accounts(DAY, DAY)
        for person in (None, ANNA, BERT):
            assert kept_up.used_today(person) == pytest.approx(built.used_today(person))

    def test_what_is_known_is_not_read_again(self, studio: StudioFixture) -> None:
        got: list[str] = []

        class CountingStore(Store):
            def get(self, key: str) -> Any:
                got.append(key)
                return super().get(key)

        s3 = studio.s3
        store = CountingStore(Reach(s3.bucket, s3.endpoint_url, s3.access_key, s3.secret_key))
        reading = ledger(studio, store=store, now=NOON)
        for attempt in range(1, 6):
            wanted = recorded(studio)
            begun(studio, wanted, attempt=attempt)
            ended(studio, wanted, Cost(usd=0.1), attempt=attempt)
        reading.catch_up()
        assert len(got) == 5
        reading.catch_up()
        reading.accounts(DAY, DAY)
        assert len(got) == 5

    def test_a_retry_of_an_old_comparison_counts_on_the_day_of_the_retry(self, studio: StudioFixture) -> None:
        old = recorded(studio, NOON - timedelta(days=40))
        reading = ledger(studio, now=NOON)
        begun(studio, old, attempt=2, person=BERT)
        reading.catch_up()
        assert reading.used_today(BERT) == 0.04
        ended(studio, old, Cost(usd=0.30), attempt=2, person=BERT)
        reading.catch_up()
        reading.catch_up()
        assert reading.used_today(BERT) == reading.used_today() == 0.30
        assert ledger(studio).accounts(DAY, DAY) == reading.accounts(DAY, DAY)
        assert ledger(studio).accounts(DAY - timedelta(days=50), DAY) == reading.accounts(DAY, DAY)

    def test_what_waited_past_midnight_counts_on_the_day_on_which_it_began(self, studio: StudioFixture) -> None:
        midnight = NOON.replace(hour=0)
        wanted = recorded(studio, midnight - timedelta(minutes=5))
        begun(studio, wanted, midnight - timedelta(minutes=5))
        ended(studio, wanted, Cost(usd=0.25), at=midnight + timedelta(minutes=1))
        reading = ledger(studio, now=NOON)
        reading.catch_up()
        assert reading.used_today() == 0.25

    def test_a_new_day_starts_with_nothing_used(self, studio: StudioFixture) -> None:
        clock = [NOON]
        reading = Ledger(
            studio.history(), studio.store, {"test": PricedEngine()}, app_prefix=studio.prefix, now=lambda: clock[0]
        )
        begun(studio, recorded(studio))
        ended(studio, recorded(studio), Cost(usd=0.3))
        reading.catch_up()
        assert reading.used_today() == pytest.approx(0.34)
        clock[0] = NOON + timedelta(hours=12)
        assert reading.used_today() == 0.0


class TestWhatCountsAgainstABudget:
    def test_what_is_at_work_counts_with_its_estimate_until_its_price_is_known(self, studio: StudioFixture) -> None:
        wanted = recorded(studio)
        begun(studio, wanted)
        begun(studio, wanted, side=TONE_ANGLE)
        reading = ledger(studio, now=NOON)
        reading.catch_up()
        assert reading.used_today(ANNA) == 0.08
        ended(studio, wanted, Cost(usd=0.01))
        ended(studio, wanted, None, EngineFault.REFUSED, side=TONE_ANGLE)
        reading.catch_up()
        assert reading.used_today(ANNA) == 0.01

    def test_a_call_at_an_unknown_price_counts_with_its_estimate(self, studio: StudioFixture) -> None:
        ended(studio, recorded(studio), Cost(usd=None), EngineFault.TIMED_OUT)
        reading = ledger(studio, now=NOON)
        reading.catch_up()
        assert reading.used_today() == 0.04

    def test_another_servers_work_counts_as_soon_as_it_is_claimed(self, studio: StudioFixture) -> None:
        gate = threading.Event()
        here = ledger(studio)
        here.catch_up()
        there = studio.runner(PricedEngine(lambda _: gate.wait(LONG_S) and None))
        wanted = comparison(person=ANNA)
        there.submit(wanted)
        here.catch_up()
        assert here.used_today(ANNA) == 0.08
        gate.set()
        there.wait(wanted.id)
        here.catch_up()
        assert here.used_today(ANNA) == 0.08
        assert only(here.accounts(datetime.now(UTC).date(), datetime.now(UTC).date())) == Tally(done=2, usd=0.08)

    def test_the_figure_on_screen_is_brought_up_to_date_behind_the_scenes(self, studio: StudioFixture) -> None:
        reading = ledger(studio, now=NOON)
        reading.catch_up_soon(max_age_s=0)
        ended(studio, recorded(studio), Cost(usd=0.3))

        def is_known() -> bool:
            reading.catch_up_soon(max_age_s=0)
            return reading.used_today() == 0.3

        until(is_known)
        for thread in threading.enumerate():
            if thread.name == "ledger":
                thread.join(LONG_S)


class TestTheFirstCount:
    """A bucket full of today's attempts takes seconds to count: nobody's page waits for that."""

    def test_nobody_waits_for_it_and_the_budget_says_that_it_is_still_counting(self, studio: StudioFixture) -> None:
        ended(studio, recorded(studio), Cost(usd=0.3))
        proxy = FaultProxy(studio.s3.endpoint_url)
        listing = proxy.rule(r"GET .*list-type=2")
        reading = ledger(studio, now=NOON, store=studio.store_at(proxy.url))
        budgets = Budgets(reading, lambda: DailyLimits(1.0), now=lambda: NOON)
        first = budgets.of(ANNA)
        assert first is not None
        assert not first.counted
        proxy.lift(listing)
        until(lambda: (found := budgets.of(ANNA)) is not None and found.counted and found.left_usd == 0.7)

    def test_a_count_that_fails_is_said_and_tried_again(self, studio: StudioFixture) -> None:
        nowhere = studio.store_at("http://127.0.0.1:9", connect_timeout_s=1, read_timeout_s=1, attempts=1)
        budgets = Budgets(ledger(studio, now=NOON, store=nowhere), lambda: DailyLimits(1.0))
        seen: list[str] = []

        def is_said() -> bool:
            try:
                found = budgets.of(ANNA)
            except StorageUnavailable as err:
                seen.append(err.message)
                return True
            assert found is not None
            return found.counted

        until(is_said)
        assert "could not be reached" in seen[0]
        with pytest.raises(StorageUnavailable):
            budgets.check(ANNA, 0.01)  # the press itself fails closed


class Table:
    """Orders with their runner and its engine."""

    def __init__(self, studio: StudioFixture, engine: PricedEngine, **budgets: float | None) -> None:
        self.engine = engine
        self.runner: Runner = studio.runner(engine)
        self.ledger = Ledger(studio.history(), studio.store, {"test": engine}, app_prefix=studio.prefix)
        self.budgets = Budgets(self.ledger, lambda: DailyLimits(**budgets))
        keys = IdempotencyKeys(
            studio.store, app_prefix=studio.prefix, at_work=lambda name: self.runner.status(name).busy
        )
        self.orders = Orders(self.runner, {"test": engine}, keys, self.budgets)
        planner = ComparisonPlanner(Nowhere(), lambda: LabelSet(()), OfflineReader(VOCABULARY), VOCABULARY, 3)
        self.variations = Variations(planner, self.orders)

    def order(self, prompt: str = "a chair", *, person: str = ANNA) -> Comparison:
        return self.orders.order(planned(prompt), RENDER, designer(person))


class Nowhere:
    """No library: these comparisons go without references."""

    index = library()


RENDER = RenderSettings(engine="test", model="test-1", size=Size(width=64, height=80), quality="medium")


def planned(prompt: str, *, seed: int = 7) -> Planned:
    injection = plan(library(), Wishes(prompt=prompt, mode=Mode.COMPARE, seed=seed))
    sides = comparison().sides
    return Planned(
        injection,
        tuple(side.model_copy(update={"prompt": prompt}) for side in sides),
        index_built_at=NOON,
        labels_version="1",
    )


class TestBudgets:
    def test_without_one_nothing_is_asked_and_nothing_refused(self, studio: StudioFixture) -> None:
        table = Table(studio, PricedEngine(estimate_usd=None))
        assert table.budgets.of(ANNA) is None
        assert not table.runner.wait(table.order().id).busy

    def test_what_is_left_is_what_was_not_spent(self, studio: StudioFixture) -> None:
        table = Table(studio, PricedEngine(), daily_person_usd=1.0)
        table.runner.wait(table.order().id)
        table.ledger.catch_up()
        until(lambda: (found := table.budgets.of(ANNA)) is not None and found.counted)
        budget = table.budgets.of(ANNA)
        assert budget is not None
        assert (budget.left_usd, budget.limit_usd, budget.personal) == (pytest.approx(0.92), 1.0, True)
        other = table.budgets.of(BERT)
        assert other is not None
        assert other.left_usd == 1.0

    def test_over_it_nothing_is_recorded_or_sent_and_the_sentence_says_why(self, studio: StudioFixture) -> None:
        table = Table(studio, PricedEngine(), daily_person_usd=0.10)
        table.runner.wait(table.order("first").id)
        before = studio.keys()
        with pytest.raises(InputError) as caught:
            table.order("second")
        assert caught.value.message.startswith(
            "Your budget for today has $0.02 of $0.10 left and this may cost $0.08: it starts anew at 00:00 UTC, in "
        )
        assert studio.keys() == before
        assert len(table.engine.requests) == 2
        table.order("second", person=BERT)

    def test_everybodys_budget_holds_for_everybody(self, studio: StudioFixture) -> None:
        table = Table(studio, PricedEngine(), daily_usd=0.10, daily_person_usd=5.0)
        table.runner.wait(table.order().id)
        with pytest.raises(InputError, match=r"Everybody's budget for today has \$0\.02"):
            table.order(person=BERT)

    def test_what_is_free_is_always_allowed(self, studio: StudioFixture) -> None:
        table = Table(studio, PricedEngine(estimate_usd=0.0), daily_usd=0.0)
        assert not table.runner.wait(table.order().id).busy

    def test_an_unknown_price_is_refused_under_a_budget(self, studio: StudioFixture) -> None:
        table = Table(studio, PricedEngine(estimate_usd=None), daily_usd=100.0)
        with pytest.raises(InputError, match="Nobody can say what this would cost"):
            table.order()
        assert studio.keys() == set()

    def test_a_retry_and_a_replay_are_refused_like_an_order(self, studio: StudioFixture) -> None:
        table = Table(studio, PricedEngine(), daily_person_usd=0.10)
        first = table.order()
        table.runner.wait(first.id)
        table.orders.retry(first.id, TONE_ONLY, Viewer(BERT, PersonRole.OPS))
        table.runner.wait(first.id)
        with pytest.raises(InputError, match="Your budget"):
            table.orders.retry(first.id, TONE_ONLY, designer(ANNA))
        with pytest.raises(InputError, match="Your budget"):
            table.variations.replay(first, designer(ANNA))
        assert len(table.engine.requests) == 3

    def test_many_who_order_at_once_cannot_all_take_what_is_left(self, studio: StudioFixture) -> None:
        gate = threading.Event()
        table = Table(studio, PricedEngine(lambda _: gate.wait(LONG_S) and None), daily_usd=0.25)
        orders = []

        def order(number: int) -> None:
            with suppress(InputError):
                orders.append(table.order(f"chair {number}", person=f"{number}@studio"))

        with ThreadPoolExecutor(8) as people:
            list(people.map(order, range(8)))
        gate.set()
        for each in orders:
            table.runner.wait(each.id)
        assert len(orders) == 3
        assert len(table.engine.requests) == 6

    def test_a_damaged_pictures_price_is_not_lost(self, studio: StudioFixture) -> None:
        def damaged(_: SideRequest) -> None:
            raise EngineError("It arrived damaged.", kind=EngineFault.UNAVAILABLE, charge=Charge(0.06, 10, 20))

        table = Table(studio, PricedEngine(damaged), daily_person_usd=1.0)
        status = table.runner.wait(table.order().id)
        assert [side.latest.cost for side in status.sides if side.latest] == [
            Cost(usd=0.06, input_tokens=10, output_tokens=20)
        ] * 2
        table.ledger.catch_up()
        assert table.ledger.used_today(ANNA) == 0.12

    def test_a_cancelled_side_keeps_what_its_engine_said_of_the_price(self, studio: StudioFixture) -> None:
        started, let_go = threading.Event(), threading.Event()
        said = EngineError("Cancelled; it may still be charged.", kind=EngineFault.CANCELLED, charge=Charge())

        def stop(_: SideRequest) -> None:
            started.set()
            let_go.wait(LONG_S)
            raise said

        table = Table(studio, PricedEngine(stop))
        wanted = table.order()
        assert started.wait(LONG_S)
        table.runner.cancel(wanted.id, TONE_ONLY, person=ANNA)
        let_go.set()
        outcome = table.runner.wait(wanted.id).side(TONE_ONLY).latest
        assert outcome is not None
        assert outcome.failure is not None
        assert outcome.failure.message == said.message
        assert outcome.cost == Cost(usd=None)

    def test_a_side_that_is_interrupted_by_a_stop_may_have_been_charged_and_says_so(
        self, studio: StudioFixture
    ) -> None:
        started = threading.Event()

        class StoppingEngine(PricedEngine):
            def generate(self, _request: SideRequest, cancelled: Any) -> Any:
                started.set()
                until(cancelled)
                raise EngineError("Cancelled.", kind=EngineFault.CANCELLED, request_id="req-1", charge=Charge())

        table = Table(studio, StoppingEngine())
        wanted = table.order()
        assert started.wait(LONG_S)
        table.runner.close()
        outcome = studio.history().status(wanted.id).side(TONE_ONLY).latest
        assert outcome is not None
        assert outcome.failure is not None
        assert outcome.failure.kind is EngineFault.INTERRUPTED
        assert "may still be charged" in outcome.failure.message
        assert (outcome.request_id, outcome.cost) == ("req-1", Cost(usd=None))

    @pytest.mark.parametrize(
        ("used", "cost", "objects"),
        [(0.0, 1.0, False), (0.0, 1.01, True), (0.9, 0.1, False), (1.5, 0.01, True), (1.5, 0.0, False)],
    )
    def test_exactly_what_is_left_may_be_spent(self, used: float, cost: float, objects: bool) -> None:
        budget = Budget(1.0, used, personal=True, starts_anew_at=NOON + timedelta(hours=5))
        objection = budget.objection(cost, now=NOON)
        assert (objection is not None) == objects
        assert objection is None or objection.endswith("it starts anew at 00:00 UTC, in 5 h.")

    def test_what_is_shown_never_looks_like_enough_when_it_is_not(self) -> None:
        budget = Budget(1.0, 0.6599, personal=True, starts_anew_at=NOON + timedelta(minutes=61))
        assert "has $0.34 of $1.00 left and this may cost $0.35" in str(budget.objection(0.3405, now=NOON))


class TestPresses:
    def test_a_press_in_two_tabs_on_two_servers_is_one_comparison(self, studio: StudioFixture) -> None:
        gate = threading.Event()
        tables = [Table(studio, PricedEngine(lambda _: gate.wait(LONG_S) and None)) for _ in range(2)]
        at_once = threading.Barrier(6)

        def press(number: int) -> str:
            at_once.wait(LONG_S)
            return tables[number % 2].order().id

        with ThreadPoolExecutor(6) as tabs:
            (name,) = set(tabs.map(press, range(6)))
        gate.set()
        for table in tables:
            until(lambda: not table.runner.status(name).busy)  # noqa: B023 - waited for within the round
        requests = [request.side for table in tables for request in table.engine.requests]
        assert sorted(requests) == [SideName.TONE_ANGLE, SideName.TONE_ONLY]

    def test_a_press_while_it_is_at_work_changes_nothing_however_late(
        self, studio: StudioFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.generation.idempotency._DOUBLE_CLICK", timedelta(0))
        gate = threading.Event()
        table = Table(studio, PricedEngine(lambda _: gate.wait(LONG_S) and None))
        first = table.order()
        assert table.order() == first
        gate.set()
        table.runner.wait(first.id)
        again = table.order()
        assert again.id != first.id
        table.runner.wait(again.id)

    def test_a_press_on_what_one_sees_at_work_is_another_comparison(
        self, studio: StudioFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.generation.idempotency._DOUBLE_CLICK", timedelta(0))
        gate = threading.Event()
        table = Table(studio, PricedEngine(lambda _: gate.wait(LONG_S) and None))

        def press(*seen: Comparison) -> Comparison:
            return table.orders.order(planned("a chair"), RENDER, designer(ANNA), seen={each.id for each in seen})

        first = press()
        second = press(first)
        third = press(first, second)
        assert len({first.id, second.id, third.id}) == 3
        assert press().id == third.id  # another tab, which has seen none of them
        gate.set()
        for each in (first, second, third):
            table.runner.wait(each.id)

    def test_a_double_click_that_a_slow_s3_answers_late_is_still_one_press(self, studio: StudioFixture) -> None:
        keys = IdempotencyKeys(studio.store, app_prefix=studio.prefix, at_work=lambda _: True)
        long_ago = ULID.from_datetime(datetime.now(UTC) - timedelta(minutes=1))
        first, second = comparison(id=str(long_ago)), comparison()
        assert keys.identity(first) == first.id
        keys.answered(first.id)
        assert keys.identity(second, seen={first.id}) == first.id

    def test_each_of_several_presses_is_within_the_budget(
        self, studio: StudioFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.generation.idempotency._DOUBLE_CLICK", timedelta(0))
        gate = threading.Event()
        table = Table(studio, PricedEngine(lambda _: gate.wait(LONG_S) and None), daily_person_usd=0.17)
        ordered = [table.order(f"chair {number}") for number in range(2)]
        with pytest.raises(InputError, match="budget"):
            table.orders.order(planned("chair 1"), RENDER, designer(ANNA), seen={ordered[1].id})
        gate.set()
        for each in ordered:
            table.runner.wait(each.id)

    def test_a_second_click_after_a_very_fast_picture_is_still_the_same_press(
        self, studio: StudioFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.generation.idempotency._DOUBLE_CLICK", timedelta(minutes=1))  # a machine may be slow
        table = Table(studio, PricedEngine())
        first = table.order()
        table.runner.wait(first.id)
        assert table.order().id == first.id

    def test_another_person_prompt_or_replay_is_another_press(self, studio: StudioFixture) -> None:
        table = Table(studio, PricedEngine())
        first = table.order()
        others = [
            table.order("a table"),
            table.order(person=BERT),
            table.variations.replay(first, designer(ANNA)),
        ]
        assert len({first.id, *(each.id for each in others)}) == 4
        for each in (first, *others):
            table.runner.wait(each.id)

    def test_a_press_whose_server_died_before_it_was_recorded_is_carried_out_by_the_next(
        self, studio: StudioFixture
    ) -> None:
        dying = Table(studio, PricedEngine())
        dying.runner.close()
        with pytest.raises(EngineError, match="stopping"):
            dying.order()
        [press] = studio.store.list(f"{studio.prefix}presses/")
        table = Table(studio, PricedEngine())
        wanted = table.order()
        assert wanted.id == studio.store.get(press.key).data.decode()
        assert not table.runner.wait(wanted.id).busy

    def test_what_is_over_is_removed_and_what_was_just_pressed_stays(
        self, studio: StudioFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = Table(studio, PricedEngine())
        old = table.order()
        table.runner.wait(old.id)
        idempotency_keys = IdempotencyKeys(studio.store, app_prefix=studio.prefix, at_work=lambda _: False)
        idempotency_keys.sweep()
        [press] = studio.store.list(f"{studio.prefix}presses/")
        monkeypatch.setattr("core.generation.idempotency._OVER", timedelta(0))
        until(lambda: datetime.now(UTC) > press.modified)
        idempotency_keys.sweep()
        assert list(studio.store.list(f"{studio.prefix}presses/")) == []
        assert table.order("a table").id != old.id
