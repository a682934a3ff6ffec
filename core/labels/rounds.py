"""Rounds: work that is done again and again in a thread of its own, until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import structlog
from ulid import ULID

_log = structlog.get_logger(__name__)
_STOP_S: Final = 5.0


class Rounds:
    """Does `work` at once and then every `every_s` seconds; work that raises is told to the log, and done again."""

    def __init__(self, work: Callable[[], None], *, name: str, every_s: float) -> None:
        self._work = work
        self._name = name
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; once begun, nothing happens."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Do no further round, and wait a few seconds for the one that is under way."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=_STOP_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._work()
            except Exception:  # noqa: BLE001 - if this thread ended, what it keeps up would grow old for ever
                _log.exception("round_crashed", rounds=self._name, incident=str(ULID()))
            self._stopped.wait(self._every_s)
