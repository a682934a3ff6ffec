"""References: the library as S3 really holds it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.references.catalog import CatalogStatus
from core.references.index import ReferenceIndex
from core.references.reference import Filter, Reference
from core.references.table import References
from core.studio import Studio
from core.ui.components.picture_grid.picture_grid import picture_grid
from core.ui.frame.drawer import open_drawer, opened
from core.ui.frame.layout import empty_state, page_of, row
from core.ui.frame.notices import library_empty, library_is_listed, library_loading, library_trouble
from core.ui.frame.problems import show_problems
from core.ui.frame.session import open_session
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.quantities import count_of, time_span
from core.ui.references.drift_note import drift_note
from core.ui.references.plan_diff_report import PLAN_DIFF_DIALOG, plan_diff_report
from core.ui.references.problem_list import problem_list
from core.ui.references.reference_cards import group_cards, reference_cards
from core.ui.references.reference_details import Found, reference_drawer
from core.ui.references.reference_filters import GROUPS, follow_jump, jump_to_group, reference_filters
from core.ui.references.selection import selection
from core.ui.references.use_in_generate import USE_DIALOG, use_dialog


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
    found = index.search(wanted)
    shown: Sequence[Reference] = ()
    if not len(index):
        library_empty(studio)
    elif view == GROUPS:
        _groups(studio, index, wanted)
    else:
        shown = _pictures(studio, index, found)
    selected = selection(studio, index, shown)
    _drawer(studio, index, found, selected)


def _drawer(studio: Studio, index: ReferenceIndex, found: References, selected: Sequence[Reference]) -> None:
    """What the address asks for."""
    wanted = opened()
    if wanted == USE_DIALOG:
        use_dialog(studio, selected)
    elif wanted == PLAN_DIFF_DIALOG:
        plan_diff_report(studio, index)
    else:
        reference_drawer(studio, Found(found, Key.REF_PAGE))


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
                open_drawer(PLAN_DIFF_DIALOG)
            if st.button("Refresh", type="tertiary", icon=":material/refresh:"):
                with show_problems():
                    studio.catalog.refresh()
                    st.rerun()


def _pictures(studio: Studio, index: ReferenceIndex, found: References) -> Sequence[Reference]:
    """A page of what is found; returns what is shown."""
    if not found:
        _show_nothing_found()
        return ()
    with page_of(found, Key.REF_PAGE, is_counted=True) as shown:
        cards = reference_cards(shown, index.table, studio.vocabulary)
        event = picture_grid(cards, key=Key.REF_GRID, label="References", selectable=True, keeps=True)
    if event.opened:
        open_drawer(event.opened)
    return shown


def _groups(studio: Studio, index: ReferenceIndex, wanted: Filter) -> None:
    """Groups with their health; opening one shows its pictures."""
    groups = index.groups_with(wanted)
    if not groups:
        _show_nothing_found()
        return
    with page_of(groups, Key.REF_PAGE) as shown:
        cards = group_cards(shown, index.table, studio.vocabulary)
        event = picture_grid(cards, key=f"{Key.REF_GRID}-groups", label="Groups")
    if event.opened in {group.path for group in shown}:
        jump_to_group(event.opened or "")
        st.rerun()


def _show_nothing_found() -> None:
    empty_state("Nothing passes these filters", "Clear the search or one of the filters.")


page()
