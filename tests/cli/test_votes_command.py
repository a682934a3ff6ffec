"""`python -m core votes export`: every vote that stands, as `insights` reads it, and no name nobody asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.storage.embedded.server import EmbeddedS3
from core.viewer import PersonRole, Viewer
from core.votes.records.judgements import Judgement, read_judgements
from core.votes.records.votes import Answer
from tests.support.processes.commands import core
from tests.votes.ballot_box import KIM, BallotBox

DEMO = Viewer("demo@localhost", PersonRole.ADMIN)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A demo's data with three votes of two people, one of them taken back, and one of somebody who was removed."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "refs").mkdir()
    s3 = EmbeddedS3.open(folder / "data", folder / "refs")
    box = BallotBox(s3, "studio/", folder / "disks")
    box.compared(prompt="카페에서", angle="low-angle")
    box.compared()
    server = box.server()
    first, second = server.service.ballots(DEMO, count=2)
    server.service.cast(DEMO, first.token, Answer.LEFT, seconds=3.5)
    server.service.cast(DEMO, second.token, Answer.LEFT, seconds=1.0)
    server.service.undo(DEMO, second.token)
    (theirs, *_) = server.service.ballots(KIM)
    server.service.cast(KIM, theirs.token, Answer.BOTH_BAD, seconds=2.0)
    server.deliver()
    s3.close()
    return {"DATA_DIR": str(folder / "data")}


def exported(place: dict[str, str], *words: str) -> list[dict[str, Any]]:
    done = core("votes", "export", *words, environ=place)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_every_vote_that_stands_is_a_line_that_insights_reads(place: dict[str, str], tmp_path: Path) -> None:
    lines = exported(place)
    assert [line["winner"] for line in lines if line["winner"] == "both-bad"] == ["both-bad"]
    assert len(lines) == 2, "one was taken back"
    read = list(read_judgements(enumerate(map(json.dumps, lines), 1)))
    assert all(isinstance(each, Judgement) for each in read)
    file = tmp_path / "votes.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    answer = core("insights", "--json", "--votes", str(file), environ=place)
    assert answer.json["votes"] == 2, answer.err
    assert core("insights", "--json", environ=place).json == answer.json, "the same from S3 itself"


def test_voters_go_by_pseudonyms_unless_names_are_asked_for_and_who_was_removed_goes_by_one_all_the_same(
    place: dict[str, str],
) -> None:
    assert not any("@" in line["voter"] for line in exported(place))
    named = {line["winner"]: line["voter"] for line in exported(place, "--names")}
    assert "@" not in named["both-bad"], "kim is not on the demo's list"
    assert [voter for voter in named.values() if "@" in voter] == [DEMO.email]
