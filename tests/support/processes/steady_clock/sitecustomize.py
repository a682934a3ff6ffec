"""What Python imports at its start beside libfaketime with a steady clock, which refuses sleeps that are over.

libfaketime 0.9.10 answers EINVAL to a `clock_nanosleep` until a moment that has passed, as `time.sleep(0)` asks for.
"""

from __future__ import annotations

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep
