"""The month file: a row for each record of a month, packed into one object."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from core.concurrency.garbage import without_rounds
from core.objects.derived import DerivedFormat

_EPOCH: Final = date(1970, 1, 1)
_DAY_MS: Final = 86_400_000
# A ULID's digits as `int` reads them: its first ten are milliseconds. https://github.com/ulid/spec
_DIGITS: Final = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789abcdefghijklmnopqrstuv")


class IndexedRow(Protocol):
    """What is kept in memory of one record: at least its ULID, and the etag by which a change is seen."""

    @property
    def id(self) -> str:
        """The record's ULID."""

    @property
    def etag(self) -> str:
        """Of the record it was made of."""


R = TypeVar("R", bound=IndexedRow)


class MonthFile(NamedTuple, Generic[R]):
    """The rows of a month, as one file holds them; complete up to `listed_at`."""

    listed_at: datetime
    rows: tuple[R, ...]


def month_format(cells: Callable[[R], Sequence[Any]], row_in: Callable[[list[Any]], R]) -> DerivedFormat[MonthFile[R]]:
    """A JSON line `{"listed_at": …, "rows": how many}`, and a JSON line for each row: its cells in order.

    `row_in` reads what `cells` has made, and raises ValueError or TypeError for anything else.
    """

    def dump(file: MonthFile[R]) -> bytes:
        lines: list[Any] = [{"listed_at": file.listed_at.isoformat(), "rows": len(file.rows)}]
        lines += map(cells, file.rows)
        text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
        return text.encode("utf-8", "surrogatepass")

    def load(data: bytes) -> MonthFile[R]:
        head, *lines = data.decode("utf-8", "surrogatepass").split("\n")[:-1]
        header = json.loads(head)
        listed_at = datetime.fromisoformat(header["listed_at"]).astimezone(UTC)
        # one document is parsed at twice the speed of as many lines
        with without_rounds():
            rows = tuple(map(row_in, json.loads(f"[{','.join(lines)}]")))
        if len(rows) != header["rows"]:
            raise ValueError("it has not as many rows as it says")
        return MonthFile(listed_at, rows)

    return DerivedFormat(dump, load, "month_file_left_out", "month_file_not_written")


def day_of(record_id: str) -> str:
    """The day a record lies under, like `2026/11/22`. Raises ValueError for what is no ULID in time."""
    return _day(int(record_id[:10].translate(_DIGITS), 32) // _DAY_MS)


@lru_cache(maxsize=10_000)
def _day(number: int) -> str:
    try:
        return f"{date.fromordinal(_EPOCH.toordinal() + number):%Y/%m/%d}"
    except OverflowError as err:
        raise ValueError("beyond the calendar") from err
