"""Progress and pace: how much of the library people have been through, and how fast each of them is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from core.labels.decisions.reviews import Kind, Save
from core.labels.queue.queue import QueueItem, ReviewState

# A longer pause is no reviewing: somebody was called away.
_PAUSE_MAX_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class ReviewerPace:
    """One person's share. `per_minute` counts pictures while they were at it; None before there is a pace."""

    reviewer: str
    pictures: int
    today: int
    corrected: int
    per_minute: float | None
    last: datetime


@dataclass(frozen=True, slots=True)
class ReviewProgress:
    """The whole library's state, and who brought it there, the busiest first."""

    portraits: int
    reviewed: int
    waiting: int
    second_looks: int
    by_state: dict[ReviewState, int]
    reviewers: tuple[ReviewerPace, ...]


def progress_of(items: Iterable[QueueItem], saves: Sequence[Save], *, now: datetime | None = None) -> ReviewProgress:
    """Count states and paces; days are UTC."""
    rows = list(items)
    states = Counter(item.state for item in rows)
    today = (now or datetime.now(UTC)).date()
    by_reviewer: dict[str, list[Save]] = {}
    for save in saves:
        by_reviewer.setdefault(save.reviewer, []).append(save)
    paces = [_pace(reviewer, made, today) for reviewer, made in by_reviewer.items()]
    return ReviewProgress(
        portraits=len(rows),
        reviewed=states[ReviewState.REVIEWED] + states[ReviewState.SECOND_LOOK],
        waiting=sum(bool(item.reasons) for item in rows),
        second_looks=states[ReviewState.SECOND_LOOK],
        by_state={state: states[state] for state in ReviewState},
        reviewers=tuple(sorted(paces, key=lambda pace: (-pace.pictures, pace.reviewer))),
    )


def _pace(reviewer: str, saves: Sequence[Save], today: object) -> ReviewerPace:
    undone = {event.undoes for save in saves for event in save.events if event.kind is Kind.UNDO}
    made = [
        (save.time, event)
        for save in saves
        for event in save.events
        if event.kind in (Kind.ACCEPT, Kind.CORRECT) and event.id not in undone
    ]
    times = sorted({time for time, _ in made})
    gaps = {later: (later - earlier).total_seconds() for earlier, later in pairwise(times)}
    busy = {later: gap for later, gap in gaps.items() if gap <= _PAUSE_MAX_S}  # none for the first after a pause
    counted, seconds = sum(time in busy for time, _ in made), sum(busy.values())
    return ReviewerPace(
        reviewer=reviewer,
        pictures=len({event.etag for _, event in made}),
        today=len({event.etag for time, event in made if time.date() == today}),
        corrected=sum(event.kind is Kind.CORRECT for _, event in made),
        per_minute=round(counted / seconds * 60, 1) if seconds > 0 else None,
        last=max(save.time for save in saves),
    )
