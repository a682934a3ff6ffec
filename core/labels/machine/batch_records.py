"""Batch records: which pictures were sent away together, remembered in S3 until their answers are taken in.

<app>/labels/batches/<ulid>.json   written before anything is sent; the batch's id as soon as there is one
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError
from ulid import ULID

from core.labels.machine.labeling import Sitter
from core.objects.objects import ObjectStore


class BatchState(StrEnum):
    """How far a batch has come."""

    PREPARED = "prepared"
    SENT = "sent"
    DONE = "done"


class BatchRecord(BaseModel):
    """A batch and its pictures."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    run: str
    labeler: str
    state: BatchState
    batch_id: str | None = None
    created_at: datetime
    sitters: tuple[Sitter, ...]


class BatchRecords:
    """Reads and writes the records of one labeler; every method raises StorageDenied or StorageUnavailable.

    A record is written over only by who has read it last: of two processes that settle one batch, one fails with
    WriteConflict.
    """

    def __init__(self, store: ObjectStore, *, app_prefix: str, labeler: str) -> None:
        self._store = store
        self._prefix = f"{app_prefix}labels/batches/"
        self._labeler = labeler

    def prepare(self, sitters: Sequence[Sitter], *, run: str) -> tuple[BatchRecord, str]:
        """Record what is about to be sent; the record and its etag."""
        record = BatchRecord(
            id=str(ULID()),
            run=run,
            labeler=self._labeler,
            state=BatchState.PREPARED,
            created_at=datetime.now(UTC),
            sitters=tuple(sitters),
        )
        return record, self._put(record, if_match=None)

    def mark_sent(self, record: BatchRecord, etag: str, batch_id: str) -> None:
        """Record the batch's id."""
        self._put(record.model_copy(update={"state": BatchState.SENT, "batch_id": batch_id}), if_match=etag)

    def mark_done(self, record: BatchRecord, etag: str) -> None:
        """Record that the answers are in S3."""
        self._put(record.model_copy(update={"state": BatchState.DONE}), if_match=etag)

    def forget(self, record: BatchRecord) -> None:
        """Remove the record of what was never sent."""
        self._store.delete(self._key_of(record))

    def list_open(self) -> list[tuple[BatchRecord, str]]:
        """The records whose answers have not been taken in, oldest first, with their etags."""
        found = []
        for row in self._store.list(self._prefix):
            blob = self._store.get(row.key)
            try:
                record = BatchRecord.model_validate_json(blob.data)
            except ValidationError:
                continue
            if record.labeler == self._labeler and record.state is not BatchState.DONE:
                found.append((record, blob.etag))
        return found

    def _put(self, record: BatchRecord, *, if_match: str | None) -> str:
        data = record.model_dump_json().encode()
        return self._store.put(
            self._key_of(record),
            data,
            content_type="application/json",
            create_only=if_match is None,
            if_match=if_match,
        )

    def _key_of(self, record: BatchRecord) -> str:
        return f"{self._prefix}{record.id}.json"
