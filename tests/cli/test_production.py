"""A bucket of the studio's own; operators need no Google client."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calls import CAMPAIGN, FAIR, SMALL
from tests.support.processes.commands import core
from tests.support.s3.servers import S3Server, client_of, environment


def test_index_and_inject_work_without_google_settings(studio: S3Server) -> None:
    assert core("index", "--json", environ=environment(studio)).json["pictures"] == 110
    report = core("inject", "--json", *FAIR, "--folder", CAMPAIGN, environ=environment(studio)).json
    assert report["sides"][1]["slots"][0]["key"].startswith("refs/02. Tone/noir/")


def test_generate_leaves_its_record_and_pictures_in_the_bucket(studio: S3Server, tmp_path: Path) -> None:
    record = core("generate", "--json", *FAIR, *SMALL, "--out", str(tmp_path), environ=environment(studio)).json
    listed = client_of(studio).list_objects_v2(Bucket=studio.bucket, Prefix="studio/generations/")["Contents"]
    names = sorted(row["Key"].rsplit("/", 1)[-1] for row in listed if record["id"] in row["Key"])
    assert "comparison.json" in names
    assert {name for name in names if name.endswith(".png")} == {"tone-angle-1.png", "tone-only-1.png"}


def test_another_library_prefix_is_another_library(studio: S3Server) -> None:
    environ = environment(studio, S3_LIBRARY_PREFIX="refs/2026 가을 캠페인")
    report = core("index", "--json", environ=environ).json
    assert [folder["folder"] for folder in report["folders"]] == [CAMPAIGN]


def test_check_says_what_is_missing_and_exits_1(studio: S3Server) -> None:
    done = core("check", environ=environment(studio))
    assert done.code == 1
    assert "GOOGLE_CLIENT_ID is missing" in done.out
    assert "Traceback" not in done.err
    assert studio.bucket in done.out


def test_check_is_content_with_a_complete_production(studio: S3Server) -> None:
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
