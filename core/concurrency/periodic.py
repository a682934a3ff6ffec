"""Periodic work: what is done again and again in a thread of its own, whatever becomes of one round.

A round that fails is done again after a pause that doubles with each failure in a row, and is the usual one again
after a round that went well. S3 may be away: that is expected, and a warning. Anything else is an incident.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from core.errors import StorageError
from core.logs.incidents import report

_log = structlog.get_logger(__name__)
_LONGEST_PAUSE_S: Final = 60.0  # between failures; an interval that is longer stays as it is
_DOUBLINGS_MAX: Final = 16
_LATE_ROUNDS: Final = 3
# A call to S3 may take most of a minute until it fails: short intervals must not cry wolf for that.
_LATE_AT_LEAST_S: Final = 60.0
_STOP_S: Final = 2.0

Wait = Callable[[threading.Event, float], object]


@dataclass(frozen=True, slots=True)
class Pulse:
    """How periodic work is doing.

    `silent_s` is the time since anything was heard of it: the end of a round, or a `beat` within one. `incident`
    is the one its last round ended in; `incidents` counts those of all rounds.
    """

    name: str
    every_s: float
    silent_s: float
    is_late: bool
    rounds: int
    incidents: int
    incident: str | None


class Periodic:
    """Does `work` at once and then every `every_s` seconds, or as soon as somebody wakes it."""

    def __init__(
        self,
        work: Callable[[], None],
        *,
        name: str,
        every_s: float,
        crashed: Callable[[str], None] = lambda _incident: None,
        clock: Callable[[], float] = time.monotonic,
        wait: Wait = threading.Event.wait,
    ) -> None:
        """`crashed` is told the incident of a round that failed in a way nobody expected."""
        self.name = name
        self._work = work
        self._every_s = every_s
        self._crashed = crashed
        self.clock = clock
        self._wait = wait
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._heard_at = clock()
        self._pause_s = every_s
        self._failures = 0  # in a row
        self._rounds = 0
        self._incidents = 0
        self._incident: str | None = None
        self._ends_by = 0.0

    @property
    def is_started(self) -> bool:
        """Whether it goes round, or did before it was stopped."""
        return self._thread is not None

    def start(self) -> None:
        """Begin; once begun, nothing happens."""
        if self._thread is None:
            self.beat()
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Ask for a round now; returns at once."""
        self._wake.set()

    def beat(self) -> None:
        """Say from within a long round that it gets on."""
        self._heard_at = self.clock()

    def rest(self, seconds: float) -> bool:
        """Wait within a round; False as soon as it is told to stop, and the round is to end."""
        return not self._stopped.wait(seconds)

    def tell_to_stop(self) -> None:
        """Do no further round. Returns at once."""
        if not self._stopped.is_set():
            self._ends_by = time.monotonic() + _STOP_S
            self._stopped.set()
        self._wake.set()

    def stop(self) -> None:
        """Do no further round, and wait for the one under way, but no longer than two seconds after it was told."""
        self.tell_to_stop()
        if self._thread is not None:
            self._thread.join(timeout=max(0.0, self._ends_by - time.monotonic()))

    @property
    def pulse(self) -> Pulse:
        """How it is doing.

        It is late when nothing was heard of it for three times its interval, or its pause if that is longer, and for
        a minute at least. A long round is not late as long as it beats.
        """
        silent_s = max(0.0, self.clock() - self._heard_at)
        limit_s = max(_LATE_ROUNDS * max(self._every_s, self._pause_s), _LATE_AT_LEAST_S)
        goes_round = self._thread is not None and not self._stopped.is_set()
        return Pulse(
            name=self.name,
            every_s=self._every_s,
            silent_s=silent_s,
            is_late=goes_round and silent_s > limit_s,
            rounds=self._rounds,
            incidents=self._incidents,
            incident=self._incident,
        )

    def _run(self) -> None:
        while True:
            self._wake.clear()
            if self._stopped.is_set():  # asked behind the clearing, or a stop between the two would go unheard
                return
            self._round()
            self._rounds += 1
            self._pause_s = pause_after(self._failures, self._every_s)
            self.beat()
            # Servers that started together must not ask S3 together for ever.
            self._wait(self._wake, self._pause_s * random.uniform(0.9, 1.1))

    def _round(self) -> None:
        try:
            self._work()
        except Exception as err:  # noqa: BLE001 - if this thread ended, what it keeps up would grow old for ever
            if not self._stopped.is_set():  # what the round stood on is being taken away then
                with suppress(Exception):  # a log on a full disk must not end the thread either
                    self._note_failure(err)
        else:
            failures, self._failures, self._incident = self._failures, 0, None
            if failures:
                with suppress(Exception):
                    _log.info("round_recovered", loop=self.name, failures=failures)

    def _note_failure(self, err: Exception) -> None:
        self._failures += 1
        if isinstance(err, StorageError):
            self._incident = None
            if self._failures == 1:
                _log.warning("round_failed", loop=self.name, error=err.message)
            return
        self._incidents += 1
        self._incident = report("round_crashed", err, loop=self.name)
        self._crashed(self._incident)


def pause_after(failures: int, every_s: float) -> float:
    """Seconds until the next round after so many failures in a row."""
    grown_s = every_s * 2.0 ** min(failures, _DOUBLINGS_MAX)
    return min(grown_s, max(every_s, _LONGEST_PAUSE_S))
