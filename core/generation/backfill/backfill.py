"""The backfill: takes older records into the history, each pointing to the S3 keys that it means.

A record is written only when every reference it names has exactly one key; then its id follows from its
`created_at` and `id`, and the write carries a condition. So a backfill can be killed at any moment and run
again, and the second run finds what the first one wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Final

from ulid import ULID

from core.errors import InputError, NotFound, WriteConflict
from core.generation.backfill.legacy_paths import KeyFinder, Pointing
from core.generation.backfill.legacy_records import LegacyRecord, Line
from core.generation.records.comparison import DEFAULT_SIZE, Comparison, Legacy, Origin, SideRecord
from core.generation.records.history import History
from core.injection.reading.reader import Reading
from core.injection.request.prompt import Section
from core.injection.request.slots import Slot
from core.injection.request.wishes import Mode, SideName, Wishes
from core.objects.objects import ObjectStore
from core.references.index import ReferenceIndex
from core.references.vocabulary import Role

ENGINE: Final = "legacy"
_AT_ONCE: Final = 256
WORKERS: Final = 8


class ImportState(StrEnum):
    """What becomes of a record. It has one; the first of these that is true of it.

    ALREADY: S3 holds it from an earlier run, or the file has it twice. INVALID: it cannot be read, or
    another line with its id says something else. MISSING: a reference it names has no key. AMBIGUOUS: one
    has several. LINKED: every reference it names has one key; it is written, or would be.
    """

    ALREADY = "already"
    INVALID = "invalid"
    MISSING = "missing"
    AMBIGUOUS = "ambiguous"
    LINKED = "linked"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What becomes of a record, and why. `comparison` is the id it has, or would have, in the history."""

    line: int
    state: ImportState
    id: str | None = None
    comparison: str | None = None
    reason: str = ""
    references: tuple[tuple[Role, Pointing], ...] = ()
    output: Pointing | None = None


class Backfill:
    """Judges legacy records by an index and a history, and writes those that are linked when told to."""

    def __init__(self, history: History, store: ObjectStore, index: ReferenceIndex, *, library_prefix: str) -> None:
        self._history = history
        self._store = store
        self._index = index
        keys = (reference.key for reference in index.references)
        self._finder = KeyFinder(keys, library_prefix=library_prefix, bucket=store.bucket)
        self._there: dict[str, frozenset[str]] = {}  # by day: the ids that S3 holds
        self._seen: dict[str, Line] = {}

    def run(self, lines: Iterable[Line], *, apply: bool) -> Iterator[ImportResult]:
        """Judge every line, in order; with `apply` the linked ones are in S3 when their result comes.

        Raises StorageDenied or StorageUnavailable; what was written until then stays, and is found again.
        """
        rest = iter(lines)
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="backfill") as pool:
            while chunk := list(islice(rest, _AT_ONCE)):
                results = [self._match(line) for line in chunk]
                if apply:
                    yield from pool.map(self._write, results, chunk)
                else:
                    yield from results

    def _match(self, line: Line) -> ImportResult:
        record = line.record
        if record is None:
            return ImportResult(line.number, ImportState.INVALID, line.id, reason=line.problem)
        comparison_id = id_of(record)
        result = ImportResult(line.number, ImportState.LINKED, record.id, comparison_id)
        first = self._seen.setdefault(comparison_id, line)
        if first is not line:
            if first.record == record:
                return replace(result, state=ImportState.ALREADY, reason=f"It is the same as line {first.number}.")
            reason = f"Line {first.number} has the same id and time and says something else."
            return replace(result, state=ImportState.INVALID, reason=reason)
        if self._is_there(comparison_id):
            return replace(result, state=ImportState.ALREADY, reason="S3 holds it from an earlier run.")
        references = tuple((role, self._finder.find(text)) for role, text in record.references)
        output = self._finder.find(record.output) if record.output else None
        return replace(result, state=_state_of(references), references=references, output=output)

    def _is_there(self, comparison_id: str) -> bool:
        folder = self._history.folder_of(comparison_id)
        day = folder.removesuffix(f"{comparison_id}/")
        if day not in self._there:
            keys = (row.key for row in self._store.list(day))
            self._there[day] = frozenset(key.split("/")[-2] for key in keys if key.endswith("/comparison.json"))
        return comparison_id in self._there[day]

    def _write(self, result: ImportResult, line: Line) -> ImportResult:
        if result.state is not ImportState.LINKED or line.record is None:
            return result
        output = self._output_of(line.record, result.output)
        try:
            self._history.add(self._comparison(line.record, result, output))
        except WriteConflict:
            return replace(result, state=ImportState.ALREADY, reason="Another run has just written it.")
        return replace(result, output=output)

    def _output_of(self, record: LegacyRecord, found: Pointing | None) -> Pointing | None:
        """Its picture: of the library, or under exactly this key elsewhere in the bucket."""
        if found is None or found.candidates or not _may_be_a_key(record.output):
            return found
        for key in self._finder.readings(record.output):
            try:
                return replace(found, candidates=(self._store.head(key).key,))
            except (NotFound, InputError):  # what no key can be is in no bucket
                continue
        return found

    def _comparison(self, record: LegacyRecord, result: ImportResult, output: Pointing | None) -> Comparison:
        slots = tuple(self._slot(role, pointing, record) for role, pointing in result.references)
        named = {slot.role for slot in slots}
        wanted = (Role.TONE, Role.ANGLE) if record.mode is Mode.TONE_ANGLE else (Role.TONE,)
        why = record.injection_reason or "The imported record names none."
        slots = (*(Slot.empty(role, why) for role in wanted if role not in named), *slots)
        side = SideName.TONE_ANGLE if record.mode is Mode.TONE_ANGLE else SideName.TONE_ONLY
        sections = (Section("Subject", record.prompt, typed=True),)
        shown = self._index.get(output.key) if output is not None and output.key is not None else None
        return Comparison(
            id=id_of(record),
            created_at=record.created_at,
            person=record.user_email,
            mode=record.mode,
            wishes=Wishes(prompt=record.prompt, mode=record.mode, balanced=False),
            reading=Reading(ENGINE, False, None, None, None, None, None, ()),
            tone=self._tag(result, Role.TONE),
            angle=self._tag(result, Role.ANGLE),
            engine=ENGINE,
            model=ENGINE,
            size=DEFAULT_SIZE,
            quality="",
            seed=0,
            controlled=None,
            sides=(SideRecord(side=side, slots=slots, sections=sections, prompt=record.prompt),),
            index_built_at=self._index.built_at,
            labels_version="",
            origin=Origin.BACKFILL,
            legacy=Legacy(
                id=record.id,
                output=output.key if output is not None else None,
                output_etag=shown.etag if shown is not None else None,
            ),
        )

    def _slot(self, role: Role, pointing: Pointing, record: LegacyRecord) -> Slot:
        reference = self._index.get(pointing.key or "")
        return Slot(
            id=role.value if role is not Role.MODEL or reference is None else f"model:{_group_path(reference.key)}",
            role=role,
            key=pointing.key,
            etag=reference.etag if reference else None,
            group=reference.group if reference else None,
            folder=reference.folder if reference else None,
            wished=None,
            wished_from=None,
            why=record.injection_reason or f"The imported record names “{pointing.text}”.",
            steps=(),
        )

    def _tag(self, result: ImportResult, role: Role) -> str | None:
        """The tag that the group of a role's reference carries today."""
        for named, pointing in result.references:
            reference = self._index.get(pointing.key or "")
            if named is role and reference is not None:
                return reference.tone if role is Role.TONE else reference.angle
        return None


def id_of(record: LegacyRecord) -> str:
    """The id a record has in the history: its time, and a digest of time and id in place of chance."""
    moment = ULID.from_datetime(record.created_at)
    digest = hashlib.sha256(f"{record.created_at.isoformat()}\n{record.id}".encode()).digest()
    return str(ULID.from_bytes(moment.bytes[:6] + digest[:10]))


def _state_of(references: Iterable[tuple[Role, Pointing]]) -> ImportState:
    found = [len(pointing.candidates) for _, pointing in references]
    if 0 in found:
        return ImportState.MISSING
    return ImportState.AMBIGUOUS if any(count > 1 for count in found) else ImportState.LINKED


def _may_be_a_key(text: str) -> bool:
    """Whether a text names a place in a bucket rather than on somebody's disk."""
    return "/" in text and not text.startswith(("/", "file:", "\\\\")) and text[1:2] != ":"


def _group_path(key: str) -> str:
    return key.rsplit("/", 1)[0]
