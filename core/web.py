"""The routes beside Streamlit's: pictures, partial pictures, health and readiness."""

from __future__ import annotations

import asyncio
import html
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import wraps
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.errors import BadImage, ReferenceNotFound, SignInError, StorageError, StudioError
from core.identity.access import Capability
from core.images.decode import content_type_of
from core.images.thumbnails import THUMBNAIL_SIDES
from core.injection.wishes import SideName
from core.logs import configure_logs
from core.objects import Blob
from core.references.key import decode_key, encode_key, file_name
from core.studio import Studio, close_studio, get_studio

ORIGINAL = "original"
_IMMUTABLE = "private, max-age=31536000, immutable"
_SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What browsers draw themselves; anything else is offered as a file.
_INLINE = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/bmp"})


def image_url(key: str, etag: str, size: int | str = THUMBNAIL_SIDES[0], *, download_as: str = "") -> str:
    """The path under which a picture is served for ever: it changes when the picture does.

    `size` is a thumbnail side in pixels or `original`.
    """
    query = f"?download={quote(download_as, safe='')}" if download_as else ""
    return f"/image/{size}/{quote(etag, safe='')}/{encode_key(key)}{query}"


def partial_url(comparison_id: str, side: SideName, progress: float) -> str:
    """The path of a picture on its way; `progress` makes a new URL of each."""
    return f"/partial/{comparison_id}/{side.value}?p={progress:.3f}"


Handler = Callable[[Request, Studio], Response]


def _signed_in(handler: Handler) -> Callable[[Request], Response]:
    """Serve only people the door knows; what is missing and what is forbidden look alike."""

    @wraps(handler)
    def guarded(request: Request) -> Response:
        studio = get_studio()
        try:
            studio.door.viewer(request.cookies).require(Capability.BROWSE)
        except SignInError:
            return _plain("Sign in to see this.", 401)
        try:
            return handler(request, studio)
        except ReferenceNotFound:
            return _plain("There is no such picture.", 404)
        except StorageError as err:
            return _plain(err.message, 503)

    return guarded


def _image(request: Request, studio: Studio) -> Response:
    size, etag = request.path_params["size"], request.path_params["etag"]
    key = decode_key(request.path_params["key"])
    if not _may_be_shown(studio, key):
        raise ReferenceNotFound("There is no such picture.", key=key)
    if size == ORIGINAL:
        return _original(studio.store.get(key), etag, request.query_params.get("download"))
    if not size.isascii() or not size.isdigit() or int(size) not in THUMBNAIL_SIDES:
        raise ReferenceNotFound("There is no such picture.", key=key)
    try:
        data = studio.thumbnails.get(etag, int(size), lambda: studio.store.get(key))
    except BadImage as err:
        return _labelled_tile(file_name(key), err.message)
    return Response(data, media_type="image/webp", headers={**_SAFE_HEADERS, "Cache-Control": _IMMUTABLE})


def _original(blob: Blob, etag: str, download_as: str | None) -> Response:
    if blob.etag != etag:
        raise ReferenceNotFound("The picture has changed in S3.", key=blob.key)
    media_type = content_type_of(blob.data) or "application/octet-stream"
    headers = {**_SAFE_HEADERS, "Cache-Control": _IMMUTABLE}
    if download_as is not None or media_type not in _INLINE:
        headers["Content-Disposition"] = _attachment(download_as or file_name(blob.key))
    return Response(blob.data, media_type=media_type, headers=headers)


def _may_be_shown(studio: Studio, key: str) -> bool:
    """References as the index lists them, and pictures this dashboard made; nothing else in the bucket."""
    made = f"{studio.settings.s3_app_prefix}generations/"
    if key.startswith(made):
        return key.endswith(".png")
    return studio.catalog.index.get(key) is not None


def _partial(request: Request, studio: Studio) -> Response:
    try:
        side = SideName(request.path_params["side"])
    except ValueError as err:
        raise ReferenceNotFound("There is no such side.") from err
    partial = studio.runner.partial(request.path_params["comparison"], side)
    if partial is None:
        raise ReferenceNotFound("This picture is not on its way here.")
    headers = {**_SAFE_HEADERS, "Cache-Control": "no-store"}
    return Response(partial.data, media_type=partial.content_type, headers=headers)


def _labelled_tile(name: str, reason: str) -> Response:
    """A grey tile with the file's name and what is wrong with it, in place of a picture."""
    lines = [name if len(name) <= 30 else f"{name[:14]}…{name[-14:]}", *_wrapped(reason, 34)]
    text = "".join(
        f'<text x="160" y="{178 + 22 * at}" font-size="{15 if at == 0 else 13}"'
        f' font-weight="{600 if at == 0 else 400}">{html.escape(line)}</text>'
        for at, line in enumerate(lines)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 400" width="320" height="400">'
        '<rect width="320" height="400" fill="#8a8a8a"/>'
        '<g fill="none" stroke="#1e1e1e" stroke-width="3"><path d="M122 86l76 64"/>'
        '<path d="M132 96h56v44h-56z M132 140l18-20 12 12 10-8 16 16"/></g>'
        f'<g fill="#111" text-anchor="middle" font-family="Inter, sans-serif">{text}</g></svg>'
    )
    headers = {**_SAFE_HEADERS, "Cache-Control": "private, max-age=300"}
    return Response(svg, media_type="image/svg+xml", headers=headers)


def _wrapped(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]


def _attachment(name: str) -> str:
    """Content-Disposition for any file name (RFC 6266, with RFC 8187's encoding for the rest)."""
    safe = "".join(char if char.isascii() and char.isprintable() and char not in '"\\/%' else "_" for char in name)
    return f"attachment; filename=\"{safe}\"; filename*=UTF-8''{quote(name, safe='')}"


def _plain(message: str, status: int) -> Response:
    return Response(
        message,
        status_code=status,
        media_type="text/plain",
        headers={**_SAFE_HEADERS, "Cache-Control": "no-store"},
    )


def _health(_: Request) -> Response:
    """Whether this process answers at all."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


def _ready(_: Request) -> Response:
    """Whether it can serve people, with reasons."""
    status = get_studio().catalog.status
    reasons = [] if status.ready else [status.error or "The reference library is being listed."]
    body = {"ready": status.ready, "reasons": reasons, "index_age_s": status.age_s}
    return JSONResponse(body, status_code=200 if status.ready else 503, headers={"Cache-Control": "no-store"})


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Open the studio before the first request and close it after the last.

    What cannot start says why in one sentence and ends the process with exit code 2.
    """
    configure_logs()
    try:
        await asyncio.to_thread(get_studio)
    except StudioError as err:
        print(f"The dashboard cannot start: {err.message}", file=sys.stderr, flush=True)
        os._exit(2)  # uvicorn would wrap any exception in a traceback
    try:
        yield
    finally:
        await asyncio.to_thread(close_studio)


ROUTES = (
    Route("/healthz", _health),
    Route("/readyz", _ready),
    Route("/image/{size}/{etag}/{key}", _signed_in(_image)),
    Route("/partial/{comparison}/{side}", _signed_in(_partial)),
)
