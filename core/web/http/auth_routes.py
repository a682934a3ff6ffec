"""Auth routes: those by which a browser gets its session cookie, renews it and gives it back."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Awaitable, Callable
from functools import wraps
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from core.errors import NotOurs, ReplayedLoginToken, SignInError, StudioError, TooManyAttempts
from core.identity.authenticator import SealedCookie
from core.identity.sign_in_answer import CALLBACK_PATH
from core.logs.refusals import refuse
from core.settings import Settings
from core.studio import Studio, get_studio
from core.web.http.addresses import FIRST_PAGE, own_page
from core.web.http.answers import plain
from core.web.http.body import answer_body
from core.web.http.client_address import client_address

if TYPE_CHECKING:
    from core.identity.redirect import Redirect

SESSION_PATH: Final = "/session"
START_PATH: Final = "/oauth/start"
REQUEST_HEADER: Final = "X-Studio-Session"  # a header of our own: no form and no foreign page can send it
_LONGEST_BODY: Final = 8192
# No script: for as long as the window that opened it may still come for the address, it says so, and then what to do.
_CALLBACK_STYLE: Final = """body { font: 16px/1.5 sans-serif; margin: 3rem auto; max-width: 26rem; padding: 0 1.5rem; }
p { animation: 0s 5s both; text-wrap: pretty; }
.soon { animation-name: go; } .late { animation-name: come; }
@keyframes go { to { position: absolute; visibility: hidden; } } @keyframes come { from { visibility: hidden; } }
a { color: inherit; } :root { color-scheme: light dark; }"""
_PAGE: Final = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Studio</title>
<meta name="viewport" content="width=device-width"><style>{_CALLBACK_STYLE}</style>
<main>{{}}</main></html>"""
_CALLBACK_PAGE: Final = _PAGE.replace(
    "{}",
    f"""<p class="soon">Signing in. This window closes by itself.</p>
<p class="late">The dashboard’s page did not hear from this window. Close this window and choose “Sign in in this tab”
there, or <a href="{FIRST_PAGE}">open the dashboard here</a>.</p>""",
)
_NEVER_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_STYLE_HASH: Final = base64.b64encode(sha256(_CALLBACK_STYLE.encode()).digest()).decode()
_INERT = {
    **_NEVER_KEPT,
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'",
}
_GONE: Final = SealedCookie("", 0)


def _from_our_page(handler: Callable[[Request, Studio, str], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Serve only requests that a page of ours has made by script, and say failures in one sentence."""

    def answer(request: Request, body: bytes) -> Response:
        try:
            studio = get_studio()
            if not is_ours(request, studio.settings):
                refuse("session_request_refused", reason="foreign origin")
                return plain("This request did not come from the dashboard.", 403)
            with studio.sign_in_limits.counting(client_address(request.scope), NotOurs):
                return handler(request, studio, body.decode("ascii", "replace"))
        except TooManyAttempts as err:
            return plain(err.message, 429, _wait(err))
        except ReplayedLoginToken as err:
            return plain(err.message, 409)
        except SignInError as err:
            return plain(err.message, 400)
        except StudioError as err:
            return plain(err.message, 503)

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        too_long = "That is too long for a sign-in."
        return await answer_body(request, answer, bytes_max=_LONGEST_BODY, too_long=too_long)

    return guarded


def is_ours(request: Request, settings: Settings) -> bool:
    """Whether the browser says that our own page asks. `Origin` must be there: every fetch of ours sends it."""
    return is_from_own_page(request, settings) and request.headers.get(REQUEST_HEADER) == "1"


def is_from_own_page(request: Request, settings: Settings) -> bool:
    """The same of a form, which can send no header of ours."""
    return (
        request.headers.getlist("origin") == [settings.origin or _asked_origin(request)]
        and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    )


def _asked_origin(request: Request) -> str:
    """The origin that is asked: the demo has no other, and answers under this machine's own names alone."""
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


@_from_our_page
def _open_session(request: Request, studio: Studio, login_token: str) -> Response:
    """A cookie for a login token in the body, or, with an empty body, a fresh one for the session there is."""
    cookie = studio.authenticator.redeem(login_token) if login_token else studio.authenticator.renew(request.cookies)
    return with_cookie(Response(status_code=204, headers=_NEVER_KEPT), studio.settings, cookie)


@_from_our_page
def _end_session(request: Request, studio: Studio, _body: str) -> Response:
    """Forget the cookie and end its session, or with `?everywhere=1` every session of its person."""
    gone = SealedCookie("", 0)
    try:
        studio.authenticator.sign_out(request.cookies, everywhere=request.query_params.get("everywhere") == "1")
    except StudioError as err:
        message = f"You are signed out in this browser, but S3 could not be told to end your session: {err.message}"
        return with_cookie(plain(message, 503), studio.settings, gone)
    return with_cookie(Response(status_code=204, headers=_NEVER_KEPT), studio.settings, gone)


def _start(request: Request) -> Response:
    """Begin a sign-in in this tab, which is to end at the page `to`.

    Nobody counts these: what is begun lies in the browser's own cookie, and costs less than any page does.
    """
    studio = get_studio()
    if studio.redirect is None:
        return plain("There is no sign-in here.", 404)
    if not _is_navigation(request) or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        refuse("session_request_refused", reason="foreign origin")
        return plain("This request did not come from the dashboard.", 403)
    address, cookie = studio.redirect.begin(own_page(request.query_params.get("to", FIRST_PAGE)))
    response = with_cookie(redirect_to(address), studio.settings, cookie, name=studio.settings.attempt_cookie_name)
    return with_cookie(response, studio.settings, _GONE, name=studio.settings.refusal_cookie_name)


async def _callback(request: Request) -> Response:
    """Where Google sends people back to.

    What answers a sign-in in this tab ends at the page that was wanted: with a session, or with a sentence beside the
    sign-in. For the pop-up it is a page that does nothing: the window that opened it reads the address.
    """
    studio, given = get_studio(), request.query_params
    redirect, is_plain = studio.redirect, len(given.multi_items()) == len(given)  # nothing is said twice
    if (
        redirect is None
        or not is_plain
        or not redirect.is_answer(given.get("state", ""))
        or not _is_navigation(request)
    ):
        return HTMLResponse(_CALLBACK_PAGE, headers=_INERT)
    counting, address = studio.sign_in_limits.counting, client_address(request.scope)
    try:
        with counting(address, NotOurs):
            attempt = redirect.attempt(request.cookies, given["state"])
    except TooManyAttempts as err:
        return _page_that_waits(err)
    except StudioError as err:  # an attempt that waits for its own answer goes on waiting
        return _to_the_login(studio, redirect, FIRST_PAGE, err)
    try:
        code = redirect.code(attempt, given)
        with counting(address, SignInError):
            id_token = await redirect.id_token(attempt, code, address=address)
            session = await run_in_threadpool(redirect.session, attempt, id_token)
    except TooManyAttempts as err:
        response = _page_that_waits(err)
    except StudioError as err:
        response = _to_the_login(studio, redirect, attempt.to, err)
    else:
        response = with_cookie(redirect_to(attempt.to), studio.settings, session)
    return with_cookie(response, studio.settings, _GONE, name=studio.settings.attempt_cookie_name)


def _is_navigation(request: Request) -> bool:
    """Whether a window asks, as far as the browser says: no frame, no picture, no script, and no HEAD."""
    return (
        request.method == "GET"
        and request.headers.get("sec-fetch-mode", "navigate") == "navigate"
        and request.headers.get("sec-fetch-dest", "document") == "document"
    )


def redirect_to(address: str) -> Response:
    """On to another page of ours, or to Google."""
    return RedirectResponse(address, 303, headers=_NEVER_KEPT)


def _wait(err: TooManyAttempts) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(err.retry_after_s))}


def _page_that_waits(err: TooManyAttempts) -> Response:
    """A limit's answer for a window: the sentence, and the way back."""
    says = f'<p>{html.escape(err.message)}</p><p><a href="{FIRST_PAGE}">Back to the dashboard</a></p>'
    return HTMLResponse(_PAGE.replace("{}", says), 429, {**_INERT, **_wait(err)})


def _to_the_login(studio: Studio, redirect: Redirect, page: str, err: StudioError) -> Response:
    """To the page, where the sign-in says what was refused."""
    error = redirect.refuse(err)
    return with_cookie(redirect_to(page), studio.settings, error, name=studio.settings.refusal_cookie_name)


def with_cookie(response: Response, settings: Settings, cookie: SealedCookie, *, name: str = "") -> Response:
    response.set_cookie(
        name or settings.cookie_name,
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
    Route(START_PATH, _start),
    Route(CALLBACK_PATH, _callback),
)
