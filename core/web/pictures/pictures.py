"""Pictures: originals, thumbnails and pictures on their way, each for who is let in alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from core.errors import BadImage, NotFound, ObjectArchived
from core.generation.records.attempt import attempt_file
from core.generation.records.comparison import SideTake
from core.images.decode import SIGNATURE_BYTES, content_type_of
from core.images.thumbnails import THUMBNAIL_SIDES
from core.injection.request.wishes import SideName
from core.references.key import decode_key, file_name
from core.storage.presign import survives_browsers
from core.studio import Studio
from core.web.http.addresses import ORIGINAL, image_url
from core.web.http.answers import SAFE_HEADERS, attachment, is_named, plain, span_of
from core.web.pictures.tiles import labelled_tile

_IMMUTABLE = "private, max-age=31536000, immutable"
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
_MADE = re.compile(r"\d{4}/\d\d/\d\d/[0-9A-HJKMNP-TV-Z]{26}/[a-z0-9-]+\.png")


def image(request: Request, studio: Studio) -> Response:
    """A reference or a picture made here, whole, in part or small. Raises StudioError."""
    size, etag = request.path_params["size"], request.path_params["etag"]
    key = decode_key(request.path_params["key"])
    side = _side_of(size)
    size_bytes = _bytes_of(studio, key, etag)
    tag = f'"{etag}"' if side is None else f'"{etag}-{side}"'
    headers = {**SAFE_HEADERS, "Cache-Control": _IMMUTABLE, "ETag": tag}
    if is_named(request.headers.get("If-None-Match"), tag):
        return Response(status_code=304, headers=headers)
    if side is None:
        straight = None if _is_archived(studio, key) else _straight_from_s3(request, studio, key)
        return straight or _original(request, studio, key, etag, size_bytes, headers)
    try:
        data = studio.thumbnails.get(etag, side, lambda: studio.store.get(key), size_bytes=size_bytes)
    except BadImage as err:
        return labelled_tile(file_name(key), err.message)
    except ObjectArchived:
        studio.catalog.leave_out_archived(key)
        return labelled_tile(file_name(key), "It lies in an archive of S3 and is shown once it is restored.")
    return Response(data, media_type="image/webp", headers=headers)


def _side_of(size: str) -> int | None:
    """The thumbnail side in pixels, or None for the original. Raises NotFound."""
    if size == ORIGINAL:
        return None
    for side in THUMBNAIL_SIDES:
        if size == str(side):
            return side
    raise NotFound("There is no such size.", key=size)


def _bytes_of(studio: Studio, key: str, etag: str) -> int:
    """The size of a picture that may be shown: a reference in the index, or one this dashboard made.

    Raises NotFound for everything else in the bucket, and for an etag that is not the picture's.
    """
    if not _is_made(studio, key):
        reference = studio.catalog.index.get(key)
        if reference is None:
            raise NotFound("There is no such picture.", key=key)
        if reference.etag == etag:
            return reference.size_bytes
    now = studio.store.head(key)  # made here, or changed since the index was built
    if now.etag != etag:
        raise NotFound("The picture has changed in S3.", key=key)
    return now.size_bytes


def _is_archived(studio: Studio, key: str) -> bool:
    """Whether S3 would answer with an error of its own, which no browser shows as a sentence."""
    listed = studio.catalog.index.get(key) if studio.catalog.status.ready else None
    return listed is not None and listed.is_archived


def _is_made(studio: Studio, key: str) -> bool:
    made = f"{studio.settings.s3_app_prefix}generations/"
    return key.startswith(made) and _MADE.fullmatch(key, len(made)) is not None and attempt_file(key) is not None


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
        key, content_type=media_type, disposition=attachment(download_as or name) if is_file else "inline"
    )
    if len(signed.url) > _LONGEST_LOCATION:
        return None
    # whole seconds, and one less: what the browser keeps never outlives the URL's own quarter of an hour
    headers = {**SAFE_HEADERS, "Cache-Control": f"private, max-age={max(0, int(signed.stable_s) - 1)}"}
    return Response(status_code=302, headers={**headers, "Location": signed.url})


def _original(
    request: Request, studio: Studio, key: str, etag: str, size_bytes: int, headers: Mapping[str, str]
) -> Response:
    """The bytes as S3 has them, in chunks and never as a whole, or the one range that was asked for."""
    span = None
    if request.headers.get("If-Range") in (None, headers["ETag"]):
        span = span_of(request.headers.get("Range"), size_bytes)
    if span is not None and span[0] > span[1]:
        return plain("The picture is shorter than that.", 416, {"Content-Range": f"bytes */{size_bytes}"})
    first, last = span or (0, size_bytes - 1)
    head = b"".join(_chunks(studio, key, etag, (0, SIGNATURE_BYTES - 1))) if size_bytes else b""
    media_type = content_type_of(head) or "application/octet-stream"
    shown = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(last - first + 1)}
    if span is not None:
        shown["Content-Range"] = f"bytes {first}-{last}/{size_bytes}"
    download_as = request.query_params.get("download")
    if download_as is not None or media_type not in _INLINE:
        shown["Content-Disposition"] = attachment(download_as or file_name(key))
    status = 200 if span is None else 206
    if request.method == "HEAD" or not size_bytes:
        return Response(status_code=status, media_type=media_type, headers=shown)
    body = _chunks(studio, key, etag, (first, last))
    return StreamingResponse(body, status_code=status, media_type=media_type, headers=shown)


def _chunks(studio: Studio, key: str, etag: str, byte_range: tuple[int, int]) -> Iterator[bytes]:
    """The bytes of exactly this version of a picture; S3 is asked at once. Raises StorageError."""
    stream = studio.store.stream(key, byte_range=byte_range)
    if stream.etag != etag:
        stream.close()
        raise NotFound("The picture has changed in S3.", key=key)
    return stream.chunks


def no_picture(request: Request, _studio: Studio) -> Response:
    """Any other path below a picture route, which Streamlit would answer with its page."""
    raise NotFound("There is no such picture.", key=request.url.path)


def partial(request: Request, studio: Studio) -> Response:
    """The newest picture on its way, or the way to the finished one. Raises NotFound."""
    try:
        place = SideTake(SideName(request.path_params["side"]), int(request.query_params.get("take", "1")))
    except ValueError as err:
        raise NotFound("There is no such side.") from err
    comparison_id = request.path_params["comparison"]
    partial = studio.runner.partial(comparison_id, *place)
    if partial is None:  # it may have arrived between the page's last look and this request
        status = next((each for each in studio.runner.status(comparison_id).sides if each.place == place), None)
        if status is None or status.picture is None:
            raise NotFound("This picture is not on its way here.")
        finished = image_url(status.picture.key, status.picture.etag, ORIGINAL)
        return RedirectResponse(finished, status_code=303, headers={"Cache-Control": "no-store"})
    headers = {**SAFE_HEADERS, "Cache-Control": "no-store"}
    return Response(partial.data, media_type=partial.content_type, headers=headers)
