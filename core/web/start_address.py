"""The start address: `/?token=…`, as it is told at the start of a demo that asks for its token."""

from __future__ import annotations

from contextlib import suppress
from typing import Final
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import NotOurs, SignInError
from core.identity.start_token import NO_COOKIE, PARAMETER
from core.studio import get_studio
from core.web.http.addresses import PAGES, own_page
from core.web.http.auth_routes import redirect_to, with_cookie
from core.web.http.client_address import client_address

_PATHS: Final = ("/", *(f"/{page}" for page in PAGES))


class StartAddress:
    """Takes a token out of a page's address: the browser gets its cookie, and then the page under its clean address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or lead on."""
        if scope["type"] == "http" and scope["path"] in _PATHS and b"token=" in scope["query_string"]:
            request = Request(scope)
            if PARAMETER in request.query_params and get_studio().settings.asks_for_token:
                answer = await run_in_threadpool(_led_on, request)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _led_on(request: Request) -> Response:
    """To the page without the token, with a cookie: this start's, or one that has the page say why not."""
    studio, asked = get_studio(), request.query_params.multi_items()
    query = urlencode([(name, value) for name, value in asked if name != PARAMETER])
    response = redirect_to(own_page(f"{request.url.path}?{query}" if query else request.url.path))
    try:
        with studio.sign_in_limits.counting(client_address(request.scope), NotOurs):
            cookie = studio.authenticator.redeem(request.query_params[PARAMETER])
    except SignInError:
        cookie = NO_COOKIE
        with suppress(SignInError):  # nobody else's link takes away a cookie that is good
            studio.authenticator.viewer(request.cookies)
            return response
    return with_cookie(response, studio.settings, cookie)
