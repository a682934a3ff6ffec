"""Values that are made once for whoever asks at the same time, and kept while they are in use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

V = TypeVar("V")


class SingleFlightCache(Generic[V]):
    """Makes each value once and keeps those used last, `bytes_max` together; for any number of threads."""

    def __init__(self, *, bytes_max: int, size_of: Callable[[V], int]) -> None:
        self._bytes_max = bytes_max
        self._size_of = size_of
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Future[V]] = OrderedDict()
        self._bytes = 0

    def get(self, name: Hashable, make: Callable[[], V]) -> V:
        """The value of this name. What `make` raises reaches all who wait for it, and is not kept."""
        with self._lock:
            known = self._values.get(name)
            future = known or self._values.setdefault(name, Future())
            self._values.move_to_end(name)
        if known is not None:
            return known.result()
        try:
            value = make()
        except BaseException as err:
            with self._lock:
                del self._values[name]
            future.set_exception(err)
            raise
        future.set_result(value)
        with self._lock:
            self._bytes += self._size_of(value)
            self._trim()
        return value

    def holds(self, name: Hashable) -> bool:
        """Whether the value of this name is kept, or being made."""
        return name in self._values

    def forget(self, name: Hashable) -> None:
        """Make it anew the next time; what is being made at this moment stays."""
        with self._lock:
            if (known := self._values.get(name)) is not None and known.done():
                self._drop(name, known)

    def _trim(self) -> None:
        for name, future in list(self._values.items()):
            if self._bytes <= self._bytes_max:
                return
            if future.done():
                self._drop(name, future)

    def _drop(self, name: Hashable, future: Future[V]) -> None:
        del self._values[name]
        if future.exception() is None:
            self._bytes -= self._size_of(future.result())
