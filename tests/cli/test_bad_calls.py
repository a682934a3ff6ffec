"""Calls that cannot be carried out, of every command: exit code 2, or 3 for what S3 does, and one sentence."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.processes.commands import Done, core, fails
from tests.support.s3.moto_server import with_bucket
from tests.support.s3.servers import S3Server, environment

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
def library(moto: S3Server) -> S3Server:
    """A bucket with a folder that could be meant."""
    return with_bucket(
        moto, {"refs/01. Model/noir/Ada 01.jpg": b"a picture", "refs/02. Tone/noir/desk.jpg": b"another"}
    )


@pytest.fixture(scope="module")
def refusals(library: S3Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    """What each bad call came to; two at a time, for most of a command's time is its start."""
    out = str(tmp_path_factory.mktemp("out"))

    def call(words: Sequence[str | bytes]) -> Done:
        return core(*(out if word == "{out}" else word for word in words), environ=environment(library))

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
