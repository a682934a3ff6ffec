"""The rehearsal report: what renaming folders or publishing labels would change in past comparisons."""

from __future__ import annotations

import streamlit as st

from core.generation.rehearsal import rehearse
from core.references.index import ReferenceIndex
from core.studio import Studio
from core.ui.problems import problems_shown
from core.ui.session import dialog

_LAST = 20


def rehearsal_report(studio: Studio, index: ReferenceIndex) -> None:
    """A dialog that plans the newest comparisons again, and writes nothing."""
    dialog("Would past comparisons pick the same?", _report, width="large")(studio, index)


def _report(studio: Studio, index: ReferenceIndex) -> None:
    with problems_shown():
        rehearsals = list(rehearse(studio.history.newest(limit=_LAST), studio.desk, index))
        changed = [rehearsal for rehearsal in rehearsals if rehearsal.changes]
        if not rehearsals:
            st.caption("There is no comparison yet.")
            return
        st.caption(f"{len(rehearsals)} newest comparisons planned again: {len(changed)} would pick differently now.")
        for rehearsal in changed:
            st.text(rehearsal.comparison.wishes.prompt[:120])
            rows = [
                {
                    "Side": change.side.heading,
                    "Slot": change.slot,
                    "Was": change.was or "empty",
                    "Now": change.now or "empty",
                    "Why": change.why,
                }
                for change in rehearsal.changes
            ]
            st.dataframe(rows, hide_index=True)
