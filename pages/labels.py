"""Labels: what is published about every portrait, and by whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

from core.errors import StorageError
from core.labels.portraits import LabelFilter, Portrait, portraits
from core.labels.published import LabelState
from core.labels.schema import AGE_RANGES, Gender, LabelSource
from core.studio import Studio
from core.ui.filters import choice, search_box, switch
from core.ui.notices import library_loading, library_trouble, quiet
from core.ui.paging import paged
from core.ui.picture_grid import picture_grid
from core.ui.problems import show_problem
from core.ui.reference_cards import label_cards
from core.ui.reference_details import open_details
from core.ui.session import open_session
from core.ui.state import Key


def page() -> None:
    """Narrow and open portraits by their labels."""
    studio, _ = open_session()
    status = studio.catalog.status
    if not status.ready:
        library_loading(studio)
        return
    index, labels = studio.catalog.index, studio.labels
    everything = portraits(index, labels, LabelFilter())
    labelled = sum(found.state is not LabelState.MISSING for _, found in everything)
    st.markdown(
        f"**Labels** :gray[{labelled:,} of {len(everything):,} portraits have a label · version {labels.version}]"
    )
    library_trouble(status)
    for broken in labels.broken:
        st.warning(f"labels/personas.jsonl, line {broken.line}: {broken.reason} The other lines serve.")
    reported = _reported(studio)
    wanted, reported_only = _filters()
    found = [row for row in portraits(index, labels, wanted) if not reported_only or row.reference.etag in reported]
    if not found:
        quiet("No portrait passes these filters", "Clear the search or one of the filters.")
        return
    _grid(studio, found, reported)


def _reported(studio: Studio) -> Collection[str]:
    """The etags of pictures somebody called a wrong match; none while S3 does not say."""
    try:
        return studio.reports.by_etag().keys()
    except StorageError as err:
        show_problem(err)
        return ()


def _filters() -> tuple[LabelFilter, bool]:
    page = Key.LABEL_PAGE
    with st.container(horizontal=True, vertical_alignment="center", key="label-filters"):
        text = search_box(Key.LABEL_SEARCH, "Search persona or folder", page=page)
        age_range = choice("Any age", [name for name, _, _ in AGE_RANGES], Key.LABEL_AGE, page=page)
        gender = choice("Any gender", [gender.value for gender in Gender], Key.LABEL_GENDER, page=page)
        source = choice("Any source", [source.value for source in LabelSource], Key.LABEL_SOURCE, page=page)
        state = choice("Any state", [state.value for state in LabelState], Key.LABEL_STATE, page=page)
        reported_only = switch("Wrong match reported", Key.LABEL_REPORTED, page=page)
    wanted = LabelFilter(
        text=text,
        age_range=age_range,
        gender=Gender(gender) if gender else None,
        source=LabelSource(source) if source else None,
        state=LabelState(state) if state else None,
    )
    return wanted, reported_only


def _grid(studio: Studio, found: Sequence[Portrait], reported: Collection[str]) -> None:
    body = st.container()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"{len(found):,} found", width="content")
        shown = paged(found, Key.LABEL_PAGE)
    with body:
        event = picture_grid(label_cards(shown, reported), key=Key.LABEL_GRID, label="Portraits", min_card_px=116)
    opened = studio.catalog.index.get(event.opened) if event.opened else None
    if opened is not None:
        open_details(studio, opened)


page()
