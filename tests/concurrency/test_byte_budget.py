"""A byte budget lends what there is in the order in which it was asked for; what is small waits for nothing large."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.concurrency.byte_budget import ByteBudget
from core.errors import Overloaded
from tests.support.timeouts import LONG_S, until


def budget(*, patience_s: float = LONG_S, waiting_max: int = 9, at_once: int = 9) -> ByteBudget:
    """100 bytes for loans above 10, and 20 for those up to that."""
    return ByteBudget(
        large_bytes=100,
        small_bytes=20,
        small_max=10,
        at_once=at_once,
        waiting_max=waiting_max,
        patience_s=patience_s,
    )


class Borrower(threading.Thread):
    """Has a loan from when it gets it until it is told to give it back."""

    def __init__(self, of: ByteBudget, size_bytes: int, had: Callable[[], object] = lambda: None) -> None:
        super().__init__(daemon=True)
        self._of, self._size_bytes, self._had = of, size_bytes, had
        self._done = threading.Event()
        self.has_it = threading.Event()
        self.refused = threading.Event()
        self.start()

    def run(self) -> None:
        try:
            with self._of.lend(self._size_bytes):
                self._had()
                self.has_it.set()
                self._done.wait(LONG_S)
        except Overloaded:
            self.refused.set()

    def gives_back(self) -> None:
        self._done.set()
        self.join(LONG_S)


def stands_in_line(of: ByteBudget, size_bytes: int, count: int, had: Callable[[], object] = lambda: None) -> Borrower:
    """Somebody who has asked and is the nth to wait."""
    waiting = Borrower(of, size_bytes, had)
    until(lambda: of.waiting == count, f"{count} wait")
    return waiting


def test_a_large_loan_is_not_overtaken_by_those_that_would_fit() -> None:
    lender, order = budget(), list[str]()
    first = Borrower(lender, 60)
    assert first.has_it.wait(LONG_S)
    whole = stands_in_line(lender, 100, 1, lambda: order.append("whole"))
    later = stands_in_line(lender, 20, 2, lambda: order.append("later"))
    assert not later.has_it.is_set()
    first.gives_back()
    assert whole.has_it.wait(LONG_S)
    whole.gives_back()
    assert later.has_it.wait(LONG_S)
    later.gives_back()
    assert order == ["whole", "later"]


def test_a_small_loan_waits_for_no_large_one() -> None:
    lender = budget()
    whole = Borrower(lender, 100)
    assert whole.has_it.wait(LONG_S)
    waiting = stands_in_line(lender, 100, 1)
    with lender.lend(10), lender.lend(10):
        assert not waiting.has_it.is_set()
    whole.gives_back()
    waiting.gives_back()


def test_whoever_waits_too_long_is_told_when_to_come_again_and_leaves_the_line() -> None:
    lender = budget(patience_s=0.01)
    whole = Borrower(lender, 100)
    assert whole.has_it.wait(LONG_S)
    with pytest.raises(Overloaded, match="no memory free") as told, lender.lend(50):
        pass
    assert told.value.retry_after_s > 0
    assert lender.waiting == 0
    whole.gives_back()
    with lender.lend(100):
        pass


def test_only_so_many_wait_for_large_loans() -> None:
    lender = budget(waiting_max=2)
    whole = Borrower(lender, 100)
    assert whole.has_it.wait(LONG_S)
    waiting = [stands_in_line(lender, 100, count) for count in (1, 2)]
    assert Borrower(lender, 50).refused.wait(LONG_S)
    with lender.lend(5):
        pass
    for each in (whole, *waiting):
        each.gives_back()


def test_a_loan_is_given_back_whatever_becomes_of_the_work() -> None:
    lender = budget()
    for _ in range(3):
        with pytest.raises(RuntimeError), lender.lend(100):
            raise RuntimeError
    with lender.lend(100):
        pass


def test_more_than_there_is_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="more than there are"), budget().lend(101):
        pass


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=100), min_size=1, max_size=40), st.integers(1, 4))
def test_no_more_is_ever_lent_than_there_is_and_everybody_has_a_turn(sizes: list[int], at_once: int) -> None:
    lender = budget(at_once=at_once, waiting_max=40)
    lock, out, most, loans = threading.Lock(), 0, 0, 0

    def borrow(size_bytes: int) -> None:
        nonlocal out, most, loans
        with lender.lend(size_bytes):
            with lock:
                out, loans = out + size_bytes, loans + 1
                most = max(most, out)
            with lock:
                out -= size_bytes

    with ThreadPoolExecutor(8) as people:
        list(people.map(borrow, sizes))
    assert most <= lender.total_bytes
    assert (out, loans) == (0, len(sizes))
