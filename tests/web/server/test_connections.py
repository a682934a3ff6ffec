"""A server that stops says goodbye to whoever connects while it does, and so waits for nobody."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import suppress

import uvicorn

from core.web.server.connections import bind_connections_of
from tests.support.timeouts import LONG_S


async def empty_page(_scope: object, _receive: object, send: uvicorn._types.ASGISendCallable) -> None:
    """An application with an answer for everybody."""
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class VisitedWhileItStops(uvicorn.Server):
    """A server that somebody connects to as it stops: accepted, but not yet among those it says goodbye to."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket) -> None:
        super().__init__(config)
        self.listening = listening
        self.visitor = socket.socket()
        self.visitor.settimeout(LONG_S)
        self.is_visited = threading.Event()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.visitor.connect(self.listening.getsockname())
        for _ in ("somebody is seen", "is accepted", "is about to be given a protocol"):
            await asyncio.sleep(0)
        assert not self.server_state.connections
        self.is_visited.set()
        await super().shutdown(sockets)


def is_left_while_it_asks(visitor: socket.socket) -> bool:
    """Whether the server closes a connection on which somebody asks again and again."""
    deadline = time.monotonic() + LONG_S
    with suppress(ConnectionError):
        while time.monotonic() < deadline:
            visitor.sendall(b"GET / HTTP/1.1\r\nHost: studio\r\n\r\n")
            if not visitor.recv(4096):
                return True
        return False
    return True


def test_who_connects_while_the_server_stops_does_not_keep_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(empty_page, ws="none", lifespan="off", log_level="critical")
        config.load()
        server = VisitedWhileItStops(config, listening)
        bind_connections_of(server)
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        server.should_exit = True  # it stops as soon as it has started
        serving.start()
        try:
            server.is_visited.wait(LONG_S)
            assert is_left_while_it_asks(server.visitor)
            serving.join(LONG_S)
            assert not serving.is_alive()
        finally:
            server.force_exit = True
            server.visitor.close()
