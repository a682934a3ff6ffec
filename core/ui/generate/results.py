"""Results: the stage with all takes of both sides, which stays until there is something to put in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from core.generation.differences.made_with import made_with
from core.generation.ownership import is_in_charge
from core.generation.planning import Planned
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.comparison import RenderSettings
from core.generation.records.side_titles import side_title
from core.studio import Studio
from core.ui.components.stage.stage import StageData, StageNext, StageSide, StageState, stage
from core.ui.frame.problems import show_problems
from core.ui.frame.session import fragment
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import quoted
from core.ui.frame.words.quantities import time_span
from core.ui.generate.composer.render_fields import render_settings, second_render
from core.ui.generate.side_words import headline, next_says, problem, while_running
from core.ui.generate.stage_footers import act, cancel_label, foot_of, take_title, together, zip_of
from core.viewer import Viewer
from core.web.http.addresses import ORIGINAL, image_url, partial_url

STAGE_HEIGHT = 720
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Staged:
    """What stands on the stage while the comparison `shown` is what the page is about."""

    shown: str
    status: ComparisonStatus


def keep_stage(ordered: str) -> None:
    """A comparison was ordered: what stands on the stage stays there until this one has something to show."""
    staged = st.session_state.get(Key.STAGED)
    if staged is not None and staged.shown == st.session_state.get(Key.SHOWN):
        st.session_state[Key.STAGED] = Staged(ordered, staged.status)


def results(studio: Studio, viewer: Viewer, shown: ComparisonStatus, planned: Planned) -> None:
    """Draw a comparison and follow it while it is at work, without rerunning the page.

    The first draw takes the status as it was read for the page, and memory has the next ones: S3 is asked for what
    another server works on. What has changed in the plan since is said on the stage.
    """
    drawn_at, read = datetime.now(UTC), [shown]

    def follow() -> None:
        with show_problems():
            status = read.pop() if read else studio.runner.statuses_lately([shown.comparison.id])[0]
            _draw(studio, viewer, _standing(studio, status), status, planned, drawn_at)
            if status.busy != shown.busy:  # polling starts and ends with the work
                st.rerun()

    fragment(follow, run_every=_POLL_S if shown.busy else None)()


def _standing(studio: Studio, shown: ComparisonStatus) -> ComparisonStatus:
    """What stands on the stage: what stood there before, until what was ordered has something to show."""
    staged, standing = st.session_state.get(Key.STAGED), shown
    has_nothing = all(side.busy and side.progress is None for side in shown.sides)
    if staged is not None and staged.shown == shown.comparison.id and has_nothing:
        before = staged.status
        if before.busy and before.comparison.id != shown.comparison.id:
            before = studio.runner.status(before.comparison.id)
        if any(side_picture_url(before, side) for side in before.sides):
            standing = before
    st.session_state[Key.STAGED] = Staged(shown.comparison.id, standing)
    return standing


def _draw(
    studio: Studio,
    viewer: Viewer,
    standing: ComparisonStatus,
    shown: ComparisonStatus,
    planned: Planned,
    drawn_at: datetime,
) -> None:
    comparison = standing.comparison
    studio.seen.shown(viewer, standing)
    is_waited_for = comparison.id != shown.comparison.id
    takes = standing.takes
    data = StageData(
        comparison=comparison.id,
        height=STAGE_HEIGHT,
        takes=[
            [_stage_side(studio, standing, side, letter, viewer) for side, letter in _lettered(sides)]
            for sides in takes
        ],
        take=[sides[0].take for sides in takes].index(standing.best_take) + 1,
        drawn_at_ms=_ms(drawn_at),
        made_with=made_with(
            comparison, planned, render_settings(studio), studio.vocabulary, render_b=second_render(studio)
        ),
        next=_following(studio, shown, viewer) if is_waited_for else None,
        together=together(standing, viewer),
        zip=zip_of(standing),
    )
    stage(data, key="stage", act=act)


def _lettered(sides: Sequence[SideStatus]) -> Iterator[tuple[SideStatus, str]]:
    """The sides with their letters; one that stands alone is A."""
    return zip(sides, "AB", strict=False)


def _stage_side(studio: Studio, status: ComparisonStatus, side: SideStatus, letter: str, viewer: Viewer) -> StageSide:
    comparison, outcome = status.comparison, side.latest
    render, title = comparison.render_of(side.side), side_title(comparison, side.side)
    waits = while_running(studio.engines.get(render.engine)) if side.phase is AttemptPhase.RUNNING else ""
    picture = outcome.picture if outcome else None
    return StageSide(
        name=letter,
        title=title,
        state=StageState.FAILED if side.phase is AttemptPhase.INTERRUPTED else StageState(side.phase),
        width_px=render.size.width,
        height_px=render.size.height,
        picture_url=side_picture_url(status, side),
        alt=f"{take_title(status, side, title)}: {comparison.wishes.prompt[:200]}",
        headline=headline(side),
        detail=waits or quoted(problem(side, may_act=is_in_charge(viewer, comparison))),
        request_id=outcome.failure.request_id if outcome and outcome.failure else None,
        progress=side.progress,
        since_ms=_ms(side.since) if side.busy and side.since else None,
        usually=_usually(studio, render) if side.busy else "",
        thumbnail_url=image_url(picture.key, picture.etag) if picture else None,
        foot=foot_of(status, side, title, viewer),
    )


def _following(studio: Studio, shown: ComparisonStatus, viewer: Viewer) -> StageNext:
    since = min((side.since for side in shown.sides if side.since), default=None)
    return StageNext(
        comparison=shown.comparison.id,
        says=next_says(shown),
        since_ms=_ms(since) if since else None,
        usually=_usually(studio, shown.comparison.render),
        cancel=cancel_label(shown) if is_in_charge(viewer, shown.comparison) else "",
    )


def _usually(studio: Studio, render: RenderSettings) -> str:
    """How long the model usually takes for such a picture; nothing while too few are known."""
    median = studio.usual.seconds(render)
    return f"usually about {time_span(median.value)}" if median is not None else ""


def side_picture_url(status: ComparisonStatus, side: SideStatus) -> str | None:
    """What a side has to show: its picture, or the last one on its way there; None for nothing."""
    if side.phase is AttemptPhase.RUNNING and side.progress is not None:
        return partial_url(status.comparison.id, side.side, side.progress, take=side.take)
    picture = side.latest.picture if side.latest else None
    return image_url(picture.key, picture.etag, ORIGINAL) if picture else None


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
