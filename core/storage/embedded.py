"""The embedded S3: moto's server inside this process, with every write on disk before it is acknowledged.

How a write goes: its bytes and its header go into one temporary file, which is fsynced; then, under
the one lock, its condition is decided, the file is renamed into place, the folder is fsynced and moto
is told; then the answer leaves. So a kill at any moment leaves the old object or the new one. What
cannot be made durable this way (multipart uploads, tags, ACLs, versions, buckets) is refused with
501 NotImplemented. Reading and listing are moto's own.

    DATA_DIR/s3/objects/<2 hex>/<62 hex>   one file an object: a JSON header line, then its bytes
    DATA_DIR/s3/incoming/                  temporary files; emptied at every start
    DATA_DIR/s3.lock                       held by the process that serves; others use its server
    DATA_DIR/s3.endpoint.json              where that server listens
    DATA_DIR/s3.credentials.json           the access key, mode 0600

The sample library is a layer below: it is read from the installation at every start, so an upgrade's
new pictures appear; an object written over a sample hides it, a deletion leaves a tombstone.

The server listens on loopback and asks for the access key of its DATA_DIR, which keeps out other
users of the machine and web pages. It does not verify signatures.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import http.client
import io
import json
import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

import xmltodict  # type: ignore[import-untyped]  # comes with moto, without types
from moto.core.request import Request
from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from moto.s3.models import FakeBucket, FakeKey, s3_backends
from werkzeug.serving import BaseWSGIServer, make_server

from core.errors import ConfigError, StorageUnavailable

log = logging.getLogger(__name__)

BUCKET: Final = "studio"
REGION: Final = "us-east-1"
LARGEST_OBJECT_BYTES: Final = 512 * 1024 * 1024
LONGEST_KEY_BYTES: Final = 1024
LOCK_PATIENCE_S: Final = 10.0
STOP_POLL_S: Final = 0.1

# What S3 keeps beside an object's bytes, besides x-amz-meta-…
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
CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


class _Refusal(Exception):
    """A request that is answered with an S3 error."""

    def __init__(self, status: HTTPStatus | int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = int(status)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class _Record:
    """An object's header line; `headers` are lower-case, `modified` is UTC without a zone, as moto has it."""

    key: str
    etag: str = ""
    size_bytes: int = 0
    modified: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_tombstone: bool = False

    @classmethod
    def of(cls, key: str, data: bytes, headers: Mapping[str, str], modified: datetime) -> _Record:
        return cls(
            key=key,
            etag=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            size_bytes=len(data),
            modified=modified.astimezone(UTC).replace(tzinfo=None).isoformat(),
            headers=dict(headers),
        )

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode("ascii") + b"\n"


class _Shelf:
    """The objects on disk. Whatever lies in `objects` is complete; callers hold the lock."""

    def __init__(self, root: Path) -> None:
        self._objects = root / "objects"
        self._incoming = root / "incoming"
        for number in range(256):
            (self._objects / f"{number:02x}").mkdir(mode=0o700, parents=True, exist_ok=True)
        self._incoming.mkdir(mode=0o700, exist_ok=True)
        for folder in (self._objects, root, root.parent):
            _sync_folder(folder)
        for leftover in self._incoming.iterdir():
            leftover.unlink()

    def path(self, key: str) -> Path:
        """Keys may be longer than file names, hold `..` or differ only in case: the name is a hash."""
        digest = hashlib.sha256(key.encode()).hexdigest()
        return self._objects / digest[:2] / digest[2:]

    @contextmanager
    def staged(self, record: _Record, data: bytes = b"") -> Iterator[Path]:
        """A complete, fsynced temporary file; gone afterwards unless it was renamed."""
        temporary = self._incoming / secrets.token_hex(16)
        try:
            _write_durably(temporary, record.line(), data)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def place(self, temporary: Path, key: str, then: Callable[[], None]) -> None:
        """Commit a staged file. Once it is renamed `then` is called, even if the folder cannot be fsynced."""
        path = self.path(key)
        temporary.replace(path)
        try:
            _sync_folder(path.parent)
        finally:
            then()

    def remove(self, key: str, then: Callable[[], None]) -> None:
        """The same for a removal."""
        path = self.path(key)
        path.unlink(missing_ok=True)
        try:
            _sync_folder(path.parent)
        finally:
            then()

    def records(self) -> Iterator[_Record]:
        """Everything that was ever committed."""
        for path in self._objects.glob("??/*"):
            try:
                with path.open("rb") as file:
                    record = _Record(**json.loads(file.readline()))
                    if path != self.path(record.key) or path.stat().st_size != file.tell() + record.size_bytes:
                        raise ValueError("size or name does not fit")  # noqa: TRY301 - one place for all damage
            except (ValueError, TypeError) as err:
                # no crash of ours leaves such a file, a damaged disk does: one object must not stop the rest
                log.warning("Skipped the damaged object file %s: %s", path, err)
            else:
                yield record

    def read(self, key: str) -> bytes:
        with self.path(key).open("rb") as file:
            file.readline()
            return file.read()


class _Key(FakeKey):
    """A moto key whose bytes stay on disk, so that the bucket may outgrow the memory."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> _Key:
        # moto keeps every key it ever made in a list; a long-lived server must not
        key: _Key = object.__new__(cls)
        return key

    def __init__(self, record: _Record, account: str, read: Callable[[], bytes]) -> None:
        self._read = read
        super().__init__(
            name=record.key,
            value=b"",
            account_id=account,
            region_name=REGION,
            etag=record.etag,
            version_id="null",
            bucket_name=BUCKET,
        )
        self.contentsize = record.size_bytes
        self.last_modified = datetime.fromisoformat(record.modified)
        self.kept_headers = record.headers
        self.set_metadata(dict(record.headers))

    @property
    def value(self) -> bytes:
        return self._read()

    @value.setter
    def value(self, _value: bytes) -> None:
        """Nothing to keep: the bytes are on disk."""

    def dispose(self, garbage: bool = False) -> None:  # noqa: ARG002 - moto's signature
        self._value_buffer.close()
        self.disposed = True


class _Bucket:
    """The one bucket as moto sees it, and as it is on disk."""

    def __init__(self, shelf: _Shelf, samples: Path) -> None:
        self.lock = threading.RLock()
        # An account of its own keeps apart the servers of one process; moto's backends are global.
        self.account = f"{secrets.randbelow(10**12):012d}"
        self._shelf = shelf
        self._is_closed = False
        self._backend = s3_backends[self.account]["aws"]
        self._moto = FakeBucket(BUCKET, self.account, REGION)  # type: ignore[abstract]  # moto does the same
        self._backend.buckets[BUCKET] = self._moto
        below = dict(_sample_files(samples))
        self._sample_keys = frozenset(below)
        for record in shelf.records():
            below.pop(record.key, None)
            if not record.is_tombstone:
                self._show(record)
        for key, path in below.items():
            self._show_sample(key, path)

    def key(self, name: str) -> Any:
        """Moto's key object, or None."""
        return self._moto.keys.get(name)

    def put(self, key: str, data: bytes, headers: Mapping[str, str], holds: Callable[[], None]) -> _Record:
        """Write durably; `holds` raises if the condition does not hold at the moment of the commit."""
        record = _Record.of(key, data, headers, datetime.now(UTC))
        with self._shelf.staged(record, data) as temporary, self.lock:
            self._refuse_when_closed()
            holds()
            self._shelf.place(temporary, key, then=lambda: self._show(record))
        return record

    def delete(self, key: str, holds: Callable[[], None]) -> None:
        """Remove durably; a missing key is no error."""
        with self.lock:
            self._refuse_when_closed()
            holds()
            if self.key(key) is None:
                return
            if key in self._sample_keys:
                tombstone = _Record(key, is_tombstone=True)
                with self._shelf.staged(tombstone) as temporary:
                    self._shelf.place(temporary, key, then=lambda: self._moto.keys.pop(key))
            else:
                self._shelf.remove(key, then=lambda: self._moto.keys.pop(key))

    def close(self) -> None:
        """Wait for the write in progress, refuse later ones, and leave moto as it was found."""
        with self.lock:
            self._is_closed = True
            self._moto.keys.clear()
            self._backend.buckets.pop(BUCKET, None)
            if s3_backends.bucket_accounts.get(BUCKET, ("", ""))[1] == self.account:
                del s3_backends.bucket_accounts[BUCKET]
            s3_backends.pop(self.account, None)

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise _Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable", "The server is stopping.")

    def _show(self, record: _Record) -> None:
        key = record.key
        self._moto.keys.setlist(key, [_Key(record, self.account, lambda: self._shelf.read(key))])

    def _show_sample(self, key: str, path: Path) -> None:
        data = path.read_bytes()
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        record = _Record.of(key, data, {"content-type": _content_type(path)}, modified)
        self._moto.keys.setlist(key, [_Key(record, self.account, lambda: data)])


@dataclass(frozen=True, slots=True)
class _Call:
    """A request as S3 understands it."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    environ: WSGIEnvironment

    @classmethod
    def of(cls, environ: WSGIEnvironment) -> _Call:
        target = environ.get("RAW_URI", "")
        path, _, query = target.partition("?")
        if not path.startswith("/"):
            raise _Refusal(HTTPStatus.BAD_REQUEST, "InvalidURI", "The request has no path.")
        bucket, _, key = path[1:].partition("/")
        try:
            # not PATH_INFO: frameworks merge `//`, resolve `..` and guess at encodings
            name = unquote_to_bytes(key).decode("utf-8")
        except UnicodeDecodeError:
            raise _Refusal(HTTPStatus.BAD_REQUEST, "InvalidURI", "A key must be UTF-8.") from None
        if len(name.encode()) > LONGEST_KEY_BYTES:
            raise _Refusal(HTTPStatus.BAD_REQUEST, "KeyTooLongError", "Your key is too long.")
        return cls(
            method=environ["REQUEST_METHOD"],
            bucket=bucket,
            key=name,
            query=parse_qs(query, keep_blank_values=True),
            headers={header.lower(): value for header, value in Request(environ).headers},
            environ=environ,
        )

    @property
    def operation(self) -> str:
        """The subresource that the query names, such as `tagging`; empty for a plain request."""
        names = {name.lower() for name in self.query}
        return ", ".join(sorted(name for name in names if name != "x-id" and not name.startswith("x-amz-")))


class _DurableS3:
    """The WSGI application: writes are done here, reads are moto's."""

    def __init__(self, bucket: _Bucket, access_key: str) -> None:
        self._bucket = bucket
        self._access_key = access_key
        self._moto = create_backend_app("s3")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            call = _Call.of(environ)
            self._admit(call)
            status, headers, body = self._answer(call)
        except _Refusal as refusal:
            status, headers, body = _error(refusal.status, refusal.code, refusal.message)
        except ConnectionError:
            raise  # the client went away; werkzeug knows what to do
        except OSError as err:
            log.exception("The disk refused a write of the embedded S3")
            message = f"DATA_DIR could not be written or read: {err.strerror or err}."
            # 507, for a full disk is not helped by the retries that a client answers a 500 with
            status, headers, body = _error(HTTPStatus.INSUFFICIENT_STORAGE, "InternalError", message)
        except Exception:
            log.exception("The embedded S3 failed at %s", environ.get("REQUEST_METHOD"))
            status, headers, body = _error(500, "InternalError", "The embedded S3 failed; its log says why.")
        headers.append(("x-amz-request-id", secrets.token_hex(8)))
        start_response(status, headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    def _admit(self, call: _Call) -> None:
        signed = CREDENTIAL.search(call.headers.get("authorization", ""))
        presigned = call.query.get("X-Amz-Credential", [""])[0]
        presented = signed[1] if signed else presigned.partition("/")[0]
        if not presented:
            raise _Refusal(HTTPStatus.FORBIDDEN, "AccessDenied", "Access Denied")
        if not hmac.compare_digest(presented.encode(), self._access_key.encode()):
            message = "The AWS Access Key Id you provided does not exist in our records."
            raise _Refusal(HTTPStatus.FORBIDDEN, "InvalidAccessKeyId", message)
        if not signed and _has_expired(call.query):
            raise _Refusal(HTTPStatus.FORBIDDEN, "AccessDenied", "Request has expired")

    def _answer(self, call: _Call) -> _Answer:
        if call.method in ("GET", "HEAD") and not call.bucket:
            return self._ask_moto(call)
        if call.bucket != BUCKET:
            if call.method == "PUT" and not call.key:
                raise _not_kept("another bucket")
            raise _Refusal(HTTPStatus.NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist")
        if call.method in ("GET", "HEAD"):
            return self._ask_moto(call)
        if call.method == "POST" and not call.key and "delete" in call.query:
            return self._delete_many(call)
        if call.operation or call.method not in ("PUT", "DELETE"):
            raise _not_kept(call.operation or call.method)
        if not call.key and call.method == "DELETE":
            raise _not_kept("removing the bucket")
        if not call.key:
            message = f"The bucket {BUCKET} is there and stays there."
            raise _Refusal(HTTPStatus.CONFLICT, "BucketAlreadyOwnedByYou", message)
        return self._put(call) if call.method == "PUT" else self._delete(call)

    def _ask_moto(self, call: _Call) -> _Answer:
        environ = dict(call.environ)
        # Moto takes the key from RAW_URI; Flask's routing must not stumble over PATH_INFO.
        environ["PATH_INFO"] = f"/{call.bucket}/key" if call.key else f"/{call.bucket}"
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._bucket.account
        environ["HTTP_AUTHORIZATION"] = (
            f"AWS4-HMAC-SHA256 Credential={self._access_key}/20000101/{REGION}/s3/aws4_request"
        )
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _info: object = None, /) -> Any:
            started.append((status, headers))

        # Under the lock, for moto walks through a plain dict and a key's bytes are read from its file.
        with self._bucket.lock:
            body = b"".join(self._moto(environ, start_response))
        status, headers = started[0]
        # moto invites every web page to read
        return status, [row for row in headers if not row[0].lower().startswith("access-control-")], body

    def _put(self, call: _Call) -> _Answer:
        _refuse_what_would_be_lost(call.headers)
        if "x-amz-copy-source" in call.headers:
            return self._copy(call)
        data = _body(call)
        record = self._bucket.put(call.key, data, _kept(call.headers), lambda: self._check(call))
        return "200 OK", [("ETag", f'"{record.etag}"'), ("Content-Length", "0")], b""

    def _copy(self, call: _Call) -> _Answer:
        source = unquote_to_bytes(call.headers["x-amz-copy-source"]).decode("utf-8", "replace")
        bucket, _, name = source.removeprefix("/").partition("/")
        if "?versionId=" in source:
            raise _not_kept("versions")
        with self._bucket.lock:
            original = self._bucket.key(name) if bucket == BUCKET else None
            if original is None:
                raise _Refusal(HTTPStatus.NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
            data, headers = original.value, original.kept_headers
        if call.headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE":
            headers = _kept(call.headers)
        record = self._bucket.put(call.key, data, headers, lambda: self._check(call))
        xml = f"<LastModified>{record.modified[:19]}.000Z</LastModified><ETag>&quot;{record.etag}&quot;</ETag>"
        return _xml("200 OK", "CopyObjectResult", xml)

    def _delete(self, call: _Call) -> _Answer:
        self._bucket.delete(call.key, lambda: self._check(call))
        return "204 No Content", [], b""

    def _delete_many(self, call: _Call) -> _Answer:
        try:
            wish = xmltodict.parse(_body(call), force_list=("Object",), strip_whitespace=False)["Delete"]
            keys = [str(row["Key"]) for row in wish["Object"]]
        except (ExpatError, KeyError, TypeError):
            message = "The XML you provided was not well-formed or did not validate against our schema"
            raise _Refusal(HTTPStatus.BAD_REQUEST, "MalformedXML", message) from None
        if any({"VersionId", "ETag"} & set(row) for row in wish["Object"]):
            raise _not_kept("deleting by version or etag")
        for key in keys:
            self._bucket.delete(key, lambda: None)
        rows = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        return _xml("200 OK", "DeleteResult", "" if wish.get("Quiet") == "true" else rows)

    def _check(self, call: _Call) -> None:
        """Raise unless the request's condition holds; called under the lock."""
        match, none_match = call.headers.get("if-match"), call.headers.get("if-none-match")
        present = self._bucket.key(call.key)
        if none_match is not None and none_match != "*":
            raise _not_kept("If-None-Match with an etag")
        if match is not None and present is None:
            raise _Refusal(HTTPStatus.NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
        does_match = match is None or match == "*" or match.strip('"') == present.etag.strip('"')
        if not does_match or (none_match and present is not None):
            message = "At least one of the pre-conditions you specified did not hold"
            raise _Refusal(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed", message)


class EmbeddedS3:
    """A running embedded S3: this process's own, or the one of another process on the same DATA_DIR.

    `owner` says which. A borrowed server lives only as long as the process that owns it.
    """

    bucket: Final = BUCKET

    def __init__(self, endpoint_url: str, access_key: str, secret_key: str, serving: _Serving | None = None) -> None:
        self.endpoint_url = endpoint_url
        self.access_key = access_key
        self.secret_key = secret_key
        self.owner = serving is not None
        self._serving = serving

    @classmethod
    def open(cls, data_dir: Path, samples: Path) -> EmbeddedS3:
        """Serve `data_dir`, or find the server of the process that already does.

        `samples` is the sample library's folder; its name is the first part of the samples' keys.
        Raises ConfigError if DATA_DIR cannot be written or the samples are missing, StorageUnavailable
        if another process holds DATA_DIR and is silent.
        """
        if not samples.is_dir():
            message = f"S3_BUCKET is not set, and the sample library is not at “{samples}” either."
            raise ConfigError(message, setting="S3_BUCKET")
        patience_ends = time.monotonic() + LOCK_PATIENCE_S
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            while True:
                lock = _take_lock(data_dir)
                if lock is not None:
                    return cls._serve(data_dir, samples, lock)
                running = cls._running(data_dir)
                if running is not None:
                    return running
                if time.monotonic() > patience_ends:
                    message = f"Another process holds DATA_DIR ({data_dir}) but does not answer; stop it first."
                    raise StorageUnavailable(message)
                time.sleep(0.05)
        except OSError as err:
            message = f"DATA_DIR is “{data_dir}”, which cannot be used: {err.strerror or err}."
            raise ConfigError(message, setting="DATA_DIR") from err

    @classmethod
    def _serve(cls, data_dir: Path, samples: Path, lock: int) -> EmbeddedS3:
        try:
            _endpoint_file(data_dir).unlink(missing_ok=True)
            access_key, secret_key = _credentials(data_dir)
            serving = _Serving(data_dir, samples, access_key, lock)
        except BaseException:
            os.close(lock)
            raise
        try:
            _publish(_endpoint_file(data_dir), {"endpoint_url": serving.endpoint_url, "pid": os.getpid()})
        except BaseException:
            serving.close()
            raise
        return cls(serving.endpoint_url, access_key, secret_key, serving)

    @classmethod
    def _running(cls, data_dir: Path) -> EmbeddedS3 | None:
        with suppress(FileNotFoundError, ValueError, KeyError):
            endpoint_url = json.loads(_endpoint_file(data_dir).read_text())["endpoint_url"]
            access_key, secret_key = _read_credentials(data_dir)
            if _answers(endpoint_url, access_key):  # the file may be a killed process's
                return cls(endpoint_url, access_key, secret_key)
        return None

    def close(self) -> None:
        """Stop serving, after the write in progress; a borrowed server is left alone."""
        if self._serving is not None:
            self._serving.close()
            self._serving = None


class _Serving:
    """The server thread and what it holds."""

    def __init__(self, data_dir: Path, samples: Path, access_key: str, lock: int) -> None:
        self._bucket = _Bucket(_Shelf(data_dir / "s3"), samples)
        self._lock = lock
        self._endpoint_file = _endpoint_file(data_dir)
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1",
            0,
            _DurableS3(self._bucket, access_key),
            threaded=True,
            request_handler=_QuietHandler,
        )
        self.endpoint_url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(STOP_POLL_S,), name="embedded-s3", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._endpoint_file.unlink(missing_ok=True)
        self._server.shutdown()
        self._thread.join()
        self._bucket.close()
        os.close(self._lock)  # last: from here on another process may write


class _QuietHandler(MotoRequestHandler):
    """Moto's handler without a log line for every request."""

    def log_request(self, *_args: object) -> None:
        """Say nothing."""


_Answer = tuple[str, list[tuple[str, str]], bytes]


def _take_lock(data_dir: Path) -> int | None:
    lock = os.open(data_dir / "s3.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    except OSError:
        os.close(lock)
        raise
    return lock


def _endpoint_file(data_dir: Path) -> Path:
    return data_dir / "s3.endpoint.json"


def _credentials(data_dir: Path) -> tuple[str, str]:
    with suppress(FileNotFoundError, ValueError, KeyError):
        return _read_credentials(data_dir)
    access_key, secret_key = f"STUDIO{secrets.token_hex(16).upper()}", secrets.token_urlsafe(30)
    _publish(data_dir / "s3.credentials.json", {"access_key": access_key, "secret_key": secret_key})
    return access_key, secret_key


def _read_credentials(data_dir: Path) -> tuple[str, str]:
    content = json.loads((data_dir / "s3.credentials.json").read_text())
    return content["access_key"], content["secret_key"]


def _answers(endpoint_url: str, access_key: str) -> bool:
    where = urlsplit(endpoint_url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=2)
    try:
        connection.request("HEAD", f"/{BUCKET}", headers={"Authorization": f"Credential={access_key}/"})
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _publish(path: Path, content: Mapping[str, object]) -> None:
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        _write_durably(temporary, json.dumps(content).encode())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _write_durably(path: Path, *parts: bytes) -> None:
    with io.FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for part in parts:
            rest = memoryview(part)
            while rest:
                rest = rest[file.write(rest) :]
        _sync(file.fileno())


def _sync(descriptor: int) -> None:
    full_sync = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone stops at the disk's own cache
    if full_sync is not None:
        with suppress(OSError):
            fcntl.fcntl(descriptor, full_sync)
            return
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sample_files(samples: Path) -> Iterator[tuple[str, Path]]:
    for path in samples.rglob("*"):
        below = path.relative_to(samples)
        if path.is_file() and not any(part.startswith(".") for part in below.parts):
            yield f"{samples.name}/{below.as_posix()}", path


def _content_type(path: Path) -> str:
    known = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
    return known.get(path.suffix.lower(), "application/octet-stream")


def _refuse_what_would_be_lost(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        is_known = name in TRANSPORT_HEADERS or name.startswith(("x-amz-meta-", "x-amz-checksum-"))
        if name.startswith("x-amz-") and not is_known and (name, value) not in DEFAULTS_SAID_ALOUD:
            raise _not_kept(name)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in headers.items() if name in KEPT_HEADERS and value}
    kept |= {name: value for name, value in headers.items() if name.startswith("x-amz-meta-")}
    encodings = [one.strip() for one in kept.pop("content-encoding", "").split(",")]
    encoding = ",".join(one for one in encodings if one and one != "aws-chunked")
    if encoding:
        kept["content-encoding"] = encoding
    kept.setdefault("content-type", "binary/octet-stream")
    return kept


def _body(call: _Call) -> bytes:
    """The request's bytes, complete and as their sender meant them, or a refusal."""
    announced = call.headers.get("content-length", "")
    if not announced.isdigit():
        message = "You must provide the Content-Length HTTP header."
        raise _Refusal(HTTPStatus.LENGTH_REQUIRED, "MissingContentLength", message)
    if int(announced) > LARGEST_OBJECT_BYTES:
        message = f"The embedded S3 takes objects of up to {LARGEST_OBJECT_BYTES} bytes."
        raise _Refusal(HTTPStatus.BAD_REQUEST, "EntityTooLarge", message)
    data: bytes = call.environ["wsgi.input"].read(int(announced))
    is_complete = len(data) == int(announced)
    digest = call.headers.get("x-amz-content-sha256", "")
    if digest.startswith("STREAMING-"):
        data = _dechunked(data)
        is_complete = is_complete and str(len(data)) == call.headers.get("x-amz-decoded-content-length")
    if not is_complete:
        message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
        raise _Refusal(HTTPStatus.BAD_REQUEST, "IncompleteBody", message)
    if len(digest) == 64 and digest != hashlib.sha256(data).hexdigest():
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise _Refusal(HTTPStatus.BAD_REQUEST, "XAmzContentSHA256Mismatch", message)
    md5 = call.headers.get("content-md5")
    if md5 and md5 != base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode():
        message = "The Content-MD5 you specified did not match what we received."
        raise _Refusal(HTTPStatus.BAD_REQUEST, "BadDigest", message)
    return data


def _dechunked(data: bytes) -> bytes:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html"""
    source, parts = io.BytesIO(data), []
    with suppress(ValueError):  # a broken frame ends the body, which then is too short
        while size := int(source.readline().partition(b";")[0], 16):
            parts.append(source.read(size))
            source.readline()
    return b"".join(parts)


def _has_expired(query: Mapping[str, list[str]]) -> bool:
    try:
        signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return (datetime.now(UTC) - signed).total_seconds() > int(query["X-Amz-Expires"][0])
    except (KeyError, ValueError):
        return True


def _not_kept(what: str) -> _Refusal:
    message = f"The embedded S3 could not keep this across a restart, so it does not take it: {what}."
    return _Refusal(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", message)


def _error(status: int, code: str, message: str) -> _Answer:
    phrase = HTTPStatus(status).phrase
    return _xml(f"{status} {phrase}", "Error", f"<Code>{code}</Code><Message>{escape(message)}</Message>")


def _xml(status: str, element: str, content: str) -> _Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{element}>{content}</{element}>'.encode()
    return status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body
