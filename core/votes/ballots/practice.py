"""Practice comparisons: made on demand by the preview engine, so that a vote can be tried where nothing was made yet.

They are comparisons like all others, controlled and free, ordered by who asks for them; no vote is made up.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from core.errors import InputError
from core.generation.engines.preview_engine import PreviewEngine
from core.generation.ordering import Orders
from core.generation.planning import ComparisonPlanner, Planned, Reader
from core.generation.records.comparison import RenderSettings, Size
from core.injection.request.wishes import SEED_MAX, Wishes
from core.references.vocabulary import Vocabulary
from core.viewer import Capability, Viewer

PRACTICE: Final = 8
_SIZE: Final = Size(width=768, height=960)  # half a second a pair
_SUBJECTS: Final = (
    "A portrait by a window",
    "A portrait in a café",
    "A portrait on a street at dusk",
    "A portrait in front of a plain wall",
)


class PracticeComparisons:
    """Orders comparisons to practise on; `reader` reads prompts without asking anybody."""

    def __init__(self, planner: ComparisonPlanner, orders: Orders, reader: Reader, vocabulary: Vocabulary) -> None:
        self._planner = planner
        self._orders = orders
        self._reader = reader
        self._vocabulary = vocabulary
        self._lot = Random()

    def order(self, viewer: Viewer) -> tuple[str, ...]:
        """Start up to `PRACTICE` comparisons, each of another tone and angle; their ids. S3 has all within seconds.

        Raises AccessDenied, InputError where the library has nothing to compare fairly, or too much of this person's
        waits already, and StorageError.
        """
        viewer.require(Capability.GENERATE)
        render = RenderSettings(engine=PreviewEngine.name, model=PreviewEngine.models[0], size=_SIZE)
        ordered: list[str] = []
        for planned in self._plans(render):
            ordered.append(self._orders.order(planned, render, viewer).id)
            if len(ordered) == PRACTICE:
                break
        if not ordered:
            raise InputError(
                "The library has no tone and angle that can be compared fairly: make comparisons on the Generate page."
            )
        return tuple(ordered)

    def _plans(self, render: RenderSettings) -> Iterator[Planned]:
        """Fair plans, by lot, until every tone and angle has been tried."""
        pairs = [(tone.id, angle.id) for tone in self._vocabulary.tones for angle in self._vocabulary.angles]
        self._lot.shuffle(pairs)
        for number, (tone, angle) in enumerate(pairs):
            subject = _SUBJECTS[number % len(_SUBJECTS)]
            words = f"{subject}, {self._vocabulary.name(tone).lower()}, {self._vocabulary.name(angle).lower()}"
            wishes = Wishes(prompt=words, tone=tone, angle=angle, seed=self._lot.randint(0, SEED_MAX))
            planned = self._planner.plan(wishes, reading=self._reader.read(words), render=render)
            fairness = planned.injection.fairness
            if fairness is not None and fairness.controlled and all(side.attached for side in planned.sides):
                yield planned
