"""Results: the stage with both sides, and under each side what it cost, how near it came and the file."""

from __future__ import annotations

from datetime import UTC
from functools import partial

import streamlit as st

from core.errors import EngineFault
from core.generation.engines.engine import Engine
from core.generation.ownership import is_in_charge
from core.generation.records.attempt_status import AttemptPhase, ComparisonStatus, SideStatus
from core.generation.records.outcome import Cancellation, Failure, Outcome, StoredPicture
from core.injection.wishes import SideName
from core.studio import Studio
from core.ui.components.stage.stage import StageSide, StageState, stage
from core.ui.frame.layout import row
from core.ui.frame.markdown import Markdown, fill, plain, quoted
from core.ui.frame.problems import show_problems
from core.ui.frame.session import absolute, fragment, open_session
from core.viewer import Viewer
from core.web.addresses import ORIGINAL, image_url, partial_url

STAGE_HEIGHT = 720
NOT_YOURS = "Only {} or operations can retry this: replay it in History to make your own."
YOURS_TO_PAY = "The comparison stays its owner's. The new attempt is yours: it bears your name and your budget pays."
_POLL_S = 0.5
_NO_PREVIEWS = "The picture comes finished, without previews on the way: it may take a minute or two."
# What a failure is called, and what to do about it.
_FAILURES = {
    EngineFault.REFUSED: ("Refused", "A retry alone sends the same once more."),
    EngineFault.RATE_LIMITED: ("Too many requests", "Wait a moment, then retry this side."),
    EngineFault.TIMED_OUT: ("Not ready in time", "Retry this side; nothing in your prompt caused this."),
    EngineFault.UNAVAILABLE: ("It did not work", "Retry this side in a moment."),
    EngineFault.BAD_REQUEST: (
        "Not accepted",
        "Re-roll, switch off or change what is named above, then generate again.",
    ),
    EngineFault.INTERRUPTED: ("Interrupted", "Retry this side."),
    EngineFault.CANCELLED: ("Cancelled", "Retry this side when you want it after all."),
}
FIDELITY_HELP = (
    "How near the picture's colours come to its tone reference: 100 is the same distribution of colours, "
    "50 is 12 units away, where 2 units are just noticeable and black to white is 100."
)


def results(studio: Studio, viewer: Viewer, shown: ComparisonStatus) -> None:
    """Draw a comparison and follow it while it is at work, without rerunning the page.

    The first draw takes the status as it was read for the page; S3 is not asked again for it.
    """
    comparison_id, busy, read = shown.comparison.id, shown.busy, [shown]

    def follow() -> None:
        with show_problems():
            status = read.pop() if read else studio.runner.status(comparison_id)
            _draw(studio, status, viewer)
            if busy != status.busy:  # polling starts and ends with the work
                st.rerun()

    fragment(follow, run_every=_POLL_S if busy else None)()


def _draw(studio: Studio, status: ComparisonStatus, viewer: Viewer) -> None:
    comparison = status.comparison
    waits = while_running(studio.engines.get(comparison.engine))
    letters = "AB" if len(status.sides) > 1 else " "
    sides = [_stage_side(status, side, letters[at].strip(), viewer, waits) for at, side in enumerate(status.sides)]
    stage(comparison.id, sides, key=f"stage-{comparison.id}", height=STAGE_HEIGHT)
    columns = st.columns(len(sides))
    for side, column in zip(status.sides, columns, strict=True):
        with column:
            _footer(status, side, viewer)


def _stage_side(status: ComparisonStatus, side: SideStatus, letter: str, viewer: Viewer, waits: str) -> StageSide:
    """`waits` is what a side says while it runs and has nothing to show."""
    comparison, outcome = status.comparison, side.latest
    failure = outcome.failure if outcome else None
    headline, detail, may_act = "", "", is_in_charge(viewer, comparison)
    if side.phase is AttemptPhase.QUEUED:
        headline = "Waiting" + (f": {side.ahead} ahead of you" if side.ahead else "")
    elif side.phase is AttemptPhase.RUNNING:
        headline, detail = "Working", waits
    elif failure is not None:
        headline = _FAILURES[failure.kind][0]
        detail = quoted(f"{failure.message} {next_step(failure) if may_act else ''}".strip())
    elif side.phase is AttemptPhase.INTERRUPTED:
        headline = "Interrupted"
        detail = "The server stopped before this side was done." + (" Retry this side." if may_act else "")
    return StageSide(
        name=letter or "A",
        title=side.side.heading,
        state=StageState.FAILED if side.phase is AttemptPhase.INTERRUPTED else StageState(side.phase),
        width_px=comparison.size.width,
        height_px=comparison.size.height,
        picture_url=_picture_url(status, side),
        alt=f"{side.side.heading}: {comparison.wishes.prompt[:200]}",
        headline=headline,
        detail=detail,
        request_id=failure.request_id if failure else None,
        progress=side.progress,
    )


def while_running(engine: Engine | None) -> str:
    """What a side says while it runs and has nothing to show, so that nobody waits for a preview that does not come."""
    return _NO_PREVIEWS if engine and not engine.previews else ""


def next_step(failure: Failure) -> str:
    """What to do about a failure; nothing where only an administrator can, as the message says."""
    if failure.kind is EngineFault.RATE_LIMITED and failure.retry_after_s is None:
        return ""
    return _FAILURES[failure.kind][1]


def _picture_url(status: ComparisonStatus, side: SideStatus) -> str | None:
    if side.phase is AttemptPhase.RUNNING and side.progress is not None:
        return partial_url(status.comparison.id, side.side, side.progress)
    picture = side.latest.picture if side.latest else None
    return image_url(picture.key, picture.etag, ORIGINAL) if picture else None


def _footer(status: ComparisonStatus, side: SideStatus, viewer: Viewer) -> None:
    """What a side came to, and what this person may do about it; core asks again when they do."""
    comparison, outcome, may_act = status.comparison, side.latest, is_in_charge(viewer, status.comparison)
    with row(spread=True):
        if side.busy:
            st.caption(_whose(status, side, viewer), width="content")
            if may_act:
                cancel = partial(_cancel, comparison.id, side.side)
                st.button("Cancel", key=f"cancel-{side.side.value}", type="tertiary", on_click=cancel)
        elif outcome is not None and outcome.picture is not None:
            _figures(outcome, outcome.picture.fidelity)
            download_button(comparison.id, outcome.picture, side.side)
        else:
            charged = f" · {money(outcome)}" if outcome is not None else ""
            st.caption(fill("Attempt {}: {}{}", side.attempt, side.phase.value, charged), width="content")
            if may_act:
                st.button(
                    "Retry this side",
                    key=f"retry-{side.side.value}",
                    icon=":material/refresh:",
                    help=None if viewer.email == comparison.person else YOURS_TO_PAY,
                    on_click=partial(_retry, comparison.id, side.side),
                )
    if outcome is not None and outcome.cancelled is not None:
        st.caption(plain(cancelled_by(outcome.cancelled)))
    for note in outcome.notes if outcome is not None else ():
        st.caption(plain(note))
    if not (may_act or side.busy or (outcome is not None and outcome.picture is not None)):
        st.caption(fill(NOT_YOURS, comparison.person))


def cancelled_by(cancelled: Cancellation) -> str:
    """Who had an attempt stopped, and when."""
    return f"Cancelled by {cancelled.person} at {cancelled.at.astimezone(UTC):%H:%M:%S} UTC."


def _whose(status: ComparisonStatus, side: SideStatus, viewer: Viewer) -> Markdown:
    """Whose work this is, where it is not the viewer's own."""
    owner, asked = status.comparison.person, side.person or status.comparison.person
    if asked != owner:
        return fill("Ordered by {}, retried by {}", owner, asked)
    if owner == viewer.email:
        return fill("")
    if is_in_charge(viewer, status.comparison):
        return fill("Ordered by {}", owner)
    return fill("Ordered by {}. Only they or operations can cancel it.", owner)


def _figures(outcome: Outcome, fidelity: float | None) -> None:
    with row(width="content"):
        if fidelity is not None:
            st.markdown(fill("**Fidelity {:.0f}**", fidelity), help=FIDELITY_HELP, width="content")
        st.caption(fill("{:.1f} s · {}", outcome.seconds, money(outcome)), width="content")


def download_button(comparison_id: str, picture: StoredPicture, side: SideName) -> None:
    """Take the original picture of a side home."""
    name = f"{comparison_id}-{side.value}.png"
    url = absolute(image_url(picture.key, picture.etag, ORIGINAL, download_as=name))
    st.link_button("PNG", url, type="tertiary", icon=":material/download:", help=fill("Download {}", side.heading))


def _cancel(comparison_id: str, side: SideName) -> None:
    with show_problems():
        studio, viewer = open_session()
        studio.orders.cancel(comparison_id, side, viewer)


def _retry(comparison_id: str, side: SideName) -> None:
    with show_problems():
        studio, viewer = open_session()
        studio.orders.retry(comparison_id, side, viewer)


def money(outcome: Outcome) -> str:
    """What an attempt cost, in words that make neither an unknown price look free nor a failure charged."""
    if outcome.cost is None and outcome.failure is not None:
        return "not charged"
    if outcome.cost is None or outcome.cost.usd is None:
        return "unpriced"
    about = "about " if outcome.cost.estimate else ""
    return "free" if outcome.cost.usd == 0 else f"{about}${outcome.cost.usd:.2f}"
