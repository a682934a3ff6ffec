"""The routes beside Streamlit's, and what stands around all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import InputError, NotFound, ObjectArchived, Overloaded, StudioError
from core.studio import Studio, get_studio
from core.web.desk_routes import ROUTES as DESK_ROUTES
from core.web.health import healthz, metrics, readyz
from core.web.http.addresses import ORIGINALS_PATH
from core.web.http.answers import plain
from core.web.http.auth_routes import ROUTES as AUTH_ROUTES
from core.web.http.authorize import authorize
from core.web.http.client_address import ClientAddress
from core.web.http.requests import Requests
from core.web.http.security_headers import SecurityHeaders
from core.web.page_paths import PagePaths
from core.web.pictures.ballots import ROUTES as BALLOT_ROUTES
from core.web.pictures.originals import ROUTES as ORIGINALS_ROUTES
from core.web.pictures.originals import comparison_pictures
from core.web.pictures.pictures import image, no_picture, partial
from core.web.request_filter import RequestFilter
from core.web.socket_guard import SocketGuard
from core.web.sockets.browser_message import ReadMessage
from core.web.start_address import StartAddress

Handler = Callable[[Request, Studio], Response]
_Serve = Callable[[Request], Response]


def _signed_in(handler: Handler) -> _Serve:
    """Serve only people who are signed in; what is missing and what is forbidden look alike."""

    @wraps(handler)
    def guarded(request: Request) -> Response:
        studio = get_studio()
        refused = authorize(studio, request.cookies)
        if refused is not None:
            return refused
        try:
            return handler(request, studio)
        except (NotFound, InputError):
            return plain("There is no such picture.", 404)
        except Overloaded as err:
            return plain(err.message, 503, {"Retry-After": f"{err.retry_after_s:.0f}"})
        except ObjectArchived as err:
            return plain(err.message, 409)
        except StudioError as err:
            return plain(err.message, 503)

    return guarded


def middleware(read: ReadMessage) -> tuple[Middleware, ...]:
    """What stands around all routes; `read` understands what a browser sends over its WebSocket."""
    return (
        Middleware(ClientAddress),
        Middleware(Requests),
        Middleware(SecurityHeaders),
        Middleware(RequestFilter),
        Middleware(SocketGuard, read=read),
        Middleware(StartAddress),
        Middleware(PagePaths),
    )


ROUTES = (
    *AUTH_ROUTES,
    *DESK_ROUTES,
    *ORIGINALS_ROUTES,
    *BALLOT_ROUTES,
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route("/metrics", metrics),
    Route("/image/{size}/{etag}/{key}", _signed_in(image)),
    Route("/image/{rest:path}", _signed_in(no_picture)),
    Route(f"{ORIGINALS_PATH}/{{comparison}}", _signed_in(comparison_pictures)),
    Route("/partial/{comparison}/{side}", _signed_in(partial)),
    Route("/partial/{rest:path}", _signed_in(no_picture)),
)
