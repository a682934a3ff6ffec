"""Vote rows: what is kept in memory of each vote, withdrawal and skip, and how the month files hold them.

<app>/votes/months/v1/2026-11.jsonl.gz    the rows of a month: a cache of facts, made of the votes alone
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from sys import intern
from typing import Any, Final, NamedTuple

from core.objects.objects import ObjectStore
from core.record_index.listing import RecordListing
from core.record_index.month_file import day_of, month_format
from core.record_index.source import ObjectSource
from core.references.listing.list_page import ListPageSource
from core.votes.records.judgements import SideLetter, Winner
from core.votes.records.votes import Answer, Reason, Vote, VoteRecord, Withdrawal, read_record, winner_of


class Pair(NamedTuple):
    """What is judged: one take of both sides of a comparison."""

    comparison: str
    take: int


class VoteRow(NamedTuple):  # as of the history's rows: a hundred thousand of them are read when a server starts
    """One vote; or a skip, which has its pair and no `answer`; or a withdrawal, which has no pair either.

    `time` is in seconds since 1970; `a` and `b` are the keys of the pictures.
    """

    id: str
    etag: str
    ballot: str
    voter: str
    time: float
    comparison: str = ""
    take: int = 0
    a: str = ""
    etag_a: str = ""
    b: str = ""
    etag_b: str = ""
    left: str = ""
    answer: str = ""
    reasons: tuple[str, ...] = ()
    seconds: float = 0.0
    blind: bool = False
    again: bool = False

    @classmethod
    def of(cls, record: VoteRecord, etag: str) -> VoteRow:
        """The row of a record."""
        time = record.time.timestamp()
        if isinstance(record, Withdrawal):
            return cls(record.id, etag, record.ballot, record.voter, time)
        if not isinstance(record, Vote):
            return cls(record.id, etag, record.ballot, record.voter, time, record.comparison, record.take)
        return cls(
            id=record.id,
            etag=etag,
            ballot=record.ballot,
            voter=record.voter,
            time=time,
            comparison=record.comparison,
            take=record.take,
            a=record.a.key,
            etag_a=record.a.etag,
            b=record.b.key,
            etag_b=record.b.etag,
            left=record.left.value,
            answer=record.answer.value,
            reasons=tuple(reason.value for reason in record.reasons),
            seconds=record.seconds,
            blind=record.blind,
            again=record.again,
        )

    @property
    def is_vote(self) -> bool:
        """Whether it says which picture is better, or that neither is."""
        return bool(self.answer)

    @property
    def is_skip(self) -> bool:
        """Whether its pair was left unjudged."""
        return not self.answer and bool(self.comparison)

    @property
    def pair(self) -> Pair:
        """What it judges, or skips."""
        return Pair(self.comparison, self.take)

    @property
    def winner(self) -> Winner:
        """What the answer means for the sides."""
        return _WINNERS[self.answer, self.left]

    @property
    def moment(self) -> datetime:
        """When it was answered."""
        return datetime.fromtimestamp(self.time, UTC)


_WINNERS: Final = {(answer.value, left.value): winner_of(answer, left) for answer in Answer for left in SideLetter}
_WITHDRAWAL_CELLS: Final = 5
_SKIP_CELLS: Final = 7
_ANSWERS: Final = {answer.value: answer.value for answer in Answer}
_SIDES: Final = {side.value: side.value for side in SideLetter}
_REASONS: Final = {reason.value: reason.value for reason in Reason}


def _cells(row: VoteRow) -> tuple[Any, ...]:
    if row.is_vote:
        return tuple(row)
    return tuple(row)[: _SKIP_CELLS if row.is_skip else _WITHDRAWAL_CELLS]


def _row_in(cells: list[Any]) -> VoteRow:
    """A row of its cells. Raises ValueError, TypeError or KeyError for what is none."""
    record_id, etag, ballot, voter, time, *more = cells
    day_of(record_id), day_of(ballot)
    row = VoteRow(record_id, etag, ballot, intern(voter), float(time))
    if not more:
        return row
    comparison, take, *said = more
    day_of(comparison)
    row = row._replace(comparison=intern(comparison), take=int(take))
    if not said:
        return row
    a, etag_a, b, etag_b, left, answer, reasons, seconds, blind, again = said
    return row._replace(
        a=intern(a),
        etag_a=intern(etag_a),
        b=intern(b),
        etag_b=intern(etag_b),
        left=_SIDES[left],
        answer=_ANSWERS[answer],
        reasons=tuple(_REASONS[reason] for reason in reasons),
        seconds=float(seconds),
        blind=bool(blind),
        again=bool(again),
    )


VOTE_MONTHS: Final = month_format(_cells, _row_in)


def vote_source(
    store: ObjectStore, *, app_prefix: str, list_pages: ListPageSource | None
) -> ObjectSource[VoteRecord, VoteRow]:
    """The votes of a bucket, as the record index reads them."""
    row: Callable[[VoteRecord, str], VoteRow] = VoteRow.of
    return ObjectSource(
        store,
        RecordListing(store, f"{app_prefix}votes/cast/", list_pages, suffix=".json"),
        name="votes",
        months_root=f"{app_prefix}votes/months/v1/",
        month_format=VOTE_MONTHS,
        parse=read_record,
        row=row,
    )
