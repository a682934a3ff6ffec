"""Nothing to judge: why there is no pair to show, and what to do about it."""

from __future__ import annotations

import streamlit as st

from core.errors import StorageError
from core.settings import PROJECT_ROOT, Profile
from core.studio import Studio
from core.ui.frame.layout import empty_state, row
from core.ui.frame.problems import show_problems
from core.ui.frame.session import open_session
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.quantities import count_of
from core.ui.vote.vote_filters import clear_filters, go_back, goes_further_back
from core.ui.vote.voting import voting_now
from core.viewer import Capability, Viewer
from core.votes.ballots.drawing import BallotFilter
from core.votes.service import Pool
from core.web.http.addresses import DEFAULT_PAGE


def nothing_to_judge(studio: Studio, viewer: Viewer, pool: Pool, wanted: BallotFilter) -> None:
    """Say which of the reasons it is; each leads on."""
    if pool.reading:
        empty_state("Reading comparisons", "They are being read from storage: the first pair comes by itself.")
        return
    if voting_now().ordered:
        empty_state("Making practice comparisons", "The first pair comes by itself within seconds.")
        return
    if pool.seen and not wanted.include_seen:
        _only_seen(pool)
    elif pool.judged or pool.seen or pool.skipped:
        _all_judged(pool, wanted)
    elif wanted != BallotFilter(include_seen=wanted.include_seen):
        place = empty_state("No pair passes these filters", "Go further back, or clear one of them.")
        with place:
            st.button("Clear filters", on_click=clear_filters)
    else:
        _none_at_all(studio, viewer)


def storage_is_away(err: StorageError) -> None:
    """What there is cannot be read just now; answers that were given are safe, and the desk says where."""
    st.warning(fill("Storage does not answer: {} This page looks again by itself.", err), icon=":material/cloud_off:")


def _all_judged(pool: Pool, wanted: BallotFilter) -> None:
    """The page looks for new ones by itself."""
    answered = count_of(pool.judged, "pair")
    if pool.skipped:
        says = fill(
            "You have answered {} and skipped {:,}. What was skipped comes back after a day; new comparisons appear "
            "here by themselves.",
            answered,
            pool.skipped,
        )
    else:
        says = fill("You have answered {}. New comparisons appear here by themselves.", answered)
    place = empty_state("All judged" if pool.judged else "All skipped", says)
    with place, row(width="content"):
        if goes_further_back():
            st.button("Go further back", on_click=go_back)
        if wanted.narrows:
            st.button("Clear filters", on_click=clear_filters)


def _only_seen(pool: Pool) -> None:
    """Who makes comparisons sees their sides."""
    place = empty_state(
        "Nothing left that you have not seen",
        fill(
            "You have seen the sides of {} named, on Generate or in History: your answer would not be blind. Other "
            "people can judge them. New comparisons appear here by themselves.",
            count_of(pool.seen, "pair"),
        ),
    )
    with place:
        st.button(
            "Judge them all the same", on_click=_include_seen, help="Such answers are marked, and left out of Insights."
        )


def _none_at_all(studio: Studio, viewer: Viewer) -> None:
    place = empty_state(
        "Nothing to vote on yet",
        "A vote needs a comparison with pictures on both sides. Make one on Generate; whoever has not seen its sides "
        "named can judge it here.",
    )
    with place:
        if studio.settings.profile is Profile.EMBEDDED and viewer.may(Capability.GENERATE):
            st.button("Make practice comparisons", type="primary", on_click=_practise)
            st.caption("Eight, by the preview engine: no AI, no cost, done within seconds.", text_alignment="center")
        st.page_link(PROJECT_ROOT / "pages" / f"{DEFAULT_PAGE}.py", label="Go to Generate")


def _practise() -> None:
    with show_problems():
        studio, viewer = open_session()
        studio.practice.order(viewer)
        voting_now().ordered = True


def _include_seen() -> None:
    st.session_state[Key.VOTE_SEEN] = True
