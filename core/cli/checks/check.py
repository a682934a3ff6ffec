"""The command: what is configured, reachable and missing, the exact fix for each failure, and who would be served."""

from __future__ import annotations

import os
from collections.abc import Callable

import typer

from core.cli.checks import bucket, configuration, outside
from core.cli.checks.report import Report, fix_of
from core.cli.failures import EXIT_COULD_NOT_SERVE
from core.errors import StudioError
from core.settings import Profile, Settings, load_settings


def check(expected: Profile | None) -> None:
    """Try every dependency; exit 1 if people could not be served, or not in the profile that is expected."""
    report = Report()
    configuration.names(report, os.environ)
    configuration.secret_files(report)
    try:
        settings = load_settings()
    except StudioError as err:
        report.fail("settings", err.message, fix_of(err, "Correct it in the environment or .streamlit/secrets.toml."))
        raise typer.Exit(EXIT_COULD_NOT_SERVE) from err
    configuration.read_otherwise(report)
    configuration.profile(report, settings, expected)
    steps: dict[str, Callable[[], None]] = {
        "sign-in": lambda: configuration.sign_in(report, settings),
        "vocabulary": lambda: configuration.vocabulary(report),
        "labels": lambda: configuration.labels(report),
        "data": lambda: outside.disk(report, settings),
        "port": lambda: outside.port(report),
        "bucket": lambda: bucket.storage(report, settings),
        "openai": lambda: outside.openai(report, settings),
        "google": lambda: outside.google(report, settings),
        "optional": lambda: outside.optional(report, settings),
    }
    for what, step in steps.items():
        report.guard(what, step)
    if report.failed:
        print(f"\nThe dashboard could not serve people like this: {_what_serves(settings)}.")
        raise typer.Exit(EXIT_COULD_NOT_SERVE)
    print(f"\nThe dashboard can serve: {_what_serves(settings)}.")


def _what_serves(settings: Settings) -> str:
    """The profile, in words that nobody takes for the other one."""
    if settings.profile is Profile.PRODUCTION:
        return f"production, from the bucket `{settings.s3_bucket}`"
    return "the demo, with the sample library and without a sign-in, for S3_BUCKET is not set"
