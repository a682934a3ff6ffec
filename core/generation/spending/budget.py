"""Daily budgets: what is left today, and whether something may be sent."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from core.errors import InputError, StorageError
from core.generation.spending.ledger import Ledger

_MAX_AGE_S = 5.0  # how old the figure on screen may be


@dataclass(frozen=True, slots=True)
class Budget:
    """A daily budget as it stands; `personal` is one person's, else it is everybody's.

    Before it is `counted` nothing is known of what was spent: the press of the button counts, and refuses.
    """

    limit_usd: float
    used_usd: float
    personal: bool
    starts_anew_at: datetime
    counted: bool = True

    @property
    def left_usd(self) -> float:
        """What may still be spent today."""
        return max(0.0, self.limit_usd - self.used_usd)

    def objection(self, cost_usd: float | None, *, now: datetime) -> str | None:
        """Why something that may cost so much is not sent, as a sentence; None when it may be."""
        if cost_usd == 0 or (cost_usd is not None and cost_usd <= self.left_usd + 1e-9):
            return None
        if cost_usd is None:
            return (
                "Nobody can say what this would cost, and under a daily budget nothing unpriced is sent: "
                "choose a model with a known price."
            )
        whose = "Your budget" if self.personal else "Everybody's budget"
        return (
            f"{whose} for today has {dollars_left(self.left_usd)} of ${self.limit_usd:.2f} left and this may cost "
            f"{dollars(cost_usd)}: it starts anew at 00:00 UTC, {in_words(self.starts_anew_at - now)}."
        )


@dataclass(frozen=True, slots=True)
class DailyLimits:
    """What may be spent a day, in US dollars, by everybody together and by one person; None is no limit."""

    daily_usd: float | None = None
    daily_person_usd: float | None = None


class Budgets:
    """The budgets of the studio, checked against the ledger before anything is sent.

    `limits` is asked each time, for admins change them while the dashboard runs; it may raise StorageError.
    """

    def __init__(
        self,
        ledger: Ledger,
        limits: Callable[[], DailyLimits],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._now = now
        self._lock = threading.Lock()

    @property
    def limited(self) -> bool:
        """Whether there is any budget. Raises StorageError."""
        return self._limits() != DailyLimits()

    def count(self) -> None:
        """Begin to count what was spent today, so that the first visitor need not wait for it."""
        with suppress(StorageError):
            self.of("")

    def of(self, person: str) -> Budget | None:
        """The budget that leaves this person less, a few seconds old at most; None without one.

        Until the first count is done it is not `counted`. Raises StorageError if that failed.
        """
        return min(self.today(person), key=lambda budget: budget.left_usd, default=None)

    def today(self, person: str) -> tuple[Budget, ...]:
        """This person's budget and everybody's, where there are such, a few seconds old at most.

        Until the first count is done they are not `counted`. Raises StorageError if that failed.
        """
        if not self.limited:
            return ()
        counted = self._ledger.catch_up_soon(max_age_s=_MAX_AGE_S)
        return tuple(replace(budget, counted=counted) for budget in self._known(person))

    def check(self, person: str, cost_usd: float | None) -> None:
        """Raise InputError unless what may cost so much may be sent; for what is free S3 is not asked."""
        if cost_usd == 0 or not self.limited:
            return
        self._ledger.catch_up()
        budget = min(self._known(person), key=lambda budget: budget.left_usd, default=None)
        if budget is not None and (objection := budget.objection(cost_usd, now=self._now())):
            raise InputError("{}", objection)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One order at a time, so that two cannot both take what is left; without a budget nobody waits."""
        try:
            is_limited = self.limited
        except StorageError:
            is_limited = True
        with self._lock if is_limited else nullcontext():
            yield

    def _known(self, person: str) -> tuple[Budget, ...]:
        now = self._now().astimezone(UTC)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        limits, budgets = self._limits(), []
        if limits.daily_person_usd is not None:
            budgets.append(Budget(limits.daily_person_usd, self._ledger.used_today(person), True, midnight))
        if limits.daily_usd is not None:
            budgets.append(Budget(limits.daily_usd, self._ledger.used_today(), False, midnight))
        return tuple(budgets)


def dollars(usd: float) -> str:
    """A price in dollars and cents; never less than it is."""
    return f"${math.ceil(usd * 100 - 1e-9) / 100:.2f}"


def dollars_left(usd: float) -> str:
    """What is left in dollars and cents; never more than it is."""
    return f"${math.floor(usd * 100 + 1e-9) / 100:.2f}"


def in_words(wait: timedelta) -> str:
    """How far off something is: `in 7 min`."""
    minutes = math.ceil(wait.total_seconds() / 60)
    return f"in {minutes} min" if minutes < 90 else f"in {round(minutes / 60)} h"
