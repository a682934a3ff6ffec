"""Labels: what every portrait's label says and by whom, and the review in which people decide."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.labels.queue.queue import QueueItem
from core.studio import Studio
from core.ui.frame.drawer import open_drawer
from core.ui.frame.filters import segments
from core.ui.frame.layout import empty_state, row
from core.ui.frame.notices import library_is_listed, library_loading, library_trouble
from core.ui.frame.problems import show_problems
from core.ui.frame.session import open_session
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.quantities import count_of
from core.ui.labels.label_disagreements import label_disagreements
from core.ui.labels.label_filters import label_filters
from core.ui.labels.label_focus import label_focus
from core.ui.labels.label_lending import leave_desk
from core.ui.labels.label_publish import publish_button, warn_if_old
from core.ui.labels.label_sheet import browse_labels, label_sheet
from core.ui.references.reference_details import reference_drawer
from core.viewer import Capability, Viewer

_FOCUS, _GRID, _DISAGREEMENTS, _TRUST = "Focus", "Grid", "Disagreements", "Trust"


def page() -> None:
    """Narrow portraits by their labels, and decide about them where one's role allows it."""
    studio, viewer = open_session()
    if not library_is_listed(studio):
        library_loading(studio)
        return
    view = _header(studio, viewer)
    library_trouble(studio)
    warn_if_old(studio)
    for broken in studio.labels.broken:
        st.warning(fill("labels/personas.jsonl, line {}: {} The other lines serve.", broken.line, broken.reason))
    if view != _FOCUS:
        leave_desk(studio, viewer)
    if view == _DISAGREEMENTS:
        label_disagreements(studio, viewer)
        return
    if view == _TRUST:
        from core.ui.labels.label_trust import label_trust  # it brings Altair, which takes longer than all other views

        label_trust(studio, viewer)
        return
    groups = [group.name for folder in studio.catalog.index.folders for group in folder.groups]
    wanted = label_filters(
        sorted(set(groups)), studio.review_service.reviewers(viewer), is_reviewer=viewer.may(Capability.REVIEW)
    )
    found = studio.review_service.queue(viewer, wanted)
    if view == _FOCUS:
        label_focus(studio, viewer, found, wanted)
    elif found:
        _grid(studio, viewer, found)
    else:
        empty_state("No portrait passes these filters", "Clear the search or one of the filters.")


def _header(studio: Studio, viewer: Viewer) -> str:
    """How things stand, the ways to look at them, and publishing."""
    with row(spread=True):
        place = st.container(width="content")
        view: str | None = _GRID
        if viewer.may(Capability.REVIEW):
            with row(width="content"):
                view = segments(
                    "View", [_FOCUS, _GRID, _DISAGREEMENTS, _TRUST], Key.LABEL_VIEW, page=Key.LABEL_PAGE, default=_FOCUS
                )
                publish_button(studio)
    if view == _DISAGREEMENTS:  # before anything is counted, so that all numbers are of one moment
        with show_problems():
            studio.review_service.refresh(viewer)
    counts = studio.review_service.counts(viewer)
    with place:
        st.markdown(
            fill(
                "**Labels** :gray[{:,} of {:,} portraits have a label · {:,} waiting for you{} · version {}]",
                counts.labelled,
                counts.portraits,
                counts.waiting,
                f" · {count_of(counts.disagreements, 'disagreement')}" if counts.disagreements else "",
                studio.labels.version,
            )
        )
    return view or _FOCUS


def _grid(studio: Studio, viewer: Viewer, found: Sequence[QueueItem]) -> None:
    may_review = viewer.may(Capability.REVIEW)
    event = label_sheet(studio, viewer, found) if may_review else browse_labels(found)
    if event.opened:
        open_drawer(event.opened)
    reference_drawer(studio)


page()
