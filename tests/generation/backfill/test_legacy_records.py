"""Lines of an older export: each is a record, or says in one sentence why it is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.generation.backfill.legacy_records import Line, read_lines

GOOD = {
    "id": "gen-1",
    "created_at": "2025-03-01T09:00:00+09:00",
    "user_email": "kim@studio",
    "prompt": "a red coat",
    "mode": "tone_angle",
}


def line(tmp_path: Path, **changes: Any) -> Line:
    """The line that an export of this one record has."""
    file = tmp_path / "export.jsonl"
    file.write_text(json.dumps(GOOD | changes))
    (only,) = read_lines(file)
    return only


def test_a_number_for_an_id_is_read_as_its_text(tmp_path: Path) -> None:
    read = line(tmp_path, id=17)
    assert read.record is not None
    assert (read.record.id, read.id) == ("17", "17")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": True}, "id: Input should be a valid string."),
        ({"created_at": 1740787200}, "created_at: Value error, it is text in ISO 8601."),
        ({"created_at": "1969-12-31T23:59:59Z"}, "created_at: Value error, it lies outside the calendar."),
        ({"created_at": "0001-01-01T00:00:00+09:00"}, "created_at: Value error, it lies outside the calendar."),
        ({"mode": "both"}, "mode: Value error, it is tone_only or tone_angle."),
        ({"prompt": "half a letter: \ud83d"}, "It holds bytes that are not UTF-8."),
        ({"more": {"deep": ["\udfff"]}}, "It holds bytes that are not UTF-8."),
    ],
)
def test_a_line_that_is_no_record_says_where_and_why(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    read = line(tmp_path, **changes)
    assert read.record is None
    assert read.problem == problem
