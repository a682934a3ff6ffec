"""Loans: which portraits lie before which reviewer, and until when, so that two people do not get the same one first.

A loan keeps nobody from deciding. It is one desk's: a tab in which somebody reviews, whatever server it is on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

LENT_S: Final = 300.0  # how long a portrait stays with somebody who does nothing any more
HAND_MAX: Final = 5  # portraits of a desk: the one that is looked at, and those that keys come to before a server hears
DESKS_MAX: Final = 200
_RENEWED_S: Final = 60.0  # a loan that is younger is not written anew
_CLOCKS_APART_S: Final = 60.0  # between servers at most; what ends later than that allows is no loan


class Loan(BaseModel):
    """What one desk has; `until` is told by the clock of the server that wrote it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    desk: str
    reviewer: str
    name: str
    etags: tuple[str, ...]
    until: AwareDatetime


class Loans(BaseModel):
    """Everybody's, at most `DESKS_MAX`; those that have ended leave with the next change."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    loans: Annotated[tuple[Loan, ...], Field(max_length=DESKS_MAX)] = ()

    def standing(self, now: datetime) -> tuple[Loan, ...]:
        """Those that have not ended."""
        latest = now + timedelta(seconds=LENT_S + _CLOCKS_APART_S)
        return tuple(loan for loan in self.loans if now < loan.until <= latest)

    def of_others(self, reviewer: str, now: datetime) -> dict[str, Loan]:
        """What lies before other people, by etag; of one's own desks nobody needs to be told."""
        return {etag: loan for loan in self.standing(now) if loan.reviewer != reviewer for etag in loan.etags}

    def lend(self, desk: str, reviewer: str, name: str, wanted: Sequence[str], now: datetime) -> Self:
        """With the first of the wanted portraits that no other person has at this desk, instead of what it had."""
        taken = self.of_others(reviewer, now)
        etags = tuple(etag for etag in dict.fromkeys(wanted) if etag not in taken)[:HAND_MAX]
        until = now + timedelta(seconds=LENT_S)
        had = next((loan for loan in self.standing(now) if loan.desk == desk and loan.reviewer == reviewer), None)
        if had is not None and had.etags == etags and until - had.until < timedelta(seconds=_RENEWED_S):
            return self
        new = (Loan(desk=desk, reviewer=reviewer, name=name, etags=etags, until=until),) if etags else ()
        return self._with([*self._others(desk, reviewer, now), *new])

    def give_back(self, desk: str, reviewer: str, now: datetime) -> Self:
        """Without what this person has at this desk."""
        kept = self._others(desk, reviewer, now)
        return self if len(kept) == len(self.loans) else self._with(kept)

    def _others(self, desk: str, reviewer: str, now: datetime) -> list[Loan]:
        return [loan for loan in self.standing(now) if (loan.desk, loan.reviewer) != (desk, reviewer)]

    def _with(self, loans: Sequence[Loan]) -> Self:
        newest = sorted(loans, key=lambda loan: loan.until)[-DESKS_MAX:]
        return self.model_copy(update={"loans": tuple(newest)})
