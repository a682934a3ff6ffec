"""Authorization: what a request is told whose cookies let nobody in."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from core.errors import SignInError, StudioError
from core.identity.authenticator import reason_of
from core.studio import Studio
from core.viewer import Capability
from core.web.http.answers import plain


def authorize(studio: Studio, cookies: Mapping[str, str]) -> Response | None:
    """None for who may see the studio's pictures and files, and for all others the answer that says why not."""
    try:
        studio.authenticator.viewer(cookies).require(Capability.BROWSE)
    except SignInError as err:
        studio.metrics.turned_away(reason_of(err))
        return plain("Sign in to see this.", 401)
    except StudioError as err:
        return plain(err.message, 503)
    return None
