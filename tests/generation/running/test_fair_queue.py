"""The queue: everybody in turn, nobody twice, and the place in it that is shown is the place that is had."""

from __future__ import annotations

import gc
import hashlib
import threading
from collections import Counter, deque

from hypothesis import given
from hypothesis import strategies as some

from core.generation.engines.engine import SideRequest
from core.generation.records.attempt_status import AttemptPhase
from core.generation.records.comparison import Comparison
from core.generation.running.fair_queue import FairQueue
from core.injection.request.wishes import Mode
from tests.generation.comparisons import TONE_ONLY, PaintingEngine, StudioFixture, comparison, side_of
from tests.support.timeouts import LONG_S, until

PEOPLE = "abcdefgh"


def queue_of(*waiting: str) -> FairQueue[str]:
    """Work named by its person and a number, as in `a1`."""
    queue: FairQueue[str] = FairQueue()
    for work in waiting:
        queue.add(work[0], work)
    return queue


def drained(queue: FairQueue[str], *, workers: int = 1) -> list[str]:
    """Everything in the order in which it begins, when what began first ends first."""
    begun, at_work = [], deque[str]()
    while (work := queue.take()) is not None:
        begun.append(work)
        at_work.append(work)
        if len(at_work) == workers:
            queue.end(at_work.popleft()[0])
    return begun


class TestWhoIsNext:
    def test_people_take_turns_and_each_ones_work_keeps_its_order(self) -> None:
        assert drained(queue_of("a1", "a2", "a3", "b1", "b2", "c1")) == ["a1", "b1", "c1", "a2", "b2", "a3"]

    def test_who_has_fewer_at_work_comes_first(self) -> None:
        queue = queue_of("a1", "a2", "a3")
        assert [queue.take(), queue.take()] == ["a1", "a2"]
        queue.add("b", "b1")
        queue.add("b", "b2")
        assert [queue.take() for _ in range(3)] == ["b1", "b2", "a3"]

    def test_who_was_served_longest_ago_comes_first_among_equals(self) -> None:
        queue = queue_of("a1", "b1", "c1")
        for person in "abc":
            queue.take()
            queue.end(person)
        for work in ("c2", "b2", "a2"):
            queue.add(work[0], work)
        assert drained(queue) == ["a2", "b2", "c2"]

    def test_one_person_alone_may_have_all_workers(self) -> None:
        assert drained(queue_of("a1", "a2", "a3", "a4"), workers=4) == ["a1", "a2", "a3", "a4"]

    def test_what_is_removed_waits_no_more(self) -> None:
        queue = queue_of("a1", "a2", "b1")
        assert queue.remove("a", "a1")
        assert not queue.remove("a", "a1")
        assert not queue.remove("nobody", "x1")
        assert len(queue) == 2
        assert drained(queue) == ["a2", "b1"]

    def test_an_empty_queue_has_nothing(self) -> None:
        assert queue_of().take() is None


steps = some.lists(some.one_of(some.sampled_from(PEOPLE), some.just("take"), some.just("end")), max_size=120)


class TestFairness:
    @given(steps)
    def test_the_next_is_always_of_the_fewest_at_work_and_then_of_the_longest_unserved(self, script: list[str]) -> None:
        queue: FairQueue[str] = FairQueue()
        waiting: dict[str, list[str]] = {}
        at_work: list[str] = []
        served: dict[str, int] = {}
        for turn, step in enumerate(script):
            if step == "take":
                work = queue.take()
                if work is None:
                    assert waiting == {}
                    continue
                person = work[0]
                ranks = {each: (at_work.count(each), served.get(each, -1)) for each in waiting}
                assert ranks[person] == min(ranks.values())
                assert waiting[person].pop(0) == work
                waiting = {each: left for each, left in waiting.items() if left}
                at_work.append(person)
                served[person] = turn
            elif step == "end":
                if at_work:
                    queue.end(at_work.pop(0))
            else:
                work = f"{step}{turn}"
                queue.add(step, work)
                waiting.setdefault(step, []).append(work)
            assert len(queue) == sum(map(len, waiting.values()))

    @given(steps)
    def test_nobody_is_overtaken_twice_by_the_same_person_while_nothing_of_theirs_is_at_work(
        self, script: list[str]
    ) -> None:
        queue: FairQueue[str] = FairQueue()
        waiting, at_work = Counter[str](), deque[str]()
        overtaken: dict[str, Counter[str]] = {}
        for turn, step in enumerate(script):
            if step == "take":
                if (work := queue.take()) is None:
                    continue
                waiting[work[0]] -= 1
                at_work.append(work[0])
                overtaken.pop(work[0], None)
                for person in PEOPLE:
                    if waiting[person] and person not in at_work:
                        seen = overtaken.setdefault(person, Counter())
                        seen[work[0]] += 1
                        assert max(seen.values()) == 1
            elif step == "end":
                if at_work:
                    queue.end(at_work.popleft())
            else:
                queue.add(step, f"{step}{turn}")
                waiting[step] += 1

    @given(some.lists(some.sampled_from(PEOPLE), max_size=40), some.integers(1, 6), some.integers(0, 6))
    def test_the_place_shown_is_the_place_had(self, people: list[str], workers: int, before: int) -> None:
        queue = queue_of(*(f"{person}{number}" for number, person in enumerate(people)))
        begun = deque(filter(None, (queue.take() for _ in range(min(workers, before)))))
        waiting = [f"{person}{number}" for number, person in enumerate(people)]
        shown = {work: queue.place(work) for work in waiting if work not in begun}
        had = []
        while begun or len(queue):
            if begun:
                queue.end(begun.popleft()[0])
            if (work := queue.take()) is not None:
                assert queue.place(work) == 0
                begun.append(work)
                had.append(work)
        assert sorted(shown, key=shown.__getitem__) == had
        assert sorted(shown.values()) == list(range(len(had)))


class TestTheRunnersQueue:
    def test_a_few_do_not_wait_behind_the_many_of_somebody_else(self, studio: StudioFixture) -> None:
        gate, served = threading.Event(), []

        def note(request: SideRequest) -> None:
            gate.wait(LONG_S)
            served.append(request.person_hash)

        runner = studio.runner(PaintingEngine(note), concurrency=1)
        many = [comparison(mode=Mode.TONE_ONLY, person="many@studio") for _ in range(5)]
        few = comparison(mode=Mode.TONE_ONLY, person="few@studio")
        for wanted in (*many, few):
            runner.submit(wanted)
        until(lambda: side_of(runner.status(many[0].id)).phase is AttemptPhase.RUNNING)
        places = [side_of(runner.status(wanted.id)).ahead for wanted in (*many[1:], few)]
        assert places == [1, 2, 3, 4, 0]
        gate.set()
        for wanted in (*many, few):
            runner.wait(wanted.id)
        assert served[1] == hash_of("few@studio")

    def test_a_retry_counts_for_who_asked_for_it(self, studio: StudioFixture) -> None:
        gate = threading.Event()
        runner = studio.runner(PaintingEngine(lambda _: gate.wait(LONG_S) and None), concurrency=1)
        first = comparison(mode=Mode.TONE_ONLY, person="a@studio")
        gate.set()
        runner.submit(first)
        runner.wait(first.id)
        gate.clear()
        running, waiting = (comparison(mode=Mode.TONE_ONLY, person="a@studio") for _ in range(2))
        runner.submit(running)
        until(lambda: side_of(runner.status(running.id)).phase is AttemptPhase.RUNNING)
        runner.submit(waiting)
        runner.retry(first.id, TONE_ONLY, person="b@studio")
        assert side_of(runner.status(first.id)).ahead == 0
        assert side_of(runner.status(waiting.id)).ahead == 1
        gate.set()
        outcome = side_of(runner.wait(first.id)).latest
        runner.wait(waiting.id)
        assert outcome is not None
        assert outcome.person == "b@studio"

    def test_60_comparisons_of_12_people_end_in_fair_order_and_leave_nothing_in_memory(
        self, studio: StudioFixture
    ) -> None:
        gate, served = threading.Event(), []

        def note(request: SideRequest) -> None:
            gate.wait(LONG_S)
            served.append(request.person_hash)

        runner = studio.runner(PaintingEngine(note), concurrency=1)
        people = [f"person-{number}@studio" for number in range(12)]
        wanted: list[Comparison] = []
        for person in people:  # each all five at once: in the order of arrival the last would wait for 55
            wanted += [comparison(mode=Mode.TONE_ONLY, person=person) for _ in range(5)]
        for each in wanted:
            runner.submit(each)
        places = [side_of(runner.status(each.id)).ahead for each in wanted]
        assert sorted(places) == [0, *range(59)]  # one is at work
        gate.set()
        runner.wait(wanted[-1].id)
        until(lambda: len(served) == 60)
        for each in wanted:
            runner.wait(each.id)
        assert served == [hash_of(person) for person in people] * 5
        until(lambda: in_memory() == 0)


def hash_of(person: str) -> str:
    return hashlib.sha256(person.encode()).hexdigest()


def in_memory() -> int:
    """How much of any work is still held."""
    gc.collect()
    return sum(type(each).__name__ in ("Job", "PartialPicture", "FinalPicture") for each in gc.get_objects())
