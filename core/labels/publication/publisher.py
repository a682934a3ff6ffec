"""Publication: folds reviews into `labels/personas.jsonl`, and tells servers that run an older file.

<app>/labels/publication.json   the newest file that was published, whole, with its version; replaced under
                                the condition that nobody has published since
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import LabelError, NotFound, StorageError
from core.labels.decisions.review_log import ReviewLog
from core.labels.decisions.second_looks import Publishing
from core.labels.publication.draft import EVERYTHING, PublicationDraft, Selection, fold_in, says_still
from core.labels.publication.message import message_of
from core.labels.published.label_file import LabelFile, parse_whole, version_of
from core.objects.objects import ObjectStore
from core.references.index import ReferenceIndex
from core.references.key import file_name
from core.viewer import Capability, Viewer

_REMEMBERED: Final = 200


class Publication(BaseModel):
    """A published file as S3 knows it. `earlier` are the versions it took the place of, the newest first.

    `message` says what is in it and by whom, for whoever commits the file.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    time: datetime
    person: str
    reviews: int
    message: str = ""
    earlier: tuple[str, ...] = ()
    text: str


@dataclass(frozen=True, slots=True)
class PublishResult:
    """How a publication ended: written into `file`, or pending in S3 because this server cannot write it.

    `later` saves came in since what was published had been shown, and wait for the next publication.
    """

    publication: Publication
    file: Path | None
    later: int = 0


class OutdatedDraft(LabelError):
    """What a draft was made of has changed since it was shown: nothing was written, and a new one says what."""


class Publisher:
    """Drafts and publishes the label file."""

    def __init__(self, file: LabelFile, store: ObjectStore, log: ReviewLog, *, app_prefix: str) -> None:
        self._file = file
        self._store = store
        self._log = log
        self._key = f"{app_prefix}labels/publication.json"
        self._looked: tuple[float, Publication | None] | None = None

    def draft(self, index: ReferenceIndex, selection: Selection = EVERYTHING) -> PublicationDraft:
        """Fold the reviews into the file. Raises LabelError for a file with broken lines, StorageError."""
        self._log.refresh()
        found = self._newest()
        number = self._log.number  # before the reviews: what is saved from here on is met again when it is published
        before, reviews = self._file.read(), self._log.reviews
        return fold_in(
            before, reviews, index, number=number, selection=selection, announced=found[1] if found else None
        )

    def publish(self, draft: PublicationDraft, viewer: Viewer) -> PublishResult:
        """Write the file, in one step that a crash cannot halve, and tell S3; without a writable file only S3.

        What is written is exactly what the draft shows: reviews that came later wait for the next publication. Raises
        AccessDenied, OutdatedDraft when the file, a review in the draft or the newest publication is not what it was
        made of any more, WriteConflict when somebody else publishes at this moment, LabelError, StorageError.
        """
        viewer.require(Capability.REVIEW)
        parse_whole(draft.after)
        found = self._newest()
        before = self._check(draft, found)
        publication = self._announce(draft, viewer.email, found)
        is_written = self._file.write(draft.after, instead_of=before)
        later = self._log.number - draft.number
        return PublishResult(publication, self._file.path if is_written else None, later)

    def newest(self) -> Publication | None:
        """The newest publication S3 knows; None for none. Raises StorageError."""
        found = self._newest()
        return found[0] if found else None

    def last_publishing(self) -> Publishing | None:
        """When the newest file was published, and up to which save; None for never. Raises StorageError."""
        newest = self.newest()
        return Publishing(newest.time, newest.reviews, len(newest.earlier) <= 1) if newest else None

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

    def _check(self, draft: PublicationDraft, found: tuple[Publication, str] | None) -> bytes:
        """What is in the file. Raises OutdatedDraft unless it, S3's publication and the reviews are as they were."""
        before = self._file.read()
        if before not in (draft.before, draft.after):
            raise OutdatedDraft("labels/personas.jsonl has changed since this was shown: look at what is different.")
        if found is not None and found[1] != draft.announced:
            raise OutdatedDraft(
                "{} has published version {} since this was shown: look at what is different.",
                found[0].person,
                found[0].version,
            )
        self._log.refresh()
        touched = self._log.touched_since(draft.number)
        for update in draft.updates:
            if update.etag in touched and not says_still(update, self._log.reviews, draft.selection):
                raise OutdatedDraft(
                    "{} was reviewed again since this was shown: look at what is different.", file_name(update.key)
                )
        return before

    def _announce(self, draft: PublicationDraft, person: str, found: tuple[Publication, str] | None) -> Publication:
        before = version_of(draft.before)
        earlier = (before, *((found[0].version, *found[0].earlier) if found else ()))
        publication = Publication(
            version=draft.version,
            time=datetime.now(UTC),
            person=person,
            reviews=draft.number,
            message=message_of(draft),
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
