"""The routes beside Streamlit's: pictures, partial pictures, and what a server says of itself."""

from __future__ import annotations

import asyncio
import html
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import quote

import structlog
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from core.doorway import ROUTES as DOORWAY_ROUTES
from core.doorway import PagesOnly, SecurityHeaders
from core.errors import BadImage, InputError, ReferenceNotFound, SignInError, StudioError
from core.garbage import settle
from core.health import healthz, metrics, readyz
from core.identity.door import reason_of
from core.images.decode import SIGNATURE_BYTES, content_type_of
from core.images.thumbnails import THUMBNAIL_SIDES
from core.injection.wishes import SideName
from core.logs import Discretion, adopt_foreign_logs, configure_logs
from core.references.key import decode_key, encode_key, file_name
from core.requests import Requests
from core.settings import known_secrets, load_settings
from core.start import give_up, refuse_cluster
from core.storage.presign import survives_browsers
from core.studio import Studio, close_studio, get_studio
from core.viewer import Capability

_log = structlog.get_logger(__name__)
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
# The same by name, for bytes that do not pass through here. No browser takes what is called image/… for a page.
_INLINE_BY_SUFFIX = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
}
# nginx gives an answer's headers 4 KiB (proxy_buffer_size) and turns more into a 502.
_LONGEST_LOCATION = 3_500

# What lies in S3 below `<app>/generations/` and is a finished picture.
_MADE = re.compile(r"\d{4}/\d\d/\d\d/[0-9A-HJKMNP-TV-Z]{26}/(tone-only|tone-angle)-[1-9]\d*\.png")
_RANGE = re.compile(r"bytes=(?P<first>\d{0,18})-(?P<last>\d{0,18})")
# What XML 1.0 has no place for.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
_Serve = Callable[[Request], Response]


def _signed_in(handler: Handler) -> _Serve:
    """Serve only people the door knows; what is missing and what is forbidden look alike."""

    @wraps(handler)
    def guarded(request: Request) -> Response:
        studio = get_studio()
        try:
            studio.door.viewer(request.cookies).require(Capability.BROWSE)
            return handler(request, studio)
        except SignInError as err:
            studio.metrics.turned_away(reason_of(err))
            return _plain("Sign in to see this.", 401)
        except (ReferenceNotFound, InputError):
            return _plain("There is no such picture.", 404)
        except StudioError as err:
            return _plain(err.message, 503)

    return guarded


def _image(request: Request, studio: Studio) -> Response:
    size, etag = request.path_params["size"], request.path_params["etag"]
    key = decode_key(request.path_params["key"])
    side = _side_of(size)
    size_bytes = _bytes_of(studio, key, etag)
    tag = f'"{etag}"' if side is None else f'"{etag}-{side}"'
    headers = {**_SAFE_HEADERS, "Cache-Control": _IMMUTABLE, "ETag": tag}
    if _names(request.headers.get("If-None-Match"), tag):
        return Response(status_code=304, headers=headers)
    if side is None:
        straight = _straight_from_s3(request, studio, key)
        return straight or _original(request, studio, key, etag, size_bytes, headers)
    try:
        data = studio.thumbnails.get(etag, side, lambda: studio.store.get(key))
    except BadImage as err:
        return _labelled_tile(file_name(key), err.message)
    return Response(data, media_type="image/webp", headers=headers)


def _side_of(size: str) -> int | None:
    """The thumbnail side in pixels, or None for the original. Raises ReferenceNotFound."""
    if size == ORIGINAL:
        return None
    for side in THUMBNAIL_SIDES:
        if size == str(side):
            return side
    raise ReferenceNotFound("There is no such size.", key=size)


def _bytes_of(studio: Studio, key: str, etag: str) -> int:
    """The size of a picture that may be shown: a reference in the index, or one this dashboard made.

    Raises ReferenceNotFound for everything else in the bucket, and for an etag that is not the picture's.
    """
    if not _is_made(studio, key):
        reference = studio.catalog.index.get(key)
        if reference is None:
            raise ReferenceNotFound("There is no such picture.", key=key)
        if reference.etag == etag:
            return reference.size_bytes
    now = studio.store.head(key)  # made here, or changed since the index was built
    if now.etag != etag:
        raise ReferenceNotFound("The picture has changed in S3.", key=key)
    return now.size_bytes


def _is_made(studio: Studio, key: str) -> bool:
    made = f"{studio.settings.s3_app_prefix}generations/"
    return key.startswith(made) and _MADE.fullmatch(key, len(made)) is not None


def _straight_from_s3(request: Request, studio: Studio, key: str) -> Response | None:
    """A redirect to a presigned URL, or None where the bytes have to come through us.

    That is where nobody asked for redirects, for HEAD (a URL is signed for GET alone), and for keys that
    no browser or proxy would carry unchanged.
    """
    if studio.presigner is None or request.method != "GET" or not survives_browsers(key):
        return None
    name = file_name(key)
    media_type = _INLINE_BY_SUFFIX.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")
    download_as = request.query_params.get("download")
    is_file = download_as is not None or media_type not in _INLINE
    signed = studio.presigner.url(
        key, content_type=media_type, disposition=_attachment(download_as or name) if is_file else "inline"
    )
    if len(signed.url) > _LONGEST_LOCATION:
        return None
    # whole seconds, and one less: what the browser keeps never outlives the URL's own quarter of an hour
    told = {**_SAFE_HEADERS, "Cache-Control": f"private, max-age={max(0, int(signed.stable_s) - 1)}"}
    return Response(status_code=302, headers={**told, "Location": signed.url})


def _original(
    request: Request, studio: Studio, key: str, etag: str, size_bytes: int, headers: Mapping[str, str]
) -> Response:
    """The bytes as S3 has them, in chunks and never as a whole, or the one range that was asked for."""
    span = None
    if request.headers.get("If-Range") in (None, headers["ETag"]):
        span = _span_of(request.headers.get("Range"), size_bytes)
    if span is not None and span[0] > span[1]:
        return _plain("The picture is shorter than that.", 416, {"Content-Range": f"bytes */{size_bytes}"})
    first, last = span or (0, size_bytes - 1)
    head = b"".join(_chunks(studio, key, etag, (0, SIGNATURE_BYTES - 1))) if size_bytes else b""
    media_type = content_type_of(head) or "application/octet-stream"
    told = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(last - first + 1)}
    if span is not None:
        told["Content-Range"] = f"bytes {first}-{last}/{size_bytes}"
    download_as = request.query_params.get("download")
    if download_as is not None or media_type not in _INLINE:
        told["Content-Disposition"] = _attachment(download_as or file_name(key))
    status = 200 if span is None else 206
    if request.method == "HEAD" or not size_bytes:
        return Response(status_code=status, media_type=media_type, headers=told)
    body = _chunks(studio, key, etag, (first, last))
    return StreamingResponse(body, status_code=status, media_type=media_type, headers=told)


def _chunks(studio: Studio, key: str, etag: str, byte_range: tuple[int, int]) -> Iterator[bytes]:
    """The bytes of exactly this version of a picture; S3 is asked at once. Raises StorageError."""
    stream = studio.store.stream(key, byte_range=byte_range)
    if stream.etag != etag:
        stream.close()
        raise ReferenceNotFound("The picture has changed in S3.", key=key)
    return stream.chunks


def _span_of(asked: str | None, size_bytes: int) -> tuple[int, int] | None:
    """First and last byte of a Range header (RFC 9110 §14.1.2), first behind last if it cannot be met.

    None for no range, several, or one that is none: those are answered with the whole.
    """
    match = _RANGE.fullmatch(asked or "")
    if match is None or match[0] == "bytes=-":
        return None
    if not match["first"]:
        return max(0, size_bytes - int(match["last"])), size_bytes - 1
    first, last = int(match["first"]), size_bytes - 1
    if match["last"]:
        if int(match["last"]) < first:
            return None
        last = min(int(match["last"]), last)
    return first, last


def _names(asked: str | None, tag: str) -> bool:
    """Whether an If-None-Match header means this entity tag (weak comparison, RFC 9110 §13.1.2)."""
    tags = [part.strip().removeprefix("W/") for part in (asked or "").split(",")]
    return tag in tags or "*" in tags


def _no_picture(request: Request, _studio: Studio) -> Response:
    """Any other path below a picture route, which Streamlit would answer with its page."""
    raise ReferenceNotFound("There is no such picture.", key=request.url.path)


def _partial(request: Request, studio: Studio) -> Response:
    try:
        side = SideName(request.path_params["side"])
    except ValueError as err:
        raise ReferenceNotFound("There is no such side.") from err
    comparison_id = request.path_params["comparison"]
    partial = studio.runner.partial(comparison_id, side)
    if partial is None:  # it may have arrived between the page's last look and this request
        status = next((each for each in studio.runner.status(comparison_id).sides if each.side is side), None)
        if status is None or status.picture is None:
            raise ReferenceNotFound("This picture is not on its way here.")
        finished = image_url(status.picture.key, status.picture.etag, ORIGINAL)
        return RedirectResponse(finished, status_code=303, headers={"Cache-Control": "no-store"})
    headers = {**_SAFE_HEADERS, "Cache-Control": "no-store"}
    return Response(partial.data, media_type=partial.content_type, headers=headers)


def _labelled_tile(name: str, reason: str) -> Response:
    """A grey tile with the file's name and what is wrong with it, in place of a picture."""
    name = _UNPRINTABLE.sub("\ufffd", name)
    lines = [name if len(name) <= 28 else f"{name[:13]}…{name[-13:]}", *_wrapped(reason, 32)]
    text = "".join(
        f'<text x="160" y="{180 + 25 * at}" font-size="{19 if at == 0 else 17}"'
        f' font-weight="{600 if at == 0 else 400}">{html.escape(line)}</text>'
        for at, line in enumerate(lines)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 400" width="320" height="400">'
        '<rect width="320" height="400" fill="#d4d4d4"/>'
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


def _plain(message: str, status: int, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    told = {**_SAFE_HEADERS, "Cache-Control": "no-store", **headers}
    return Response(message, status_code=status, media_type="text/plain", headers=told)


def _generate(request: Request) -> Response:
    """The generate page lives at the root, as every default page of Streamlit's does."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/{query}", headers={"Cache-Control": "no-store"})


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Open the studio before the first request and close it after the last.

    What cannot start says why in one sentence and ends the process with exit code 2.
    """
    try:
        refuse_cluster(os.environ)
        settings = load_settings()
        discretion = Discretion(known_secrets(settings), prompts=settings.log_prompts)
        configure_logs(discretion=discretion)
        adopt_foreign_logs(discretion)
        studio = await asyncio.to_thread(get_studio)
    except StudioError as err:
        give_up(err)
    settle()
    _log.info("server_ready", profile=settings.profile.value, engines=[*studio.engines])
    try:
        yield
    finally:
        load = studio.runner.load
        _log.info("server_stopping", running=load.running, waiting=load.waiting)
        await asyncio.to_thread(close_studio)
        _log.info("server_stopped")


MIDDLEWARE = (Middleware(Requests), Middleware(SecurityHeaders), Middleware(PagesOnly))
ROUTES = (
    *DOORWAY_ROUTES,
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route("/metrics", metrics),
    Route("/generate", _generate),
    Route("/image/{size}/{etag}/{key}", _signed_in(_image)),
    Route("/image/{rest:path}", _signed_in(_no_picture)),
    Route("/partial/{comparison}/{side}", _signed_in(_partial)),
    Route("/partial/{rest:path}", _signed_in(_no_picture)),
)
