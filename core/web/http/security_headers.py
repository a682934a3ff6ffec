"""Security headers: what every answer, Streamlit's own too, tells the browser."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.studio import running_studio

_EVERYWHERE: Final = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "SAMEORIGIN",  # the sign-in button is Streamlit's frame in Streamlit's page
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }
)
# The one line of script in Streamlit's index.html; a browser test complains when an update changes it.
_STREAMLITS_LINE: Final = "sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA="


class SecurityHeaders:
    """Puts on every answer what a browser needs to be told once.

    No Cross-Origin-Opener-Policy: the sign-in has to read the address of its own pop-up.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._policy = ""

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
                headers.setdefault("Content-Security-Policy", self._policy_now())
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _policy_now(self) -> str:
        """The policy of pages; where originals come straight from S3 depends on the studio, which is built once."""
        if self._policy:
            return self._policy
        studio = running_studio()
        if studio is None:
            return page_policy()
        self._policy = page_policy(pictures_from=studio.presigner.origin if studio.presigner else "")
        return self._policy


def page_policy(*, pictures_from: str = "") -> str:
    """What a page may load, run and tell: its own server's, and pictures from one other origin if one is named.

    A script that somebody smuggled into a page would neither run nor reach anybody.
    https://www.w3.org/TR/CSP3/
    """
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' blob: '{_STREAMLITS_LINE}'",  # components are modules in blobs
            "style-src 'self' 'unsafe-inline'",  # Streamlit writes its styles while it runs
            f"img-src 'self' data: blob: {pictures_from}".rstrip(),
            "font-src 'self' data:",
            "frame-ancestors 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )
