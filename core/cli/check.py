"""`python -m core check`: what is configured, reachable and missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import typer

from core.cli.failures import EXIT_COULD_NOT_SERVE
from core.errors import StudioError
from core.identity.access import Access
from core.labels.published import load_published
from core.references.attributes import load_vocabulary
from core.references.index import build_index
from core.references.listing import PageSource, list_all
from core.settings import Profile, Settings, load_settings
from core.storage.s3 import Store
from core.studio import LABELS_FILE, VOCABULARY_FILE, open_storage
from core.viewer import PersonRole, Viewer

_OPERATOR = Viewer("", PersonRole.ADMIN)  # who may read the bucket may read the list in it


@dataclass
class _Report:
    failed: bool = False

    def ok(self, what: str, says: str) -> None:
        print(f"ok       {what:<12} {says}")

    def warn(self, what: str, says: str) -> None:
        print(f"warning  {what:<12} {says}")

    def fail(self, what: str, says: str) -> None:
        self.failed = True
        print(f"MISSING  {what:<12} {says}")

    def run(self, what: str, step: Callable[[], str]) -> None:
        try:
            self.ok(what, step())
        except StudioError as err:
            self.fail(what, err.message)


def check() -> None:
    """Try every dependency and say what to do about each failure; exit 1 if people could not be served."""
    report = _Report()
    try:
        settings = load_settings()
    except StudioError as err:
        report.fail("settings", err.message)
        raise typer.Exit(EXIT_COULD_NOT_SERVE) from err
    report.ok("profile", f"{settings.profile.value}")
    report.run("sign-in", lambda: _sign_in(settings))
    report.run("vocabulary", _vocabulary)
    _labels(report)
    _storage(report, settings)
    _openai(report, settings)
    if report.failed:
        print("\nThe dashboard could not serve people like this.")
        raise typer.Exit(EXIT_COULD_NOT_SERVE)
    print("\nThe dashboard can serve.")


def _sign_in(settings: Settings) -> str:
    settings.require_serving()
    if settings.profile is Profile.EMBEDDED:
        return "none: everyone on this machine is demo@localhost"
    from core.doorway import CALLBACK_PATH

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
        report.warn("labels", f"labels/{LABELS_FILE.name}, line {broken.line}: {broken.reason}")


def _storage(report: _Report, settings: Settings) -> None:
    try:
        storage = open_storage(settings, lends=False)
    except StudioError as err:
        report.fail("storage", err.message)
        return
    store = storage.store
    try:
        where = settings.s3_endpoint_url or ("this process" if storage.embedded else "AWS")
        store.check_bucket()
        report.ok("bucket", f"`{store.bucket}` at {where}")
        report.run("library", lambda: _library(storage.pages, settings))
        if settings.profile is Profile.PRODUCTION:
            report.run("people", lambda: _people(store, settings))
        if store.honours_conditions(settings.s3_app_prefix):
            report.ok("conditions", "the endpoint refuses to overwrite when asked to")
        else:
            report.warn(
                "conditions",
                "the endpoint ignores conditional writes: two people who save at once can lose an edit",
            )
    except StudioError as err:
        report.fail("storage", err.message)
    finally:
        storage.close()


def _library(pages: PageSource, settings: Settings) -> str:
    index = build_index(
        list_all(pages, settings.s3_library_prefix, workers=settings.index_workers),
        load_vocabulary(VOCABULARY_FILE),
        without_prefix=settings.s3_app_prefix,
    )
    problems = f", {len(index.problems)} problems (python -m core index)" if index.problems else ""
    where = f"{len(index.folders)} reference folders under `{settings.s3_library_prefix}`"
    return f"{len(index)} pictures in {where}{problems}"


def _openai(report: _Report, settings: Settings) -> None:
    if settings.openai_api_key:
        report.ok("openai", f"key set, image model {settings.openai_image_model}")
    else:
        report.ok("openai", "no OPENAI_API_KEY: the preview engine and the offline reader serve")
