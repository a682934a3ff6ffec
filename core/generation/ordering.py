"""Ordering: a planned comparison is checked, priced, recorded and started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

import structlog
from ulid import ULID

from core.errors import NotFound
from core.generation.drawn_pictures import DrawnPictures
from core.generation.engines.engine import Engine, engine_named, estimate_of
from core.generation.idempotency import IdempotencyKeys
from core.generation.ownership import require_charge
from core.generation.planning import Planned, record_of
from core.generation.records.comparison import Comparison, RenderSettings
from core.generation.running.runner import Runner
from core.generation.spending.budget import Budgets
from core.injection.wishes import SideName, check_prompt
from core.viewer import Capability, Viewer

_log = structlog.get_logger(__name__)


class Orders:
    """What people order, within their budgets; the same press twice is one comparison."""

    def __init__(
        self,
        runner: Runner,
        engines: Mapping[str, Engine],
        idempotency_keys: IdempotencyKeys,
        budgets: Budgets,
        drawn: DrawnPictures | None = None,
    ) -> None:
        """Without `drawn` nobody looks at the pictures before an engine does."""
        self._runner = runner
        self._engines = engines
        self._idempotency_keys = idempotency_keys
        self._budgets = budgets
        self._drawn = drawn

    def check(self, planned: Planned, render: RenderSettings) -> None:
        """Raise InputError for what cannot be sent, whatever the budget says."""
        check_prompt(planned.injection.wishes.prompt)
        engine = engine_named(self._engines, render.engine)
        for side in planned.sides:
            engine.check(render, references=side.attached, prompt_chars=len(side.prompt))

    def prefetch(self, planned: Planned, render: RenderSettings) -> None:
        """Get the references of a plan that is shown ready to be sent, so that the press finds them so.

        Not while there is no prompt: nobody can press yet, and what goes in will change with the first words.
        """
        engine_named(self._engines, render.engine)
        if planned.injection.wishes.prompt.strip():
            self._runner.prefetch(planned.sides, render.engine)

    def estimate(self, planned: Planned, render: RenderSettings) -> float | None:
        """US dollars all sides together may cost; None when nobody can say."""
        engine = engine_named(self._engines, render.engine)
        return _sum(engine.estimate(render, references=side.attached) for side in planned.sides)

    def estimate_again(self, comparison: Comparison, side: SideName | None = None) -> float | None:
        """US dollars a recorded comparison, or one side of it, may cost once more; None when nobody can say."""
        again = [record for record in comparison.sides if side in (None, record.side)]
        return _sum(estimate_of(self._engines, comparison, record) for record in again)

    def order(self, planned: Planned, render: RenderSettings, viewer: Viewer) -> Comparison:
        """Record a planned comparison and start it.

        Raises AccessDenied, InputError for what cannot be sent, or not within today's budget, and StorageError or
        Overloaded while nobody can say whether its pictures can be opened.
        """
        viewer.require(Capability.GENERATE)
        self.check(planned, render)
        return self._submit(record_of(planned, render, viewer.email))

    def order_again(self, comparison: Comparison, viewer: Viewer) -> Comparison:
        """Record and start the identical request once more. Raises AccessDenied, and InputError when over budget."""
        viewer.require(Capability.GENERATE)
        new = ULID()
        fields = {
            "id": str(new),
            "created_at": new.datetime,
            "person": viewer.email,
            "replay_of": comparison.id,
            "made_from": None,
        }
        return self._submit(comparison.model_copy(update=fields))

    def retry(self, comparison_id: str, side: SideName, viewer: Viewer) -> None:
        """Run one side again: the comparison stays its owner's, the attempt bears the name of who asks, and they pay.

        Operations who retry for somebody spend their own budget: nobody else's money is spent without being asked.
        Raises AccessDenied for who is not in charge, and InputError while it is at work, or over budget.
        """
        viewer.require(Capability.GENERATE)
        with self._budgets.turn():
            comparison = self._runner.status(comparison_id).comparison
            require_charge(viewer, comparison)
            self._budgets.check(viewer.email, self.estimate_again(comparison, side))
            self._runner.retry(comparison_id, side, person=viewer.email)

    def cancel(self, comparison_id: str, side: SideName, viewer: Viewer) -> None:
        """Stop one side's work, which its record tells with name and time; one that has ended stays as it is.

        Raises AccessDenied for who is not in charge, and InputError while another server works on it.
        """
        require_charge(viewer, self._runner.status(comparison_id).comparison)
        self._runner.cancel(comparison_id, side, person=viewer.email)

    def _submit(self, comparison: Comparison) -> Comparison:
        if self._drawn is not None:
            self._drawn.check(comparison.sides)
        with self._budgets.turn():
            identity = self._idempotency_keys.identity(comparison)
            if identity != comparison.id:
                comparison = comparison.model_copy(update={"id": identity})
                with suppress(NotFound):  # the other press has not recorded it yet
                    return self._runner.status(identity).comparison
            self._budgets.check(comparison.person, self.estimate_again(comparison))
            self._runner.submit(comparison)
            _log.info(
                "comparison_ordered",
                comparison=comparison.id,
                person=comparison.person,
                mode=comparison.mode.value,
                engine=comparison.engine,
                prompt=comparison.wishes.prompt,  # the log leaves it out unless LOG_PROMPTS is set
            )
            return comparison


def _sum(parts: Iterable[float | None]) -> float | None:
    """The sum of prices; None as soon as one is unknown."""
    total = 0.0
    for part in parts:
        if part is None:
            return None
        total += part
    return total
