"""A server for a fake: its application on loopback, in a thread of the tests, until a block ends."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from tests.support.timeouts import LONG_S


@contextmanager
def serving_app(app: Starlette, listening: socket.socket, name: str) -> Iterator[None]:
    """Answer on a listening socket, which is closed with the block."""
    server = _Server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name=name)
    thread.start()
    server.ready.wait(LONG_S)
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        thread.join(LONG_S)
        listening.close()


class _Server(uvicorn.Server):
    def __init__(self, app: Starlette) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1))
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Also of what is in the middle of an answer, or came while it stopped: else its sockets outlive the loop.

        What was accepted in the last turn of the loop becomes a connection a turn later, and ends a turn after that;
        uvicorn forgets one before its socket is closed. So all are ended that the loop knows (a name of its own).
        """
        await super().shutdown(sockets)
        for _ in range(4):
            for transport in [*asyncio.get_running_loop()._transports.values()]:
                transport.abort()
            await asyncio.sleep(0)
