"""The WSGI app in front of moto: it asks for the access key, does the writes itself, and lets reads through.

What the bucket could not make durable (multipart uploads, tags, ACLs, versions, buckets) is refused
with 501 NotImplemented. Signatures are not verified.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse, WSGIEnvironment
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

import xmltodict  # type: ignore[import-untyped]  # comes with moto, without types
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.test import run_wsgi_app

from core.storage.embedded.bucket import BUCKET, REGION, Bucket
from core.storage.embedded.condition import Condition
from core.storage.embedded.s3_error import S3Error, no_such_key, not_kept
from core.storage.embedded.s3_request import S3Request
from core.storage.embedded.upload import body_of, kept_headers, refuse_what_would_be_lost

log = logging.getLogger(__name__)

UNCONDITIONAL: Final = Condition()


@dataclass(frozen=True, slots=True)
class Response:
    """A response; `status` as WSGI wants it, such as “200 OK”."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes = b""


class WsgiApp:
    """The WSGI application of one bucket."""

    def __init__(self, bucket: Bucket, access_key: str) -> None:
        self._bucket = bucket
        self._access_key = access_key
        self._moto = create_backend_app("s3")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            request = S3Request.of(environ)
            self._check_access(request)
            response = self._respond(request)
        except S3Error as error:
            response = _error_response(error)
        except ConnectionError:
            raise  # the client went away; werkzeug knows what to do
        except OSError as err:
            log.exception("The disk refused a write of the embedded S3")
            message = f"DATA_DIR could not be written or read: {err.strerror or err}."
            # 507, for a full disk is not helped by the retries that a client answers a 500 with
            response = _error_response(S3Error(HTTPStatus.INSUFFICIENT_STORAGE, "InternalError", message))
        except Exception:
            log.exception("The embedded S3 failed at %s", environ["REQUEST_METHOD"])
            message = "The embedded S3 failed; its log says why."
            response = _error_response(S3Error(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", message))
        start_response(response.status, [*response.headers, ("x-amz-request-id", secrets.token_hex(8))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response.body]

    def _check_access(self, request: S3Request) -> None:
        if not request.access_key:
            raise S3Error(HTTPStatus.FORBIDDEN, "AccessDenied", "Access Denied")
        if not hmac.compare_digest(request.access_key.encode(), self._access_key.encode()):
            message = "The AWS Access Key Id you provided does not exist in our records."
            raise S3Error(HTTPStatus.FORBIDDEN, "InvalidAccessKeyId", message)
        if request.has_expired:
            raise S3Error(HTTPStatus.FORBIDDEN, "AccessDenied", "Request has expired")

    def _respond(self, request: S3Request) -> Response:
        is_read = request.method in ("GET", "HEAD")
        if is_read and request.bucket in ("", BUCKET):
            return self._ask_moto(request)
        if request.bucket != BUCKET:
            if request.method == "PUT" and not request.key:
                raise not_kept("another bucket")
            raise S3Error(HTTPStatus.NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist")
        if request.method == "POST" and not request.key and "delete" in request.query:
            return self._delete_many(request)
        if request.operation or request.method not in ("PUT", "DELETE"):
            raise not_kept(request.operation or request.method)
        if not request.key and request.method == "DELETE":
            raise not_kept("removing the bucket")
        if not request.key:
            message = f"The bucket {BUCKET} is there and stays there."
            raise S3Error(HTTPStatus.CONFLICT, "BucketAlreadyOwnedByYou", message)
        return self._put(request) if request.method == "PUT" else self._delete(request)

    def _ask_moto(self, request: S3Request) -> Response:
        environ = dict(request.environ)
        # Moto takes the key from RAW_URI; Flask's routing must not stumble over PATH_INFO.
        environ["PATH_INFO"] = f"/{request.bucket}/key" if request.key else f"/{request.bucket}"
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._bucket.account
        environ["HTTP_AUTHORIZATION"] = (
            f"AWS4-HMAC-SHA256 Credential={self._access_key}/20000101/{REGION}/s3/aws4_request"
        )
        # Under the lock, for moto walks through a plain dict and a key's bytes are read from its file.
        with self._bucket.lock:
            chunks, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        # moto invites every web page to read
        kept = [(name, value) for name, value in headers if not name.lower().startswith("access-control-")]
        return Response(status, kept, b"".join(chunks))

    def _put(self, request: S3Request) -> Response:
        refuse_what_would_be_lost(request.headers)
        if "x-amz-copy-source" in request.headers:
            return self._copy(request)
        record = self._bucket.put(request.key, body_of(request), kept_headers(request.headers), request.condition)
        return Response("200 OK", [("ETag", f'"{record.etag}"'), ("Content-Length", "0")])

    def _copy(self, request: S3Request) -> Response:
        source = unquote_to_bytes(request.headers["x-amz-copy-source"]).decode("utf-8", "replace")
        bucket, _, name = source.removeprefix("/").partition("/")
        if "?versionId=" in source:
            raise not_kept("versions")
        with self._bucket.lock:
            original = self._bucket.key(name) if bucket == BUCKET else None
            if original is None:
                raise no_such_key()
            data, headers = original.value, original.record.headers
        if request.headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE":
            headers = kept_headers(request.headers)
        record = self._bucket.put(request.key, data, headers, request.condition)
        xml = f"<LastModified>{record.modified[:19]}.000Z</LastModified><ETag>&quot;{record.etag}&quot;</ETag>"
        return _xml("200 OK", "CopyObjectResult", xml)

    def _delete(self, request: S3Request) -> Response:
        self._bucket.delete(request.key, request.condition)
        return Response("204 No Content", [])

    def _delete_many(self, request: S3Request) -> Response:
        try:
            wish = xmltodict.parse(body_of(request), force_list=("Object",), strip_whitespace=False)["Delete"]
            keys = [str(row["Key"]) for row in wish["Object"]]
        except (ExpatError, KeyError, TypeError):
            message = "The XML you provided was not well-formed or did not validate against our schema"
            raise S3Error(HTTPStatus.BAD_REQUEST, "MalformedXML", message) from None
        if any({"VersionId", "ETag"} & set(row) for row in wish["Object"]):
            raise not_kept("deleting by version or etag")
        for key in keys:
            self._bucket.delete(key, UNCONDITIONAL)
        rows = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        return _xml("200 OK", "DeleteResult", "" if wish.get("Quiet") == "true" else rows)


def _error_response(error: S3Error) -> Response:
    status = f"{error.status.value} {error.status.phrase}"
    return _xml(status, "Error", f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message>")


def _xml(status: str, element: str, content: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{element}>{content}</{element}>'.encode()
    return Response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body)
