"""The labels page's grid mode: many portraits at once, and one field of all selected ones in one save."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st
from ulid import ULID

from core.labels.published.schema import LabelField
from core.labels.review.queue import QueueItem
from core.labels.review.reviews import Save, Value
from core.labels.review.verdicts import accept
from core.studio import Studio
from core.ui.components.picture_grid import GridEvent, clear_selection, picture_grid
from core.ui.frame.paging import paged
from core.ui.frame.problems import problems_shown
from core.ui.frame.session import open_session
from core.ui.frame.state import Key
from core.ui.references.label_values import FIELD_NAMES, field_choices, from_words
from core.ui.references.reference_cards import label_cards
from core.viewer import Viewer

PAGE_SIZE = 200
_UNSURE = "unsure"


def browse_labels(found: Sequence[QueueItem]) -> GridEvent:
    """The portraits as cards that open; nothing to decide."""
    return _cards(found, is_reviewer=False)


def label_sheet(studio: Studio, viewer: Viewer, found: Sequence[QueueItem]) -> GridEvent:
    """The portraits as cards to select, with what can be done to a selection above them."""
    bar = st.container(horizontal=True, vertical_alignment="center", key="label-bulk")
    event = _cards(found, is_reviewer=True)
    chosen = [item for item in found if item.reference.key in set(event.selected)]
    with bar:
        field, value = _edit(studio)
        name = FIELD_NAMES[field].lower()
        st.button(
            f"Set {name} of {len(chosen)}" if chosen else f"Set {name}",
            key="label-set",
            shortcut="B",
            disabled=not chosen or value is None,
            on_click=partial(_set, chosen, field, value or ""),
        )
        st.button(
            f"Accept {len(chosen)}" if chosen else "Accept",
            key="label-accept",
            shortcut="A",
            disabled=not chosen,
            on_click=partial(_accept, chosen),
        )
        last = studio.review_service.last_save(viewer)
        st.button(
            "Undo",
            key="label-undo",
            icon=":material/undo:",
            shortcut="Ctrl+Z",
            help=_told(last) if last else None,
            disabled=last is None,
            on_click=partial(_undo, last.number if last else 0),
        )
        st.caption("Select with a click, Shift or Ctrl+A; Enter opens.", width="content")
    return event


def _cards(found: Sequence[QueueItem], *, is_reviewer: bool) -> GridEvent:
    body = st.container()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"{len(found):,} found", width="content")
        shown = paged(found, Key.LABEL_PAGE, size=PAGE_SIZE)
    with body:
        return picture_grid(
            label_cards(shown),
            key=Key.LABEL_GRID,
            label="Portraits",
            selectable=is_reviewer,
            click="select" if is_reviewer else "open",
            min_card_px=116,
        )


def _edit(studio: Studio) -> tuple[LabelField, str | None]:
    """The field that is set, and the words for its value."""
    names = {name: field for field, name in FIELD_NAMES.items()}
    name = st.selectbox("Field", list(names), key=Key.LABEL_FIELD, label_visibility="collapsed", width=180)
    field = names[name]
    choices = {choice.label: choice.value for choice in field_choices(field, studio.vocabulary)}
    words = st.selectbox(
        "Value",
        [*choices, _UNSURE],
        index=None,
        key=f"{Key.LABEL_VALUE}-{field.value}",
        placeholder="Choose a value",
        accept_new_options=field in (LabelField.HAIR, LabelField.EXPRESSION, LabelField.NOTES),
        label_visibility="collapsed",
        width=180,
    )
    return field, choices.get(words, words) if words is not None else None


def _set(chosen: Sequence[QueueItem], field: LabelField, words: str) -> None:
    """Set the field of all chosen ones in one save; a lost race is said, and nothing of the edit is saved."""
    studio, viewer = open_session()
    with problems_shown():
        value: Value = None if words == _UNSURE else from_words(field, words)
        studio.review_service.set_field(viewer, chosen, field, value, id_prefix=str(ULID()))
        clear_selection(Key.LABEL_GRID)
        st.toast(f"{_count(len(chosen))}: {FIELD_NAMES[field].lower()} → {words}", icon=":material/check:")


def _accept(chosen: Sequence[QueueItem]) -> None:
    studio, viewer = open_session()
    with problems_shown():
        edit = ULID()
        studio.review_service.save(viewer, [accept(item, id=f"{edit}-{item.reference.etag}") for item in chosen])
        clear_selection(Key.LABEL_GRID)
        st.toast(f"{_count(len(chosen))} accepted", icon=":material/check:")


def _undo(number: int) -> None:
    studio, viewer = open_session()
    with problems_shown():
        events = studio.review_service.events_of(viewer, number)
        studio.review_service.undo(viewer, events)
        st.toast(f"{_count(len(events))}: undone", icon=":material/undo:")


def _told(save: Save) -> str:
    return f"Takes back the decision of {save.time:%H:%M} UTC about {_count(len(save.events))}."


def _count(number: int) -> str:
    return f"{number:,} label{'' if number == 1 else 's'}"
