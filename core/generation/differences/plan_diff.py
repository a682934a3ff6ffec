"""Plan differences: would a past comparison pick the same references today, and if not, why?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.errors import InjectionError
from core.generation.planning import ComparisonPlanner
from core.generation.records.comparison import Comparison, SideRecord
from core.injection.request.slots import Rule, Slot
from core.injection.request.wishes import SideName
from core.references.index import ReferenceIndex


@dataclass(frozen=True, slots=True)
class Change:
    """One slot that would be filled differently. None stands for an empty slot."""

    side: SideName
    slot: str
    was: str | None
    now: str | None
    why: str


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """A past comparison and what would be different today; nothing is when `changes` is empty."""

    comparison: Comparison
    changes: tuple[Change, ...]


def diff_plans(
    comparisons: Iterable[Comparison], planner: ComparisonPlanner, index: ReferenceIndex
) -> Iterator[PlanDiff]:
    """Plan each comparison again from its recorded wishes, seed and history, and compare slot by slot.

    Imported records are passed over: what they were planned from is not known.
    """
    for comparison in comparisons:
        if comparison.legacy is not None:
            continue
        try:
            planned = planner.plan(comparison.wishes, recent=comparison.recent)
        except InjectionError as err:
            yield PlanDiff(comparison, tuple(_all_gone(comparison, err.message)))
            continue
        changes: list[Change] = []
        for record in comparison.sides:
            today = next(side for side in planned.sides if side.side is record.side)
            changes += _changes(record, today, index)
        yield PlanDiff(comparison, tuple(changes))


def _changes(record: SideRecord, today: SideRecord, index: ReferenceIndex) -> Iterator[Change]:
    then_by_id, now_by_id = _filled(record), _filled(today)
    for slot_id in dict.fromkeys((*then_by_id, *now_by_id)):
        then, now = then_by_id.get(slot_id), now_by_id.get(slot_id)
        was, new = then.key if then else None, now.key if now else None
        same_bytes = then is not None and now is not None and then.etag == now.etag
        if was != new or not same_bytes:
            yield Change(record.side, slot_id, was, new, _reason(then, now, today, index))


def _reason(then: Slot | None, now: Slot | None, today: SideRecord, index: ReferenceIndex) -> str:
    if then is None or then.key is None:
        return f"Now filled. {now.why if now else ''}".strip()
    listed = index.get(then.key)
    if listed is None:
        return "The picture has left S3, or its folder was renamed."
    if listed.etag != then.etag:
        return "The picture behind this key has changed."
    if now is not None and _is_by_group(now) and not _is_by_group(then):
        return (
            f"It still stands in S3, but since it was drawn a group is drawn first, and then a picture in it. {now.why}"
        )
    if now is not None:
        return f"It still stands in S3, but another is picked now. {now.why}"
    empty = next((slot for slot in today.slots if slot.role is then.role and not slot.filled), None)
    return empty.why if empty else "Its group is no longer among those that match."


def _is_by_group(slot: Slot) -> bool:
    return any(step.rule in (Rule.DRAWN_GROUP, Rule.GROUP_BY_GROUP) for step in slot.steps)


def _filled(side: SideRecord) -> dict[str, Slot]:
    return {slot.id: slot for slot in side.slots if slot.filled}


def _all_gone(comparison: Comparison, why: str) -> Iterator[Change]:
    for record in comparison.sides:
        for slot in _filled(record).values():
            yield Change(record.side, slot.id, slot.key, None, why)
