"""The paths of pages: any case and a trailing slash lead to a page, and what is none is told to be none.

Streamlit answers every path it does not know with its page and 200.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.web.http.addresses import DEFAULT_PAGE, NO_PAGE, PAGES
from core.web.http.requests import OURS

# What answers for itself, pages of ours such as the one Google leads back to among it.
_NOT_PAGES: Final = (*OURS, "_stcore", "component", "media", "static", "app")
_LEADING_ON: Final = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>No such page · Studio</title>
<meta name="color-scheme" content="light dark"><meta http-equiv="refresh" content="0;url={NO_PAGE}"></html>"""
_ONE_NAME: Final = re.compile(r"/[\w.~-]{1,64}", re.ASCII)


class PagePaths:
    """Leads to the pages. A path that is none is answered with the page that says so, and 404.

    Streamlit's page works in the place it was asked for only if that is one plain name: from all others a page of ours
    leads on to NO_PAGE.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or lead it to the page it means."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        page = _page_meant(path)
        if page is not None and path != _path_of(page):
            await _redirect_to(_path_of(page), scope)(scope, receive, send)
        elif page is not None or path == "/" or path.split("/")[1] in _NOT_PAGES:
            await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, _Unknown(scope, receive, send).send)


class _Unknown:
    """The answer to a path that is no page's: Streamlit's page gets the status it deserves, a file is as it is."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_led_away = False

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on."""
        if self._is_led_away:
            return
        if message["type"] == "http.response.start" and message["status"] == 200 and _is_html(message):
            if _ONE_NAME.fullmatch(self._scope["path"]) is None:
                self._is_led_away = True
                answer = HTMLResponse(_LEADING_ON, 404, {"Cache-Control": "no-store"})
                await answer(self._scope, self._receive, self._send)
                return
            message = {**message, "status": 404}
        await self._send(message)


def _page_meant(path: str) -> str | None:
    """The page a path leads to, however it is written; two slashes in front are another server's name."""
    name = "" if path.startswith("//") else path[1:].rstrip("/").lower()
    return name if name in PAGES else None


def _path_of(page: str) -> str:
    return "/" if page == DEFAULT_PAGE else f"/{page}"


def _redirect_to(path: str, scope: Scope) -> RedirectResponse:
    query = scope["query_string"].decode("latin-1")
    return RedirectResponse(f"{path}?{query}" if query else path, headers={"Cache-Control": "no-store"})


def _is_html(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "").startswith("text/html")
