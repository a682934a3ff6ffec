"""The objects on disk: one file an object, a JSON header line and then its bytes.

    objects/<2 hex>/<62 hex>   named by the SHA-256 of the key
    incoming/                  temporary files; emptied at every start

Whatever lies in `objects` is complete. A removed sample leaves a tombstone, a header without bytes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from core.storage.local.disk import make_folder, stage, sync_folder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ObjectHeader:
    """An object's header line; `headers` are lower-case, `modified` is UTC without a zone, as moto has it."""

    key: str
    etag: str = ""
    size_bytes: int = 0
    modified: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_tombstone: bool = False

    @classmethod
    def of(cls, key: str, data: bytes, headers: Mapping[str, str], modified: datetime) -> ObjectHeader:
        """What is to be said of these bytes."""
        return cls(
            key=key,
            etag=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            size_bytes=len(data),
            modified=modified.astimezone(UTC).replace(tzinfo=None).isoformat(),
            headers=dict(headers),
        )

    def line(self) -> bytes:
        """The record as the first line of its file."""
        return json.dumps(asdict(self)).encode("ascii") + b"\n"


class ObjectFiles:
    """The files below one folder. The caller keeps changes of one key apart and ends each with `sync`."""

    def __init__(self, root: Path) -> None:
        self._objects = root / "objects"
        self._incoming = root / "incoming"
        for number in range(256):
            make_folder(self._objects / f"{number:02x}")
        make_folder(self._incoming)
        for folder in (self._objects, root, root.parent):
            sync_folder(folder)
        for leftover in self._incoming.iterdir():
            leftover.unlink()

    def stage(self, record: ObjectHeader, data: bytes = b"") -> AbstractContextManager[Path]:
        """A complete temporary file for `place`; gone afterwards unless it was placed."""
        return stage(self._incoming / secrets.token_hex(16), record.line(), data)

    def place(self, temporary: Path, key: str) -> None:
        """Put a staged file in the place of whatever the key had."""
        temporary.replace(self._path(key))

    def remove(self, key: str) -> None:
        """Take the key's file away."""
        self._path(key).unlink(missing_ok=True)

    def sync(self, key: str) -> None:
        """Make the last `place` or `remove` of this key durable."""
        sync_folder(self._path(key).parent)

    def read(self, key: str) -> bytes:
        """The bytes of an object that is there."""
        with self._path(key).open("rb") as file:
            file.readline()
            return file.read()

    def records(self) -> Iterator[ObjectHeader]:
        """Everything that was ever placed and not removed."""
        for path in self._objects.glob("??/*"):
            try:
                yield self._record_in(path)
            except (ValueError, TypeError) as err:
                # no crash of ours leaves such a file, a damaged disk does: one object must not stop the rest
                log.warning("Skipped the damaged object file %s: %s", path, err)

    def _record_in(self, path: Path) -> ObjectHeader:
        with path.open("rb") as file:
            record = ObjectHeader(**json.loads(file.readline()))
            if path != self._path(record.key) or path.stat().st_size != file.tell() + record.size_bytes:
                raise ValueError("size or name does not fit")
        return record

    def _path(self, key: str) -> Path:
        # keys may be longer than file names, hold `..` or differ only in case
        digest = hashlib.sha256(key.encode()).hexdigest()
        return self._objects / digest[:2] / digest[2:]
