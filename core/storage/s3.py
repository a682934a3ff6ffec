"""The store over a real S3: the only user of boto3, and the one place that knows S3's error codes."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

import boto3
from botocore import exceptions as vendor
from botocore.config import Config
from botocore.parsers import ResponseParserError

from core.errors import (
    ConfigError,
    InputError,
    ReferenceNotFound,
    StorageDenied,
    StorageError,
    StorageUnavailable,
    StudioError,
    WriteConflict,
)
from core.objects import Blob, StoredObject

CHUNK_BYTES: Final = 256 * 1024
POOL_CONNECTIONS: Final = 64
DEFAULT_REGION: Final = "us-east-1"  # what S3-compatible servers expect when nobody has named a region
CLAIM: Final = "write-claim"  # user metadata by which a conditional write recognises itself
PASSED_ON_HEADERS: Final = frozenset(
    {"accept-ranges", "content-length", "content-range", "content-type", "etag", "last-modified"}
)


class _Fault(NamedTuple):
    error: type[StudioError]
    sentence: str


_NOT_FOUND = _Fault(ReferenceNotFound, "There is no object “{key}” in the bucket “{bucket}”.")
_NO_BUCKET = _Fault(StorageUnavailable, "The bucket “{bucket}” does not exist at {endpoint}.")
_DENIED = _Fault(StorageDenied, "The credentials may not do that in the bucket “{bucket}” ({code}).")
_UNKNOWN_CREDENTIALS = _Fault(StorageDenied, "{endpoint} does not accept the S3 credentials ({code}).")
_NO_CREDENTIALS = _Fault(StorageDenied, "No usable S3 credentials were found ({code}).")
_CONFLICT = _Fault(WriteConflict, "Somebody else wrote “{key}” first.")
_TIMED_OUT = _Fault(StorageUnavailable, "{endpoint} did not answer in time.")
_UNREACHABLE = _Fault(StorageUnavailable, "{endpoint} could not be reached ({code}).")
_BROKE_OFF = _Fault(StorageUnavailable, "{endpoint} broke off in the middle of an answer.")
_FAILING = _Fault(StorageUnavailable, "{endpoint} answers with a fault ({code}).")
_NOT_S3 = _Fault(StorageUnavailable, "{endpoint} gave an answer that is not S3's.")
_BAD_KEY = _Fault(InputError, "“{key}” cannot be a key: it must have 1 to 1024 bytes of UTF-8.")
_BAD_RANGE = _Fault(InputError, "“{key}” is shorter than the byte range that was asked for.")

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; HEAD answers have no body, so
# botocore puts the bare status where the code would be.
_BY_CODE: Final[Mapping[str, _Fault]] = {
    "NoSuchKey": _NOT_FOUND,
    "NoSuchVersion": _NOT_FOUND,
    "404": _NOT_FOUND,
    "NoSuchBucket": _NO_BUCKET,
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "AccountProblem": _DENIED,
    "403": _DENIED,
    "401": _DENIED,
    "InvalidAccessKeyId": _UNKNOWN_CREDENTIALS,
    "SignatureDoesNotMatch": _UNKNOWN_CREDENTIALS,
    "AuthorizationHeaderMalformed": _UNKNOWN_CREDENTIALS,
    "ExpiredToken": _UNKNOWN_CREDENTIALS,
    "InvalidToken": _UNKNOWN_CREDENTIALS,
    "TokenRefreshRequired": _UNKNOWN_CREDENTIALS,
    "RequestTimeTooSkewed": _UNKNOWN_CREDENTIALS,
    "PreconditionFailed": _CONFLICT,
    "412": _CONFLICT,
    "ConditionalRequestConflict": _CONFLICT,
    "KeyTooLongError": _BAD_KEY,
    "InvalidRange": _BAD_RANGE,
    "416": _BAD_RANGE,
    "RequestTimeout": _TIMED_OUT,
}
_BY_STATUS: Final[Mapping[int, _Fault]] = {401: _DENIED, 403: _DENIED, 404: _NOT_FOUND, 412: _CONFLICT}
# The first match counts: time-outs are connection errors too.
_BY_EXCEPTION: Final[tuple[tuple[type[Exception], _Fault], ...]] = (
    (vendor.NoCredentialsError, _NO_CREDENTIALS),
    (vendor.PartialCredentialsError, _NO_CREDENTIALS),
    (vendor.CredentialRetrievalError, _NO_CREDENTIALS),
    (vendor.NoAuthTokenError, _NO_CREDENTIALS),
    (vendor.TokenRetrievalError, _NO_CREDENTIALS),
    (vendor.SSOError, _NO_CREDENTIALS),
    (vendor.ConnectTimeoutError, _TIMED_OUT),
    (vendor.ReadTimeoutError, _TIMED_OUT),
    (vendor.ResponseStreamingError, _BROKE_OFF),
    (vendor.IncompleteReadError, _BROKE_OFF),
    (vendor.ConnectionError, _UNREACHABLE),
    (vendor.HTTPClientError, _UNREACHABLE),
    (vendor.ParamValidationError, _BAD_KEY),
    (UnicodeEncodeError, _BAD_KEY),
    (ResponseParserError, _NOT_S3),
    (vendor.BotoCoreError, _FAILING),
)


@dataclass(frozen=True, slots=True)
class ObjectStream:
    """An object on its way: what a response needs to say about it, and its bytes in chunks.

    `size_bytes` counts the bytes that will come, `total_bytes` the whole object. `headers` are S3's
    own, lower-case, fit to be passed on. Close it, or use it in a `with`, or the connection is lost
    to the pool. A read that breaks off raises StorageUnavailable.
    """

    key: str
    etag: str
    content_type: str
    modified: datetime
    size_bytes: int
    total_bytes: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]
    _body: Any

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        """Give the connection back, read to the end or not."""
        self._body.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Store:
    """One bucket of an S3, for any number of threads.

    Without keys the usual AWS chain finds the credentials. A call ends in bounded time: at most
    `attempts` times `connect_timeout_s` + `read_timeout_s`, and a little backoff between them.
    """

    def __init__(
        self,
        bucket: str,
        *,
        endpoint_url: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        region: str | None = None,
        connect_timeout_s: float = 3.0,
        read_timeout_s: float = 15.0,
        attempts: int = 3,
    ) -> None:
        self._bucket = bucket
        self._endpoint = endpoint_url or "Amazon S3"
        config = Config(
            signature_version="s3v4",
            connect_timeout=connect_timeout_s,
            read_timeout=read_timeout_s,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=POOL_CONNECTIONS,
            tcp_keepalive=True,
            # bucket.localhost or bucket.minio.internal rarely resolve
            s3={"addressing_style": "path" if endpoint_url else "auto"},
            # Since 1.36 botocore adds a CRC to every upload, as a trailer of a chunked body; several
            # S3-compatible servers store the chunk headers as data or refuse it.
            # https://github.com/boto/boto3/issues/4398
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # HTTP_PROXY without NO_PROXY would send loopback traffic to the proxy
            proxies={} if _is_loopback(endpoint_url) else None,
        )
        self._s3: Any = _client(config, endpoint_url, access_key, secret_key, region)

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[StoredObject]:
        """All objects under a prefix in key order (UTF-8 bytes), page by page."""
        position = {"StartAfter": start_after} if start_after else {}
        while True:
            with self._faults():
                page = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **position)
            for row in page.get("Contents", ()):
                yield StoredObject(row["Key"], _bare(row.get("ETag")), row["Size"], _utc(row["LastModified"]))
            if not page.get("IsTruncated"):
                return
            position = {"ContinuationToken": page["NextContinuationToken"]}

    def folders(self, prefix: str) -> Iterator[str]:
        """The names right below a prefix that end with a slash there, without it, in key order."""
        position: dict[str, str] = {}
        while True:
            with self._faults():
                page = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, Delimiter="/", **position)
            for row in page.get("CommonPrefixes", ()):
                yield row["Prefix"].removeprefix(prefix).removesuffix("/")
            if not page.get("IsTruncated"):
                return
            position = {"ContinuationToken": page["NextContinuationToken"]}

    def head(self, key: str) -> StoredObject:
        """One object's row. Raises ReferenceNotFound."""
        try:
            with self._faults(key):
                row = self._s3.head_object(Bucket=self._bucket, Key=key)
        except ReferenceNotFound:
            self.check_bucket()  # a HEAD's 404 does not say whether the key or the bucket is missing
            raise
        return StoredObject(key, _bare(row.get("ETag")), row["ContentLength"], _utc(row["LastModified"]))

    def get(self, key: str) -> Blob:
        """One object with its bytes. Raises ReferenceNotFound."""
        return self._read(key)[0]

    def stream(self, key: str, *, byte_range: tuple[int, int] | None = None) -> ObjectStream:
        """An object chunk by chunk; `byte_range` is first and last byte, both included.

        Raises ReferenceNotFound, and InputError for a range that starts behind the object's end.
        """
        wanted = {"Range": f"bytes={byte_range[0]}-{byte_range[1]}"} if byte_range else {}
        with self._faults(key):
            answer = self._s3.get_object(Bucket=self._bucket, Key=key, **wanted)
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        size = answer["ContentLength"]
        return ObjectStream(
            key=key,
            etag=_bare(answer.get("ETag")),
            content_type=answer.get("ContentType", "application/octet-stream"),
            modified=_utc(answer["LastModified"]),
            size_bytes=size,
            total_bytes=_total(answer.get("ContentRange"), size),
            headers={name: value for name, value in headers.items() if name in PASSED_ON_HEADERS},
            chunks=self._chunks(key, answer["Body"]),
            _body=answer["Body"],
        )

    def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str,
        create_only: bool = False,
        if_match: str | None = None,
    ) -> str:
        """Write and return the new etag.

        `create_only` refuses to overwrite; `if_match` overwrites only that etag.
        Raises WriteConflict with `.theirs` when the condition does not hold.

        When an answer is lost on the way and the request is repeated, a conditional write meets
        itself. It carries a claim in its metadata, so that it is not mistaken for somebody else's.
        """
        conditions: dict[str, Any] = {}
        claim = secrets.token_hex(8)
        if create_only:
            conditions["IfNoneMatch"] = "*"
        if if_match is not None:
            conditions["IfMatch"] = f'"{_bare(if_match)}"'
        if conditions:
            conditions["Metadata"] = {CLAIM: claim}
        try:
            with self._faults(key):
                answer = self._s3.put_object(
                    Bucket=self._bucket, Key=key, Body=data, ContentType=content_type, **conditions
                )
        except WriteConflict as lost:
            theirs, their_claim = self._winner(key)
            if theirs is not None and their_claim == claim:
                return theirs.etag
            lost.theirs = theirs.data if theirs else None
            raise
        except ReferenceNotFound as gone:
            if if_match is None:
                raise
            raise WriteConflict(f"Somebody else removed “{key}” first.", key=key) from gone
        return _bare(answer["ETag"])

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        with suppress(ReferenceNotFound), self._faults(key):
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def check_bucket(self) -> None:
        """Raise unless the bucket is there and the credentials may see it."""
        try:
            with self._faults():
                self._s3.head_bucket(Bucket=self._bucket)
        except ReferenceNotFound as err:
            sentence = _NO_BUCKET.sentence.format(bucket=self._bucket, endpoint=self._endpoint)
            raise StorageUnavailable(sentence) from err

    def clock_offset_s(self) -> float:
        """Seconds by which the server's clock is ahead of this machine's, to the second; 0 if it does not say."""
        with self._faults():
            answer = self._s3.head_bucket(Bucket=self._bucket)
        told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds() if told else 0.0

    def honours_conditions(self, prefix: str) -> bool:
        """Whether this server really refuses a write whose condition does not hold.

        Some servers accept the headers and ignore them, so it is tried out, on a key of its own
        below `prefix` that is removed again.
        """
        key = f"{prefix}probe-{secrets.token_hex(8)}"
        try:
            etag = self.put(key, b"first", content_type="text/plain")
            again = self._is_refused(key, create_only=True)
            stale = self._is_refused(key, if_match="0" * 32)
            return again and stale and self.head(key).etag == etag
        finally:
            self.delete(key)

    def _is_refused(self, key: str, *, create_only: bool = False, if_match: str | None = None) -> bool:
        try:
            self.put(key, b"second", content_type="text/plain", create_only=create_only, if_match=if_match)
        except WriteConflict:
            return True
        except StorageUnavailable as err:
            if not _is_not_implemented(err):  # a server may know the header and say that it cannot do it
                raise
        return False

    def _read(self, key: str) -> tuple[Blob, str | None]:
        with self._faults(key):
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
            with closing(answer["Body"]) as body:  # its own `with` would hand out urllib3's errors
                data = body.read()
        blob = Blob(
            key=key,
            etag=_bare(answer.get("ETag")),
            data=data,
            content_type=answer.get("ContentType", "application/octet-stream"),
            modified=_utc(answer["LastModified"]),
        )
        return blob, answer.get("Metadata", {}).get(CLAIM)

    def _winner(self, key: str) -> tuple[Blob | None, str | None]:
        try:
            return self._read(key)
        except StorageError:
            return None, None  # gone again, or unreadable: the conflict itself is what matters

    def _chunks(self, key: str, body: Any) -> Iterator[bytes]:
        with self._faults(key), closing(body):
            yield from body.iter_chunks(CHUNK_BYTES)

    @contextmanager
    def _faults(self, key: str = "") -> Iterator[None]:
        """Turn what boto3 raises into our errors, by the tables above."""
        try:
            yield
        except (vendor.ClientError, vendor.BotoCoreError, ResponseParserError, UnicodeEncodeError) as err:
            raise self._translated(err, key) from err

    def _translated(self, err: Exception, key: str) -> StudioError:
        fault, code = _fault_of(err)
        message = fault.sentence.format(bucket=self._bucket, key=key, endpoint=self._endpoint, code=code)
        if fault.error is ReferenceNotFound:
            return ReferenceNotFound(message, key=key)
        if fault.error is WriteConflict:
            return WriteConflict(message, key=key)
        return fault.error(message)


def _client(
    config: Config,
    endpoint_url: str | None,
    access_key: str | None,
    secret_key: str | None,
    region: str | None,
) -> Any:
    # A session of its own: boto3's default session is shared and not safe to build clients from in
    # several threads. https://boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html
    try:
        session = boto3.session.Session()
        return session.client(
            "s3",
            endpoint_url=endpoint_url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            region_name=region or session.region_name or DEFAULT_REGION,
            config=config,
        )
    except vendor.ProfileNotFound as err:
        raise ConfigError(f"{err}.", setting="AWS_PROFILE") from err
    except ValueError as err:
        message = f"S3_ENDPOINT_URL is not an address that S3 could have: “{endpoint_url}”."
        raise ConfigError(message, setting="S3_ENDPOINT_URL") from err


def _fault_of(err: Exception) -> tuple[_Fault, str]:
    if isinstance(err, vendor.ClientError):
        code = str(err.response.get("Error", {}).get("Code", "unknown"))
        status = err.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return _BY_CODE.get(code) or _BY_STATUS.get(status, _FAILING), code
    fault = next((fault for kind, fault in _BY_EXCEPTION if isinstance(err, kind)), _FAILING)
    return fault, type(err).__name__


def _is_not_implemented(err: StorageError) -> bool:
    cause = err.__cause__
    return isinstance(cause, vendor.ClientError) and cause.response["Error"].get("Code") in (
        "NotImplemented",
        "501",
    )


def _is_loopback(endpoint_url: str | None) -> bool:
    host = urlsplit(endpoint_url or "").hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bare(etag: str | None) -> str:
    return (etag or "").removeprefix("W/").strip('"')


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _total(content_range: str | None, size: int) -> int:
    """The object's whole size, from `bytes 0-9/120`."""
    total = (content_range or "").rpartition("/")[2]
    return int(total) if total.isdigit() else size
