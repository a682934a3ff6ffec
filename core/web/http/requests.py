"""Requests: each has an id that stands in its log lines and its answer, is timed, and never ends in a bare failure."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnected
from ulid import ULID

from core.logs.incidents import report
from core.studio import Studio, running_studio
from core.telemetry import NoTelemetry

_log = structlog.get_logger(__name__)
_GIVEN_ID: Final = re.compile(r"[0-9A-Za-z_-]{8,64}")
OURS: Final = (
    "healthz",
    "readyz",
    "metrics",
    "image",
    "originals",
    "partial",
    "session",
    "oauth",
)  # else it is Streamlit's
_SLOW_S: Final = 2.0


class Requests:
    """ASGI middleware around every HTTP request; of WebSockets, which are Streamlit's own, it sees the end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under its id."""
        if scope["type"] != "http":
            # Streamlit closes what is closed already when a tab or the server goes at the wrong moment.
            with suppress(WebSocketDisconnected):
                await self._app(scope, receive, send)
            return
        headers, route = Headers(scope=scope), _route_of(scope["path"])
        given = headers.get("x-request-id", "")
        request_id = given if _GIVEN_ID.fullmatch(given) else str(ULID())
        answer = _TrackedAnswer(send, request_id, route)
        studio = running_studio()
        telemetry = studio.telemetry if studio else NoTelemetry()
        about = {"http.route": route, "http.request.method": scope["method"], "request.id": request_id}
        with (
            structlog.contextvars.bound_contextvars(request=request_id),
            telemetry.span(f"{scope['method']} {route}", about, parent=headers),
        ):
            try:
                await self._app(scope, receive, answer.send)
            except Exception as err:  # noqa: BLE001 - whatever it is, it gets an incident id
                await self._crashed(err, scope, receive, answer)
            answer.record(scope, studio)

    async def _crashed(self, err: Exception, scope: Scope, receive: Receive, answer: _TrackedAnswer) -> None:
        """Log what nobody expected and answer with its incident id, if there is still an answer to give."""
        incident = report("request_crashed", err, method=scope["method"], route=answer.route)
        if answer.status is None:
            sentence = f"Something went wrong. Try again; if it happens again, report incident {incident}."
            await PlainTextResponse(sentence, 500, {"Cache-Control": "no-store"})(scope, receive, answer.send)


class _TrackedAnswer:
    """Follows an answer on its way out, and puts the request's id on it."""

    def __init__(self, send: Send, request_id: str, route: str) -> None:
        self._send = send
        self._request_id = request_id
        self._began = time.perf_counter()
        self.route = route
        self.status: int | None = None
        self._seconds = 0.0

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on."""
        if message["type"] == "http.response.start":
            self.status, self._seconds = message["status"], time.perf_counter() - self._began
            MutableHeaders(scope=message)["X-Request-ID"] = self._request_id
        await self._send(message)

    def record(self, scope: Scope, studio: Studio | None) -> None:
        """Count the answer, and log it if it failed or took long: nginx keeps the log of all the others."""
        if self.status is None:
            return
        if studio is not None:
            studio.metrics.request(self.route, self.status, self._seconds)
        if self.route == "/readyz":  # not to be ready is an answer
            return
        if self.status >= 500 or self._seconds > _SLOW_S:
            level = "error" if self.status >= 500 else "warning"
            getattr(_log, level)(
                "request_failed" if self.status >= 500 else "request_slow",
                method=scope["method"],
                route=self.route,
                status=self.status,
                seconds=round(self._seconds, 3),
            )


def _route_of(path: str) -> str:
    """The route as metrics and logs name it: no key, no id, so that there are few of them."""
    first = path.lstrip("/").partition("/")[0]
    return f"/{first}" if first in OURS else "streamlit"
