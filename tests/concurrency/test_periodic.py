"""Periodic work: it is done again and again, whatever becomes of one round."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from core.concurrency.background import in_background, report_failures
from core.concurrency.periodic import Periodic, pause_after
from core.errors import StorageUnavailable
from core.logs.incidents import reported

PATIENCE_S = 60


class Pauses:
    """Waits as long as it is told to let go, and remembers for how long it should have."""

    def __init__(self, rounds: int) -> None:
        self.seconds: list[float] = []
        self.over = threading.Event()
        self._rounds = rounds

    def __call__(self, wake: threading.Event, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) == self._rounds:
            self.over.set()
        if len(self.seconds) >= self._rounds:
            wake.wait(PATIENCE_S)


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def until(claim: Callable[[], object]) -> None:
    """Wait for what another thread does."""
    pause = threading.Event()
    for _ in range(PATIENCE_S * 500):
        if claim():
            return
        pause.wait(0.002)
    raise AssertionError("it did not come true")


@pytest.fixture
def ended() -> Iterator[list[Periodic]]:
    """Loops that end with the test."""
    loops: list[Periodic] = []
    yield loops
    for loop in loops:
        loop.stop()
    assert "test" not in names()


def test_work_is_done_at_once_and_again_until_it_is_stopped() -> None:
    done = threading.Semaphore(0)

    def work() -> None:
        done.release()

    loop = Periodic(work, name="test", every_s=0.001)
    loop.start()
    loop.start()
    assert all(done.acquire(timeout=PATIENCE_S) for _ in range(3))
    loop.stop()
    assert "test" not in names()


def test_a_long_pause_is_ended_by_a_wake_and_by_a_stop() -> None:
    begun = threading.Semaphore(0)

    def work() -> None:
        begun.release()

    loop = Periodic(work, name="test", every_s=3600)
    loop.start()
    assert begun.acquire(timeout=PATIENCE_S)
    until(lambda: loop.pulse.rounds == 1)
    loop.wake()
    assert begun.acquire(timeout=PATIENCE_S)
    loop.stop()
    assert "test" not in names()


def test_what_never_began_can_be_stopped_and_is_never_late() -> None:
    loop = Periodic(lambda: None, name="test", every_s=1)
    loop.clock = lambda: 1e9
    assert not loop.pulse.is_late
    loop.stop()


def test_a_stop_does_not_wait_for_a_round_that_hangs_nor_two_stops_twice() -> None:
    inside, let_go = threading.Event(), threading.Event()

    def hang() -> None:
        inside.set()
        let_go.wait(PATIENCE_S)
        raise RuntimeError("what a round stands on is gone when it comes back")

    loop = Periodic(hang, name="test", every_s=3600)
    loop.start()
    assert inside.wait(PATIENCE_S)
    before = reported()
    loop.tell_to_stop()
    loop.stop()
    loop.stop()
    assert "test" in names(), "it did not wait"
    let_go.set()
    until(lambda: "test" not in names())
    assert reported() == before, "a round that is cut off by a stop is no incident"


def test_every_kind_of_failure_is_followed_by_the_next_round_after_growing_pauses(ended: list[Periodic]) -> None:
    pauses = Pauses(12)

    def work() -> None:
        if len(pauses.seconds) < 8:
            raise RuntimeError("nobody expected this")

    told: list[str] = []
    loop = Periodic(work, name="test", every_s=1, crashed=told.append, wait=pauses)
    ended.append(loop)
    with capture_logs() as lines:
        loop.start()
        assert pauses.over.wait(PATIENCE_S)
    for seconds, wanted in zip(pauses.seconds, [2, 4, 8, 16, 32, 60, 60, 60, 1, 1, 1, 1], strict=True):
        assert 0.9 * wanted <= seconds <= 1.1 * wanted
    assert [line["event"] for line in lines] == ["round_crashed"] * 8 + ["round_recovered"]
    assert [line["incident"] for line in lines[:8]] == told
    assert {line["loop"] for line in lines} == {"test"}
    assert (loop.pulse.incidents, loop.pulse.incident, loop.pulse.rounds >= 11) == (8, None, True)


def test_s3_that_is_away_is_a_warning_once_and_no_incident(ended: list[Periodic]) -> None:
    pauses, before = Pauses(7), reported()

    def work() -> None:
        if len(pauses.seconds) < 5:
            raise StorageUnavailable("S3 is away.")

    loop = Periodic(work, name="test", every_s=2, wait=pauses)
    ended.append(loop)
    with capture_logs() as lines:
        loop.start()
        assert pauses.over.wait(PATIENCE_S)
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("round_failed", "warning"),
        ("round_recovered", "info"),
    ]
    assert (loop.pulse.incidents, loop.pulse.incident, reported()) == (0, None, before)
    assert pauses.seconds[4] > 10 * pauses.seconds[6]


@pytest.mark.parametrize("every_s", [0.01, 2.0, 30.0, 60.0, 86_400.0])
def test_pauses_never_shrink_and_never_pass_a_minute_or_the_interval(every_s: float) -> None:
    pauses = [pause_after(failures, every_s) for failures in range(2_000)]
    assert pauses[0] == every_s
    assert pauses == sorted(pauses)
    assert pauses[-1] == max(every_s, 60.0)


def test_a_loop_that_hangs_is_late_until_it_comes_round_and_a_beat_keeps_a_long_round_alive(
    ended: list[Periodic],
) -> None:
    now = [0.0]
    inside, let_go = threading.Event(), threading.Event()

    def work() -> None:
        inside.set()
        let_go.wait(PATIENCE_S)

    loop = Periodic(work, name="test", every_s=30, clock=lambda: now[0])
    ended.append(loop)
    loop.start()
    assert inside.wait(PATIENCE_S)
    now[0] = 90
    assert not loop.pulse.is_late
    loop.beat()
    now[0] = 180
    assert not loop.pulse.is_late
    now[0] = 181
    assert (loop.pulse.is_late, loop.pulse.silent_s) == (True, 91)
    let_go.set()
    until(lambda: loop.pulse.rounds == 1)
    assert not loop.pulse.is_late
    now[0] += 91
    assert loop.pulse.is_late, "the thread has to come round by itself, too"


def test_work_done_once_is_seen_when_it_fails() -> None:
    def fail() -> None:
        raise RuntimeError("nobody expected this")

    def away() -> None:
        raise StorageUnavailable("S3 is away.")

    before = reported()
    with capture_logs() as lines:
        in_background(fail, name="test").join(PATIENCE_S)
        report_failures(away, name="test")()
    (crashed, failed) = lines
    assert (crashed["event"], crashed["task"], crashed["log_level"]) == ("task_crashed", "test", "error")
    assert len(crashed["incident"]) == 26
    assert (failed["event"], failed["log_level"], failed["error"]) == ("task_failed", "warning", "S3 is away.")
    assert reported() == before + 1


def test_a_log_that_cannot_be_written_ends_no_loop(ended: list[Periodic]) -> None:
    """A full disk under the log raises from within the very handler of the failure."""
    tried = threading.Semaphore(0)

    def fail() -> None:
        tried.release()
        raise RuntimeError("no luck")

    def full(_incident: str) -> None:
        raise OSError(28, "No space left on device")

    loop = Periodic(fail, name="test", every_s=0.001, crashed=full)
    ended.append(loop)
    loop.start()
    assert all(tried.acquire(timeout=PATIENCE_S) for _ in range(3))
