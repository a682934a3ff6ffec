"""A latch: whoever comes is counted and held until it opens, on a thread or in an event loop."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from tests.support.timeouts import LONG_S


class Latch:
    """Holds whoever passes; `wait_for` returns once so many have come."""

    def __init__(self) -> None:
        self._come = threading.Condition()
        self._count = 0
        self._open = threading.Event()
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def open(self) -> None:
        """Let all go on who are held, and all who will come."""
        with self._come:
            self._open.set()
            for loop, event in self._sleepers:
                with suppress(RuntimeError):  # its server has ended meanwhile
                    loop.call_soon_threadsafe(event.set)

    def wait_for(self, count: int = 1) -> None:
        """Block until so many have come. Raises TimeoutError."""
        with self._come:
            if not self._come.wait_for(lambda: self._count >= count, LONG_S):
                raise TimeoutError(f"{self._count} of {count} have come")

    def hold(self) -> None:
        """Come, and stay on this thread until it opens."""
        self._arrive()
        self._open.wait()

    async def passed(self) -> None:
        """Come, and stay in this event loop until it opens."""
        event = asyncio.Event()
        with self._come:
            self._sleepers.append((asyncio.get_running_loop(), event))
            if self._open.is_set():
                event.set()
        self._arrive()
        await event.wait()

    def _arrive(self) -> None:
        with self._come:
            self._count += 1
            self._come.notify_all()
