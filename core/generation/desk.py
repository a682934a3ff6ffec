"""The desk: turns wishes into a planned comparison, and a planned comparison into work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ulid import ULID

from core.errors import InputError, ReferenceNotFound, StorageError
from core.generation.budget import Budget, Budgets
from core.generation.comparison import Comparison, RenderSettings, SideRecord, record_of
from core.generation.engine import Engine, estimate_of
from core.generation.presses import Presses
from core.generation.runner import Runner
from core.injection.plan import Injection, Planner
from core.injection.prompt import as_text, assemble
from core.injection.reader import Reading
from core.injection.wishes import SideName, Wishes, check_prompt
from core.labels.published import PublishedLabels
from core.references.attributes import Vocabulary
from core.references.index import ReferenceIndex


class Reader(Protocol):
    """Reads a prompt."""

    def read(self, prompt: str) -> Reading:
        """What the prompt says about person, age, tone and angle."""


class IndexSource(Protocol):
    """Hands out the newest complete index."""

    @property
    def index(self) -> ReferenceIndex:
        """The index; raises StorageError while there is none."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An injection with the prompts that would be sent, and what it was planned from."""

    injection: Injection
    sides: tuple[SideRecord, ...]
    index_built_at: datetime
    labels_version: str
    recent: tuple[str, ...] = ()


class Desk:
    """What pages and the command line ask for comparisons."""

    def __init__(
        self,
        catalog: IndexSource,
        labels: PublishedLabels,
        reader: Reader,
        vocabulary: Vocabulary,
        runner: Runner,
        engines: Mapping[str, Engine],
        presses: Presses,
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
        self._presses = presses
        self._budgets = budgets
        self._max_model_references = max_model_references

    def read(self, prompt: str) -> Reading:
        """What the prompt says."""
        return self._reader.read(prompt)

    def plan(self, wishes: Wishes, *, recent: Iterable[str] = ()) -> Planned:
        """Plan what would go in, and write nothing. Raises InjectionError or StorageError."""
        index = self._catalog.index
        recent = tuple(recent)
        planner = Planner(index, self._labels, max_model_references=self._max_model_references)
        injection = planner.plan(wishes, self._reader.read(wishes.prompt), recent=recent)
        sides = []
        for plan in injection.sides:
            sections = assemble(wishes, injection.settled, plan.slots, plan.side, self._vocabulary)
            sides.append(SideRecord(side=plan.side, slots=plan.slots, sections=sections, prompt=as_text(sections)))
        return Planned(injection, tuple(sides), index.built_at, self._labels.version, recent)

    def order(self, planned: Planned, render: RenderSettings, *, person: str) -> Comparison:
        """Record a planned comparison and start it; the same press twice is one comparison.

        Raises InputError for what cannot be sent, or not within today's budget.
        """
        check_prompt(planned.injection.wishes.prompt)
        for side in planned.sides:
            self._engine(render).check(render, references=side.attached, prompt_chars=len(side.prompt))
        comparison = record_of(
            str(ULID()),
            planned.injection,
            planned.sides,
            render,
            person=person,
            index_built_at=planned.index_built_at,
            labels_version=planned.labels_version,
            recent=planned.recent,
        )
        return self._submit(comparison)

    def retry(self, comparison_id: str, side: SideName, *, person: str) -> None:
        """Run one side again, at the expense of who asks. Raises InputError while it is at work, or over budget."""
        with self._budgets.turn():
            comparison = self._runner.status(comparison_id).comparison
            self._budgets.check(person, estimate_of(self._engines, comparison, comparison.side(side)))
            self._runner.retry(comparison_id, side, person=person)

    def budget(self, person: str) -> Budget | None:
        """The daily budget that leaves this person less; None without one. Raises StorageError."""
        return self._budgets.of(person)

    def count_spending(self) -> None:
        """Begin to count what was spent today, so that the first visitor need not wait for it."""
        with suppress(StorageError):
            self._budgets.of("")

    def estimate(self, planned: Planned, render: RenderSettings) -> float | None:
        """US dollars all sides together may cost; None when nobody can say."""
        engine = self._engine(render)
        return _sum(engine.estimate(render, references=side.attached) for side in planned.sides)

    def _engine(self, render: RenderSettings) -> Engine:
        if render.engine not in self._engines:
            raise InputError(f"There is no engine `{render.engine}` here: choose {', '.join(self._engines)}.")
        return self._engines[render.engine]

    def replay(self, comparison: Comparison, *, person: str) -> Comparison:
        """Order the identical request again. Raises InputError when that is over budget."""
        new = ULID()
        again = comparison.model_copy(
            update={
                "id": str(new),
                "created_at": new.datetime,
                "person": person,
                "replay_of": comparison.id,
            }
        )
        return self._submit(again)

    def _submit(self, comparison: Comparison) -> Comparison:
        with self._budgets.turn():
            identity = self._presses.identity(comparison)
            if identity != comparison.id:
                comparison = comparison.model_copy(update={"id": identity})
                with suppress(ReferenceNotFound):  # the other press has not recorded it yet
                    return self._runner.status(identity).comparison
            self._budgets.check(
                comparison.person, _sum(estimate_of(self._engines, comparison, side) for side in comparison.sides)
            )
            self._runner.submit(comparison)
            return comparison


def _sum(parts: Iterable[float | None]) -> float | None:
    """The sum of prices; None as soon as one is unknown."""
    total = 0.0
    for part in parts:
        if part is None:
            return None
        total += part
    return total
