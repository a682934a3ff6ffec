"""`generate`: the pictures and the record."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.cli.calls import FAIR, SMALL
from tests.support.processes.commands import core, fails, started


class TestGenerate:
    """`generate`: the pictures and the record."""

    def test_it_writes_each_sides_picture_in_the_asked_size_and_prints_the_record(
        self, demo: dict[str, str], tmp_path: Path
    ) -> None:
        out = tmp_path / "new" / "folder"
        done = core("generate", "--json", *FAIR, *SMALL, "--engine", "preview", "--out", str(out), environ=demo)
        assert done.code == 0, done.err
        assert sorted(file.name for file in out.iterdir()) == ["tone-angle.png", "tone-only.png"]
        for file in out.iterdir():
            with Image.open(file) as picture:
                assert (picture.size, picture.format) == ((96, 128), "PNG")
        record = done.json
        assert (record["engine"], record["seed"], record["mode"]) == ("preview", 7, "compare")
        assert record["size"] == {"width": 96, "height": 128}
        assert [side["side"] for side in record["sides"]] == ["tone-only", "tone-angle"]
        assert record["sides"][0]["prompt"].startswith("Subject")
        assert {outcome["state"] for outcome in record["outcomes"]} == {"done"}

    def test_further_takes_are_written_beside_the_first_and_single_out_themselves(
        self, demo: dict[str, str], tmp_path: Path
    ) -> None:
        words = ("generate", "--json", *FAIR, *SMALL, "--takes", "2", "--varies", "strength", "--strength-b", "exact")
        done = core(*words, "--out", str(tmp_path), environ=demo)
        assert done.code == 0, done.err
        assert sorted(file.name for file in tmp_path.iterdir()) == ["a-2.png", "a.png", "b-2.png", "b.png"]
        assert len({file.read_bytes() for file in tmp_path.iterdir()}) == 2, "the preview's takes differ"
        record = done.json
        assert (record["version"], record["takes"], record["wishes"]["varies"]) == (2, 2, "strength")
        assert record["state"] == dict.fromkeys(("a", "b", "a-2", "b-2"), "done")
        assert [outcome["take"] for outcome in record["outcomes"]] == [1, 1, 2, 2]
        assert any(note.startswith("Take 2 is graded") for note in record["outcomes"][-1]["notes"])

    def test_it_sends_what_inject_showed(self, demo: dict[str, str], tmp_path: Path) -> None:
        shown = core("inject", "--json", *FAIR, environ=demo).json
        record = core("generate", "--json", *FAIR, *SMALL, "--out", str(tmp_path), environ=demo).json
        for before, after in zip(shown["sides"], record["sides"], strict=True):
            assert before["prompt"] == after["prompt"]
            assert [slot["key"] for slot in before["slots"]] == [slot["key"] for slot in after["slots"]]

    def test_one_mode_writes_one_picture(self, demo: dict[str, str], tmp_path: Path) -> None:
        done = started("generate", *FAIR, *SMALL, "--mode", "tone-only", "--out", str(tmp_path), environ=demo)
        assert done.code == 0
        assert [file.name for file in tmp_path.iterdir()] == ["tone-only.png"]

    def test_nothing_to_preview_is_a_failure_of_the_engine_and_the_record_says_so(
        self, demo: dict[str, str], tmp_path: Path
    ) -> None:
        done = core("generate", "--json", "--prompt", "a street", *SMALL, "--out", str(tmp_path), environ=demo)
        assert "nothing to preview" in fails(done, 4)
        assert {outcome["failure"]["kind"] for outcome in done.json["outcomes"]} == {"bad_request"}
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_cannot_be_made_is_bad_input(self, demo: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        done = core("generate", *FAIR, *SMALL, "--out", str(tmp_path / "file" / "out"), environ=demo)
        assert "cannot be made" in fails(done, 2)

    def test_a_picture_that_cannot_be_written_is_bad_input(self, demo: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "tone-only.png").mkdir()
        done = core("generate", *FAIR, *SMALL, "--mode", "tone-only", "--out", str(tmp_path), environ=demo)
        assert "cannot be written" in fails(done, 2)
