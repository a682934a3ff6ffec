"""Comparison service: turns wishes into a planned comparison, and a planned comparison into work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from ulid import ULID

from core.errors import InputError, NotFound, StorageError
from core.generation.engines.engine import Engine, estimate_of
from core.generation.idempotency import IdempotencyKeys
from core.generation.records.comparison import Comparison, RenderSettings, SideRecord, record_of
from core.generation.running.runner import Runner
from core.generation.spending.budget import Budget, Budgets
from core.generation.variation import Changes, Variation, check_there, lost_slots, variation
from core.injection.fair_choice import FairChoice, nearest_fair_choice
from core.injection.plan import Injection, Planner
from core.injection.prompt import as_text, assemble
from core.injection.reader import Reading
from core.injection.slots import Slot
from core.injection.wishes import SideName, Wishes, check_prompt
from core.labels.published.label_file import PublishedLabels
from core.references.index import IndexSource
from core.references.vocabulary import Vocabulary
from core.viewer import Capability, Viewer

_log = structlog.get_logger(__name__)


class Reader(Protocol):
    """Reads a prompt."""

    def read(self, prompt: str) -> Reading:
        """What the prompt says about person, age, tone and angle."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An injection with the prompts that would be sent, and what it was planned from."""

    injection: Injection
    sides: tuple[SideRecord, ...]
    index_built_at: datetime
    labels_version: str
    recent: tuple[str, ...] = ()
    made_from: str | None = None


class ComparisonService:
    """What pages and the command line ask for comparisons; `labels` hands out the newest ones for each plan."""

    def __init__(
        self,
        catalog: IndexSource,
        labels: Callable[[], PublishedLabels],
        reader: Reader,
        vocabulary: Vocabulary,
        runner: Runner,
        engines: Mapping[str, Engine],
        idempotency_keys: IdempotencyKeys,
        budgets: Budgets,
        *,
        max_model_references: int,
    ) -> None:
        self._catalog = catalog
        self._labels = labels
        self._reader = reader
        self._vocabulary = vocabulary
        self._runner = runner
        self._engines = engines
        self._idempotency_keys = idempotency_keys
        self._budgets = budgets
        self._max_model_references = max_model_references

    def read(self, prompt: str) -> Reading:
        """What the prompt says."""
        return self._reader.read(prompt)

    def plan(self, wishes: Wishes, *, reading: Reading | None = None, recent: Iterable[str] = ()) -> Planned:
        """Plan what would go in, and write nothing. Raises InjectionError or StorageError.

        `reading` is what `read` said about this prompt; without it the prompt is read here.
        """
        index = self._catalog.index
        recent = tuple(recent)
        labels = self._labels()  # one set for the whole plan, whatever is reviewed meanwhile
        planner = Planner(index, labels, max_model_references=self._max_model_references)
        injection = planner.plan(wishes, reading or self._reader.read(wishes.prompt), recent=recent)
        sides = []
        for plan in injection.sides:
            sections = assemble(wishes, injection.settled, plan.slots, plan.side, self._vocabulary)
            sides.append(SideRecord(side=plan.side, slots=plan.slots, sections=sections, prompt=as_text(sections)))
        return Planned(injection, tuple(sides), index.built_at, labels.version, recent)

    def check(self, planned: Planned, render: RenderSettings) -> None:
        """Raise InputError for what cannot be sent, whatever the budget says."""
        check_prompt(planned.injection.wishes.prompt)
        for side in planned.sides:
            self._engine(render).check(render, references=side.attached, prompt_chars=len(side.prompt))

    def prefetch(self, planned: Planned, render: RenderSettings) -> None:
        """Get the references of a plan that is shown ready to be sent, so that the press finds them so.

        Not while there is no prompt: nobody can press yet, and what goes in will change with the first words.
        """
        self._engine(render)
        if planned.injection.wishes.prompt.strip():
            self._runner.prefetch(planned.sides, render.engine)

    def fair_choice(self, planned: Planned) -> FairChoice | None:
        """The nearest wishes that would make an unfair pair fair, proven by planning them; None without any."""

        def plan(wishes: Wishes) -> Injection:
            return planner.plan(wishes, planned.injection.reading, recent=planned.recent)

        index = self._catalog.index
        planner = Planner(index, self._labels(), max_model_references=self._max_model_references)
        return nearest_fair_choice(planned.injection, plan, index, self._vocabulary)

    def order(self, planned: Planned, render: RenderSettings, viewer: Viewer) -> Comparison:
        """Record a planned comparison and start it; the same press twice is one comparison.

        Raises AccessDenied, and InputError for what cannot be sent, or not within today's budget.
        """
        viewer.require(Capability.GENERATE)
        self.check(planned, render)
        comparison = record_of(
            str(ULID()),
            planned.injection,
            planned.sides,
            render,
            person=viewer.email,
            index_built_at=planned.index_built_at,
            labels_version=planned.labels_version,
            made_from=planned.made_from,
            recent=planned.recent,
        )
        return self._submit(comparison)

    def variation(self, comparison: Comparison, changes: Changes) -> Variation:
        """What a past comparison would be with something changed; writes nothing. Raises as `remake` does."""
        index = self._catalog.index
        planner = Planner(index, self._labels(), max_model_references=self._max_model_references)

        def plan(wishes: Wishes, reading: Reading, recent: tuple[str, ...]) -> Injection:
            return planner.plan(wishes, reading, recent=recent)

        return variation(comparison, changes, plan=plan, index=index, vocabulary=self._vocabulary)

    def planned(self, variation: Variation, *, recent: tuple[str, ...] = ()) -> Planned:
        """A remake as it would be ordered."""
        built_at = self._catalog.index.built_at
        return Planned(
            variation.injection, variation.sides, built_at, self._labels().version, recent, variation.made_from
        )

    def order_remake(self, comparison: Comparison, changes: Changes, viewer: Viewer) -> Comparison:
        """Record and start a past comparison with something changed; the new record names the old one.

        Raises InputError for what cannot be sent: nothing changed, a reference that is missing, no budget left.
        """
        again = self.variation(comparison, changes)
        again.check()
        return self.order(self.planned(again, recent=comparison.recent), again.render, viewer)

    def retry(self, comparison_id: str, side: SideName, viewer: Viewer) -> None:
        """Run one side again, at the expense of who asks.

        Raises AccessDenied, and InputError while it is at work, or over budget.
        """
        viewer.require(Capability.GENERATE)
        with self._budgets.turn():
            comparison = self._runner.status(comparison_id).comparison
            self._budgets.check(viewer.email, self.estimate_again(comparison, side))
            self._runner.retry(comparison_id, side, person=viewer.email)

    def cancel(self, comparison_id: str, side: SideName, viewer: Viewer) -> None:
        """Stop one side's work; one that has ended stays as it is. Raises AccessDenied."""
        viewer.require(Capability.GENERATE)
        self._runner.cancel(comparison_id, side)

    def missing(self, comparison: Comparison) -> tuple[Slot, ...]:
        """The slots of a record whose picture has left S3 or changed since, each key once."""
        return lost_slots(comparison.sides, self._catalog.index)

    def budget(self, person: str) -> Budget | None:
        """The daily budget that leaves this person less; None without one. Raises StorageError."""
        return self._budgets.of(person)

    def budgets(self, person: str) -> tuple[Budget, ...]:
        """This person's daily budget and everybody's, where there are such. Raises StorageError."""
        return self._budgets.today(person)

    def count_spending(self) -> None:
        """Begin to count what was spent today, so that the first visitor need not wait for it."""
        with suppress(StorageError):
            self._budgets.of("")

    def estimate(self, planned: Planned, render: RenderSettings) -> float | None:
        """US dollars all sides together may cost; None when nobody can say."""
        engine = self._engine(render)
        return _sum(engine.estimate(render, references=side.attached) for side in planned.sides)

    def estimate_again(self, comparison: Comparison, side: SideName | None = None) -> float | None:
        """US dollars a recorded comparison, or one side of it, may cost once more; None when nobody can say."""
        again = [record for record in comparison.sides if side in (None, record.side)]
        return _sum(estimate_of(self._engines, comparison, record) for record in again)

    def _engine(self, render: RenderSettings) -> Engine:
        if render.engine not in self._engines:
            raise InputError(f"There is no engine `{render.engine}` here: choose {', '.join(self._engines)}.")
        return self._engines[render.engine]

    def replay(self, comparison: Comparison, viewer: Viewer) -> Comparison:
        """Order the identical request again.

        Raises AccessDenied, and InputError when that is over budget, or when a reference has left S3 or changed since.
        """
        viewer.require(Capability.GENERATE)
        check_there(self.missing(comparison))
        new = ULID()
        again = comparison.model_copy(
            update={
                "id": str(new),
                "created_at": new.datetime,
                "person": viewer.email,
                "replay_of": comparison.id,
                "made_from": None,
            }
        )
        return self._submit(again)

    def _submit(self, comparison: Comparison) -> Comparison:
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
