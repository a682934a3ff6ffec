"""Label filters: how a person narrows the review queue; every part stands in the URL."""

from __future__ import annotations

from collections.abc import Sequence

from core.labels.published.schema import AGE_RANGES, Gender, LabelSource
from core.labels.queue.queue import QueueFilter, ReviewState, Why
from core.ui.frame.filters import choice, choice_of, fold_when_narrow, search_box
from core.ui.frame.layout import row
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
    with row(key="label-filters"):
        text = search_box(Key.LABEL_SEARCH, "Search person or folder", page=page)
        with fold_when_narrow(Key.LABEL_FILTERS_SHOWN, _NARROWING):
            why = choice_of("Any reason", Why, Key.LABEL_WHY, page=page, width=128) if is_reviewer else None
            age_range = choice("Any age", [name for name, _, _ in AGE_RANGES], Key.LABEL_AGE, page=page, width=116)
            gender = choice_of("Any gender", Gender, Key.LABEL_GENDER, page=page, width=128)
            group = choice("Any group", groups, Key.LABEL_GROUP, page=page, width=128)
            source = choice_of("Any source", LabelSource, Key.LABEL_SOURCE, page=page, width=116)
            state = choice_of("Any state", ReviewState, Key.LABEL_STATE, page=page, width=116)
            reviewer = (
                choice("Any reviewer", reviewers, Key.LABEL_REVIEWER, page=page, width=128) if reviewers else None
            )
    return QueueFilter(
        text=text,
        age_range=age_range,
        gender=gender,
        group=group,
        source=source,
        state=state,
        reviewer=reviewer,
        why=why,
        everything=not is_reviewer,
    )
