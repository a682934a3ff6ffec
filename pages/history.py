"""History: every comparison S3 holds, newest first; replay one, or recall its composer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from core.generation.browsing import Found, browse
from core.generation.records.history import History, HistoryFilter
from core.studio import Studio
from core.ui.components.picture_grid.picture_grid import picture_grid
from core.ui.frame.drawer import open_drawer, opened
from core.ui.frame.filters import fold_when_narrow, key_filter, named_choice, search_box, switch
from core.ui.frame.layout import empty_state, row
from core.ui.frame.session import fragment, open_session
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.names import MODES, VARIES, ids_by_name
from core.ui.frame.words.quantities import count_of
from core.ui.history.history_cards import comparison_card
from core.ui.history.history_details import follow, open_comparison
from core.ui.history.stars import favourites_now
from core.ui.people.spend import spend_button

_FIRST, _STEP = 24, 24
_CARD_PX = 300  # of two pictures

_MODES = {name: mode for mode, name in MODES.items()}
_VARIES = {f"Varies {name.lower()}": varies for varies, name in VARIES.items()}
_NARROWING = (
    Key.HISTORY_MODE,
    Key.HISTORY_VARIES,
    Key.HISTORY_TONE,
    Key.HISTORY_ANGLE,
    Key.HISTORY_PERSON,
    Key.HISTORY_REFERENCE,
)


def page() -> None:
    """Narrow, star and open comparisons."""
    studio, viewer = open_session()
    with row(spread=True):
        _header(studio.history)
        spend_button(studio, viewer)
    wanted, hides_failed, only_favourites = _filters(studio)
    favourites = favourites_now(studio, viewer)
    if only_favourites:
        wanted = replace(wanted, among=favourites or frozenset())
    limit = int(st.session_state.get(Key.HISTORY_LIMIT, _FIRST))
    found = browse(studio.history, studio.runner, wanted, limit=limit, hides_failed=hides_failed)
    if found.statuses:
        _cards(studio, found, favourites)
    else:
        is_narrowed = wanted != HistoryFilter() or hides_failed
        _show_nothing_found(studio.history, is_narrowed=is_narrowed, only_favourites=only_favourites)
    if comparison_id := opened():
        open_comparison(studio, viewer, comparison_id)


def _cards(studio: Studio, found: Found, favourites: frozenset[str] | None) -> None:
    cards = [
        comparison_card(
            status, studio.vocabulary, starred=None if favourites is None else status.comparison.id in favourites
        )
        for status in found.statuses
    ]
    event = picture_grid(cards, key=Key.HISTORY_GRID, label="Comparisons", aspect="landscape", min_card_px=_CARD_PX)
    follow(studio, found.statuses)
    if event.opened:
        open_drawer(event.opened)
    if found.has_older:
        limit = len(found.statuses) + _STEP
        st.button("Show older", on_click=partial(st.session_state.__setitem__, Key.HISTORY_LIMIT, limit))


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


def _filters(studio: Studio) -> tuple[HistoryFilter, bool, bool]:
    """What is wanted; whether those that failed are left out, and whether all but favourites are."""
    with row(key="history-filters"):
        text = search_box(Key.HISTORY_SEARCH, "Search prompts", width=200)
        with fold_when_narrow(Key.HISTORY_FILTERS_SHOWN, _NARROWING):
            mode = named_choice("Any mode", _MODES, Key.HISTORY_MODE, width=130)
            varies = named_choice("Varies anything", _VARIES, Key.HISTORY_VARIES, width=140)
            tone = named_choice("Any tone", ids_by_name(studio.vocabulary.tones), Key.HISTORY_TONE, width=130)
            angle = named_choice("Any angle", ids_by_name(studio.vocabulary.angles), Key.HISTORY_ANGLE, width=130)
            person = key_filter(
                "Made by", Key.HISTORY_PERSON, "Made by anyone", width=140, help="The address of who ordered it."
            )
            reference = key_filter(
                "Reference",
                Key.HISTORY_REFERENCE,
                "With any reference",
                width=150,
                help="The key of a picture that went in, as S3 has it.",
            )
        only_favourites = switch("Favourites", Key.HISTORY_FAVOURITES)
        hides_failed = switch("Hide failed", Key.HISTORY_HIDES_FAILED)
    wanted = HistoryFilter(
        text=text, person=person, mode=mode, varies=varies, tone=tone, angle=angle, reference=reference
    )
    return wanted, hides_failed, only_favourites


def _show_nothing_found(history: History, *, is_narrowed: bool, only_favourites: bool) -> None:
    if history.coverage.days_left:
        empty_state("Nothing found so far", "The history is still being read from S3.")
    elif only_favourites:
        empty_state("No favourite here", "Star a comparison to find it here again; your stars are yours alone.")
    elif is_narrowed:
        empty_state("No comparison passes these filters", "Clear the search or one of the filters.")
    else:
        empty_state("No comparison yet", "Make the first one on the Generate page.")


page()
