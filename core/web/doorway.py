"""The doorway: the routes by which a browser gets its session cookie, renews it and gives it back."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import ReplayedHandover, SignInError, StudioError, TooManyAttempts
from core.identity.door import SealedCookie
from core.settings import Profile, Settings
from core.studio import Studio, get_studio

SESSION_PATH: Final = "/session"
CALLBACK_PATH: Final = "/oauth/callback"
REQUEST_HEADER: Final = "X-Studio-Session"  # a header of our own: no form and no foreign page can send it
_LONGEST_BODY: Final = 8192
# Streamlit's routes that no page of ours needs and that answer without asking who is there
_UNUSED: Final = ("/_stcore/upload_file", "/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent")

_PORT: Final = re.compile(r":\d*$", re.ASCII)
_GUARD_THEMSELVES: Final = ("/healthz", "/readyz", "/metrics")
_TOLD_NAME: Final = "STREAMLIT_BROWSER_SERVER_ADDRESS"  # Streamlit's own word for the name people open it under
_OWN_NAME_ONLY: Final = (
    "The demo asks nobody who they are, so it answers on this machine alone: open it as http://localhost and its port. "
    f"To show it under another name, start it with that name as {_TOLD_NAME}."
)

_CALLBACK_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Signing in</title>
<p>Signing in. This window closes by itself; if it stays, close it and sign in again.</p></html>"""
_NEVER_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_EVERYWHERE: Final = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "SAMEORIGIN",  # the sign-in button is Streamlit's frame in Streamlit's page
        "Content-Security-Policy": "frame-ancestors 'self'; object-src 'none'; base-uri 'self'",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }
)
_INERT = {**_NEVER_KEPT, "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}

_log = structlog.get_logger(__name__)


def _from_our_page(handler: Callable[[Request, Studio, str], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Serve only requests that a page of ours has made by script, and say failures in one sentence."""

    def answered(request: Request, body: str) -> Response:
        try:
            studio = get_studio()
            if not _is_ours(request, studio.settings):
                _log.warning("session_request_refused", reason="foreign origin")
                return _said("This request did not come from the dashboard.", 403)
            studio.door.count_attempt("session", request.client.host if request.client else "")
            return handler(request, studio, body)
        except TooManyAttempts as err:
            return _said(err.message, 429, {"Retry-After": "60"})
        except ReplayedHandover as err:
            return _said(err.message, 409)
        except SignInError as err:
            return _said(err.message, 400)
        except StudioError as err:
            return _said(err.message, 503)

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        body = b""
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LONGEST_BODY:
                    return _said("That is too long for a sign-in.", 413)
        except ClientDisconnect:  # uvicorn would log a traceback for whoever hangs up
            return _said("The request broke off.", 400)
        return await run_in_threadpool(answered, request, body.decode("ascii", "replace"))

    return guarded


def _is_ours(request: Request, settings: Settings) -> bool:
    """Whether the browser says that our own page asks. `Origin` must be there: every fetch of ours sends it."""
    return (
        request.headers.getlist("origin") == [settings.origin]
        and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        and request.headers.get(REQUEST_HEADER) == "1"
    )


@_from_our_page
def _open_session(request: Request, studio: Studio, handover: str) -> Response:
    """A cookie for a hand-over token in the body, or, with an empty body, a fresh one for the session there is."""
    cookie = studio.door.redeem(handover) if handover else studio.door.renew(request.cookies)
    return _with_cookie(Response(status_code=204, headers=_NEVER_KEPT), studio.settings, cookie)


@_from_our_page
def _end_session(request: Request, studio: Studio, _body: str) -> Response:
    """Forget the cookie and end its session, or with `?everywhere=1` every session of its person."""
    gone = SealedCookie("", 0)
    try:
        studio.door.sign_out(request.cookies, everywhere=request.query_params.get("everywhere") == "1")
    except StudioError as err:
        message = f"You are signed out in this browser, but S3 could not be told to end your session: {err.message}"
        return _with_cookie(_said(message, 503), studio.settings, gone)
    return _with_cookie(Response(status_code=204, headers=_NEVER_KEPT), studio.settings, gone)


def _callback(_: Request) -> Response:
    """Where Google sends the pop-up: a page that does nothing; the window that opened it reads the address."""
    return HTMLResponse(_CALLBACK_PAGE, headers=_INERT)


def _with_cookie(response: Response, settings: Settings, cookie: SealedCookie) -> Response:
    response.set_cookie(
        settings.cookie_name,
        cookie.value,
        max_age=cookie.max_age_s,
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )
    return response


def _said(sentence: str, status: int, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    return PlainTextResponse(sentence, status_code=status, headers={**_NEVER_KEPT, **headers})


class PagesOnly:
    """Lets through to Streamlit what the dashboard's own pages use, and asks every WebSocket where it comes from.

    The demo, which asks nobody who they are, answers under this machine's own names alone (`is_demos_own_name`).

    A browser sends its cookies along with a WebSocket that a foreign page opens, so the page's origin has to be
    PUBLIC_URL, or the very address that is asked. Streamlit compares host names only, takes every port of this
    machine for its own, and asks the network for this machine's other names: it is not asked.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):  # the server's own start: there is no studio yet
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if _is_led_astray(scope["path"], headers.get("host", "")):
            _log.warning("request_refused", reason="foreign host")
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await _said(_OWN_NAME_ONLY, 421)(scope, receive, send)
        elif scope["type"] == "websocket":
            if not _is_own_page(headers.getlist("origin"), headers.get("host", "")):
                _log.warning("websocket_refused", reason="foreign origin")
                await send({"type": "websocket.close", "code": 1008})  # before it is accepted: 403
                return
            checked = [(name, value) for name, value in scope["headers"] if name != b"origin"]
            await self._app({**scope, "headers": checked}, receive, send)
        elif scope["path"].startswith(_UNUSED):
            await _said("There is no such page.", 404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_led_astray(path: str, host: str) -> bool:
    """Whether the demo is asked under a name that is not its own; what guards itself answers under any."""
    if path in _GUARD_THEMSELVES or get_studio().settings.profile is not Profile.EMBEDDED:
        return False
    return not is_demos_own_name(host, told=os.environ.get(_TOLD_NAME, ""))


def is_demos_own_name(host: str, *, told: str = "") -> bool:
    """Whether a Host header names this machine as no foreign page can: localhost, an address, or the name told.

    A foreign page can have its own name lead to 127.0.0.1 (DNS rebinding) and would then be of the same origin as
    the demo. It cannot do so with an address, nor with localhost, which browsers resolve themselves.
    """
    if not host:  # which browsers always send
        return True
    name = _PORT.sub("", host).lower()
    if name == "localhost" or name.endswith(".localhost") or (told and name == told.lower()):
        return True
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _is_own_page(origins: list[str], host: str) -> bool:
    """Whether a WebSocket comes from a page of ours. Without an Origin it comes from no page and no browser."""
    if not origins:
        return True
    if len(origins) > 1:
        return False
    return origins[0] == get_studio().settings.origin or origins[0] in (f"https://{host}", f"http://{host}")


class SecurityHeaders:
    """Puts on every answer, Streamlit's own too, what a browser needs to be told once.

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


ROUTES: Final = (
    Route(SESSION_PATH, _open_session, methods=["POST"]),
    Route(SESSION_PATH, _end_session, methods=["DELETE"]),
    Route(CALLBACK_PATH, _callback),
)
