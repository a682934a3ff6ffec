"""Generate: say what the picture shows, see what goes in, compare what comes out."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.errors import InputError, ReferenceNotFound
from core.generation.comparison import ComparisonStatus
from core.generation.desk import Planned
from core.injection.slots import Slot
from core.injection.wishes import Mode, check_prompt
from core.studio import Studio
from core.ui.composer import composer, recent_keys, render_settings
from core.ui.draft import draft, recall, shuffle, switch_off
from core.ui.markdown import plain, without_formulas
from core.ui.notices import library_loading, nothing_planned, read_from_prompt
from core.ui.price import price_of
from core.ui.problems import problems_shown, show_problem
from core.ui.results import results
from core.ui.session import open_session
from core.ui.slot_strip import folded_strip, slot_strip
from core.ui.state import COMPARISON_PARAM, Key
from core.viewer import Capability, Viewer

_TITLES = {Mode.TONE_ONLY: "Tone only", Mode.TONE_ANGLE: "Tone + angle", Mode.COMPARE: "Compare"}


def page() -> None:
    """Read the composer, plan, order if asked to, and show."""
    studio, viewer = open_session()
    _find_again(studio)
    if not studio.catalog.status.ready:
        library_loading(studio)
        return
    wishes = composer(studio, studio.catalog.index)
    planned = studio.desk.plan(wishes, recent=draft().recent)
    if st.session_state.pop(Key.ORDERED, False):
        with problems_shown():
            _order(studio, viewer, planned)
    shown = _shown(studio)
    empty = not (wishes.prompt.strip() or planned.injection.settled.tone or shown)
    _header(studio, viewer, planned, busy=shown is not None and shown.busy, verdict=not empty)
    if empty:
        nothing_planned()
        return
    if shown is not None and _made_from(shown, planned):
        folded_strip(planned.sides)
    else:
        slot_strip(planned.sides, _wrong_match)
    if shown is not None:
        results(studio, shown.comparison.id)


def _header(studio: Studio, viewer: Viewer, planned: Planned, *, busy: bool, verdict: bool) -> None:
    price = price_of(studio, planned, viewer.email)
    objection = _too_long(planned.injection.wishes.prompt) or price.objection
    fairness = planned.injection.fairness if verdict else None
    count = sum(slot.filled for side in planned.sides for slot in side.slots)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            title = _TITLES[planned.injection.wishes.mode]
            st.markdown(f"**{title}** :gray[· {count} {'reference' if count == 1 else 'references'}]", width="content")
            if fairness is not None:
                st.badge(f"controlled: {'yes' if fairness.controlled else 'no'}", color="gray")
            read_from_prompt(planned, studio.vocabulary)
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.caption(plain(price.line), width="content")
            st.button(
                "Shuffle",
                icon=":material/shuffle:",
                help="Draw all references anew, away from what you were given last time.",
                on_click=lambda: shuffle(recent_keys(studio, viewer.email)),
            )
            st.button(
                "Generate",
                type="primary",
                shortcut="Ctrl+Enter",
                disabled=busy or objection is not None,
                on_click=partial(st.session_state.__setitem__, Key.ORDERED, True),
            )
    if objection is not None:
        st.error(without_formulas(objection), icon=":material/error:")
    for difference in fairness.differences if fairness is not None else ():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f":material/balance: {difference.says}", width="content")
            if difference.switch_off:
                st.button("Make it fair", type="tertiary", on_click=partial(switch_off, *difference.switch_off))


def _too_long(prompt: str) -> str | None:
    """Why this prompt cannot be sent; an empty one is only told when Generate is pressed."""
    try:
        check_prompt(prompt or "-")
    except InputError as err:
        return err.message
    return None


def _order(studio: Studio, viewer: Viewer, planned: Planned) -> None:
    """Record the plan and start it; from now on the URL finds it again."""
    viewer.require(Capability.GENERATE)
    comparison = studio.desk.order(planned, render_settings(studio), person=viewer.email)
    st.session_state[Key.SHOWN] = comparison.id
    st.query_params[COMPARISON_PARAM] = comparison.id


def _wrong_match(slot: Slot) -> None:
    """Queue the picture's label for review."""
    with problems_shown():
        studio, viewer = open_session()
        viewer.require(Capability.GENERATE)
        studio.reports.add(key=slot.key or "", etag=slot.etag or "", wished=slot.wished or "", person=viewer.email)
        st.toast(f"{slot.name} is queued for label review.", icon=":material/flag:")


def _find_again(studio: Studio) -> None:
    """After a reload the URL names the comparison: show it, and fill the composer as it was."""
    wanted = st.session_state.pop(Key.RECALL, None) or st.query_params.get(COMPARISON_PARAM)
    shown = st.session_state.get(Key.SHOWN)
    if wanted is None and shown is not None:  # back from another page: the URL tells again what is shown
        st.query_params[COMPARISON_PARAM] = shown
    if wanted is None or wanted == shown:
        return
    try:
        recall(studio.history.get(wanted))
        st.session_state[Key.SHOWN] = wanted
        st.query_params[COMPARISON_PARAM] = wanted
    except ReferenceNotFound as err:
        show_problem(err)
        st.query_params.pop(COMPARISON_PARAM, None)


def _shown(studio: Studio) -> ComparisonStatus | None:
    comparison_id = st.session_state.get(Key.SHOWN)
    return studio.runner.status(comparison_id) if comparison_id else None


def _made_from(shown: ComparisonStatus, planned: Planned) -> bool:
    """Whether the stage shows what this plan would make."""
    made = shown.comparison
    return made.wishes.prompt == planned.injection.wishes.prompt and [
        [slot.key for slot in side.slots] for side in made.sides
    ] == [[slot.key for slot in side.slots] for side in planned.sides]


page()
