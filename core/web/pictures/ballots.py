"""Ballot pictures: the two pictures of a ballot, for its voter alone, with answers that are alike to the last header.

What is missing, forged, expired and somebody else's is refused in the same words.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import BadImage, InputError, NotFound, Overloaded, SignInError, StudioError
from core.identity.authenticator import reason_of
from core.studio import get_studio
from core.votes.ballots.ballots import BALLOT_S
from core.votes.service import BALLOT_PATH
from core.web.http.answers import SAFE_HEADERS, plain

# An address holds its own voter and pictures, so what lies under it never changes while it is good.
_HEADERS: Final = {
    **SAFE_HEADERS,
    "Cache-Control": f"private, max-age={BALLOT_S:.0f}, immutable",
    "Content-Disposition": 'inline; filename="picture.png"',
}
_NONE: Final = "There is no such picture."


def _picture(request: Request) -> Response:
    studio = get_studio()
    try:
        viewer = studio.authenticator.viewer(request.cookies)
        data = studio.votes.picture(viewer, request.path_params["sealed"])
    except (InputError, NotFound, BadImage):
        return plain(_NONE, 404)
    except SignInError as err:
        studio.metrics.turned_away(reason_of(err))
        return plain("Sign in to see this.", 401)
    except Overloaded as err:
        return plain(err.message, 503, {"Retry-After": f"{err.retry_after_s:.0f}"})
    except StudioError as err:
        return plain(err.message, 503)
    return Response(data, media_type="image/png", headers=_HEADERS)


ROUTES: Final = (Route(f"{BALLOT_PATH}{{sealed:path}}", _picture, methods=["GET"]),)
