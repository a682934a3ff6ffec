"""The inbox of a socket: what a browser has sent and its session has not yet taken."""

from __future__ import annotations

import asyncio
from collections import deque

from starlette.types import Message

from core.web.sockets.browser_message import BrowserMessage
from core.web.sockets.limits import WAITING


class Inbox:
    """Messages in order, at most WAITING of them; a rerun that waits is folded into one that says all it says."""

    def __init__(self, max_bytes: int) -> None:
        """One message is taken whatever its size; while as much as `max_bytes` waits, no other is."""
        self._max_bytes = max_bytes
        self._bytes = 0
        self._waiting: deque[tuple[Message, BrowserMessage]] = deque()
        self._end: Message | None = None
        self._changed = asyncio.Event()

    async def put(self, message: Message, said: BrowserMessage) -> bool:
        """Add a message once there is room; whether one that waited was folded into it."""
        is_folded = bool(self._waiting) and self._waiting[-1][1].is_replaced_by(said)
        if is_folded:
            self._bytes -= self._waiting.pop()[1].size_bytes
        while not is_folded and self._end is None and self._is_full:
            await self._change()
        self._waiting.append((message, said))
        self._bytes += said.size_bytes
        self._changed.set()
        return is_folded

    def end(self, message: Message, *, drop: bool = False) -> None:
        """Nothing comes after what waits, or at once with `drop`: then this is taken, again and again."""
        self._end = self._end or message
        if drop:
            self._waiting.clear()
        self._changed.set()

    async def ready(self) -> bool:
        """Wait until there is something to take; whether it is a message."""
        while not self._waiting and self._end is None:
            await self._change()
        return bool(self._waiting)

    def take(self) -> Message:
        """The oldest message, or the end."""
        if not self._waiting and self._end is not None:
            return self._end
        message, said = self._waiting.popleft()
        self._bytes -= said.size_bytes
        self._changed.set()
        return message

    @property
    def _is_full(self) -> bool:
        return len(self._waiting) >= WAITING or self._bytes >= self._max_bytes

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
