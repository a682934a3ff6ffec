"""Publishing labels: the diff first, then the file, or the file to take away where it cannot be written."""

from __future__ import annotations

import streamlit as st

from core.labels.publication.draft import PublicationDraft
from core.studio import Studio
from core.ui.frame.markdown import fill
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
                fill(
                    "This server runs label version {}; {} published {} "
                    "on {:%Y-%m-%d at %H:%M} UTC. Bring labels/personas.jsonl up to date here, then restart.",
                    running,
                    newer.person,
                    newer.version,
                    newer.time,
                ),
                icon=":material/update:",
            )


def _dialog(studio: Studio) -> None:
    with show_problems():
        draft = studio.publisher.draft(studio.catalog.index)
        if draft.is_empty:
            st.markdown("There is nothing to publish: the file says what the reviews say.")
            return
        _summary(draft)
        if st.button("Publish", type="primary", icon=":material/publish:"):
            _publish(studio, draft)


def _summary(draft: PublicationDraft) -> None:
    st.markdown(
        fill(
            "**{:,} changed, {:,} added** :gray[· the new file is version {}, from {:,} saves]",
            draft.changed,
            draft.added,
            draft.version,
            draft.number,
        )
    )
    if draft.left_out:
        st.caption(fill("{:,} reviewed pictures are not in the library any more and stay out.", len(draft.left_out)))
    lines = draft.diff.splitlines()
    st.code("\n".join(lines[:_LINES_SHOWN]), language="diff", height=360)
    if len(lines) > _LINES_SHOWN:
        st.caption(fill("The first {} of {:,} lines.", _LINES_SHOWN, len(lines)))


def _publish(studio: Studio, draft: PublicationDraft) -> None:
    _, viewer = open_session()
    done = studio.publisher.publish(draft, viewer)
    if done.file is not None:
        st.success(fill("labels/personas.jsonl is written as version {}: commit it.", draft.version))
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
