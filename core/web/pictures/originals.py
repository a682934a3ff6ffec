"""Originals: several pictures of the library, or all of a comparison, as one ZIP, for who is let in.

They are read from S3 while it is sent.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.concurrency.byte_budget import ByteBudget
from core.errors import InputError, NotFound, ObjectArchived, Overloaded
from core.generation.records.outcome import StoredPicture
from core.images.memory import MIB
from core.logs.refusals import refuse
from core.references.key import file_name
from core.references.reference import Reference
from core.studio import Studio, get_studio
from core.web.http.addresses import KEY_FIELD, ORIGINALS_PATH
from core.web.http.answers import SAFE_HEADERS, attachment, plain
from core.web.http.auth_routes import is_from_own_page
from core.web.http.authorize import authorize
from core.web.http.body import answer_body
from core.web.zip_files.entry_names import entry_names
from core.web.zip_files.zip_stream import SPOOLED_BYTES, Entry, zip_stream

ZIP_PICTURES_MAX: Final = 500
ZIP_BYTES_MAX: Final = 2048 * MIB
ZIPS_AT_ONCE: Final = 4
_LONGEST_BODY: Final = 2 * MIB
_TOO_MANY: Final = "A ZIP holds at most {} pictures: select fewer."
_FILE_NAME: Final = "references.zip"
# Whoever comes when all are taken is told so at once: a ZIP takes minutes.
_BUDGET: Final = ByteBudget(
    large_bytes=ZIPS_AT_ONCE * SPOOLED_BYTES,
    small_bytes=0,
    small_max=0,
    at_once=ZIPS_AT_ONCE,
    waiting_max=ZIPS_AT_ONCE,
    patience_s=0,
)


class _Zip(StreamingResponse):
    """An answer that gives back what was lent for it, however it ends."""

    def __init__(self, body: Generator[bytes, None, None], lent: ExitStack, *, name: str) -> None:
        headers = {**SAFE_HEADERS, "Cache-Control": "no-store", "Content-Disposition": attachment(name)}
        super().__init__(body, media_type="application/zip", headers=headers)
        self._lent = lent
        lent.callback(body.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._lent:
            await super().__call__(scope, receive, send)


async def _originals(request: Request) -> Response:
    """The pictures whose keys a form of ours names."""
    too_long = "That is more than one ZIP can hold: select fewer pictures."
    return await answer_body(request, _answer, bytes_max=_LONGEST_BODY, too_long=too_long)


def _answer(request: Request, body: bytes) -> Response:
    studio = get_studio()
    if not is_from_own_page(request, studio.settings):
        refuse("request_refused", reason="foreign origin")
        return plain("This request did not come from the dashboard.", 403)
    refused = authorize(studio, request.cookies)
    if refused is not None:
        return refused
    if not studio.catalog.status.ready:
        return plain("The library is being listed: try again in a moment.", 503, {"Retry-After": "5"})
    try:
        fields = parse_qs(body.decode(), max_num_fields=ZIP_PICTURES_MAX)
    except ValueError:
        return plain(_TOO_MANY.format(ZIP_PICTURES_MAX), 413)
    wanted = {key: studio.catalog.index.get(key) for key in fields.get(KEY_FIELD, ())}
    try:
        check_zip([reference for reference in wanted.values() if reference])
    except InputError as err:
        return plain(err.message, 413)
    return _zip(_entries(studio, wanted), name=_FILE_NAME)


def comparison_pictures(request: Request, studio: Studio) -> Response:
    """Every finished picture of a comparison, each take under its own name. Raises NotFound."""
    status = studio.runner.status(request.path_params["comparison"])
    studio.seen.shown(studio.authenticator.viewer(request.cookies), status)  # each picture is named by its side
    pictures = [(side.place, side.picture) for side in status.sides if side.picture is not None]
    if not pictures:
        raise NotFound("This comparison has no picture yet.")
    made_at = status.comparison.created_at
    names = [PurePosixPath(place.file_name).with_suffix(PurePosixPath(made.key).suffix) for place, made in pictures]
    entries = (
        Entry(str(name), made_at, partial(_read_made, studio, made))
        for name, (_, made) in zip(names, pictures, strict=True)
    )
    return _zip(entries, name=f"comparison-{status.comparison.id}.zip")


def _zip(entries: Iterator[Entry], *, name: str) -> Response:
    """A ZIP on its way, or a refusal while as many are under way as may be."""
    lent = ExitStack()
    try:
        lent.enter_context(_BUDGET.lend(SPOOLED_BYTES))
    except Overloaded as err:
        return plain(
            "All ZIPs are under way: try again in half a minute.", 503, {"Retry-After": f"{err.retry_after_s:.0f}"}
        )
    return _Zip(zip_stream(entries), lent, name=name)


def check_zip(references: Sequence[Reference]) -> None:
    """Raise InputError for pictures of which no ZIP is made: none, too many, or too large together."""
    if not references:
        raise InputError("None of these pictures is in the library any more: select others.")
    if len(references) > ZIP_PICTURES_MAX:
        raise InputError(_TOO_MANY, ZIP_PICTURES_MAX)
    size_bytes = sum(reference.size_bytes for reference in references)
    if size_bytes > ZIP_BYTES_MAX:
        raise InputError(
            "These pictures have {:.1f} GB together, and a ZIP holds {:.1f} GB: select fewer.",
            size_bytes / 1e9,
            ZIP_BYTES_MAX / 1e9,
        )


def _entries(studio: Studio, wanted: Mapping[str, Reference | None]) -> Iterator[Entry]:
    now = datetime.now(UTC)
    for (key, reference), name in zip(wanted.items(), entry_names(map(file_name, wanted)), strict=True):
        yield Entry(name, reference.modified if reference else now, partial(_read, studio, key, reference))


def _read(studio: Studio, key: str, reference: Reference | None) -> Iterator[bytes]:
    """The bytes of exactly the version that is listed. Raises StorageError."""
    if reference is None:
        raise NotFound("It is not in the library any more.", key=key)
    if reference.is_archived:
        raise ObjectArchived("It lies in an archive of S3: restore it first.", key=key)
    with studio.store.stream(key) as stream:
        if stream.etag != reference.etag:
            raise NotFound("It has changed in S3 since the library was listed: load it again in a minute.", key=key)
        yield from stream.chunks


def _read_made(studio: Studio, picture: StoredPicture) -> Iterator[bytes]:
    with studio.store.stream(picture.key) as stream:
        yield from stream.chunks


ROUTES: Final = (Route(ORIGINALS_PATH, _originals, methods=["POST"]),)
