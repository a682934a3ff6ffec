"""A request as S3 understands it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from moto.core.request import EnvironHeaders
from werkzeug.http import parse_etags

from core.storage.embedded.condition import Condition
from core.storage.embedded.s3_error import S3Error

LONGEST_KEY_BYTES: Final = 1024
CREDENTIAL: Final = re.compile(r"Credential=([^/,\s]+)/")


@dataclass(frozen=True, slots=True)
class S3Request:
    """What a request asks for; `headers` are lower-case."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    environ: WSGIEnvironment

    @classmethod
    def of(cls, environ: WSGIEnvironment) -> S3Request:
        """The S3 request in a WSGI one. Raises S3Error if its address cannot be one."""
        path, _, query = environ["RAW_URI"].partition("?")
        if not path.startswith("/"):
            raise S3Error(HTTPStatus.BAD_REQUEST, "InvalidURI", "The request has no path.")
        bucket, _, key = path[1:].partition("/")
        try:
            # not PATH_INFO: frameworks merge `//`, resolve `..` and guess at encodings
            name = unquote_to_bytes(key).decode("utf-8")
        except UnicodeDecodeError:
            raise S3Error(HTTPStatus.BAD_REQUEST, "InvalidURI", "A key must be UTF-8.") from None
        if len(name.encode()) > LONGEST_KEY_BYTES:
            raise S3Error(HTTPStatus.BAD_REQUEST, "KeyTooLongError", "Your key is too long.")
        return cls(
            method=environ["REQUEST_METHOD"],
            bucket=bucket,
            key=name,
            query=parse_qs(query, keep_blank_values=True),
            # moto's, for user metadata may have underscores in its names
            headers={header.lower(): value for header, value in EnvironHeaders(environ)},
            environ=environ,
        )

    @property
    def operation(self) -> str:
        """The subresource that the query names, such as `tagging`; empty for a plain request."""
        names = {name.lower() for name in self.query}
        return ", ".join(sorted(name for name in names if name != "x-id" and not name.startswith("x-amz-")))

    @property
    def condition(self) -> Condition:
        """The condition that a write makes."""
        names = ("if-match", "if-none-match")
        return Condition(*(parse_etags(self.headers[name]) if name in self.headers else None for name in names))

    @property
    def access_key(self) -> str:
        """The access key that the request or its presigned URL shows; empty for none."""
        signed = CREDENTIAL.search(self.headers.get("authorization", ""))
        return signed[1] if signed else self.query.get("X-Amz-Credential", [""])[0].partition("/")[0]

    @property
    def has_expired(self) -> bool:
        """Whether this is a presigned URL whose time is over."""
        if CREDENTIAL.search(self.headers.get("authorization", "")):
            return False
        try:
            signed = datetime.strptime(self.query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return (datetime.now(UTC) - signed).total_seconds() > int(self.query["X-Amz-Expires"][0])
        except (KeyError, ValueError):
            return True
