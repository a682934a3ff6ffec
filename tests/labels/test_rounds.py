"""Rounds: work that is done again and again, whatever becomes of one of them."""

from __future__ import annotations

import threading

from core.labels.rounds import Rounds
from tests.support.patience import LONG_S


def test_work_is_done_at_once_and_again_until_it_is_stopped() -> None:
    done = threading.Semaphore(0)
    rounds = Rounds(done.release, name="test", every_s=0.001)
    rounds.start()
    rounds.start()
    assert all(done.acquire(timeout=LONG_S) for _ in range(3))
    rounds.stop()
    assert "test" not in {thread.name for thread in threading.enumerate()}


def test_a_round_that_fails_is_followed_by_the_next() -> None:
    tried = threading.Semaphore(0)

    def fail() -> None:
        tried.release()
        raise RuntimeError("no luck")

    rounds = Rounds(fail, name="test", every_s=0.001)
    rounds.start()
    assert all(tried.acquire(timeout=LONG_S) for _ in range(3))
    rounds.stop()


def test_a_long_pause_is_ended_by_a_stop() -> None:
    begun = threading.Event()
    rounds = Rounds(begun.set, name="test", every_s=3600)
    rounds.start()
    assert begun.wait(LONG_S)
    rounds.stop()
    assert "test" not in {thread.name for thread in threading.enumerate()}


def test_what_never_began_can_be_stopped() -> None:
    Rounds(lambda: None, name="test", every_s=1).stop()
