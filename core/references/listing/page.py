"""Pages of a listing: what one ListObjectsV2 answer says, and where answers come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
from lxml import etree

from core.references.listing.page_rows import (
    Lines,
    decoded,
    namespace_of,
    not_s3,
    parsed,
    rows_of,
    rows_span,
    tree_rows,
)


class PageSource(Protocol):
    """Where pages come from. Raises StorageDenied or StorageUnavailable when S3 does not play along."""

    def page(self, prefix: str, *, start_after: str = "", token: str = "", delimiter: str = "") -> bytes:
        """One ListObjectsV2 answer, keys URL-encoded, behind `start_after` or at a continuation token."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page as far as a walk needs it; its rows are read later, those of many pages together.

    `first` and `last` are the keys of the first and the last row, empty if there is none.
    """

    unread: Lines | pa.RecordBatch
    count: int
    first: str
    last: str
    folders: tuple[str, ...]
    truncated: bool
    token: str

    def __len__(self) -> int:
        return self.count

    @property
    def rows(self) -> pa.RecordBatch:
        """Its rows, a batch of ROWS. Raises StorageUnavailable when they cannot be read."""
        return rows_of([self.unread])[0]

    def goes_on_from(self, start: str) -> bool:
        """Whether its first key lies behind `start`, and its last not before its first."""
        return not self.count or start < self.first <= self.last


def read_page(raw: bytes) -> Page:
    """Read the XML of a ListObjectsV2 answer. Raises StorageUnavailable when it is not one."""
    span = rows_span(raw)
    if raw.find(b"<CommonPrefixes", span.start, span.stop) >= 0:
        return _page(raw, parsed(raw), None)
    around = parsed(raw[: span.start] + raw[span.stop :])  # more than 99 in 100 bytes of a full page are its rows
    return _page(raw, around, span if span.stop else None)


def _page(raw: bytes, root: etree._Element, rows: slice | None) -> Page:
    """The page with this root element, in which the rows of that span are missing."""
    namespace = namespace_of(root)
    if root.tag != f"{namespace}ListBucketResult":
        raise not_s3(f"it is a {root.tag!s}")
    encoded = root.findtext(f"{namespace}EncodingType") == "url"
    truncated = root.findtext(f"{namespace}IsTruncated") == "true"
    token = root.findtext(f"{namespace}NextContinuationToken") or ""
    if truncated and not token:
        raise not_s3("it is cut short and has no continuation token")
    prefixes = [(found.text or "").encode() for found in root.iterfind(f"{namespace}CommonPrefixes/{namespace}Prefix")]
    folders = tuple(decoded(prefixes, encoded=encoded))
    count = _row_count(raw, root.findtext(f"{namespace}KeyCount"), len(folders))
    lines = Lines.of(raw, rows, count=count, encoded=encoded) if rows is not None else None
    if lines is not None:
        return Page(lines, count, lines.first, lines.last, folders, truncated, token)
    batch = tree_rows(raw, count=count, encoded=encoded)
    keys = batch.column(0)
    first, last = (keys[0].as_py(), keys[-1].as_py()) if count else ("", "")
    return Page(batch, count, first, last, folders, truncated, token)


def _row_count(raw: bytes, counted: str | None, folders: int) -> int:
    """How many rows there must be."""
    if counted is None:
        return raw.count(b"<Contents>")
    try:
        return int(counted) - folders
    except ValueError as err:
        raise not_s3(f"it counts “{counted}” keys") from err
