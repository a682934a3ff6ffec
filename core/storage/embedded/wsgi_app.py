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
class Answer:
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
            call = S3Request.of(environ)
            self._admit(call)
            answer = self._answer(call)
        except S3Error as error:
            answer = _refused(error)
        except ConnectionError:
            raise  # the client went away; werkzeug knows what to do
        except OSError as err:
            log.exception("The disk refused a write of the embedded S3")
            message = f"DATA_DIR could not be written or read: {err.strerror or err}."
            # 507, for a full disk is not helped by the retries that a client answers a 500 with
            answer = _refused(S3Error(HTTPStatus.INSUFFICIENT_STORAGE, "InternalError", message))
        except Exception:
            log.exception("The embedded S3 failed at %s", environ["REQUEST_METHOD"])
            message = "The embedded S3 failed; its log says why."
            answer = _refused(S3Error(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", message))
        start_response(answer.status, [*answer.headers, ("x-amz-request-id", secrets.token_hex(8))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body]

    def _admit(self, call: S3Request) -> None:
        if not call.access_key:
            raise S3Error(HTTPStatus.FORBIDDEN, "AccessDenied", "Access Denied")
        if not hmac.compare_digest(call.access_key.encode(), self._access_key.encode()):
            message = "The AWS Access Key Id you provided does not exist in our records."
            raise S3Error(HTTPStatus.FORBIDDEN, "InvalidAccessKeyId", message)
        if call.has_expired:
            raise S3Error(HTTPStatus.FORBIDDEN, "AccessDenied", "Request has expired")

    def _answer(self, call: S3Request) -> Answer:
        is_read = call.method in ("GET", "HEAD")
        if is_read and call.bucket in ("", BUCKET):
            return self._ask_moto(call)
        if call.bucket != BUCKET:
            if call.method == "PUT" and not call.key:
                raise not_kept("another bucket")
            raise S3Error(HTTPStatus.NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist")
        if call.method == "POST" and not call.key and "delete" in call.query:
            return self._delete_many(call)
        if call.operation or call.method not in ("PUT", "DELETE"):
            raise not_kept(call.operation or call.method)
        if not call.key and call.method == "DELETE":
            raise not_kept("removing the bucket")
        if not call.key:
            message = f"The bucket {BUCKET} is there and stays there."
            raise S3Error(HTTPStatus.CONFLICT, "BucketAlreadyOwnedByYou", message)
        return self._put(call) if call.method == "PUT" else self._delete(call)

    def _ask_moto(self, call: S3Request) -> Answer:
        environ = dict(call.environ)
        # Moto takes the key from RAW_URI; Flask's routing must not stumble over PATH_INFO.
        environ["PATH_INFO"] = f"/{call.bucket}/key" if call.key else f"/{call.bucket}"
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._bucket.account
        environ["HTTP_AUTHORIZATION"] = (
            f"AWS4-HMAC-SHA256 Credential={self._access_key}/20000101/{REGION}/s3/aws4_request"
        )
        # Under the lock, for moto walks through a plain dict and a key's bytes are read from its file.
        with self._bucket.lock:
            chunks, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        # moto invites every web page to read
        kept = [(name, value) for name, value in headers if not name.lower().startswith("access-control-")]
        return Answer(status, kept, b"".join(chunks))

    def _put(self, call: S3Request) -> Answer:
        refuse_what_would_be_lost(call.headers)
        if "x-amz-copy-source" in call.headers:
            return self._copy(call)
        record = self._bucket.put(call.key, body_of(call), kept_headers(call.headers), call.condition)
        return Answer("200 OK", [("ETag", f'"{record.etag}"'), ("Content-Length", "0")])

    def _copy(self, call: S3Request) -> Answer:
        source = unquote_to_bytes(call.headers["x-amz-copy-source"]).decode("utf-8", "replace")
        bucket, _, name = source.removeprefix("/").partition("/")
        if "?versionId=" in source:
            raise not_kept("versions")
        with self._bucket.lock:
            original = self._bucket.key(name) if bucket == BUCKET else None
            if original is None:
                raise no_such_key()
            data, headers = original.value, original.record.headers
        if call.headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE":
            headers = kept_headers(call.headers)
        record = self._bucket.put(call.key, data, headers, call.condition)
        xml = f"<LastModified>{record.modified[:19]}.000Z</LastModified><ETag>&quot;{record.etag}&quot;</ETag>"
        return _xml("200 OK", "CopyObjectResult", xml)

    def _delete(self, call: S3Request) -> Answer:
        self._bucket.delete(call.key, call.condition)
        return Answer("204 No Content", [])

    def _delete_many(self, call: S3Request) -> Answer:
        try:
            wish = xmltodict.parse(body_of(call), force_list=("Object",), strip_whitespace=False)["Delete"]
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


def _refused(error: S3Error) -> Answer:
    status = f"{error.status.value} {error.status.phrase}"
    return _xml(status, "Error", f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message>")


def _xml(status: str, element: str, content: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{element}>{content}</{element}>'.encode()
    return Answer(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body)
