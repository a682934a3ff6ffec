"""Legacy records: the lines of an older system's export, as JSON lines or CSV, each with its number."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.errors import InputError
from core.injection.wishes import Mode
from core.references.vocabulary import Role

# csv's own limit of 131,072 is less than some prompts; https://docs.python.org/3/library/csv.html#csv.field_size_limit
_FIELD_CHARS: Final = 10_000_000
_REQUIRED: Final = ("id", "created_at", "user_email", "prompt", "mode")
_MODES: Final = {"tone_only": Mode.TONE_ONLY, "tone_angle": Mode.TONE_ANGLE}
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)  # a ULID counts from there
_LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _stripped(value: object) -> object:
    """Empty for nothing, whatever an export writes for that."""
    return "" if value is None else value.strip() if isinstance(value, str) else value


def _mode(value: object) -> object:
    if isinstance(value, str) and value.strip().lower() in _MODES:
        return _MODES[value.strip().lower()]
    raise ValueError("it is tone_only or tone_angle")


def _moment(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("it is text in ISO 8601")  # noqa: TRY004 - pydantic reports no other errors
    moment = datetime.fromisoformat(value.strip())
    try:
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as err:
        raise ValueError("it lies outside the calendar") from err
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("it lies outside the calendar")
    return moment


_File = Annotated[str, BeforeValidator(_stripped)]


class LegacyRecord(BaseModel):
    """One record as the older system kept it. A time without a zone is UTC; an empty file field names nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Annotated[str, BeforeValidator(_text), Field(min_length=1)]
    created_at: Annotated[datetime, BeforeValidator(_moment)]
    user_email: Annotated[str, BeforeValidator(_stripped), Field(min_length=1)]
    prompt: str
    mode: Annotated[Mode, BeforeValidator(_mode)]
    injected_tone_filename: _File = ""
    injected_angle_filename: _File = ""
    injected_model_filename: _File = ""
    injection_reason: _File = ""
    output: _File = Field("", validation_alias=AliasChoices("output_filename", "output_url"))

    @property
    def references(self) -> tuple[tuple[Role, str], ...]:
        """What it names for each role, in slot order."""
        named = (
            (Role.TONE, self.injected_tone_filename),
            (Role.ANGLE, self.injected_angle_filename),
            (Role.MODEL, self.injected_model_filename),
        )
        return tuple((role, text) for role, text in named if text)


@dataclass(frozen=True, slots=True)
class Line:
    """A record and the number of the line it begins on, from 1; without a record, why there is none."""

    number: int
    record: LegacyRecord | None = None
    id: str | None = None
    problem: str = ""


def read_lines(file: Path) -> Iterator[Line]:
    """The records of a file, blank lines left out; CSV by its ending `.csv`, else JSON lines.

    Raises InputError for a file that cannot be read, or a CSV without the columns that are needed.
    """
    try:
        # what is no UTF-8 comes as lone surrogates, so that it costs its own line and no other
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as opened:
            numbered = _csv_rows(opened, file) if file.suffix.lower() == ".csv" else _json_rows(opened)
            yield from (_line(number, row) for number, row in numbered)
    except OSError as err:
        raise InputError("`{}` cannot be read: {}.", file, err.strerror or err) from err


def _json_rows(opened: Iterator[str]) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(opened, start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, "It is no JSON object."


def _csv_rows(opened: Iterator[str], file: Path) -> Iterator[tuple[int, object]]:
    csv.field_size_limit(_FIELD_CHARS)
    reader = csv.reader(opened, strict=True)
    head: list[str] | None = None
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as err:
            if head is None:
                raise InputError("`{}` is no CSV: {}.", file, err) from err
            yield number, f"It is no CSV: {err}."
            continue
        if head is None:
            head = [name.strip() for name in row]
            if lacking := [name for name in _REQUIRED if name not in head]:
                raise InputError("`{}` has no column `{}`: its first line has to name the columns.", file, lacking[0])
        elif any(cell.strip() for cell in row):
            same = len(row) == len(head)
            yield number, (dict(zip(head, row, strict=True)) if same else f"It has {len(row)} cells, not {len(head)}.")


def _line(number: int, row: object) -> Line:
    if not isinstance(row, dict):
        return Line(number, problem=row if isinstance(row, str) else "It is no JSON object.")
    given: dict[str, Any] = dict(row)
    said = str(given["id"]) if given.get("id") not in (None, "") else None
    if any("\ud800" <= char <= "\udfff" for char in json.dumps(given, ensure_ascii=False)):
        return Line(number, problem="It holds bytes that are not UTF-8.")
    if not given.get("output_filename"):
        given.pop("output_filename", None)
    try:
        return Line(number, LegacyRecord.model_validate(given), said)
    except ValidationError as err:
        first = err.errors()[0]
        return Line(number, id=said, problem=f"{first['loc'][0]}: {first['msg']}.")
