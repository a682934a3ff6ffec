"""The history's month file: a row for each comparison of a month, as search needs it."""

from __future__ import annotations

from sys import intern
from typing import Any, Final, NamedTuple

from core.generation.records.comparison import Comparison
from core.injection.request.wishes import Mode, Varies
from core.record_index.month_file import day_of, month_format
from core.unicode import searchable


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


def _usual_varies(mode: str) -> str | None:
    """What varies where a row does not say it, as none did when only the angle could."""
    return Varies.ANGLE.value if mode == Mode.COMPARE else None


def _cells(row: Row) -> tuple[Any, ...]:
    """A row as it is written: the last cell stands only where it is not the usual one, as older servers expect."""
    return row[:-1] if row.varies == _usual_varies(row.mode) else row


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


MONTH_FILE: Final = month_format(_cells, _row_in)
