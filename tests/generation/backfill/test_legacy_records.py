"""Lines of an older export: each is a record, or says in one sentence why it is none."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.generation.backfill.legacy_records import COLUMNS, Line, read_lines
from core.generation.backfill.moments import ACCEPTED
from core.injection.request.wishes import Mode

OUTSIDE = f"lies outside of the calendar: {ACCEPTED}"
QUOTES = 'Its quotes do not match: one inside of a cell is written twice (""), and each that opens is closed.'
HEAD = ",".join(COLUMNS[:-1])
GOOD_ROW = '1,2025-03-01 14:05:33,kim@studio,"서울 골목, 흑백",tone_only,desk.jpg,,,why,out.png'

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


@pytest.mark.parametrize("written", [17, 17.0, " 17 "])
def test_a_number_for_an_id_is_read_as_its_text(tmp_path: Path, written: object) -> None:
    read = line(tmp_path, id=written)
    assert read.record is not None
    assert read.record.id == "17"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": True}, "id: “True” is no text: write it in quotes."),
        ({"id": "NULL"}, "id: it is missing."),
        ({"created_at": None}, "created_at: it is missing."),
        ({"created_at": "1969-12-31T23:59:59Z"}, f"created_at: “1969-12-31T23:59:59Z” {OUTSIDE}."),
        ({"created_at": "0001-01-01T00:00:00+09:00"}, f"created_at: “0001-01-01T00:00:00+09:00” {OUTSIDE}."),
        ({"mode": "both"}, "mode: “both” is no mode: write tone_only or tone_angle."),
        ({"mode": "m" * 500}, f"mode: “{'m' * 80}…” is no mode: write tone_only or tone_angle."),
        ({"injected_tone_filename": 7}, "injected_tone_filename: “7” is no text: write it in quotes."),
        ({"prompt": ["a"]}, "prompt: “['a']” is no text: write it in quotes."),
        ({"prompt": "half a letter: \ud83d"}, "It holds bytes that are not UTF-8."),
        ({"more": {"deep": ["\udfff"]}}, "It holds bytes that are not UTF-8."),
    ],
)
def test_a_line_that_is_no_record_says_where_and_why(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    read = line(tmp_path, **changes)
    assert read.record is None
    assert read.problem == problem


def test_a_record_without_a_prompt_is_none_and_one_with_an_empty_prompt_is(tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    file.write_text("\n".join(json.dumps(each) for each in (GOOD | {"prompt": ""}, {**GOOD, "prompt": None})))
    assert [read.record is not None for read in read_lines(file)] == [True, True]
    file.write_text(json.dumps({name: value for name, value in GOOD.items() if name != "prompt"}))
    assert [read.problem for read in read_lines(file)] == ["prompt: it is missing."]


NOTHING = [
    "",
    "  ",
    "\u00a0",
    "NULL",
    "null",
    "\\N",
    "nan",
    "NaN",
    "None",
    "N/A",
    "n/a",
    "#N/A",
    "<NA>",
    "NaT",
    "-",
    "(null)",
]


@pytest.mark.parametrize("nothing", [*NOTHING, None, math.nan])
def test_what_stands_for_nothing_is_nothing(tmp_path: Path, nothing: object) -> None:
    """The record is nobody's, names no reference, and its picture is what the second column says."""
    optional = [name for name in COLUMNS if name.startswith("injected_")]
    read = line(
        tmp_path,
        **{"user_email": nothing, "injection_reason": nothing, "output_filename": nothing, "output_url": "https://x/a"},
        **dict.fromkeys(optional, nothing),
    )
    assert read.record is not None, read.problem
    record = read.record
    assert (record.user_email, record.injection_reason, record.references, record.output) == ("", "", (), "https://x/a")


@pytest.mark.parametrize("written", ["tone_angle", "Tone Angle", "TONE-ANGLE", " tone + angle "])
def test_a_mode_is_read_however_it_is_spelled(tmp_path: Path, written: str) -> None:
    read = line(tmp_path, mode=written)
    assert read.record is not None
    assert read.record.mode is Mode.TONE_ANGLE


# CSV as spreadsheets save it


def table(tmp_path: Path, *lines: str, head: str = HEAD, encoding: str = "utf-8-sig", name: str = "old.csv") -> Path:
    file = tmp_path / name
    file.write_bytes("\r\n".join([head, *lines, ""]).encode(encoding))
    return file


def refused(file: Path) -> str:
    """The one sentence about the whole file."""
    with pytest.raises(InputError) as caught:
        list(read_lines(file))
    return caught.value.message.replace(str(file), file.name)


def test_missing_cells_at_the_end_are_empty_ones(tmp_path: Path) -> None:
    rows = [GOOD_ROW.rsplit(",", cut)[0] for cut in range(1, 6)]
    read = list(read_lines(table(tmp_path, GOOD_ROW, *rows)))
    assert all(each.record is not None for each in read), [each.problem for each in read]
    assert [each.record.output for each in read if each.record] == ["out.png", "", "", "", "", ""]


def test_empty_cells_beyond_the_last_column_are_none_and_others_are_too_many(tmp_path: Path) -> None:
    fine, wrong = read_lines(table(tmp_path, f"{GOOD_ROW},, ,", f"{GOOD_ROW},more"))
    assert fine.record is not None
    assert wrong.problem == "It has 11 cells, not 10: a cell with a comma in it has to stand in quotes."


def test_a_row_that_ends_before_a_needed_cell_says_where_it_ends(tmp_path: Path) -> None:
    (read,) = read_lines(table(tmp_path, "1,2025-03-01,kim@studio"))
    assert (read.id, read.problem) == ("1", "prompt: it is missing. The row ends after 3 of 10 cells.")


@pytest.mark.parametrize(
    "head",
    [
        HEAD.upper(),
        HEAD.replace("_", " ").title(),
        ", ".join(HEAD.split(",")),
        HEAD.replace("_", "-"),
        ",".join(f'"{name}"' for name in HEAD.split(",")),
        HEAD.replace("created_at", "\u00a0created_at\u00a0"),
        f"sep=,\r\n{HEAD}",
        f"\r\n,,,\r\n{HEAD}",
        f"{HEAD},,",
        f"\ufeff{HEAD}",
    ],
)
def test_the_columns_are_found_however_they_are_spelled(tmp_path: Path, head: str) -> None:
    (read,) = read_lines(table(tmp_path, GOOD_ROW, head=head))
    assert read.record is not None, read.problem
    assert (read.record.output, read.record.injection_reason) == ("out.png", "why")


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (HEAD.replace(",", ";"), "`old.csv` has semicolons between its cells: save as CSV UTF-8, with commas."),
        (
            ";".join(f'"{name}"' for name in HEAD.split(",")),
            "`old.csv` has semicolons between its cells: save as CSV UTF-8, with commas.",
        ),
        (HEAD.replace(",", "\t"), "`old.csv` has tabs between its cells: save as CSV UTF-8, with commas."),
        (f"{HEAD},Prompt", "`old.csv` has two columns `prompt`: take one of them out."),
        (
            GOOD_ROW,
            "`old.csv` does not name its columns: its first line has to, as id,created_at,user_email,prompt,mode.",
        ),
        ("id,prompt,mode", "`old.csv` has no column `created_at`: its first line has to name the columns."),
        (
            'id,"created"_at',
            f"`old.csv` is no CSV, as line 1 shows: {QUOTES}",
        ),
    ],
)
def test_what_is_wrong_with_the_columns_is_said_once(tmp_path: Path, head: str, says: str) -> None:
    assert refused(table(tmp_path, GOOD_ROW, GOOD_ROW, head=head)) == says


def test_tabs_are_told_of_a_file_that_is_called_so(tmp_path: Path) -> None:
    file = table(tmp_path, GOOD_ROW, head=HEAD.replace(",", "\t"), name="old.tsv")
    assert "has tabs between its cells" in refused(file)


@pytest.mark.parametrize("encoding", ["cp949", "utf-16", "utf-16-le", "utf-32"])
def test_another_encoding_is_said_once_of_the_whole_file(tmp_path: Path, encoding: str) -> None:
    says = refused(table(tmp_path, GOOD_ROW, GOOD_ROW, encoding=encoding))
    at = 2 if encoding == "cp949" else 1
    assert says == (
        f"`old.csv` is in another encoding than UTF-8 (see line {at}): in the spreadsheet, save as CSV UTF-8."
    )


def test_one_word_in_another_encoding_among_plain_ones_is_another_encoding(tmp_path: Path) -> None:
    plain = GOOD_ROW.replace("서울 골목, 흑백", "a street")
    rows = [plain] * 50 + [plain.replace("street", "café")]
    assert "(see line 52)" in refused(table(tmp_path, *rows, encoding="latin-1"))
    file = tmp_path / "old.jsonl"
    file.write_bytes(json.dumps(GOOD | {"prompt": "골목"}, ensure_ascii=False).encode("cp949"))
    assert refused(file) == "`old.jsonl` is in another encoding than UTF-8 (see line 1): save as UTF-8."


def test_a_workbook_and_a_list_are_said_to_be_such(tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    for start in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1"):
        file.write_bytes(start + bytes(range(256)))
        assert refused(file) == "`old.csv` is a workbook: in the spreadsheet, save as CSV UTF-8, and give that file."
    file = tmp_path / "old.json"
    for written in (json.dumps([GOOD, GOOD]), json.dumps([GOOD, GOOD], indent=1)):
        file.write_text(written, "utf-8-sig")
        assert "is one JSON list: write each record on a line of its own" in refused(file)


def test_a_row_with_foreign_bytes_among_others_keeps_none_of_them(tmp_path: Path) -> None:
    """Not in its id either, which goes into the report."""
    file = table(tmp_path, GOOD_ROW, GOOD_ROW)
    file.write_bytes(file.read_bytes() + GOOD_ROW.replace("1,", "일,", 1).encode("cp949"))
    *_, last = read_lines(file)
    assert (last.id, last.problem) == (None, "It holds bytes that are not UTF-8.")


@pytest.mark.parametrize("row", ['2,"a "red" coat",x', '3,"2025-03-01'])
def test_broken_quotes_are_told_in_our_words(tmp_path: Path, row: str) -> None:
    good, broken = read_lines(table(tmp_path, GOOD_ROW, row))
    assert good.record is not None
    assert (broken.number, broken.problem) == (3, QUOTES)


@pytest.mark.parametrize(
    "text", ['"', '"a"b', "\0", "\x1a", "1,", ",,,,,,,,,,,,", '""""', "\u2028", "1,2025-03-01,k,p,\ud7ff", "=1+1"]
)
def test_whatever_stands_in_a_row_no_message_is_anothers(tmp_path: Path, text: str) -> None:
    (*_, last) = read_lines(table(tmp_path, GOOD_ROW, text, encoding="utf-8"))
    assert not any(words in last.problem for words in ("Value error", "Input should", "delimiter", "expected", "NUL"))


def test_a_cell_that_is_too_long_says_how_long_one_may_be(tmp_path: Path) -> None:
    good, broken = read_lines(table(tmp_path, GOOD_ROW, f"2,{'x' * 10_000_001}"))
    assert good.record is not None
    assert broken.problem == "It has a cell of more than 10,000,000 characters."
