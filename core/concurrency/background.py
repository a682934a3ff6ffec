"""Background work that is done once: it may fail, but never in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from core.errors import StorageError
from core.incidents import report

_log = structlog.get_logger(__name__)


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
    thread = threading.Thread(target=report_failures(work, name=name), name=name, daemon=True)
    thread.start()
    return thread
