"""Connections: what the server holds of them before any application sees a request or a message.

uvicorn waits for a request without end, parses all it has read in one go, answers every ping at once, and lets a peer
that takes nothing keep its buffers. These are its protocols with limits; Streamlit chooses the classes, so they are
put into the server's configuration before it listens.
"""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from h11 import IDLE, SEND_BODY
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from core.web.sockets.limits import (
    CONTROL_FRAMES_BURST,
    CONTROL_FRAMES_PER_S,
    INCOMPLETE_REQUESTS,
    READ_BYTES,
    REQUEST_S,
    STRANGER,
)
from core.web.sockets.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn import Server

CONNECTION: Final = "studio.connection"  # the extension of a WebSocket's scope that holds its BoundedWebSocket
_SMALL_FRAGMENT_BYTES: Final = 1000
_POLICY_VIOLATION: Final = 1008  # RFC 6455 §7.4.1
_GOODBYE_S: Final = 5.0  # in which a peer may take what is still on its way to it


def bound_connections() -> None:
    """Have the server that is about to listen take these protocols; a server on another thread keeps its own."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if server is not None:
        bind_connections_of(server)


def bind_connections_of(server: Server) -> None:
    """Have a server take these protocols for the connections it accepts from now on."""
    config = server.config
    requests = partial(PunctualRequests, is_stopping=lambda: server.should_exit)
    config.http_protocol_class = requests  # type: ignore[assignment]  # called like the class, never a base of one
    if config.ws_protocol_class is not None:
        config.ws_protocol_class = BoundedWebSocket


class PunctualRequests(H11Protocol):
    """HTTP whose requests have to arrive within REQUEST_S; of too many that have not, the oldest are given up.

    Once the server stops, nobody who connects is taken: uvicorn says goodbye to the connections it has at that moment,
    and waits for those that come after until their peer leaves. A browser that asks every second does not.
    """

    _incomplete: dict[PunctualRequests, None] = {}  # noqa: RUF012 - of all connections, in the order in which they came
    _deadline: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, is_stopping: Callable[[], bool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_stopping = is_stopping

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A peer has connected, which says nothing yet."""
        super().connection_made(transport)
        if self._is_stopping():
            self.shutdown()
        else:
            self._wait()

    def data_received(self, data: bytes) -> None:
        """Read on; the time runs from a request's first byte to its last."""
        super().data_received(data)
        if self.conn.their_state in (IDLE, SEND_BODY) and self.transport.get_protocol() is self:
            self._wait()
        else:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Whoever is answered before the whole request is there has said enough."""
        super().on_response_complete()
        self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer has gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._deadline is not None:
            return
        self._deadline = self.loop.call_later(REQUEST_S, self._give_up)
        self._incomplete[self] = None
        if len(self._incomplete) > INCOMPLETE_REQUESTS:
            next(iter(self._incomplete))._give_up()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
            del self._incomplete[self]

    def _give_up(self) -> None:
        self._stop_waiting()
        self.transport.abort()


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that is read in small parts, takes small messages, and does not outlive its end.

    A message that is too large is refused by its first bytes, before the rest is waited for.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread = b""
        self._control_frames = TokenBucket(CONTROL_FRAMES_PER_S, CONTROL_FRAMES_BURST)
        self.take_messages_of(STRANGER.message_bytes)

    def take_messages_of(self, max_bytes: int) -> None:
        """Refuse messages that are larger."""
        self.conn.max_message_size = max_bytes

    def end(self, code: int) -> None:
        """Close it, and listen to its peer no more."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        if self.handshake_complete:
            self.conn.send_close(code)
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._say_goodbye()

    def handle_connect(self, event: Any) -> None:
        """Let the application find this connection."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][CONNECTION] = self  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Keep what came, and read as much of it as there is room for."""
        self._unread += data
        self._read_on()

    async def receive(self) -> Any:
        """The next message for the application."""
        message = await super().receive()
        self._read_on()
        return message

    async def send(self, message: Any) -> None:
        """Send; nobody is listened to after the server's own close. Raises ClientDisconnected after the end."""
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.close":
            self._say_goodbye()

    def handle_ping(self) -> None:
        """Answer it, if there are not too many."""
        self._count_control_frame()
        super().handle_ping()

    def handle_pong(self, event: Any) -> None:
        """Take it for a sign of life, if there are not too many."""
        self._count_control_frame()
        super().handle_pong(event)

    def handle_cont(self, event: Any) -> None:
        """Add a fragment: browsers send large ones."""
        if len(event.data) < _SMALL_FRAGMENT_BYTES:
            self._count_control_frame()
        super().handle_cont(event)

    def keepalive_timeout(self) -> None:
        """The peer shows no sign of life: what it has not taken by now it will not take."""
        super().keepalive_timeout()
        self._say_goodbye()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer has gone."""
        self._unread = b""
        super().connection_lost(exc)

    def _read_on(self) -> None:
        while self._unread and not self.read_paused and not self.transport.is_closing():
            part, self._unread = self._unread[:READ_BYTES], self._unread[READ_BYTES:]
            super().data_received(part)

    def _count_control_frame(self) -> None:
        if not self._control_frames.take() and not self.close_sent:
            self.conn.fail(_POLICY_VIOLATION)
            self.handle_parser_exception()
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        self._unread = b""
        self.transport.close()
        self.loop.call_later(_GOODBYE_S, self.transport.abort)
