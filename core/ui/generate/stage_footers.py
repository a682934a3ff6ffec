"""Stage footers: under each side what it came to, the file, and what this person may do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import LiteralString

import streamlit as st

from core.generation.ownership import is_in_charge
from core.generation.records.attempt_status import ComparisonStatus, SideStatus
from core.generation.records.outcome import Outcome, StoredPicture
from core.injection.wishes import SideName
from core.ui.frame.glossary import FIDELITY_HELP, UNPRICED_HELP
from core.ui.frame.layout import row
from core.ui.frame.markdown import Markdown, fill, plain
from core.ui.frame.problems import show_problems
from core.ui.frame.session import absolute, open_session
from core.ui.generate.side_words import cancelled_by, countdown, money, wait_s
from core.viewer import Viewer
from core.web.addresses import ORIGINAL, image_url

NOT_YOURS = "Only {} or operations can retry this: replay it in History to make your own."
YOURS_TO_PAY = "The comparison stays its owner's. The new attempt is yours: it bears your name and your budget pays."


def footers(status: ComparisonStatus, viewer: Viewer) -> None:
    """Draw them side by side, as high while a side is at work as when it has ended.

    What can be done for both sides at once is done by one press; core asks again who may.
    """
    columns = st.columns(len(status.sides))
    for at, (side, column) in enumerate(zip(status.sides, columns, strict=True)):
        with column:
            _footer(status, side, viewer, is_last=at == len(columns) - 1)


def cancel_label(status: ComparisonStatus) -> LiteralString:
    """What the button says that stops all work on a comparison."""
    return "Cancel both" if sum(side.busy for side in status.sides) > 1 else "Cancel"


def download_button(comparison_id: str, picture: StoredPicture, side: SideName) -> None:
    """Take the original picture of a side home."""
    name = f"{comparison_id}-{side.value}.png"
    url = absolute(image_url(picture.key, picture.etag, ORIGINAL, download_as=name))
    st.link_button("PNG", url, type="tertiary", icon=":material/download:", help=fill("Download {}", side.heading))


def _footer(status: ComparisonStatus, side: SideStatus, viewer: Viewer, *, is_last: bool) -> None:
    comparison, outcome, may_act = status.comparison, side.latest, is_in_charge(viewer, status.comparison)
    has_picture = outcome is not None and outcome.picture is not None
    with row(spread=True, key=f"foot-{side.side.value}"):
        _facts(status, side, viewer)
        with row(width="content"):
            if outcome is not None and outcome.picture is not None:
                download_button(comparison.id, outcome.picture, side.side)
            elif may_act and side.busy:
                _cancel_buttons(status, side, is_last=is_last)
            elif may_act:
                _retry_buttons(status, side, viewer, is_last=is_last)
    if outcome is not None and outcome.cancelled is not None:
        st.caption(plain(cancelled_by(outcome.cancelled)))
    for note in outcome.notes if outcome is not None else ():
        st.caption(plain(note))
    if not (may_act or side.busy or has_picture):
        st.caption(fill(NOT_YOURS, comparison.person))


def _facts(status: ComparisonStatus, side: SideStatus, viewer: Viewer) -> None:
    outcome = side.latest
    if side.busy:
        st.caption(_whose(status, side, viewer), width="content")
    elif outcome is not None and outcome.picture is not None:
        _figures(outcome, outcome.picture.fidelity)
    else:
        charged = f" · {money(outcome)}" if outcome is not None else ""
        st.caption(fill("Attempt {}: {}{}", side.attempt, side.phase.value, charged), width="content")


def _cancel_buttons(status: ComparisonStatus, side: SideStatus, *, is_last: bool) -> None:
    comparison_id = status.comparison.id
    cancel = partial(_cancel, comparison_id, side.side)
    st.button("Cancel", key=f"cancel-{side.side.value}", type="tertiary", on_click=cancel)
    if is_last and (label := cancel_label(status)) != "Cancel":
        st.button(label, key="cancel-all", type="tertiary", on_click=partial(cancel_all, comparison_id))


def _retry_buttons(status: ComparisonStatus, side: SideStatus, viewer: Viewer, *, is_last: bool) -> None:
    """While the far side wants to be left alone the buttons count down; nothing is ever sent by itself."""
    comparison, now = status.comparison, datetime.now(UTC)
    is_own = viewer.email == comparison.person
    _retry_button(
        "Retry this side", side.side.value, is_own, wait_s(side, now), partial(_retry, comparison.id, side.side)
    )
    if is_last and len(status.sides) > 1 and all(one.is_without_picture for one in status.sides):
        wait = max(wait_s(one, now) for one in status.sides)
        _retry_button("Retry both", "all", is_own, wait, partial(_retry_all, comparison.id))


def _retry_button(label: LiteralString, name: str, is_own: bool, wait: float, act: Callable[[], None]) -> None:
    st.button(
        fill("{} in {}", label, countdown(wait)) if wait else label,
        key=f"retry-{name}",
        icon=":material/refresh:",
        help=None if is_own else YOURS_TO_PAY,
        disabled=wait > 0,
        on_click=act,
    )


def cancel_all(comparison_id: str) -> None:
    """Stop all work on a comparison."""
    with show_problems():
        studio, viewer = open_session()
        studio.orders.cancel_all(comparison_id, viewer)


def _cancel(comparison_id: str, side: SideName) -> None:
    with show_problems():
        studio, viewer = open_session()
        studio.orders.cancel(comparison_id, side, viewer)


def _retry(comparison_id: str, side: SideName) -> None:
    with show_problems():
        studio, viewer = open_session()
        studio.orders.retry(comparison_id, side, viewer)


def _retry_all(comparison_id: str) -> None:
    with show_problems():
        studio, viewer = open_session()
        studio.orders.retry_all(comparison_id, viewer)


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
        is_unpriced = outcome.cost is not None and outcome.cost.usd is None
        says = fill("{:.1f} s · {}", outcome.seconds, money(outcome))
        st.caption(says, width="content", help=UNPRICED_HELP if is_unpriced else None)
