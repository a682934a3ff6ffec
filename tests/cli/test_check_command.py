"""`python -m core check`: every dependency, and beside each failure what to do about it."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import FakeOpenAI
from tests.labels.review.checkouts import checkout_in, labels, reviewed_bucket
from tests.support.processes.checkouts import GIT, shared
from tests.support.processes.commands import Done, core, fails, started
from tests.support.processes.programs import ROOT
from tests.support.s3.moto_server import with_bucket
from tests.support.s3.servers import S3Server, environment, scripted_server

SIGN_IN = {
    "GOOGLE_CLIENT_ID": "id",
    "GOOGLE_CLIENT_SECRET": "kept-client-secret",
    "PUBLIC_URL": "https://studio.example",
    "SESSION_SECRET": "kept-session-secret-" * 3,
    "ALLOWED_DOMAINS": "studio.example",
}
KEY = "sk-kept-key-of-a-test"


@pytest.fixture(scope="module")
def bucket(moto: S3Server) -> S3Server:
    return with_bucket(moto, {"refs/01. Model/noir/Ada 01.jpg": b"x"})


@pytest.fixture
def openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(api_key=KEY).serving() as running:
        yield running


def production(bucket: S3Server, **more: str) -> dict[str, str]:
    """The settings of a complete production; no test leaves this machine."""
    return environment(bucket, **({"https_proxy": "http://127.0.0.1:9"} | SIGN_IN | more))


def check(
    settings: dict[str, str], *, words: tuple[str, ...] = (), run: Callable[..., Done] = core, cwd: Path = ROOT
) -> tuple[int, str]:
    """Its exit code, and all it printed."""
    done = run("check", *words, environ={"PORT": "0", **settings}, cwd=cwd)
    assert "Traceback" not in done.err
    assert "kept-" not in done.out + done.err
    return done.code, done.out


def named(out: str) -> list[str]:
    """What stands where something should not be, and the fix below it."""
    return [f"{says} {fix}" for says, fix in re.findall(r"^MISSING +settings +(.*)\n +→ (.*)$", out, re.MULTILINE)]


def told(out: str, state: str, what: str) -> tuple[str, str]:
    """What is said of something in this state, and the fix on the line below."""
    found = re.search(rf"^{state} +{what} +(.*)\n(?: +→ (.*)\n)?", out, re.MULTILINE)
    assert found, out
    return found[1], found[2] or ""


def test_a_complete_production_is_checked_throughout(bucket: S3Server, openai: FakeOpenAI) -> None:
    code, out = check(
        production(bucket, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=openai.base_url, METRICS_TOKEN="kept-metrics-token")
    )
    assert code == 0, out
    for what in ("profile", "sign-in", "vocabulary", "labels", "port", "bucket", "library", "writing", "conditions"):
        told(out, "ok", what)
    for what in ("clock", "openai", "metrics"):
        told(out, "ok", what)
    assert told(out, "ok", "people")[0].startswith("0 addresses, 1 domains, says the settings")
    assert told(out, "ok", "budgets")[0] == "no limit a day for everybody, no limit for each person, says the settings"
    assert out.endswith(f"\nThe dashboard can serve: production, from the bucket `{bucket.bucket}`.\n")
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
        ({"METRICS_TOKEN": "short"}, "sign-in", "Set METRICS_TOKEN"),
        ({"PUBLIC_URL": "http://studio.example"}, "sign-in", "Set PUBLIC_URL"),
        ({"ALLOWED_DOMAINS": ""}, "sign-in", "Set ALLOWED_DOMAINS"),
        ({"GENERATION_CONCURRENCY": "many"}, "settings", "Set GENERATION_CONCURRENCY"),
        ({"S3_BUCKET": "s3://studio/refs"}, "settings", "Set S3_BUCKET"),
        ({"AWS_DEFAULT_REGION": "ap-northeast-2a"}, "settings", "Correct AWS_DEFAULT_REGION"),
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
    assert "could not be reached" in told(out, "warning", "openai")[0]


def test_settings_that_nothing_can_be_asked_with_are_named_and_the_rest_is_checked(tmp_path: Path) -> None:
    wrong = {"OPENAI_API_KEY": KEY, "ALL_PROXY": "socks5://127.0.0.1:1080", "PORT": "http"}
    code, out = check({"DATA_DIR": str(tmp_path / "data")} | wrong)
    assert code == 1
    assert "package socksio" in told(out, "MISSING", "openai")[0]
    assert told(out, "MISSING", "openai")[1] == "Correct ALL_PROXY, then start again."
    assert "PORT='http'" in told(out, "MISSING", "port")[0]
    assert told(out, "ok", "streaming")[0].startswith("OPENAI_STREAMING=auto: sides are streamed from OpenAI")
    assert told(out, "ok", "library")


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


def test_a_value_that_is_read_otherwise_than_written_is_said_and_no_other_is(bucket: S3Server) -> None:
    windows = {name: f'"{value}"\r' for name, value in production(bucket).items() if name != "https_proxy"}
    code, out = check(windows | {"S3_LIBRARY_PREFIX": "/refs", "https_proxy": "http://127.0.0.1:9"})
    assert code == 0, out
    said = re.findall(r"^ok +settings +(.*)$", out, re.MULTILINE)
    assert "S3_LIBRARY_PREFIX=/refs is read as refs/" in said
    assert "AWS_SECRET_ACCESS_KEY is read without the blanks, quotes or other signs around its value" in said
    assert len(said) == len(windows) + 1
    assert told(out, "ok", "library")[0].startswith("1 pictures in")
    assert "settings  " not in check(production(bucket))[1]


@pytest.mark.parametrize(
    ("prefix", "says"),
    [
        ("Ref", "no picture lies under `Ref/`: the folders there are refs/; refs/ is probably meant"),
        ("library/2026", "no picture lies under `library/2026/`: the folders there are refs/"),
    ],
)
def test_a_prefix_without_a_picture_is_a_warning_with_the_folders_there_are(
    bucket: S3Server, prefix: str, says: str
) -> None:
    code, out = check(production(bucket, S3_LIBRARY_PREFIX=prefix))
    assert code == 0, out
    warned, fix = told(out, "warning", "library")
    assert warned == says
    assert fix.startswith("Set S3_LIBRARY_PREFIX to where the reference folders lie")


class TestWhatWouldServe:
    """The last line says it, and nobody takes the demo for production."""

    def test_a_misspelled_bucket_is_named_with_what_is_meant_and_is_no_demo_that_is_well(self, tmp_path: Path) -> None:
        code, out = check({"DATA_DIR": str(tmp_path), "S3_BUCKT": "kept-studio"})
        assert code == 1
        (says,) = named(out)
        assert says.startswith("S3_BUCKT in the environment is no setting, and nobody reads it Is S3_BUCKET meant?")
        assert "could not serve people like this: the demo" in out.splitlines()[-1]

    def test_the_demo_is_an_error_where_production_is_expected(self, tmp_path: Path) -> None:
        code, out = check({"DATA_DIR": str(tmp_path)})
        assert code == 0
        assert out.splitlines()[-1].startswith("The dashboard can serve: the demo, with the sample library")
        code, out = check({"DATA_DIR": str(tmp_path)}, words=("--profile", "production"))
        assert code == 1
        assert told(out, "MISSING", "profile") == (
            "S3_BUCKET is not set, so the demo would serve",
            "Set S3_BUCKET to the studio's bucket.",
        )

    def test_production_is_an_error_where_the_demo_is_expected(self, bucket: S3Server) -> None:
        code, out = check(production(bucket), words=("--profile", "embedded"))
        assert code == 1
        assert told(out, "MISSING", "profile")[1] == "Unset S3_BUCKET to run the embedded demo."

    def test_a_profile_there_is_none_of_is_bad_input(self) -> None:
        done = core("check", "--profile", "staging", environ={})
        assert "embedded" in fails(done, 2)

    def test_what_admins_have_said_in_the_dashboard_is_told(self, moto: S3Server) -> None:
        """And a domain that lets nobody in is complained of."""
        said = {
            "studio/access.json": b'{"people": {"ada@studio.example": "admin"}, "domains": {"gmail.com": "designer"}}',
            "studio/budgets.json": b'{"daily_usd": 40}',
        }
        code, out = check(production(with_bucket(moto, said), DAILY_BUDGET_USD="5"))
        assert code == 0
        assert told(out, "ok", "people")[0].endswith("says studio/access.json; admins: ada@studio.example")
        assert told(out, "warning", "people")[0].startswith("gmail.com in studio/access.json lets nobody in")
        assert (
            told(out, "ok", "budgets")[0]
            == "$40.00 a day for everybody, no limit for each person, says studio/budgets.json"
        )

    def test_a_bucket_that_denies_may_be_the_wrong_one(self, bucket: S3Server) -> None:
        with scripted_server(lambda *_: (403, {}, b"")) as denying:
            code, out = check(production(bucket, S3_ENDPOINT_URL=denying.endpoint_url))
        assert code == 1
        assert f"Check that `{bucket.bucket}` is the right name" in told(out, "MISSING", "storage")[1]


class TestFiles:
    """Of a checkout with files of its own."""

    @pytest.fixture
    @staticmethod
    def checkout(tmp_path: Path) -> Path:
        return checkout_in(tmp_path)

    def test_keys_in_tables_are_named_and_files_that_others_can_read(self, checkout: Path) -> None:
        secrets, units = checkout / ".streamlit" / "secrets.toml", checkout / "studio.env"
        secrets.write_text('METRICS_TOKEN = "kept-metrics-token"\n[s3]\nbucket = "kept-bucket"\n', "utf-8")
        units.write_text("S3_BUCKET=kept-bucket\nADMIN_EMAIL=kept-address\n", "utf-8")
        units.chmod(0o600)
        secrets.chmod(0o640)
        code, out = check({}, cwd=checkout)
        assert code == 1
        nested, misspelled = named(out)
        assert nested.startswith("s3.bucket in .streamlit/secrets.toml is no setting")
        assert "keys at the root of the file, in no table Is S3_BUCKET meant?" in nested
        assert misspelled.startswith("ADMIN_EMAIL in studio.env is no setting")
        assert told(out, "warning", "secrets") == (
            ".streamlit/secrets.toml holds secrets, and others of this machine may read it",
            "chmod 600 .streamlit/secrets.toml",
        )
        assert told(out, "ok", "secrets")[0] == "studio.env is for this user alone"
        assert "systemd reads and this check does not" in told(out, "warning", "settings")[0]

    def test_files_with_a_byte_order_mark_are_read_and_what_systemd_misses_is_told(self, checkout: Path) -> None:
        (checkout / ".streamlit" / "secrets.toml").write_text('METRICS_TOKEN = "kept-metrics-token"\r\n', "utf-8-sig")
        for name in ("attributes.toml", "personas.jsonl"):
            file = checkout / "labels" / name
            file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
        units = checkout / "studio.env"
        units.write_text("METRICS_TOKEN=kept\n", "utf-8-sig")
        code, out = check({}, cwd=checkout)
        assert code == 1
        assert [each.split(",")[0] for each in named(out)] == ["studio.env begins with a byte order mark"]
        assert told(out, "ok", "vocabulary")
        assert "line 1" not in out
        assert told(out, "ok", "metrics")[0].endswith("want METRICS_TOKEN")
        units.write_text("METRICS_TOKEN=kept\n", "utf-16")
        assert named(check({}, cwd=checkout)[1])[0].startswith("studio.env cannot be read: it is UTF-16")

    def test_a_publication_that_waits_in_s3_and_labels_that_wait_for_git_are_told(
        self, checkout: Path, moto: S3Server
    ) -> None:
        shared(checkout)
        (checkout / ".venv").symlink_to("nowhere")
        settings = production(reviewed_bucket(moto), **GIT)
        file = checkout / "labels" / "personas.jsonl"
        before = file.read_bytes()
        assert labels(checkout, "publish", environ=settings).code == 0
        code, out = check(settings, cwd=checkout)
        assert code == 0, out
        says, fix = told(out, "warning", "labels")
        assert says.startswith("labels/personas.jsonl is published and not committed")
        assert fix.startswith("python -m core labels publish --commit --push")

        file.write_bytes(before)  # as on another machine
        says, fix = told(check(settings, cwd=checkout)[1], "warning", "labels")
        assert re.match(r"version \w{12}, published by .* UTC, waits in S3", says)
        assert "docs/operate.md" in fix


class TestProfiles:
    """Could people be served?"""

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
