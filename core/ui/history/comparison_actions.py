"""Actions on a past comparison: open it in the composer, replay it, or retry one side of it."""

from __future__ import annotations

import streamlit as st

from core.generation.ownership import is_in_charge
from core.generation.records.attempt_status import ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison
from core.generation.variation import lost_slots
from core.studio import Studio
from core.ui.frame.filters import go_to
from core.ui.frame.problems import show_problems
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import fill, plain
from core.ui.generate.header.price import price_for
from core.ui.generate.stage_footers import NOT_YOURS, YOURS_TO_PAY, retry_label
from core.viewer import Capability, Viewer


def show_in_generate(comparison_id: str) -> None:
    """Go to the Generate page with this comparison on the stage and in the composer."""
    st.session_state.pop(Key.SHOWN, None)
    st.session_state[Key.RECALL] = comparison_id
    go_to("generate")


def open_button(comparison_id: str) -> None:
    """Recall the whole composer state."""
    if st.button("Open in Generate", type="primary", icon=":material/open_in_full:"):
        show_in_generate(comparison_id)


def replay_button(studio: Studio, viewer: Viewer, comparison: Comparison) -> None:
    """Send the identical request again; not while anything of it is missing."""
    missing = studio.variations.missing(comparison)
    usd, usual = studio.orders.estimate_again(comparison), studio.orders.usual_charge_again(comparison)
    price = price_for(studio, usd, comparison.render, viewer.email, usual=usual)
    if st.button(
        "Replay",
        icon=":material/replay:",
        disabled=bool(missing) or price.objection is not None,
        help=fill(
            "Send the identical request again: {}. The image model has no seed: the picture will differ.",
            price.line,
        ),
    ):
        with show_problems():
            viewer.require(Capability.GENERATE)
            show_in_generate(studio.variations.replay(comparison, viewer).id)


def show_missing(studio: Studio, comparison: Comparison) -> None:
    """Name the references that are no longer there."""
    for slot in studio.variations.missing(comparison):
        st.caption(
            fill(":material/broken_image: `{}` is no longer in S3 as it was: it cannot be replayed.", slot.key or "")
        )


def retry_button(studio: Studio, viewer: Viewer, status: ComparisonStatus, side: SideStatus) -> None:
    """Another attempt of one picture in the same comparison; all others stay and are not charged."""
    comparison = status.comparison
    if not is_in_charge(viewer, comparison):
        st.caption(fill(NOT_YOURS, comparison.person), width="content")
        return
    whose = "" if viewer.email == comparison.person else f" {YOURS_TO_PAY}"
    usd = studio.orders.estimate_again(comparison, side.side)
    usual = studio.orders.usual_charge_again(comparison, side.side)
    price = price_for(studio, usd, comparison.render_of(side.side), viewer.email, usual=usual)
    missing = lost_slots([comparison.side(side.side)], studio.catalog.index)
    if st.button(
        retry_label(status),
        key=f"retry-{side.side.value}-{side.take}",
        type="tertiary",
        icon=":material/refresh:",
        disabled=side.busy or bool(missing) or price.objection is not None,
        help=fill("Another attempt, beside those there are: {}. Other pictures stay as they are.{}", price.line, whose),
    ):
        with show_problems():
            viewer.require(Capability.GENERATE)
            studio.orders.retry(comparison.id, side.side, viewer, take=side.take)
            show_in_generate(comparison.id)
    st.caption(plain(price.objection or price.line), width="content")
