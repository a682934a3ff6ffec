"""The vote store: what voters do counts at once, is kept on disk, and is written to S3 behind everybody's back.

What S3 has counts as S3 has it; what it does not have yet counts as this server has kept it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from core.concurrency.background import in_background
from core.concurrency.periodic import Periodic
from core.errors import NotFound, StorageError, WriteConflict
from core.objects.objects import ObjectStore
from core.record_index.index import RecordIndex
from core.references.listing.list_page import ListPageSource
from core.votes.records.book import VoteBook
from core.votes.records.outbox import Outbox
from core.votes.records.seen import Seen
from core.votes.records.vote_rows import VoteRow, vote_source
from core.votes.records.votes import Vote, VoteRecord, read_record

_SUFFIX: Final = ".json"


class VoteStore:
    """Keeps votes; for any number of threads and servers."""

    def __init__(
        self,
        store: ObjectStore,
        outbox: Outbox,
        seen: Seen,
        *,
        app_prefix: str,
        list_pages: ListPageSource | None,
    ) -> None:
        self._store = store
        self._seen = seen
        self._source = vote_source(store, app_prefix=app_prefix, list_pages=list_pages)
        self.book = VoteBook()
        self._index = RecordIndex(store, self._source, observe=self.book.note)
        self.outbox = outbox
        outbox.deliver_with(_SUFFIX, self._deliver)

    @property
    def loops(self) -> tuple[Periodic, ...]:
        """The background work."""
        return self._index.loop, self.outbox.loop

    @property
    def is_read(self) -> bool:
        """Whether nothing of S3 is left to be read for the first time."""
        coverage = self._index.coverage
        return coverage.is_loaded and not coverage.days_left

    def recover(self) -> None:
        """Count what an earlier process on this machine kept and S3 does not have. Raises StorageError."""
        for name, data in self.outbox.kept():
            with suppress(StorageError):  # delivering names it
                if name.endswith(_SUFFIX):
                    self.book.keep(VoteRow.of(read_record(data, name.removesuffix(_SUFFIX)), ""))

    def stop(self) -> None:
        """End the background work, with a last try in the background; what S3 does not take stays on the disk."""
        self.outbox.loop.stop()
        self._index.stop()
        in_background(self.outbox.deliver_all, name="votes-stop")

    def catch_up(self) -> None:
        """Read everything that S3 holds, now. Raises StorageError."""
        self._index.catch_up()

    def look(self) -> None:
        """Read what has been voted in the last hour, now. Raises StorageError."""
        self._index.look()

    def keep(self, record: VoteRecord) -> None:
        """It counts, and is safe, when this returns. Raises StorageError where neither the disk nor S3 takes it."""
        name, data = f"{record.id}{_SUFFIX}", record.model_dump_json().encode()
        self.book.keep(VoteRow.of(record, ""))
        try:
            self.outbox.put(name, data)
        except StorageError:
            self.book.release(record.id)
            raise

    def vote_on(self, ballot: str) -> VoteRow | None:
        """The vote on a ballot, from S3 where this server has not heard of it. Raises StorageError."""
        known = self.book.vote(ballot)
        if known is not None:
            return known
        with suppress(NotFound):
            self._learn(ballot)
        return self.book.vote(ballot)

    def said_on(self, voter: str, ballot: str) -> VoteRow | None:
        """A voter's vote on a ballot, or their skip of it, from S3 where this server has not heard of it.

        Raises StorageError.
        """
        known = self.book.skip(voter, ballot) or self.vote_on(ballot)
        if known is None:  # skips lie under ids of their own
            self.look()
            known = self.book.skip(voter, ballot)
        return known

    def _deliver(self, name: str, data: bytes) -> None:
        """Write what the outbox kept. May be repeated. Raises StorageError."""
        record = read_record(data, name.removesuffix(_SUFFIX))
        if isinstance(record, Vote) and record.blind:
            is_late = self._seen.was_seen_before(record.voter, record.comparison, record.time)
            record = record.model_copy(update={"blind": not is_late})
        key = self._source.listing.key_of(record.id)
        try:
            etag = self._store.put(
                key, record.model_dump_json(indent=1).encode(), content_type="application/json", create_only=True
            )
            self._know(VoteRow.of(record, etag))
        except WriteConflict:  # delivered before, by this server or, for the same ballot, by another one
            self._learn(record.id)
        self.book.release(record.id)

    def _learn(self, record_id: str) -> None:
        """Know a record as S3 has it. Raises NotFound and what S3 raises."""
        fetched = self._source.fetch(record_id)
        self._know(VoteRow.of(fetched.read(), fetched.etag))

    def _know(self, row: VoteRow) -> None:
        self.book.note(row.id, row)
        self._index.add(row)
