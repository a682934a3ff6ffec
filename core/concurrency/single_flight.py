"""Single flight: one question at a time for each key, however many threads ask it, and its answer kept while in use."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

V = TypeVar("V")


class SingleFlightCache(Generic[V]):
    """Makes each value once and keeps those used last, of `size_max` together; for any number of threads.

    `size_of` says what a value counts for: one, unless told otherwise. With a `size_max` of 0 nothing is kept, and only
    those who ask at the same time share an answer. A kept value that `is_fresh` denies is made anew.

    What `make` raises reaches all who wait for it, and no value is kept. Where a `cooldown_s` is given, it is also
    raised to whoever asks in the seconds after it, for whatever key, without a call of `make`: what one question has
    shown to be down would fail all others. Kept values are served all the same.
    """

    def __init__(
        self,
        *,
        size_max: int,
        size_of: Callable[[V], int] = lambda _value: 1,
        is_fresh: Callable[[V], bool] = lambda _value: True,
        cooldown_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size_max = size_max
        self._size_of = size_of
        self._is_fresh = is_fresh
        self._cooldown_s = cooldown_s
        self._clock = clock
        self._lock = threading.Lock()  # for all below; never held while a value is made
        self._values: OrderedDict[Hashable, Future[V]] = OrderedDict()  # none of them has failed
        self._size = 0
        self._failure: tuple[Exception, float] | None = None  # the last one, and when its cooldown ends

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of this key. Raises what `make` raises, and within the cooldown what it raised last."""
        with self._lock:
            known = self._values.get(key)
            if known is not None and known.done() and not self._is_fresh(known.result()):
                self._drop(key)
                known = None
            if known is None:
                self._raise_while_cooling_down()
                future = self._values[key] = Future()
            else:
                self._values.move_to_end(key)
        if known is not None:
            return known.result()
        try:
            value = make()
        except BaseException as err:
            with self._lock:
                del self._values[key]
                if self._cooldown_s and isinstance(err, Exception):
                    self._failure = err, self._clock() + self._cooldown_s
            future.set_exception(err)
            raise
        with self._lock:
            future.set_result(value)
            self._size += self._size_of(value)
            while self._size > self._size_max:
                self._drop(next(each for each, kept in self._values.items() if kept.done()))
        return value

    def holds(self, key: Hashable) -> bool:
        """Whether the value of this key is kept, or being made."""
        return key in self._values

    def forget(self, key: Hashable) -> None:
        """Make it anew the next time; what is being made at this moment stays."""
        with self._lock:
            if (known := self._values.get(key)) is not None and known.done():
                self._drop(key)

    def _drop(self, key: Hashable) -> None:
        self._size -= self._size_of(self._values.pop(key).result())

    def _raise_while_cooling_down(self) -> None:
        if self._failure is not None:
            failure, ends_at = self._failure
            if self._clock() < ends_at:
                raise failure.with_traceback(None)  # or it would grow longer with each who gets it
            self._failure = None
