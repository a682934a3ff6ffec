"""What lies outside the bucket: this machine's disk and port, OpenAI, Google, and what only some ask for."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Final

from core.cli.checks.report import Report, fix_of
from core.errors import ConfigError, StudioError
from core.settings import Profile, Settings, Streaming
from core.storage.local.data_dir import keep_private
from core.studio import openai_endpoint, streams_pictures
from core.telemetry import wants_telemetry

if TYPE_CHECKING:
    from core.openai.client import Endpoint

_CERTIFICATES: Final = "https://www.googleapis.com/oauth2/v1/certs"
_REACH_S: Final = 5.0
_FREE_BYTES: Final = 512 * 1024 * 1024


def disk(report: Report, settings: Settings) -> None:
    """Where the embedded S3 keeps its objects; in production nothing stays on this machine's disk."""
    try:
        keep_private(settings.data_dir)
    except ConfigError as err:
        report.fail("data", err.message, fix_of(err, ""))
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


def port(report: Report) -> None:
    """Where the first server would listen."""
    said = os.environ.get("PORT") or "8501"
    if not (said.isascii() and said.isdigit() and int(said) < 2**16):
        report.fail("port", f"PORT={said!r} is no number of a port.", "Set PORT to one from 1 to 65535, or unset it.")
        return
    port = int(said)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn does: a port just left is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as err:
            says = f"{port} is taken or forbidden ({err.strerror}): fine if that is this dashboard, running."
            report.warn("port", says, f"If it is not, stop what listens there, or start with PORT={port + 1}.")
            return
    report.ok("port", f"{port} is free")


def openai(report: Report, settings: Settings) -> None:
    """Which server is asked and how, whether it answers, and whether it has the models."""
    if not settings.openai_api_key:
        report.ok("openai", "no OPENAI_API_KEY: the preview engine and the offline reader serve")
        return
    try:
        endpoint = openai_endpoint(settings)
        report.ok("streaming", _streaming(settings, endpoint))
        from core.openai.models import offered_models  # half a second, which other commands need not pay

        offered = offered_models(endpoint)
    except ConfigError as err:
        report.fail("openai", err.message, fix_of(err, ""))
    except StudioError as err:
        report.warn(
            "openai",
            err.message,
            "Look into it if it lasts: the preview engine serves meanwhile, and a start is not held up.",
        )
    else:
        _models(report, settings, endpoint.server, offered)


def _streaming(settings: Settings, endpoint: Endpoint) -> str:
    """Which way pictures are asked for, and why."""
    said = f"OPENAI_STREAMING={settings.openai_streaming.value}"
    is_own = settings.openai_streaming is not Streaming.AUTO
    if streams_pictures(settings, endpoint):
        why = (
            "" if endpoint.is_openai else ", which has to be able to; a picture that it breaks is paid for all the same"
        )
        return f"{said}: sides are streamed from {endpoint.server}, with previews{why}"
    why = "" if is_own else ", which is not OpenAI and may not be able to stream"
    return f"{said}: the finished picture alone is asked of {endpoint.server}{why}; no previews on the way"


def _models(report: Report, settings: Settings, server: str, offered: frozenset[str] | None) -> None:
    """Whether a server that answers has what is used of it; one that keeps no list may have it all the same."""
    if offered is None:
        says = f"{server} answers, but has no list of models at OPENAI_BASE_URL + /models: the key was not tried"
        fix = "Look whether OPENAI_BASE_URL ends where the API begins, often in /v1; some gateways have no such list."
        report.warn("openai", says, fix)
        return
    wanted = {
        "OPENAI_IMAGE_MODEL": settings.openai_image_model,
        "OPENAI_TEXT_MODEL": settings.openai_text_model,
        "OPENAI_LABEL_MODEL": settings.openai_label_model,
    }
    missing = {setting: model for setting, model in wanted.items() if model not in offered}
    for setting, model in missing.items():
        says = f"{server} answers, and does not offer {model} ({setting}) to this key"
        report.warn("openai", says, f"Set {setting} to a model that it offers, or have this one enabled for the key.")
    if not missing:
        report.ok("openai", f"{server} answers and the key works, image model {settings.openai_image_model}")


def google(report: Report, settings: Settings) -> None:
    """Certificates are fetched when people sign in; without them nobody new gets in."""
    if settings.profile is not Profile.PRODUCTION:
        return
    try:
        with urllib.request.urlopen(_CERTIFICATES, timeout=_REACH_S):
            report.ok("google", "its certificates can be fetched")
    except (OSError, HTTPException, ValueError) as err:  # the last two of a proxy's address that is none
        reason = getattr(err, "reason", err)
        report.warn(
            "google",
            f"its certificates cannot be fetched ({reason}): nobody new could sign in",
            "Allow https to www.googleapis.com and oauth2.googleapis.com from this server.",
        )


def optional(report: Report, settings: Settings) -> None:
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
