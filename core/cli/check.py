"""`python -m core check`: what is configured, reachable and missing, and the exact fix for each failure."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import typer

from core.cli.failures import EXIT_COULD_NOT_SERVE
from core.errors import ConfigError, StorageDenied, StorageError, StudioError, legible
from core.identity.access import Access
from core.labels.published.label_file import load_published
from core.references.index import build_index
from core.references.listing.listing import list_all
from core.references.vocabulary import load_vocabulary
from core.settings import Profile, Settings, load_settings
from core.storage.connect import Storage, open_storage
from core.storage.local.data_dir import ADDRESS_FILE, keep_private
from core.storage.s3 import Store
from core.studio import LABELS_FILE, SAMPLES, VOCABULARY_FILE
from core.telemetry import wants_telemetry
from core.viewer import PersonRole, Viewer

_CERTIFICATES: Final = "https://www.googleapis.com/oauth2/v1/certs"
_REACH_S: Final = 5.0
_FREE_BYTES: Final = 512 * 1024 * 1024
_SKEW_S: Final = 10.0  # what the verification of ID tokens forgives
_OPERATOR: Final = Viewer("", PersonRole.ADMIN)  # who may read the bucket may read the list in it


@dataclass
class _Report:
    failed: bool = False

    def ok(self, what: str, says: str) -> None:
        print(f"ok       {what:<12} {legible(says)}")

    def warn(self, what: str, says: str, fix: str) -> None:
        print(f"warning  {what:<12} {legible(says)}\n{'':<22}→ {fix}")

    def fail(self, what: str, says: str, fix: str) -> None:
        self.failed = True
        print(f"MISSING  {what:<12} {legible(says)}\n{'':<22}→ {fix}")

    def run(self, what: str, step: Callable[[], str], fix: str) -> None:
        try:
            self.ok(what, step())
        except StudioError as err:
            self.fail(what, err.message, _fix_of(err, fix))


def check() -> None:
    """Try every dependency and say what to do about each failure; exit 1 if people could not be served."""
    report = _Report()
    try:
        settings = load_settings()
    except StudioError as err:
        report.fail("settings", err.message, _fix_of(err, "Correct it in the environment or .streamlit/secrets.toml."))
        raise typer.Exit(EXIT_COULD_NOT_SERVE) from err
    report.ok("profile", f"{settings.profile.value}")
    report.run("sign-in", lambda: _sign_in(settings), "Set what it names, as docs/operate.md says.")
    report.run("vocabulary", _vocabulary, "Restore labels/attributes.toml: git checkout -- labels/attributes.toml")
    _labels(report)
    _disk(report, settings)
    _port(report)
    _storage(report, settings)
    _openai(report, settings)
    if settings.profile is Profile.PRODUCTION:
        _google(report)
    _optional(report, settings)
    if report.failed:
        print("\nThe dashboard could not serve people like this.")
        raise typer.Exit(EXIT_COULD_NOT_SERVE)
    print("\nThe dashboard can serve.")


def _fix_of(err: StudioError, otherwise: str) -> str:
    if isinstance(err, ConfigError) and err.setting:
        return f"Set {err.setting} in the environment or .streamlit/secrets.toml, then start again."
    return otherwise


def _sign_in(settings: Settings) -> str:
    settings.require_serving()
    if settings.profile is Profile.EMBEDDED:
        if not settings.asks_for_token:
            return "none: everyone on this machine is demo@localhost"
        where = settings.data_dir / ADDRESS_FILE
        return f"a token of each start, in the address that is printed then and kept in {where}"
    from core.identity.sign_in_answer import CALLBACK_PATH

    return f"Google, for {settings.origin}; its client's redirect URI is {settings.origin}{CALLBACK_PATH}"


def _people(store: Store, settings: Settings) -> str:
    """Who may come in, and who says so."""
    people = Access(store, settings).read(_OPERATOR)
    listed = people.value
    said_by = "the settings" if people.etag is None else f"{settings.s3_app_prefix}access.json"
    admins = f"admins: {', '.join(listed.admins)}" if listed.admins else "no admin, so nobody can change that"
    return f"{len(listed.people)} addresses, {len(listed.domains)} domains, says {said_by}; {admins}"


def _vocabulary() -> str:
    vocabulary = load_vocabulary(VOCABULARY_FILE)
    return f"{len(vocabulary.tones)} tones, {len(vocabulary.angles)} angles in labels/{VOCABULARY_FILE.name}"


def _labels(report: _Report) -> None:
    labels = load_published(LABELS_FILE)
    report.ok("labels", f"{len(labels)} published, version {labels.version}")
    for broken in labels.broken:
        says = f"labels/{LABELS_FILE.name}, line {broken.line}: {broken.reason}"
        report.warn("labels", says, "Mend or remove that line; all others serve.")


def _disk(report: _Report, settings: Settings) -> None:
    """Where the embedded S3 keeps its objects; in production nothing stays on this machine's disk."""
    try:
        keep_private(settings.data_dir)
    except ConfigError as err:
        report.fail("data", err.message, _fix_of(err, ""))
        return
    if settings.profile is Profile.PRODUCTION:
        return
    where = settings.data_dir
    there = next(each for each in (where, *where.parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        report.fail("data", f"DATA_DIR ({where}) cannot be written.", f"Make it writable: sudo chown $(id -un) {there}")
        return
    free = shutil.disk_usage(there).free
    if free < _FREE_BYTES:
        says = f"DATA_DIR ({where}) has {free // 2**20} MB left."
        report.warn("data", says, "Free space, or set DATA_DIR to a folder on a larger disk.")
    else:
        report.ok("data", f"DATA_DIR {where}, for this user alone, {free // 2**30} GB free")


def _port(report: _Report) -> None:
    port = int(os.environ.get("PORT") or 8501)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn does: a port just left is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as err:
            says = f"{port} is taken or forbidden ({err.strerror}): fine if that is this dashboard, running."
            report.warn("port", says, f"If it is not, stop what listens there, or start with PORT={port + 1}.")
            return
    report.ok("port", f"{port} is free")


def _storage(report: _Report, settings: Settings) -> None:
    try:
        storage = open_storage(settings, SAMPLES, lends=False)
    except StudioError as err:
        report.fail("storage", err.message, _fix_of(err, "Mend what it names, then run this again."))
        return
    try:
        _bucket(report, storage, settings)
    finally:
        storage.close()


def _bucket(report: _Report, storage: Storage, settings: Settings) -> None:
    store = storage.store
    where = settings.s3_endpoint_url or ("this process" if storage.embedded else "AWS")
    try:
        store.check_bucket()
    except StudioError as err:
        report.fail("storage", err.message, _storage_fix(err, settings))
        return
    report.ok("bucket", f"`{store.bucket}` at {where}")
    report.run(
        "library",
        lambda: _library(storage, settings),
        f"Allow s3:ListBucket on the bucket, and check S3_LIBRARY_PREFIX ({settings.s3_library_prefix}).",
    )
    try:
        honoured = store.honours_conditions(settings.s3_app_prefix)
    except StudioError as err:
        fix = f"Allow s3:GetObject, s3:PutObject and s3:DeleteObject below `{settings.s3_app_prefix}`: docs/operate.md."
        report.fail("writing", err.message, fix)
        return
    report.ok("writing", f"objects below `{settings.s3_app_prefix}` can be written, read and removed")
    if honoured:
        report.ok("conditions", "the endpoint refuses to overwrite when asked to")
    else:
        says = "the endpoint ignores conditional writes: two people who save at once can lose an edit"
        report.warn(
            "conditions", says, "Use AWS S3, MinIO from 2024-11 on, or another endpoint that knows If-None-Match."
        )
    _clock(report, storage)


def _storage_fix(err: StudioError, settings: Settings) -> str:
    if isinstance(err, StorageDenied):
        return "Check the AWS credentials of this user (aws sts get-caller-identity) and the policy in docs/operate.md."
    if isinstance(err, StorageError) and "does not exist" in err.message:
        return f"Create the bucket `{settings.s3_bucket}`, or set S3_BUCKET to the one that is meant."
    return "Check S3_ENDPOINT_URL, the network and its firewall; then run this again."


def _library(storage: Storage, settings: Settings) -> str:
    index = build_index(
        list_all(storage.list_pages, settings.s3_library_prefix, workers=settings.index_workers),
        load_vocabulary(VOCABULARY_FILE),
        without_prefix=settings.s3_app_prefix,
    )
    problems = f", {len(index.problems)} problems (python -m core index)" if index.problems else ""
    where = f"{len(index.folders)} reference folders under `{settings.s3_library_prefix}`"
    return f"{len(index)} pictures in {where}{problems}"


def _clock(report: _Report, storage: Storage) -> None:
    """This machine's clock against S3's, which stamps what it keeps: too far off, and no sign-in is accepted."""
    if storage.embedded is not None:
        return
    try:
        off_s = storage.store.clock_offset_s()
    except StudioError as err:
        report.warn("clock", err.message, "Run this again once S3 answers.")
        return
    if abs(off_s) > _SKEW_S:
        which = "behind" if off_s > 0 else "ahead"
        says = f"this machine is {abs(off_s):.0f} s {which} of S3; beyond {_SKEW_S:.0f} s nobody can sign in"
        report.fail("clock", says, "Let the system keep the time: sudo timedatectl set-ntp true")
    else:
        report.ok("clock", f"{abs(off_s):.0f} s from S3's")


def _openai(report: _Report, settings: Settings) -> None:
    if not settings.openai_api_key:
        report.ok("openai", "no OPENAI_API_KEY: the preview engine and the offline reader serve")
        return
    from core.openai.client import Endpoint  # half a second, which other commands need not pay
    from core.openai.models import missing_models

    models = {
        "OPENAI_IMAGE_MODEL": settings.openai_image_model,
        "OPENAI_TEXT_MODEL": settings.openai_text_model,
        "OPENAI_LABEL_MODEL": settings.openai_label_model,
    }
    try:
        missing = missing_models(Endpoint(settings.openai_api_key, settings.openai_base_url), models.values())
    except ConfigError as err:
        report.fail("openai", err.message, _fix_of(err, ""))
        return
    except StudioError as err:
        report.warn("openai", err.message, "Nothing to do here unless it lasts: it recovers by itself.")
        return
    for setting, model in models.items():
        if model in missing:
            says = f"this key cannot use {model} ({setting})"
            report.warn("openai", says, f"Set {setting} to a model of this project, or have the model enabled for it.")
    if not missing:
        report.ok("openai", f"the key works, image model {settings.openai_image_model}")


def _google(report: _Report) -> None:
    """Certificates are fetched when people sign in; without them nobody new gets in."""
    try:
        with urllib.request.urlopen(_CERTIFICATES, timeout=_REACH_S):
            report.ok("google", "its certificates can be fetched")
    except (OSError, urllib.error.URLError, ssl.SSLError) as err:
        reason = getattr(err, "reason", err)
        report.warn(
            "google",
            f"its certificates cannot be fetched ({reason}): nobody new could sign in",
            "Allow https to www.googleapis.com and oauth2.googleapis.com from this server.",
        )


def _optional(report: _Report, settings: Settings) -> None:
    """What only some ask for."""
    wants = wants_telemetry(os.environ)
    if wants and importlib.util.find_spec("opentelemetry") is None:
        fix = ".venv/bin/pip install -r requirements-telemetry.txt"
        report.warn("telemetry", "OTEL_* asks for traces, and the packages are missing", fix)
    elif wants:
        report.ok("telemetry", "traces are exported as OTEL_* says")
    if settings.metrics_token:
        report.ok("metrics", "/metrics and the details of /readyz want METRICS_TOKEN")
    elif settings.profile is Profile.PRODUCTION or settings.asks_for_token:
        fix = 'Set METRICS_TOKEN; make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        report.warn("metrics", "nobody can read /metrics and the details of /readyz: METRICS_TOKEN is missing.", fix)
    else:
        report.ok("metrics", "/metrics and the details of /readyz are for this machine alone")
