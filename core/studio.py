"""The composition root: builds everything once per process and hands it out.

What only some profiles need (the embedded S3, OpenAI) is imported where it is built: it takes half of the
start of an operator's command.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.generation.budget import Budgets
from core.generation.desk import Desk, Reader
from core.generation.engine import Engine
from core.generation.history import History, this_server
from core.generation.ledger import Ledger
from core.generation.presses import Presses
from core.generation.preview_engine import PreviewEngine
from core.generation.runner import Runner
from core.identity.access import Access
from core.identity.door import DemoDoor, Door
from core.identity.spending_limits import SpendingLimits
from core.images.thumbnails import Thumbnails
from core.injection.openai_reader import OpenAIReader
from core.injection.reader import OfflineReader
from core.labels.published import PublishedLabels, load_published
from core.labels.reports import Reports
from core.references.attributes import Vocabulary, load_vocabulary
from core.references.refresh import Catalog
from core.settings import PROJECT_ROOT, ImageDelivery, Profile, Settings, export_aws_secrets, load_settings
from core.storage.pages import Pages
from core.storage.presign import Presigner
from core.storage.s3 import Store

if TYPE_CHECKING:
    from core.storage.embedded import EmbeddedS3

VOCABULARY_FILE = PROJECT_ROOT / "labels" / "attributes.toml"
LABELS_FILE = PROJECT_ROOT / "labels" / "personas.jsonl"
SAMPLES = PROJECT_ROOT / "samples" / "refs"


@dataclass(frozen=True, slots=True)
class Storage:
    """One bucket, object by object and page by page; `embedded` is the server behind it, if it is ours."""

    store: Store
    pages: Pages
    embedded: EmbeddedS3 | None = None

    def close(self) -> None:
        """End the embedded server, if there is one."""
        if self.embedded is not None:
            self.embedded.close()


@dataclass(frozen=True, slots=True)
class Studio:
    """Everything the dashboard is made of. Close it to end its threads and servers.

    `presigner` is there only if originals are to come straight from S3.
    """

    settings: Settings
    store: Store
    vocabulary: Vocabulary
    labels: PublishedLabels
    catalog: Catalog
    thumbnails: Thumbnails
    presigner: Presigner | None
    history: History
    engines: Mapping[str, Engine]
    ledger: Ledger
    runner: Runner
    desk: Desk
    reports: Reports
    access: Access
    spending_limits: SpendingLimits
    door: Door
    storage: Storage

    def close(self) -> None:
        """Record what still runs as interrupted, then end every thread and the embedded S3."""
        self.catalog.stop()
        self.runner.close()
        self.history.stop()
        self.thumbnails.close()
        self.storage.close()


def build_studio(settings: Settings, *, lends: bool = True) -> Studio:
    """Build a studio from settings; `lends` as in EmbeddedS3.open. Raises ConfigError or StorageError."""
    vocabulary = load_vocabulary(VOCABULARY_FILE)
    labels = load_published(LABELS_FILE)
    storage = open_storage(settings, lends=lends)
    store = storage.store
    catalog = Catalog(
        storage.pages,
        vocabulary,
        library_prefix=settings.s3_library_prefix,
        app_prefix=settings.s3_app_prefix,
        refresh_s=settings.index_refresh_s,
        workers=settings.index_workers,
    )
    server = this_server()
    history = History(store, app_prefix=settings.s3_app_prefix, server=server)
    engines = build_engines(settings)
    runner = Runner(
        history,
        store,
        engines,
        concurrency=settings.generation_concurrency,
        deadline_s=settings.generation_deadline_s,
        server=server,
    )
    ledger = Ledger(history, store, engines, app_prefix=settings.s3_app_prefix)
    spending_limits = SpendingLimits(store, settings)
    desk = Desk(
        catalog,
        labels,
        build_reader(settings, vocabulary),
        vocabulary,
        runner,
        engines,
        Presses(store, app_prefix=settings.s3_app_prefix, at_work=lambda wanted: runner.status(wanted).busy),
        Budgets(ledger, spending_limits.limits),
        max_model_references=settings.max_model_references,
    )
    access = Access(store, settings)
    return Studio(
        settings=settings,
        store=store,
        vocabulary=vocabulary,
        labels=labels,
        catalog=catalog,
        thumbnails=Thumbnails(store, app_prefix=settings.s3_app_prefix),
        presigner=Presigner(store) if settings.image_delivery is ImageDelivery.PRESIGNED else None,
        history=history,
        engines=engines,
        ledger=ledger,
        runner=runner,
        desk=desk,
        reports=Reports(store, app_prefix=settings.s3_app_prefix),
        access=access,
        spending_limits=spending_limits,
        door=build_door(settings, store, access),
        storage=storage,
    )


def build_engines(settings: Settings) -> dict[str, Engine]:
    """The engines by name, the one to offer first in front: OpenAI where a key is set, and the preview."""
    engines: dict[str, Engine] = {}
    if settings.openai_api_key:
        from core.generation.openai_engine import OpenAIEngine

        engines[OpenAIEngine.name] = OpenAIEngine(
            settings.openai_api_key, model=settings.openai_image_model, base_url=settings.openai_base_url
        )
    engines[PreviewEngine.name] = PreviewEngine()
    return engines


def build_door(settings: Settings, store: Store, access: Access) -> Door:
    """The door of this profile. Google's library is loaded only where people sign in."""
    if settings.profile is Profile.EMBEDDED:
        return DemoDoor()
    from core.identity.google import GoogleVerifier
    from core.identity.google_door import GoogleDoor
    from core.identity.register import SessionRegister
    from core.identity.session import SessionSigner

    return GoogleDoor(
        GoogleVerifier(settings.google_client_id or ""),
        SessionSigner(settings.session_secret or ""),
        SessionRegister(store, app_prefix=settings.s3_app_prefix),
        access,
        cookie_name=settings.cookie_name,
    )


def build_reader(settings: Settings, vocabulary: Vocabulary) -> Reader:
    """The OpenAI reader where a key is set, with the offline one behind it; else the offline one."""
    offline = OfflineReader(vocabulary)
    if not settings.openai_api_key:
        return offline
    return OpenAIReader(
        settings.openai_api_key, settings.openai_base_url, settings.openai_text_model, vocabulary, offline
    )


def open_storage(settings: Settings, *, lends: bool = True) -> Storage:
    """The bucket these settings mean; the embedded one is started for the embedded profile."""
    if settings.profile is Profile.PRODUCTION:
        export_aws_secrets()
        return _opened(settings.s3_bucket or "", settings.s3_endpoint_url)
    from core.storage.embedded import EmbeddedS3

    embedded = EmbeddedS3.open(settings.data_dir, SAMPLES, lends=lends)
    return _opened(embedded.bucket, embedded.endpoint_url, embedded)


def _opened(bucket: str, endpoint_url: str | None, embedded: EmbeddedS3 | None = None) -> Storage:
    access_key = embedded.access_key if embedded else None
    secret_key = embedded.secret_key if embedded else None
    region = "us-east-1" if embedded else None
    return Storage(
        Store(bucket, endpoint_url=endpoint_url, access_key=access_key, secret_key=secret_key, region=region),
        Pages(bucket, endpoint_url=endpoint_url, access_key=access_key, secret_key=secret_key, region=region),
        embedded,
    )


_lock = threading.Lock()
_studio: Studio | None = None


def get_studio() -> Studio:
    """The process's one studio, built and started at the first call. Raises ConfigError or StorageError."""
    global _studio
    with _lock:
        if _studio is None:
            settings = load_settings()
            settings.require_serving()
            _studio = build_studio(settings)
            _studio.catalog.start()
            _studio.history.start()
        return _studio


def close_studio() -> None:
    """Close the process's studio, if there is one."""
    global _studio
    with _lock:
        if _studio is not None:
            _studio.close()
            _studio = None
