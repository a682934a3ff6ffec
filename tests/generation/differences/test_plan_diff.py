"""What past comparisons would pick today, and that those from before groups were drawn first are read and explained."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace

import pytest

from core.generation.differences.plan_diff import diff_plans
from core.generation.planning import ComparisonPlanner, record_of
from core.generation.records.comparison import Comparison, RenderSettings
from core.injection.reading.reader import OfflineReader
from core.injection.request.slots import Rule
from core.injection.request.wishes import Mode, SideName, Strength, Varies, Wishes
from core.labels.published.label_file import LabelSet
from core.references.index import ReferenceIndex
from tests.injection.libraries import VOCABULARY, library, sample_library

LARGE, SMALL = "refs/02. Tone/noir archive", "refs/02. Tone/noir"
INDEX = library(*(f"{LARGE}/{n}.jpg" for n in range(9)), f"{SMALL}/street.jpg")
RENDER = RenderSettings(engine="preview", model="colour-transfer-1")


@dataclass(frozen=True)
class Listed:
    """An index as it was listed."""

    index: ReferenceIndex

    def leave_out(self, etags: Collection[str]) -> None:
        """Nothing is opened here."""


PLANNER = ComparisonPlanner(Listed(INDEX), lambda: LabelSet(()), OfflineReader(VOCABULARY), VOCABULARY, 3)


def recorded(seed: int) -> Comparison:
    """A comparison as it is recorded, and read again from its JSON."""
    planned = PLANNER.plan(Wishes(prompt="a street", mode=Mode.TONE_ONLY, tone="noir", seed=seed))
    return Comparison.model_validate_json(record_of(planned, RENDER, "kim@studio.example").model_dump_json())


def from_before(comparison: Comparison, key: str) -> Comparison:
    """The same record as it was made when all pictures were drawn from at once, and this one was drawn."""
    listed = INDEX.get(key)
    assert listed is not None
    (side,) = comparison.sides
    slots = tuple(
        replace(
            slot,
            key=key,
            etag=listed.etag,
            group=listed.group,
            steps=tuple(step for step in slot.steps if step.rule is not Rule.DRAWN_GROUP),
        )
        if slot.filled
        else slot
        for slot in side.slots
    )
    older = comparison.model_copy(update={"sides": (side.model_copy(update={"slots": slots}),)})
    return Comparison.model_validate_json(older.model_dump_json())


def test_what_is_drawn_by_groups_is_drawn_again_from_its_record() -> None:
    assert [diff.changes for diff in diff_plans(map(recorded, range(20)), PLANNER, INDEX)] == [()] * 20


def test_an_older_record_that_drew_another_picture_is_told_that_groups_are_drawn_first_now() -> None:
    now = recorded(3)
    (drawn,) = (slot.key for slot in now.sides[0].slots if slot.filled)
    other = next(ref.key for ref in INDEX.references if ref.key != drawn)
    (diff,) = diff_plans([from_before(now, other)], PLANNER, INDEX)
    (change,) = diff.changes
    assert (change.was, change.now) == (other, drawn)
    assert "since it was drawn a group is drawn first, and then a picture in it" in change.why


def test_an_older_record_whose_picture_is_drawn_today_as_well_has_not_changed() -> None:
    now = recorded(3)
    (drawn,) = (slot.key for slot in now.sides[0].slots if slot.filled)
    (diff,) = diff_plans([from_before(now, str(drawn))], PLANNER, INDEX)
    assert diff.changes == ()


# ---- pairs -----------------------------------------------------------------------------------------------

PAIR = Wishes(prompt="Ada by a window", tone="cinematic", angle="three-quarter")


def planner_of(index: ReferenceIndex) -> ComparisonPlanner:
    return ComparisonPlanner(Listed(index), lambda: LabelSet(()), OfflineReader(VOCABULARY), VOCABULARY, 3)


@pytest.mark.parametrize(
    "wishes",
    [
        PAIR,
        replace(PAIR, balanced=False),
        replace(PAIR, varies=Varies.MODEL),
        replace(PAIR, varies=Varies.TONE_WAY),
        replace(PAIR, varies=Varies.STRENGTH, strengths_b={"angle": Strength.EXACT}),
    ],
    ids=["balanced", "as each mode alone", "model", "tone's way", "strength"],
)
def test_a_pair_is_planned_again_as_it_was_planned(wishes: Wishes) -> None:
    index = sample_library()
    made = [planner_of(index).plan(replace(wishes, seed=seed)) for seed in range(5)]
    assert all(len(planned.sides) == 2 and any(slot.filled for slot in planned.sides[1].slots) for planned in made)
    records = [record_of(planned, RENDER, "kim@studio.example").model_dump_json() for planned in made]
    read = [Comparison.model_validate_json(record) for record in records]
    assert [diff.changes for diff in diff_plans(read, planner_of(index), index)] == [()] * 5


def test_a_record_from_before_there_was_a_balance_is_planned_as_each_mode_alone() -> None:
    index = sample_library()
    planned = planner_of(index).plan(replace(PAIR, balanced=False, seed=4))
    record = json.loads(record_of(planned, RENDER, "kim@studio.example").model_dump_json())
    record["version"] = 1
    for name in ("varies", "balanced", "strengths_b"):
        del record["wishes"][name]
    (diff,) = diff_plans([Comparison.model_validate_json(json.dumps(record))], planner_of(index), index)
    assert diff.changes == ()
    people = [
        [slot.key for slot in side.slots if slot.id.startswith("model") and slot.filled] for side in planned.sides
    ]
    assert len(people[0]) > len(people[1]), "balanced it would be another plan"


def test_a_balanced_pair_that_has_lost_its_other_angle_says_so_of_the_side_that_is_empty_now() -> None:
    index = sample_library()
    planned = planner_of(index).plan(replace(PAIR, seed=4))
    record = record_of(planned, RENDER, "kim@studio.example")
    removed, kept = list[str](), list[str]()
    for row in index.references:
        gone = (
            "/01. Model/" in row.key and "Ada" in row.key and "three-quarter" not in row.key and "cinematic" in row.key
        )
        (removed if gone else kept).append(row.key)
    assert len(removed) == 1
    smaller = library(*kept)
    (now,) = diff_plans([record], planner_of(smaller), smaller)
    (change,) = [change for change in now.changes if change.was == removed[0]]
    assert (change.side, change.now) == (SideName.TONE_ONLY, None)
    assert change.why == "The picture has left S3, or its folder was renamed."
