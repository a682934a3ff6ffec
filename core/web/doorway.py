"""The doorway: the routes by which a browser gets its session cookie, renews it and gives it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from core.errors import ReplayedHandover, SignInError, StudioError, TooManyAttempts
from core.identity.door import SealedCookie
from core.settings import Settings
from core.studio import Studio, get_studio
from core.web.answers import plain

SESSION_PATH: Final = "/session"
CALLBACK_PATH: Final = "/oauth/callback"
REQUEST_HEADER: Final = "X-Studio-Session"  # a header of our own: no form and no foreign page can send it
_LONGEST_BODY: Final = 8192
_CALLBACK_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Signing in</title>
<p>Signing in. This window closes by itself; if it stays, close it and sign in again.</p></html>"""
_NEVER_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_INERT = {**_NEVER_KEPT, "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}

_log = structlog.get_logger(__name__)


def _from_our_page(handler: Callable[[Request, Studio, str], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Serve only requests that a page of ours has made by script, and say failures in one sentence."""

    def answered(request: Request, body: str) -> Response:
        try:
            studio = get_studio()
            if not _is_ours(request, studio.settings):
                _log.warning("session_request_refused", reason="foreign origin")
                return plain("This request did not come from the dashboard.", 403)
            studio.door.count_attempt("session", request.client.host if request.client else "")
            return handler(request, studio, body)
        except TooManyAttempts as err:
            return plain(err.message, 429, {"Retry-After": "60"})
        except ReplayedHandover as err:
            return plain(err.message, 409)
        except SignInError as err:
            return plain(err.message, 400)
        except StudioError as err:
            return plain(err.message, 503)

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        body = b""
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LONGEST_BODY:
                    return plain("That is too long for a sign-in.", 413)
        except ClientDisconnect:  # uvicorn would log a traceback for whoever hangs up
            return plain("The request broke off.", 400)
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
        return _with_cookie(plain(message, 503), studio.settings, gone)
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


ROUTES: Final = (
    Route(SESSION_PATH, _open_session, methods=["POST"]),
    Route(SESSION_PATH, _end_session, methods=["DELETE"]),
    Route(CALLBACK_PATH, _callback),
)
