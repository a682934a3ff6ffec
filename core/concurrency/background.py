"""Background work that is done once: it may fail, but never in silence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from core.errors import StorageError
from core.logs.incidents import report

_log = structlog.get_logger(__name__)


class _Background(threading.Thread):
    """A thread nobody waits for, until what it works on is closed."""


def report_failures(work: Callable[[], object], *, name: str) -> Callable[[], None]:
    """The same work for a thread whose end nobody waits for: a StorageError is a warning, all others an incident."""

    def reported() -> None:
        try:
            work()
        except StorageError as err:
            _log.warning("task_failed", task=name, error=err.message)
        except Exception as err:  # noqa: BLE001 - nobody else would ever hear of it
            report("task_crashed", err, task=name)

    return reported


def in_background(work: Callable[[], object], *, name: str) -> threading.Thread:
    """Begin work in a thread of its own, which ends with it or with the process."""
    thread = _Background(target=report_failures(work, name=name), name=name, daemon=True)
    thread.start()
    return thread


def let_background_work_end(*, patience_s: float) -> None:
    """Wait for what was begun, at most so many seconds for all of it: what it works on is about to be closed."""
    ends_at = time.monotonic() + patience_s
    for thread in [each for each in threading.enumerate() if isinstance(each, _Background)]:
        thread.join(max(0.0, ends_at - time.monotonic()))
