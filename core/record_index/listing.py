"""The listing of records: which lie below a prefix, told by S3 itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from core.objects.objects import ObjectStore
from core.record_index.month_file import day_of
from core.references.listing.list_page import ListPageSource, read_list_page

_PLACE: Final = r"(\d{4}/\d\d/\d\d)/([0-9A-HJKMNP-TV-Z]{26})"


class RecordListing:
    """Lists records `<root>2026/11/22/<ulid><suffix>` by id and etag.

    With `list_pages` the answers are read as S3 sent them, in a tenth of the time that the store's client takes.
    """

    def __init__(self, store: ObjectStore, root: str, list_pages: ListPageSource | None, *, suffix: str) -> None:
        self._store = store
        self.root = root
        self._list_pages = list_pages
        self._suffix = suffix
        self._record = re.compile(_PLACE + re.escape(suffix))

    def below(self, prefix: str, *, start_after: str = "") -> dict[str, str]:
        """The records below a prefix: ids and etags. One that does not lie under its own day is none."""
        found = {}
        for key, etag in self.rows(prefix, start_after=start_after, suffix=self._suffix):
            match = self._record.fullmatch(key, len(self.root))
            if match is not None and lies_under_its_day(match[1], match[2]):
                found[match[2]] = etag
        return found

    def key_of(self, record_id: str) -> str:
        """Where a record lies. Raises ValueError for what is no ULID in time."""
        return f"{self.root}{day_of(record_id)}/{record_id}{self._suffix}"

    def months(self, pool: Executor) -> set[str]:
        """The months, like `2026/11`, below which anything lies; years are listed side by side."""
        years = [year for year in self._store.folders(self.root) if re.fullmatch(r"\d{4}", year)]
        return {month for months in pool.map(self._numbered, years) for month in months}

    def days(self, month: str) -> list[str]:
        """The days of a month, like `2026/11/22`, below which anything lies."""
        return self._numbered(month)

    def rows(self, prefix: str, *, start_after: str = "", suffix: str = "") -> Iterator[tuple[str, str]]:
        """Key and etag of every object below a prefix whose key ends so, in key order."""
        if self._list_pages is None:
            for row in self._store.list(prefix, start_after=start_after):
                if row.key.endswith(suffix):
                    yield row.key, row.etag
            return
        position = {"start_after": start_after}
        while True:
            page = read_list_page(self._list_pages.page(prefix, **position))
            wanted: pa.Table = page.rows.filter(pc.ends_with(page.rows.column("key"), suffix))  # one in seven or so
            yield from zip(wanted.column("key").to_pylist(), wanted.column("etag").to_pylist(), strict=True)
            if not page.truncated:
                return
            position = {"token": page.token}

    def _numbered(self, parent: str) -> list[str]:
        below = self._store.folders(f"{self.root}{parent}/")
        return [f"{parent}/{name}" for name in below if re.fullmatch(r"\d\d", name)]


def lies_under_its_day(day: str, record_id: str) -> bool:
    """Whether a record of this ULID belongs below that day; what is beyond a ULID's range belongs nowhere."""
    return record_id[0] < "8" and day_of(record_id) == day
