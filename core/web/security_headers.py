"""Security headers: what every answer, Streamlit's own too, tells the browser."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EVERYWHERE: Final = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "SAMEORIGIN",  # the sign-in button is Streamlit's frame in Streamlit's page
        "Content-Security-Policy": "frame-ancestors 'self'; object-src 'none'; base-uri 'self'",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }
)


class SecurityHeaders:
    """Puts on every answer what a browser needs to be told once.

    No Cross-Origin-Opener-Policy: the sign-in has to read the address of its own pop-up.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _EVERYWHERE.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self._app(scope, receive, send_with_headers)
