"""An abortable connection: the one connection of an HTTP client, which another thread can hang up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

# What httpx raises of a header or an address that cannot be written down: not a byte of it has left.
_UNFORMED: Final = "LocalProtocolError"


class AbortableConnection:
    """Follows a client's connection by httpx's event hooks, until somebody hangs up.

    httpx bounds a single read and never the whole call, so a server that trickles would hold its reader
    for ever. Shutting the socket down wakes the reader up.
    """

    def __init__(self) -> None:
        self.request_id: str | None = None
        self.sent = False  # whether the request has begun to leave the house
        self.peer: str | None = None  # the host that was connected to last: the server's, or a proxy's
        self._socket: socket.socket | None = None
        self._hung_up = False
        self._lock = threading.Lock()

    @property
    def hooks(self) -> dict[str, Any]:
        """The `event_hooks` of the client whose connection this is."""
        return {"request": [self._on_request], "response": [self._on_response]}

    def hang_up(self) -> None:
        """Break the connection off, also one that is still to come; safe at any time, from any thread."""
        with self._lock:
            self._hung_up = True
            self._break()

    def _break(self) -> None:
        if self._socket is not None:
            # Not the TLS layer's own shutdown, which waits for the other side.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _on_request(self, request: Any) -> None:
        request.extensions["trace"] = self._on_trace

    def _on_trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep hold of the newest socket: TCP's, then TLS's, which takes its place.

        A proxy's CONNECT asks for a tunnel and tells the server nothing: the request is sent after it.
        """
        if event.endswith(".connect_tcp.started"):
            self.peer = str(info["host"])
        elif event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                if self._hung_up:
                    self._break()
        elif event.endswith(".send_request_headers.started"):
            self.sent = self.sent or info["request"].method != b"CONNECT"
        elif event.endswith(".send_request_headers.failed"):
            self.sent = self.sent and type(info["exception"]).__name__ != _UNFORMED

    def _on_response(self, response: Any) -> None:
        self.request_id = response.headers.get("x-request-id")
