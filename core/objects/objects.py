"""Objects in a bucket, as the domain sees them: a key, an etag, bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

# The classes whose objects nobody can read before they are restored; GLACIER_IR's are read like any other.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
ARCHIVE_CLASSES: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})
KEY_BYTES_MAX: Final = 1024  # of UTF-8; https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One row of a listing. `etag` comes without quotes; `modified` is in UTC.

    `is_archived` says that S3 will not hand its bytes out before they are restored. A listing knows that by the storage
    class alone, and calls what has been restored archived; `head` knows all.
    """

    key: str
    etag: str
    size_bytes: int
    modified: datetime
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Blob:
    """An object with its bytes."""

    key: str
    etag: str
    data: bytes
    content_type: str
    modified: datetime


class ObjectStore(Protocol):
    """What the domain needs of S3. Keys are exactly as S3 gives them.

    Every method raises StorageDenied when the credentials may not do that, and StorageUnavailable when S3 does not
    answer, or answers with a fault. To change an object that others change too:

        known = store.get("studio/access.json")
        try:
            store.put(known.key, changed, content_type=known.content_type, if_match=known.etag)
        except WriteConflict as lost:
            theirs = lost.theirs  # what somebody else wrote in the meantime
    """

    @property
    def bucket(self) -> str:
        """The bucket's name."""

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[StoredObject]:
        """All objects under a prefix in key order (UTF-8 bytes), page by page."""

    def folders(self, prefix: str) -> Iterator[str]:
        """The names right below a prefix that end with a slash there, without it, in key order."""

    def head(self, key: str) -> StoredObject:
        """One object's row. Raises NotFound."""

    def get(self, key: str) -> Blob:
        """One object with its bytes. Raises NotFound, and ObjectArchived until it is restored."""

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
        """

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
