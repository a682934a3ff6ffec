"""The store over a real S3: one bucket's objects, read and written for any number of threads."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, Self

from core.errors import NotFound, StorageError, StorageUnavailable, WriteConflict
from core.objects.objects import ARCHIVE_CLASSES, Blob, StoredObject
from core.storage.client import BucketClient, Reach
from core.storage.faults import is_not_implemented, no_bucket

CHUNK_BYTES: Final = 256 * 1024
CLAIM: Final = "write-claim"  # user metadata by which a conditional write recognises itself
PASSED_ON_HEADERS: Final = frozenset(
    {"accept-ranges", "content-length", "content-range", "content-type", "etag", "last-modified"}
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
    """One bucket of an S3, for any number of threads; `attempts` and time limits as in BucketClient."""

    def __init__(self, reach: Reach, *, attempts: int = 3) -> None:
        self.client = BucketClient(reach, attempts=attempts)

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.client.bucket

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[StoredObject]:
        """All objects under a prefix in key order (UTF-8 bytes), page by page."""
        for page in self._list_pages(prefix, **({"StartAfter": start_after} if start_after else {})):
            for row in page.get("Contents", ()):
                yield StoredObject(
                    row["Key"],
                    _bare(row.get("ETag")),
                    row["Size"],
                    _utc(row["LastModified"]),
                    row.get("StorageClass") in ARCHIVE_CLASSES,
                )

    def folders(self, prefix: str) -> Iterator[str]:
        """The names right below a prefix that end with a slash there, without it, in key order."""
        for page in self._list_pages(prefix, Delimiter="/"):
            for row in page.get("CommonPrefixes", ()):
                yield row["Prefix"].removeprefix(prefix).removesuffix("/")

    def head(self, key: str) -> StoredObject:
        """One object's row. Raises NotFound."""
        try:
            row = self.client.call("head_object", Key=key)
        except NotFound:
            self.check_bucket()  # a HEAD's 404 does not say whether the key or the bucket is missing
            raise
        modified = _utc(row["LastModified"])
        return StoredObject(key, _bare(row.get("ETag")), row["ContentLength"], modified, _is_archived(row))

    def get(self, key: str) -> Blob:
        """One object with its bytes. Raises NotFound, and ObjectArchived until it is restored."""
        return self._read(key)[0]

    def stream(self, key: str, *, byte_range: tuple[int, int] | None = None) -> ObjectStream:
        """An object chunk by chunk; `byte_range` is first and last byte, both included.

        Raises NotFound, ObjectArchived, and InputError for a range that starts behind the object's end.
        """
        wanted = {"Range": f"bytes={byte_range[0]}-{byte_range[1]}"} if byte_range else {}
        answer = self.client.call("get_object", Key=key, **wanted)
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
            answer = self.client.call("put_object", Key=key, Body=data, ContentType=content_type, **conditions)
        except WriteConflict as lost:
            theirs, their_claim = self._winner(key)
            if theirs is not None and their_claim == claim:
                return theirs.etag
            lost.theirs = theirs.data if theirs else None
            raise
        except NotFound as gone:
            if if_match is None:
                raise
            raise WriteConflict("Somebody else removed “{key}” first.", key=key) from gone
        return _bare(answer["ETag"])

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        with suppress(NotFound):
            self.client.call("delete_object", Key=key)

    def check_bucket(self) -> None:
        """Raise unless the bucket is there and the credentials may see it."""
        try:
            self.client.call("head_bucket")
        except NotFound as err:
            raise no_bucket(bucket=self.bucket, endpoint=self.client.endpoint) from err

    def clock_offset_s(self) -> float:
        """Seconds by which the server's clock is ahead of this machine's, to the second; 0 if it does not say."""
        date = self.client.call("head_bucket")["ResponseMetadata"]["HTTPHeaders"].get("date")
        return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds() if date else 0.0

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

    def _list_pages(self, prefix: str, **position: str) -> Iterator[Any]:
        """The pages of a listing from a position on, each asked for when the one before it has been used."""
        shape = {"Delimiter": position["Delimiter"]} if "Delimiter" in position else {}
        while True:
            page = self.client.list_page(prefix, **position)
            yield page
            if not page.get("IsTruncated"):
                return
            position = {**shape, "ContinuationToken": page["NextContinuationToken"]}

    def _is_refused(self, key: str, *, create_only: bool = False, if_match: str | None = None) -> bool:
        try:
            self.put(key, b"second", content_type="text/plain", create_only=create_only, if_match=if_match)
        except WriteConflict:
            return True
        except StorageUnavailable as err:
            if not is_not_implemented(err):  # a server may know the header and say that it cannot do it
                raise
        return False

    def _read(self, key: str) -> tuple[Blob, str | None]:
        with self.client.faults(key):
            answer = self.client.s3.get_object(Bucket=self.bucket, Key=key)
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
        with self.client.faults(key), closing(body):
            yield from body.iter_chunks(CHUNK_BYTES)


def _bare(etag: str | None) -> str:
    return (etag or "").removeprefix("W/").strip('"')


def _is_archived(head: Mapping[str, Any]) -> bool:
    """Whether a HEAD's answer says that the bytes cannot be read now.

    Intelligent-Tiering tells of its archive tiers in a header of their own, and `Restore` says whether a copy is
    there: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    """
    is_away = head.get("StorageClass") in ARCHIVE_CLASSES or bool(head.get("ArchiveStatus"))
    return is_away and 'ongoing-request="false"' not in head.get("Restore", "")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _total(content_range: str | None, size: int) -> int:
    """The object's whole size, from `bytes 0-9/120`."""
    total = (content_range or "").rpartition("/")[2]
    return int(total) if total.isdigit() else size
