"""Record sources: one kind of record, as the index asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Generic, NamedTuple, Protocol, TypeVar

from core.objects.derived import DerivedFormat
from core.objects.objects import ObjectStore
from core.record_index.listing import RecordListing
from core.record_index.month_file import IndexedRow, MonthFile

T = TypeVar("T")
R = TypeVar("R", bound=IndexedRow)


class Listing(Protocol):
    """What S3 lists of a kind; every method raises StorageDenied or StorageUnavailable."""

    @property
    def root(self) -> str:
        """The prefix below which all of it lies, by days."""

    def below(self, prefix: str, *, start_after: str = "") -> Mapping[str, str]:
        """The records below a prefix, by id, each with an etag that changes whenever its row may."""

    def months(self, pool: Executor) -> set[str]:
        """The months, like `2026/11`, below which anything lies."""

    def days(self, month: str) -> list[str]:
        """The days of a month, like `2026/11/22`, below which anything lies."""


class Fetched(NamedTuple, Generic[T]):
    """A record as S3 has it now: its etag, and what reads it, which raises StorageError where it makes no sense."""

    etag: str
    read: Callable[[], T]


class RecordSource(Protocol[T, R]):
    """One kind of record: where it lies, how it is read, and which row is kept of it."""

    @property
    def name(self) -> str:
        """For threads and the log: `history`."""

    @property
    def listing(self) -> Listing:
        """What S3 lists of it."""

    @property
    def months_root(self) -> str:
        """The prefix of its month files."""

    @property
    def month_format(self) -> DerivedFormat[MonthFile[R]]:
        """How these are written."""

    def fetch(self, record_id: str) -> Fetched[T]:
        """One record. Raises NotFound, StorageDenied and StorageUnavailable."""

    def row(self, record: T, etag: str) -> R:
        """What is kept of a record."""


class ObjectSource(Generic[T, R]):
    """Records that are one object each."""

    def __init__(
        self,
        store: ObjectStore,
        listing: RecordListing,
        *,
        name: str,
        months_root: str,
        month_format: DerivedFormat[MonthFile[R]],
        parse: Callable[[bytes, str], T],
        row: Callable[[T, str], R],
    ) -> None:
        """`parse` gets the bytes and the id, and raises StorageError for what is no such record."""
        self.name = name
        self.listing = listing
        self.months_root = months_root
        self.month_format = month_format
        self.row = row
        self._store = store
        self._parse = parse

    def fetch(self, record_id: str) -> Fetched[T]:
        """One record. Raises NotFound, StorageDenied and StorageUnavailable."""
        blob = self._store.get(self.listing.key_of(record_id))
        return Fetched(blob.etag, lambda: self._parse(blob.data, record_id))
