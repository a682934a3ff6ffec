"""A guarded socket: one WebSocket between its browser and Streamlit, held to its limits in both directions."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.logs.refusals import refuse
from core.web.sockets import limits
from core.web.sockets.admission import Admission, OpenSocket
from core.web.sockets.browser_message import NotAMessage, ReadMessage
from core.web.sockets.inbox import Inbox
from core.web.sockets.refusals import CODES, GOING_AWAY, REFUSED_BELOW, Refusal
from core.web.sockets.token_bucket import TokenBucket


class Connection(Protocol):
    """The server's end of a WebSocket."""

    def take_messages_of(self, max_bytes: int) -> None:
        """Refuse messages that are larger."""

    def end(self, code: int) -> None:
        """Close it, and listen to its peer no more."""


class GuardedSocket:
    """A stranger's socket that breaks a limit is closed; a known person's waits."""

    def __init__(self, opened: OpenSocket, connection: Connection, admission: Admission, read: ReadMessage) -> None:
        self._opened = opened
        self._connection = connection
        self._admission = admission
        self._message = read
        self._limits = limits.KNOWN if opened.person else limits.STRANGER
        self._inbox = Inbox(self._limits.message_bytes)
        self._pace = TokenBucket(self._limits.messages_per_s, self._limits.burst)
        self._is_taken = asyncio.Event()  # what was sent to a stranger
        self._is_taken.set()
        self._is_refused = False

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it until either side ends it; that somebody has connected was received already."""
        self._connection.take_messages_of(self._limits.message_bytes)
        self._opened.close = self._refuse
        self._admission.let_in(self._opened)
        reader = asyncio.create_task(self._read(receive), name="socket-reader")
        life = asyncio.get_running_loop().call_later(limits.STRANGER_LIFE_S, self._connection.end, GOING_AWAY)
        if self._opened.person:
            life.cancel()
        try:
            await app(scope, self._in_turn(), self._taken_in_time(send))
        finally:
            life.cancel()
            self._admission.gone(self._opened)
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader

    def _refuse(self, reason: Refusal) -> None:
        """Close it at once."""
        if not self._is_refused:
            self._is_refused = True
            refuse("websocket_refused", reason=reason.value, source=self._opened.address)
            code = CODES[reason]
            self._inbox.end({"type": "websocket.disconnect", "code": code}, drop=True)
            self._connection.end(code)

    def _break(self, reason: Refusal) -> None:
        """Close it for what it did, and have its neighbours wait at the door."""
        if not self._is_refused and not self._opened.person:
            self._admission.strike(self._opened.address)
        self._refuse(reason)

    async def _read(self, receive: Receive) -> None:
        """Take what the browser sends as it comes, as far as there is room for it."""
        try:
            await self._read_to_the_end(receive)
        finally:
            self._inbox.end({"type": "websocket.disconnect", "code": GOING_AWAY})

    async def _read_to_the_end(self, receive: Receive) -> None:
        while not self._is_refused:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                if reason := REFUSED_BELOW.get(message.get("code", 0)):
                    self._break(reason)
                return
            await self._take_in(message)
            await asyncio.sleep(0)  # others get their turn, however many messages there are

    async def _take_in(self, message: Message) -> None:
        data = message.get("bytes")
        if data is None:
            self._break(Refusal.NOT_A_MESSAGE)
            return
        is_stranger = not self._opened.person
        if is_stranger and not self._pace.take():
            self._break(Refusal.TOO_MANY_MESSAGES)
            return
        try:
            said = self._message(data)
        except NotAMessage:
            self._break(Refusal.NOT_A_MESSAGE)
            return
        if is_stranger:
            too_much = self._admission.sent(self._opened, said.size_bytes)
            if self._opened.sent_bytes > limits.STRANGER_BYTES or said.widgets > limits.STRANGER_WIDGETS:
                self._break(Refusal.TOO_MANY_BYTES)
                return
            if too_much:
                too_much.close(Refusal.TOO_MANY_BYTES)
        await self._inbox.put(message, said)

    def _in_turn(self) -> Receive:
        """What Streamlit receives: the beginning, then each message in its turn."""
        has_begun = False

        async def receive() -> Message:
            nonlocal has_begun
            if not has_begun:
                has_begun = True
                return {"type": "websocket.connect"}
            if await self._inbox.ready():
                await self._turn()
            return self._inbox.take()

        return receive

    async def _turn(self) -> None:
        """Wait until the next message may be run: a known person's by their own pace, strangers' by one for all."""
        if self._opened.person:
            await asyncio.sleep(self._pace.take_later())
            return
        await self._is_taken.wait()  # who does not read is not read from
        wait_s = self._admission.turn_in_s(self._opened.address)
        if wait_s is None:
            self._refuse(Refusal.NO_TURN)
        else:
            await asyncio.sleep(wait_s)

    def _taken_in_time(self, send: Send) -> Send:
        """What Streamlit sends with; a stranger has to take each message in time."""
        if self._opened.person:
            return send

        async def send_on(message: Message) -> None:
            self._is_taken.clear()
            try:
                async with asyncio.timeout(limits.STRANGER_SEND_S):
                    await send(message)
            except TimeoutError as err:
                self._break(Refusal.TAKES_NOTHING)
                raise ConnectionResetError("The browser takes nothing.") from err
            finally:
                self._is_taken.set()

        return send_on
