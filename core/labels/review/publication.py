"""Publication: folds reviews into `labels/personas.jsonl`, and tells servers that run an older file.

<app>/labels/publication.json   the newest file that was published, whole, with its version; replaced under
                                the condition that nobody has published since
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import LabelError, NotFound, StorageError
from core.labels.published.label_file import LabelFile, numbered_lines, parse_whole, version_of
from core.labels.published.schema import Label, line_of
from core.labels.review.review_log import ReviewLog
from core.labels.review.reviews import Reviews, reviewed_label
from core.objects import ObjectStore
from core.references.index import ReferenceIndex
from core.viewer import Capability, Viewer

_REMEMBERED: Final = 200


class Publication(BaseModel):
    """A published file as S3 knows it. `earlier` are the versions it took the place of, the newest first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    time: datetime
    person: str
    reviews: int
    earlier: tuple[str, ...] = ()
    text: str


@dataclass(frozen=True, slots=True)
class PublicationDraft:
    """A file that could be published. `left_out` are reviewed pictures that are not in the library any more."""

    before: bytes
    after: bytes
    reviews: int
    added: int
    changed: int
    left_out: tuple[str, ...]

    @property
    def version(self) -> str:
        """What the new file's version will be."""
        return version_of(self.after)

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing new."""
        return self.before == self.after

    @property
    def diff(self) -> str:
        """What changes, as a unified diff."""
        before, after = map(_text_lines, (self.before, self.after))
        return "".join(difflib.unified_diff(before, after, "personas.jsonl", "personas.jsonl (new)", n=0))


@dataclass(frozen=True, slots=True)
class PublishResult:
    """How a publication ended: written into `file`, or pending in S3 because this server cannot write it."""

    publication: Publication
    file: Path | None


class Publisher:
    """Drafts and publishes the label file."""

    def __init__(self, file: LabelFile, store: ObjectStore, log: ReviewLog, *, app_prefix: str) -> None:
        self._file = file
        self._store = store
        self._log = log
        self._key = f"{app_prefix}labels/publication.json"
        self._looked: tuple[float, Publication | None] | None = None

    def draft(self, index: ReferenceIndex) -> PublicationDraft:
        """Fold every review into the file. Raises LabelError for a file with broken lines, StorageError."""
        self._log.refresh()
        return fold_in(self._file.read(), self._log.reviews, index, number=self._log.number)

    def publish(self, draft: PublicationDraft, viewer: Viewer) -> PublishResult:
        """Write the file, in one step that a crash cannot halve, and tell S3; without a writable file only S3.

        Raises AccessDenied, LabelError when the file is not the drafted one any more, WriteConflict when somebody
        else published in between, StorageError.
        """
        viewer.require(Capability.REVIEW)
        parse_whole(draft.after)
        if self._file.read() not in (draft.before, draft.after):
            raise LabelError("labels/personas.jsonl has changed since the draft was made: look at the new diff first.")
        publication = self._announce(draft, viewer.email)
        return PublishResult(publication, self._file.path if self._file.write(draft.after) else None)

    def newest(self) -> Publication | None:
        """The newest publication S3 knows; None for none. Raises StorageError."""
        found = self._newest()
        return found[0] if found else None

    def newer(self, running: str, *, max_age_s: float = 0.0) -> Publication | None:
        """What has been published that a server with this version does not run yet; None if it is up to date.

        A version that S3 has never heard of is newer than what it knows: it came with a newer installation.
        S3 is asked unless it was asked within `max_age_s`. Raises StorageError.
        """
        now = time.monotonic()
        if self._looked is None or now - self._looked[0] >= max_age_s:
            self._looked = (now, self.newest())
        newest = self._looked[1]
        return newest if newest is not None and running in newest.earlier else None

    def _announce(self, draft: PublicationDraft, person: str) -> Publication:
        found = self._newest()
        before = version_of(draft.before)
        earlier = (before, *((found[0].version, *found[0].earlier) if found else ()))
        publication = Publication(
            version=draft.version,
            time=datetime.now(UTC),
            person=person,
            reviews=draft.reviews,
            earlier=tuple(each for each in dict.fromkeys(earlier) if each != draft.version)[:_REMEMBERED],
            text=draft.after.decode(),
        )
        self._store.put(
            self._key,
            publication.model_dump_json().encode(),
            content_type="application/json",
            create_only=found is None,
            if_match=found[1] if found else None,
        )
        return publication

    def _newest(self) -> tuple[Publication, str] | None:
        try:
            blob = self._store.get(self._key)
        except NotFound:
            return None
        try:
            return Publication.model_validate_json(blob.data), blob.etag
        except ValidationError as err:
            raise StorageError("`{}` cannot be read: remove it and publish again.", self._key) from err


def _text_lines(data: bytes) -> list[str]:
    return [f"{line.decode()}\n" for _, line in numbered_lines(data)]


def fold_in(before: bytes, reviews: Reviews, index: ReferenceIndex, *, number: int) -> PublicationDraft:
    """The file with reviews in it: sorted by key, lines that say nothing new byte for byte as they were."""
    parsed = parse_whole(before)
    keys_of = _keys_of(index, reviews)
    labels_of: dict[str, list[Label]] = {}
    for label in parsed.labels.values():
        labels_of.setdefault(label.etag, []).append(label)
    new: dict[str, Label] = {}
    left_out: list[str] = []
    for etag in reviews.etags:
        decisions = reviews.of_picture(etag)
        for label in labels_of.get(etag, ()):
            _note(new, reviewed_label(label, decisions), label)
        made = decisions.deciding
        if made and etag not in labels_of:
            keys = keys_of.get(etag, ())
            if not keys:
                left_out.append(made[-1].event.key)
                continue
            folded = reviewed_label(None, decisions)
            key = made[-1].event.key if made[-1].event.key in keys else keys[0]
            _note(new, folded and folded.model_copy(update={"key": key}), None)
    changed = sum(key in parsed.labels for key in new)
    lines = {**parsed.lines, **{key: line_of(label).encode() for key, label in new.items()}}
    after = b"".join(line + b"\n" for _, line in sorted(lines.items(), key=lambda row: row[0].encode()))
    after = before if not new and _is_sorted(parsed.lines) else after
    return PublicationDraft(before, after, number, len(new) - changed, changed, tuple(sorted(left_out)))


def _note(new: dict[str, Label], label: Label | None, before: Label | None) -> None:
    if label is not None and label != before:
        new[label.key] = label


def _keys_of(index: ReferenceIndex, reviews: Reviews) -> Mapping[str, Sequence[str]]:
    """Where the reviewed bytes lie now."""
    wanted = set(reviews.etags)
    found: dict[str, list[str]] = {}
    for ref in index.references:
        if ref.etag in wanted:
            found.setdefault(ref.etag, []).append(ref.key)
    return found


def _is_sorted(lines: Mapping[str, bytes]) -> bool:
    return list(lines) == sorted(lines, key=str.encode)
