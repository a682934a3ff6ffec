"""The month file: a row for each comparison of a month, as search needs it, packed into one object."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import lru_cache
from sys import intern
from typing import Any, Final, NamedTuple

from core.derived import DerivedFormat
from core.generation.records.comparison import Comparison
from core.injection.wishes import Mode, Varies
from core.unicode import searchable

_EPOCH: Final = date(1970, 1, 1)
_DAY_MS: Final = 86_400_000
# A ULID's digits as `int` reads them: its first ten are milliseconds. https://github.com/ulid/spec
_DIGITS: Final = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789abcdefghijklmnopqrstuv")


class Row(NamedTuple):  # made in a fifth of a frozen dataclass's time, and many are made when a page is opened
    """What search needs of one comparison. `etag` is its comparison.json's, `text` its prompt as it is searched.

    `varies` is in what two sides were to differ; None of a single one.
    """

    id: str
    etag: str
    person: str
    mode: str
    tone: str | None
    angle: str | None
    text: str
    references: tuple[str, ...]
    varies: str | None

    @classmethod
    def of(cls, comparison: Comparison, etag: str) -> Row:
        """The row of a record."""
        return cls(
            id=comparison.id,
            etag=etag,
            person=comparison.person,
            mode=comparison.mode.value,
            tone=comparison.tone,
            angle=comparison.angle,
            text=searchable(comparison.wishes.prompt),
            references=comparison.reference_keys,
            varies=comparison.varies.value if comparison.mode is Mode.COMPARE else None,
        )


class MonthFile(NamedTuple):
    """The rows of a month, as one file holds them; complete up to `listed_at`."""

    listed_at: datetime
    rows: tuple[Row, ...]


def _dump(file: MonthFile) -> bytes:
    lines: list[Any] = [{"listed_at": file.listed_at.isoformat(), "rows": len(file.rows)}]
    lines += map(_cells, file.rows)
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    return text.encode("utf-8", "surrogatepass")


def _load(data: bytes) -> MonthFile:
    head, *lines = data.decode("utf-8", "surrogatepass").split("\n")[:-1]
    header = json.loads(head)
    listed_at = datetime.fromisoformat(header["listed_at"]).astimezone(UTC)
    # one document is parsed at twice the speed of as many lines
    rows = tuple(map(_row_in, json.loads(f"[{','.join(lines)}]")))
    if len(rows) != header["rows"]:
        raise ValueError("it has not as many rows as it says")
    return MonthFile(listed_at, rows)


def _usual_varies(mode: str) -> str | None:
    """What varies where a row does not say it, as none did when only the angle could."""
    return Varies.ANGLE.value if mode == Mode.COMPARE else None


def _cells(row: Row) -> tuple[Any, ...]:
    """A row as it is written: the last cell stands only where it is not the usual one, as older servers expect."""
    return row[:-1] if row.varies == _usual_varies(row.mode) else row


# A JSON line `{"listed_at": …, "rows": how many}`, and a JSON line for each row: its cells in order.
MONTH_FILE: Final = DerivedFormat(_dump, _load, "month_file_left_out", "month_file_not_written")


def day_of(comparison_id: str) -> str:
    """The day a comparison lies under, like `2026/11/22`. Raises ValueError for what is no ULID in time."""
    return _day(int(comparison_id[:10].translate(_DIGITS), 32) // _DAY_MS)


@lru_cache(maxsize=10_000)
def _day(number: int) -> str:
    try:
        return f"{date.fromordinal(_EPOCH.toordinal() + number):%Y/%m/%d}"
    except OverflowError as err:
        raise ValueError("beyond the calendar") from err


def _row_in(cells: list[Any]) -> Row:
    comparison_id, etag, person, mode, tone, angle, text, references, *more = cells
    if not isinstance(references, list):
        raise TypeError("a row's references are no list")
    (varies,) = more or (_usual_varies(mode),)
    "".join((comparison_id, etag, text, tone or "", angle or "", varies or ""))  # a TypeError, unless all are text
    day_of(comparison_id)
    keys = tuple(map(intern, references))  # few values, many rows
    # files of before this form of searching have their texts in lower case alone
    return Row(comparison_id, etag, intern(person), intern(mode), tone, angle, searchable(text), keys, varies)
