"""Export files: the rows of an older system's export, JSON lines or CSV as spreadsheets save it, each with its number.

What is wrong with the whole file is said once, and not of each of its lines.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from codecs import BOM_UTF8
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from core.errors import InputError
from core.unicode import is_utf16

# csv's own limit of 131,072 is less than some prompts; https://docs.python.org/3/library/csv.html#csv.field_size_limit
_FIELD_CHARS: Final = 10_000_000
_TABLES: Final = (".csv", ".tsv", ".tab")
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods, .xls
_SEPARATOR_HINT: Final = re.compile(r"sep=.?", re.IGNORECASE)  # a first line that Excel alone reads
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
_NO_OBJECT: Final = "It is no JSON object."
_NO_UTF8: Final = "It holds bytes that are not UTF-8."
_TOO_LONG: Final = f"It has a cell of more than {_FIELD_CHARS:,} characters."
_QUOTES: Final = 'Its quotes do not match: one inside of a cell is written twice (""), and each that opens is closed.'


@dataclass(frozen=True, slots=True)
class Row:
    """A record's cells by column and the number of the line it begins on, from 1; or why there are none.

    `ends_after` says of a row that is shorter than the first line how many cells it has, and of how many columns.
    """

    number: int
    cells: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    ends_after: str = ""


def read_rows(file: Path, *, columns: Collection[str], needed: Sequence[str]) -> Iterator[Row]:
    """The rows of a file, blank ones left out; CSV by its ending `.csv`, else JSON lines.

    `columns` may each stand once in a CSV, the `needed` ones have to. Raises InputError for a file that cannot be read
    as a whole.
    """
    is_table = file.suffix.lower() in _TABLES
    try:
        with file.open("rb") as looked_at:
            _refuse_other_kinds(file, looked_at, is_table=is_table)
        # what is no UTF-8 comes as lone surrogates, so that it costs its own line and no other
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as opened:
            rows = _csv_rows(opened, _Head(file, columns, needed)) if is_table else _json_rows(opened)
            yield from map(_refuse_foreign_bytes, rows)
    except OSError as err:
        raise InputError("`{}` cannot be read: {}.", file, err.strerror or err) from err


def _refuse_other_kinds(file: Path, opened: BinaryIO, *, is_table: bool) -> None:
    start = opened.read(1024)
    if start.startswith(_WORKBOOKS):
        raise InputError("`{}` is a workbook: in the spreadsheet, save as CSV UTF-8, and give that file.", file)
    if is_utf16(start):
        _refuse_encoding(file, 1, is_table=is_table)
    if not is_table and start.removeprefix(BOM_UTF8).lstrip().startswith(b"[") and not _is_line(start):
        raise InputError("`{}` is one JSON list: write each record on a line of its own (jq -c '.[]').", file)
    opened.seek(0)
    foreign, utf8, first = 0, 0, 0
    for number, line in enumerate(opened, start=1):
        if not line.isascii():
            is_foreign = not _is_utf8(line)
            foreign, utf8 = foreign + is_foreign, utf8 + (not is_foreign)
            first = first or number * is_foreign
    if foreign > utf8:
        _refuse_encoding(file, first, is_table=is_table)


def _refuse_encoding(file: Path, line: int, *, is_table: bool) -> None:
    if is_table:
        raise InputError(
            "`{}` is in another encoding than UTF-8 (see line {}): in the spreadsheet, save as CSV UTF-8.", file, line
        )
    raise InputError("`{}` is in another encoding than UTF-8 (see line {}): save as UTF-8.", file, line)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_line(start: bytes) -> bool:
    """Whether a list ends on the first line and more lines follow: then it is a broken line among others."""
    first, _, rest = start.removeprefix(BOM_UTF8).lstrip().partition(b"\n")
    return first.rstrip().endswith(b"]") and rest.lstrip().startswith(b"{")


def _refuse_foreign_bytes(row: Row) -> Row:
    has_foreign = any("\ud800" <= char <= "\udfff" for char in json.dumps(dict(row.cells), ensure_ascii=False))
    return Row(row.number, problem=_NO_UTF8) if has_foreign else row


def _json_rows(opened: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(opened, start=1):
        if line.strip():
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                found = None
            yield Row(number, found) if isinstance(found, dict) else Row(number, problem=_NO_OBJECT)


@dataclass(frozen=True, slots=True)
class _Head:
    """What the first line of a CSV has to be."""

    file: Path
    columns: Collection[str]
    needed: Sequence[str]

    def read(self, cells: Sequence[str]) -> list[str]:
        """The columns that it names. Raises InputError."""
        names = [_column(cell) for cell in cells]
        lacking = [name for name in self.needed if name not in names]
        if len(lacking) == len(self.needed):
            raise InputError(
                "`{}` does not name its columns: its first line has to, as {}.", self.file, ",".join(self.needed)
            )
        if lacking:
            raise InputError("`{}` has no column `{}`: its first line has to name the columns.", self.file, lacking[0])
        if twice := [name for name in self.columns if names.count(name) > 1]:
            raise InputError("`{}` has two columns `{}`: take one of them out.", self.file, twice[0])
        return names

    def refuse_separators(self, line: str) -> None:
        """Raise InputError where all columns are there, and something else than commas stands between them."""
        for separator, called in _SEPARATORS.items():
            if {*self.needed} <= {_column(cell) for cell in line.split(separator)}:
                raise InputError("`{}` has {} between its cells: save as CSV UTF-8, with commas.", self.file, called)


def _csv_rows(opened: Iterator[str], wanted: _Head) -> Iterator[Row]:
    csv.field_size_limit(_FIELD_CHARS)
    reader = csv.reader(_looking_at_first(opened, wanted), strict=True, skipinitialspace=True)
    head: list[str] | None = None
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as err:
            reason = _TOO_LONG if "larger than field limit" in str(err) else _QUOTES
            if head is None:
                raise InputError("`{}` is no CSV, as line {} shows: {}", wanted.file, number, reason) from err
            yield Row(number, problem=reason)
            continue
        if not any(cell.strip() for cell in cells) or (head is None and _SEPARATOR_HINT.fullmatch("".join(cells))):
            continue
        if head is None:
            head = wanted.read(cells)
        else:
            yield _row_of(number, head, cells)


def _looking_at_first(opened: Iterator[str], wanted: _Head) -> Iterator[str]:
    """The lines as they are; the first that could name columns is looked at before csv finds fault with its quotes."""
    for line in opened:
        is_head = bool(line.strip()) and not _SEPARATOR_HINT.fullmatch(line.strip())
        if is_head:
            wanted.refuse_separators(line)
        yield line
        if is_head:
            break
    yield from opened


def _column(written: str) -> str:
    """A column's name, however a spreadsheet or a person spells it."""
    return re.sub(r"[\s-]+", "_", unicodedata.normalize("NFKC", written).strip(" \t\"'\ufeff").lower())


def _row_of(number: int, head: Sequence[str], cells: Sequence[str]) -> Row:
    """Cells that are not there at the end are empty ones, and empty ones beyond the last column are none."""
    named = dict(zip(head, cells, strict=False))
    if any(cell.strip() for cell in cells[len(head) :]):
        says = f"It has {len(cells)} cells, not {len(head)}: a cell with a comma in it has to stand in quotes."
        return Row(number, named, says)
    return Row(number, named, ends_after=f"{len(cells)} of {len(head)} cells" if len(cells) < len(head) else "")
