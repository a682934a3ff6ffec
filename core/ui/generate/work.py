"""Work: what is being made for the person who looks, told on every page as long as it is not told on the stage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.errors import StorageError
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.studio import Studio
from core.ui.components.work_line.work_line import WorkData, work_line
from core.ui.frame.problems import show_problems
from core.ui.frame.session import fragment, open_session
from core.ui.frame.state import Key, session_value
from core.ui.generate.side_words import count_words


@dataclass
class SeenWork:
    """What this tab has told to be at work, and how the last of it ended, for what has ended since."""

    comparisons: tuple[str, ...] = ()
    ended: str = ""
    ended_at_ms: int = 0


def tell_work(*, is_on_stage: bool) -> None:
    """Draw the line; the browser asks again as long as there is work, and memory answers: S3 is asked once, at the end.

    `is_on_stage` on the page with the stage, where the tab's title says nothing while it is looked at.
    """

    def tell() -> None:
        with show_problems():
            studio, viewer = open_session()
            work_line(_work(studio, viewer.email, is_on_stage=is_on_stage), key="work-line-script", cancel=_cancel)

    fragment(tell)()


def _work(studio: Studio, person: str, *, is_on_stage: bool) -> WorkData:
    seen = session_value(Key.WORK, SeenWork, SeenWork)
    at_work = studio.runner.work_of(person)
    drawn_at_ms = round(datetime.now(UTC).timestamp() * 1000)
    if not at_work:
        if seen.comparisons:
            seen.ended, seen.ended_at_ms = _ended(studio, seen.comparisons), drawn_at_ms
            seen.comparisons = ()
        return WorkData(
            drawn_at_ms=drawn_at_ms, ended=seen.ended, ended_at_ms=seen.ended_at_ms, is_on_stage=is_on_stage
        )
    ids = tuple(status.comparison.id for status in at_work)
    seen.comparisons = tuple(dict.fromkeys((*seen.comparisons, *ids)))
    sides = [side for status in at_work for side in status.sides]
    return WorkData(
        comparisons=ids,
        says=progress_words(sides),
        cancel=cancel_words(at_work),
        since_ms=min(round(side.since.timestamp() * 1000) for side in sides if side.busy and side.since),
        drawn_at_ms=drawn_at_ms,
        is_on_stage=is_on_stage,
    )


def progress_words(sides: Sequence[SideStatus]) -> str:
    """How many have ended of how many; of what has not begun, when it will."""
    if all(side.phase is AttemptPhase.QUEUED for side in sides):
        ahead = min(side.ahead for side in sides)
        return f"Waiting: {ahead} ahead" if ahead else "Waiting"
    return f"{sum(not side.busy for side in sides)} of {len(sides)}"


def cancel_words(at_work: Sequence[ComparisonStatus]) -> str:
    """What the button says that stops all of it."""
    busy = sum(side.busy for status in at_work for side in status.sides)
    if len(at_work) > 1:
        return f"Cancel all {busy}"
    return f"Cancel {count_words(busy)}" if busy > 1 else "Cancel"


def _ended(studio: Studio, comparisons: Sequence[str]) -> str:
    try:
        phases = [side.phase for status in studio.runner.statuses(comparisons) for side in status.sides]
    except StorageError:
        return "Ended"
    return end_words(phases)


def end_words(phases: Iterable[AttemptPhase]) -> str:
    """How it went in a word: nothing for what was cancelled, for who did that knows."""
    done = [phase is AttemptPhase.DONE for phase in phases if phase is not AttemptPhase.CANCELLED]
    if all(done):
        return "Done" if done else ""
    return f"{sum(done)} of {len(done)} done" if any(done) else "Failed"


def _cancel(comparisons: Sequence[str]) -> None:
    with show_problems():
        studio, viewer = open_session()
        for status in studio.runner.work_of(viewer.email):
            if status.comparison.id in comparisons:
                studio.orders.cancel_all(status.comparison.id, viewer)
