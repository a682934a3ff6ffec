"""The one bucket, as moto sees it and as it is on disk: moto is told of nothing that is not there.

The sample library is a layer below: it is read at every start, so an upgrade's new pictures appear;
an object written over a sample hides it, a deletion leaves a tombstone.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from moto.s3.models import FakeBucket, FakeKey, s3_backends

from core.storage.embedded.condition import Condition
from core.storage.embedded.object_files import ObjectFiles, ObjectHeader
from core.storage.embedded.s3_error import S3Error
from core.storage.embedded.samples import Sample, samples_in

BUCKET: Final = "studio"
REGION: Final = "us-east-1"


class MotoKey(FakeKey):
    """A moto key whose bytes stay on disk, so that the bucket may outgrow the memory."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> MotoKey:
        # moto keeps every key it ever made in a list; a long-lived server must not
        key: MotoKey = object.__new__(cls)
        return key

    def __init__(self, record: ObjectHeader, account: str, read: Callable[[], bytes]) -> None:
        self.record = record
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


class Bucket:
    """The bucket of one server. Reads through moto and writes through here exclude each other by `lock`."""

    def __init__(self, object_files: ObjectFiles, samples: Path) -> None:
        self.lock = threading.RLock()
        # An account of its own keeps apart the servers of one process; moto's backends are global.
        self.account = f"{secrets.randbelow(10**12):012d}"
        self._object_files = object_files
        self._is_closed = False
        self._backend = s3_backends[self.account]["aws"]
        self._moto = FakeBucket(BUCKET, self.account, REGION)  # type: ignore[abstract]  # moto does the same
        self._backend.buckets[BUCKET] = self._moto
        below = {sample.key: sample for sample in samples_in(samples)}
        self._sample_keys = frozenset(below)
        for record in object_files.records():
            below.pop(record.key, None)
            if not record.is_tombstone:
                self._show_object(record)
        for sample in below.values():
            self._show_sample(sample)

    def key(self, name: str) -> MotoKey | None:
        """An object and its record; its bytes may be read under the lock."""
        key: MotoKey | None = self._moto.keys.get(name)
        return key

    def put(self, name: str, data: bytes, headers: Mapping[str, str], condition: Condition) -> ObjectHeader:
        """Write durably. Raises S3Error if the condition does not hold at the moment of the commit."""
        record = ObjectHeader.of(name, data, headers, datetime.now(UTC))
        with self._object_files.stage(record, data) as temporary, self.lock:
            self._refuse_unless_open(name, condition)
            self._object_files.place(temporary, name)
            # Before the sync: should that fail, moto must still say what the disk says.
            self._show_object(record)
            self._object_files.sync(name)
        return record

    def delete(self, name: str, condition: Condition) -> None:
        """Remove durably; a missing key is no error. Raises S3Error as `put` does."""
        with self.lock:
            self._refuse_unless_open(name, condition)
            if self.key(name) is None:
                return
            if name in self._sample_keys:
                with self._object_files.stage(ObjectHeader(name, is_tombstone=True)) as tombstone:
                    self._object_files.place(tombstone, name)
            else:
                self._object_files.remove(name)
            self._moto.keys.pop(name)
            self._object_files.sync(name)

    def close(self) -> None:
        """Wait for the write in progress, refuse later ones, and leave moto as it was found."""
        with self.lock:
            self._is_closed = True
            self._moto.keys.clear()
            self._backend.buckets.pop(BUCKET, None)
            if s3_backends.bucket_accounts.get(BUCKET, ("", ""))[1] == self.account:
                del s3_backends.bucket_accounts[BUCKET]
            s3_backends.pop(self.account, None)

    def _refuse_unless_open(self, name: str, condition: Condition) -> None:
        if self._is_closed:
            raise S3Error(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable", "The server is stopping.")
        present = self.key(name)
        condition.refuse_unless_held(present.record.etag if present else None)

    def _show_object(self, record: ObjectHeader) -> None:
        self._show(record, partial(self._object_files.read, record.key))

    def _show_sample(self, sample: Sample) -> None:
        data = sample.path.read_bytes()
        modified = datetime.fromtimestamp(sample.path.stat().st_mtime, UTC)
        self._show(ObjectHeader.of(sample.key, data, {"content-type": sample.content_type}, modified), lambda: data)

    def _show(self, record: ObjectHeader, read: Callable[[], bytes]) -> None:
        self._moto.keys.setlist(record.key, [MotoKey(record, self.account, read)])
