"""The choices line: what the last act overruled, with Undo, and who and what is pinned where no slot shows it."""

from __future__ import annotations

import streamlit as st

from core.generation.planning import Planned
from core.injection.choices import waiting
from core.injection.request.slots import Slot
from core.references.key import file_name
from core.references.vocabulary import Role
from core.ui.frame.layout import row
from core.ui.frame.words.markdown import fill
from core.ui.generate.composer import draft


def choices_line(planned: Planned) -> None:
    """Draw it where there is something to say. Nothing on a page moves away by itself: it stays until the next act."""
    said = draft.overruled()
    if said is not None:
        with row(key="overruled", gap="xsmall"):
            st.caption(fill(":material/history: {}", said.says), width="content")
            st.button(
                "Undo",
                key="undo-choice",
                type="tertiary",
                help="Back to what was chosen before.",
                on_click=draft.take_back,
            )
    persona = draft.draft().persona
    if persona is not None and not any(slot.id in draft.draft().pins for slot in _model_slots(planned)):
        with row(key="pinned-person", gap="xsmall"):
            st.caption(fill(":material/keep: {} is pinned for every slot.", persona), width="content")
            st.button(
                "Anybody",
                key="let-go",
                type="tertiary",
                help="Let go of the pinned person: the draw decides again.",
                on_click=draft.let_go,
            )
    wishes = planned.injection.wishes
    for slot_id in waiting(wishes, (slot for side in planned.sides for slot in side.slots)):
        with row(key=f"pin-waits-{slot_id}", gap="xsmall"):
            name = file_name(wishes.pins[slot_id])
            st.caption(
                fill(":material/keep: “{}” is pinned and waits: its group is not in this plan.", name), width="content"
            )
            st.button("Unpin", key=f"unpin-{slot_id}", type="tertiary", on_click=draft.unpin, args=(slot_id,))


def _model_slots(planned: Planned) -> list[Slot]:
    return [slot for side in planned.sides for slot in side.slots if slot.role is Role.MODEL]
