"""History details: one comparison with its slots, prompts and attempts, to recall, replay or make again."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from core.generation.records.attempt_status import ComparisonStatus, SideStatus
from core.generation.records.comparison import Comparison, SideRecord
from core.images.thumbnails import THUMBNAIL_SIDES
from core.injection.slots import Slot
from core.studio import Studio
from core.ui.frame.layout import row
from core.ui.frame.markdown import breakable, fill, link, plain
from core.ui.frame.session import absolute, dialog
from core.ui.frame.state import Key
from core.ui.generate.results import download_button
from core.ui.generate.slot_strip import sections, trail
from core.ui.history.attempts import attempts
from core.ui.history.comparison_actions import open_button, regenerate_button, replay_button, show_missing
from core.ui.history.variation_panel import variation_panel
from core.viewer import Viewer
from core.web.addresses import image_url

_WORDS_PX = 370  # beside a thumbnail and its "Why" in half of the drawer


def open_comparison(studio: Studio, viewer: Viewer, status: ComparisonStatus) -> None:
    """Open the drawer for a comparison."""
    dialog("Comparison", _details, width="large", position="right")(studio, viewer, status)


def _details(studio: Studio, viewer: Viewer, status: ComparisonStatus) -> None:
    comparison = status.comparison
    st.text(comparison.wishes.prompt)
    _facts(comparison)
    planned_here = comparison.legacy is None
    with row():
        open_button(comparison.id)
        if planned_here:
            replay_button(studio, viewer, comparison)
            changing = st.toggle("Change and make again", key=f"{Key.VARIATION_OPEN}-{comparison.id}")
    show_missing(studio, comparison)
    if planned_here and changing:
        variation_panel(studio, viewer, comparison)
    columns = st.columns(len(status.sides))
    for side, column in zip(status.sides, columns, strict=True):
        with column:
            _side(studio, viewer, status, side)


def _facts(comparison: Comparison) -> None:
    """When, by whom, with what; where it comes from; and whether the pair is fair."""
    made = f"{comparison.created_at:%Y-%m-%d %H:%M:%S} UTC · {comparison.person or 'nobody'}"
    if comparison.legacy is None:
        quality = f" · {comparison.quality}" if comparison.quality != "auto" else ""
        engine = f"{comparison.engine} {comparison.model}{quality}"
        st.caption(plain(f"{made} · {engine} · {comparison.size} · seed {comparison.seed}"))
    else:
        output = fill(" · picture `{}`", comparison.legacy.output) if comparison.legacy.output else ""
        st.caption(fill("{} · imported, record `{}`{}", made, comparison.legacy.id, output))
    for relation, origin in (("Replay of", comparison.replay_of), ("Made from", comparison.made_from)):
        if origin is not None:
            st.caption(
                fill("{} {}", relation, link(origin, f"history?{urlencode({Key.HISTORY_SEARCH.value: origin})}"))
            )
    if comparison.controlled is not None:
        with row():
            st.badge(fill("controlled: {}", "yes" if comparison.controlled else "no"), color="gray")
            for difference in comparison.differences:
                st.caption(plain(difference.says), width="content")


def _side(studio: Studio, viewer: Viewer, status: ComparisonStatus, side: SideStatus) -> None:
    comparison = status.comparison
    record = comparison.side(side.side)
    st.markdown(fill("**{}**", side.side.heading))
    if side.picture is not None:
        with st.container(key=f"made-{side.side.value}"):
            large = absolute(image_url(side.picture.key, side.picture.etag, THUMBNAIL_SIDES[1]))
            st.image(large, width="stretch", alt=f"{side.side.heading}, made picture")
    with row():
        if comparison.legacy is None:
            regenerate_button(studio, viewer, status, side)
        if side.picture is not None:
            download_button(comparison.id, side.picture, side.side)
    if comparison.legacy is None:
        attempts(side)
    else:
        st.caption("Imported: no timing, cost or request id came with it.")
    _slots(studio, record, is_planned=comparison.legacy is None)
    with st.expander("Sent prompt"):
        if comparison.legacy is not None:
            st.caption("As typed; whether anything was added is not recorded.")
        sections(record)


def _slots(studio: Studio, record: SideRecord, *, is_planned: bool) -> None:
    for at, slot in enumerate(record.slots):
        with row(gap="xsmall", key=f"fold-{record.side.value}-slot-{at}"):
            _slot(studio, slot)
            if is_planned:
                with st.popover("Why", type="tertiary", key=f"trail-{record.side.value}-{at}"):
                    st.markdown(trail(slot, slot.role.value.capitalize()))


def _slot(studio: Studio, slot: Slot) -> None:
    role = slot.role.value.capitalize()
    if not slot.key:
        st.caption(fill("**{}** empty. {}", role, slot.why))
        return
    now = studio.catalog.index.get(slot.key)
    if now is None or now.etag != slot.etag:
        st.caption(fill(":material/broken_image: **{}** `{}` is no longer in S3 as it was", role, slot.key))
        return
    st.image(absolute(image_url(slot.key, now.etag)), width=44, alt=f"{slot.name}")
    st.caption(fill("**{}** {}. {}", role, breakable(slot.name or ""), slot.why), width=_WORDS_PX)
