"""Planning: wishes become the prompts and references that would be sent; nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from ulid import ULID

from core.generation.drawn_pictures import DrawnPictures
from core.generation.records.comparison import Comparison, RenderSettings, SideRecord
from core.generation.records.judging import judge_record, sent_render
from core.injection.fair_choice import FairChoice, nearest_fair_choice
from core.injection.plan import Injection, Planner
from core.injection.reading.reader import Reading
from core.injection.request.fairness import Fairness, judge
from core.injection.request.prompt import as_text, assemble
from core.injection.request.sent import SentRender
from core.injection.request.slots import Slot
from core.injection.request.wishes import SideName, Varies, Wishes, check_prompt_length, sides_of
from core.injection.tag_names import with_names
from core.labels.published.label_file import LabelSet
from core.references.index import IndexSource
from core.references.reference import Reference
from core.references.vocabulary import Vocabulary

_PATIENCE_S: Final = 3.0  # a person waits for the plan


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


@dataclass(frozen=True, slots=True)
class ComparisonPlanner:
    """Plans comparisons from the newest index; `labels` hands out the newest labels for each plan.

    Without `drawn` nobody looks at the pictures.
    """

    catalog: IndexSource
    labels: Callable[[], LabelSet]
    reader: Reader
    vocabulary: Vocabulary
    max_model_references: int
    drawn: DrawnPictures | None = None

    def plan(
        self,
        wishes: Wishes,
        *,
        reading: Reading | None = None,
        recent: Iterable[str] = (),
        render: RenderSettings | None = None,
        render_b: RenderSettings | None = None,
    ) -> Planned:
        """Plan what would go in. Raises InputError for a prompt that is too long, InjectionError or StorageError.

        With `render`, and `render_b` where the model is what varies, the verdict is on what makes the pictures, too.

        `reading` is what the reader said about this prompt; without it the prompt is read here. What is drawn and has
        never been opened is opened now: what cannot be is no candidate any more, and all sides are planned anew. What
        S3 does not hand out in time is planned all the same, and looked at again before it is sent.
        """
        check_prompt_length(len(wishes.prompt))
        reading, recent = reading or self.reader.read(wishes.prompt), tuple(recent)
        renders = sent_renders(wishes, render, render_b)
        ends_at = time.monotonic() + _PATIENCE_S
        while True:
            planned, patience_s = self._plan(wishes, reading, recent, renders), ends_at - time.monotonic()
            if self.drawn is None or patience_s <= 0:
                return planned
            if not self.drawn.leave_out_unreadable(planned.sides, patience_s=patience_s):
                return planned

    def _plan(
        self, wishes: Wishes, reading: Reading, recent: tuple[str, ...], renders: tuple[SentRender, ...]
    ) -> Planned:
        index, labels = self.catalog.index, self.labels()
        planner = Planner(index, labels, max_model_references=self.max_model_references, renders=renders)
        injection = with_names(planner.plan(wishes, reading, recent=recent), self.vocabulary)
        sides = []
        for plan in injection.sides:
            sections = assemble(wishes, injection.settled, plan.slots, plan.side, self.vocabulary)
            sides.append(SideRecord(side=plan.side, slots=plan.slots, sections=sections, prompt=as_text(sections)))
        return Planned(injection, tuple(sides), index.built_at, labels.version, recent)

    def candidates(self, planned: Planned, slot: Slot) -> tuple[Reference, ...]:
        """What could stand in a slot of this plan, in the order of the draw; nothing for a slot of no group."""
        planner = Planner(self.catalog.index, self.labels(), max_model_references=self.max_model_references)
        return planner.candidates(planned.injection, slot, recent=planned.recent)

    def fair_choice(self, planned: Planned) -> FairChoice | None:
        """The nearest wishes that would make an unfair pair fair, proven by planning them; None without any."""
        index, sent = self.catalog.index, planned.injection.sent
        renders = tuple(side.render for side in sent if side.render is not None)
        planner = Planner(index, self.labels(), max_model_references=self.max_model_references, renders=renders)

        def plan(wishes: Wishes) -> Injection:
            return planner.plan(wishes, planned.injection.reading, recent=planned.recent)

        return nearest_fair_choice(planned.injection, plan, index, self.vocabulary)

    def judge_record(self, comparison: Comparison) -> Fairness | None:
        """As `judge_record` with this studio's vocabulary."""
        return judge_record(comparison, self.vocabulary)


def sent_renders(
    wishes: Wishes, render: RenderSettings | None, render_b: RenderSettings | None = None
) -> tuple[SentRender, ...]:
    """What makes the pictures of two sides, B's otherwise only where the model varies; nothing while nobody knows."""
    if render is None or len(sides_of(wishes)) == 1:
        return ()
    second = render_b if render_b is not None and wishes.varies is Varies.MODEL else render
    return sent_render(render), sent_render(second)


def verdict(planned: Planned, render: RenderSettings, render_b: RenderSettings | None) -> Fairness | None:
    """The verdict on a plan as it is made: the model that varies may have been chosen only after it was planned."""
    injection = planned.injection
    made = tuple(sent_render(side.render or render) for side in rendered_sides(planned, render, render_b))
    if injection.fairness is None or not injection.sent or tuple(side.render for side in injection.sent) == made:
        return injection.fairness
    one, other = (replace(side, render=by) for side, by in zip(injection.sent, made, strict=True))
    fairness = judge(one, other, injection.wishes.varies)
    proven = {each.what: each.mend for each in injection.fairness.differences}
    differences = tuple(replace(each, mend=proven.get(each.what)) for each in fairness.differences)
    return replace(fairness, differences=differences)


def rendered_sides(planned: Planned, render: RenderSettings, render_b: RenderSettings | None) -> tuple[SideRecord, ...]:
    """The planned sides, B with a render of its own where the model is what varies; else `render_b` means nothing."""
    if render_b in (None, render) or planned.injection.wishes.varies is not Varies.MODEL:
        return planned.sides
    return tuple(
        side.model_copy(update={"render": render_b}) if side.side is SideName.B else side for side in planned.sides
    )


def record_of(
    planned: Planned,
    render: RenderSettings,
    person: str,
    *,
    render_b: RenderSettings | None = None,
    takes: int = 1,
) -> Comparison:
    """The record of a planned comparison, with an id of its own; `takes` pictures of each side, 1 to 4."""
    injection = planned.injection
    settled, fairness = injection.settled, verdict(planned, render, render_b)
    return Comparison(
        id=str(ULID()),
        created_at=datetime.now(UTC),
        person=person,
        mode=injection.wishes.mode,
        wishes=injection.wishes,
        reading=injection.reading,
        tone=settled.tone.value if settled.tone else None,
        angle=settled.angle.value if settled.angle else None,
        engine=render.engine,
        model=render.model,
        size=render.size,
        quality=render.quality,
        seed=injection.wishes.seed,
        controlled=fairness.controlled if fairness else None,
        differences=fairness.differences if fairness else (),
        sides=rendered_sides(planned, render, render_b),
        takes=takes,
        index_built_at=planned.index_built_at,
        labels_version=planned.labels_version,
        made_from=planned.made_from,
        recent=planned.recent,
    )
