"""References: the library as S3 really holds it."""

from __future__ import annotations

import streamlit as st

from core.references.attributes import Role
from core.references.index import Filter, ReferenceIndex
from core.studio import Studio
from core.ui.notices import age, library_loading, library_trouble
from core.ui.paging import paged
from core.ui.picture_grid import picture_grid
from core.ui.reference_cards import group_cards, reference_cards
from core.ui.reference_details import open_details
from core.ui.session import open_session
from core.ui.state import Key

_PICTURES, _GROUPS = "Pictures", "Groups"


def page() -> None:
    """Narrow, page through and open references."""
    studio, _ = open_session()
    status = studio.catalog.status
    if not status.ready:
        library_loading(studio)
        return
    index = studio.catalog.index
    _header(studio, index)
    library_trouble(status)
    _jump(index)
    wanted, view = _filters(studio, index)
    if view == _GROUPS:
        _groups(index, wanted)
    else:
        _pictures(studio, index, wanted)


def _header(studio: Studio, index: ReferenceIndex) -> None:
    status = studio.catalog.status
    groups = sum(len(folder.groups) for folder in index.folders)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**References** :gray[{len(index):,} pictures in {groups} groups · index {age(status.age_s)} old]")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            drift = status.drift
            if not drift.is_empty and drift.since is not None:
                st.caption(
                    f"+{len(drift.added)} −{len(drift.removed)} ~{len(drift.changed)} since {drift.since:%H:%M} UTC"
                )
            if st.button("Refresh", type="tertiary", icon=":material/refresh:"):
                studio.catalog.refresh()
                st.rerun()


def _filters(studio: Studio, index: ReferenceIndex) -> tuple[Filter, str]:
    """The filter row; every part of it stands in the URL, so that a view can be shared."""
    with st.container(horizontal=True, vertical_alignment="center", key="reference-filters"):
        text = st.text_input(
            "Search",
            key=Key.REF_SEARCH,
            type="search",
            live="200ms",
            bind="query-params",
            placeholder="Search file or folder",
            label_visibility="collapsed",
            on_change=_first_page,
            width=260,
        )
        roles = [role.value for role in Role]
        role = st.segmented_control(
            "Role",
            roles,
            key=Key.REF_ROLE,
            bind="query-params",
            label_visibility="collapsed",
            on_change=_first_page,
        )
        tones = [term.id for term in studio.vocabulary.tones]
        tone = _choice("Any tone", tones, Key.REF_TONE)
        angle = _choice("Any angle", [term.id for term in studio.vocabulary.angles], Key.REF_ANGLE)
        folder = _choice("Any folder", [folder.path for folder in index.folders], Key.REF_FOLDER, width=240)
        groups = [group.name for each in index.folders if each.path == folder for group in each.groups]
        group = _choice("Any group", groups, Key.REF_GROUP, width=240) if groups else None
        problems = st.toggle("Problems", key=Key.REF_PROBLEMS, bind="query-params", on_change=_first_page)
        view = st.segmented_control(
            "View",
            [_PICTURES, _GROUPS],
            key=Key.REF_VIEW,
            default=_PICTURES,
            required=True,
            bind="query-params",
            label_visibility="collapsed",
            on_change=_first_page,
        )
    chosen = Filter(
        text=text or "",
        role=Role(role) if role else None,
        tone=tone,
        angle=angle,
        folder=folder,
        group=group,
        problems_only=problems,
    )
    return chosen, view or _PICTURES


def _choice(label: str, options: list[str], key: Key, *, width: int = 150) -> str | None:
    return st.selectbox(
        label,
        options,
        index=None,
        key=key,
        placeholder=label,
        label_visibility="collapsed",
        bind="query-params",
        on_change=_first_page,
        width=width,
    )


def _pictures(studio: Studio, index: ReferenceIndex, wanted: Filter) -> None:
    found = index.search(wanted)
    if not found:
        st.info(
            "No reference passes these filters. Clear the search or one of the filters.",
            icon=":material/filter_alt_off:",
        )
        return
    body = st.container()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"{len(found):,} shown")
        shown = paged(found, Key.REF_PAGE)
    with body:
        event = picture_grid(reference_cards(shown), key=Key.REF_GRID, label="References")
    opened = index.get(event.opened) if event.opened else None
    if opened is not None:
        open_details(studio, opened)


def _groups(index: ReferenceIndex, wanted: Filter) -> None:
    """Groups with their health; opening one shows its pictures."""
    found = {(ref.folder, ref.group) for ref in index.search(wanted)}
    groups = [group for folder in index.folders for group in folder.groups if (group.folder, group.name) in found]
    body = st.container()
    shown = paged(groups, Key.REF_PAGE)
    with body:
        event = picture_grid(group_cards(shown), key=f"{Key.REF_GRID}-groups", label="Groups")
    opened = next((group for group in shown if group.path == event.opened), None)
    if opened is not None:
        st.session_state[Key.REF_JUMP] = opened.path
        st.rerun()


def _jump(index: ReferenceIndex) -> None:
    """Go to the group that was opened: widgets can only be set before they are drawn."""
    path = st.session_state.pop(Key.REF_JUMP, None)
    if path is not None:
        group = index.group(path)
        st.session_state[Key.REF_VIEW] = _PICTURES
        st.session_state[Key.REF_FOLDER] = group.folder
        st.session_state[Key.REF_GROUP] = group.name
        _first_page()


def _first_page() -> None:
    st.session_state[Key.REF_PAGE] = 1


page()
