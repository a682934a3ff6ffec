"""What a terminal would obey is shown and not obeyed, whoever has put it where."""

from __future__ import annotations

import json

import pytest

from core.cli.failures import say
from core.cli.workbench import print_json
from core.errors import NotFound

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
