"""The C library's memory: in few arenas, so that what one thread has given back another can take.

glibc opens an arena for nearly every thread, and each keeps what its own busiest moment needed: after ten minutes of
every attack at once some fifty threads held twice of what was in use (decision 029).
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import Final

ARENAS: Final = 2
# https://man7.org/linux/man-pages/man3/mallopt.3.html, and its number in malloc.h
_M_ARENA_MAX: Final = -8


def bound_arenas() -> None:
    """Open no more arenas than these; those that are open stay. C libraries without arenas have nothing to bound."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
