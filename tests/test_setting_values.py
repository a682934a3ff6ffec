"""Settings as people have them: written on Windows, quoted, pasted; taken as they are meant, or refused by name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.setting_values import cleaned
from core.settings import Settings, export_aws_variables, load_settings
from core.storage.client import BucketClient, Reach

NOWHERE = Path("/nonexistent/secrets.toml")
PLAIN = {
    "S3_BUCKET": "studio",
    "S3_ENDPOINT_URL": "http://127.0.0.1:9000",
    "S3_LIBRARY_PREFIX": "refs/",
    "OPENAI_API_KEY": "sk-proj-abc_1",
    "OPENAI_BASE_URL": "https://gateway.example/v1",
    "OPENAI_IMAGE_MODEL": "gpt-image-2",
    "GOOGLE_CLIENT_ID": "1-a.apps.googleusercontent.com",
    "GOOGLE_CLIENT_SECRET": "GOCSPX-abc",
    "PUBLIC_URL": "https://studio.example",
    "SESSION_SECRET": "a secret that is long enough for it",
    "METRICS_TOKEN": "token",
    "IMAGE_DELIVERY": "presigned",
    "INDEX_WORKERS": "16",
    "LOG_PROMPTS": "true",
    "DATA_DIR": "/srv/studio",
    "ACCESS_CONTACT": "Ada Kim, #studio",
    "ALLOWED_EMAILS": "ann@studio.example",
}
AROUND = {
    "a carriage return": "{}\r",
    "a line end": "{}\r\n",
    "blanks": "  {}\t",
    "no-break spaces": "\u00a0{}\u202f",
    "a byte order mark": "\ufeff{}",
    "zero-width characters": "\u200b{}\u2060\u200e",
    "double quotes": '"{}"',
    "single quotes": "'{}'",
    "backticks": "`{}`",
    "typographic quotes": "“{}”",
    "German quotes": "„{}“",
    "quotes, blanks and a carriage return": '\ufeff "{} " \r',
    "quotes in quotes": "\"'{}'\"",
}


def settings_of(**environ: str) -> Settings:
    return load_settings(environ, secrets_file=NOWHERE)


def refused(**environ: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        settings_of(**environ)
    assert "\n" not in caught.value.message
    return caught.value


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_what_stands_around_a_value_does_not_count(around: str, tmp_path: Path) -> None:
    """In the environment and in secrets.toml."""
    wrapped = {name: around.format(value) for name, value in PLAIN.items()}
    assert settings_of(**wrapped) == settings_of(**PLAIN)
    file = tmp_path / "secrets.toml"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in wrapped.items()), "utf-8")
    assert load_settings({}, secrets_file=file) == settings_of(**PLAIN)


@pytest.mark.parametrize("written", ["", " ", "\r", '""', "''", '"" \r\n', "\ufeff", "“”", "\u200b"])
@pytest.mark.parametrize(
    "name", ["S3_BUCKET", "S3_LIBRARY_PREFIX", "OPENAI_API_KEY", "INDEX_WORKERS", "ALLOWED_EMAILS"]
)
def test_what_is_empty_inside_its_quotes_is_unset(name: str, written: str) -> None:
    assert settings_of(**{name: written}) == settings_of()


def test_a_name_in_front_of_its_value_is_left_out() -> None:
    assert settings_of(S3_BUCKET="S3_BUCKET=studio").s3_bucket == "studio"
    assert settings_of(S3_BUCKET='export S3_BUCKET="studio"').s3_bucket == "studio"
    assert cleaned("METRICS_TOKEN=x", "S3_BUCKET") == "METRICS_TOKEN=x"


def test_quotes_that_belong_to_the_value_stay() -> None:
    assert settings_of(ACCESS_CONTACT='"Ada" or "Bo"').access_contact == '"Ada" or "Bo"'
    assert settings_of(ACCESS_CONTACT="Ada's desk").access_contact == "Ada's desk"


@pytest.mark.parametrize(
    "written",
    [
        "ann@studio.example,bob@studio.example",
        '"ann@studio.example", "bob@studio.example"',
        '["ann@studio.example", "bob@studio.example"]',
        "ann@studio.example\r\nbob@studio.example\r\n",
        "Ann@studio.example,,bob@studio.example,",
        "'ann@studio.example,\ufeffbob@studio.example'",
    ],
)
def test_names_are_told_apart_however_they_are_listed(written: str) -> None:
    assert settings_of(ALLOWED_EMAILS=written).allowed_emails == ("ann@studio.example", "bob@studio.example")


@pytest.mark.parametrize(
    "name", sorted(PLAIN.keys() - {"INDEX_WORKERS", "LOG_PROMPTS", "IMAGE_DELIVERY", "ALLOWED_EMAILS"})
)
@pytest.mark.parametrize("inside", ["\r\n", "\n", "\0", "\x1b", "\u200b", "\u202e", "\u2028"])
def test_what_cannot_be_seen_inside_a_value_is_refused_by_the_settings_name(name: str, inside: str) -> None:
    at = len(PLAIN[name]) // 2
    error = refused(**{name: f"{PLAIN[name][:at]}{inside}{PLAIN[name][at:]}"})
    assert error.setting == name


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "GOOGLE_CLIENT_SECRET", "METRICS_TOKEN", "OPENAI_TEXT_MODEL"])
@pytest.mark.parametrize(
    ("written", "why"), [("sk a", "a blank"), ("sk-…", "than ASCII's"), ('"sk-a', "a quote at one end")]
)
def test_a_key_is_one_word_of_ascii_and_a_secret_one_is_not_shown(name: str, written: str, why: str) -> None:
    error = refused(**{name: written})
    assert why in error.message
    assert (f"{name}=…" in error.message) is (name != "OPENAI_TEXT_MODEL")


def test_a_key_as_it_stands_in_a_header_is_the_key() -> None:
    for written in ("Bearer sk-a", "bearer  sk-a\r", "Authorization: Bearer sk-a", '"Bearer sk-a"'):
        assert settings_of(OPENAI_API_KEY=written).openai_api_key == "sk-a"


def test_an_id_and_a_secret_that_have_changed_places_are_named() -> None:
    assert "GOOGLE_CLIENT_SECRET takes" in refused(GOOGLE_CLIENT_ID="GOCSPX-abc").message
    assert "GOOGLE_CLIENT_ID takes" in refused(GOOGLE_CLIENT_SECRET="1-a.apps.googleusercontent.com").message
    assert "write the id alone" in refused(GOOGLE_CLIENT_ID="https://1-a.apps.googleusercontent.com").message


class TestBucket:
    """By the rules of general purpose buckets."""

    @pytest.mark.parametrize(
        "name", ["studio", "abc", "1-2", "my.studio.refs", "a" * 63, "studio-x7f3-s3alias", "9studio"]
    )
    def test_what_s3_takes_is_taken(self, name: str) -> None:
        assert settings_of(S3_BUCKET=name).s3_bucket == name

    @pytest.mark.parametrize(
        "name",
        [
            *("ab", "a" * 64, "Studio", "my_studio", "my studio", "-studio", "studio-", ".studio", "studio.", "a..b"),
            *(
                "192.168.5.4",
                "xn--studio",
                "sthree-studio",
                "amzn-s3-demo-x",
                "스튜디오",
                "studio!",
                "<bucket>",
                "$BUCKET",
            ),
            *("studio--use1-az4--x-s3", "studio--ol-s3", "studio.mrap"),
        ],
    )
    def test_what_s3_would_not_take_is_refused(self, name: str) -> None:
        assert refused(S3_BUCKET=name).setting == "S3_BUCKET"

    @pytest.mark.parametrize(
        ("pasted", "says"),
        [
            ("s3://studio", "write S3_BUCKET=studio"),
            ("s3://studio/refs/2026", "write S3_BUCKET=studio and S3_LIBRARY_PREFIX=refs/2026/"),
            ("S3://studio/refs/", "write S3_BUCKET=studio and S3_LIBRARY_PREFIX=refs/"),
            ("studio/refs", "write S3_BUCKET=studio and S3_LIBRARY_PREFIX=refs/"),
            ("/studio/", "write S3_BUCKET=studio"),
            (
                "https://studio.s3.ap-northeast-2.amazonaws.com/refs/",
                "write S3_BUCKET=studio and S3_LIBRARY_PREFIX=refs/",
            ),
            ("https://s3.eu-central-1.amazonaws.com/studio/refs", "write S3_BUCKET=studio and S3_LIBRARY_PREFIX=refs/"),
            ("http://minio:9000/studio", "write S3_BUCKET=studio"),
            (
                "https://ap-northeast-2.console.aws.amazon.com/s3/buckets/studio?region=ap-northeast-2&prefix=refs/",
                "write S3_BUCKET=studio and S3_LIBRARY_PREFIX=refs/",
            ),
            ("arn:aws:s3:::studio", "write S3_BUCKET=studio"),
            ("arn:aws-cn:s3:::studio/refs/*", "write S3_BUCKET=studio and S3_LIBRARY_PREFIX=refs/"),
            ("arn:aws:s3:ap-northeast-2:1:accesspoint/studio", "the alias of the access point"),
        ],
    )
    def test_more_than_a_name_is_told_apart_with_the_settings_that_take_it(self, pasted: str, says: str) -> None:
        error = refused(S3_BUCKET=pasted)
        assert error.setting == "S3_BUCKET"
        assert f"{says}." in error.message

    def test_a_bucket_of_the_old_kind_serves_where_it_is_said_to_lie_in_its_region(self) -> None:
        """docs/decisions/042-settings-as-people-have-them.md"""
        for region in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            assert settings_of(S3_BUCKET="Studio_Refs", **{region: "us-east-1"}).s3_bucket == "Studio_Refs"
        assert "set AWS_DEFAULT_REGION=us-east-1 as well" in refused(S3_BUCKET="Studio_Refs").message
        assert BucketClient(Reach("Studio_Refs"), attempts=1).place() == (
            "https://s3.amazonaws.com/Studio_Refs",
            "us-east-1",
        )
        refused(S3_BUCKET="Studio_Refs", AWS_DEFAULT_REGION="eu-west-1")
        refused(S3_BUCKET="Studio_Refs", AWS_DEFAULT_REGION="us-east-1", S3_ENDPOINT_URL="http://minio:9000")
        refused(S3_BUCKET="Studio Refs", AWS_DEFAULT_REGION="us-east-1")


@pytest.mark.parametrize("name", ["S3_LIBRARY_PREFIX", "S3_APP_PREFIX"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(
            (each, "refs/")
            for each in ("refs", "/refs", "/refs/", "//refs", "refs/", "./refs", "\\refs\\", '"/refs"\r')
        ),
        *((each, "a/b/") for each in ("a/b", "a\\b", "/a/b/", "\\a\\b")),
        *(("/", ""), ("\\", ""), ("./", "")),
        ("01. 참고/02. Tone", "01. 참고/02. Tone/"),
    ],
)
def test_a_prefix_is_read_as_the_folder_that_is_meant(name: str, written: str, meant: str) -> None:
    assert getattr(settings_of(**{name: written}), name.lower()) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("s3://studio/refs", "refs/"), ("refs/*", "refs/"), ("refs/**", "refs/"), ("refs/**/*.jpg", "refs/")],
)
def test_a_prefix_that_is_none_is_refused_with_the_folder(written: str, meant: str) -> None:
    error = refused(S3_LIBRARY_PREFIX=written)
    assert error.setting == "S3_LIBRARY_PREFIX"
    assert f"as {meant}" in error.message


@pytest.mark.parametrize(
    ("name", "written", "why"),
    [
        ("S3_ENDPOINT_URL", "minio:9000", "no address of a server"),
        ("S3_ENDPOINT_URL", "http:/minio", "no address of a server"),
        ("S3_ENDPOINT_URL", "http://minio:99999", "no address of a server"),
        ("S3_ENDPOINT_URL", "http://minio 9000", "no address of a server"),
        ("S3_ENDPOINT_URL", "s3://studio", "no address of a server"),
        ("S3_ENDPOINT_URL", "http://minio:0", "no address of a server"),
        ("OPENAI_BASE_URL", "https://<host>/v1", "no address of a server"),
        ("OPENAI_BASE_URL", "https://${HOST}/v1", "no address of a server"),
        ("S3_ENDPOINT_URL", "http://minio:9000/?x=1", "without what follows ?"),
        ("S3_ENDPOINT_URL", "https://studio.s3.amazonaws.com", "names a bucket"),
        ("S3_ENDPOINT_URL", "http://minio:9000/studio/", "names a bucket"),
        ("OPENAI_BASE_URL", "gateway.example/v1", "no address of a server"),
        ("OPENAI_BASE_URL", "https://https://gateway.example/v1", "no address of a server"),
        ("OPENAI_BASE_URL", '"https://gateway.example/v1', "no address of a server"),
        ("OPENAI_BASE_URL", "https://gateway.example/v1/chat/completions", "write it without “/chat/completions”"),
        ("OPENAI_BASE_URL", "https://gateway.example/v1/images/edits/", "write it without “/images/edits”"),
        ("OPENAI_BASE_URL", "https://x.example/v1?api-version=1", "without what follows ?"),
        ("OPENAI_BASE_URL", "https://api.openai.com", "write https://api.openai.com/v1"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_by_name(name: str, written: str, why: str) -> None:
    error = refused(S3_BUCKET="studio", **{name: written})
    assert error.setting == name
    assert why in error.message


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("S3_ENDPOINT_URL", "https://s3.ap-northeast-2.amazonaws.com"),
        ("S3_ENDPOINT_URL", "https://bucket.vpce-1a-2b.s3.us-east-1.vpce.amazonaws.com"),
        ("S3_ENDPOINT_URL", "https://x.storage.example/storage/v1/s3"),
        ("S3_ENDPOINT_URL", "http://[::1]:9000/"),
        ("OPENAI_BASE_URL", "https://x.openai.azure.example/openai/v1/"),
        ("OPENAI_BASE_URL", "http://litellm:4000"),
    ],
)
def test_an_address_with_a_port_or_a_path_is_taken(name: str, written: str) -> None:
    assert getattr(settings_of(S3_BUCKET="studio", **{name: written}), name.lower()) == written


class TestAmazonsVariables:
    """Which boto3 reads itself: cleaned for it, or refused by name where there is a bucket."""

    @pytest.mark.parametrize(
        ("name", "written", "why"),
        [
            ("AWS_ACCESS_KEY_ID", "AKIA 1", "a blank"),
            ("AWS_SECRET_ACCESS_KEY", "kept-a\r\nkept-b", "a line break"),
            ("AWS_SESSION_TOKEN", "kept-…", "than ASCII's"),
            ("AWS_DEFAULT_REGION", "ap-northeast-2a", "write the region, ap-northeast-2"),
            ("AWS_REGION", "Asia Pacific (Seoul)", "write it as ap-northeast-2"),
            ("AWS_ENDPOINT_URL", "minio:9000", "no address of a server"),
        ],
    )
    def test_what_cannot_be_used_is_refused_by_name(self, name: str, written: str, why: str) -> None:
        error = refused(S3_BUCKET="studio", **{name: written})
        assert error.setting == name
        assert why in error.message
        assert "kept-" not in error.message
        settings_of(**{name: written})  # the demo asks for none of them

    def test_boto3_finds_them_without_what_stands_around_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "secrets.toml"
        file.write_text('\ufeffAWS_SECRET_ACCESS_KEY = " secret\\r"\n', "utf-8")
        for name, value in {
            "AWS_ACCESS_KEY_ID": '"AKIA1"\r',
            "AWS_DEFAULT_REGION": " us-east-1 ",
            "AWS_PROFILE": '""',
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "")  # so that the fixture puts it back
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        export_aws_variables(file)
        assert [
            os.environ.get(name)
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_PROFILE")
        ] == [
            "AKIA1",
            "secret",
            "us-east-1",
            None,
        ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_secrets_file_written_on_any_system_is_read(tmp_path: Path, encoding: str, end: str) -> None:
    file = tmp_path / "secrets.toml"
    file.write_bytes(f'S3_BUCKET = "studio"{end}ACCESS_CONTACT = "김 대리"{end}'.encode(encoding))
    settings = load_settings({}, secrets_file=file)
    assert (settings.s3_bucket, settings.access_contact) == ("studio", "김 대리")


@pytest.mark.parametrize(
    ("encoding", "says"), [("utf-16", "it is UTF-16: save it as UTF-8"), ("cp949", "line 2 is not UTF-8")]
)
def test_a_secrets_file_in_another_encoding_says_what_to_do(tmp_path: Path, encoding: str, says: str) -> None:
    file = tmp_path / "secrets.toml"
    file.write_bytes('S3_BUCKET = "studio"\nACCESS_CONTACT = "김 대리"\n'.encode(encoding))
    with pytest.raises(ConfigError, match=says):
        load_settings({}, secrets_file=file)
