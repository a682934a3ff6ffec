"""Settings: fixed names, checked once, and a production that is never half configured."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.settings import PROJECT_ROOT, ImageDelivery, Profile, Settings, export_aws_variables, load_settings

NOWHERE = Path("/nonexistent/secrets.toml")
# The names that are promised to operators; they never change.
NAMES = [
    "S3_BUCKET",
    "S3_ENDPOINT_URL",
    "S3_LIBRARY_PREFIX",
    "S3_APP_PREFIX",
    "GOOGLE_CLIENT_ID",
    "GOOGLE_CLIENT_SECRET",
    "PUBLIC_URL",
    "SESSION_SECRET",
    "TRUSTED_PROXIES",
    "SIGN_IN_FAILURES_PER_MINUTE",
    "SIGN_IN_FAILURES_IN_ALL_PER_MINUTE",
    "ALLOWED_EMAILS",
    "ALLOWED_DOMAINS",
    "OPS_EMAILS",
    "ADMIN_EMAILS",
    "ACCESS_CONTACT",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_IMAGE_MODEL",
    "OPENAI_TEXT_MODEL",
    "OPENAI_LABEL_MODEL",
    "OPENAI_STREAMING",
    "DATA_DIR",
    "INDEX_REFRESH_S",
    "INDEX_WORKERS",
    "IMAGE_DELIVERY",
    "GENERATION_CONCURRENCY",
    "GENERATION_DEADLINE_S",
    "GENERATION_STOP_S",
    "METRICS_TOKEN",
    "DEMO_TOKEN",
    "DAILY_BUDGET_USD",
    "DAILY_BUDGET_PERSON_USD",
    "MAX_MODEL_REFERENCES",
    "LOG_PROMPTS",
    "VOTE_DAYS",
]
PRODUCTION = {
    "S3_BUCKET": "studio",
    "GOOGLE_CLIENT_ID": "id",
    "GOOGLE_CLIENT_SECRET": "secret",
    "PUBLIC_URL": "https://studio.example",
    "SESSION_SECRET": "s" * 32,
    "ALLOWED_DOMAINS": "studio.example",
}


def settings_of(**environ: str) -> Settings:
    return load_settings(environ, secrets_file=NOWHERE)


def secrets_file(folder: Path, text: str) -> Path:
    file = folder / "secrets.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_promised_name_is_a_setting_and_there_are_no_others() -> None:
    assert sorted(name.upper() for name in Settings.model_fields) == sorted(NAMES)


def test_nothing_configured_is_the_embedded_profile_with_the_promised_defaults() -> None:
    settings = settings_of()
    assert settings.profile is Profile.EMBEDDED
    settings.require_serving()
    assert (settings.s3_library_prefix, settings.s3_app_prefix) == ("refs/", "studio/")
    assert settings.data_dir == PROJECT_ROOT / ".studio"
    assert (settings.generation_deadline_s, settings.max_model_references) == (270, 3)
    assert settings.image_delivery is ImageDelivery.PROXY
    assert (settings.daily_budget_usd, settings.log_prompts) == (None, False)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_value_counts_as_unset(name: str) -> None:
    assert getattr(settings_of(**{name: ""}), name.lower()) == getattr(settings_of(), name.lower())


def test_names_are_split_at_commas_and_compared_in_lower_case() -> None:
    assert settings_of(ALLOWED_EMAILS=" Ann@Studio.example, ,bob@studio.example,").allowed_emails == (
        "ann@studio.example",
        "bob@studio.example",
    )


def test_names_may_be_a_list_in_secrets_toml(tmp_path: Path) -> None:
    file = secrets_file(tmp_path, 'ALLOWED_EMAILS = ["Ann@Studio.example ", ""]\n')
    assert load_settings({}, secrets_file=file).allowed_emails == ("ann@studio.example",)


@pytest.mark.parametrize(("given", "kept"), [("library", "library/"), ("library/", "library/"), ("a/b", "a/b/")])
def test_a_prefix_ends_with_a_slash_so_that_siblings_do_not_match(given: str, kept: str) -> None:
    settings = settings_of(S3_LIBRARY_PREFIX=given, S3_APP_PREFIX=given)
    assert (settings.s3_library_prefix, settings.s3_app_prefix) == (kept, kept)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INDEX_REFRESH_S", "soon"),
        ("INDEX_REFRESH_S", "0"),
        ("INDEX_REFRESH_S", "inf"),
        ("INDEX_REFRESH_S", "nan"),
        ("INDEX_WORKERS", "0"),
        ("INDEX_WORKERS", "1.5"),
        ("IMAGE_DELIVERY", "carrier pigeon"),
        ("GENERATION_CONCURRENCY", "-1"),
        ("GENERATION_DEADLINE_S", "inf"),
        ("DAILY_BUDGET_USD", "-1"),
        ("DAILY_BUDGET_USD", "nan"),
        ("DAILY_BUDGET_PERSON_USD", "a lot"),
        ("MAX_MODEL_REFERENCES", "99"),
        ("LOG_PROMPTS", "perhaps"),
        ("SIGN_IN_FAILURES_PER_MINUTE", "0"),
        ("SIGN_IN_FAILURES_IN_ALL_PER_MINUTE", "no limit"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "nginx"),
        ("TRUSTED_PROXIES", "10.0.0.5/8"),
        ("TRUSTED_PROXIES", "10.0.0.5, 0.0.0.0/0"),
        ("TRUSTED_PROXIES", "::/0"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_in_one_sentence(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(**{name: value})
    assert caught.value.setting == name
    assert caught.value.message.startswith(f"{name}=")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("10.0.0.5", ["10.0.0.5/32"]),
        ("10.0.0.5, 192.0.2.0/24,2001:DB8::/32", ["10.0.0.5/32", "192.0.2.0/24", "2001:db8::/32"]),
    ],
)
def test_proxies_are_addresses_and_networks(given: str, kept: list[str]) -> None:
    assert [*map(str, settings_of(TRUSTED_PROXIES=given).trusted_proxies)] == kept


@pytest.mark.parametrize("trusted", ["*", "10.0.0.5", "127.0.0.1,10.0.0.5"])
def test_uvicorns_own_word_for_proxies_is_refused_and_ours_named(trusted: str) -> None:
    """uvicorn reads it before we are there: with `*`, everybody would choose the address they are counted by."""
    with pytest.raises(ConfigError, match="TRUSTED_PROXIES") as caught:
        settings_of(FORWARDED_ALLOW_IPS=trusted)
    assert caught.value.setting == "FORWARDED_ALLOW_IPS"


def test_uvicorns_own_default_may_be_said() -> None:
    settings_of(FORWARDED_ALLOW_IPS="127.0.0.1, ::1")


class TestProduction:
    """With a bucket named, people sign in, or nobody is served."""

    def test_a_complete_production_may_serve(self) -> None:
        settings = settings_of(**PRODUCTION)
        assert settings.profile is Profile.PRODUCTION
        settings.require_serving()

    @pytest.mark.parametrize("name", sorted(PRODUCTION.keys() - {"S3_BUCKET"}))
    def test_a_missing_setting_stops_the_start_with_one_sentence_that_names_it(self, name: str) -> None:
        settings = settings_of(**{key: value for key, value in PRODUCTION.items() if key != name})
        with pytest.raises(ConfigError) as caught:
            settings.require_serving()
        assert caught.value.setting == name
        assert name in caught.value.message
        assert "\n" not in caught.value.message

    @pytest.mark.parametrize("name", ["ALLOWED_EMAILS", "ALLOWED_DOMAINS", "OPS_EMAILS", "ADMIN_EMAILS"])
    def test_one_way_in_is_enough(self, name: str) -> None:
        settings_of(**{**PRODUCTION, "ALLOWED_DOMAINS": "", name: "ann@studio.example"}).require_serving()

    def test_a_session_secret_that_could_be_guessed_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="SESSION_SECRET is shorter than 32 bytes"):
            settings_of(**{**PRODUCTION, "SESSION_SECRET": "s" * 31}).require_serving()

    @pytest.mark.parametrize("profile", [PRODUCTION, {}], ids=["production", "demo"])
    def test_a_metrics_token_that_could_be_guessed_is_refused(self, profile: dict[str, str]) -> None:
        settings_of(**profile, METRICS_TOKEN="t" * 16).require_serving()
        with pytest.raises(ConfigError, match="METRICS_TOKEN is shorter than 16 bytes: make one with") as caught:
            settings_of(**profile, METRICS_TOKEN="t" * 15).require_serving()
        assert caught.value.setting == "METRICS_TOKEN"
        assert "ttt" not in caught.value.message

    @pytest.mark.parametrize(
        "url",
        [
            "studio.example",
            "ftp://studio.example",
            "https://",
            "https://studio.example/dashboard",
            "https://studio.example?x",
            "https://studio.example:443",
            "https://studio.example:99999",
            "https://Studio.example",
            "https://스튜디오.example",
            "https://kim@studio.example",
            "http://studio.example",
        ],
    )
    def test_a_public_url_that_no_browser_names_as_an_origin_is_refused(self, url: str) -> None:
        """Every request for a session would be taken for a foreign page's; and only loopback does without TLS."""
        with pytest.raises(ConfigError) as caught:
            settings_of(**{**PRODUCTION, "PUBLIC_URL": url}).require_serving()
        assert caught.value.setting == "PUBLIC_URL"
        assert "\n" not in caught.value.message

    @pytest.mark.parametrize(
        ("url", "origin", "cookie"),
        [
            ("https://studio.example", "https://studio.example", "__Host-studio"),
            ("https://studio.example/", "https://studio.example", "__Host-studio"),
            ("https://studio.example:8443", "https://studio.example:8443", "__Host-studio"),
            ("http://127.0.0.1:8501", "http://127.0.0.1:8501", "studio"),
            ("http://localhost:8501/", "http://localhost:8501", "studio"),
        ],
    )
    def test_the_session_cookie_is_tied_to_the_host_wherever_there_is_tls(
        self, url: str, origin: str, cookie: str
    ) -> None:
        settings = settings_of(**{**PRODUCTION, "PUBLIC_URL": url})
        settings.require_serving()
        assert (settings.origin, settings.cookie_name) == (origin, cookie)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("S3_ENDPOINT_URL", "http://127.0.0.1:9000"),
            *(
                (name, "x" * 40)
                for name in ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "PUBLIC_URL", "SESSION_SECRET")
            ),
        ],
    )
    def test_settings_of_a_production_without_a_bucket_are_refused(self, name: str, value: str) -> None:
        with pytest.raises(ConfigError, match=f"S3_BUCKET is missing: {name} is set") as caught:
            settings_of(**{name: value}).require_serving()
        assert caught.value.setting == "S3_BUCKET"

    def test_an_operators_command_asks_only_for_the_storage_it_uses(self) -> None:
        settings_of(S3_BUCKET="studio").require_storage()
        settings_of(GOOGLE_CLIENT_ID="id").require_storage()
        with pytest.raises(ConfigError, match="S3_BUCKET is missing"):
            settings_of(S3_ENDPOINT_URL="http://127.0.0.1:9000").require_storage()

    def test_the_refusal_does_not_repeat_a_secret(self) -> None:
        with pytest.raises(ConfigError) as caught:
            settings_of(SESSION_SECRET="do not print me").require_serving()
        assert "do not print me" not in caught.value.message


class TestSecretsFile:
    """.streamlit/secrets.toml says what the environment does not."""

    def test_root_level_keys_are_settings_and_the_environment_wins(self, tmp_path: Path) -> None:
        file = secrets_file(
            tmp_path, 'S3_BUCKET = "from-file"\nMAX_MODEL_REFERENCES = 2\n[connections]\nS3_APP_PREFIX = "x"\n'
        )
        settings = load_settings({"S3_BUCKET": "from-environment"}, secrets_file=file)
        assert (settings.s3_bucket, settings.max_model_references) == ("from-environment", 2)
        assert settings.s3_app_prefix == "studio/"

    def test_an_empty_value_in_the_environment_switches_off_what_the_file_says(self, tmp_path: Path) -> None:
        file = secrets_file(tmp_path, 'S3_BUCKET = "from-file"\n')
        assert load_settings({"S3_BUCKET": ""}, secrets_file=file).s3_bucket is None

    def test_no_file_is_no_error(self) -> None:
        assert load_settings({}, secrets_file=NOWHERE).profile is Profile.EMBEDDED

    @pytest.mark.parametrize("text", [b"S3_BUCKET = ", b"\xff\xfe", b"a = 1\na = 2\n"])
    def test_a_file_that_is_no_toml_is_named(self, tmp_path: Path, text: bytes) -> None:
        file = tmp_path / "secrets.toml"
        file.write_bytes(text)
        with pytest.raises(ConfigError, match=r"secrets\.toml is not valid TOML"):
            load_settings({}, secrets_file=file)

    def test_the_aws_chains_own_variables_reach_the_environment_and_overwrite_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = secrets_file(tmp_path, 'AWS_ACCESS_KEY_ID = "file"\nAWS_REGION = "file"\nS3_BUCKET = "studio"\n')
        monkeypatch.setenv("AWS_REGION", "environment")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")  # so that the fixture puts it back
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        export_aws_variables(file)
        assert (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_REGION"]) == ("file", "environment")
        assert "S3_BUCKET" not in os.environ


class TestDataDir:
    """DATA_DIR is one place, whatever the working directory."""

    def test_a_relative_one_lies_in_the_projects_root(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert settings_of(DATA_DIR="data/here").data_dir == PROJECT_ROOT / "data/here"
        assert settings_of().data_dir == PROJECT_ROOT / ".studio"

    def test_an_absolute_one_is_taken_as_it_is(self, tmp_path: Path) -> None:
        assert settings_of(DATA_DIR=str(tmp_path)).data_dir == tmp_path

    def test_another_process_in_another_directory_agrees(self, tmp_path: Path) -> None:
        program = "from core.settings import load_settings; print(load_settings().data_dir)"
        environ = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT), "DATA_DIR": "somewhere"}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
        )
        assert Path(done.stdout.strip()) == PROJECT_ROOT / "somewhere"


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ({}, False),
        ({"OPENAI_API_KEY": "sk-x"}, True),
        ({"OPENAI_API_KEY": "sk-x", "DEMO_TOKEN": "off"}, False),
        ({"DEMO_TOKEN": "on"}, True),
        (PRODUCTION | {"OPENAI_API_KEY": "sk-x"}, False),
        (PRODUCTION | {"DEMO_TOKEN": "on"}, False),
    ],
)
def test_the_demo_asks_for_its_token_where_pictures_cost_money_unless_told_otherwise(
    said: dict[str, str], asks: bool
) -> None:
    assert settings_of(**said).asks_for_token is asks
