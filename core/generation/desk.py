"""The desk: turns wishes into a planned comparison, and a planned comparison into work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ulid import ULID

from core.generation.comparison import Comparison, RenderSettings, SideRecord, record_of
from core.generation.runner import Runner
from core.injection.plan import Injection, Planner
from core.injection.prompt import as_text, assemble
from core.injection.reader import Reading
from core.injection.wishes import Wishes, check_prompt
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
        *,
        max_model_references: int,
    ) -> None:
        self._catalog = catalog
        self._labels = labels
        self._reader = reader
        self._vocabulary = vocabulary
        self._runner = runner
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
        """Record a planned comparison and start it. Raises InputError for a prompt that cannot be sent."""
        check_prompt(planned.injection.wishes.prompt)
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
        self._runner.submit(comparison)
        return comparison

    def replay(self, comparison: Comparison, *, person: str) -> Comparison:
        """Order the identical request again. Raises EngineError later for references that have left S3."""
        new = ULID()
        again = comparison.model_copy(
            update={
                "id": str(new),
                "created_at": new.datetime,
                "person": person,
                "replay_of": comparison.id,
            }
        )
        self._runner.submit(again)
        return again
