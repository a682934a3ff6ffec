"""History details: one comparison with its slots, prompts and outcomes, to replay or recall."""

from __future__ import annotations

import streamlit as st

from core.errors import StudioError
from core.generation.comparison import AttemptPhase, ComparisonStatus, SideRecord, SideStatus
from core.images.thumbnails import THUMBNAIL_SIDES
from core.injection.slots import Slot
from core.studio import Studio
from core.ui.problems import show_problem
from core.ui.reference_details import go_to
from core.ui.results import FIDELITY_HELP, money
from core.ui.session import absolute, dialog, open_session
from core.ui.state import Key
from core.viewer import Capability, Viewer
from core.web import ORIGINAL, image_url


def open_comparison(studio: Studio, viewer: Viewer, status: ComparisonStatus) -> None:
    """Open the drawer for a comparison."""
    dialog("Comparison", _details, width="large", position="right")(studio, viewer, status)


def _details(studio: Studio, viewer: Viewer, status: ComparisonStatus) -> None:
    comparison = status.comparison
    st.text(comparison.wishes.prompt)
    made = f"{comparison.created_at:%Y-%m-%d %H:%M} UTC · {comparison.person}"
    if comparison.legacy is None:
        engine = f"{comparison.engine} {comparison.model}"
        st.caption(f"{made} · {engine} · {comparison.size} · seed {comparison.seed}")
    else:
        output = f" · picture `{comparison.legacy.output}`" if comparison.legacy.output else ""
        st.caption(f"{made} · imported, record {comparison.legacy.id}{output}")
    if comparison.controlled is not None:
        st.badge(f"controlled: {'yes' if comparison.controlled else 'no'}", color="gray")
    for difference in comparison.differences:
        st.caption(difference.says)
    with st.container(horizontal=True):
        _open_button(comparison.id)
        if comparison.legacy is None:
            _replay_button(studio, viewer, status)
    columns = st.columns(len(status.sides))
    for side, column in zip(status.sides, columns, strict=True):
        with column:
            _side(studio, comparison.side(side.side), side)


def _open_button(comparison_id: str) -> None:
    if st.button("Open in Generate", type="primary", icon=":material/open_in_full:"):
        st.session_state.pop(Key.SHOWN, None)
        st.session_state[Key.RECALL] = comparison_id
        go_to("generate")


def _replay_button(studio: Studio, viewer: Viewer, status: ComparisonStatus) -> None:
    missing = _missing(studio, status)
    if st.button(
        "Replay",
        icon=":material/replay:",
        disabled=bool(missing),
        help="Send the identical request again. The model has no seed: the picture will differ.",
    ):
        try:
            _, viewer = open_session()  # this drawer may have been open for long
            viewer.require(Capability.GENERATE)
            again = studio.desk.replay(status.comparison, person=viewer.email)
        except StudioError as err:
            show_problem(err)
            return
        st.session_state[Key.RECALL] = again.id
        st.session_state.pop(Key.SHOWN, None)
        go_to("generate")
    for slot in missing:
        st.caption(f":material/broken_image: `{slot.key}` is no longer in S3 as it was: it cannot be replayed.")


def _missing(studio: Studio, status: ComparisonStatus) -> list[Slot]:
    """Slots whose picture has left S3 or changed, each key once."""
    index, gone = studio.catalog.index, {}
    for side in status.comparison.sides:
        for slot in side.slots:
            now = index.get(slot.key) if slot.key else None
            if slot.key and (now is None or now.etag != slot.etag):
                gone[slot.key] = slot
    return list(gone.values())


def _side(studio: Studio, record: SideRecord, side: SideStatus) -> None:
    told = (
        ""
        if side.phase is AttemptPhase.DONE and side.attempt == 1
        else f" :gray[{side.phase.value}, attempt {side.attempt}]"
    )
    st.markdown(f"**{side.side.heading}**{told}")
    if side.picture is not None:
        st.image(
            absolute(image_url(side.picture.key, side.picture.etag, THUMBNAIL_SIDES[1])),
            width="stretch",
            alt=f"{side.side.heading}, made picture",
        )
        name = f"{side.outcomes[-1].comparison}-{side.side.value}.png"
        url = absolute(image_url(side.picture.key, side.picture.etag, ORIGINAL, download_as=name))
        st.markdown(f":material/download: [PNG]({url})")
    for outcome in side.outcomes:
        fidelity = outcome.picture.fidelity if outcome.picture else None
        if fidelity is not None:
            st.caption(f"Fidelity {fidelity:.0f} · {outcome.seconds:.1f} s · {money(outcome)}", help=FIDELITY_HELP)
        if outcome.failure is not None:
            request = f" (request {outcome.request_id})" if outcome.request_id else ""
            st.caption(f"Attempt {outcome.attempt}: {outcome.failure.message}{request}")
    for slot in record.slots:
        _slot(studio, slot)
    with st.expander("Sent prompt"):
        st.code(record.prompt, language=None, wrap_lines=True)


def _slot(studio: Studio, slot: Slot) -> None:
    if not (slot.key and slot.etag):
        st.caption(f"{slot.role.value}: empty. {slot.why}")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        now = studio.catalog.index.get(slot.key)
        if now is None or now.etag != slot.etag:
            st.caption(f":material/broken_image: {slot.role.value}: `{slot.key}` is no longer in S3 as it was")
            return
        st.image(absolute(image_url(slot.key, slot.etag, THUMBNAIL_SIDES[0])), width=56, alt=f"{slot.name}")
        st.caption(f"{slot.role.value}: {slot.name}. {slot.why}")
