"""The plan difference report: what renaming folders or publishing labels has changed in past comparisons' plans."""

from __future__ import annotations

import streamlit as st

from core.generation.differences.plan_diff import diff_plans
from core.references.index import ReferenceIndex
from core.studio import Studio
from core.ui.frame.drawer import drawer
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.tables import draw_table

PLAN_DIFF_DIALOG = "check"  # what the address calls it
_LAST = 20


def plan_diff_report(studio: Studio, index: ReferenceIndex) -> None:
    """Draw the dialog that plans the newest comparisons again, and writes nothing."""
    drawer("Would past comparisons pick the same?", _report, width="large", position="center")(studio, index)


def _report(studio: Studio, index: ReferenceIndex) -> None:
    plan_diffs = list(diff_plans(studio.history.newest(limit=_LAST), studio.planner, index))
    changed = [plan_diff for plan_diff in plan_diffs if plan_diff.changes]
    if not plan_diffs:
        st.caption("There is no comparison yet.")
        return
    st.caption(
        fill("{} newest comparisons planned again: {} would pick differently now.", len(plan_diffs), len(changed))
    )
    for plan_diff in changed:
        st.text(plan_diff.comparison.wishes.prompt[:120])
        rows = [
            {
                "Side": change.side.heading,
                "Slot": change.slot,
                "Was": change.was or "empty",
                "Now": change.now or "empty",
                "Why": change.why,
            }
            for change in plan_diff.changes
        ]
        draw_table(rows)
