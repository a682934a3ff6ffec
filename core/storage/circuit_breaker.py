"""The circuit breaker: while S3 is known to be away nobody waits for it; one thread asks until it answers again.

An S3 that takes a connection and says nothing costs every caller its time-outs, most of a minute, and a page asks more
than once. This is the circuit breaker of Nygard, “Release It!” (2007), but for who tries again: not the next person,
who would wait in vain, but a thread with little patience.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import structlog

from core.concurrency.background import in_background
from core.errors import StorageError, StorageUnavailable
from core.logs.incidents import report

_log = structlog.get_logger(__name__)
_EVERY_S: Final = 0.5


class CircuitBreaker:
    """Knows whether S3 is away. `ask` asks it for something small, and raises StorageUnavailable without an answer.

    Calls of all threads come in at once; `_lock` guards who asks, and that the end of it is noticed once.
    """

    def __init__(self, ask: Callable[[], None], *, every_s: float = _EVERY_S) -> None:
        self._ask = ask
        self._every_s = every_s
        self._lock = threading.Lock()
        self._is_asking = False
        self._answers = 0  # to everybody's calls
        self._stopped = threading.Event()
        self.reason: str | None = None  # the sentence, while S3 is away
        self.opened = threading.Event()  # is set for as long, which is when the breaker is open
        self.when_back: Callable[[], None] | None = None  # called when S3 answers again

    def check(self) -> None:
        """Raise StorageUnavailable while S3 is away."""
        if (reason := self.reason) is not None:
            raise StorageUnavailable("{}", reason)

    def suspect(self) -> None:
        """A call was not answered: find out whether S3 is away altogether. Returns at once."""
        with self._lock:
            if self._is_asking or self._stopped.is_set():
                return
            self._is_asking = True
        in_background(self._until_it_answers, name="circuit-breaker")

    def record_answer(self) -> None:
        """A call was answered: whatever was asked before cannot find S3 away any more."""
        self._answers += 1  # two at once may count as one: that there was one is all that matters

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()

    def _until_it_answers(self) -> None:
        while not self._stopped.is_set():
            before = self._answers
            reason = self._ask_once()
            if reason is None or self._answers != before:
                break
            if self.reason is None:
                _log.info("storage_away", error=reason)  # a command says so itself, in one sentence
            self.reason = reason
            self.opened.set()
            self._stopped.wait(self._every_s)
        self.opened.clear()
        with self._lock:
            was_away, self.reason, self._is_asking = self.reason is not None, None, False
        if was_away and not self._stopped.is_set():
            _log.info("storage_back")
            if self.when_back is not None:
                self.when_back()

    def _ask_once(self) -> str | None:
        try:
            self._ask()
        except StorageUnavailable as err:
            return err.message
        except StorageError:
            return None  # a refusal is an answer
        except Exception as err:  # noqa: BLE001 - who cannot ask must not shut everybody else out for ever
            report("outage_not_looked_into", err)
        return None
