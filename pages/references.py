"""References: the library as S3 really holds it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.references.catalog import CatalogStatus
from core.references.index import ReferenceIndex
from core.references.reference import Filter, Reference
from core.studio import Studio
from core.ui.components.picture_grid import clear_selection, picture_grid
from core.ui.frame.notices import age, library_is_listed, library_loading, library_trouble, quiet
from core.ui.frame.paging import paged
from core.ui.frame.problems import problems_shown
from core.ui.frame.session import open_session
from core.ui.frame.state import Key
from core.ui.references.plan_diff_report import rehearsal_report
from core.ui.references.reference_cards import group_cards, reference_cards
from core.ui.references.reference_details import open_details
from core.ui.references.reference_filters import GROUPS, follow_jump, jump_to_group, reference_filters


def page() -> None:
    """Narrow, page through, select and open references."""
    studio, _ = open_session()
    if not library_is_listed(studio):
        library_loading(studio)
        return
    status = studio.catalog.status
    index = studio.catalog.index
    _header(studio, index, status)
    library_trouble(studio, status)
    follow_jump(index)
    wanted, view = reference_filters(studio, index)
    if view == GROUPS:
        _groups(index, wanted)
    else:
        _pictures(studio, index, wanted)


def _header(studio: Studio, index: ReferenceIndex, status: CatalogStatus) -> None:
    groups = sum(len(folder.groups) for folder in index.folders)
    freshness = "refreshing now" if status.refreshing else f"index {age(status.age_s)} old"
    facts = f"{len(index):,} pictures in {groups} groups · {freshness}"
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**References** :gray[{facts}]", width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            _drift(status)
            if st.button("Check past comparisons", type="tertiary", icon=":material/fact_check:"):
                rehearsal_report(studio, index)
            if st.button("Refresh", type="tertiary", icon=":material/refresh:"):
                with problems_shown():
                    studio.catalog.refresh()
                    st.rerun()


def _drift(status: CatalogStatus) -> None:
    """What changed in S3, in words, with the keys behind it."""
    drift = status.drift
    if drift.is_empty or drift.since is None:
        return
    parts = (("added", drift.added), ("removed", drift.removed), ("changed", drift.changed))
    said = ", ".join(f"{len(keys)} {word}" for word, keys in parts if keys)
    with st.popover(f"{said} since {drift.since:%H:%M} UTC", type="tertiary", icon=":material/difference:"):
        for word, keys in parts:
            if keys:
                more = f"\n… and {len(keys) - 20:,} more" if len(keys) > 20 else ""
                st.caption(word.capitalize())
                st.code("\n".join(keys[:20]) + more, language=None, wrap_lines=True)


def _pictures(studio: Studio, index: ReferenceIndex, wanted: Filter) -> None:
    found = index.search(wanted)
    if not found:
        _nothing()
        return
    body = st.container()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"{len(found):,} found", width="content")
        shown = paged(found, Key.REF_PAGE)
    with body:
        event = picture_grid(reference_cards(shown), key=Key.REF_GRID, label="References", selectable=True)
    _selected(studio, [ref for ref in shown if ref.key in event.selected])
    opened = index.get(event.opened) if event.opened else None
    if opened is not None:
        open_details(studio, opened)


def _selected(studio: Studio, chosen: Sequence[Reference]) -> None:
    """What can be done with a selection: take its addresses along, or let it go."""
    if not chosen:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(chosen)} selected", width="content")
        with st.popover("S3 addresses", type="tertiary", icon=":material/content_copy:"):
            addresses = [f"s3://{studio.store.bucket}/{ref.key}" for ref in chosen]
            st.code("\n".join(addresses), language=None, wrap_lines=True)
        st.button("Clear selection", type="tertiary", on_click=partial(clear_selection, Key.REF_GRID))


def _groups(index: ReferenceIndex, wanted: Filter) -> None:
    """Groups with their health; opening one shows its pictures."""
    groups = index.groups_with(wanted)
    if not groups:
        _nothing()
        return
    body = st.container()
    shown = paged(groups, Key.REF_PAGE)
    with body:
        event = picture_grid(
            group_cards(shown, index.table.unreadable_references), key=f"{Key.REF_GRID}-groups", label="Groups"
        )
    if event.opened in {group.path for group in shown}:
        jump_to_group(event.opened or "")
        st.rerun()


def _nothing() -> None:
    quiet("Nothing passes these filters", "Clear the search or one of the filters.")


page()
