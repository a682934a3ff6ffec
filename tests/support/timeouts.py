"""Timeouts: how long tests wait for what has to come, from one place; `TEST_PATIENCE=3` makes all of it three times."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import httpx

SCALE: Final = float(os.environ.get("TEST_PATIENCE") or 1)
LONG_S: Final = 90.0 * SCALE  # a busy machine is slow, not wrong: nothing that works takes so long
AT_ONCE_S: Final = 8.0  # sooner than the first time-out of the product itself, which waits 10 s for S3
POLL_S: Final = 0.05


def until(
    holds: Callable[[], Any], what: str | Callable[[], str] = "what was waited for", patience_s: float = LONG_S
) -> Any:
    """What `holds` returns as soon as it is true; an HTTP server that is not there yet counts as false."""
    deadline, pause = time.monotonic() + patience_s, threading.Event()
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if found := holds():
                return found
        pause.wait(POLL_S)
    raise AssertionError(f"it never happened: {what if isinstance(what, str) else what()}")
