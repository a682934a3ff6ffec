"""A labeling run: which portraits a machine is asked about, each answer in S3 at once, and what became of them.

<app>/labels/runs/<ulid>.json   which pictures a run set out to label; written before the first is asked about
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from ulid import ULID

from core.errors import EngineError, EngineFault, InputError, NotFound, ObjectArchived
from core.labels.machine.labeler import Labeler, LabelerSpec, Portrait, Problem, Proposal, Unanswered
from core.labels.machine.proposals import Proposals
from core.objects.objects import ObjectStore
from core.references.index import ReferenceIndex
from core.references.key import fold
from core.references.reference import Filter, Reference
from core.references.vocabulary import Role

# So many unanswered questions in a row are no accident.
_PATIENCE: Final = 10


class Sitter(BaseModel):
    """A picture to be labelled, as the run found it."""

    model_config = ConfigDict(frozen=True)

    key: str
    etag: str


class Run(BaseModel):
    """What a run set out to do; `finished_at` once every picture has been asked about."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    labeler: str
    folder: str = ""
    started_at: datetime
    finished_at: datetime | None = None
    sitters: tuple[Sitter, ...]


@dataclass(slots=True)
class RunCounts:
    """What became of a run's pictures so far; `usd` is None as soon as one price is unknown."""

    total: int
    labelled: int = 0
    problems: Counter[Problem] = field(default_factory=Counter)
    gone: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)
    usd: float | None = 0.0

    @property
    def done(self) -> int:
        """How many have been dealt with, well or not."""
        return self.labelled + self.gone + self.unanswered.total()

    def count(self, proposal: Proposal) -> None:
        """Take in a proposal."""
        self.labelled += 1
        if proposal.problem is not None:
            self.problems[proposal.problem] += 1
        self.usd = None if self.usd is None or proposal.usd is None else self.usd + proposal.usd


class Runs:
    """Remembers runs in S3. Every method raises StorageDenied, StorageUnavailable or WriteConflict."""

    def __init__(self, store: ObjectStore, *, app_prefix: str) -> None:
        self._store = store
        self._prefix = f"{app_prefix}labels/runs/"

    def begin(self, spec: LabelerSpec, sitters: Sequence[Sitter], *, folder: str) -> Run:
        """Record a run before its first question."""
        run = Run(
            id=str(ULID()), labeler=spec.slug, folder=folder, started_at=datetime.now(UTC), sitters=tuple(sitters)
        )
        self._put(run, create_only=True)
        return run

    def finish(self, run: Run) -> None:
        """Record that every picture has been asked about."""
        self._put(run.model_copy(update={"finished_at": datetime.now(UTC)}), create_only=False)

    def unfinished(self, spec: LabelerSpec, folder: str | None) -> Run:
        """The newest run of this labeler that was not finished. Raises InputError when there is none."""
        for row in sorted(self._store.list(self._prefix), key=lambda row: row.key, reverse=True):
            try:
                run = Run.model_validate_json(self._store.get(row.key).data)
            except ValidationError:
                continue
            if run.labeler == spec.slug and run.finished_at is None and folder in (None, run.folder):
                return run
        raise InputError("No run of {} was broken off here: run without --resume.", spec.slug)

    def _put(self, run: Run, *, create_only: bool) -> None:
        key = f"{self._prefix}{run.id}.json"
        self._store.put(key, run.model_dump_json().encode(), content_type="application/json", create_only=create_only)


def sitters_in(index: ReferenceIndex, folder: str | None) -> list[Sitter]:
    """The pictures of a folder, or of every model folder; the same bytes once. Raises InputError for no folder."""
    if folder is None:
        references: Sequence[Reference] = index.search(Filter(role=Role.MODEL))
    else:
        wanted = fold(folder.strip("/")) + "/"
        references = [ref for ref in index.references if fold(ref.key).startswith(wanted)]
        if not references:
            folders = ", ".join(f"“{each.path}”" for each in index.folders_of(Role.MODEL)) or "none yet"
            raise InputError("There is no picture under `{}` in S3. The model folders are {}.", folder, folders)
    by_etag: dict[str, Sitter] = {}
    for ref in references:
        if ref.size_bytes and not ref.is_archived:
            by_etag.setdefault(ref.etag, Sitter(key=ref.key, etag=ref.etag))
    return list(by_etag.values())


class LabelingRun:
    """Asks a labeler about a run's pictures, `workers` at a time."""

    def __init__(
        self, store: ObjectStore, proposals: Proposals, labeler: Labeler, run: Run, *, workers: int = 4
    ) -> None:
        self._store = store
        self._proposals = proposals
        self._labeler = labeler
        self._run = run
        self._workers = workers

    def go(self, sitters: Sequence[Sitter], progress: Callable[[RunCounts], None]) -> RunCounts:
        """Ask about each; `progress` is told after every one.

        Raises EngineError when no picture would be answered, StorageDenied or StorageUnavailable; what has been
        answered until then is kept.
        """
        counts = RunCounts(len(sitters))
        in_a_row = 0
        with ThreadPoolExecutor(self._workers, thread_name_prefix="labeling") as pool:
            for asked in _as_completed(pool, self._ask, sitters, self._workers * 2):
                try:
                    proposal = asked.result()
                except Unanswered as err:
                    counts.unanswered[err.reason] += 1
                    in_a_row += 1
                else:
                    in_a_row = 0
                    if proposal is None:
                        counts.gone += 1
                    else:
                        counts.count(proposal)
                progress(counts)
                if in_a_row >= _PATIENCE:
                    raise _patience_error(counts)
        return counts

    def _ask(self, sitter: Sitter) -> Proposal | None:
        """The picture's proposal, in S3 already; None for one that is gone or has changed since."""
        picture = fetch_portrait(self._store, sitter)
        if picture is None:
            return None
        return self._proposals.add(self._labeler.spec, self._labeler.label(picture, run=self._run.id))


def fetch_portrait(store: ObjectStore, sitter: Sitter) -> Portrait | None:
    """A picture with its bytes; None for one that is gone, archived or changed since. Raises StorageError."""
    try:
        blob = store.get(sitter.key)
    except (NotFound, ObjectArchived):
        return None
    return Portrait(sitter.key, sitter.etag, blob.data) if blob.etag == sitter.etag else None


def _as_completed(
    pool: ThreadPoolExecutor, work: Callable[[Sitter], Proposal | None], sitters: Sequence[Sitter], at_once: int
) -> Iterator[Future[Proposal | None]]:
    """Futures as they end, with no more than so many under way; leaving early starts no more."""
    coming = iter(sitters)
    under_way: set[Future[Proposal | None]] = set()
    try:
        while True:
            while len(under_way) < at_once and (sitter := next(coming, None)) is not None:
                under_way.add(pool.submit(work, sitter))
            if not under_way:
                return
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            yield from ended
    finally:
        for future in under_way:
            future.cancel()


def _patience_error(counts: RunCounts) -> EngineError:
    reason, _ = counts.unanswered.most_common(1)[0]
    return EngineError(
        "The labeler did not answer {} times in a row ({}): {} of {} are "
        "labelled; run again with --resume when it is back.",
        _PATIENCE,
        reason,
        counts.labelled,
        counts.total,
        kind=EngineFault.UNAVAILABLE,
    )
