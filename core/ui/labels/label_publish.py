"""Publishing labels: the diff first, then the file, or the file to take away where it cannot be written."""

from __future__ import annotations

import streamlit as st

from core.labels.review.publication import PublicationDraft
from core.studio import Studio
from core.ui.frame.markdown import plain
from core.ui.frame.problems import show_problems
from core.ui.frame.session import dialog, open_session

_LINES_SHOWN = 400
_FRESH_S = 30.0  # how old the newest publication that is known may be


def publish_button(studio: Studio) -> None:
    """The button that opens the diff."""
    if st.button("Publish…", icon=":material/publish:", width="content"):
        dialog("Publish labels", _dialog, width="large")(studio)


def warn_if_old(studio: Studio) -> None:
    """Say it when somebody has published a file that this server does not run."""
    with show_problems():
        running = studio.live_labels.published.version
        newer = studio.publisher.newer(running, max_age_s=_FRESH_S)
        if newer is not None:
            st.warning(
                f"This server runs label version {running}; {plain(newer.person)} published {newer.version} "
                f"on {newer.time:%Y-%m-%d at %H:%M} UTC. Bring labels/personas.jsonl up to date here, then restart.",
                icon=":material/update:",
            )


def _dialog(studio: Studio) -> None:
    with show_problems():
        draft = studio.publisher.draft(studio.catalog.index)
        if draft.is_empty:
            st.write("There is nothing to publish: the file says what the reviews say.")
            return
        _summary(draft)
        if st.button("Publish", type="primary", icon=":material/publish:"):
            _publish(studio, draft)


def _summary(draft: PublicationDraft) -> None:
    st.markdown(
        f"**{draft.changed:,} changed, {draft.added:,} added** :gray[· the new file is version {draft.version}, "
        f"from {draft.reviews:,} saves]"
    )
    if draft.left_out:
        st.caption(f"{len(draft.left_out):,} reviewed pictures are not in the library any more and stay out.")
    lines = draft.diff.splitlines()
    st.code("\n".join(lines[:_LINES_SHOWN]), language="diff", height=360)
    if len(lines) > _LINES_SHOWN:
        st.caption(f"The first {_LINES_SHOWN} of {len(lines):,} lines.")


def _publish(studio: Studio, draft: PublicationDraft) -> None:
    _, viewer = open_session()
    done = studio.publisher.publish(draft, viewer)
    if done.file is not None:
        st.success(f"labels/personas.jsonl is written as version {draft.version}: commit it.")
        return
    st.info(
        "This server cannot write labels/personas.jsonl. The publication waits in S3; take the file and put it into "
        "the repository."
    )
    st.download_button(
        "Download personas.jsonl",
        draft.after,
        file_name="personas.jsonl",
        mime="application/jsonl",
        icon=":material/download:",
        on_click="ignore",
    )
