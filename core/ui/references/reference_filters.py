"""The reference browser's filters: role, tags, folder, group, problems, and pictures or groups."""

from __future__ import annotations

import streamlit as st

from core.references.index import ReferenceIndex
from core.references.reference import Filter
from core.references.vocabulary import Role
from core.studio import Studio
from core.ui.frame.filters import choice, fold_when_narrow, reset_page, search_box, segments, switch
from core.ui.frame.layout import row
from core.ui.frame.state import Key

PICTURES, GROUPS = "Pictures", "Groups"
_ROLES = [role.value for role in Role]
_NARROWING = (Key.REF_ROLE, Key.REF_TONE, Key.REF_ANGLE, Key.REF_FOLDER, Key.REF_GROUP, Key.REF_PROBLEMS)


def reference_filters(studio: Studio, index: ReferenceIndex) -> tuple[Filter, str]:
    """Draw the row; return what it narrows to, and whether pictures or groups are wanted."""
    page = Key.REF_PAGE
    with row(key="reference-filters"):
        text = search_box(Key.REF_SEARCH, "Search file or folder", page=page)
        with fold_when_narrow(Key.REF_FILTERS_SHOWN, _NARROWING):
            role = segments("Role", _ROLES, Key.REF_ROLE, page=page)
            tone = choice("Any tone", [term.id for term in studio.vocabulary.tones], Key.REF_TONE, page=page)
            angle = choice("Any angle", [term.id for term in studio.vocabulary.angles], Key.REF_ANGLE, page=page)
            folder = choice("Any folder", [f.path for f in index.folders], Key.REF_FOLDER, page=page, width=240)
            names = [group.name for each in index.folders if each.path == folder for group in each.groups]
            group = choice("Any group", names, Key.REF_GROUP, page=page, width=240) if names else None
            problems = switch("Problems", Key.REF_PROBLEMS, page=page)
        view = segments("View", [PICTURES, GROUPS], Key.REF_VIEW, page=page, default=PICTURES)
    wanted = Filter(
        text=text,
        role=Role(role) if role else None,
        tone=tone,
        angle=angle,
        folder=folder,
        group=group,
        problems_only=problems,
    )
    return wanted, view or PICTURES


def jump_to_group(path: str) -> None:
    """Remember to show this group's pictures in the next run: filters can only be set before they are drawn."""
    st.session_state[Key.REF_JUMP] = path


def follow_jump(index: ReferenceIndex) -> None:
    """Set the filters to the remembered group, if there is one."""
    path = st.session_state.pop(Key.REF_JUMP, None)
    if path is not None:
        group = index.group(path)
        if not st.session_state.get(Key.REF_FOLDER):  # the groups' list is new then: Streamlit tells the address of
            st.query_params[Key.REF_GROUP] = group.name  # what is set in lists it has drawn before, and of no others
        st.session_state[Key.REF_VIEW] = PICTURES
        st.session_state[Key.REF_FOLDER] = group.folder
        st.session_state[Key.REF_GROUP] = group.name
        reset_page(Key.REF_PAGE)
