"""`python -m core check`: every dependency, and beside each failure what to do about it."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import FakeOpenAI
from tests.support.processes.commands import Done, core, started
from tests.support.s3.moto_server import moto_server, with_bucket
from tests.support.s3.servers import S3Server, environment

SIGN_IN = {
    "GOOGLE_CLIENT_ID": "id",
    "GOOGLE_CLIENT_SECRET": "kept-client-secret",
    "PUBLIC_URL": "https://studio.example",
    "SESSION_SECRET": "kept-session-secret-" * 3,
    "ALLOWED_DOMAINS": "studio.example",
}
KEY = "sk-kept-key-of-a-test"


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Server]:
    with moto_server() as server:
        yield with_bucket(server, {"refs/01. Model/noir/Ada 01.jpg": b"x"})


@pytest.fixture
def openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(api_key=KEY).serving() as running:
        yield running


def production(bucket: S3Server, **more: str) -> dict[str, str]:
    """The settings of a complete production; no test leaves this machine."""
    return environment(bucket, **({"https_proxy": "http://127.0.0.1:9"} | SIGN_IN | more))


def check(settings: dict[str, str], *, run: Callable[..., Done] = core) -> tuple[int, str]:
    """Its exit code, and all it printed."""
    done = run("check", environ={"PORT": "0", **settings})
    assert "Traceback" not in done.err
    assert "kept-" not in done.out + done.err
    return done.code, done.out


def told(out: str, state: str, what: str) -> tuple[str, str]:
    """What is said of something in this state, and the fix on the line below."""
    found = re.search(rf"^{state} +{what} +(.*)\n(?: +→ (.*)\n)?", out, re.MULTILINE)
    assert found, out
    return found[1], found[2] or ""


def test_a_complete_production_is_checked_throughout(bucket: S3Server, openai: FakeOpenAI) -> None:
    code, out = check(production(bucket, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=openai.base_url, METRICS_TOKEN="kept-t"))
    assert code == 0, out
    for what in ("profile", "sign-in", "vocabulary", "labels", "port", "bucket", "library", "writing", "conditions"):
        told(out, "ok", what)
    for what in ("clock", "openai", "metrics"):
        told(out, "ok", what)
    says, fix = told(out, "warning", "google")
    assert "certificates" in says
    assert "www.googleapis.com" in fix


def test_every_failure_has_its_fix_on_the_line_below(bucket: S3Server) -> None:
    code, out = check(
        production(bucket, S3_ENDPOINT_URL="http://127.0.0.1:9", OPENAI_API_KEY=KEY, PUBLIC_URL="ftp://x")
    )
    assert code == 1
    lines = out.splitlines()
    for at, line in enumerate(lines):
        if line.startswith(("MISSING", "warning")):
            assert lines[at + 1].strip().startswith("→ "), line


@pytest.mark.parametrize(
    ("changes", "what", "fix"),
    [
        ({"S3_BUCKET": "no-such-bucket"}, "storage", "Create the bucket"),
        ({"S3_ENDPOINT_URL": "http://127.0.0.1:9"}, "storage", "Check S3_ENDPOINT_URL"),
        ({"GOOGLE_CLIENT_ID": ""}, "sign-in", "Set GOOGLE_CLIENT_ID"),
        ({"SESSION_SECRET": "short"}, "sign-in", "Set SESSION_SECRET"),
        ({"PUBLIC_URL": "http://studio.example"}, "sign-in", "Set PUBLIC_URL"),
        ({"ALLOWED_DOMAINS": ""}, "sign-in", "Set ALLOWED_DOMAINS"),
        ({"GENERATION_CONCURRENCY": "many"}, "settings", "Set GENERATION_CONCURRENCY"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_what_keeps_people_out_exits_1(changes: dict[str, str], what: str, fix: str, bucket: S3Server) -> None:
    code, out = check(production(bucket, **changes))
    assert code == 1
    assert told(out, "MISSING", what)[1].startswith(fix)


def test_a_key_that_openai_does_not_accept_is_told_without_showing_it(bucket: S3Server, openai: FakeOpenAI) -> None:
    code, out = check(production(bucket, OPENAI_API_KEY="sk-another", OPENAI_BASE_URL=openai.base_url))
    assert code == 1
    assert told(out, "MISSING", "openai")[1].startswith("Set OPENAI_API_KEY")
    assert "sk-another" not in out


def test_a_model_the_key_cannot_use_is_named_with_its_setting(bucket: S3Server, openai: FakeOpenAI) -> None:
    openai.models.remove("gpt-image-2")
    code, out = check(production(bucket, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=openai.base_url))
    assert code == 0
    says, fix = told(out, "warning", "openai")
    assert "gpt-image-2 (OPENAI_IMAGE_MODEL)" in says
    assert fix.startswith("Set OPENAI_IMAGE_MODEL")


def test_openai_being_away_keeps_nobody_out(bucket: S3Server) -> None:
    code, out = check(production(bucket, OPENAI_API_KEY=KEY, OPENAI_BASE_URL="http://127.0.0.1:9/v1"))
    assert code == 0
    assert "cannot be reached" in told(out, "warning", "openai")[0]


def test_a_clock_that_is_off_is_told_by_how_much(bucket: S3Server) -> None:
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    for shift, which in (("-30s", "behind"), ("+30s", "ahead")):
        code, out = check(production(bucket, LD_PRELOAD=str(library), FAKETIME=shift), run=started)
        assert code == 1
        says, fix = told(out, "MISSING", "clock")
        assert re.search(rf"(29|30|31) s {which} of S3", says)
        assert "set-ntp" in fix


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    code, out = check({"DATA_DIR": str(blocked / "data")})
    assert code == 1
    assert "cannot be written" in told(out, "MISSING", "data")[0]


def test_a_taken_port_is_noticed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, out = check({"DATA_DIR": str(tmp_path), "PORT": str(taken.getsockname()[1])})
    assert code == 0
    assert "PORT=" in told(out, "warning", "port")[1]


def test_whether_the_demo_asks_for_its_token_is_told_and_who_may_enter_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    code, out = check({"DATA_DIR": str(folder), "DEMO_TOKEN": "on"})
    assert code == 0, out
    assert told(out, "ok", "sign-in")[0].startswith("a token of each start")
    assert "for this user alone" in told(out, "ok", "data")[0]
    (folder / "somebody's.txt").write_text("x", "utf-8")
    folder.chmod(0o755)
    code, out = check({"DATA_DIR": str(folder), "DEMO_TOKEN": "off"})
    assert code == 1
    assert told(out, "ok", "sign-in")[0].startswith("none: everyone on this machine")
    says, fix = told(out, "MISSING", "data")
    assert "which other users of this machine may enter" in says
    assert "DATA_DIR" in fix
