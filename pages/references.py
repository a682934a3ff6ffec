"""References: the library as S3 really holds it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.references.catalog import CatalogStatus
from core.references.index import ReferenceIndex
from core.references.reference import Filter, Reference
from core.studio import Studio
from core.ui.components.picture_grid.picture_grid import clear_selection, picture_grid
from core.ui.frame.layout import empty_state, page_of, row
from core.ui.frame.markdown import fill
from core.ui.frame.notices import library_empty, library_is_listed, library_loading, library_trouble
from core.ui.frame.problems import show_problems
from core.ui.frame.quantities import count_of, time_span
from core.ui.frame.session import open_session
from core.ui.frame.state import Key
from core.ui.references.drift_note import drift_note
from core.ui.references.plan_diff_report import plan_diff_report
from core.ui.references.problem_list import problem_list
from core.ui.references.reference_cards import group_cards, reference_cards
from core.ui.references.reference_details import open_details
from core.ui.references.reference_filters import GROUPS, follow_jump, jump_to_group, reference_filters


def page() -> None:
    """Narrow, page through, select and open references."""
    studio, _ = open_session()
    if not library_is_listed(studio):
        library_loading(studio)
        return
    index = studio.catalog.index
    _header(studio, index, studio.catalog.status)
    library_trouble(studio)
    follow_jump(index)
    wanted, view = reference_filters(studio, index)
    if wanted.problems_only:
        problem_list(index, wanted)
    if not len(index):
        library_empty(studio)
    elif view == GROUPS:
        _groups(index, wanted)
    else:
        _pictures(studio, index, wanted)


def _header(studio: Studio, index: ReferenceIndex, status: CatalogStatus) -> None:
    groups = sum(len(folder.groups) for folder in index.folders)
    freshness = "refreshing now" if status.refreshing else f"index {time_span(status.age_s)} old"
    litter = f" · {count_of(index.table.litter, 'file')} left out" if index.table.litter else ""
    facts = f"{len(index):,} pictures in {groups} groups{litter} · {freshness}"
    with row(spread=True):
        st.markdown(fill("**References** :gray[{}]", facts), width="content")
        with row(width="content"):
            drift_note(status.drift)
            if st.button("Check past comparisons", type="tertiary", icon=":material/fact_check:"):
                plan_diff_report(studio, index)
            if st.button("Refresh", type="tertiary", icon=":material/refresh:"):
                with show_problems():
                    studio.catalog.refresh()
                    st.rerun()


def _pictures(studio: Studio, index: ReferenceIndex, wanted: Filter) -> None:
    found = index.search(wanted)
    if not found:
        _show_nothing_found()
        return
    with page_of(found, Key.REF_PAGE, is_counted=True) as shown:
        event = picture_grid(reference_cards(shown, index.table), key=Key.REF_GRID, label="References", selectable=True)
    _selection(studio, [ref for ref in shown if ref.key in event.selected])
    if event.opened and (opened := index.get(event.opened)):
        open_details(studio, opened)


def _selection(studio: Studio, chosen: Sequence[Reference]) -> None:
    """What can be done with a selection: take its addresses along, or let it go."""
    if not chosen:
        return
    with row():
        st.caption(fill("{} selected", len(chosen)), width="content")
        with st.popover("S3 addresses", type="tertiary", icon=":material/content_copy:"):
            addresses = [f"s3://{studio.store.bucket}/{ref.key}" for ref in chosen]
            st.code("\n".join(addresses), language=None, wrap_lines=True)
        st.button("Clear selection", type="tertiary", on_click=partial(clear_selection, Key.REF_GRID))


def _groups(index: ReferenceIndex, wanted: Filter) -> None:
    """Groups with their health; opening one shows its pictures."""
    groups = index.groups_with(wanted)
    if not groups:
        _show_nothing_found()
        return
    with page_of(groups, Key.REF_PAGE) as shown:
        cards = group_cards(shown, index.table)
        event = picture_grid(cards, key=f"{Key.REF_GRID}-groups", label="Groups")
    if event.opened in {group.path for group in shown}:
        jump_to_group(event.opened or "")
        st.rerun()


def _show_nothing_found() -> None:
    empty_state("Nothing passes these filters", "Clear the search or one of the filters.")


page()
