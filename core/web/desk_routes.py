"""Desk routes: by which a page that is closed gives back the portraits that were lent to it."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import SignInError, StudioError
from core.logs.refusals import refuse
from core.studio import get_studio
from core.web.http.answers import plain
from core.web.http.auth_routes import is_ours

DESK_PATH: Final = "/desk/{desk}"


def _leave(request: Request) -> Response:
    """Take back what the desk of this name has, if it is this person's."""
    studio = get_studio()
    if not is_ours(request, studio.settings):
        refuse("session_request_refused", reason="foreign origin")
        return plain("This request did not come from the dashboard.", 403)
    try:
        viewer = studio.authenticator.viewer(request.cookies)
    except SignInError:
        return plain("Sign in to do this.", 401)
    except StudioError as err:
        return plain(err.message, 503)
    studio.review_service.give_back(viewer, request.path_params["desk"])
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


ROUTES: Final = (Route(DESK_PATH, _leave, methods=["DELETE"]),)
