"""The vote book: which votes stand, by voter and by pair, and what was skipped, kept up with all that becomes known.

Of a voter's votes on one pair the first counts that was not taken back; the mirrored repetition counts for itself.
So the same answer from two tabs or two servers is never counted twice, and all servers count alike.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import NamedTuple

from core.votes.records.vote_rows import Pair, VoteRow


class Place(NamedTuple):
    """Where one vote of a voter has room: a pair, or its repetition."""

    pair: Pair
    again: bool = False


class VoteBook:
    """The standing votes; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # for all below
        self._rows: dict[str, VoteRow] = {}  # what S3 has, by id
        self._waiting: dict[str, VoteRow] = {}  # what it does not have yet
        self._withdrawals: dict[str, set[str]] = defaultdict(set)  # their ids, by ballot
        self._skips: dict[str, set[str]] = defaultdict(set)  # their ids, by voter
        self._cast: dict[tuple[str, Place], set[str]] = defaultdict(set)  # ballots, taken back or not
        self._standing: dict[str, dict[Place, VoteRow]] = defaultdict(dict)  # by voter
        self._votes_on: Counter[Pair] = Counter()  # standing ones, without repetitions
        self.version = 0  # counts changes of what counts

    def note(self, record_id: str, row: VoteRow | None) -> None:
        """S3 holds this under an id, or nothing any more. The record index calls this."""
        with self._lock:
            self._put(self._rows, record_id, row)

    def keep(self, row: VoteRow) -> None:
        """This counts from now on, and S3 is yet to take it."""
        with self._lock:
            self._put(self._waiting, row.id, row)

    def release(self, record_id: str) -> None:
        """S3 has it now, or was before with another answer."""
        with self._lock:
            self._put(self._waiting, record_id, None)

    def vote(self, ballot: str) -> VoteRow | None:
        """The vote on a ballot, taken back or not."""
        return self._row(ballot)

    def skip(self, voter: str, ballot: str) -> VoteRow | None:
        """What a voter has skipped by a ballot, taken back or not."""
        with self._lock:
            return next((row for row in self._skipped(voter) if row.ballot == ballot), None)

    def is_withdrawn(self, row: VoteRow) -> bool:
        """Whether this vote, or this skip, was taken back."""
        with self._lock:
            return self._is_withdrawn(row)

    def of_voter(self, voter: str) -> dict[Place, VoteRow]:
        """A voter's standing votes."""
        with self._lock:
            return dict(self._standing.get(voter, {}))

    def skipped_by(self, voter: str, *, since: float) -> set[Pair]:
        """What a voter has skipped since then (seconds since 1970), and not taken back."""
        with self._lock:
            return {row.pair for row in self._skipped(voter) if row.time >= since and not self._is_withdrawn(row)}

    def waiting_of(self, voter: str) -> int:
        """How many of a voter's votes S3 is yet to take."""
        with self._lock:
            return sum(row.voter == voter and row.is_vote for row in self._waiting.values())

    def votes_on(self) -> Mapping[Pair, int]:
        """How many voters have judged each pair; to be read only."""
        return self._votes_on

    def standing(self) -> list[VoteRow]:
        """Every standing vote, the earliest first."""
        with self._lock:
            rows = [row for places in self._standing.values() for row in places.values()]
        return sorted(rows, key=attrgetter("time"))

    def _row(self, record_id: str) -> VoteRow | None:
        return self._rows.get(record_id) or self._waiting.get(record_id)

    def _put(self, shelf: dict[str, VoteRow], record_id: str, row: VoteRow | None) -> None:
        before = self._row(record_id)
        if row is None:
            shelf.pop(record_id, None)
        else:
            shelf[record_id] = row
        after = self._row(record_id)
        if before == after:
            return
        touched = self._forget(before) | self._learn(after)
        if touched:  # not by a skip, and what takes one back
            self.version += 1
        for voter, place in touched:
            self._settle(voter, place)

    def _skipped(self, voter: str) -> Iterator[VoteRow]:
        return filter(None, map(self._row, self._skips.get(voter, ())))

    def _forget(self, row: VoteRow | None) -> set[tuple[str, Place]]:
        if row is None:
            return set()
        if row.is_skip:
            self._skips[row.voter].discard(row.id)
            return set()
        if not row.is_vote:
            self._withdrawals[row.ballot].discard(row.id)
            return self._touched_by(row.ballot)
        where = _where(row)
        self._cast[where].discard(row.id)
        return {where}

    def _learn(self, row: VoteRow | None) -> set[tuple[str, Place]]:
        if row is None:
            return set()
        if row.is_skip:
            self._skips[row.voter].add(row.id)
            return set()
        if not row.is_vote:
            self._withdrawals[row.ballot].add(row.id)
            return self._touched_by(row.ballot)
        where = _where(row)
        self._cast[where].add(row.id)
        return {where}

    def _touched_by(self, ballot: str) -> set[tuple[str, Place]]:
        vote = self._row(ballot)
        return {_where(vote)} if vote is not None and vote.is_vote else set()

    def _settle(self, voter: str, place: Place) -> None:
        """Find anew which vote counts here."""
        votes = [self._row(ballot) for ballot in self._cast.get((voter, place), ())]
        stand = [vote for vote in votes if vote is not None and not self._is_withdrawn(vote)]
        had, has = place in self._standing[voter], bool(stand)
        if has:
            self._standing[voter][place] = min(stand, key=_age)
        else:
            self._standing[voter].pop(place, None)
        if not place.again and had != has:
            self._votes_on[place.pair] += 1 if has else -1

    def _is_withdrawn(self, row: VoteRow) -> bool:
        """Only who gave a vote takes it back."""
        by = (self._row(each) for each in self._withdrawals.get(row.ballot, ()))
        return any(each is not None and each.voter == row.voter for each in by)


def _where(row: VoteRow) -> tuple[str, Place]:
    return row.voter, Place(row.pair, row.again)


_age = attrgetter("time", "id")
