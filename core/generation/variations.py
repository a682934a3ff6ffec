"""Variations of past comparisons, as people ask for them: shown, ordered, or ordered just as they were."""

from __future__ import annotations

from dataclasses import dataclass

from core.generation.ordering import Orders
from core.generation.planning import ComparisonPlanner, Planned
from core.generation.records.comparison import Comparison
from core.generation.variation import Changes, Variation, check_there, lost_slots, variation
from core.injection.plan import Injection, Planner
from core.injection.reading.reader import Reading
from core.injection.request.slots import Slot
from core.injection.request.wishes import Wishes
from core.injection.tag_names import with_names
from core.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Variations:
    """Makes past comparisons again."""

    planner: ComparisonPlanner
    orders: Orders

    def of(self, comparison: Comparison, changes: Changes) -> Variation:
        """What a past comparison would be with something changed; writes nothing. Raises as `variation` does."""
        index = self.planner.catalog.index
        planner = Planner(index, self.planner.labels(), max_model_references=self.planner.max_model_references)

        def plan(wishes: Wishes, reading: Reading, recent: tuple[str, ...]) -> Injection:
            return with_names(planner.plan(wishes, reading, recent=recent), self.planner.vocabulary)

        return variation(comparison, changes, plan=plan, index=index, vocabulary=self.planner.vocabulary)

    def planned(self, again: Variation) -> Planned:
        """A variation as it would be ordered."""
        built_at, labels_version = self.planner.catalog.index.built_at, self.planner.labels().version
        return Planned(again.injection, again.sides, built_at, labels_version, again.recent, again.made_from)

    def order(self, comparison: Comparison, changes: Changes, viewer: Viewer) -> Comparison:
        """Record and start a past comparison with something changed; the new record names the old one.

        Raises AccessDenied, and InputError for what cannot be sent: nothing changed, a reference that is missing,
        no budget left.
        """
        again = self.of(comparison, changes)
        again.check()
        planned = self.planned(again)
        return self.orders.order(planned, again.render, viewer, render_b=again.render_b, takes=again.takes)

    def replay(self, comparison: Comparison, viewer: Viewer) -> Comparison:
        """Order the identical request again.

        Raises AccessDenied, and InputError when that is over budget, or when a reference has left S3 or changed since.
        """
        check_there(self.missing(comparison))
        return self.orders.order_again(comparison, viewer)

    def missing(self, comparison: Comparison) -> tuple[Slot, ...]:
        """The slots of a record whose picture has left S3 or changed since, each key once."""
        return lost_slots(comparison.sides, self.planner.catalog.index)
