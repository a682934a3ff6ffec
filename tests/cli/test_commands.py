"""The operator's commands, as real processes: what they print, and how they fail."""

from __future__ import annotations

import io
import os
import socket
import struct
import subprocess
import sys
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.processes.commands import Done, core, fails, started
from tests.support.s3.moto_server import moto_server, remove, with_bucket
from tests.support.s3.servers import S3Server, client_of, environment

ROOT = Path(__file__).parents[2]
FAIR = ("--prompt", "a man by the window", "--tone", "noir", "--angle", "low angle", "--seed", "7")
CAMPAIGN = "refs/2026 가을 캠페인/01. Model"
SMALL = ("--size", "96x128")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the embedded profile."""
    return {"DATA_DIR": str(tmp_path_factory.mktemp("data"))}


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture(scope="module")
def studio(moto: S3Server) -> S3Server:
    """A bucket of the studio's own with the sample library in it."""
    samples = ROOT / "samples"
    files = [file for file in (samples / "refs").rglob("*") if file.is_file()]
    return with_bucket(moto, {file.relative_to(samples).as_posix(): file.read_bytes() for file in files})


def test_a_replay_of_no_history_has_exactly_the_promised_shape(tmp_path: Path) -> None:
    shown = core("inject", "--replay-history", "--json", environ={"DATA_DIR": str(tmp_path)}).json
    assert shown == {"rehearsed": 0, "changed": 0, "comparisons": []}


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
        done = started("index", environ=demo)
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
        done = started("index", "--check", environ=environment(checked))
        assert done.code == 0
        assert f"Problem: {self.PAGE} is unreadable" in done.out
        assert "The file is no picture this program can read." in done.out


class TestInject:
    """`inject --json`: what would go in, and why."""

    @pytest.fixture(scope="class")
    @staticmethod
    def report(studio: S3Server) -> Any:
        return core("inject", "--json", *FAIR, "--folder", CAMPAIGN, environ=environment(studio)).json

    def test_it_has_exactly_the_promised_shape(self, report: Any) -> None:
        assert set(report) == {"varies", "balanced", "reading", "controlled", "differences", "sides"}
        assert (report["varies"], report["balanced"], report["controlled"]) == ("angle", True, True)
        assert set(report["reading"]) == {"person", "gender", "age_low", "age_high", "tone", "angle"}
        assert [side["side"] for side in report["sides"]] == ["tone-only", "tone-angle"]
        for side in report["sides"]:
            assert set(side) == {"side", "slots", "prompt"}
            for slot in side["slots"]:
                assert set(slot) == {"role", "key", "group", "wished", "wished_from", "why", "steps"}
                assert slot["why"]
                for step in slot["steps"]:
                    assert set(step) == {"step", "left"}

    def test_it_fills_the_slots_by_the_table(self, report: Any) -> None:
        tone_only, tone_angle = ({s["role"]: s for s in reversed(side["slots"])} for side in report["sides"])
        assert tone_only["tone"]["group"] == tone_angle["tone"]["group"] == "noir"
        assert tone_only["tone"]["key"] == tone_angle["tone"]["key"]
        assert tone_only["angle"]["key"] is None
        assert tone_angle["angle"]["group"] == "low angle"
        groups = {
            side["side"]: [slot["group"] for slot in side["slots"] if slot["role"] == "model" and slot["key"]]
            for side in report["sides"]
        }
        assert set(groups["tone-only"]) <= {"느와르 로우앵글", "느와르 아이레벨", "느와르 쿼터뷰"}
        assert groups["tone-angle"] == ["느와르 로우앵글"]
        assert report["reading"] == {
            "person": True,
            "gender": "masculine",
            "age_low": None,
            "age_high": None,
            "tone": None,
            "angle": None,
        }

    def test_the_same_seed_gives_the_same_plan_and_another_seed_another(self, studio: S3Server) -> None:
        words = ("inject", "--json", "--prompt", "a woman", "--tone", "cinematic", "--mode", "tone-only", "--seed")
        with ThreadPoolExecutor(2) as pool:
            plans = list(pool.map(lambda seed: core(*words, seed, environ=environment(studio)).out, "5512"))
        assert plans[0] == plans[1]
        assert len(set(plans)) > 1

    def test_one_mode_makes_one_side_and_no_verdict(self, studio: S3Server) -> None:
        report = core("inject", "--json", *FAIR, "--mode", "tone-angle", environ=environment(studio)).json
        assert [side["side"] for side in report["sides"]] == ["tone-angle"]
        assert (report["controlled"], report["differences"]) == (None, [])
        assert (report["varies"], report["balanced"]) == (None, None)

    def test_as_each_mode_alone_each_difference_says_what_mends_it(self, studio: S3Server) -> None:
        words = (
            "--prompt",
            "a woman by a window",
            "--tone",
            "cinematic",
            "--angle",
            "low-angle",
            "--seed",
            "171098408",
        )
        report = core("inject", "--json", *words, "--no-balance", environ=environment(studio)).json
        assert (report["balanced"], report["controlled"]) == (False, False)
        assert all(set(each) == {"what", "says", "mend"} for each in report["differences"])
        mends = {each["what"]: each["mend"] for each in report["differences"]}
        assert mends["number of person references"] == mends["angle of the person"] == "Balance both sides"
        balanced = core("inject", "--json", *words, environ=environment(studio)).json
        assert (balanced["balanced"], balanced["controlled"], balanced["differences"]) == (True, True, [])

    def test_of_another_factor_both_sides_hold_the_same_and_b_says_what_varies(self, studio: S3Server) -> None:
        in_words = core("inject", "--json", *FAIR, "--varies", "tone-way", environ=environment(studio)).json
        assert (in_words["varies"], in_words["controlled"]) == ("tone-way", True)
        one, other = ([slot["key"] for slot in side["slots"]] for side in in_words["sides"])
        assert [side["side"] for side in in_words["sides"]] == ["a", "b"]
        assert one[0]
        assert (other[0], other[1:]) == (None, one[1:])
        words = ("--varies", "strength", "--strength-b", "angle=exact")
        stronger = core("inject", "--json", *FAIR, *words, environ=environment(studio)).json
        assert (stronger["varies"], stronger["controlled"]) == ("strength", True)
        one, other = ([slot["key"] for slot in side["slots"]] for side in stronger["sides"])
        assert one == other
        assert stronger["sides"][0]["prompt"] != stronger["sides"][1]["prompt"]

    def test_options_narrow_and_say_that_they_were_picked(self, studio: S3Server) -> None:
        words = ("--prompt", "a street", "--tone", "natural-film", "--person", "yes", "--gender", "masculine")
        report = core("inject", "--json", *words, "--age", "25-34", "--seed", "1", environ=environment(studio)).json
        models = [slot for slot in report["sides"][0]["slots"] if slot["role"] == "model"]
        assert models[0]["wished"] == "natural-film + masculine + 25–34"
        assert models[0]["wished_from"] == "picked"
        assert {Path(slot["key"]).name.split()[0] for slot in models if slot["key"]} <= {"Ben", "Jamal"}

    def test_chance_is_recorded_as_chance(self, studio: S3Server) -> None:
        report = core(
            "inject", "--json", "--prompt", "a street", "--tone", "chance", "--seed", "3", environ=environment(studio)
        ).json
        slot = report["sides"][0]["slots"][0]
        assert (slot["role"], slot["wished_from"]) == ("tone", "chance")
        assert slot["key"]

    def test_a_tone_may_be_given_by_any_of_its_names(self, studio: S3Server) -> None:
        keys = {
            core("inject", "--json", "--prompt", "x", "--tone", tone, "--seed", "1", environ=environment(studio)).json[
                "sides"
            ][0]["slots"][0]["key"]
            for tone in ("noir", "흑백")
        }
        assert len(keys) == 1

    def test_for_people_it_prints_slots_and_verdict(self, studio: S3Server) -> None:
        done = started("inject", *FAIR, environ=environment(studio))
        assert done.code == 0
        assert "Tone + angle" in done.out
        assert "controlled: " in done.out


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


BAD_INPUT: dict[str, tuple[Sequence[str | bytes], str]] = {
    "unknown tone": (("inject", "--prompt", "x", "--tone", "mauve"), "choose one of natural-film"),
    "unknown mode": (("inject", "--prompt", "x", "--mode", "both"), "tone-only, tone-angle, compare"),
    "unknown factor": (("inject", "--prompt", "x", "--varies", "size"), "angle, model, tone-way, strength"),
    "five takes": (("inject", "--prompt", "x", "--takes", "5"), "--takes"),
    "a second model of another factor": (("inject", "--prompt", "x", "--model-b", "x"), "need `--varies model`"),
    "a second model that is none": (
        ("inject", "--prompt", "x", "--varies", "model", "--model-b", "mauve"),
        "colour-transfer-1",
    ),
    "a quality that the model has not": (
        ("inject", "--prompt", "x", "--varies", "model", "--quality-b", "best"),
        "has no quality",
    ),
    "a strength of another factor": (("inject", "--prompt", "x", "--strength-b", "exact"), "needs `--varies strength`"),
    "a strength that is none": (
        ("inject", "--prompt", "x", "--varies", "strength", "--strength-b", "angle=low"),
        "hint, normal, strong, exact",
    ),
    "a strength of people": (
        ("inject", "--prompt", "x", "--varies", "strength", "--strength-b", "model=exact"),
        "tone=strong",
    ),
    "unknown folder": (("inject", "--prompt", "x", "--folder", "refs/09. Model"), "refs/01. Model"),
    "age that is no range": (("inject", "--prompt", "x", "--age", "young"), "25-34"),
    "seed that is no number": (("inject", "--prompt", "x", "--seed", "abc"), "--seed"),
    "no takes": (("generate", "--prompt", "x", "--takes", "5", "--out", "{out}"), "--takes"),
    "a model that does not vary": (
        ("generate", "--prompt", "x", "--tone", "noir", "--varies", "model", "--out", "{out}"),
        "choose another model or quality for B",
    ),
    "empty prompt": (("inject", "--prompt", "", "--tone", "noir"), "prompt is empty"),
    "no prompt": (("inject", "--tone", "noir"), "--prompt"),
    "prompt of 40,000 characters": (("inject", "--prompt", "x" * 40_000), "40,000 characters"),
    "prompt that is no text": (("inject", "--prompt", b"caf\xe9"), "not text"),
    "size that is none": (("generate", "--prompt", "x", "--size", "big", "--out", "{out}"), "1024x1280"),
    "unknown engine": (("generate", "--prompt", "x", "--engine", "oil", "--out", "{out}"), "choose preview"),
    "generate without a folder": (("generate", "--prompt", "x"), "--out"),
    "unknown option": (("index", "--yaml"), "--yaml"),
    "unknown command": (("draw",), "draw"),
}


@pytest.fixture(scope="module")
def refusals(studio: S3Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    """What each bad call came to; two at a time, for most of a command's time is its start."""
    out = str(tmp_path_factory.mktemp("out"))

    def call(words: Sequence[str | bytes]) -> Done:
        return core(*(out if word == "{out}" else word for word in words), environ=environment(studio))

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(BAD_INPUT, pool.map(call, [words for words, _ in BAD_INPUT.values()]), strict=True))


@pytest.mark.parametrize("what", BAD_INPUT)
def test_bad_input_is_one_sentence_that_says_what_would_do(what: str, refusals: dict[str, Done]) -> None:
    assert BAD_INPUT[what][1] in fails(refusals[what], 2)
    assert refusals[what].out == ""


@pytest.mark.parametrize(
    ("environ", "setting"),
    [
        ({"INDEX_WORKERS": "many"}, "INDEX_WORKERS"),
        ({"S3_ENDPOINT_URL": "http://127.0.0.1:9"}, "S3_BUCKET"),
        ({"S3_BUCKET": "studio", "S3_ENDPOINT_URL": "127.0.0.1:9"}, "S3_ENDPOINT_URL"),
        ({"S3_BUCKET": "studio", "AWS_PROFILE": "nobody"}, "nobody"),
    ],
)
def test_a_setting_that_cannot_be_used_is_bad_input_and_named(
    environ: dict[str, str], setting: str, demo: dict[str, str]
) -> None:
    assert setting in fails(core("index", "--json", environ={**demo, **environ}), 2)


class TestStorageAway:
    """When S3 does not play along: exit code 3 and one sentence."""

    @pytest.fixture(scope="class")
    @staticmethod
    def deaf() -> Iterator[S3Server]:
        """An address at which nobody listens."""
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))  # bound, and never listening
            yield S3Server("deaf", f"http://127.0.0.1:{held.getsockname()[1]}", "studio")

    @pytest.mark.parametrize("command", ["index", "inject", "generate"])
    def test_an_endpoint_nobody_listens_on_is_named(self, command: str, deaf: S3Server, tmp_path: Path) -> None:
        words = {"index": (), "inject": ("--prompt", "x"), "generate": ("--prompt", "x", "--out", str(tmp_path))}
        done = core(command, *words[command], environ=environment(deaf))
        assert deaf.endpoint_url in fails(done, 3)
        assert done.out == ""

    def test_a_bucket_that_does_not_exist_is_named(self, moto: S3Server) -> None:
        missing = S3Server("moto", moto.endpoint_url, "no-such-bucket")
        assert "“no-such-bucket” does not exist" in fails(core("index", environ=environment(missing)), 3)

    def test_bad_input_is_reported_before_storage_is_asked(self, deaf: S3Server) -> None:
        done = core("inject", "--prompt", "x", "--tone", "mauve", environ=environment(deaf))
        assert "mauve" in fails(done, 2)


class TestProduction:
    """A bucket of the studio's own; operators need no Google client."""

    def test_index_and_inject_work_without_google_settings(self, studio: S3Server) -> None:
        assert core("index", "--json", environ=environment(studio)).json["pictures"] == 110
        report = core("inject", "--json", *FAIR, "--folder", CAMPAIGN, environ=environment(studio)).json
        assert report["sides"][1]["slots"][0]["key"].startswith("refs/02. Tone/noir/")

    def test_generate_leaves_its_record_and_pictures_in_the_bucket(self, studio: S3Server, tmp_path: Path) -> None:
        record = core("generate", "--json", *FAIR, *SMALL, "--out", str(tmp_path), environ=environment(studio)).json
        listed = client_of(studio).list_objects_v2(Bucket=studio.bucket, Prefix="studio/generations/")["Contents"]
        names = sorted(row["Key"].rsplit("/", 1)[-1] for row in listed if record["id"] in row["Key"])
        assert "comparison.json" in names
        assert {name for name in names if name.endswith(".png")} == {"tone-angle-1.png", "tone-only-1.png"}

    def test_another_library_prefix_is_another_library(self, studio: S3Server) -> None:
        environ = environment(studio, S3_LIBRARY_PREFIX="refs/2026 가을 캠페인")
        report = core("index", "--json", environ=environ).json
        assert [folder["folder"] for folder in report["folders"]] == [CAMPAIGN]

    def test_check_says_what_is_missing_and_exits_1(self, studio: S3Server) -> None:
        done = core("check", environ=environment(studio))
        assert done.code == 1
        assert "GOOGLE_CLIENT_ID is missing" in done.out
        assert "Traceback" not in done.err
        assert studio.bucket in done.out

    def test_check_is_content_with_a_complete_production(self, studio: S3Server) -> None:
        sign_in = {
            "GOOGLE_CLIENT_ID": "id",
            "GOOGLE_CLIENT_SECRET": "secret",
            "PUBLIC_URL": "https://studio.example",
            "SESSION_SECRET": "never-print-this-" * 4,
            "ALLOWED_DOMAINS": "studio.example",
            "https_proxy": "http://127.0.0.1:9",  # no test leaves this machine
        }
        done = core("check", environ=environment(studio, **sign_in))
        assert done.code == 0, done.out
        assert "never-print-this" not in done.out + done.err


class TestCheck:
    """`check`: could people be served?"""

    def test_the_embedded_profile_can_serve(self, demo: dict[str, str]) -> None:
        done = started("check", environ=demo)
        assert done.code == 0, done.out
        assert "110 pictures" in done.out

    @pytest.mark.parametrize(
        "environ",
        [
            {"S3_BUCKET": "studio", "S3_ENDPOINT_URL": "http://127.0.0.1:9"},
            {"GOOGLE_CLIENT_ID": "id"},
            {"INDEX_WORKERS": "many"},
        ],
    )
    def test_what_could_not_serve_exits_1_and_says_why(self, environ: dict[str, str], demo: dict[str, str]) -> None:
        done = core("check", environ={**demo, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", **environ})
        assert done.code == 1
        assert "MISSING" in done.out
        assert "Traceback" not in done.out + done.err


def test_the_working_directory_does_not_matter(demo: dict[str, str], tmp_path: Path) -> None:
    environ = {**demo, "DATA_DIR": demo["DATA_DIR"]}
    here = core("inject", "--json", *FAIR, environ=environ)
    there = started("inject", "--json", *FAIR, environ=environ, cwd=tmp_path, pythonpath=ROOT)
    assert there.code == 0, there.err
    assert here.out == there.out
    assert list(tmp_path.iterdir()) == []


# Bad libraries ------------------------------------------------------------------------------------------


@cache
def jpeg(shade: int = 90) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 80), (shade, shade, shade)).save(out, "JPEG")
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    """A PNG of a few bytes that claims 50,000 × 50,000 pixels."""
    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


BAD_PICTURES = {
    "unreadable": (b"this is no picture at all", "no picture this program can read"),
    "truncated": (jpeg()[: len(jpeg()) // 2], "damaged or cut off"),
    "bomb": (bomb(), "50000×50000 pixels"),
}
AWKWARD = (
    unicodedata.normalize("NFD", "아라야 01.jpg"),
    "아라야 01.jpg",
    "a+b%20c%2Fd.jpg",
    "🎈 party, (final) [2].jpg",
    "  spaced  out .jpg",
    "../up.jpg",
    "/double.jpg",
)


class TestBadLibrary:
    """Pictures that cannot be shown and names nobody would choose."""

    NOIR = ("--prompt", "a street", "--tone", "noir", "--person", "yes", "--mode", "tone-only", "--seed", "1")

    def bucket(self, moto: S3Server, person: bytes) -> S3Server:
        return with_bucket(moto, {"refs/01. Model/noir/Ada 01.jpg": person, "refs/02. Tone/noir/street.jpg": jpeg(40)})

    def test_bad_pictures_are_listed_like_any_other_for_only_their_bytes_tell(self, moto: S3Server) -> None:
        people = {f"refs/01. Model/noir {kind}/Ada.jpg": data for kind, (data, _) in BAD_PICTURES.items()}
        bucket = with_bucket(moto, {**people, "refs/02. Tone/noir/street.jpg": jpeg(40)})
        assert core("index", "--json", environ=environment(bucket)).json["pictures"] == 4
        assert core("inject", "--json", *self.NOIR, environ=environment(bucket)).code == 0

    @pytest.mark.parametrize("kind", BAD_PICTURES)
    def test_a_picture_that_cannot_be_opened_is_not_sent_its_slot_names_it_and_a_check_says_why(
        self, kind: str, moto: S3Server, tmp_path: Path
    ) -> None:
        data, says = BAD_PICTURES[kind]
        environ = environment(self.bucket(moto, data))
        done = core("generate", "--json", *self.NOIR, *SMALL, "--out", str(tmp_path), environ=environ)
        assert done.code == 0, done.err
        (model,) = (slot for slot in done.json["sides"][0]["slots"] if slot["role"] == "model")
        assert model["key"] is None
        assert "“Ada 01.jpg” cannot be opened as a picture and is left out." in model["why"]
        (problem,) = core("index", "--check", "--json", environ=environ).json["problems"]
        assert (problem["kind"], problem["where"]) == ("unreadable", "refs/01. Model/noir/Ada 01.jpg")
        assert says in problem["says"]

    def test_one_sides_bad_picture_fails_neither_side(self, moto: S3Server, tmp_path: Path) -> None:
        bucket = with_bucket(
            moto,
            {
                "refs/01. Model/misc/x.jpg": jpeg(),
                "refs/02. Tone/noir/s.jpg": jpeg(),
                "refs/03. Angle/low/y.jpg": b"no",
            },
        )
        words = ("--prompt", "a street", "--tone", "noir", "--angle", "low-angle", "--seed", "1", *SMALL)
        done = core("generate", "--json", *words, "--out", str(tmp_path), environ=environment(bucket))
        assert done.code == 0, done.err
        assert sorted(file.name for file in tmp_path.iterdir()) == ["tone-angle.png", "tone-only.png"]
        (angle,) = (slot for slot in done.json["sides"][1]["slots"] if slot["role"] == "angle")
        assert angle["key"] is None
        assert "“y.jpg” cannot be opened as a picture and is left out." in angle["why"]
        assert done.json["controlled"] is False

    def test_an_empty_file_is_listed_and_never_injected(self, moto: S3Server) -> None:
        environ = environment(self.bucket(moto, b""))
        assert core("index", "--json", environ=environ).json["pictures"] == 2
        report = core("inject", "--json", *self.NOIR, environ=environ).json
        assert [slot["key"] for slot in report["sides"][0]["slots"]] == ["refs/02. Tone/noir/street.jpg", None, None]

    def test_awkward_names_are_listed_and_go_all_the_way_through(self, moto: S3Server, tmp_path: Path) -> None:
        groups = {f"refs/01. Model/noir {at}/{name}": name for at, name in enumerate(AWKWARD)}
        bucket = with_bucket(moto, {**dict.fromkeys(groups, jpeg()), "refs/02. Tone/noir/street.jpg": jpeg(40)})
        environ = environment(bucket, MAX_MODEL_REFERENCES=str(len(AWKWARD)))
        assert core("index", "--json", environ=environ).json["pictures"] == len(AWKWARD) + 1
        done = core("generate", "--json", *self.NOIR, *SMALL, "--out", str(tmp_path), environ=environ)
        assert done.code == 0, done.err
        assert [slot["key"] for slot in done.json["sides"][0]["slots"] if slot["role"] == "model"] == list(groups)

    def test_a_library_without_pictures_is_listed_as_empty_and_leaves_every_slot_empty(self, moto: S3Server) -> None:
        bucket = with_bucket(moto, {"refs/readme.txt": b"hello"})
        report = core("index", "--json", environ=environment(bucket)).json
        assert (report["pictures"], report["folders"], report["problems"]) == (0, [], [])
        asked = ("inject", "--json", "--prompt", "a woman", "--tone", "noir")
        sides = core(*asked, environ=environment(bucket)).json["sides"]
        assert [slot["key"] for side in sides for slot in side["slots"]] == [None] * 6
        assert all("no person folder yet" in slot["why"] for side in sides for slot in side["slots"][2:])

    def test_a_loose_picture_is_reported_by_its_key(self, moto: S3Server) -> None:
        bucket = with_bucket(moto, {"refs/01. Model/stray.jpg": jpeg()})
        report = core("index", "--json", environ=environment(bucket)).json
        assert report["problems"] == [{"kind": "loose", "where": "refs/01. Model/stray.jpg"}]

    def test_what_is_taken_out_of_the_bucket_is_gone_at_once(self, moto: S3Server) -> None:
        bucket = self.bucket(moto, jpeg())
        remove(bucket, "refs/01. Model/noir/Ada 01.jpg")
        assert core("index", "--json", environ=environment(bucket)).json["pictures"] == 1
