"""History: comparisons as S3 holds them, and where each attempt stands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, takewhile

import structlog
from ulid import ULID

from core.concurrency.periodic import Periodic
from core.concurrency.single_flight import SingleFlightCache
from core.errors import NotFound, StorageError, WriteConflict
from core.generation.records.attempt import AttemptId, AttemptStart, Server, attempt_file
from core.generation.records.attempt_status import ComparisonStatus
from core.generation.records.comparison import Comparison
from core.generation.records.month_file import MONTH_FILE, Row
from core.generation.records.outcome import Outcome
from core.generation.records.status_reader import StatusReader, conclude_import
from core.objects.objects import ObjectStore, StoredObject
from core.record_index.index import Coverage, RecordIndex
from core.record_index.listing import RecordListing
from core.record_index.source import ObjectSource
from core.references.listing.list_page import ListPageSource
from core.unicode import searchable

_log = structlog.get_logger(__name__)
_REMEMBERED = 2_000  # records kept in memory; they never change, so a read one stays true
_ULID_TIME_CHARS = 10  # https://github.com/ulid/spec: milliseconds since 1970, in an order that is their letters'
_KEPT_BYTES = 8 * 1024 * 1024  # of starts and outcomes, each about half a kilobyte


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """What a person looks for; empty fields do not narrow."""

    text: str = ""
    person: str | None = None
    mode: str | None = None
    varies: str | None = None
    tone: str | None = None
    angle: str | None = None
    reference: str | None = None
    among: frozenset[str] | None = None  # ids
    older_than: str | None = None  # an id


class History:
    """Reads and writes comparison records under `<app>/generations/`. Records are only ever added."""

    def __init__(
        self, store: ObjectStore, *, app_prefix: str, server: Server, list_pages: ListPageSource | None = None
    ) -> None:
        """`list_pages` reads listings of the same bucket faster than the store does."""
        self._store = store
        self._root = f"{app_prefix}generations/"
        self.status_reader = StatusReader(server)
        self._index = RecordIndex(
            store,
            ObjectSource(
                store,
                RecordListing(store, self._root, list_pages, suffix="/comparison.json"),
                name="history",
                months_root=f"{app_prefix}history/v1/",
                month_format=MONTH_FILE,
                parse=_comparison_in,
                row=Row.of,
            ),
        )
        self._comparisons: SingleFlightCache[Comparison] = SingleFlightCache(size_max=_REMEMBERED)
        self._files: SingleFlightCache[bytes] = SingleFlightCache(size_max=_KEPT_BYTES, size_of=len)

    def start(self) -> None:
        """Keep the index up to date in the background, and serve what it knows meanwhile."""
        self._index.start()

    def stop(self) -> None:
        """End the background work."""
        self._index.stop()

    @property
    def loop(self) -> Periodic:
        """The background work."""
        return self._index.loop

    def catch_up(self) -> None:
        """Compare the whole index with S3 now, and write down what it lacked."""
        self._index.catch_up()

    def folder_of(self, comparison_id: str) -> str:
        """The prefix a comparison lies under: its day is read from its ULID. Raises NotFound."""
        try:
            day = ULID.from_str(comparison_id).datetime
        except ValueError as err:
            raise NotFound("There is no comparison `{key}`.", key=comparison_id) from err
        return f"{self._root}{day:%Y/%m/%d}/{comparison_id}/"

    def add(self, comparison: Comparison) -> None:
        """Write the record. Raises WriteConflict if this id exists."""
        key = f"{self.folder_of(comparison.id)}comparison.json"
        etag = self._put(key, comparison.model_dump_json(indent=1).encode())
        self._index.add(Row.of(self._remember(comparison), etag))

    def add_start(self, start: AttemptStart) -> None:
        """Claim an attempt before its engine is called. Raises WriteConflict if somebody else has it."""
        folder, name, data = self.folder_of(start.comparison), start.id.file, start.model_dump_json()
        today = f"{self._root}{start.started_at.astimezone(UTC):%Y/%m/%d}/"
        if not folder.startswith(today):  # the day's spending is listed by day: let it find this attempt, too
            with suppress(WriteConflict):
                self._put(f"{today}{start.comparison}/{name}.later.json", data.encode())
        self._put(f"{folder}{name}.started.json", data.encode())

    def add_picture(self, of: AttemptId, data: bytes) -> tuple[str, str]:
        """Write a finished picture (PNG) and return its key and etag. May be repeated."""
        key = f"{self.folder_of(of.comparison)}{of.file}.png"
        return key, self._put_again(key, data, "image/png")

    def add_outcome(self, outcome: Outcome) -> None:
        """Write how an attempt ended; may be repeated. Raises WriteConflict if another end is known already."""
        key = f"{self.folder_of(outcome.comparison)}{outcome.id.file}.json"
        self._put_again(key, outcome.model_dump_json(indent=1).encode(), "application/json")

    def get(self, comparison_id: str) -> Comparison:
        """One record. Raises NotFound."""
        return self._comparisons.get(comparison_id, lambda: self._read(comparison_id))

    def status(self, comparison_id: str) -> ComparisonStatus:
        """One comparison with the state of its sides, as S3 tells it."""
        comparison = self.get(comparison_id)
        if comparison.legacy is not None:
            return conclude_import(comparison, comparison.legacy)
        return self.status_reader.of(comparison, self._store.list(self.folder_of(comparison_id)), self._file)

    def _file(self, row: StoredObject) -> bytes:
        """What a listed file holds. Starts and outcomes are written once: the same etag is not fetched again."""
        return self._files.get((row.key, row.etag), lambda: self._store.get(row.key).data)

    def newest(self, *, limit: int, wanted: HistoryFilter | None = None) -> list[Comparison]:
        """The newest records that pass the filter. A record that makes no sense is left out, and logged.

        What is found was read from S3 just now. While the index is still being read in the background,
        days that it lacks are not searched; `coverage` says how many those are.
        Raises StorageDenied or StorageUnavailable rather than to tell half of the story.
        """
        self._index.look()
        passes = _passing(wanted or HistoryFilter())
        rows = filter(passes, self._index.rows())
        found: list[Comparison] = []
        while batch := [row.id for row in islice(rows, limit - len(found))]:
            records = map(self._remember, self._index.records(batch))
            found += [comparison for comparison in records if passes(Row.of(comparison, ""))]
        return found

    def newest_ids(self, *, limit: int) -> tuple[str, ...]:
        """The ids of the newest comparisons, as far as they have been read. Raises StorageDenied or StorageUnavailable.

        S3 is asked only while the index is not being kept up to date in the background.
        """
        if not self.loop.is_started:
            self._index.look()
        return tuple(row.id for row in islice(self._index.rows(), limit))

    def outcomes(self, comparison_id: str) -> tuple[Outcome, ...]:
        """How the attempts of a comparison ended, as far as they have. Raises NotFound and what S3 raises."""
        files = ((row, attempt_file(row.key)) for row in self._store.list(self.folder_of(comparison_id)))
        ended = [(row, named[0]) for row, named in files if named is not None and named[1] == ".json"]
        return tuple(Outcome.read(self._file(row), row, of) for row, of in ended)

    def made_since(self, moment: datetime, person: str, *, limit: int) -> list[str]:
        """The ids of what this person ordered since a moment, newest first, as far as the index has it by now.

        Own orders are in it at once, those of other servers within a minute. Raises StorageDenied or
        StorageUnavailable where the index has yet to be read.
        """
        first = str(ULID.from_datetime(moment))[:_ULID_TIME_CHARS]
        today = takewhile(lambda row: row.id[:_ULID_TIME_CHARS] >= first, self._index.rows())
        return list(islice((row.id for row in today if row.person == person), limit))

    def last_given(self, person: str) -> tuple[str, ...]:
        """The keys that went into this person's newest comparison."""
        newest = self.newest(limit=1, wanted=HistoryFilter(person=person))
        return newest[0].reference_keys if newest else ()

    def count(self) -> int:
        """How many comparisons S3 holds, as far as they have been read by now."""
        self._index.load()
        return self.coverage.records

    def used_in(self, key: str) -> tuple[str, ...]:
        """The ids of the comparisons that a reference went into, newest first, as far as they have been read."""
        return tuple(row.id for row in self._index.rows() if key in row.references)

    @property
    def coverage(self) -> Coverage:
        """How far the index has got."""
        return self._index.coverage

    def _remember(self, comparison: Comparison) -> Comparison:
        self._comparisons.forget(comparison.id)
        return self._comparisons.get(comparison.id, lambda: comparison)

    def _read(self, comparison_id: str) -> Comparison:
        try:
            blob = self._store.get(f"{self.folder_of(comparison_id)}comparison.json")
        except NotFound as err:
            raise NotFound("There is no comparison `{key}` in S3.", key=comparison_id) from err
        return Comparison.from_json(blob.data)

    def _put(self, key: str, data: bytes) -> str:
        return self._store.put(key, data, content_type="application/json", create_only=True)

    def _put_again(self, key: str, data: bytes, content_type: str) -> str:
        """Write, or find the same bytes there: an earlier try may have arrived though its answer did not."""
        try:
            return self._store.put(key, data, content_type=content_type, create_only=True)
        except WriteConflict:
            there = self._store.get(key)
            if there.data != data:
                raise
            return there.etag


def _comparison_in(data: bytes, comparison_id: str) -> Comparison:
    comparison = Comparison.from_json(data)
    if comparison.id != comparison_id:
        raise StorageError("This record cannot be read: it says that it is `{}`.", comparison.id)
    return comparison


def _passing(wanted: HistoryFilter) -> Callable[[Row], bool]:
    """The test that a filter means."""
    text, comparison_id = searchable(wanted.text).strip(), wanted.text.strip().upper()

    def passes(row: Row) -> bool:
        return (
            (not text or text in row.text or comparison_id == row.id)
            and (wanted.person is None or row.person == wanted.person)
            and (wanted.mode is None or row.mode == wanted.mode)
            and (wanted.varies is None or row.varies == wanted.varies)
            and (wanted.tone is None or row.tone == wanted.tone)
            and (wanted.angle is None or row.angle == wanted.angle)
            and (wanted.reference is None or wanted.reference in row.references)
            and (wanted.among is None or row.id in wanted.among)
            and (wanted.older_than is None or row.id < wanted.older_than)
        )

    return passes
