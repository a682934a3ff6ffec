"""The labels page's grid mode: many portraits at once, and one field of all selected ones in one save."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st
from ulid import ULID

from core.labels.decisions.reviews import Save, Value
from core.labels.published.schema import LabelField
from core.labels.queue.queue import QueueItem
from core.labels.review.verdicts import accept
from core.studio import Studio
from core.ui.components.picture_grid.picture_grid import GridEvent, clear_selection, picture_grid
from core.ui.frame.filters import as_text
from core.ui.frame.layout import page_of, row
from core.ui.frame.problems import show_problems
from core.ui.frame.session import open_session
from core.ui.frame.state import Key
from core.ui.frame.words.local_time import clock, reader_zone
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.quantities import count_of
from core.ui.references.label_values import FIELD_NAMES, FREE, field_choices, parse_value
from core.ui.references.reference_cards import label_cards
from core.viewer import Viewer

PAGE_SIZE = 200
_UNSURE = "unsure"


def label_sheet(studio: Studio, viewer: Viewer, found: Sequence[QueueItem]) -> GridEvent:
    """The portraits as cards to select, with what can be done to a selection above them."""
    bar = row(key="label-bulk")
    event = browse_labels(found, is_reviewer=True)
    chosen = [item for item in found if item.reference.key in set(event.selected)]
    with bar:
        field, value = _edit(studio, viewer)
        name, number = FIELD_NAMES[field].lower(), len(chosen)
        st.button(
            fill("Set {} of {}", name, number) if number else fill("Set {}", name),
            key="label-set",
            shortcut="B",
            disabled=not chosen or value is None,
            on_click=partial(_set, chosen, field, value or ""),
        )
        st.button(
            fill("Accept {}", number) if number else "Accept",
            key="label-accept",
            shortcut="A",
            disabled=not chosen,
            on_click=partial(_accept, chosen),
        )
        _undo_button(studio.review_service.last_save(viewer))
        with st.container(key="keyboard-hint", width="content"):  # not shown where there is no keyboard
            st.caption("Select with a click, Shift or Ctrl+A; Enter opens.", width="content")
    return event


def _undo_button(last: Save | None) -> None:
    about = (
        fill(
            "Takes back the decision of {} about {}.",
            clock(last.time, reader_zone()),
            count_of(len(last.events), "label"),
        )
        if last
        else None
    )
    st.button(
        "Undo",
        key="label-undo",
        icon=":material/undo:",
        shortcut="Ctrl+Z",
        help=about,
        disabled=last is None,
        on_click=partial(_undo, last.number if last else 0),
    )


def browse_labels(found: Sequence[QueueItem], *, is_reviewer: bool = False) -> GridEvent:
    """The portraits as cards that open, or for a reviewer can be selected."""
    with page_of(found, Key.LABEL_PAGE, size=PAGE_SIZE, is_counted=True) as shown:
        return picture_grid(
            label_cards(shown),
            key=Key.LABEL_GRID,
            label="Portraits",
            selectable=is_reviewer,
            click="select" if is_reviewer else "open",
            min_card_px=116,
        )


def _edit(studio: Studio, viewer: Viewer) -> tuple[LabelField, str | None]:
    """The field that is set, and the words for its value."""
    names = {name: field for field, name in FIELD_NAMES.items()}
    name = st.selectbox("Field", list(names), key=Key.LABEL_FIELD, label_visibility="collapsed", width=180)
    field = names[name]
    known = partial(studio.review_service.known_values, viewer)
    choices = {choice.label: choice.value for choice in field_choices(field, studio.vocabulary, known)}
    words = st.selectbox(
        "Value",
        [*choices, _UNSURE],
        index=None,
        key=f"{Key.LABEL_VALUE}-{field.value}",
        placeholder="Choose a value",
        accept_new_options=field in FREE,
        label_visibility="collapsed",
        width=180,
    )
    return field, choices.get(words, words) if words is not None and as_text(words) else None


def _set(chosen: Sequence[QueueItem], field: LabelField, words: str) -> None:
    """Set the field of all chosen ones in one save; a lost race is shown, and nothing of the edit is saved."""
    studio, viewer = open_session()
    with show_problems():
        value: Value = None if words == _UNSURE else parse_value(field, words)
        left = studio.review_service.set_field(viewer, chosen, field, value, id_prefix=str(ULID())).left
        clear_selection(Key.LABEL_GRID)
        st.toast(
            fill("{}: {} → {}", count_of(len(chosen) - len(left), "label"), FIELD_NAMES[field].lower(), words),
            icon=":material/check:",
        )
        if left:
            st.toast(
                fill(
                    "{} for your second look and left: judge the whole label in Focus",
                    count_of(len(left), "portrait waits", "portraits wait"),
                ),
                icon=":material/visibility_off:",
            )


def _accept(chosen: Sequence[QueueItem]) -> None:
    studio, viewer = open_session()
    with show_problems():
        edit = ULID()
        studio.review_service.save(viewer, [accept(item, id=f"{edit}-{item.reference.etag}") for item in chosen])
        clear_selection(Key.LABEL_GRID)
        st.toast(fill("{} accepted", count_of(len(chosen), "label")), icon=":material/check:")


def _undo(number: int) -> None:
    studio, viewer = open_session()
    with show_problems():
        events = studio.review_service.events_of(viewer, number)
        studio.review_service.undo(viewer, events)
        st.toast(fill("{}: undone", count_of(len(events), "label")), icon=":material/undo:")
