"""History: every comparison S3 holds, newest first; replay one, or recall its composer."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.generation.records.history import History, HistoryFilter
from core.injection.wishes import Mode
from core.studio import Studio
from core.ui.components.picture_grid.picture_grid import picture_grid
from core.ui.frame.filters import choice, fold_when_narrow, key_filter, search_box
from core.ui.frame.layout import empty_state, row
from core.ui.frame.markdown import fill
from core.ui.frame.problems import show_problems
from core.ui.frame.quantities import count_of
from core.ui.frame.session import fragment, open_session
from core.ui.frame.state import Key
from core.ui.history.history_cards import comparison_card
from core.ui.history.history_details import open_comparison
from core.ui.people.spend import spend_button

_FIRST, _STEP = 24, 24

_NARROWING = (Key.HISTORY_MODE, Key.HISTORY_TONE, Key.HISTORY_ANGLE, Key.HISTORY_PERSON, Key.HISTORY_REFERENCE)


def page() -> None:
    """Narrow and open comparisons."""
    studio, viewer = open_session()
    with row(spread=True):
        _header(studio.history)
        spend_button(studio, viewer)
    wanted = _filters(studio)
    limit = int(st.session_state.get(Key.HISTORY_LIMIT, _FIRST))
    found = studio.history.newest(limit=limit + 1, wanted=wanted)
    if not found:
        _show_nothing_found(wanted, is_complete=not studio.history.coverage.days_left)
        return
    shown = found[:limit]
    cards = [comparison_card(status) for status in studio.runner.statuses([c.id for c in shown])]
    event = picture_grid(cards, key=Key.HISTORY_GRID, label="Comparisons")
    if len(found) > limit:
        st.button("Show older", on_click=partial(st.session_state.__setitem__, Key.HISTORY_LIMIT, limit + _STEP))
    if event.opened in {comparison.id for comparison in shown}:
        with show_problems():
            open_comparison(studio, viewer, studio.runner.status(event.opened or ""))


def _header(history: History) -> None:
    """How many comparisons there are; while they are still being read, the line keeps itself up to date."""
    history.count()
    is_reading = history.coverage.days_left > 0
    fragment(_count, run_every=2 if is_reading else None)(history, is_reading=is_reading)


def _count(history: History, *, is_reading: bool) -> None:
    count, days_left = history.count(), history.coverage.days_left
    if is_reading and not days_left:
        st.rerun()  # with what has been read since
    summary = count_of(count, "comparison")
    if days_left:
        summary += f" so far; {count_of(days_left, 'day')} of older ones still to be read"
    st.markdown(fill("**History** :gray[{}, newest first]", summary))


def _filters(studio: Studio) -> HistoryFilter:
    with row(key="history-filters"):
        text = search_box(Key.HISTORY_SEARCH, "Search prompts")
        with fold_when_narrow(Key.HISTORY_FILTERS_SHOWN, _NARROWING):
            mode = choice("Any mode", [mode.value for mode in Mode], Key.HISTORY_MODE)
            tone = choice("Any tone", [term.id for term in studio.vocabulary.tones], Key.HISTORY_TONE)
            angle = choice("Any angle", [term.id for term in studio.vocabulary.angles], Key.HISTORY_ANGLE)
            person = key_filter(
                "Person", Key.HISTORY_PERSON, "Anyone's", width=180, help="The address of who ordered it."
            )
            reference = key_filter(
                "Reference",
                Key.HISTORY_REFERENCE,
                "With any reference",
                width=220,
                help="The key of a picture that went in, as S3 has it.",
            )
    return HistoryFilter(text=text, person=person, mode=mode, tone=tone, angle=angle, reference=reference)


def _show_nothing_found(wanted: HistoryFilter, *, is_complete: bool) -> None:
    if not is_complete:
        empty_state("Nothing found so far", "The history is still being read from S3.")
    elif wanted == HistoryFilter():
        empty_state("No comparison yet", "Make the first one on the Generate page.")
    else:
        empty_state("No comparison passes these filters", "Clear the search or one of the filters.")


page()
