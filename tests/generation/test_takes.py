"""Takes: several pictures of each side, every one its own call, attempts, price and place; and a render of B's own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import EngineError, EngineFault, InputError
from core.generation.engines.engine import SideRequest
from core.generation.idempotency import IdempotencyKeys
from core.generation.ordering import Orders
from core.generation.planning import Planned, record_of
from core.generation.records.attempt import AttemptId, AttemptStart, this_server
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison, RenderSettings, SideRecord, SideTake, Size
from core.generation.records.history import HistoryFilter
from core.generation.records.month_file import Row, _cells, _row_in
from core.generation.records.outcome import Outcome, StoredPicture
from core.generation.running import spool
from core.generation.running.own_queue import Move
from core.generation.running.runner import RunLimits, Runner
from core.generation.spending.budget import Budgets, DailyLimits
from core.generation.spending.ledger import Ledger
from core.injection.request.wishes import Mode, SideName, Varies, Wishes
from core.metrics import Metrics
from core.viewer import PersonRole, Viewer
from tests.generation.comparisons import (
    TONE_ANGLE,
    TONE_ONLY,
    PaintingEngine,
    PatientEngine,
    PricedEngine,
    StudioFixture,
    comparison,
    png,
)
from tests.injection.libraries import library, plan
from tests.support.timeouts import LONG_S, until

A, B = SideName.A, SideName.B
ANNA = Viewer("anna@studio", PersonRole.DESIGNER)
RENDER = RenderSettings(engine="test", model="test-1", size=Size(width=64, height=80), quality="medium")
RENDER_B = RENDER.model_copy(update={"engine": "other", "quality": "high"})
PLACES = [(side, take) for take in (1, 2, 3, 4) for side in (TONE_ONLY, TONE_ANGLE)]


def phases(status: ComparisonStatus) -> dict[tuple[SideName, int], AttemptPhase]:
    return {(side.side, side.take): side.phase for side in status.sides}


def of_model(**changes: Any) -> Comparison:
    """A comparison of two ways to make the same picture."""
    wishes = Wishes(prompt="a portrait", mode=Mode.COMPARE, varies=Varies.MODEL, seed=7)
    sides = tuple(
        SideRecord(side=side, slots=(), sections=(), prompt="a portrait", render=RENDER_B if side is B else None)
        for side in (A, B)
    )
    return comparison(wishes=wishes, sides=sides, **changes)


class TestRecords:
    def test_a_record_of_version_1_was_planned_as_each_mode_alone_and_has_one_take_for_ever(self) -> None:
        fields = json.loads(comparison().model_dump_json())
        for name in ("takes",):
            del fields[name]
        for name in ("varies", "balanced", "strengths_b"):
            del fields["wishes"][name]
        for side in fields["sides"]:
            del side["render"]
        for version in ({"version": 1}, {}):
            old = Comparison.from_json(json.dumps({**fields, **version}).encode() if version else _unversioned(fields))
            assert (old.version, old.takes, old.varies, old.wishes.balanced) == (1, 1, Varies.ANGLE, False)
            assert old.side_takes == (SideTake(TONE_ONLY), SideTake(TONE_ANGLE))
            assert old.render_of(TONE_ANGLE) == old.render
            again = Comparison.from_json(old.model_copy(update={"id": "again"}).model_dump_json().encode())
            assert (again.version, again.wishes) == (1, old.wishes), "a replay is as old as what it repeats"

    def test_a_record_of_version_2_says_it_all_itself(self) -> None:
        wanted = of_model(takes=3)
        read = Comparison.from_json(wanted.model_dump_json().encode())
        assert read == wanted
        assert (read.version, read.takes, read.varies, read.wishes.balanced) == (2, 3, Varies.MODEL, True)
        assert (read.render_of(A), read.render_of(B)) == (read.render, RENDER_B)

    def test_the_first_takes_files_are_called_as_ever_and_further_ones_by_their_take(self) -> None:
        names = [AttemptId("x", TONE_ONLY, 2).file, AttemptId("x", TONE_ANGLE, 1, 3).file, AttemptId("x", B, 1, 2).file]
        assert names == ["tone-only-2", "tone-angle-take3-1", "b-take2-1"]
        shown = [SideTake(TONE_ONLY).file_name, SideTake(TONE_ONLY, 2).file_name, SideTake(B, 4).file_name]
        assert shown == ["tone-only.png", "tone-only-2.png", "b-4.png"]
        kept = [spool._name(AttemptId("x", TONE_ONLY, 2)), spool._name(AttemptId("x", TONE_ONLY, 2, 3))]
        assert kept == ["x.tone-only.2.made", "x.tone-only.take3.2.made"], "what an older server left is found"

    @pytest.mark.parametrize(
        ("scores", "best"),
        [
            ({1: (60, 70), 2: (80, 70), 3: (75, 75)}, 2),  # 2 and 3 are as near: the earlier
            ({1: (90, None), 2: (50, 60)}, 2),  # of pairs that are whole
            ({1: (None, None), 2: (None, 60), 3: (70, None)}, 2),  # none is whole: the first with a picture
            ({1: (None, None), 2: (None, None)}, 1),
            ({1: ("?", "?"), 2: ("?", "?")}, 1),  # without a tone nobody can say
            ({1: ("?", "?"), 2: (10, "?")}, 2),
        ],
    )
    def test_the_best_take_is_the_whole_pair_nearest_to_its_tone(
        self, scores: dict[int, tuple[float | str | None, ...]], best: int
    ) -> None:
        assert _status(scores).best_take == best
        assert [len(sides) for sides in _status(scores).takes] == [2] * len(scores)

    def test_history_is_found_by_what_varies_and_single_sides_vary_nothing(self, studio: StudioFixture) -> None:
        history = studio.history()
        made = {"angle": comparison(), "model": of_model(), "single": comparison(mode=Mode.TONE_ONLY)}
        for each in made.values():
            history.add(each)
        history.catch_up()
        for reader in (history, studio.history()):  # the second reads the month file
            for varies in ("angle", "model"):
                found = reader.newest(limit=9, wanted=HistoryFilter(varies=varies))
                assert [each.id for each in found] == [made[varies].id]

    def test_month_files_of_older_servers_are_read_and_theirs_can_read_ours(self) -> None:
        usual, other = Row.of(comparison(), "etag"), Row.of(of_model(), "etag")
        assert len(_cells(usual)) == 8, "an older server unpacks eight cells"
        for row in (usual, other, Row.of(comparison(mode=Mode.TONE_ONLY), "etag")):
            assert _row_in(json.loads(json.dumps(_cells(row)))) == row
        with pytest.raises(TypeError):
            _row_in([*usual[:-1], 5])


class TestRunning:
    def test_each_take_is_a_call_of_its_own_and_a_pair_begins_together(self, studio: StudioFixture) -> None:
        engine = PaintingEngine()
        runner, wanted = studio.runner(engine, concurrency=1), comparison(takes=4)
        runner.submit(wanted)
        status = runner.wait(wanted.id)
        assert [(request.side, request.take) for request in engine.requests] == PLACES
        assert {request.prompt for request in engine.requests} == {"a portrait"}
        assert [(side.side, side.take) for side in status.sides] == PLACES
        assert set(phases(status).values()) == {AttemptPhase.DONE}
        pictures = [f"{side}{'' if take == 1 else f'-take{take}'}-1.png" for side, take in PLACES]
        assert studio.keys() >= set(pictures)
        assert studio.history().status(wanted.id).takes == status.takes
        assert [side.picture.key.rsplit("/", 1)[-1] for side in status.sides if side.picture] == pictures

    def test_a_take_that_fails_is_retried_alone(self, studio: StudioFixture) -> None:
        fails_once = iter([True])

        def refuse(request: SideRequest) -> None:
            if (request.side, request.take) == (TONE_ANGLE, 3) and next(fails_once, False):
                raise EngineError("Refused.", kind=EngineFault.REFUSED)

        engine = PaintingEngine(refuse)
        runner, wanted = studio.runner(engine), comparison(takes=3)
        runner.submit(wanted)
        before = runner.wait(wanted.id)
        failed = [place for place, phase in phases(before).items() if phase is AttemptPhase.FAILED]
        assert failed == [(TONE_ANGLE, 3)]
        with pytest.raises(KeyError):
            runner.retry(wanted.id, TONE_ANGLE, take=4)
        runner.retry(wanted.id, TONE_ANGLE, take=3)
        after = runner.wait(wanted.id)
        assert [after.side(*place).attempt for place in wanted.side_takes] == [1, 1, 1, 1, 1, 2]
        assert after.sides[:-1] == before.sides[:-1]
        assert len(engine.requests) == 7

    def test_cancelling_and_looking_at_one_take_leaves_the_others(self, studio: StudioFixture) -> None:
        engine = PatientEngine()
        runner, wanted = studio.runner(engine, concurrency=3), comparison(takes=4)
        runner.submit(wanted)
        until(lambda: sum(side.progress is not None for side in runner.status(wanted.id).sides) == 3)
        assert runner.partial(wanted.id, TONE_ONLY, 2) is not None
        assert runner.partial(wanted.id, TONE_ANGLE, 2) is None
        runner.cancel(wanted.id, TONE_ANGLE, take=4, person="kim@studio")  # waits
        runner.cancel(wanted.id, TONE_ONLY, take=2, person="kim@studio")  # runs
        (waiting,) = runner.waiting_of(wanted.person)
        assert (TONE_ANGLE, 4) not in waiting.places
        assert set(waiting.sides) == {TONE_ONLY, TONE_ANGLE}
        until(lambda: phases(runner.status(wanted.id))[TONE_ONLY, 2] is AttemptPhase.CANCELLED)
        engine.let_go.set()
        ended = phases(runner.wait(wanted.id))
        cancelled = [place for place, phase in ended.items() if phase is AttemptPhase.CANCELLED]
        assert cancelled == [(TONE_ONLY, 2), (TONE_ANGLE, 4)]
        assert list(ended.values()).count(AttemptPhase.DONE) == 6

    def test_takes_wait_as_sides_do_by_person_and_move_with_their_comparison(self, studio: StudioFixture) -> None:
        engine = PatientEngine()
        runner = studio.runner(engine, concurrency=1)
        running = comparison(mode=Mode.TONE_ONLY, person="kim@studio")
        runner.submit(running)
        assert engine.started.wait(LONG_S)
        first, second = comparison(takes=4, person="anna@studio"), comparison(takes=2, person="anna@studio")
        others = comparison(mode=Mode.TONE_ONLY, takes=2, person="bert@studio")
        for each in (first, second, others):
            runner.submit(each)
        assert [side.ahead for side in runner.status(others.id).sides] == [1, 3], "eight takes keep nobody waiting"
        runner.move(second.id, Move.FIRST, person="anna@studio")
        assert [waiting.comparison for waiting in runner.waiting_of("anna@studio")] == [second.id, first.id]
        for _ in range(3):
            runner.submit(comparison(takes=4, person="anna@studio"))
        with pytest.raises(InputError, match="36 of your pictures wait for their turn"):
            runner.submit(comparison(takes=4, person="anna@studio"))
        for each in runner.waiting_of("anna@studio"):
            for side, take in each.places:
                runner.cancel(each.comparison, side, take=take, person="anna@studio")
        engine.let_go.set()

    def test_another_server_finds_all_eight_takes_at_work(self, studio: StudioFixture) -> None:
        engine = PatientEngine()
        runner, wanted = studio.runner(engine, concurrency=8), comparison(takes=4)
        runner.submit(wanted)
        until(lambda: all(side.progress is not None for side in runner.status(wanted.id).sides))
        elsewhere = studio.history(server=this_server()).status(wanted.id)
        assert set(phases(elsewhere)) == set(PLACES)
        assert all(side.busy or side.phase is AttemptPhase.INTERRUPTED for side in elsewhere.sides)
        assert len(runner.work_of(wanted.person)[0].sides) == 8
        engine.let_go.set()
        assert set(phases(runner.wait(wanted.id)).values()) == {AttemptPhase.DONE}

    def test_what_a_dead_server_left_of_each_take_is_told_of_that_take(self, studio: StudioFixture) -> None:
        history, here, wanted = studio.history(), this_server(), comparison(takes=2)
        history.add(wanted)
        gone = here.model_copy(update={"boot": "another"})
        for side, take in ((TONE_ONLY, 1), (TONE_ONLY, 2), (TONE_ANGLE, 2)):
            history.add_start(
                AttemptStart(
                    **{"comparison": wanted.id, "side": side, "take": take, "attempt": 1},
                    **{"started_at": datetime.now(UTC) - timedelta(days=1), "deadline_s": 1, "server": gone},
                )
            )
        history.add_picture(AttemptId(wanted.id, TONE_ANGLE, 1, take=2), png())
        found = phases(history.status(wanted.id))
        assert found[TONE_ONLY, 1] is found[TONE_ONLY, 2] is AttemptPhase.INTERRUPTED
        assert found[TONE_ANGLE, 2] is AttemptPhase.DONE
        (outcome,) = history.status(wanted.id).side(TONE_ANGLE, 2).outcomes
        assert outcome.id == AttemptId(wanted.id, TONE_ANGLE, 1, 2)

    def test_side_b_is_made_by_its_own_engine_and_counted_there(self, studio: StudioFixture) -> None:
        engine, other = PaintingEngine(), PaintingEngine()
        other.name = "other"  # type: ignore[misc]  # an engine of another name
        metrics = Metrics()
        runner = Runner(
            studio.history(),
            studio.store,
            {"test": engine, "other": other},
            RunLimits(2, deadline_s=60),
            observe=metrics.attempt_ended,
        )
        wanted = of_model(takes=2)
        runner.submit(wanted)
        runner.wait(wanted.id)
        runner.close()
        assert [(request.side, request.quality) for request in engine.requests] == [(A, "medium")] * 2
        assert [(request.side, request.quality) for request in other.requests] == [(B, "high")] * 2
        counted = metrics.registry.get_sample_value
        assert counted("studio_generations_total", {"engine": "other", "outcome": "done"}) == 2.0

    def test_a_tone_that_goes_in_words_alone_is_scored_against_the_reference_of_the_other_side(
        self, studio: StudioFixture
    ) -> None:
        runner, tone = studio.runner(PaintingEngine()), studio.reference("tone.png", png("#8090a0"))
        for key, scores in ((tone.key, (100.0, 100.0)), (f"{studio.prefix}gone.png", (None, None))):
            slots = (replace(tone, key=key),)
            wishes = Wishes(prompt="a portrait", mode=Mode.COMPARE, varies=Varies.TONE_WAY)
            sides = tuple(
                SideRecord(side=side, slots=slots if side is A else (), sections=(), prompt="a portrait")
                for side in (A, B)
            )
            wanted = comparison(wishes=wishes, sides=sides)
            runner.submit(wanted)
            made = [side.picture.fidelity if side.picture else None for side in runner.wait(wanted.id).sides]
            assert tuple(made) == scores
            assert runner.status(wanted.id).side(B).phase is AttemptPhase.DONE, "it is made all the same"


class Desk:
    """Orders with two engines at different prices, and a budget."""

    def __init__(self, studio: StudioFixture, *, limit_usd: float | None = None) -> None:
        self.engine, self.other = PricedEngine(estimate_usd=0.04), PricedEngine(estimate_usd=0.10)
        self.other.name = "other"  # type: ignore[misc]  # an engine of another name
        engines = {"test": self.engine, "other": self.other}
        self.runner = Runner(studio.history(), studio.store, engines, RunLimits(2, deadline_s=60))
        self.ledger = Ledger(studio.history(), studio.store, engines, app_prefix=studio.prefix)
        keys = IdempotencyKeys(studio.store, app_prefix=studio.prefix, at_work=lambda one: self.runner.status(one).busy)
        budgets = Budgets(self.ledger, lambda: DailyLimits(daily_person_usd=limit_usd))
        self.orders = Orders(self.runner, engines, keys, budgets)


@pytest.fixture
def desk(studio: StudioFixture) -> Any:
    desks: list[Desk] = []

    def open_desk(**more: float | None) -> Desk:
        desks.append(Desk(studio, **more))
        return desks[-1]

    yield open_desk
    for each in desks:
        each.runner.close()


def planned(varies: Varies = Varies.ANGLE, prompt: str = "a chair") -> Planned:
    injection = plan(library(), Wishes(prompt=prompt, mode=Mode.COMPARE, varies=varies, seed=7))
    sides = of_model().sides if varies is Varies.MODEL else comparison().sides
    return Planned(injection, tuple(side.model_copy(update={"render": None}) for side in sides), datetime.now(UTC), "1")


class TestOrders:
    def test_the_price_of_all_takes_counts_and_a_retry_costs_one_picture(self, desk: Any) -> None:
        orders = desk(limit_usd=0.30).orders
        assert orders.estimate(planned(), RENDER, takes=3) == pytest.approx(0.24)
        with pytest.raises(InputError, match=r"this may cost \$0\.32"):
            orders.order(planned(), RENDER, ANNA, takes=4)
        made = orders.order(planned(), RENDER, ANNA, takes=3)
        assert made.takes == 3
        assert orders.estimate_again(made) == pytest.approx(0.24)
        assert orders.estimate_again(made, TONE_ONLY, TONE_ONLY) == pytest.approx(0.08)
        orders._runner.wait(made.id)
        orders.retry(made.id, TONE_ANGLE, ANNA, take=3)
        orders._runner.wait(made.id)
        with pytest.raises(InputError, match="Your budget"):
            orders.retry(made.id, TONE_ANGLE, ANNA, take=2)

    def test_each_side_is_priced_and_checked_as_it_is_made(self, desk: Any) -> None:
        orders = desk().orders
        assert orders.estimate(planned(Varies.MODEL), RENDER, render_b=RENDER_B, takes=2) == pytest.approx(0.28)
        assert orders.estimate(planned(), RENDER, render_b=RENDER_B) == pytest.approx(0.08), "it means nothing there"
        made = orders.order(planned(Varies.MODEL), RENDER, ANNA, render_b=RENDER_B, takes=2)
        assert made.render_of(B) == RENDER_B
        assert orders.estimate_again(made, B) == pytest.approx(0.10)
        assert orders.estimate_again(made) == pytest.approx(0.28)
        orders._runner.wait(made.id)

    def test_all_that_failed_is_retried_at_once_take_by_take(self, desk: Any) -> None:
        place = desk(limit_usd=1.0)
        broken = {(A, 2), (B, 1)}

        def refuse(request: SideRequest) -> None:
            if (request.side, request.take) in broken:
                raise EngineError("Refused.", kind=EngineFault.REFUSED)

        place.engine._before = place.other._before = refuse
        made = place.orders.order(planned(Varies.MODEL), RENDER, ANNA, render_b=RENDER_B, takes=2)
        assert place.runner.wait(made.id).busy is False
        broken.clear()
        place.orders.retry_all(made.id, ANNA)
        attempts = [side.attempt for side in place.runner.wait(made.id).sides]
        assert attempts == [1, 2, 2, 1]
        (account,) = place.ledger.accounts(datetime.now(UTC).date(), datetime.now(UTC).date())
        assert (account.varies, account.tally.done, account.tally.refused) == (Varies.MODEL, 4, 2)

    def test_cancelling_all_stops_every_take_and_what_waits_can_be_taken_back(self, studio: StudioFixture) -> None:
        engine = PatientEngine()
        runner = studio.runner(engine, concurrency=2)
        keys = IdempotencyKeys(studio.store, app_prefix=studio.prefix, at_work=lambda one: runner.status(one).busy)
        budgets = Budgets(Ledger(studio.history(), studio.store, {}, app_prefix=studio.prefix), DailyLimits)
        orders, wanted = Orders(runner, {}, keys, budgets), comparison(takes=3, person=ANNA.email)
        runner.submit(wanted)
        until(lambda: sum(side.progress is not None for side in runner.status(wanted.id).sides) == 2)
        orders.cancel_waiting(wanted.id, ANNA)
        assert list(phases(runner.status(wanted.id)).values()).count(AttemptPhase.CANCELLED) == 4
        orders.cancel_all(wanted.id, ANNA)
        assert set(phases(runner.wait(wanted.id)).values()) == {AttemptPhase.CANCELLED}

    def test_the_same_press_is_one_comparison_and_other_takes_are_another(self, desk: Any) -> None:
        orders = desk().orders
        twice = [orders.order(planned(), RENDER, ANNA, takes=2).id for _ in range(2)]
        more = orders.order(planned(), RENDER, ANNA, takes=3).id
        assert len(set(twice)) == 1
        assert more not in twice
        b_high = orders.order(planned(Varies.MODEL), RENDER, ANNA, render_b=RENDER_B).id
        b_low = orders.order(
            planned(Varies.MODEL), RENDER, ANNA, render_b=RENDER_B.model_copy(update={"quality": "low"})
        ).id
        assert b_high != b_low

    @pytest.mark.parametrize("takes", [0, 5, -1])
    def test_takes_that_nobody_makes_are_refused_before_anything_is_sent(self, desk: Any, takes: int) -> None:
        with pytest.raises(InputError, match="choose 1 to 4"):
            desk().orders.order(planned(), RENDER, ANNA, takes=takes)

    def test_a_model_that_does_not_vary_and_a_size_that_does_are_refused(self, desk: Any) -> None:
        orders = desk().orders
        for same in (None, RENDER):
            with pytest.raises(InputError, match="choose another model or quality for B"):
                orders.order(planned(Varies.MODEL), RENDER, ANNA, render_b=same)
        larger = RENDER_B.model_copy(update={"size": Size(width=128, height=160)})
        with pytest.raises(InputError, match="both sides of a comparison have one size"):
            orders.order(planned(Varies.MODEL), RENDER, ANNA, render_b=larger)

    def test_a_replay_repeats_takes_and_renders(self, desk: Any) -> None:
        orders = desk().orders
        made = orders.order(planned(Varies.MODEL), RENDER, ANNA, render_b=RENDER_B, takes=2)
        orders._runner.wait(made.id)
        again = orders.order_again(made, ANNA)
        assert (again.takes, again.sides, again.varies) == (2, made.sides, Varies.MODEL)
        assert len(orders._runner.wait(again.id).sides) == 4

    def test_a_record_says_what_was_ordered(self) -> None:
        record = record_of(planned(Varies.MODEL), RENDER, ANNA.email, render_b=RENDER_B, takes=4)
        assert (record.version, record.takes, [side.render for side in record.sides]) == (2, 4, [None, RENDER_B])


def _unversioned(fields: dict[str, Any]) -> bytes:
    return json.dumps({name: value for name, value in fields.items() if name != "version"}).encode()


def _status(scores: dict[int, tuple[float | str | None, ...]]) -> ComparisonStatus:
    """Where pictures have these fidelities: None is no picture, `?` one without a score."""
    wanted = comparison(takes=len(scores))
    sides = []
    for take, pair in scores.items():
        for side, score in zip((TONE_ONLY, TONE_ANGLE), pair, strict=True):
            outcomes: tuple[Outcome, ...] = ()
            if score is not None:
                fidelity = None if isinstance(score, str) else score
                picture = StoredPicture(
                    key="k", etag="e", content_type="image/png", size=RENDER.size, fidelity=fidelity
                )
                of, at = AttemptId(wanted.id, side, 1, take), wanted.created_at
                outcomes = (Outcome.done(of, picture, began=at, ended=at),)
            phase = AttemptPhase.DONE if outcomes else AttemptPhase.FAILED
            sides.append(SideStatus(side=side, take=take, attempt=1, phase=phase, outcomes=outcomes))
    return ComparisonStatus(comparison=wanted, sides=tuple(sides))
