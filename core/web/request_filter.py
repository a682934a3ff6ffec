"""The request filter: which requests reach Streamlit at all, whose own routes ask nobody who they are."""

from __future__ import annotations

import os
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.logs.refusals import refuse
from core.settings import Profile
from core.studio import get_studio
from core.web.http.answers import plain
from core.web.http.authorize import authorize
from core.web.http.trusted_hosts import OWN_NAME_ONLY, SERVER_NAME, is_trusted_host

# Streamlit's routes that no page of ours needs and that answer without asking who is there
_UNUSED: Final = ("/_stcore/upload_file", "/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent")
# What Streamlit's page asks before it starts. By default Streamlit has it take orders from a parent frame of domains
# where anybody can publish; with no origin at all it listens to none.
_HOST_CONFIG_PATH: Final = "/_stcore/host-config"
_HOST_CONFIG: Final = {
    "allowedOrigins": [],
    "useExternalAuthToken": False,
    "enableCustomParentMessages": False,
    "enforceDownloadInNewTab": False,
    "metricsUrl": "",
    "blockErrorDialogs": False,
    "resourceCrossOriginMode": None,
}
_DOWNLOADS: Final = "/media/"  # what st.download_button offers, under a name that says nothing of who may have it
_GUARD_THEMSELVES: Final = ("/healthz", "/readyz", "/metrics")


class RequestFilter:
    """Lets through to Streamlit what the dashboard's own pages use, each to whom it is meant for.

    The demo, which asks nobody who they are, answers under this machine's own names alone. Downloads are for people
    who are signed in. A WebSocket has to come from a page of ours: a browser sends its cookies along with one that a
    foreign page opens, so the page's origin has to be PUBLIC_URL, or the very address that is asked. Streamlit compares
    host names only, takes every port of this machine for its own, and asks the network for this machine's other
    names: it is not asked.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:  # the server's own start: there is no studio yet
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        if _is_led_astray(path, headers.get("host", "")):
            await plain(OWN_NAME_ONLY, 421)(scope, receive, send)
        elif path.startswith(_UNUSED):
            await plain("There is no such page.", 404)(scope, receive, send)
        elif path == _HOST_CONFIG_PATH and scope["method"] == "GET":
            await JSONResponse(_HOST_CONFIG, headers={"Cache-Control": "no-cache"})(scope, receive, send)
        elif path.startswith(_DOWNLOADS):
            refused = await run_in_threadpool(authorize, get_studio(), Request(scope).cookies)
            await (refused or _never_kept(self._app))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _is_led_astray(scope["path"], host):
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: 403
        elif not _is_own_page(headers.getlist("origin"), host):
            refuse("websocket_refused", reason="foreign origin")
            await send({"type": "websocket.close", "code": 1008})
        else:
            checked = [(name, value) for name, value in scope["headers"] if name != b"origin"]
            await self._app({**scope, "headers": checked}, receive, send)


def _never_kept(app: ASGIApp) -> ASGIApp:
    """The same app, with answers that no browser keeps for whoever uses it next."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_unkept(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Cache-Control"] = "no-store"
            await send(message)

        await app(scope, receive, send_unkept)

    return serve


def _is_led_astray(path: str, host: str) -> bool:
    """Whether the demo is asked under a name that is not its own; what guards itself answers under any."""
    if path in _GUARD_THEMSELVES or get_studio().settings.profile is not Profile.EMBEDDED:
        return False
    if is_trusted_host(host, own_name=os.environ.get(SERVER_NAME, "")):
        return False
    refuse("request_refused", reason="foreign host")
    return True


def _is_own_page(origins: list[str], host: str) -> bool:
    """Whether a WebSocket comes from a page of ours. Without an Origin it comes from no page and no browser."""
    if not origins:
        return True
    if len(origins) > 1:
        return False
    return origins[0] == get_studio().settings.origin or origins[0] in (f"https://{host}", f"http://{host}")
