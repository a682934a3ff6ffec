"""The socket guard: holds every WebSocket to what its person may do, before Streamlit hears of it.

A stranger that breaks a limit is closed at once; a person who is signed in is only slowed down. Who somebody is, is
known at the handshake: signing in and out loads the page anew. The numbers are in core/web/sockets/limits.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import StudioError
from core.logs.refusals import refuse
from core.studio import get_studio
from core.viewer import Capability
from core.web.http.client_address import client_address
from core.web.server.connections import CONNECTION
from core.web.sockets.admission import Admission, OpenSocket
from core.web.sockets.browser_message import ReadMessage
from core.web.sockets.guarded_socket import GuardedSocket
from core.web.sockets.refusals import Refusal


class SocketGuard:
    """ASGI middleware around every WebSocket."""

    def __init__(self, app: ASGIApp, *, read: ReadMessage) -> None:
        """`read` understands what a browser sends."""
        self._app = app
        self._admission = Admission()
        self._read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket within its limits; anything else passes."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        address = client_address(scope)
        person = await run_in_threadpool(_person_behind, HTTPConnection(scope).cookies)
        await receive()  # that somebody connects
        if person or await self._comes_in(address, receive):
            opened, connection = OpenSocket(address, person), scope["extensions"][CONNECTION]
            socket = GuardedSocket(opened, connection, self._admission, self._read)
            await socket.serve(self._app, scope, receive, send)
        else:
            await send({"type": "websocket.close"})  # before it is accepted: 403

    async def _comes_in(self, address: str, receive: Receive) -> bool:
        """Have a stranger wait who shares an address with those that broke limits; whether they may come in then."""
        wait_s = self._admission.wait_s(address)
        if not wait_s:
            return True
        if not self._admission.begin_to_wait(address):
            refuse("websocket_refused", reason=Refusal.TOO_MANY_AT_THE_DOOR.value, source=address)
            return False
        try:
            async with asyncio.timeout(wait_s):
                await receive()  # nothing comes before a socket is accepted, but its end
        except TimeoutError:
            return True
        finally:
            self._admission.end_to_wait(address)
        return False


def _person_behind(cookies: Mapping[str, str]) -> str:
    """Who is signed in with these cookies; empty for a stranger, and for everybody while S3 cannot be asked."""
    try:
        viewer = get_studio().authenticator.viewer(cookies)
        viewer.require(Capability.BROWSE)
    except StudioError:
        return ""
    return viewer.email
