"""Spending limits: the studio's daily budgets as S3 has them, at most a minute old, and changed by admins only."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final

import structlog
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InputError
from core.generation.spending.budget import DailyLimits
from core.objects.documents import Version, settings_document
from core.objects.objects import ObjectStore
from core.settings import Settings
from core.viewer import Capability, Viewer

_Usd = Annotated[float | None, Field(ge=0, allow_inf_nan=False)]
_USD_MAX: Final = 1_000_000.0
_log = structlog.get_logger(__name__)


class LimitChange(BaseModel):
    """One line of the trail. `whose` is "everybody" or "a person"; None is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime
    by: str
    whose: str
    before: _Usd
    after: _Usd


class LimitSheet(BaseModel):
    """The budgets of a day in US dollars, None for no limit, with the trail of who changed them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    daily_usd: _Usd = None
    daily_person_usd: _Usd = None
    changes: tuple[LimitChange, ...] = ()

    @property
    def limits(self) -> DailyLimits:
        """What counts of it."""
        return DailyLimits(self.daily_usd, self.daily_person_usd)

    def with_limits(self, limits: DailyLimits, *, by: str, at: datetime) -> LimitSheet:
        """The sheet with other limits. Raises InputError for what is no amount of money."""
        changes = list(self.changes)
        for whose, before, after in (
            ("everybody", self.daily_usd, limits.daily_usd),
            ("a person", self.daily_person_usd, limits.daily_person_usd),
        ):
            if after is not None and not (math.isfinite(after) and 0 <= after <= _USD_MAX):
                raise InputError("A budget is an amount in US dollars, a million at most, or empty for no limit.")
            if after != before:
                changes.append(LimitChange(at=at, by=by, whose=whose, before=before, after=after))
        return LimitSheet(daily_usd=limits.daily_usd, daily_person_usd=limits.daily_person_usd, changes=tuple(changes))


class SpendingLimits:
    """Answers what may be spent. Until `budgets.json` exists the settings decide; from then on it alone does."""

    def __init__(
        self,
        store: ObjectStore,
        settings: Settings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        bootstrap = LimitSheet(daily_usd=settings.daily_budget_usd, daily_person_usd=settings.daily_budget_person_usd)
        self._now = now
        self._document = settings_document(store, f"{settings.s3_app_prefix}budgets.json", bootstrap)

    def limits(self) -> DailyLimits:
        """What may be spent today. Raises StorageError."""
        return self._document.value().limits

    def known(self) -> DailyLimits | None:
        """What was known last, without asking S3; None before anything was."""
        sheet = self._document.known()
        return None if sheet is None else sheet.limits

    def read(self, viewer: Viewer) -> Version[LimitSheet]:
        """The sheet as it is now, for an admin. Raises AccessDenied or StorageError."""
        viewer.require(Capability.ADMINISTER)
        return self._document.read()

    def change(self, viewer: Viewer, limits: DailyLimits, *, seen: Version[LimitSheet]) -> Version[LimitSheet]:
        """Put other limits in place of the ones that were seen.

        Raises AccessDenied, InputError, and WriteConflict when somebody else has changed them since.
        """
        viewer.require(Capability.ADMINISTER)
        changed = seen.value.with_limits(limits, by=viewer.email, at=self._now())
        if changed == seen.value:
            return seen
        version = self._document.write(changed, seen)
        for change in changed.changes[len(seen.value.changes) :]:
            _log.info("budget_changed", by=change.by, whose=change.whose, before=change.before, after=change.after)
        return version
