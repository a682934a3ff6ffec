"""Setting names: a slip is named with what was meant, and nobody else's variable is."""

from __future__ import annotations

import tomllib

import pytest

from core.setting_names import UnknownName, unknown_keys, unknown_variables, variables_of
from core.settings import Settings


def meant(name: str) -> str | None:
    """What a variable is taken for; None if it is nobody's business."""
    found = unknown_variables([name])
    return found[0].nearest if found else None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("S3_BUCKT", "S3_BUCKET"),
        ("S3_BUCKET_NAME", "S3_BUCKET"),
        ("S3BUCKET", "S3_BUCKET"),
        ("AWS_S3_BUCKET", "S3_BUCKET"),
        ("s3_bucket", "S3_BUCKET"),
        ("S3_ENDPOINT", "S3_ENDPOINT_URL"),
        ("GOOGLE_CLIENT_SECRETS", "GOOGLE_CLIENT_SECRET"),
        ("ALLOWED_DOMAIN", "ALLOWED_DOMAINS"),
        ("ADMIN_EMAIL", "ADMIN_EMAILS"),
        ("DAILY_BUDGET", "DAILY_BUDGET_USD"),
        ("OPENAI_KEY", "OPENAI_API_KEY"),
        ("OPENAI_BASE", "OPENAI_BASE_URL"),
        ("METRIC_TOKEN", "METRICS_TOKEN"),
        ("AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_ACCES_KEY_ID", "AWS_ACCESS_KEY_ID"),
        ("S3_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_slip_is_named_with_the_setting_that_is_meant(written: str, expected: str) -> None:
    assert meant(written) == expected


@pytest.mark.parametrize(
    "name",
    [
        *(field.upper() for field in Settings.model_fields),
        *("PATH", "HOME", "PORT", "LANG", "XDG_DATA_DIRS", "ALLOWED_HOSTS", "SESSION_MANAGER", "SECRET_KEY", "PUBLIC"),
        *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SECURITY_TOKEN", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL_DYNAMODB"),
        *("AWS_EC2_METADATA_DISABLED", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_SESSION_NAME"),
        *("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_LOG"),
        *("OPENAI_API_BASE", "OPENAI_API_VERSION", "OPENAI_API_TYPE"),
        *(
            "S3_PORT",
            "S3_SERVICE_HOST",
            "S3_PORT_9000_TCP_ADDR",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "STREAMLIT_SERVER_PORT",
        ),
        *("NODE_APP_INSTANCE", "PYTHONPATH", "LD_PRELOAD", "DATABASE_URL", "INDEX", "TOKEN"),
    ],
)
def test_nobody_elses_variable_is_taken_for_one_of_ours(name: str) -> None:
    assert unknown_variables([name]) == ()


def test_what_begins_as_ours_do_and_is_like_none_is_named_and_nothing_is_made_up() -> None:
    assert unknown_variables(["S3_USE_SIGV4"]) == (UnknownName("S3_USE_SIGV4", "the environment", None),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[s3]\nbucket = "x"\n', [("s3.bucket", "S3_BUCKET")]),
        ('[s3]\nendpoint = "x"\n', [("s3.endpoint", "S3_ENDPOINT_URL")]),
        ('s3 = { bucket = "x" }\n', [("s3.bucket", "S3_BUCKET")]),
        ('[aws]\nACCESS_KEY_ID = "x"\n', [("aws.ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID")]),
        ('[google]\nclient_id = "x"\n', [("google.client_id", "GOOGLE_CLIENT_ID")]),
        ('[general.all]\nSESSION_SECRET = "x"\n', [("general.all.SESSION_SECRET", "SESSION_SECRET")]),
        ('s3_bucket = "x"\n', [("s3_bucket", "S3_BUCKET")]),
        ('S3_BUCKT = "x"\nMETRICS_TOKEN = "y"\n', [("S3_BUCKT", "S3_BUCKET")]),
        ('colour = "x"\n', [("colour", None)]),
        ('AWS_PROFILE = "x"\nAWS_CA_BUNDLE = "y"\nS3_BUCKET = "z"\n', []),
    ],
)
def test_in_secrets_toml_all_that_is_no_root_level_setting_is_named(
    text: str, expected: list[tuple[str, str | None]]
) -> None:
    found = unknown_keys(tomllib.loads(text), place="secrets.toml")
    assert found == tuple(UnknownName(name, "secrets.toml", nearest) for name, nearest in expected)


def test_an_environment_file_of_systemd_is_read_as_systemd_reads_it() -> None:
    text = '# S3_BUCKET=old\n; METRICS_TOKEN=x\n\nS3_BUCKT="studio"\n  PUBLIC_URL=https://studio.example\nnothing\n'
    assert variables_of(text) == {"S3_BUCKT": "studio", "PUBLIC_URL": "https://studio.example"}
