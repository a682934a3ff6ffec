"""Incidents: failures nobody expected. Each has an id, under which the log explains it, and is counted."""

from __future__ import annotations

import threading

import structlog
from ulid import ULID

_log = structlog.get_logger(__name__)
_lock = threading.Lock()
_reported = 0


def report(event: str, err: BaseException, **about: object) -> str:
    """Log a failure with its traceback and what it is `about`, count it, and return the id a person can name."""
    global _reported
    incident = str(ULID())
    with _lock:
        _reported += 1
    _log.error(event, incident=incident, exc_info=err, **about)
    return incident


def reported() -> int:
    """How many incidents this process has had."""
    return _reported
