"""Byte budgets: how much memory one kind of work may take at once, in the whole process."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import Overloaded

_RETRY_AFTER_S = 30.0
_BUSY = "There is no memory free for this at the moment: try again in half a minute."


class ByteBudget:
    """Lends bytes for as long as a block runs; whoever asks first has them first, however much it is.

    Loans of `small_max` and less come out of a part of their own, `small_bytes`: they never wait behind large ones,
    and keep none of those waiting. In each part `at_once` loans run at a time. Of large ones `waiting_max` wait, each
    for `patience_s`: more would take all threads from those who want something else.
    """

    def __init__(
        self,
        *,
        large_bytes: int,
        small_bytes: int,
        small_max: int,
        at_once: int,
        waiting_max: int,
        patience_s: float,
    ) -> None:
        self.large_bytes = large_bytes
        self.total_bytes = large_bytes + small_bytes
        self._small_max = small_max
        self._large = _Part(large_bytes, at_once)
        self._small = _Part(small_bytes, at_once)
        self._waiting_max = waiting_max
        self._patience_s = patience_s

    @property
    def waiting(self) -> int:
        """How many stand in line, for large loans and for small ones."""
        return self._large.waiting + self._small.waiting

    @contextmanager
    def lend(self, size_bytes: int) -> Iterator[None]:
        """Have so many bytes inside. Raises Overloaded; more than `large_bytes` are never lent: ValueError."""
        if size_bytes > self.large_bytes:
            raise ValueError(f"{size_bytes} bytes are more than there are.")
        is_small = size_bytes <= self._small_max
        part = self._small if is_small else self._large
        is_full = not is_small and part.waiting >= self._waiting_max
        if is_full or not part.take(size_bytes, self._patience_s):
            raise Overloaded(_BUSY, retry_after_s=_RETRY_AFTER_S)
        try:
            yield
        finally:
            part.give_back(size_bytes)


class _Part:
    """Bytes and turns that are handed out in the order in which they were asked for."""

    def __init__(self, free_bytes: int, turns: int) -> None:
        self._free_bytes = free_bytes
        self._turns = turns
        self._changed = threading.Condition()
        self._line: deque[object] = deque()

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._line)

    def take(self, size_bytes: int, patience_s: float) -> bool:
        """Whether they could be had in time; whoever gives up, or is interrupted, leaves the line."""
        place = object()
        with self._changed:
            self._line.append(place)
            try:
                is_mine = self._changed.wait_for(
                    lambda: self._line[0] is place and self._turns > 0 and size_bytes <= self._free_bytes, patience_s
                )
                if is_mine:
                    self._free_bytes -= size_bytes
                    self._turns -= 1
                return is_mine
            finally:
                self._line.remove(place)
                self._changed.notify_all()

    def give_back(self, size_bytes: int) -> None:
        with self._changed:
            self._free_bytes += size_bytes
            self._turns += 1
            self._changed.notify_all()
