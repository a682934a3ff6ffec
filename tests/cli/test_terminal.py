"""What a terminal would obey is shown and not obeyed, whoever has put it where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from core.cli.failures import say
from core.cli.workbench import print_json
from core.errors import NotFound
from core.logs.logs import configure_logs
from core.unicode import shows_all
from tests.support.processes.programs import ROOT
from tests.support.timeouts import LONG_S

HOSTILE = "a\x1b[2J\x1b]0;title\x07\r\nok       storage  all is well\x9b31m\u202e\ud83d"


def test_a_sentence_on_standard_error_is_one_line_without_controls(capsys: pytest.CaptureFixture[str]) -> None:
    say(NotFound("There is no comparison `{key}`.", key=HOSTILE).message)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("There is no comparison `a�[2J�]0;title� ok       storage")
    assert all(char.isprintable() for char in said.rstrip("\n"))


def test_json_on_standard_output_says_all_of_it_and_sends_none_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"key": HOSTILE, "of": "김하늘"})
    said = capsys.readouterr().out
    assert all(char.isprintable() for char in said.replace("\n", ""))
    assert json.loads(said) == {"key": HOSTILE, "of": "김하늘"}
    assert "김하늘" in said


EVERYTHING = "가 Café 😀"
LETTERS = {"id": EVERYTHING, "prompt": "a woman"}


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    file = tmp_path / "prompts.jsonl"
    file.write_text(json.dumps(LETTERS), encoding="utf-8")
    return file


def in_shell(line: str, encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    """Run `python -m core` in a shell whose console has this encoding; `CORE` stands for it."""
    command = line.replace("CORE", f"{sys.executable} -m core")
    environ = os.environ | {"PYTHONIOENCODING": encoding}
    return subprocess.run(  # noqa: S602 - what a shell does with standard output is what is tried
        command, shell=True, cwd=ROOT, env=environ, capture_output=True, timeout=LONG_S, check=False
    )


@pytest.mark.parametrize("encoding", ["cp1252", "ascii:strict"])
def test_a_console_that_lacks_letters_is_sent_json_all_the_same(prompts: Path, encoding: str) -> None:
    done = in_shell(f"CORE read {prompts}", encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout.decode("ascii"))["id"] == EVERYTHING


def test_a_console_that_lacks_letters_prints_escapes(tmp_path: Path) -> None:
    done = in_shell(f"CORE read {tmp_path}/없다.jsonl", "ascii:strict")
    assert done.returncode == 2
    assert b"\\uc5c6\\ub2e4.jsonl` cannot be read" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_command_goes_on_where_nobody_reads_what_it_prints(prompts: Path) -> None:
    done = in_shell(f"CORE read {prompts} >&- 2>&- && echo done")
    assert done.stdout == b"done\n"


@pytest.mark.parametrize(("encoding", "all_of_it"), [("utf-8", True), ("UTF8", True), ("cp1252", False), (None, False)])
def test_a_stream_is_known_by_its_encoding(encoding: str | None, all_of_it: bool) -> None:
    class Stream:
        pass

    stream = Stream()
    stream.encoding = encoding  # type: ignore[attr-defined]
    assert shows_all(stream) is all_of_it  # type: ignore[arg-type]
    assert not shows_all(None)


def test_a_line_of_the_log_stays_json_on_a_stream_that_lacks_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "log").open("w", encoding="ascii", errors="backslashreplace") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(sys, "__stderr__", stream)
        before = structlog.get_config()
        configure_logs()
        structlog.get_logger("test").info("named", name=EVERYTHING)
        structlog.configure(**before)
    assert json.loads((tmp_path / "log").read_text("ascii"))["name"] == EVERYTHING
