"""The bucket: whether it can be read and written, the library, the people, the budgets, and labels that wait in it."""

from __future__ import annotations

from typing import Final

from core.cli.checks.report import Report, fix_of
from core.errors import StorageDenied, StorageError, StudioError
from core.generation.spending.limits import SpendingLimits
from core.identity.access.access import Access
from core.labels.decisions.review_log import ReviewLog
from core.labels.publication.publisher import Publisher
from core.labels.published.label_file import LabelFile, load_published
from core.references.index import build_index
from core.references.listing.listing import list_all
from core.references.listing.other_folders import other_folders
from core.references.vocabulary import load_vocabulary
from core.settings import Settings
from core.storage.connect import Storage, open_storage
from core.storage.local.disk import renew
from core.storage.s3 import Store
from core.studio import LABELS_FILE, SAMPLES, VOCABULARY_FILE
from core.viewer import PersonRole, Viewer

_SKEW_S: Final = 10.0  # what the verification of ID tokens forgives
_OPERATOR: Final = Viewer("", PersonRole.ADMIN)  # who may read the bucket may read the list in it


def storage(report: Report, settings: Settings) -> None:
    """The bucket, and all that lies in it."""
    try:
        storage = open_storage(settings, SAMPLES, lends=False)
    except StudioError as err:
        report.fail("storage", err.message, fix_of(err, "Mend what it names, then run this again."))
        return
    try:
        _bucket(report, storage, settings)
    finally:
        storage.close()


def _bucket(report: Report, storage: Storage, settings: Settings) -> None:
    store = storage.store
    where = settings.s3_endpoint_url or ("this process" if storage.embedded else "AWS")
    try:
        store.check_bucket()
    except StudioError as err:
        report.fail("storage", err.message, _storage_fix(err, settings))
        return
    report.ok("bucket", f"`{store.bucket}` at {where}")
    _library(report, storage, settings)
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
    _documents(report, store, settings)
    _clock(report, storage)


def _storage_fix(err: StudioError, settings: Settings) -> str:
    if isinstance(err, StorageDenied):
        return (
            f"Check that `{settings.s3_bucket}` is the right name: S3 answers alike for another's bucket. Then the AWS "
            "credentials of this user (aws sts get-caller-identity), and the policy in docs/operate.md."
        )
    if isinstance(err, StorageError) and "does not exist" in err.message:
        return f"Create the bucket `{settings.s3_bucket}`, or set S3_BUCKET to the one that is meant."
    return "Check S3_ENDPOINT_URL, the network and its firewall; then run this again."


def _library(report: Report, storage: Storage, settings: Settings) -> None:
    prefix = settings.s3_library_prefix
    try:
        index = build_index(
            list_all(storage.list_pages, prefix, workers=settings.index_workers),
            load_vocabulary(VOCABULARY_FILE),
            library_prefix=prefix,
            without_prefix=settings.s3_app_prefix,
        )
        others = None if len(index) else other_folders(storage.list_pages, prefix, settings.s3_app_prefix)
    except StudioError as err:
        fix = f"Allow s3:ListBucket on the bucket, and check S3_LIBRARY_PREFIX ({prefix})."
        report.fail("library", err.message, fix_of(err, fix))
        return
    if others is not None:
        says = f"no picture lies under `{prefix or '/'}`: {others.says}"
        report.warn(
            "library", says, "Set S3_LIBRARY_PREFIX to where the reference folders lie, or bring pictures there."
        )
        return
    problems = f", {len(index.problems)} problems (python -m core index)" if index.problems else ""
    where = f"{len(index.folders)} reference folders under `{prefix}`"
    report.ok("library", f"{len(index)} pictures in {where}{problems}")


def _clock(report: Report, storage: Storage) -> None:
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


def _documents(report: Report, store: Store, settings: Settings) -> None:
    """What admins and reviewers have said in the dashboard, which counts more than settings and files."""
    report.run("people", lambda: _people(report, store, settings), "Mend what it names, then run this again.")
    report.run("budgets", lambda: _budgets(store, settings), "Mend what it names, then run this again.")
    log = ReviewLog(store, app_prefix=settings.s3_app_prefix)
    publisher = Publisher(LabelFile(LABELS_FILE, renew), store, log, app_prefix=settings.s3_app_prefix)
    try:
        newer = publisher.newer(load_published(LABELS_FILE).version)
    except StorageError as err:
        report.warn("labels", err.message, "Labels are served as they are here; see docs/operate.md, Labels.")
        return
    if newer is not None:
        says = (
            f"version {newer.version}, published by {newer.person} on {newer.time:%Y-%m-%d at %H:%M} UTC, waits in S3"
        )
        report.warn("labels", says, "Bring it here as docs/operate.md says under Labels; its reviews count already.")


def _people(report: Report, store: Store, settings: Settings) -> str:
    """Who may come in, and who says so."""
    people = Access(store, settings).read(_OPERATOR)
    listed = people.value
    said_by = "the settings" if people.etag is None else f"{settings.s3_app_prefix}access.json"
    if listed.idle_domains:
        says = f"{', '.join(listed.idle_domains)} in {said_by} lets nobody in: everybody may have an address there"
        report.warn("people", says, "Name the addresses one by one instead.")
    admins = f"admins: {', '.join(listed.admins)}" if listed.admins else "no admin, so nobody can change that"
    return f"{len(listed.people)} addresses, {len(listed.domains)} domains, says {said_by}; {admins}"


def _budgets(store: Store, settings: Settings) -> str:
    """What may be spent a day, and who says so."""
    sheet = SpendingLimits(store, settings).read(_OPERATOR)
    limits = sheet.value.limits
    said_by = "the settings" if sheet.etag is None else f"{settings.s3_app_prefix}budgets.json"
    everybody, each = map(_dollars, (limits.daily_usd, limits.daily_person_usd))
    return f"{everybody} a day for everybody, {each} for each person, says {said_by}"


def _dollars(usd: float | None) -> str:
    return "no limit" if usd is None else f"${usd:.2f}"
