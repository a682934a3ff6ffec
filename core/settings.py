"""Settings: what the environment and secrets.toml say, checked once, in one frozen model."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from core.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parents[1]
SECRETS_FILE = PROJECT_ROOT / ".streamlit" / "secrets.toml"

_SIGN_IN_SETTINGS = ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "PUBLIC_URL", "SESSION_SECRET")
_ACCESS_SETTINGS = ("ALLOWED_EMAILS", "ALLOWED_DOMAINS", "OPS_EMAILS", "ADMIN_EMAILS")
_SECRET_BYTES_MIN = 32
_DAY_S = 86_400.0


class Profile(StrEnum):
    """Where the bytes live: inside this process, or in a bucket somewhere else."""

    EMBEDDED = "embedded"
    PRODUCTION = "production"


class ImageDelivery(StrEnum):
    """How originals reach the browser: through us, or by a redirect to a presigned URL."""

    PROXY = "proxy"
    PRESIGNED = "presigned"


def _names(value: object) -> object:
    """Lower-case names from a comma-separated setting, or from a list in secrets.toml."""
    parts = value.split(",") if isinstance(value, str) else value
    if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
        return tuple(part.strip().lower() for part in parts if part.strip())
    return value


def _folder(value: object) -> object:
    """A prefix always ends with a slash: without it S3 would also match siblings. `/` is the whole bucket."""
    if value == "/":
        return ""
    if isinstance(value, str) and value and not value.endswith("/"):
        return value + "/"
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Prefix = Annotated[str, BeforeValidator(_folder)]


class Settings(BaseModel):
    """Every setting of the dashboard. A field's name in capitals is its name in the environment.

    Units are in the names: `_s` seconds, `_usd` US dollars.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    s3_bucket: str | None = None
    s3_endpoint_url: str | None = None
    s3_library_prefix: Prefix = "refs/"
    s3_app_prefix: Prefix = "studio/"

    google_client_id: str | None = None
    google_client_secret: str | None = None
    public_url: str | None = None
    session_secret: str | None = None
    allowed_emails: Names = ()
    allowed_domains: Names = ()
    ops_emails: Names = ()
    admin_emails: Names = ()

    openai_api_key: str | None = None
    openai_base_url: str | None = None
    openai_image_model: str = "gpt-image-2"
    openai_text_model: str = "gpt-5-mini"
    openai_label_model: str = "gpt-5-mini"

    data_dir: Path = Path(".studio")
    index_refresh_s: float = Field(default=30, gt=0, le=_DAY_S)
    index_workers: int = Field(default=32, ge=1, le=256)
    image_delivery: ImageDelivery = ImageDelivery.PROXY
    generation_concurrency: int = Field(default=4, ge=1, le=64)
    generation_deadline_s: float = Field(default=270, gt=0, le=_DAY_S)
    generation_stop_s: float = Field(default=8, ge=0, le=_DAY_S)
    daily_budget_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    daily_budget_person_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_model_references: int = Field(default=3, ge=0, le=14)
    log_prompts: bool = False

    @model_validator(mode="after")
    def _anchor_data_dir(self) -> Self:
        """A relative DATA_DIR is taken from the project's root, so that no working directory matters."""
        if not self.data_dir.is_absolute():
            object.__setattr__(self, "data_dir", PROJECT_ROOT / self.data_dir)
        return self

    @property
    def profile(self) -> Profile:
        """Production as soon as a bucket is named."""
        return Profile.PRODUCTION if self.s3_bucket else Profile.EMBEDDED

    def require_storage(self) -> None:
        """Raise ConfigError for an endpoint without a bucket: it would be the sample library that answers."""
        if self.profile is Profile.EMBEDDED:
            self._refuse_without_bucket("S3_ENDPOINT_URL")

    def require_serving(self) -> None:
        """Raise ConfigError unless the dashboard may be served to people with these settings."""
        if self.profile is Profile.EMBEDDED:
            self._refuse_without_bucket("S3_ENDPOINT_URL", *_SIGN_IN_SETTINGS)
            return
        for name in _SIGN_IN_SETTINGS:
            if not getattr(self, name.lower()):
                raise ConfigError(
                    f"{name} is missing: with S3_BUCKET set, people sign in with Google, "
                    f"which needs {', '.join(_SIGN_IN_SETTINGS)}.",
                    setting=name,
                )
        if self.session_secret and len(self.session_secret.encode()) < _SECRET_BYTES_MIN:
            raise ConfigError(
                f"SESSION_SECRET is shorter than {_SECRET_BYTES_MIN} bytes: "
                'make one with: python -c "import secrets; print(secrets.token_urlsafe(48))".',
                setting="SESSION_SECRET",
            )
        if not any(getattr(self, name.lower()) for name in _ACCESS_SETTINGS):
            raise ConfigError(
                f"ALLOWED_DOMAINS is missing: nobody could sign in. Set at least one of {', '.join(_ACCESS_SETTINGS)}.",
                setting="ALLOWED_DOMAINS",
            )

    def _refuse_without_bucket(self, *names: str) -> None:
        for name in names:
            if getattr(self, name.lower()):
                raise ConfigError(
                    f"S3_BUCKET is missing: {name} is set, which only means something with a bucket. "
                    f"Set S3_BUCKET, or unset {name} to run the embedded demo.",
                    setting="S3_BUCKET",
                )


def load_settings(environ: Mapping[str, str] | None = None, *, secrets_file: Path = SECRETS_FILE) -> Settings:
    """Read settings from the environment, then from secrets.toml; the environment wins.

    An empty value counts as unset. Raises ConfigError that names the first setting that is wrong.
    """
    values: dict[str, Any] = _read_secrets(secrets_file)
    values.update(os.environ if environ is None else environ)
    known = {name: values[name.upper()] for name in Settings.model_fields if _is_set(values, name.upper())}
    try:
        return Settings.model_validate(known)
    except ValidationError as err:
        first = err.errors()[0]
        setting = str(first["loc"][0]).upper()
        raise ConfigError(
            f"{setting}={first['input']!r} cannot be used: {first['msg'].lower()}.", setting=setting
        ) from err


def export_aws_secrets(secrets_file: Path = SECRETS_FILE) -> None:
    """Hand the AWS chain its own variables from secrets.toml, as the environment does."""
    for name, value in _read_secrets(secrets_file).items():
        if name.startswith("AWS_"):
            os.environ.setdefault(name, str(value))


def _is_set(values: Mapping[str, Any], name: str) -> bool:
    return name in values and values[name] not in ("", None)


def _read_secrets(path: Path) -> dict[str, Any]:
    """Root-level keys of secrets.toml, or nothing where there is no such file."""
    if not path.is_file():
        return {}
    try:
        loaded = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path.name} is not valid TOML: {err}.", setting=path.name) from err
    return {name: value for name, value in loaded.items() if not isinstance(value, dict)}
