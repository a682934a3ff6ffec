"""Label filters: how a person narrows the review queue; every part stands in the URL."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.labels.published.schema import AGE_RANGES, Gender, LabelSource
from core.labels.review.queue import QueueFilter, ReviewState, Why
from core.ui.frame.filters import choice, folded_when_narrow, search_box
from core.ui.frame.state import Key

_NARROWING = (
    Key.LABEL_WHY,
    Key.LABEL_AGE,
    Key.LABEL_GENDER,
    Key.LABEL_GROUP,
    Key.LABEL_SOURCE,
    Key.LABEL_STATE,
    Key.LABEL_REVIEWER,
)


def label_filters(groups: Sequence[str], reviewers: Sequence[str], *, is_reviewer: bool) -> QueueFilter:
    """Draw the filter row and read it; without a reviewer's role there is no queue, so everything is shown."""
    page = Key.LABEL_PAGE
    with st.container(horizontal=True, vertical_alignment="center", key="label-filters"):
        text = search_box(Key.LABEL_SEARCH, "Search persona or folder", page=page)
        with folded_when_narrow(Key.LABEL_FILTERS_SHOWN, _NARROWING):
            why = choice("Any reason", [why.value for why in Why], Key.LABEL_WHY, page=page) if is_reviewer else None
            age_range = choice("Any age", [name for name, _, _ in AGE_RANGES], Key.LABEL_AGE, page=page, width=116)
            gender = choice("Any gender", [each.value for each in Gender], Key.LABEL_GENDER, page=page, width=128)
            group = choice("Any group", groups, Key.LABEL_GROUP, page=page)
            source = choice("Any source", [each.value for each in LabelSource], Key.LABEL_SOURCE, page=page, width=128)
            state = choice("Any state", [each.value for each in ReviewState], Key.LABEL_STATE, page=page, width=128)
            reviewer = choice("Any reviewer", reviewers, Key.LABEL_REVIEWER, page=page) if reviewers else None
    return QueueFilter(
        text=text,
        age_range=age_range,
        gender=Gender(gender) if gender else None,
        group=group,
        source=LabelSource(source) if source else None,
        state=ReviewState(state) if state else None,
        reviewer=reviewer,
        why=Why(why) if why else None,
        everything=not is_reviewer,
    )
