"""The pool: every comparison that can be voted on, kept up with S3, and what of it is young enough to be drawn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from ulid import ULID

from core.concurrency.periodic import Periodic
from core.generation.records.comparison import TAKES_MAX, Comparison
from core.objects.objects import ObjectStore
from core.record_index.index import RecordIndex
from core.references.listing.list_page import ListPageSource
from core.votes.ballots.drawing import Candidate, candidates_in
from core.votes.ballots.pairings import Pairing, PairingSource
from core.votes.records.vote_rows import Pair


class PairingPool:
    """Pairings by comparison; for any number of threads."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        app_prefix: str,
        list_pages: ListPageSource | None,
        comparison: Callable[[str], Comparison],
    ) -> None:
        """`comparison` as in PairingSource."""
        source = PairingSource(store, app_prefix=app_prefix, list_pages=list_pages, comparison=comparison)
        self._index: RecordIndex[Pairing, Pairing] = RecordIndex(store, source, observe=self._note)
        self._lock = threading.Lock()  # for all below
        self._pairings: dict[str, Pairing] = {}
        self._broken: set[tuple[str, str]] = set()  # the etags of both pictures
        self.version = 0  # counts changes
        self._first = ""  # the beginning of the ULID from which on comparisons are in what follows
        self._drawable: dict[Pair, Candidate] = {}
        self._changed: set[str] = set()  # comparisons that are not in it as they are now

    @property
    def loop(self) -> Periodic:
        """The background work."""
        return self._index.loop

    def stop(self) -> None:
        """End the background work."""
        self._index.stop()

    def catch_up(self) -> None:
        """Read everything that S3 holds, now. Raises StorageError."""
        self._index.catch_up()

    def look(self) -> None:
        """Read what has been made in the last hour, now. Raises StorageError."""
        self._index.look()

    @property
    def is_read(self) -> bool:
        """Whether nothing of S3 is left to be read for the first time."""
        coverage = self._index.coverage
        return coverage.is_loaded and not coverage.days_left

    def all(self) -> Mapping[str, Pairing]:
        """Every comparison with pictures on both sides, by id."""
        with self._lock:
            return dict(self._pairings)

    def since(self, moment: datetime) -> Mapping[Pair, Candidate]:
        """The pairs of comparisons that were ordered since then, to the hour; to be read only."""
        hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        first = str(ULID.from_datetime(hour))[:10]
        with self._lock:
            if self._first != first:
                self._first, self._drawable = first, {}
                self._changed = {one for one in self._pairings if one >= first}
            if self._changed:  # others may be reading what was handed out before
                self._drawable = self._with_changes(dict(self._drawable))
                self._changed = set()
            return self._drawable

    def leave_out(self, etag_a: str, etag_b: str) -> None:
        """One of these pictures cannot be shown: the pair is not drawn any more, for as long as this process runs."""
        with self._lock:
            self._broken.add((etag_a, etag_b))
            self._changed |= {pair.comparison for pair, each in self._drawable.items() if self._is_broken(each)}

    def _with_changes(self, pairs: dict[Pair, Candidate]) -> dict[Pair, Candidate]:
        changed = [one for one in self._changed if one >= self._first]
        for one in changed:
            for take in range(1, TAKES_MAX + 1):
                pairs.pop(Pair(one, take), None)
        found = candidates_in(self._pairings[one] for one in changed if one in self._pairings)
        pairs.update((each.pair, each) for each in found if not self._is_broken(each))
        return pairs

    def _is_broken(self, candidate: Candidate) -> bool:
        return candidate.pictures.etags in self._broken

    def _note(self, comparison_id: str, pairing: Pairing | None) -> None:
        with self._lock:
            self.version += 1
            self._changed.add(comparison_id)
            if pairing is None:
                self._pairings.pop(comparison_id, None)
            else:
                self._pairings[comparison_id] = pairing


def days_ago(days: int) -> datetime:
    """So many days before now."""
    return datetime.now(UTC) - timedelta(days=days)
