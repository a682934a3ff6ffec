"""`python -m core insights`: the contract of its JSON, as a real process, and how it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.cli.insights import Asked, filters_of
from core.errors import InputError
from core.injection.request.wishes import Varies
from tests.cli.test_terminal import in_shell
from tests.support.processes.commands import core, fails, started

NOTHING: dict[str, str] = {}


def line(number: int, winner: str = "b", voter: str = "ann", **changed: Any) -> str:
    said = {
        "scene": f"scene {number}",
        "comparison": f"c{number}",
        "voter": voter,
        "winner": winner,
        "left": "ab"[number % 2],
        "blind": True,
        "controlled": True,
        "time": f"2026-11-{1 + number // 24:02d}T{number % 24:02d}:00:00Z",
    }
    return json.dumps({**said, **changed})


def asked(**changed: Any) -> Asked:
    return Asked(**{"varies": "angle", "since": None, "until": None, "include_seen": False, **changed})


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """Three people on 100 scenes, of which 70 are B's, with all that may be amiss."""
    lines = [line(number, "b" if number % 10 < 7 else "a", voter) for number in range(100) for voter in ("ann", "ben")]
    lines += [line(number, "tie", "cleo") for number in range(5)] + [line(7, "both-bad", "dan")]
    lines += [line(7, "a", "eve", blind=False), line(8, "a", "eve", controlled=False), "{", "", line(9, "left", "eve")]
    file = tmp_path / "votes.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_it_has_exactly_the_promised_shape_and_names_broken_lines(votes: Path) -> None:
    done = core("insights", "--json", "--votes", str(votes), environ=NOTHING)
    found = done.json
    assert list(found) == [
        *("question", "scenes", "votes", "voters", "preference", "low", "high", "decided", "scenes_needed"),
        *("ties", "both_bad", "agreement", "left_bias", "left_out"),
    ]
    assert found["question"] == "Does an angle reference on top of a tone reference make the picture better?"
    assert (found["scenes"], found["votes"], found["voters"]) == (100, 206, 4)
    assert found["preference"] == pytest.approx(0.7 - 5 / 3 * 0.5 / 100, abs=0.0001)
    assert 0.5 < found["low"] < found["preference"] < found["high"] < 1
    assert (found["decided"], found["scenes_needed"]) == (True, 0)
    assert (found["ties"], found["both_bad"]) == (pytest.approx(5 / 206, abs=1e-4), pytest.approx(1 / 206, abs=1e-4))
    assert set(found["agreement"]) == {"alpha", "low", "high"}
    assert set(found["left_bias"]) == {"share", "low", "high"}
    assert found["left_out"] == {"seen": 1, "uncontrolled": 1}
    assert "Line 209 is no vote and is left out: it is no JSON object" in done.err
    assert "Line 211 is no vote and is left out: `winner`" in done.err


def test_for_people_it_says_the_same_in_sentences_and_takes_standard_input_and_days(votes: Path) -> None:
    done = in_shell(f"CORE insights --votes - --from 2026-11-02 --include-seen < {votes}")
    said = done.stdout.decode()
    assert done.returncode == 0
    assert "Tone + angle is preferred in 68 % of scenes, 51–83 %: decided. 76 scenes, 2 people." in said
    assert "Votes of people who had seen the sides named are counted, too." in said
    assert "Left out: " not in said


def test_of_an_empty_file_nothing_is_known(tmp_path: Path) -> None:
    empty = tmp_path / "votes.jsonl"
    empty.write_text("\n")
    found = core("insights", "--json", "--votes", str(empty), environ=NOTHING).json
    assert (found["scenes"], found["votes"], found["voters"], found["decided"]) == (0, 0, 0, False)
    unknown = ("preference", "low", "high", "scenes_needed", "ties", "both_bad")
    assert [found[name] for name in unknown] == [None] * 6
    assert found["agreement"] == {"alpha": None, "low": None, "high": None}
    assert found["left_bias"] == {"share": None, "low": None, "high": None}


def test_a_file_that_is_not_there_is_one_sentence() -> None:
    assert "cannot be read" in fails(started("insights", "--votes", "/nowhere.jsonl", environ=NOTHING), 2)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"varies": "weather"}, "`weather` is nothing that varies: choose angle, model, tone-way, strength."),
        ({"since": "yesterday"}, "--from yesterday is no day: write it like 2026-11-30."),
        ({"until": "30.11.2026"}, "--to 30.11.2026 is no day"),
        ({"since": "2026-11-30", "until": "2026-11-01"}, "--to 2026-11-01 is before --from 2026-11-30"),
    ],
)
def test_what_cannot_be_understood_is_said(changed: dict[str, str], says: str) -> None:
    with pytest.raises(InputError) as raised:
        filters_of(asked(**changed))
    assert raised.value.message.startswith(says)


def test_options_become_filters() -> None:
    found = filters_of(asked(varies="Tone-Way", since="2026-11-01", until="2026-11-01", include_seen=True))
    assert (found.varies, found.include_seen) == (Varies.TONE_WAY, True)
    assert found.since == found.until
