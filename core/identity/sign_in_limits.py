"""Sign-in limits: who fails too often is slowed down, and holds up nobody whose sign-in is good.

Failures alone are counted, by the address they come from and in all. What bears our seal is looked at before anything
is counted, so a good cookie or login token is never refused, whoever else is behind its address. Whether a code is
Google's, Google alone can say: codes from an address over the limit wait for each other in a lane of their own.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from core.errors import AccessDenied, ReplayedLoginToken, SignInError, TooManyAttempts
from core.logs.refusals import refuse

WINDOW_S: Final = 60.0
ADDRESSES_MAX: Final = 10_000  # that are remembered; the one whose minute began first is forgotten first
CALLS_MAX: Final = 8  # to Google at a time
SLOW_CALLS_MAX: Final = 2  # beside those, for all addresses over the limit together
WAITING_MAX: Final = 500  # codes, in each lane
_T = TypeVar("_T")


@dataclass(slots=True)
class _Minute:
    """The failures since a moment; after a minute it begins anew."""

    began_s: float
    failures: int = 0

    def left_s(self, now: float) -> float:
        return self.began_s + WINDOW_S - now


class SignInLimits:
    """The failed sign-ins of one process, and the lanes in which codes go to Google."""

    def __init__(self, *, address_max: int, all_max: int, clock: Callable[[], float] = time.monotonic) -> None:
        """So many failures a minute, of one address and in all, are answered as what they are."""
        self._address_max = address_max
        self._all_max = all_max
        self._clock = clock
        self._lock = threading.Lock()
        self._addresses: OrderedDict[str, _Minute] = OrderedDict()
        self._all = _Minute(clock())
        self._lane = _Lane("google", CALLS_MAX)
        self._slow_lane = _Lane("google-slow", SLOW_CALLS_MAX)

    def count_failure(self, address: str) -> None:
        """Count a sign-in that failed. Raises TooManyAttempts where there were too many before it."""
        with self._lock:
            now = self._clock()
            wait_s = self._wait_s(address, now)
            if self._all.left_s(now) <= 0:
                self._all = _Minute(now)
            self._all.failures += 1
            self._minute_of(address, now).failures += 1
        if wait_s:
            refuse("sign_in_refused", reason="too many attempts", source=address)
            raise too_many_attempts(wait_s)

    @contextmanager
    def counting(self, address: str, *failures: type[SignInError]) -> Iterator[None]:
        """Count these failures of what is done inside; too many of them are raised as TooManyAttempts.

        Who is known and may not come in, or comes a second time, has brought what is good.
        """
        try:
            yield
        except (AccessDenied, ReplayedLoginToken, TooManyAttempts):
            raise
        except failures:
            self.count_failure(address)
            raise

    def is_slowed(self, address: str) -> bool:
        """Whether this address has failed too often: by itself, or at all while too much fails everywhere."""
        with self._lock:
            return self._wait_s(address, self._clock()) > 0

    def call_google(self, address: str, call: Callable[[], _T]) -> Future[_T]:
        """What a call on behalf of this address will bring. Raises TooManyAttempts where too many wait already."""
        lane = self._slow_lane if self.is_slowed(address) else self._lane
        return lane.submit(call)

    def _wait_s(self, address: str, now: float) -> float:
        """How long this address is over a limit; 0 for one that is not."""
        own = self._addresses.get(address)
        if own is None:
            return 0.0
        limiting = own if own.failures >= self._address_max else self._all
        is_over = limiting is own or self._all.failures >= self._all_max
        return max(0.0, min(own.left_s(now), limiting.left_s(now))) if is_over else 0.0

    def _minute_of(self, address: str, now: float) -> _Minute:
        minute = self._addresses.get(address)
        if minute is None or minute.left_s(now) <= 0:
            self._addresses.pop(address, None)
            minute = self._addresses[address] = _Minute(now)
            if len(self._addresses) > ADDRESSES_MAX:
                self._addresses.popitem(last=False)
        return minute


def too_many_attempts(wait_s: float = 1.0) -> TooManyAttempts:
    """The error for who is to wait."""
    return TooManyAttempts("Too many attempts to sign in: wait a minute, then try again.", retry_after_s=wait_s)


class _Lane:
    """Calls that are made a few at a time, first come, first served."""

    def __init__(self, name: str, calls_max: int) -> None:
        self._pool = ThreadPoolExecutor(calls_max, thread_name_prefix=name)
        self._room = threading.BoundedSemaphore(calls_max + WAITING_MAX)

    def submit(self, call: Callable[[], _T]) -> Future[_T]:
        if not self._room.acquire(blocking=False):
            refuse("sign_in_refused", reason="too many wait for Google")
            raise too_many_attempts()
        future = self._pool.submit(call)
        future.add_done_callback(lambda _: self._room.release())
        return future
