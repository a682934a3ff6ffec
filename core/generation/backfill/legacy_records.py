"""Legacy records: what each line of an older system's export says, or in our words why it says nothing."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.generation.backfill.export_files import Row, read_rows
from core.generation.backfill.moments import moment_of
from core.injection.request.wishes import Mode
from core.references.vocabulary import Role

NEEDED: Final = ("id", "created_at", "user_email", "prompt", "mode")
_MODES: Final = {"tone_only": Mode.TONE_ONLY, "tone_angle": Mode.TONE_ANGLE}
# What spreadsheets, databases and data frames write for nothing.
_NOTHING: Final = frozenset(
    {
        *("", "-", "--", "null", "(null)", "nil", "none", "undefined", "\\n"),
        *("nan", "nat", "na", "n/a", "#n/a", "#na", "<na>", "<null>", "<none>", "#null!", "#value!", "#ref!"),
    }
)
_SHOWN_CHARS: Final = 80


@dataclass(frozen=True, slots=True)
class LegacyRecord:
    """One record as the older system kept it: in UTC, nobody's with an empty address; an empty file names nothing."""

    id: str
    created_at: datetime
    user_email: str
    prompt: str
    mode: Mode
    injected_tone_filename: str = ""
    injected_angle_filename: str = ""
    injected_model_filename: str = ""
    injection_reason: str = ""
    output: str = ""

    @property
    def references(self) -> tuple[tuple[Role, str], ...]:
        """What it names for each role, in slot order."""
        named = (
            (Role.TONE, self.injected_tone_filename),
            (Role.ANGLE, self.injected_angle_filename),
            (Role.MODEL, self.injected_model_filename),
        )
        return tuple((role, text) for role, text in named if text)


_OUTPUTS: Final = ("output_filename", "output_url")  # the first of them that says something
COLUMNS: Final = (*(each.name for each in fields(LegacyRecord) if each.name != "output"), *_OUTPUTS)


@dataclass(frozen=True, slots=True)
class Line:
    """A record and the number of the line it begins on, from 1; without a record, why there is none."""

    number: int
    record: LegacyRecord | None = None
    id: str | None = None
    problem: str = ""


def read_lines(file: Path) -> Iterator[Line]:
    """The records of a file, blank lines left out; CSV by its ending `.csv`, else JSON lines.

    Raises InputError for a file that cannot be read as a whole: no UTF-8, no such columns, no commas between them.
    """
    return map(_line, read_rows(file, columns=COLUMNS, needed=NEEDED))


def _line(row: Row) -> Line:
    said = None if _is_nothing(row.cells.get("id")) else str(row.cells["id"]).strip()
    if row.problem:
        return Line(row.number, id=said, problem=row.problem)
    try:
        return Line(row.number, _record_of(row.cells), said)
    except ValueError as err:
        ending = f" The row ends after {row.ends_after}." if row.ends_after else ""
        return Line(row.number, id=said, problem=f"{err}.{ending}")


def _record_of(cells: Mapping[str, Any]) -> LegacyRecord:
    """Raises ValueError that names the first cell that is wrong, with what it says and what is accepted."""

    given = {column: "" for column in COLUMNS if column != "prompt"} | dict(cells)  # an empty prompt has to be there

    def read(column: str, reader: Callable[[object], Any], *, is_needed: bool = False) -> Any:
        value = given.get(column)
        try:
            if not _is_nothing(value):
                return reader(value)
        except ValueError as err:
            raise ValueError(f"{column}: {_shown(value)} {err}") from err
        if is_needed or column not in given:
            raise ValueError(f"{column}: it is missing")
        return ""

    outputs = (read(column, _text) for column in _OUTPUTS)
    return LegacyRecord(
        id=read("id", _id, is_needed=True),
        created_at=read("created_at", _moment, is_needed=True),
        user_email=read("user_email", _text),
        prompt=read("prompt", _prompt),
        mode=read("mode", _mode, is_needed=True),
        injected_tone_filename=read("injected_tone_filename", _text),
        injected_angle_filename=read("injected_angle_filename", _text),
        injected_model_filename=read("injected_model_filename", _text),
        injection_reason=read("injection_reason", _text),
        output=next(filter(None, outputs), ""),
    )


def _is_nothing(value: object) -> bool:
    if isinstance(value, str):
        return unicodedata.normalize("NFKC", value).strip().lower() in _NOTHING
    return value is None or (isinstance(value, float) and math.isnan(value))


def _shown(value: object) -> str:
    text = str(value)
    return f"“{text}”" if len(text) <= _SHOWN_CHARS else f"“{text[:_SHOWN_CHARS]}…”"


def _prompt(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is no text: write it in quotes")  # noqa: TRY004 - all that is wrong with a cell is alike
    return value


def _text(value: object) -> str:
    return _prompt(value).strip()


def _id(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)


def _moment(value: object) -> datetime:
    return moment_of(str(value))


def _mode(value: object) -> Mode:
    name = "_".join(str(value).lower().replace("-", " ").replace("+", " ").replace("_", " ").split())
    if name not in _MODES:
        raise ValueError("is no mode: write tone_only or tone_angle")
    return _MODES[name]
