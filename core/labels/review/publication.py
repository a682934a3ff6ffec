"""Publication: folds reviews into `labels/personas.jsonl`, and tells servers that run an older file.

<app>/labels/publication.json   the newest file that was published, whole, with its version; replaced under
                                the condition that nobody has published since
"""

from __future__ import annotations

import difflib
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import LabelError, NotFound, StorageError
from core.labels.published.schema import Label, line_of, parse_label
from core.labels.review.review_log import ReviewLog
from core.labels.review.reviews import Reviews, deciding, reviewed_label
from core.objects import ObjectStore
from core.references.index import ReferenceIndex
from core.viewer import Capability, Viewer

_REMEMBERED: Final = 200
_FRESH_S: Final = 30.0


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
class FileVersion:
    """The file a server runs: its content's hash, when it was put there, and how many labels it has."""

    version: str
    time: datetime | None
    labels: int


@dataclass(frozen=True, slots=True)
class Draft:
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
        before, after = ([f"{line}\n" for line in _lines(data)] for data in (self.before, self.after))
        return "".join(difflib.unified_diff(before, after, "personas.jsonl", "personas.jsonl (new)", n=0))


@dataclass(frozen=True, slots=True)
class Published:
    """How a publication ended: written into `file`, or pending in S3 because this server cannot write it."""

    publication: Publication
    file: Path | None


class Publisher:
    """Drafts and publishes the label file at `file`; `replace` puts new bytes into the place of a file in one step."""

    def __init__(
        self, file: Path, store: ObjectStore, log: ReviewLog, replace: Callable[[Path, bytes], None], *, app_prefix: str
    ) -> None:
        self._replace = replace
        self._file = file
        self._store = store
        self._log = log
        self._key = f"{app_prefix}labels/publication.json"
        self._looked: tuple[float, Publication | None] | None = None

    def draft(self, index: ReferenceIndex) -> Draft:
        """Fold every review into the file. Raises LabelError for a file with broken lines, StorageError."""
        self._log.refresh()
        before = self._on_disk()
        return folded_in(before, self._log.reviews, index, number=self._log.number)

    def publish(self, draft: Draft, viewer: Viewer) -> Published:
        """Write the file, in one step that a crash cannot halve, and tell S3; without a writable file only S3.

        Raises AccessDenied, LabelError when the file is not the drafted one any more, WriteConflict when somebody
        else published in between, StorageError.
        """
        viewer.require(Capability.REVIEW)
        check_lines(draft.after)
        if self._on_disk() not in (draft.before, draft.after):
            raise LabelError("labels/personas.jsonl has changed since the draft was made: look at the new diff first.")
        publication = self._told(draft, viewer.email)
        try:
            self._replace(self._file, draft.after)
        except OSError:  # a read-only file system, somebody else's file: the publication waits in S3
            return Published(publication, None)
        return Published(publication, self._file)

    def newest(self) -> Publication | None:
        """The newest publication S3 knows; None for none. Raises StorageError."""
        found = self._newest()
        return found[0] if found else None

    def running(self) -> FileVersion:
        """The file this server runs."""
        if not self._file.is_file():
            return FileVersion("none", None, 0)
        data = self._file.read_bytes()
        time = datetime.fromtimestamp(self._file.stat().st_mtime, UTC)
        return FileVersion(version_of(data), time, sum(bool(line.strip()) for line in data.split(b"\n")))

    def newer(self, running: str) -> Publication | None:
        """What has been published that a server with this version does not run yet; None if it is up to date.

        A version that S3 has never heard of is newer than what it knows: it came with a newer installation.
        """
        return _newer_than(running, self.newest())

    def newer_soon(self, running: str) -> Publication | None:
        """What `newer` says, at most half a minute old. Raises StorageError."""
        now = time.monotonic()
        if self._looked is None or now - self._looked[0] > _FRESH_S:
            self._looked = (now, self.newest())
        return _newer_than(running, self._looked[1])

    def _on_disk(self) -> bytes:
        """The file as it lies there; empty where there is none. Raises LabelError if it cannot be read."""
        try:
            return self._file.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as err:
            raise LabelError(f"labels/personas.jsonl cannot be read: {err.strerror}. Mend it, then publish.") from err

    def _told(self, draft: Draft, person: str) -> Publication:
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
            raise StorageError(f"`{self._key}` cannot be read: remove it and publish again.") from err


def _newer_than(running: str, newest: Publication | None) -> Publication | None:
    return newest if newest is not None and running in newest.earlier else None


def version_of(data: bytes) -> str:
    """The version of a label file: what `load_published` calls it."""
    return hashlib.sha256(data).hexdigest()[:12]


def check_lines(data: bytes) -> dict[str, Label]:
    """The labels of a file by key. Raises LabelError with the number of the first line that is wrong."""
    labels: dict[str, Label] = {}
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            label = parse_label(line.decode())
        except (UnicodeDecodeError, LabelError) as err:
            reason = err.message if isinstance(err, LabelError) else "it is not UTF-8."
            raise LabelError(f"labels/personas.jsonl, line {number}: {reason} Mend it, then publish.") from err
        if label.key in labels:
            raise LabelError(f"labels/personas.jsonl, line {number}: {label.key} has a label already. Remove one.")
        labels[label.key] = label
    return labels


def folded_in(before: bytes, reviews: Reviews, index: ReferenceIndex, *, number: int) -> Draft:
    """The file with reviews in it: sorted by key, lines that say nothing new byte for byte as they were."""
    labels = check_lines(before)
    raw = {parse_label(line.decode()).key: line for line in before.split(b"\n") if line.strip()}
    keys_of = _keys_of(index, reviews)
    lines_of: dict[str, list[Label]] = {}
    for label in labels.values():
        lines_of.setdefault(label.etag, []).append(label)
    new: dict[str, Label] = {}
    left_out: list[str] = []
    for etag in reviews.etags:
        decisions = reviews.of_picture(etag)
        for label in lines_of.get(etag, ()):
            _note(new, reviewed_label(label, decisions), label)
        made = deciding(decisions)
        if made and etag not in lines_of:
            keys = keys_of.get(etag, ())
            if not keys:
                left_out.append(made[-1].event.key)
                continue
            folded = reviewed_label(None, decisions)
            key = made[-1].event.key if made[-1].event.key in keys else keys[0]
            _note(new, folded and folded.model_copy(update={"key": key}), None)
    changed = sum(key in labels for key in new)
    lines = {**raw, **{key: line_of(label).encode() for key, label in new.items()}}
    after = b"".join(line + b"\n" for _, line in sorted(lines.items(), key=lambda row: row[0].encode()))
    after = before if not new and _is_sorted(raw) else after
    return Draft(before, after, number, len(new) - changed, changed, tuple(sorted(left_out)))


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


def _lines(data: bytes) -> list[str]:
    """JSON lines end with a line feed; other separators may stand inside a text."""
    return [line for line in data.decode().split("\n") if line.strip()]


def _is_sorted(raw: Mapping[str, bytes]) -> bool:
    return list(raw) == sorted(raw, key=str.encode)
