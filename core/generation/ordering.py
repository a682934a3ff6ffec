"""Ordering: a planned comparison is checked, priced, recorded and started."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress

import structlog
from ulid import ULID

from core.errors import InputError, NotFound
from core.generation.drawn_pictures import DrawnPictures
from core.generation.engines.engine import Engine, engine_named
from core.generation.idempotency import IdempotencyKeys
from core.generation.ownership import require_charge
from core.generation.planning import Planned, record_of
from core.generation.records.comparison import Comparison, RenderSettings, SideRecord
from core.generation.records.usual import Median, Usual
from core.generation.running.own_queue import Move, Waiting
from core.generation.running.runner import Runner
from core.generation.spending.budget import Budgets
from core.generation.spending.estimates import Estimates, sum_of
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
        usual: Usual | None = None,
    ) -> None:
        """Without `drawn` nobody looks at the pictures before an engine does; without `usual` no charge is known."""
        self._runner = runner
        self._engines = engines
        self._idempotency_keys = idempotency_keys
        self._budgets = budgets
        self._drawn = drawn
        self._estimates = Estimates(engines, usual)

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
        """US dollars all sides together may cost, which is what budgets count; None when nobody can say."""
        engine_named(self._engines, render.engine)
        return self._at_most(planned.sides, render)

    def estimate_again(self, comparison: Comparison, *sides: SideName) -> float | None:
        """US dollars a recorded comparison, or these sides of it, may cost once more; None when nobody can say."""
        return self._at_most(_again(comparison, sides), comparison.render)

    def usual_charge(self, planned: Planned, render: RenderSettings) -> Median | None:
        """US dollars all sides together are usually charged; None while too few like them were made."""
        return self._usual(planned.sides, render)

    def usual_charge_again(self, comparison: Comparison, *sides: SideName) -> Median | None:
        """US dollars a recorded comparison, or these sides of it, is usually charged; None while too few were made."""
        return self._usual(_again(comparison, sides), comparison.render)

    def order(
        self, planned: Planned, render: RenderSettings, viewer: Viewer, *, seen: Collection[str] = ()
    ) -> Comparison:
        """Record a planned comparison and start it, or find that it is the one which was ordered just now.

        `seen` are the comparisons that who presses has before them: the same once more is meant as another. Without
        them the same request is one comparison for as long as it is at work.
        Raises AccessDenied, InputError for what cannot be sent, or not within today's budget, and StorageError or
        Overloaded while nobody can say whether its pictures can be opened.
        """
        viewer.require(Capability.GENERATE)
        self.check(planned, render)
        return self._submit(record_of(planned, render, viewer.email), seen)

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
            self._run_again(self._runner.status(comparison_id).comparison, [side], viewer)

    def retry_all(self, comparison_id: str, viewer: Viewer) -> None:
        """Run every side again that has ended without a picture, or none of them where one may not be.

        The budget is asked once for all of them together; else as `retry`. Raises InputError where all have pictures.
        """
        viewer.require(Capability.GENERATE)
        with self._budgets.turn():
            status = self._runner.status(comparison_id)
            again = [side.side for side in status.sides if side.is_without_picture]
            if not again:
                raise InputError("No side of this comparison has ended without a picture: there is nothing to retry.")
            self._run_again(status.comparison, again, viewer)

    def cancel(self, comparison_id: str, side: SideName, viewer: Viewer) -> None:
        """Stop one side's work, which its record tells with name and time; one that has ended stays as it is.

        Raises AccessDenied for who is not in charge, and InputError while another server works on it.
        """
        require_charge(viewer, self._runner.status(comparison_id).comparison)
        self._runner.cancel(comparison_id, side, person=viewer.email)

    def cancel_all(self, comparison_id: str, viewer: Viewer) -> None:
        """Stop the work on every side; as `cancel`, and one that cannot be stopped keeps no other from being."""
        status = self._runner.status(comparison_id)
        require_charge(viewer, status.comparison)
        problem = None
        for side in status.sides:
            try:
                self._runner.cancel(comparison_id, side.side, person=viewer.email)
            except InputError as err:
                problem = err
        if problem is not None:
            raise problem

    def waiting_of(self, viewer: Viewer) -> tuple[Waiting, ...]:
        """What waits of what this person asked for, in its order. Raises AccessDenied."""
        viewer.require(Capability.GENERATE)
        return self._runner.waiting_of(viewer.email)

    def move(self, comparison_id: str, move: Move, viewer: Viewer) -> None:
        """Have one's own waiting comparison begin sooner or later than one's others: never sooner than others' work.

        Raises AccessDenied, and InputError where nothing of it waits any more.
        """
        viewer.require(Capability.GENERATE)
        self._runner.move(comparison_id, move, person=viewer.email)

    def cancel_waiting(self, comparison_id: str, viewer: Viewer) -> None:
        """Stop the sides of a comparison that this person has waiting; what is at work goes on.

        Raises AccessDenied for who is not in charge.
        """
        for waiting in self.waiting_of(viewer):
            for side in waiting.sides if waiting.comparison == comparison_id else ():
                self.cancel(comparison_id, side, viewer)

    def _run_again(self, comparison: Comparison, sides: Sequence[SideName], viewer: Viewer) -> None:
        require_charge(viewer, comparison)
        self._budgets.check(viewer.email, self.estimate_again(comparison, *sides))
        for side in sides:
            self._runner.retry(comparison.id, side, person=viewer.email)

    def _at_most(self, sides: Iterable[SideRecord], render: RenderSettings) -> float | None:
        return sum_of(self._estimates.at_most(render, references=side.attached) for side in sides)

    def _usual(self, sides: Iterable[SideRecord], render: RenderSettings) -> Median | None:
        """The sum of the sides' medians, of as many pictures as the least known of them."""
        medians = [self._estimates.usual(render, references=side.attached) for side in sides]
        known = [median for median in medians if median is not None]
        if not known or len(known) < len(medians):
            return None
        return Median(sum(median.value for median in known), min(median.count for median in known))

    def _submit(self, comparison: Comparison, seen: Collection[str] = ()) -> Comparison:
        if self._drawn is not None:
            self._drawn.check(comparison.sides)
        with self._budgets.turn():
            identity = self._idempotency_keys.identity(comparison, seen)
            if identity != comparison.id:
                comparison = comparison.model_copy(update={"id": identity})
                with suppress(NotFound):  # the other press has not recorded it yet
                    return self._runner.status(identity).comparison
            self._budgets.check(comparison.person, self.estimate_again(comparison))
            self._runner.submit(comparison)
            self._idempotency_keys.answered(comparison.id)
            _log.info(
                "comparison_ordered",
                comparison=comparison.id,
                person=comparison.person,
                mode=comparison.mode.value,
                engine=comparison.engine,
                prompt=comparison.wishes.prompt,  # the log leaves it out unless LOG_PROMPTS is set
            )
            return comparison


def _again(comparison: Comparison, sides: Collection[SideName]) -> tuple[SideRecord, ...]:
    """The sides that are made once more: these, or all where none is named."""
    return tuple(record for record in comparison.sides if not sides or record.side in sides)
