"""The composition root: builds everything once per process and hands it out.

What only some profiles need (the embedded S3, OpenAI) is imported where it is built: it takes half of the
start of an operator's command.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.concurrency.background import in_background, let_background_work_end
from core.concurrency.periodic import Periodic
from core.errors import ConfigError
from core.generation.drawn_pictures import DrawnPictures
from core.generation.engines.engine import Engine
from core.generation.engines.preview_engine import PreviewEngine
from core.generation.favourites import Favourites
from core.generation.idempotency import IdempotencyKeys
from core.generation.ordering import Orders
from core.generation.planning import ComparisonPlanner, Reader
from core.generation.records.attempt import this_server
from core.generation.records.comparison import Comparison
from core.generation.records.history import History
from core.generation.records.outcome import Outcome
from core.generation.records.usual import Usual
from core.generation.running.runner import RunLimits, Runner
from core.generation.running.spool import Spool
from core.generation.spending.budget import Budgets
from core.generation.spending.ledger import Ledger
from core.generation.spending.limits import SpendingLimits
from core.generation.variations import Variations
from core.identity.access.access import Access
from core.identity.authenticator import Authenticator
from core.identity.sign_in import build_authenticator, build_redirect
from core.identity.sign_in_limits import SignInLimits
from core.images.pixel_size import PixelSizes
from core.images.readability import Readability
from core.images.thumbnails import Thumbnails
from core.injection.reading.reader import OfflineReader
from core.labels.decisions.agreement import Agreement, agreement_of
from core.labels.decisions.live import LiveLabels
from core.labels.decisions.reports import Reports
from core.labels.decisions.review_log import ReviewLog
from core.labels.lending.lending import Lending
from core.labels.machine.instructions import Instructions, load_instructions
from core.labels.machine.labeling import Runs
from core.labels.machine.proposals import Proposals, load_shipped
from core.labels.publication.publisher import Publisher
from core.labels.published.label_file import LabelFile, LabelSet
from core.labels.queue.queue_rows import QueueSources
from core.labels.review.adjudication import Adjudication
from core.labels.review.review_service import ReviewService
from core.metrics import Metrics
from core.references.archive import Archive
from core.references.catalog import Catalog
from core.references.vocabulary import Vocabulary, load_vocabulary
from core.search.library_search import LibrarySearch
from core.settings import PROJECT_ROOT, ImageDelivery, Profile, Settings, Streaming, load_settings
from core.storage.connect import Storage, open_storage
from core.storage.local.data_dir import keep_private
from core.storage.local.disk import renew
from core.storage.local.file_spool import FileSpool
from core.storage.presign import Presigner
from core.storage.s3 import Store
from core.telemetry import Telemetry, open_telemetry, trace_attempt
from core.votes.ballots.ballot_pictures import BallotPictures
from core.votes.ballots.ballots import BallotSeals
from core.votes.ballots.pool import PairingPool
from core.votes.ballots.practice import PracticeComparisons
from core.votes.cast_judgements import CastVotes
from core.votes.insights.service import InsightsService
from core.votes.records.outbox import Outbox
from core.votes.records.seen import Seen
from core.votes.records.store import VoteStore
from core.votes.records.voters import Voters
from core.votes.service import VoteService

if TYPE_CHECKING:
    from core.identity.redirect import Redirect
    from core.openai.client import Endpoint

VOCABULARY_FILE = PROJECT_ROOT / "labels" / "attributes.toml"
LABELS_FILE = PROJECT_ROOT / "labels" / "personas.jsonl"
LABELING_FILE = PROJECT_ROOT / "labels" / "labeling.toml"
SHOTS = PROJECT_ROOT / "labels" / "shots"
SAMPLE_PROPOSALS = PROJECT_ROOT / "samples" / "machine_labels.jsonl"
# Nobody should see a picture as lost that is about to be stored; an S3 that is away must not hold up the start.
_RECOVERY_S = 3.0
_BACKGROUND_S = 1.0  # what was begun on the side may end before S3 is closed, or else fails with it
SAMPLES = PROJECT_ROOT / "samples" / "refs"


@dataclass(frozen=True, slots=True)
class Studio:
    """Everything the dashboard is made of. Close it to end its threads and servers.

    `presigner` is there only if originals are to come straight from S3, `redirect` only where people sign in.
    """

    settings: Settings
    store: Store
    vocabulary: Vocabulary
    live_labels: LiveLabels
    review_log: ReviewLog
    review_service: ReviewService
    adjudication: Adjudication
    proposals: Proposals
    runs: Runs
    publisher: Publisher
    catalog: Catalog
    search: LibrarySearch
    thumbnails: Thumbnails
    readability: Readability
    pixel_sizes: PixelSizes
    presigner: Presigner | None
    history: History
    favourites: Favourites
    usual: Usual
    engines: Mapping[str, Engine]
    ledger: Ledger
    runner: Runner
    budgets: Budgets
    planner: ComparisonPlanner
    orders: Orders
    variations: Variations
    votes: VoteService
    vote_store: VoteStore
    cast_votes: CastVotes
    insights: InsightsService
    practice: PracticeComparisons
    pairings: PairingPool
    voters: Voters
    seen: Seen
    reports: Reports
    access: Access
    spending_limits: SpendingLimits
    authenticator: Authenticator
    sign_in_limits: SignInLimits
    redirect: Redirect | None
    storage: Storage
    metrics: Metrics
    telemetry: Telemetry

    @property
    def labels(self) -> LabelSet:
        """The published labels with all reviews on top, as they are known now."""
        return self.live_labels.current

    def trust_numbers(self) -> Agreement:
        """How good the labels are, from everything in S3. Raises StorageError."""
        self.review_log.refresh()
        self.proposals.catch_up()
        shown = frozenset(shot.from_etag for shot in the_instructions().shots)
        return agreement_of(
            self.proposals.by_etag(),
            self.review_log.reviews,
            self.live_labels.published,
            shown_answers=shown,
            publishing=self.publisher.last_publishing(),
        )

    @property
    def loops(self) -> tuple[Periodic, ...]:
        """Everything that goes round in the background."""
        rounds = (
            *(self.catalog, self.history, self.live_labels, self.proposals, self.review_service),
            *(self.readability, self.pairings),
        )
        return (*(each.loop for each in rounds), *self.vote_store.loops)

    def start(self) -> None:
        """Begin all background work, and give what an ended process left behind a moment to be delivered."""
        self.live_labels.start()  # says what is broken in the published file
        in_background(self.vote_store.recover, name="votes-recover").join(_RECOVERY_S)
        for loop in self.loops:
            loop.start()
        in_background(self.insights.warm, name="insights")
        self.storage.circuit_breaker.when_back = self.go_round
        self.budgets.count()
        in_background(self.runner.recover, name="outbox").join(_RECOVERY_S)

    def go_round(self) -> None:
        """Have everything go round now, instead of after the pause that it takes while S3 is away."""
        for loop in self.loops:
            loop.wake()

    def close(self) -> None:
        """Record what still runs as interrupted, then end every thread and the embedded S3."""
        for loop in self.loops:  # all at once: each may be waited for below for as long as its round hangs in S3
            loop.tell_to_stop()
        self.insights.close()
        self.runner.close()
        self.catalog.stop()
        self.history.stop()
        self.pairings.stop()
        self.vote_store.stop()
        self.readability.close()
        for loop in self.loops:
            loop.stop()
        let_background_work_end(patience_s=_BACKGROUND_S)
        self.storage.close()
        self.telemetry.close()


def build_studio(settings: Settings, *, lends: bool = True) -> Studio:
    """Build a studio from settings; `lends` as in EmbeddedS3.open. Raises ConfigError or StorageError."""
    vocabulary = load_vocabulary(VOCABULARY_FILE)
    keep_private(settings.data_dir)
    storage = open_storage(settings, SAMPLES, lends=lends)
    store = storage.store
    metrics, telemetry = Metrics(), open_telemetry()
    thumbnails = Thumbnails(store, app_prefix=settings.s3_app_prefix, observe=metrics.thumbnail)
    review_log = ReviewLog(store, app_prefix=settings.s3_app_prefix)
    live_labels = LiveLabels(LABELS_FILE, review_log)
    catalog = Catalog(
        storage.list_pages,
        vocabulary,
        library_prefix=settings.s3_library_prefix,
        app_prefix=settings.s3_app_prefix,
        refresh_s=settings.index_refresh_s,
        workers=settings.index_workers,
        unreadable=thumbnails.unreadable,
        archive=Archive(store),
    )

    readability = Readability(
        store,
        thumbnails,
        app_prefix=settings.s3_app_prefix,
        pictures=lambda: catalog.index.table if catalog.status.ready else (),
        found=catalog.request_refresh,
        archived=catalog.leave_out_archived,
    )
    drawn = DrawnPictures(catalog, readability)

    def observe(comparison: Comparison, outcome: Outcome) -> None:
        usual.add(comparison, outcome)
        metrics.attempt_ended(comparison, outcome)
        trace_attempt(telemetry, comparison, outcome)
        if outcome.picture is not None:
            pairings.loop.wake()  # it may be voted on

    history = History(store, app_prefix=settings.s3_app_prefix, server=this_server(), list_pages=storage.list_pages)
    usual = Usual(history)
    engines = build_engines(settings)
    runner = Runner(
        history,
        store,
        engines,
        RunLimits(settings.generation_concurrency, settings.generation_deadline_s, settings.generation_stop_s),
        observe=observe,
        spool=Spool(FileSpool(_waiting_room(settings, store, "outbox")), history),
        archived=catalog.leave_out_archived,
    )
    ledger = Ledger(history, store, engines, app_prefix=settings.s3_app_prefix, usual=usual)
    spending_limits = SpendingLimits(store, settings)
    budgets = Budgets(ledger, spending_limits.limits)
    offline = OfflineReader(vocabulary)
    planner = ComparisonPlanner(
        catalog,
        lambda: live_labels.current,
        build_reader(settings, vocabulary, offline),
        vocabulary,
        settings.max_model_references,
        drawn,
    )
    idempotency_keys = IdempotencyKeys(
        store, app_prefix=settings.s3_app_prefix, at_work=lambda wanted: runner.status(wanted).busy
    )
    orders = Orders(runner, engines, idempotency_keys, budgets, drawn, usual)
    access = Access(store, settings)
    authenticator = build_authenticator(settings, store, access)
    sign_in_limits = SignInLimits(
        address_max=settings.sign_in_failures_per_minute, all_max=settings.sign_in_failures_in_all_per_minute
    )
    reports = Reports(store, app_prefix=settings.s3_app_prefix)
    shipped = load_shipped(SAMPLE_PROPOSALS) if settings.profile is Profile.EMBEDDED else ()
    proposals = Proposals(store, app_prefix=settings.s3_app_prefix, shipped=shipped)
    review_service = ReviewService(
        QueueSources(catalog, live_labels, review_log, proposals, reports),
        vocabulary,
        Lending(store, app_prefix=settings.s3_app_prefix),
    )
    publisher = Publisher(LabelFile(LABELS_FILE, renew), store, review_log, app_prefix=settings.s3_app_prefix)
    list_pages = storage.list_pages
    voters = Voters(store, app_prefix=settings.s3_app_prefix, may_come_in=access.names)
    outbox = Outbox(FileSpool(_waiting_room(settings, store, "votes")))
    seen = Seen(store, voters, outbox, app_prefix=settings.s3_app_prefix)
    pairings = PairingPool(store, app_prefix=settings.s3_app_prefix, list_pages=list_pages, comparison=history.get)
    vote_store = VoteStore(store, outbox, seen, app_prefix=settings.s3_app_prefix, list_pages=list_pages)
    cast_votes = CastVotes(vote_store.book, pairings)
    votes = VoteService(
        vote_store,
        pairings,
        voters,
        seen,
        BallotSeals(_ballot_secret(settings, storage)),
        BallotPictures(store),
        folder_of=history.folder_of,
        comparison=history.get,
        days=settings.vote_days,
    )
    return Studio(
        settings=settings,
        store=store,
        vocabulary=vocabulary,
        live_labels=live_labels,
        review_log=review_log,
        review_service=review_service,
        adjudication=Adjudication(review_service, review_log, publisher.last_publishing),
        proposals=proposals,
        runs=Runs(store, app_prefix=settings.s3_app_prefix),
        publisher=publisher,
        catalog=catalog,
        search=LibrarySearch(vocabulary, offline),
        thumbnails=thumbnails,
        readability=readability,
        pixel_sizes=PixelSizes(store),
        presigner=Presigner(store) if settings.image_delivery is ImageDelivery.PRESIGNED else None,
        history=history,
        favourites=Favourites(store, app_prefix=settings.s3_app_prefix, find=history.get),
        usual=usual,
        engines=engines,
        ledger=ledger,
        runner=runner,
        budgets=budgets,
        planner=planner,
        orders=orders,
        variations=Variations(planner, orders),
        votes=votes,
        vote_store=vote_store,
        cast_votes=cast_votes,
        insights=InsightsService(cast_votes, voters, is_read=lambda: pairings.is_read and vote_store.is_read),
        practice=PracticeComparisons(planner, orders, offline, vocabulary),
        pairings=pairings,
        voters=voters,
        seen=seen,
        reports=reports,
        access=access,
        spending_limits=spending_limits,
        authenticator=authenticator,
        sign_in_limits=sign_in_limits,
        redirect=build_redirect(settings, authenticator, sign_in_limits),
        storage=storage,
        metrics=metrics,
        telemetry=telemetry,
    )


def the_instructions() -> Instructions:
    """What labelers are told. Raises ConfigError."""
    return load_instructions(LABELING_FILE, SHOTS)


def _waiting_room(settings: Settings, store: Store, name: str) -> Path:
    """A folder of this bucket and prefix alone, so that nothing is delivered into another one."""
    place = f"{settings.s3_endpoint_url or ''}\n{store.bucket}\n{settings.s3_app_prefix}"
    return settings.data_dir / name / hashlib.sha256(place.encode()).hexdigest()[:16]


def _ballot_secret(settings: Settings, storage: Storage) -> str:
    """What ballots are sealed with: the same on all servers and after a restart, and told to nobody.

    The demo's is that of its own bucket, and an operator's command, which draws none, makes one up.
    """
    if settings.session_secret:
        return settings.session_secret
    return storage.embedded.secret_key if storage.embedded else secrets.token_hex(32)


def openai_endpoint(settings: Settings) -> Endpoint:
    """The server that is asked for pictures, readings and labels. Raises ConfigError without a key or the SDK."""
    if not settings.openai_api_key:
        raise ConfigError("{setting} is missing: OpenAI is not asked without it.", setting="OPENAI_API_KEY")
    try:
        from core.openai.client import Endpoint
    except ImportError as err:
        raise ConfigError(
            "With {setting} set the package openai is needed, and it cannot be imported ({}): "
            ".venv/bin/pip install -r requirements.txt",
            err,
            setting="OPENAI_API_KEY",
        ) from err
    return Endpoint(settings.openai_api_key, settings.openai_base_url)


def streams_pictures(settings: Settings, endpoint: Endpoint) -> bool:
    """Whether sides are asked for as streams: gateways take one for a broken answer after the picture is paid for."""
    if settings.openai_streaming is Streaming.AUTO:
        return endpoint.is_openai
    return settings.openai_streaming is Streaming.ON


def build_engines(settings: Settings) -> dict[str, Engine]:
    """The engines by name, the one to offer first in front: OpenAI where a key is set, and the preview."""
    engines: dict[str, Engine] = {}
    if settings.openai_api_key:
        endpoint = openai_endpoint(settings)
        from core.generation.engines.openai_engine import OpenAIEngine

        streaming = streams_pictures(settings, endpoint)
        engines[OpenAIEngine.name] = OpenAIEngine(endpoint, model=settings.openai_image_model, streaming=streaming)
    engines[PreviewEngine.name] = PreviewEngine()
    return engines


def build_reader(settings: Settings, vocabulary: Vocabulary, offline: OfflineReader) -> Reader:
    """The OpenAI reader where a key is set, with the offline one behind it; else the offline one."""
    if not settings.openai_api_key:
        return offline
    endpoint = openai_endpoint(settings)
    # 0.4 s for the SDK, which the offline reader need not wait for
    from core.injection.openai_reader import OpenAIReader

    return OpenAIReader(endpoint, settings.openai_text_model, vocabulary, offline)


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
            _studio.start()
        return _studio


def running_studio() -> Studio | None:
    """The process's studio if it has been built; nobody waits for one that is being built."""
    return _studio


def close_studio() -> None:
    """Close the process's studio, if there is one."""
    global _studio
    with _lock:
        if _studio is not None:
            _studio.close()
            _studio = None
