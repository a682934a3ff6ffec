"""Proposals: what machines say about portraits, one object an answer, as soon as it is there.

    <app>/labels/proposed/<labeler>/<etag>.json   the truth; written once, never changed
    <app>/labels/packs/v1/<labeler>.jsonl.gz      all of a labeler's proposals in one object: a cache of facts

A pack may lack what came after it, never hold what is not there; who finds it behind writes it anew.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

import structlog
from pydantic import ValidationError

from core.concurrency.periodic import Periodic
from core.errors import NotFound, WriteConflict
from core.labels.machine.labeler import LabelerSpec, Proposal
from core.labels.published.schema import LabelSource
from core.objects.derived import DerivedFormat
from core.objects.objects import ObjectStore
from core.unicode import read_text

_log = structlog.get_logger(__name__)
_WORKERS: Final = 16
_LOOK_EVERY_S: Final = 60.0
# Whose word counts for more where several machines speak: the one that reads the whole picture.
_WEIGHT: Final = {LabelSource.OPENAI: 2, LabelSource.LOCAL: 1}


class Proposals:
    """Writes proposals and reads all of them; `shipped` are proposals that come with the installation.

    Every method that reads or writes S3 raises StorageDenied or StorageUnavailable.
    """

    def __init__(self, store: ObjectStore, *, app_prefix: str, shipped: Iterable[Proposal] = ()) -> None:
        self._store = store
        self._root = f"{app_prefix}labels/proposed/"
        self._packs = f"{app_prefix}labels/packs/v1/"
        self._shipped = tuple(shipped)
        self._lock = threading.Lock()  # for what is known, and never held while S3 is asked
        self._known: dict[str, dict[str, Proposal]] = {}  # by the labeler's slug, then by the picture's etag
        self._pack_etags: dict[str, str] = {}  # by slug
        self._packed: dict[str, int] = {}  # how many a pack holds, by slug
        self._by_etag: dict[str, tuple[Proposal, ...]] | None = None
        self._loaded = False
        self._version = 0
        self.loop = Periodic(self.catch_up, name="proposals", every_s=_LOOK_EVERY_S)

    @property
    def version(self) -> int:
        """Grows whenever something becomes known."""
        return self._version

    def has(self, spec: LabelerSpec) -> set[str]:
        """The etags this labeler has answered for, by S3's own listing: those are not asked for again."""
        prefix = f"{self._root}{spec.slug}/"
        return {_etag_in(row.key.removeprefix(prefix)) for row in self._store.list(prefix)}

    def add(self, spec: LabelerSpec, proposal: Proposal) -> Proposal:
        """Put a proposal into S3; where another run was first, theirs stands and is returned."""
        key = self._key_of(spec.slug, proposal.label.etag)
        try:
            self._store.put(
                key,
                proposal.model_dump_json(exclude_none=True).encode(),
                content_type="application/json",
                create_only=True,
            )
        except WriteConflict as lost:
            with suppress(ValidationError):
                proposal = Proposal.model_validate_json(lost.theirs or b"")
        self._learn(spec.slug, [proposal])
        return proposal

    def by_etag(self) -> Mapping[str, tuple[Proposal, ...]]:
        """All that is known by now, the weightiest and newest first; `load` or `catch_up` bring more."""
        with self._lock:
            if self._by_etag is None:
                gathered: dict[str, list[Proposal]] = {}
                for proposal in (*self._shipped, *(each for known in self._known.values() for each in known.values())):
                    gathered.setdefault(proposal.label.etag, []).append(proposal)
                self._by_etag = {etag: tuple(sorted(rows, key=_weight)) for etag, rows in gathered.items()}
            return self._by_etag

    def load(self) -> None:
        """Take up the packs, once: a few requests, however many proposals there are."""
        if self._loaded:
            return
        packs = [row for row in self._store.list(self._packs) if row.key.endswith(".jsonl.gz")]
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="packs") as pool:
            read = pool.map(lambda row: _PACK.read(self._store, row.key), packs)
            for row, (etag, proposals) in zip(packs, read, strict=True):
                slug = row.key.removeprefix(self._packs).removesuffix(".jsonl.gz")
                self._pack_etags[slug] = etag
                self._packed[slug] = len(proposals or ())  # a broken one is written anew
                self._learn(slug, proposals or ())
        self._loaded = True

    def catch_up(self) -> None:
        """Compare with S3's own listing, read what is new, and write the packs that lack something."""
        self.load()
        for slug in self._store.folders(self._root):
            prefix = f"{self._root}{slug}/"
            with self._lock:
                known = set(self._known.get(slug, ()))
            new = [row.key for row in self._store.list(prefix) if _etag_in(row.key.removeprefix(prefix)) not in known]
            with ThreadPoolExecutor(_WORKERS, thread_name_prefix="proposals") as pool:
                self._learn(slug, [proposal for proposal in pool.map(self._read, new) if proposal is not None])
            if len(self._known.get(slug, ())) > self._packed.get(slug, 0):
                self._pack(slug)

    def _learn(self, slug: str, proposals: Iterable[Proposal]) -> None:
        with self._lock:
            known = self._known.setdefault(slug, {})
            before = len(known)
            for proposal in proposals:
                known.setdefault(proposal.label.etag, proposal)
            if len(known) != before:
                self._by_etag = None
                self._version += 1

    def _read(self, key: str) -> Proposal | None:
        self.loop.beat()
        try:
            return Proposal.model_validate_json(self._store.get(key).data)
        except NotFound:
            return None
        except ValidationError:
            _log.warning("proposal_unreadable", key=key)
            return None

    def _pack(self, slug: str) -> None:
        with self._lock:
            proposals = sorted(self._known[slug].values(), key=lambda each: each.label.etag)
        try:
            etag = _PACK.write(
                self._store, f"{self._packs}{slug}.jsonl.gz", proposals, replacing=self._pack_etags.get(slug)
            )
        except WriteConflict:  # another server's pack: it is taken up in the next round
            self._loaded = False
            return
        if etag is not None:
            self._pack_etags[slug] = etag
            self._packed[slug] = len(proposals)

    def _key_of(self, slug: str, etag: str) -> str:
        return f"{self._root}{slug}/{quote(etag, safe='')}.json"


def proposals_in(text: str) -> list[Proposal]:
    """Proposals from JSON lines. Raises ValidationError."""
    return [Proposal.model_validate_json(line) for line in text.split("\n") if line]


def _dump(proposals: Iterable[Proposal]) -> bytes:
    return "".join(f"{each.model_dump_json(exclude_none=True)}\n" for each in proposals).encode()


_PACK: Final = DerivedFormat(_dump, lambda data: proposals_in(data.decode()), "pack_unreadable", "pack_not_written")


def load_shipped(file: Path) -> list[Proposal]:
    """The proposals that come with the sample library; none where the file is not there."""
    return proposals_in(read_text(file)) if file.is_file() else []


def _weight(proposal: Proposal) -> tuple[bool, int, float, str]:
    """The order of proposals about one picture: those that say something, the weightier machine, the newest."""
    label = proposal.label
    time = label.time.timestamp() if label.time else 0.0
    says_nothing = label.ages is None and label.gender_presentation is None
    return says_nothing, -_WEIGHT.get(label.source, 0), -time, label.model or ""


def _etag_in(name: str) -> str:
    return unquote(name.removesuffix(".json"))
