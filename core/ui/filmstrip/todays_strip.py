"""Today's strip: what this person ordered since their day began, below the stage, each brought back by a press."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final, Literal

import streamlit as st

from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison
from core.generation.records.side_titles import side_title
from core.injection.request.wishes import Mode, Varies
from core.studio import Studio
from core.ui.components.filmstrip.filmstrip import (
    ITEMS_MAX,
    FilmstripEvent,
    FilmstripItem,
    FilmstripSide,
    filmstrip,
)
from core.ui.filmstrip.pair import Pair, bring_back, pair_in_address, pair_of, show_pair
from core.ui.filmstrip.queue_panel import queue_panel
from core.ui.frame.filters import go_to
from core.ui.frame.problems import show_problems
from core.ui.frame.session import fragment
from core.ui.frame.state import Key
from core.ui.frame.words.local_time import day_began, reader_zone
from core.ui.frame.words.names import MODES, VARIES
from core.ui.frame.words.quantities import count_of, ordinal
from core.ui.generate.composer.draft_keeper import aside_prompt, want_aside_back
from core.viewer import Viewer
from core.web.http.addresses import image_url

_DRAFT: Final = "draft"
_POLL_S: Final = 1.0
_PROMPT_CHARS: Final = 80
_STATES: Final[dict[AttemptPhase, Literal["queued", "running", "failed", "cancelled", "done"]]] = {
    AttemptPhase.QUEUED: "queued",
    AttemptPhase.RUNNING: "running",
    AttemptPhase.DONE: "done",
    AttemptPhase.FAILED: "failed",
    AttemptPhase.INTERRUPTED: "failed",
    AttemptPhase.CANCELLED: "cancelled",
}


def todays_strip(studio: Studio, viewer: Viewer) -> None:
    """Draw what this person ordered today, newest first, and follow what of it is at work without the page's help."""
    with show_problems():
        read = [_todays(studio, viewer)]
        is_busy = any(status.busy for status in read[0])

        def follow() -> None:
            with show_problems():
                statuses = read.pop() if read else _todays(studio, viewer)
                studio.seen.shown(viewer, *statuses)
                _draw(studio, viewer, statuses)
                if is_busy and not any(status.busy for status in statuses):
                    st.rerun()  # asking ends with the work

        fragment(follow, run_every=_POLL_S if is_busy else None)()


def _todays(studio: Studio, viewer: Viewer) -> list[ComparisonStatus]:
    since = day_began(reader_zone())
    return studio.runner.statuses_lately(studio.history.made_since(since, viewer.email, limit=ITEMS_MAX))


def _draw(studio: Studio, viewer: Viewer, statuses: Sequence[ComparisonStatus]) -> None:
    if not statuses and aside_prompt() is None:
        return
    pair, zone, now = pair_in_address(), reader_zone(), datetime.now(UTC)
    queue = [waiting.comparison for waiting in studio.orders.waiting_of(viewer)]
    items = [*_draft_item(), *(strip_item(status, _mark(status, pair), queue, zone, now) for status in statuses)]
    event = filmstrip(items, key=Key.FILMSTRIP, label="Today", more="All in History")
    queue_panel(studio, viewer)
    _answer(event, {status.comparison.id: status for status in statuses}, viewer)


def _answer(event: FilmstripEvent, statuses: dict[str, ComparisonStatus], viewer: Viewer) -> None:
    """Do what was pressed; what is not in the strip any more is nothing."""
    if event.brought == _DRAFT:
        want_aside_back()
        st.rerun()
    if event.brought in statuses:
        bring_back(event.brought)
        st.rerun()
    if event.paired is not None and all(chosen.id in statuses for chosen in event.paired):
        left, right = ((statuses[chosen.id], chosen) for chosen in event.paired)
        show_pair(pair_of(left, right))
        st.rerun()
    if event.wants_more:
        go_to("history", {Key.HISTORY_PERSON: viewer.email})


def _draft_item() -> list[FilmstripItem]:
    """The draft that gave way to a comparison which was brought back: nothing that was typed is lost."""
    prompt = aside_prompt()
    if prompt is None:
        return []
    short = " ".join(prompt.split())[:_PROMPT_CHARS] or "no prompt"
    return [FilmstripItem(_DRAFT, f"Your unsent draft, “{short}”: back to the composer", "", "unsent draft", 0.8, ())]


def _mark(status: ComparisonStatus, pair: Pair | None) -> Literal["", "shown", "left", "right"]:
    if pair is None:
        return "shown" if status.comparison.id == st.session_state.get(Key.SHOWN) else ""
    if status.comparison.id == pair.left.comparison:
        return "left"
    return "right" if status.comparison.id == pair.right.comparison else ""


def strip_item(
    status: ComparisonStatus,
    mark: Literal["", "shown", "left", "right"],
    queue: Sequence[str],
    zone: tzinfo,
    now: datetime,
) -> FilmstripItem:
    """A comparison as the strip shows it, and as it is told to who hears it; `queue` are one's own that wait here."""
    comparison = status.comparison
    is_waiting = all(side.phase is AttemptPhase.QUEUED for side in status.sides)
    place = ordinal(queue.index(comparison.id) + 1) if comparison.id in queue else ""
    sides = [_strip_side(comparison, side, place, now) for side in status.best_pair]
    takes = count_of(comparison.takes, "take") if comparison.takes > 1 else ""
    prompt = " ".join(comparison.wishes.prompt.split())[:_PROMPT_CHARS]
    standing = f"waiting, {place} in your queue" if is_waiting and place else _standing(status)
    return FilmstripItem(
        id=comparison.id,
        name=f"{comparison.created_at.astimezone(zone):%H:%M}, {_kind(comparison)}, “{prompt}”: {standing}",
        mark=mark,
        note=" · ".join(filter(None, ("waiting", place, takes))) if is_waiting else "",
        takes=takes,
        ratio=round(comparison.size.width / comparison.size.height, 3),
        sides=sides,
    )


def _kind(comparison: Comparison) -> str:
    """What was made: `Compare`, `Compare model, 3 takes`."""
    varies = f" {VARIES[comparison.varies].lower()}" if comparison.varies is not Varies.ANGLE else ""
    mode = MODES[comparison.mode] + (varies if comparison.mode is Mode.COMPARE else "")
    return f"{mode}, {count_of(comparison.takes, 'take')}" if comparison.takes > 1 else mode


def _standing(status: ComparisonStatus) -> str:
    """How it stands in words: once where all sides stand alike, and in numbers where there are several takes."""
    phases = [_phase_words(side.phase) for side in status.sides]
    if len(set(phases)) == 1:
        return phases[0]
    if len(status.takes) > 1:
        done = sum(side.phase is AttemptPhase.DONE for side in status.sides)
        return f"{done} of {len(phases)} done" + (", at work" if status.busy else "")
    titles = [side_title(status.comparison, side.side) for side in status.sides]
    return ", ".join(f"{title} {words}" for title, words in zip(titles, phases, strict=True))


def _phase_words(phase: AttemptPhase) -> str:
    return {AttemptPhase.QUEUED: "waiting", AttemptPhase.RUNNING: "at work"}.get(phase, phase.value)


def _strip_side(comparison: Comparison, side: SideStatus, place: str, now: datetime) -> FilmstripSide:
    picture = side.latest.picture if side.latest else None
    elapsed = now - side.since if side.phase is AttemptPhase.RUNNING and side.since else None
    title = side_title(comparison, side.side)
    return FilmstripSide(
        side=side.side.value,
        state=_STATES[side.phase],
        word=title if picture else place or "waits" if side.phase is AttemptPhase.QUEUED else "",
        picture_url=image_url(picture.key, picture.etag) if picture else None,
        elapsed_s=max(0, round(elapsed.total_seconds())) if elapsed is not None else None,
    )
