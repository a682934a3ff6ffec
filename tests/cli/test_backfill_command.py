"""`python -m core history backfill`, in real processes against a real S3: killed, repeated, and called wrongly."""

from __future__ import annotations

import csv
import itertools
import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.generation.backfill.backfill import WORKERS
from tests.support.processes.commands import Done, begun, core, fails
from tests.support.processes.forks import Fork
from tests.support.s3.http_proxy import Exchange, proxied
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server, environment
from tests.support.timeouts import LONG_S

TONE = "refs/02. Tone/a(natural,film)"
COUNTS = ["read", "linked", "already", "ambiguous", "missing", "invalid"]


@pytest.fixture(scope="module")
def library() -> Iterator[S3Server]:
    """A bucket with a few pictures of the sample library, one name of them twice."""
    with moto_server() as started:
        server = with_bucket(started)
        store = server.store()
        for name in ("one 1.png", "노을 2.png"):
            store.put(f"{TONE}/{name}", b"a picture", content_type="image/png")
        store.put("refs/02. Tone/b(vivid)/노을 2.png", b"a picture", content_type="image/png")
        yield server


@pytest.fixture
def environ(library: S3Server, tmp_path: Path) -> dict[str, str]:
    """Settings for a part of the bucket that is this test's own."""
    return environment(library, S3_APP_PREFIX=f"{tmp_path.name}/")


def record(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": f"2025-0{number % 9 + 1}-11 10:00:{number % 60:02d}",
        "user_email": "kim@studio",
        "prompt": "서울",
        "mode": "tone_only",
        "injected_tone_filename": "image_ref_1/one 1_tone.png",
        **changes,
    }


def export(folder: Path, *records: dict[str, Any]) -> str:
    file = folder / "old.jsonl"
    file.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records), encoding="utf-8")
    return str(file)


def written(library: S3Server, environ: dict[str, str]) -> dict[str, tuple[str, object]]:
    """What lies below the app's prefix, by key, with what a second write would change."""
    rows = library.store().list(environ["S3_APP_PREFIX"])
    return {row.key: (row.etag, row.modified) for row in rows}


def backfill(*words: str, environ: dict[str, str]) -> Done:
    return core("history", "backfill", *words, environ=environ)


MIXED = (
    record(1),
    record(2, injected_tone_filename="노을 2.png"),
    record(3, injected_tone_filename="C:\\gone.png"),
    record(4, mode="?"),
    record(5, injected_tone_filename=f"https://s3.amazonaws.com/studio/{TONE}/one%201.png?X-Amz-Signature=1"),
    record(5, injected_tone_filename=f"https://s3.amazonaws.com/studio/{TONE}/one%201.png?X-Amz-Signature=1"),
)


def test_json_prints_exactly_the_counts_and_each_record_counts_once(
    library: S3Server, environ: dict[str, str], tmp_path: Path
) -> None:
    file = export(tmp_path, *MIXED)
    dry = backfill(file, "--json", environ=environ)
    assert (dry.code, list(dry.json)) == (0, COUNTS)
    assert list(dry.json.values()) == [6, 2, 1, 1, 1, 1]
    assert written(library, environ) == {}
    assert backfill(file, "--apply", "--json", environ=environ).json == dry.json
    after = written(library, environ)
    assert len(after) == 2
    again = backfill(file, "--apply", "--json", environ=environ)
    assert list(again.json.values()) == [6, 0, 3, 1, 1, 1]
    assert written(library, environ) == after


def test_a_csv_counts_as_the_same_lines_in_json_do(library: S3Server, environ: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.DictWriter(opened, [*MIXED[0], "output_url"])
        writer.writeheader()
        writer.writerows(MIXED)
    done = backfill(str(file), "--apply", "--json", environ=environ)
    assert (done.code, list(done.json)) == (0, COUNTS)
    assert list(done.json.values()) == [6, 2, 1, 1, 1, 1]
    after = written(library, environ)
    in_json = backfill(export(tmp_path, *MIXED), "--apply", "--json", environ=environ)
    assert list(in_json.json.values()) == [6, 0, 3, 1, 1, 1]
    assert written(library, environ) == after


def test_the_report_has_a_line_for_each_record_with_its_candidates(environ: dict[str, str], tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    done = backfill(export(tmp_path, *MIXED), "--report", str(report), environ=environ)
    assert done.code == 0
    told = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    assert [(line["line"], line["outcome"]) for line in told] == [
        (1, "linked"),
        (2, "ambiguous"),
        (3, "missing"),
        (4, "invalid"),
        (5, "linked"),
        (6, "already"),
    ]
    assert (
        told[0]["references"][0] | {"role": "tone", "key": f"{TONE}/one 1.png", "by": "name"}
        == (told[0]["references"][0])
    )
    assert len(told[1]["references"][0]["candidates"]) == 2
    assert told[3]["id"] == "4"
    assert "mode" in told[3]["reason"]


def test_people_read_what_is_unclear_and_that_nothing_was_written(environ: dict[str, str], tmp_path: Path) -> None:
    lines = backfill(export(tmp_path, *MIXED), environ=environ).out.splitlines()
    assert lines[0].startswith("line 2, ambiguous: the tone reference `노을 2.png` could be `refs/02. Tone/a")
    assert lines[1] == "line 3, missing: the tone reference `C:\\gone.png` could be nothing in the library"
    assert lines[2].startswith("line 4, invalid: mode")
    assert lines[3] == "6 read: 2 linked, 1 already, 1 ambiguous, 1 missing, 1 invalid"
    assert lines[4].startswith("Nothing was written")


def test_a_backfill_that_is_killed_is_taken_up_again_without_duplicates(
    library: S3Server, environ: dict[str, str], tmp_path: Path
) -> None:
    file = export(tmp_path, *(record(number) for number in range(1, 101)))
    running: list[Fork] = []
    is_running, writes = threading.Event(), itertools.count(1)

    def kill_at_the_thirtieth(passing: Exchange) -> bool:
        if passing.method != "PUT" or next(writes) < 30:
            return True
        assert is_running.wait(LONG_S)
        running[0].kill()
        return False

    with proxied(library, before=kill_at_the_thirtieth) as way:
        settings = environ | {"S3_ENDPOINT_URL": way.endpoint_url}
        running.append(begun("history", "backfill", file, "--apply", "--json", environ=settings, folder=tmp_path))
        is_running.set()
        assert running[0].wait(LONG_S) == -signal.SIGKILL
    before = written(library, environ)
    assert 20 < len(before) < 30
    done = backfill(file, "--apply", "--json", environ=environ)
    already = done.json["already"]
    assert done.json == dict(zip(COUNTS, [100, 100 - already, already, 0, 0, 0], strict=True))
    assert len(before) <= already <= len(before) + WORKERS, "what was on its way when it was killed may arrive yet"
    after = written(library, environ)
    assert len(after) == 100
    assert before.items() <= after.items()  # what was there was not written again


@pytest.mark.parametrize("words", [("nothing.jsonl",), (), ("{file}", "--report", "/nowhere/r.jsonl")])
def test_what_cannot_be_read_or_written_is_bad_input(
    words: tuple[str, ...], environ: dict[str, str], tmp_path: Path
) -> None:
    file = export(tmp_path, record(1))
    fails(backfill(*(word.format(file=file) for word in words), environ=environ), 2)


def test_an_s3_that_is_away_is_a_storage_failure(environ: dict[str, str], tmp_path: Path) -> None:
    file = export(tmp_path, record(1))
    fails(backfill(file, environ={**environ, "S3_ENDPOINT_URL": "http://127.0.0.1:9"}), 3)
