"""Live labels: the published file with everybody's reviews on top, kept up with S3 while the server runs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import structlog

from core.concurrency.periodic import Periodic
from core.errors import StorageError
from core.labels.decisions.review_log import ReviewLog
from core.labels.decisions.reviews import Decisions, reviewed_label
from core.labels.published.label_file import LabelSet, load_published
from core.labels.published.schema import Label

_log = structlog.get_logger(__name__)
_REFRESH_S: Final = 15.0


class LiveLabels:
    """Hands out an immutable set of labels at a time; equal versions are equal labels.

    The file's version alone while nobody has reviewed anything, else with the number of the last save behind it:
    the log is the same on every server, so the version names its labels on every server. `published` is the file
    alone, `trouble` why the last look at S3 failed.
    """

    def __init__(self, file: Path, log: ReviewLog, *, refresh_s: float = _REFRESH_S) -> None:
        self._log = log
        self._file = file
        self._lock = threading.Lock()  # for what `_take_up` sets; never held while S3 is asked
        self._current: tuple[int, LabelSet] | None = None
        self._stamp = _stamp_of(file)
        self._take_up()
        self._looked = False
        self.loop = Periodic(self._look, name="live-labels", every_s=refresh_s)
        self.trouble: StorageError | None = None

    def start(self) -> None:
        """Keep up with S3 in the background from now on."""
        self._log_broken()
        self.loop.start()

    @property
    def current(self) -> LabelSet:
        """The labels as they are known now; S3 is asked only if nobody has ever asked it.

        Never raises: without S3 the last known ones serve, and `trouble` says why.
        """
        if not self._looked:
            self.refresh()
        with self._lock:
            if self._current is None or self._current[0] != self._log.number:
                self._current = self._build()
            return self._current[1]

    def refresh(self) -> None:
        """Look for new reviews, and for another file in the place of the old one; `trouble` says why it failed."""
        try:
            self._look()
        except StorageError as err:
            _log.warning("reviews_not_read", error=err.message)

    def _look(self) -> None:
        """The same, but raises StorageError."""
        stamp = _stamp_of(self._file)
        if stamp != self._stamp:
            with self._lock:
                self._stamp = stamp
                self._take_up()
            self._log_broken()
        try:
            self._log.refresh()
        except StorageError as err:
            self.trouble = err
            raise
        finally:
            self._looked = True
        self.trouble = None

    def _take_up(self) -> None:
        self.published = load_published(self._file)
        self._folded: dict[str, tuple[Decisions, Label | None]] = {}  # by etag, with the decisions they were made of
        self._current = None

    def _log_broken(self) -> None:
        for broken in self.published.broken:
            _log.warning("label_line_left_out", line=broken.line, reason=broken.reason)

    def _build(self) -> tuple[int, LabelSet]:
        number, reviews = self._log.number, self._log.reviews
        folded = {}
        for etag in reviews.etags:
            decisions = reviews.of_picture(etag)
            known = self._folded.get(etag)
            if known is None or known[0] is not decisions:
                known = (decisions, reviewed_label(self.published.of_bytes(etag), decisions))
            folded[etag] = known
        self._folded = folded
        if not number:
            return 0, self.published
        reviewed = [label for _, label in folded.values() if label is not None]
        return number, self.published.under(reviewed, version=f"{self.published.version}+{number}")


def _stamp_of(file: Path) -> tuple[int, int]:
    try:
        about = file.stat()
    except OSError:
        return 0, 0
    return about.st_mtime_ns, about.st_size
