"""`index`: the library as S3 holds it, and which of its pictures can be opened."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from tests.cli.calls import CAMPAIGN
from tests.support.processes.commands import core
from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import with_bucket
from tests.support.s3.servers import S3Server, environment


class TestIndex:
    """`index --json`: the library as S3 holds it."""

    @pytest.fixture(scope="class")
    @staticmethod
    def report(demo: dict[str, str]) -> Any:
        return core("index", "--json", environ=demo).json

    def test_it_has_exactly_the_promised_shape(self, report: Any) -> None:
        assert set(report) == {"pictures", "left_out", "folders", "problems", "seconds"}
        assert report["left_out"] == {"litter": 0}
        for folder in report["folders"]:
            assert set(folder) == {"folder", "role", "groups"}
            assert folder["role"] in ("model", "tone", "angle")
            assert not folder["folder"].endswith("/")
            for group in folder["groups"]:
                assert set(group) == {"group", "tone", "angle", "pictures", "problem"}
                assert group["problem"] in (None, "ambiguous", "untagged", "loose")
        for problem in report["problems"]:
            assert set(problem) == {"kind", "where"}

    def test_it_counts_the_sample_library(self, report: Any) -> None:
        assert report["pictures"] == 110
        counted = {f["folder"]: (len(f["groups"]), sum(g["pictures"] for g in f["groups"])) for f in report["folders"]}
        assert counted == {
            "refs/01. Model": (14, 44),
            "refs/02. Tone": (7, 28),
            "refs/03. Angle": (10, 20),
            CAMPAIGN: (9, 18),
        }
        assert isinstance(report["seconds"], float)

    def test_it_names_the_ambiguous_and_the_untagged_group(self, report: Any) -> None:
        assert report["problems"] == [
            {"kind": "ambiguous", "where": f"{CAMPAIGN}/vivid 느와르 테스트"},
            {"kind": "untagged", "where": f"{CAMPAIGN}/미분류"},
        ]

    def test_for_people_it_prints_the_same_in_words(self, demo: dict[str, str]) -> None:
        done = core("index", environ=demo)
        assert done.code == 0
        assert done.out.startswith("110 pictures in 4 reference folders")
        assert "미분류 is untagged" in done.out

    def test_a_reader_who_leaves_the_pipe_early_hears_no_complaint(self, demo: dict[str, str]) -> None:
        command = [sys.executable, "-m", "core", "index", "--json"]
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **demo}, stdout=writing, stderr=subprocess.PIPE, check=False
        )
        os.close(writing)
        assert (done.returncode, done.stderr) == (0, b"")


class TestIndexCheck:
    """`index --check`: every picture is opened, and what cannot be is listed from then on."""

    PAGE, EMPTY = "refs/02. Tone/noir/page.jpg", "refs/02. Tone/noir/empty.jpg"

    @pytest.fixture(scope="class")
    @staticmethod
    def checked(moto: S3Server) -> S3Server:
        sample = (ROOT / "samples" / "refs/02. Tone/noir").glob("*.jpg")
        good = {f"refs/02. Tone/noir/{file.name}": file.read_bytes() for file in sample}
        return with_bucket(moto, {TestIndexCheck.PAGE: b"<html>not found</html>", TestIndexCheck.EMPTY: b"", **good})

    def test_it_lists_what_cannot_be_opened_and_so_does_the_index_afterwards(self, checked: S3Server) -> None:
        environ = environment(checked)
        before = core("index", "--json", environ=environ).json
        assert before["problems"] == [{"kind": "unreadable", "where": self.EMPTY}]
        report = core("index", "--check", "--json", environ=environ).json
        assert set(report) == {"pictures", "left_out", "folders", "problems", "seconds", "opened", "unreadable"}
        assert (report["opened"], report["unreadable"]) == (report["pictures"], 2)
        said = {problem["where"]: problem for problem in report["problems"]}
        assert set(said) == {self.PAGE, self.EMPTY}
        assert {problem["kind"] for problem in said.values()} == {"unreadable"}
        assert "no picture this program can read" in said[self.PAGE]["says"]
        assert "empty" in said[self.EMPTY]["says"]
        after = core("index", "--json", environ=environ).json
        assert after["problems"] == [{"kind": "unreadable", "where": where} for where in sorted(said)]
        again = core("index", "--check", "--json", environ=environ).json
        assert again["opened"] <= 2, "what can be opened is known, and not opened again"

    def test_for_people_it_says_how_many_and_why(self, checked: S3Server) -> None:
        done = core("index", "--check", environ=environment(checked))
        assert done.code == 0
        assert f"Problem: {self.PAGE} is unreadable" in done.out
        assert "The file is no picture this program can read." in done.out
