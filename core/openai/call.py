"""One call to a server that speaks OpenAI's API: sent once, watched by the clock, its results as they come."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final, Generic, TypeVar

import openai

from core.openai.client import Endpoint
from core.openai.connection import AbortableConnection
from core.openai.unsent import unsent_error

T = TypeVar("T")
_CONNECT_S: Final = 10.0
# How long a cancelled or late call may go unnoticed while nothing arrives.
_LOOK_EVERY_S: Final = 0.1


class Cancelled(Exception):
    """Somebody wants the call no more."""


class Broken(Exception):
    """The call ended in `cause`, which is a StudioError where nothing was sent."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


class _End:
    """Nothing more will come."""


class Call(Generic[T]):
    """One HTTP call, on a thread and a connection of its own.

    Who waits for it looks at the clock, and `close` wakes the thread up. A fresh connection also cannot be
    one that the server has just closed for idleness, which without retries would fail a call for nothing.
    """

    def __init__(
        self, endpoint: Endpoint, work: Callable[[openai.OpenAI], Iterable[T]], *, timeout_s: float, name: str
    ) -> None:
        """`work` makes the call with a client and reads its answer; `name` is the thread's."""
        self.endpoint = endpoint
        self._work = work
        self._timeout = openai.Timeout(timeout_s + 1, connect=min(_CONNECT_S, timeout_s + 1))
        self._arrived: queue.SimpleQueue[T | Exception | _End] = queue.SimpleQueue()
        self._connection = AbortableConnection()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def request_id(self) -> str | None:
        """The vendor's id of the call, once an answer has begun."""
        return self._connection.request_id

    @property
    def sent(self) -> bool:
        """Whether anything has left this server, so that it may be charged."""
        return self._connection.sent

    def results(self, ends_at: float, cancelled: Callable[[], bool] = lambda: False) -> Iterator[T]:
        """What `work` yields, as it arrives, until it ends or the clock (`time.monotonic`) is at `ends_at`.

        What arrived in time and only was not fetched comes all the same: it is paid for.
        Raises Cancelled, TimeoutError or Broken.
        """
        if cancelled():
            raise Cancelled
        self._thread.start()
        while True:
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                yield from self._take_arrived()
                raise TimeoutError
            with suppress(queue.Empty):
                arrived = self._arrived.get(timeout=min(_LOOK_EVERY_S, left_s))
                if isinstance(arrived, _End):
                    return
                if isinstance(arrived, Exception):
                    raise Broken(arrived)
                yield arrived
            if cancelled():
                raise Cancelled

    def _take_arrived(self) -> Iterator[T]:
        for _ in range(self._arrived.qsize()):
            arrived = self._arrived.get_nowait()
            if not isinstance(arrived, Exception | _End):
                yield arrived

    def close(self) -> None:
        """Break the connection off; safe at any time, from any thread."""
        self._connection.hang_up()

    def _run(self) -> None:
        try:
            with self.endpoint.client(timeout=self._timeout, connection=self._connection) as client:
                for result in self._work(client):
                    self._arrived.put(result)
            self._arrived.put(_End())
        except Exception as err:  # noqa: BLE001 - raised again where somebody waits for it
            self._arrived.put(err if self.sent else unsent_error(err, self.endpoint, self._connection.peer))


def call_once(endpoint: Endpoint, ask: Callable[[openai.OpenAI], T], *, limit_s: float, name: str) -> T:
    """What `ask` makes of one call, within `limit_s` seconds.

    Raises TimeoutError, StudioError where nothing was sent, or whatever `ask` raises.
    """
    call = Call(endpoint, lambda client: [ask(client)], timeout_s=limit_s, name=name)
    try:
        return next(call.results(time.monotonic() + limit_s))
    except Broken as err:
        raise err.cause from err.cause.__cause__
    finally:
        call.close()
