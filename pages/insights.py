"""Insights: what people prefer, how surely that is known, and what is still missing."""

from __future__ import annotations

import streamlit as st

from core.studio import Studio
from core.ui.components.announcer import announce
from core.ui.frame.layout import row
from core.ui.frame.problems import show_problems
from core.ui.frame.session import fragment, open_session
from core.ui.frame.words.markdown import fill
from core.ui.insights.answer import show_answer, show_course, show_figures, show_nothing_known, vote_button
from core.ui.insights.downloads import show_downloads
from core.ui.insights.groups import show_groups
from core.ui.insights.insight_filters import insight_filters, question_choice
from core.ui.insights.pictures import show_pictures, show_reasons
from core.ui.insights.steadiness import show_left_out, show_steadiness
from core.viewer import Viewer
from core.votes.insights.insights import Insights
from core.votes.selection import Filters


def page() -> None:
    """Ask one question, narrow it, and show everything that is known about the answer."""
    studio, viewer = open_session()
    with row(spread=True, key="insights-head"):
        place = st.container(width="content")
        with row(width="content"):
            vote_button()
            varies = question_choice()
    with show_problems():
        wanted = insight_filters(studio, viewer, varies)
        found = studio.insights.answer(viewer, wanted)
        announce(found.sentence)
        with place:
            st.title(fill("Insights :gray[{}]", found.question), anchor=False)
        _tell_reading(studio)
        _show(studio, viewer, wanted, found)


def _show(studio: Studio, viewer: Viewer, wanted: Filters, found: Insights) -> None:
    """The answer, or why there is none; and what there is besides."""
    if found.estimate.scenes:
        show_answer(studio, viewer, found)
        show_figures(found)
    else:
        show_nothing_known(studio, viewer, found, is_narrowed=wanted != Filters(wanted.varies))
    if found.estimate.scenes or found.votes or found.left_out.total:
        with st.container(key="insights-details"):
            _details(studio, found)
        show_downloads(studio, wanted)


def _details(studio: Studio, found: Insights) -> None:
    """Two columns on a wide screen, one on a narrow one."""
    if found.estimate.scenes:
        st.space("small")
        groups, course = st.columns(2, gap="large")
        with groups:
            show_groups(studio, found)
        with course:
            show_course(found)
    st.space("small")
    left, right = st.columns(2, gap="large")
    if found.votes:
        with left:
            show_reasons(found)
            show_pictures(found)
        with right:
            show_steadiness(found)
    with right if found.votes else left:
        show_left_out(found)


def _tell_reading(studio: Studio) -> None:
    """While votes are still being read, the page looks again by itself."""
    if not studio.insights.is_read:
        fragment(_reading, run_every=2)(studio)


def _reading(studio: Studio) -> None:
    if studio.insights.is_read:
        st.rerun()
    st.caption("The votes are still being read from S3: there may be more.")


page()
