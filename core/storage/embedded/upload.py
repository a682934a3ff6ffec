"""What a write brings: its bytes, whole and as their sender meant them, and the headers kept beside them."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from core.storage.embedded.s3_error import S3Error, not_kept
from core.storage.embedded.s3_request import S3Request

LARGEST_OBJECT_BYTES: Final = 512 * 1024 * 1024
METADATA: Final = "x-amz-meta-"
# What S3 keeps beside an object's bytes, besides its metadata.
KEPT_HEADERS: Final = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "expires",
    }
)
# Headers that ask for nothing that would have to be kept.
TRANSPORT_HEADERS: Final = frozenset(
    {
        "x-amz-content-sha256",
        "x-amz-copy-source",
        "x-amz-date",
        "x-amz-decoded-content-length",
        "x-amz-metadata-directive",
        "x-amz-sdk-checksum-algorithm",
        "x-amz-security-token",
        "x-amz-trailer",
        "x-amz-user-agent",
    }
)
DEFAULTS_SAID_ALOUD: Final = frozenset({("x-amz-acl", "private"), ("x-amz-storage-class", "STANDARD")})


def refuse_what_would_be_lost(headers: Mapping[str, str]) -> None:
    """Raise S3Error if the headers ask for something that nothing here keeps."""
    for name, value in headers.items():
        is_known = name in TRANSPORT_HEADERS or name.startswith((METADATA, "x-amz-checksum-"))
        if name.startswith("x-amz-") and not is_known and (name, value) not in DEFAULTS_SAID_ALOUD:
            raise not_kept(name)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers to keep with the object."""
    kept = {
        name: value for name, value in headers.items() if (name in KEPT_HEADERS and value) or name.startswith(METADATA)
    }
    encodings = [one.strip() for one in kept.pop("content-encoding", "").split(",")]
    encoding = ",".join(one for one in encodings if one and one != "aws-chunked")
    if encoding:
        kept["content-encoding"] = encoding
    kept.setdefault("content-type", "binary/octet-stream")
    return kept


def body_of(request: S3Request) -> bytes:
    """The request's bytes. Raises S3Error if they are incomplete, too many or not what was announced."""
    announced = request.headers.get("content-length", "")
    if not announced.isdigit():
        message = "You must provide the Content-Length HTTP header."
        raise S3Error(HTTPStatus.LENGTH_REQUIRED, "MissingContentLength", message)
    if int(announced) > LARGEST_OBJECT_BYTES:
        message = f"The embedded S3 takes objects of up to {LARGEST_OBJECT_BYTES} bytes."
        raise S3Error(HTTPStatus.BAD_REQUEST, "EntityTooLarge", message)
    data: bytes = request.environ["wsgi.input"].read(int(announced))
    is_complete = len(data) == int(announced)
    digest = request.headers.get("x-amz-content-sha256", "")
    if digest.startswith("STREAMING-"):
        data = _dechunk(data)
        is_complete = is_complete and str(len(data)) == request.headers.get("x-amz-decoded-content-length")
    if not is_complete:
        message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
        raise S3Error(HTTPStatus.BAD_REQUEST, "IncompleteBody", message)
    if len(digest) == 64 and digest != hashlib.sha256(data).hexdigest():
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise S3Error(HTTPStatus.BAD_REQUEST, "XAmzContentSHA256Mismatch", message)
    md5 = request.headers.get("content-md5")
    if md5 and md5 != base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode():
        message = "The Content-MD5 you specified did not match what we received."
        raise S3Error(HTTPStatus.BAD_REQUEST, "BadDigest", message)
    return data


def _dechunk(data: bytes) -> bytes:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html"""
    source, parts = io.BytesIO(data), []
    with suppress(ValueError):  # a broken frame ends the body, which then is too short
        while size := int(source.readline().partition(b";")[0], 16):
            parts.append(source.read(size))
            source.readline()
    return b"".join(parts)
