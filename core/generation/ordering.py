"""Ordering: a planned comparison is checked, priced, recorded and started."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from ulid import ULID

from core.errors import InputError, NotFound
from core.generation.drawn_pictures import DrawnPictures
from core.generation.engines.engine import Engine, engine_named
from core.generation.idempotency import IdempotencyKeys
from core.generation.ownership import require_charge
from core.generation.planning import Planned, record_of, rendered_sides
from core.generation.records.attempt_status import ComparisonStatus, SideStatus
from core.generation.records.comparison import TAKES_MAX, Comparison, RenderSettings, SideRecord
from core.generation.records.usual import Median, Usual
from core.generation.running.own_queue import Move, Waiting
from core.generation.running.runner import Runner
from core.generation.spending.budget import Budgets, in_words
from core.generation.spending.estimates import Estimates, sum_of
from core.injection.request.wishes import SideName, Varies, Wishes, check_prompt
from core.viewer import Capability, Viewer

_log = structlog.get_logger(__name__)
_SKEW: Final = timedelta(seconds=2)  # by so much the clocks of a browser and of two servers may differ


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

    def check(
        self, planned: Planned, render: RenderSettings, *, render_b: RenderSettings | None = None, takes: int = 1
    ) -> None:
        """Raise InputError for what cannot be sent, whatever the budget says."""
        check_prompt(planned.injection.wishes.prompt)
        if not 1 <= takes <= TAKES_MAX:
            raise InputError("{} takes of a side cannot be ordered: choose 1 to {}.", takes, TAKES_MAX)
        sides = rendered_sides(planned, render, render_b)
        _check_renders(planned.injection.wishes, render, sides)
        for side in sides:
            made = side.render or render
            engine = engine_named(self._engines, made.engine)
            engine.check(made, references=side.attached, prompt_chars=len(side.prompt))

    def prefetch(self, planned: Planned, render: RenderSettings, *, render_b: RenderSettings | None = None) -> None:
        """Get the references of a plan that is shown ready to be sent, so that the press finds them so.

        Not while there is no prompt: nobody can press yet, and what goes in will change with the first words.
        """
        sides = rendered_sides(planned, render, render_b)
        for side in sides:
            engine_named(self._engines, (side.render or render).engine)
        if planned.injection.wishes.prompt.strip():
            self._runner.prefetch(sides, render)

    def estimate(
        self, planned: Planned, render: RenderSettings, *, render_b: RenderSettings | None = None, takes: int = 1
    ) -> float | None:
        """US dollars all takes of all sides may cost, which is what budgets count; None when nobody can say."""
        for made in (render, *((render_b,) if render_b else ())):
            engine_named(self._engines, made.engine)
        return self._at_most(rendered_sides(planned, render, render_b) * takes, render)

    def estimate_again(self, comparison: Comparison, *sides: SideName) -> float | None:
        """US dollars a recorded comparison may cost once more, all its takes; None when nobody can say.

        Where sides are named it is one picture of each, as often as it is named.
        """
        return self._at_most(_again(comparison, sides), comparison.render)

    def usual_charge(
        self, planned: Planned, render: RenderSettings, *, render_b: RenderSettings | None = None, takes: int = 1
    ) -> Median | None:
        """US dollars all takes of all sides are usually charged; None while too few like them were made."""
        return self._usual(rendered_sides(planned, render, render_b) * takes, render)

    def usual_charge_again(self, comparison: Comparison, *sides: SideName) -> Median | None:
        """US dollars of the same as `estimate_again`, as usually charged; None while too few like it were made."""
        return self._usual(_again(comparison, sides), comparison.render)

    def order(
        self,
        planned: Planned,
        render: RenderSettings,
        viewer: Viewer,
        *,
        seen: Collection[str] = (),
        render_b: RenderSettings | None = None,
        takes: int = 1,
    ) -> Comparison:
        """Record a planned comparison and start it, or find that it is the one which was ordered just now.

        `takes` pictures are made of each side; `render_b` is how side B is made where the model is what varies.
        `seen` are the comparisons that who presses has before them: the same once more is meant as another. Without
        them the same request is one comparison for as long as it is at work.
        Raises AccessDenied, InputError for what cannot be sent, or not within today's budget, and StorageError or
        Overloaded while nobody can say whether its pictures can be opened.
        """
        viewer.require(Capability.GENERATE)
        self.check(planned, render, render_b=render_b, takes=takes)
        return self._submit(record_of(planned, render, viewer.email, render_b=render_b, takes=takes), seen)

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

    def retry(self, comparison_id: str, side: SideName, viewer: Viewer, *, take: int = 1) -> None:
        """Run one take of a side again: who asks pays, and the comparison stays its owner's.

        Operations who retry for somebody spend their own budget: nobody else's money is spent without being asked.
        Raises AccessDenied for who is not in charge, and InputError while it is at work, before its `retry_at`, or over
        budget.
        """
        viewer.require(Capability.GENERATE)
        with self._budgets.turn():
            status = self._runner.status(comparison_id)
            self._run_again(status, [status.side(side, take)], viewer)

    def retry_all(self, comparison_id: str, viewer: Viewer) -> None:
        """Run every take of every side again that has ended without a picture, or none of them where one may not be.

        The budget is asked once for all of them together; else as `retry`. Raises InputError where all have pictures.
        """
        viewer.require(Capability.GENERATE)
        with self._budgets.turn():
            status = self._runner.status(comparison_id)
            again = [side for side in status.sides if side.is_without_picture]
            if not again:
                raise InputError("No side of this comparison has ended without a picture: there is nothing to retry.")
            self._run_again(status, again, viewer)

    def cancel(self, comparison_id: str, side: SideName, viewer: Viewer, *, take: int = 1) -> None:
        """Stop the work on one take of a side, which its record tells with name and time; what has ended stays.

        Raises AccessDenied for who is not in charge, and InputError while another server works on it.
        """
        require_charge(viewer, self._runner.status(comparison_id).comparison)
        self._runner.cancel(comparison_id, side, take=take, person=viewer.email)

    def cancel_all(self, comparison_id: str, viewer: Viewer) -> None:
        """Stop the work on all takes; as `cancel`, and one that cannot be stopped keeps no other from being."""
        status = self._runner.status(comparison_id)
        require_charge(viewer, status.comparison)
        problem = None
        for side in status.sides:
            try:
                self._runner.cancel(comparison_id, side.side, take=side.take, person=viewer.email)
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
        """Stop what this person has waiting of a comparison; what is at work goes on.

        Raises AccessDenied for who is not in charge.
        """
        for waiting in self.waiting_of(viewer):
            for side, take in waiting.places if waiting.comparison == comparison_id else ():
                self.cancel(comparison_id, side, viewer, take=take)

    def _run_again(self, status: ComparisonStatus, sides: Sequence[SideStatus], viewer: Viewer) -> None:
        comparison = status.comparison
        require_charge(viewer, comparison)
        _check_not_early(sides)
        self._budgets.check(viewer.email, self.estimate_again(comparison, *(side.side for side in sides)))
        for side in sides:
            self._runner.retry(comparison.id, side.side, take=side.take, person=viewer.email)

    def _at_most(self, sides: Iterable[SideRecord], render: RenderSettings) -> float | None:
        return sum_of(self._estimates.at_most(side.render or render, references=side.attached) for side in sides)

    def _usual(self, sides: Iterable[SideRecord], render: RenderSettings) -> Median | None:
        """The sum of the pictures' medians, of as many made before as the least known of them."""
        medians = [self._estimates.usual(side.render or render, references=side.attached) for side in sides]
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
                varies=comparison.varies.value,
                takes=comparison.takes,
                engine=comparison.engine,
                prompt=comparison.wishes.prompt,  # the log leaves it out unless LOG_PROMPTS is set
            )
            return comparison


def _again(comparison: Comparison, sides: Collection[SideName]) -> tuple[SideRecord, ...]:
    """The sides that are made once more, one for each picture: these, or all with their takes where none is named."""
    return tuple(map(comparison.side, sides or (place.side for place in comparison.side_takes)))


def _check_not_early(sides: Iterable[SideStatus]) -> None:
    """Raise InputError before the far side of one of these wants to be asked again."""
    now = datetime.now(UTC)
    told = (side.latest.retry_at for side in sides if side.latest)
    at = max(filter(None, told), default=now)
    if at - now > _SKEW:
        raise InputError(
            "The image service wants no further call before {:%H:%M:%S} UTC, {}: retry then.", at, in_words(at - now)
        )


def _check_renders(wishes: Wishes, render: RenderSettings, sides: Sequence[SideRecord]) -> None:
    """Raise InputError where the model is to vary and does not, or more than it would."""
    if SideName.B not in (side.side for side in sides) or wishes.varies is not Varies.MODEL:
        return
    other = sides[-1].render
    if other is None:
        raise InputError("Both sides would be made by the same model: choose another model or quality for B.")
    if other.size != render.size:
        raise InputError("A would be {} and B {}: both sides of a comparison have one size.", render.size, other.size)
