"""One's own queue: its order is one's own to change, nobody else's turn is, and what is at work stays at work."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.errors import EngineError, EngineFault, InputError
from core.generation.engines.engine import SideRequest
from core.generation.records.attempt_status import AttemptPhase
from core.generation.records.comparison import SideTake
from core.generation.running.fair_queue import FairQueue
from core.generation.running.job import Job
from core.generation.running.own_queue import Move, by_comparison, moved
from core.generation.running.runner import WAITING_SIDES_MAX, Runner
from core.injection.request.wishes import Mode
from core.viewer import PersonRole, Viewer
from tests.generation.comparisons import (
    TONE_ANGLE,
    TONE_ONLY,
    PaintingEngine,
    PatientEngine,
    PricedEngine,
    StudioFixture,
    comparison,
    side_of,
)
from tests.generation.running.test_fair_queue import PEOPLE, drained, steps
from tests.generation.spending.test_ledger import Table
from tests.support.timeouts import LONG_S

ANNA, BERT = "anna@studio", "bert@studio"
COMPARISONS = [comparison() for _ in range(5)]


def job(number: int, side: int) -> Job:
    wanted = COMPARISONS[number]
    return Job(wanted, SideTake((TONE_ONLY, TONE_ANGLE)[side]), attempt=1, earlier=(), person=ANNA)


class TestArranging:
    @given(script=steps, person=some.sampled_from(PEOPLE), chance=some.randoms(use_true_random=False))
    def test_nobody_elses_work_begins_sooner_or_later_for_it(
        self, script: list[str], person: str, chance: object
    ) -> None:
        queue: FairQueue[str] = FairQueue()
        at_work: list[str] = []
        for turn, step in enumerate(script):
            if step == "take":
                work = queue.take()
                at_work += [work] if work else []
            elif step == "end":
                if at_work:
                    queue.end(at_work.pop(0)[0])
            else:
                queue.add(step, f"{step}{turn}")
        before = drained(copy.deepcopy(queue))
        mine = list(queue.waiting_of(person))
        chance.shuffle(mine)  # type: ignore[attr-defined]
        queue.arrange(person, mine)
        assert queue.waiting_of(person) == tuple(mine)
        places = [queue.place(work) for work in mine]
        assert places == sorted(places)
        after = drained(queue)
        assert [work[0] for work in after] == [work[0] for work in before]
        assert [work for work in after if work[0] != person] == [work for work in before if work[0] != person]
        assert [work for work in after if work[0] == person] == mine

    @pytest.mark.parametrize("order", [["a1"], ["a1", "a2", "a3"], ["a1", "a1"], ["a1", "b1"], []])
    def test_only_what_waits_of_theirs_can_be_arranged(self, order: list[str]) -> None:
        queue: FairQueue[str] = FairQueue()
        for work in ("a1", "a2", "b1"):
            queue.add(work[0], work)
        with pytest.raises(ValueError, match="other work"):
            queue.arrange("a", order)
        assert drained(queue) == ["a1", "b1", "a2"]

    def test_who_has_nothing_waiting_arranges_nothing(self) -> None:
        queue: FairQueue[str] = FairQueue()
        queue.arrange("a", [])
        assert len(queue) == 0
        assert queue.take() is None


class TestMoving:
    @given(
        some.lists(some.tuples(some.integers(0, 4), some.integers(0, 1)), unique=True, min_size=1),
        some.data(),
        some.sampled_from(Move),
    )
    def test_one_comparison_moves_with_all_its_sides_and_the_rest_keeps_its_order(
        self, named: list[tuple[int, int]], data: some.DataObject, move: Move
    ) -> None:
        jobs = [job(*each) for each in named]
        names = list(by_comparison(jobs))
        name = data.draw(some.sampled_from(names))
        order = moved(jobs, name, move)
        assert sorted(map(id, order)) == sorted(map(id, jobs))
        now, at = list(by_comparison(order)), names.index(name)
        expected = {Move.FIRST: 0, Move.EARLIER: max(0, at - 1), Move.LATER: min(len(names) - 1, at + 1)}[move]
        assert now.index(name) == expected
        assert [each for each in now if each != name] == [each for each in names if each != name]
        for group in by_comparison(order).values():
            start = order.index(group[0])
            assert order[start : start + len(group)] == group

    def test_what_does_not_wait_cannot_be_moved(self) -> None:
        with pytest.raises(KeyError):
            moved([job(0, 0)], COMPARISONS[1].id, Move.FIRST)


@pytest.fixture
def busy(studio: StudioFixture) -> tuple[Runner, PatientEngine]:
    """A runner with one worker, which is at work on somebody's."""
    engine = PatientEngine()
    runner = studio.runner(engine, concurrency=1)
    runner.submit(comparison(mode=Mode.TONE_ONLY, person="cleo@studio"))
    assert engine.started.wait(LONG_S)
    return runner, engine


def test_what_was_moved_to_the_front_is_made_first(studio: StudioFixture) -> None:
    made: list[str] = []
    gate = PatientEngine()

    def note(request: SideRequest) -> None:
        made.append(request.prompt)
        gate.let_go.wait(LONG_S)

    engine = PaintingEngine(note)
    runner = studio.runner(engine, concurrency=1)
    wanted = [
        comparison(mode=Mode.TONE_ONLY, person=ANNA, sides=(one.model_copy(update={"prompt": prompt}),))
        for prompt in ("running", "second", "third", "fourth")
        for one in comparison(mode=Mode.TONE_ONLY).sides
    ]
    for each in wanted:
        runner.submit(each)
    runner.move(wanted[3].id, Move.FIRST, person=ANNA)
    runner.move(wanted[1].id, Move.LATER, person=ANNA)
    assert [each.comparison for each in runner.waiting_of(ANNA)] == [wanted[at].id for at in (3, 2, 1)]
    assert [each.ahead for each in runner.waiting_of(ANNA)] == [0, 1, 2]
    assert side_of(runner.status(wanted[1].id)).ahead == 2
    gate.let_go.set()
    for each in wanted:
        runner.wait(each.id)
    assert made == ["running", "fourth", "third", "second"]


def test_nobody_moves_what_is_at_work_has_ended_or_is_anothers(busy: tuple[Runner, PatientEngine]) -> None:
    runner, engine = busy
    theirs, mine = comparison(person=BERT), comparison(person=ANNA)
    runner.submit(theirs)
    runner.submit(mine)
    (at_work,) = (name for name in {job.comparison.id for job in runner._board.all()} - {theirs.id, mine.id})
    for name, person in (
        (theirs.id, ANNA),
        (at_work, "cleo@studio"),
        (mine.id, ""),
        ("01JX0000000000000000000000", ANNA),
    ):
        with pytest.raises(InputError, match="Nothing of this comparison waits for you any more"):
            runner.move(name, Move.FIRST, person=person)
    assert [each.comparison for each in runner.waiting_of(BERT)] == [theirs.id]
    engine.let_go.set()


def test_only_so_many_sides_of_a_person_wait_and_the_next_order_writes_nothing(
    studio: StudioFixture, busy: tuple[Runner, PatientEngine]
) -> None:
    runner, engine = busy
    wanted = [comparison(person=ANNA) for _ in range(WAITING_SIDES_MAX // 2)]
    for each in wanted:
        runner.submit(each)
    before = len(list(studio.store.list(f"{studio.prefix}generations/")))
    with pytest.raises(InputError, match=f"{WAITING_SIDES_MAX} of your pictures wait for their turn"):
        runner.submit(comparison(mode=Mode.TONE_ONLY, person=ANNA))
    assert len(list(studio.store.list(f"{studio.prefix}generations/"))) == before
    runner.submit(comparison(person=BERT))  # others have room of their own
    runner.cancel(wanted[0].id, TONE_ONLY, person=ANNA)
    runner.submit(comparison(mode=Mode.TONE_ONLY, person=ANNA))
    engine.let_go.set()


def test_one_cancels_what_waits_of_a_comparison_and_what_runs_goes_on(studio: StudioFixture) -> None:
    engine = PatientEngine()
    table = Table(studio, PricedEngine())
    table.runner = studio.runner(engine, concurrency=1)
    table.orders._runner = table.runner
    anna, bert = (Viewer(email, PersonRole.DESIGNER) for email in (ANNA, BERT))
    wanted = comparison(person=ANNA)
    table.runner.submit(wanted)
    assert engine.started.wait(LONG_S)
    table.orders.cancel_waiting(wanted.id, bert)  # nothing of theirs waits
    assert table.runner.status(wanted.id).side(TONE_ANGLE).phase is AttemptPhase.QUEUED
    table.orders.cancel_waiting(wanted.id, anna)
    phases = [side.phase for side in table.runner.status(wanted.id).sides]
    assert phases == [AttemptPhase.RUNNING, AttemptPhase.CANCELLED]
    assert table.orders.waiting_of(anna) == ()
    engine.let_go.set()
    assert table.runner.wait(wanted.id).side(TONE_ONLY).phase is AttemptPhase.DONE


def test_a_stop_interrupts_all_that_waits_and_each_can_be_retried(
    studio: StudioFixture, busy: tuple[Runner, PatientEngine]
) -> None:
    runner, _ = busy
    wanted = [comparison(person=ANNA) for _ in range(6)]
    for each in wanted:
        runner.submit(each)
    runner.close()
    after = PatientEngine()
    after.let_go.set()
    another = studio.runner(after)
    for status in another.statuses([each.id for each in wanted]):
        assert {side.phase for side in status.sides} == {AttemptPhase.INTERRUPTED}
    another.retry(wanted[0].id, TONE_ONLY)
    assert another.wait(wanted[0].id).side(TONE_ONLY).phase is AttemptPhase.DONE


class TestStatusesLately:
    def test_what_ended_is_read_once_and_a_retry_is_seen_at_once(self, studio: StudioFixture) -> None:
        answers = [EngineError("Refused.", kind=EngineFault.REFUSED)]

        def refuse_once(_: object) -> None:
            if answers:
                raise answers.pop()

        runner, wanted = studio.runner(PaintingEngine(refuse_once)), comparison(mode=Mode.TONE_ONLY)
        runner.submit(wanted)
        runner.wait(wanted.id)
        (first,) = runner.statuses_lately([wanted.id])
        assert side_of(first).phase is AttemptPhase.FAILED
        assert runner.statuses_lately([wanted.id])[0] is first
        runner.retry(wanted.id, TONE_ONLY)
        runner.wait(wanted.id)
        assert side_of(runner.statuses_lately([wanted.id])[0]).phase is AttemptPhase.DONE

    def test_the_order_is_kept_and_nothing_is_nothing(self, studio: StudioFixture) -> None:
        runner, wanted = studio.runner(PaintingEngine()), [comparison(mode=Mode.TONE_ONLY) for _ in range(3)]
        for each in wanted:
            runner.submit(each)
            runner.wait(each.id)
        runner.statuses_lately([wanted[1].id])
        ids = [each.id for each in wanted]
        assert [status.comparison.id for status in runner.statuses_lately(ids)] == ids
        assert runner.statuses_lately([]) == []
