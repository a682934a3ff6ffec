"""Label history: who changed which field of a portrait's label, when, from what to what."""

from __future__ import annotations

import streamlit as st

from core.references.reference import Reference
from core.studio import Studio
from core.ui.frame.session import open_session
from core.ui.references.label_values import FIELD_NAMES, describe_value


def label_history(studio: Studio, reference: Reference) -> None:
    """Every change of every field, newest first; nothing where nobody has decided anything."""
    _, viewer = open_session()
    lines = studio.review_service.history(viewer, reference.etag)
    if not lines:
        return
    with st.expander(f"Label history ({len(lines)})"):
        st.dataframe(
            [
                {
                    "When": line.time,
                    "Who": line.reviewer,
                    "Field": FIELD_NAMES[line.field],
                    "From": describe_value(line.before) or "–",
                    "To": describe_value(line.after) or "unsure",
                    "": "undone" if line.undone else "second look" if line.second else line.kind.value,
                }
                for line in lines
            ],
            hide_index=True,
            column_config={"When": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")},
        )
