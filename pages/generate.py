"""Generate: say what the picture shows, see what goes in, compare what comes out."""

from __future__ import annotations

import streamlit as st

from core.errors import NotFound
from core.generation.planning import Planned
from core.generation.records.attempt_status import ComparisonStatus
from core.studio import Studio
from core.ui.filmstrip.pair import leave_pair, pair_in_address, restore_pair
from core.ui.filmstrip.side_by_side import side_by_side
from core.ui.filmstrip.todays_strip import todays_strip
from core.ui.frame.notices import library_is_listed, library_loading
from core.ui.frame.problems import show_problem, show_problems
from core.ui.frame.session import open_session
from core.ui.frame.state import COMPARISON_PARAM, Key
from core.ui.generate.composer.composer import composer
from core.ui.generate.composer.draft import draft, recall
from core.ui.generate.composer.draft_keeper import (
    begin_draft,
    leave_draft,
    patience_s,
    put_aside_back,
    put_draft_back,
    show_draft,
)
from core.ui.generate.composer.render_fields import render_settings, second_render
from core.ui.generate.composer.tone_question import must_ask, tone_question
from core.ui.generate.composer.varied import takes
from core.ui.generate.header.plan_header import plan_header, show_empty_plan
from core.ui.generate.header.price import Price, price_of
from core.ui.generate.on_stage import put_on_stage, seen
from core.ui.generate.results import keep_stage, results
from core.ui.generate.slots.slot_strip import slot_strip
from core.ui.generate.slots.wrong_match import report_wrong_match
from core.viewer import Capability, Viewer


def page() -> None:
    """Read the composer, plan, order if asked to, and show."""
    studio, viewer = open_session()
    is_ready = library_is_listed(studio, patience_s=patience_s())
    if is_ready:
        put_draft_back(studio)
        put_aside_back(studio)
    _find_again(studio)
    if not is_ready:
        library_loading(studio)
        return
    composed = composer(studio, studio.catalog.index)
    planned = studio.planner.plan(
        composed.wishes,
        reading=composed.reading,
        recent=draft().recent,
        render=render_settings(studio),
        render_b=second_render(studio),
    )
    price = price_of(studio, planned, viewer.email)
    ordered = st.session_state.pop(Key.ORDERED, False) and price.objection is None  # else the header says why not, once
    if ordered and not must_ask(planned):
        with show_problems():
            _order(studio, viewer, planned)
    _draw(studio, viewer, planned, price)
    todays_strip(studio, viewer)


def _draw(studio: Studio, viewer: Viewer, planned: Planned, price: Price) -> None:
    """The plan, and below it the comparison on the stage."""
    unsent = show_draft()
    shown_id = st.session_state.get(Key.SHOWN)
    shown = studio.runner.status(shown_id) if shown_id else None
    is_empty = not (planned.injection.wishes.prompt.strip() or planned.injection.settled.tone or shown)
    plan_header(studio, viewer, planned, price, verdict=not is_empty, unsent=unsent)
    tone_question(planned, studio.vocabulary, can_generate=price.objection is None)
    if is_empty:
        if not side_by_side(studio, viewer):
            show_empty_plan()
        return
    is_compact = shown is not None or pair_in_address() is not None
    slot_strip(studio, planned, report_wrong_match, is_compact=is_compact)
    if shown is None or not _is_made_from(shown, planned):
        studio.orders.prefetch(planned, render_settings(studio), render_b=second_render(studio))
    if not side_by_side(studio, viewer) and shown is not None:
        results(studio, viewer, shown, planned)


def _order(studio: Studio, viewer: Viewer, planned: Planned) -> None:
    """Record the plan and start it; from now on the URL finds it again."""
    viewer.require(Capability.GENERATE)
    comparison = studio.orders.order(
        planned, render_settings(studio), viewer, seen=seen(), render_b=second_render(studio), takes=takes()
    )
    leave_pair()
    keep_stage(comparison.id)
    put_on_stage(comparison.id)
    begin_draft()


def _find_again(studio: Studio) -> None:
    """After a reload the URL names the comparison: show it, and fill the composer as it was."""
    wanted = st.session_state.pop(Key.RECALL, None) or st.query_params.get(COMPARISON_PARAM)
    shown = st.session_state.get(Key.SHOWN)
    if wanted is None and shown is not None:  # back from another page: the URL tells again what is shown
        st.query_params[COMPARISON_PARAM] = shown
        restore_pair()
    if wanted is None or wanted == shown:
        return
    try:
        recall(studio.history.get(wanted), studio)
        leave_draft()
        put_on_stage(wanted)
    except NotFound as err:
        show_problem(err)
        st.query_params.pop(COMPARISON_PARAM, None)


def _is_made_from(shown: ComparisonStatus, planned: Planned) -> bool:
    """Whether the stage shows what this plan would make."""
    made = shown.comparison
    return made.wishes.prompt == planned.injection.wishes.prompt and [
        [slot.key for slot in side.slots] for side in made.sides
    ] == [[slot.key for slot in side.slots] for side in planned.sides]


page()
