"""The reference browser's filters: role, tags, folder, group, problems, and pictures or groups."""

from __future__ import annotations

import streamlit as st

from core.labels.published.label_index import Claim
from core.labels.published.schema import AGE_RANGES
from core.references.index import ReferenceIndex
from core.references.reference import Filter
from core.studio import Studio
from core.ui.frame.filters import (
    choice,
    fold_when_narrow,
    named_choice,
    put_name,
    reset_page,
    search_box,
    segments,
    switch,
)
from core.ui.frame.layout import row
from core.ui.frame.state import Key
from core.ui.frame.words.names import GENDERS, ROLES, ids_by_name

PICTURES, GROUPS = "Pictures", "Groups"
_GENDERS = {name: gender for gender, name in GENDERS.items()}
_ROLES = {name: role for role, name in ROLES.items()}
_NARROWING = (
    *(Key.REF_ROLE, Key.REF_TONE, Key.REF_ANGLE, Key.REF_GENDER, Key.REF_AGE),
    *(Key.REF_FOLDER, Key.REF_GROUP, Key.REF_PROBLEMS),
)


def reference_filters(studio: Studio, index: ReferenceIndex) -> tuple[Filter, str]:
    """Draw the row; return what it narrows to, and whether pictures or groups are wanted."""
    page = Key.REF_PAGE
    with row(key="reference-filters"):
        text = search_box(Key.REF_SEARCH, "Search name, tag, 여자, 30s …", page=page, width=228)
        with fold_when_narrow(Key.REF_FILTERS_SHOWN, _NARROWING):
            put_name(_ROLES, Key.REF_ROLE)
            role = segments("Role", list(_ROLES), Key.REF_ROLE, page=page)
            tone = named_choice("Any tone", ids_by_name(studio.vocabulary.tones), Key.REF_TONE, page=page, width=128)
            angle = named_choice(
                "Any angle", ids_by_name(studio.vocabulary.angles), Key.REF_ANGLE, page=page, width=128
            )
            gender = named_choice("Any gender", _GENDERS, Key.REF_GENDER, page=page, width=118)
            age_range = choice("Any age", [name for name, _, _ in AGE_RANGES], Key.REF_AGE, page=page, width=100)
            folder = choice("Any folder", [f.path for f in index.folders], Key.REF_FOLDER, page=page, width=140)
            names = [group.name for each in index.folders if each.path == folder for group in each.groups]
            group = choice("Any group", names, Key.REF_GROUP, page=page, width=140) if names else None
            problems = switch("Problems", Key.REF_PROBLEMS, page=page)
        view = segments("View", [PICTURES, GROUPS], Key.REF_VIEW, page=page, default=PICTURES)
    claims = [Claim(gender=gender)] if gender else []
    claims += [Claim(age_range=age_range)] if age_range else []
    labels = studio.labels
    wanted = Filter(
        role=_ROLES.get(role or ""),
        tone=tone,
        angle=angle,
        folder=folder,
        group=group,
        problems_only=problems,
        sought=(
            *studio.search.sought(text, labels, index.table),
            *(studio.search.claimed(claim, labels, index.table) for claim in claims),
        ),
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
