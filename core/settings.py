"""Settings: what the environment and secrets.toml say, checked once, in one frozen model."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from core import setting_values
from core.errors import ConfigError
from core.unicode import NotUtf8, read_text

PROJECT_ROOT = Path(__file__).resolve().parents[1]
SECRETS_FILE = PROJECT_ROOT / ".streamlit" / "secrets.toml"

_SIGN_IN_SETTINGS = ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "PUBLIC_URL", "SESSION_SECRET")
_ACCESS_SETTINGS = ("ALLOWED_EMAILS", "ALLOWED_DOMAINS", "OPS_EMAILS", "ADMIN_EMAILS")
_SESSION_SECRET_BYTES_MIN = 32
_METRICS_TOKEN_BYTES_MIN = 16  # it is guessed at by asking this server, and by no reckoning elsewhere
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_UVICORNS_TRUST = "FORWARDED_ALLOW_IPS"  # read by uvicorn before we are
_DAY_S = 86_400.0
# What must never be printed or logged, whichever way it came in.
SECRET_SETTINGS = ("GOOGLE_CLIENT_SECRET", "SESSION_SECRET", "OPENAI_API_KEY", "METRICS_TOKEN")
_AWS_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
_AWS_REGIONS = ("AWS_DEFAULT_REGION", "AWS_REGION")
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/configuration.html#using-environment-variables
_AWS_VARIABLES = {
    ("AWS_ACCESS_KEY_ID", *_AWS_SECRETS): setting_values.token,
    _AWS_REGIONS: setting_values.region,
    ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"): setting_values.address,
    ("AWS_PROFILE",): setting_values.text,
}
PREFIX_SETTINGS = ("S3_LIBRARY_PREFIX", "S3_APP_PREFIX")


class Profile(StrEnum):
    """Where the bytes live: inside this process, or in a bucket somewhere else."""

    EMBEDDED = "embedded"
    PRODUCTION = "production"


class ImageDelivery(StrEnum):
    """How originals reach the browser: through us, or by a redirect to a presigned URL."""

    PROXY = "proxy"
    PRESIGNED = "presigned"


class Streaming(StrEnum):
    """Whether a side is asked for as a stream, with previews: of OpenAI itself alone, always, or never."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class DemoToken(StrEnum):
    """Whether the demo asks for its start-up token: where an engine costs money, always, or never."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


def _names(value: object) -> object:
    """Lower-case names from a setting with commas or line breaks between them, or from a list in secrets.toml."""
    parts = re.split(r"[,\r\n]", value.strip("[]")) if isinstance(value, str) else value
    if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
        names = (setting_values.cleaned(part) for part in parts)
        return tuple(name.lower() for name in names if setting_values.text(name))
    return value


def _networks(value: object) -> object:
    """Networks, an address alone being one, from a comma-separated setting, or from a list in secrets.toml."""
    names = _names(value)
    if not isinstance(names, tuple):
        return names
    try:
        networks = tuple(ipaddress.ip_network(name) for name in names)
    except ValueError as err:
        raise ValueError(f"{err}; write addresses and networks, as 10.0.0.5, 10.1.0.0/16") from err
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError("then everybody could say whose requests they bring")
    return networks


def _bucket(value: object, info: ValidationInfo) -> object:
    return setting_values.bucket(value, region=(info.context or {}).get("region", ""))


def _bucket_address(value: object, info: ValidationInfo) -> object:
    return setting_values.bucket_address(value, bucket=info.data.get("s3_bucket"))


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Networks = Annotated[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], BeforeValidator(_networks)]
Text = Annotated[str, BeforeValidator(setting_values.text)]
Token = Annotated[str, BeforeValidator(setting_values.token)]
Prefix = Annotated[str, BeforeValidator(setting_values.folder)]
Bucket = Annotated[str, BeforeValidator(_bucket)]
BucketAddress = Annotated[str, BeforeValidator(_bucket_address)]


class Settings(BaseModel):
    """Every setting of the dashboard. A field's name in capitals is its name in the environment.

    Units are in the names: `_s` seconds, `_usd` US dollars.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    s3_bucket: Bucket | None = None
    s3_endpoint_url: BucketAddress | None = None
    s3_library_prefix: Prefix = "refs/"
    s3_app_prefix: Prefix = "studio/"

    google_client_id: Annotated[str, BeforeValidator(setting_values.client_id)] | None = None
    google_client_secret: Annotated[str, BeforeValidator(setting_values.client_secret)] | None = None
    public_url: Text | None = None
    session_secret: Text | None = None
    trusted_proxies: Networks = ()
    sign_in_failures_per_minute: int = Field(default=20, ge=1, le=100_000)
    sign_in_failures_in_all_per_minute: int = Field(default=200, ge=1, le=1_000_000)
    allowed_emails: Names = ()
    allowed_domains: Names = ()
    ops_emails: Names = ()
    admin_emails: Names = ()
    access_contact: Text | None = Field(default=None, max_length=200)

    openai_api_key: Annotated[str, BeforeValidator(setting_values.api_key)] | None = None
    openai_base_url: Annotated[str, BeforeValidator(setting_values.api_address)] | None = None
    openai_image_model: Token = "gpt-image-2"
    openai_text_model: Token = "gpt-5-mini"
    openai_label_model: Token = "gpt-5-mini"
    openai_streaming: Streaming = Streaming.AUTO

    data_dir: Annotated[Path, BeforeValidator(setting_values.text)] = Path(".studio")
    index_refresh_s: float = Field(default=30, gt=0, le=_DAY_S)
    index_workers: int = Field(default=32, ge=1, le=256)
    image_delivery: ImageDelivery = ImageDelivery.PROXY
    generation_concurrency: int = Field(default=4, ge=1, le=64)
    generation_deadline_s: float = Field(default=270, gt=0, le=_DAY_S)
    generation_stop_s: float = Field(default=8, ge=0, le=_DAY_S)
    daily_budget_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    daily_budget_person_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_model_references: int = Field(default=3, ge=0, le=14)
    vote_days: int = Field(default=30, ge=1, le=3650)
    log_prompts: bool = False
    metrics_token: Token | None = None
    demo_token: DemoToken = DemoToken.AUTO

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

    @property
    def origin(self) -> str:
        """Where browsers find the dashboard: scheme, host and port of PUBLIC_URL, without a path."""
        return (self.public_url or "").rstrip("/")

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the dashboard over TLS."""
        return self.origin.startswith("https://")

    @property
    def cookie_name(self) -> str:
        """The session cookie: `__Host-` ties it to this very host, which browsers allow over TLS only."""
        if self.profile is Profile.EMBEDDED:  # a browser keeps the cookies of all of this machine's ports together
            return f"studio-{hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:8]}"
        return "__Host-studio" if self.is_https else "studio"

    @property
    def asks_for_token(self) -> bool:
        """Whether the demo lets in only who knows the address it told at its start."""
        is_wanted = self.demo_token is DemoToken.ON or (self.demo_token is DemoToken.AUTO and bool(self.openai_api_key))
        return self.profile is Profile.EMBEDDED and is_wanted

    @property
    def attempt_cookie_name(self) -> str:
        """The cookie of a sign-in in the same tab, while the person is at Google."""
        return f"{self.cookie_name}-attempt"

    @property
    def refusal_cookie_name(self) -> str:
        """The cookie by which the sign-in learns why a sign-in in the same tab was refused."""
        return f"{self.cookie_name}-refusal"

    def require_storage(self) -> None:
        """Raise ConfigError for an endpoint without a bucket: it would be the sample library that answers."""
        if self.profile is Profile.EMBEDDED:
            self._refuse_without_bucket("S3_ENDPOINT_URL")

    def require_serving(self) -> None:
        """Raise ConfigError unless the dashboard may be served to people with these settings."""
        self._require_length("METRICS_TOKEN", _METRICS_TOKEN_BYTES_MIN)
        if self.profile is Profile.EMBEDDED:
            self._refuse_without_bucket("S3_ENDPOINT_URL", *_SIGN_IN_SETTINGS)
            return
        for name in _SIGN_IN_SETTINGS:
            if not getattr(self, name.lower()):
                raise ConfigError(
                    "{} is missing: with S3_BUCKET set, people sign in with Google, which needs {}.",
                    name,
                    ", ".join(_SIGN_IN_SETTINGS),
                    setting=name,
                )
        self._require_length("SESSION_SECRET", _SESSION_SECRET_BYTES_MIN)
        self._require_public_url()
        if not any(getattr(self, name.lower()) for name in _ACCESS_SETTINGS):
            raise ConfigError(
                "ALLOWED_DOMAINS is missing: nobody could sign in. Set at least one of {}.",
                ", ".join(_ACCESS_SETTINGS),
                setting="ALLOWED_DOMAINS",
            )

    def _require_length(self, name: str, bytes_min: int) -> None:
        """Raise ConfigError for a secret that could be guessed."""
        secret = getattr(self, name.lower())
        if secret and len(secret.encode()) < bytes_min:
            raise ConfigError(
                "{setting} is shorter than {} bytes: "
                'make one with: python -c "import secrets; print(secrets.token_urlsafe(48))".',
                bytes_min,
                setting=name,
            )

    def _require_public_url(self) -> None:
        """Raise ConfigError unless PUBLIC_URL is an origin that a session cookie may be given to."""
        parts = urlsplit(self.origin)
        try:
            is_origin = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            is_origin = False
        if not is_origin or parts.path or parts.query or parts.fragment or "@" in parts.netloc or not _is_bare(parts):
            raise ConfigError(
                "PUBLIC_URL={!r} cannot be used: write where browsers find the dashboard, "
                "without a path, as https://studio.example.",
                self.public_url,
                setting="PUBLIC_URL",
            )
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK_HOSTS:
            raise ConfigError(
                "PUBLIC_URL={!r} is not encrypted: anybody on the way could take over a session. "
                "Serve the dashboard over https, and write PUBLIC_URL so.",
                self.public_url,
                setting="PUBLIC_URL",
            )

    def _refuse_without_bucket(self, *names: str) -> None:
        for name in names:
            if getattr(self, name.lower()):
                raise ConfigError(
                    "S3_BUCKET is missing: {} is set, which only means something with a bucket. "
                    "Set S3_BUCKET, or unset {} to run the embedded demo.",
                    name,
                    name,
                    setting="S3_BUCKET",
                )


def _is_bare(parts: SplitResult) -> bool:
    """Whether this is written as browsers write it in an Origin header: lower case, ASCII, no default port."""
    default = {"http": 80, "https": 443}[parts.scheme]
    return parts.netloc == parts.netloc.lower() and parts.netloc.isascii() and parts.port != default


def is_loopback(host: str) -> bool:
    """Whether a host, without its port, is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings(environ: Mapping[str, str] | None = None, *, secrets_file: Path = SECRETS_FILE) -> Settings:
    """Read settings from the environment, then from secrets.toml; the environment wins.

    An empty value counts as unset. Raises ConfigError that names the first setting that is wrong.
    """
    values = given_values(environ, secrets_file=secrets_file)
    _refuse_uvicorns_trust(str(values.get(_UVICORNS_TRUST, "")))
    known = {name: _cleaned(values, name.upper()) for name in Settings.model_fields}
    aws = _aws_variables(values) if known["s3_bucket"] else {}
    region = "" if known["s3_endpoint_url"] else aws.get("AWS_DEFAULT_REGION") or aws.get("AWS_REGION", "")
    try:
        return Settings.model_validate(
            {name: value for name, value in known.items() if value not in ("", None)},
            context={"region": region},
        )
    except ValidationError as err:
        first = err.errors()[0]
        setting = str(first["loc"][0]).upper()
        reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"].lower()
        raise _unusable(setting, first["input"], reason) from err


# Every name that is read, ours and boto3's.
SETTINGS = (
    *(name.upper() for name in Settings.model_fields),
    *(name for names in _AWS_VARIABLES for name in names),
)


def given_values(environ: Mapping[str, str] | None = None, *, secrets_file: Path = SECRETS_FILE) -> dict[str, Any]:
    """What secrets.toml and the environment say, as it is written there; the environment wins. Raises ConfigError."""
    return _root_keys(secrets_file) | dict(os.environ if environ is None else environ)


def reads_as(name: str, written: object) -> object:
    """A setting's value without what is not meant by it; a prefix as the folder that is. Raises ValueError."""
    value = setting_values.cleaned(written, name) if isinstance(written, str) else written
    if not value:
        return value
    if name == "OPENAI_API_KEY":
        return setting_values.api_key(value)
    return setting_values.folder(value) or "/" if name in PREFIX_SETTINGS else value


def export_aws_variables(secrets_file: Path = SECRETS_FILE) -> None:
    """Hand the AWS chain its own variables, those of secrets.toml too, without what stands around them.

    Raises ConfigError for one that cannot be used.
    """
    for name, value in _root_keys(secrets_file).items():
        if name.startswith("AWS_"):
            os.environ.setdefault(name, str(value))
    for name, value in _aws_variables(os.environ).items():
        if value:
            os.environ[name] = value
        else:
            del os.environ[name]


def _aws_variables(values: Mapping[str, Any]) -> dict[str, str]:
    """Those of boto3's variables that are set, checked. Raises ConfigError."""
    found = {}
    for names, check in _AWS_VARIABLES.items():
        for name in names:
            value = _cleaned(values, name)
            try:
                check(value)
            except ValueError as err:
                raise _unusable(name, value, str(err)) from err
            if name in values:
                found[name] = str(value)
    return found


def _cleaned(values: Mapping[str, Any], name: str) -> Any:
    value = values.get(name)
    return setting_values.cleaned(value, name) if isinstance(value, str) else value


def _unusable(setting: str, value: object, reason: str) -> ConfigError:
    is_secret = setting in (*SECRET_SETTINGS, *_AWS_SECRETS)
    return ConfigError("{setting}={} cannot be used: {}.", "…" if is_secret else repr(value), reason, setting=setting)


def known_secrets(settings: Settings) -> tuple[str, ...]:
    """Every secret this process was given, to be kept out of what it writes."""
    ours = [getattr(settings, name.lower()) for name in SECRET_SETTINGS]
    given = given_values()
    return tuple(str(secret) for secret in (*ours, *(_cleaned(given, name) for name in _AWS_SECRETS)) if secret)


def _refuse_uvicorns_trust(trusted: str) -> None:
    """Raise ConfigError where uvicorn is told whom to trust: it would pass on what others claim, and say no more."""
    if trusted.replace(" ", "") not in ("", "127.0.0.1", "::1", "127.0.0.1,::1"):  # the last is uvicorn's default
        raise ConfigError(
            "{setting}={!r} cannot be used: unset it, and name the addresses of your proxies in TRUSTED_PROXIES.",
            trusted,
            setting=_UVICORNS_TRUST,
        )


def read_secrets(path: Path) -> dict[str, Any]:
    """What secrets.toml says, tables too, or nothing where there is no such file. Raises ConfigError."""
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, NotUtf8) as err:
        raise ConfigError("{setting} is not valid TOML: {}.", err, setting=path.name) from err
    except OSError as err:
        raise ConfigError("{setting} cannot be read: {}.", err.strerror, setting=path.name) from err


def _root_keys(path: Path) -> dict[str, Any]:
    """Settings are keys at the root of secrets.toml; `python -m core check` names all others."""
    return {name: value for name, value in read_secrets(path).items() if not isinstance(value, dict)}
