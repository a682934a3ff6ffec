"""What varies: the composer's control for the one thing in which two sides differ, and for how many takes there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from core.generation.records.comparison import TAKES_MAX
from core.injection.request.wishes import Mode, Strength, Varies, Wishes
from core.references.vocabulary import Role
from core.ui.frame.layout import row
from core.ui.frame.state import Key
from core.ui.frame.words.glossary import BALANCED_HELP, TAKES_HELP
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.names import ROLES, STRENGTHS, VARIES

STEERED: Final = {Role.TONE.value: ROLES[Role.TONE], Role.ANGLE.value: ROLES[Role.ANGLE]}
STRENGTH_OF_B: Final = Strength.STRONG  # until somebody says otherwise
_TAKES: Final = {takes: str(takes) for takes in range(1, TAKES_MAX + 1)}
_DEFAULTS: Final[Mapping[Key, object]] = {
    Key.VARIES: Varies.ANGLE,
    Key.BALANCED: True,
    Key.STRENGTH_OF: Role.TONE.value,
    Key.STRENGTH_B: STRENGTH_OF_B,
    Key.TAKES: 1,
}


def what_varies() -> None:
    """Draw it below the mode: one row, and a second one where a strength is chosen; nothing for a single side."""
    for key, value in _DEFAULTS.items():
        st.session_state.setdefault(key, value)
    if st.session_state.get(Key.MODE) != Mode.COMPARE:
        return
    with row(gap="xsmall", key="what-varies"):
        st.selectbox(
            "Varies",
            list(VARIES),
            format_func=lambda varies: f"Varies: {VARIES[varies]}",
            key=Key.VARIES,
            label_visibility="collapsed",
            persist_state="session",
        )
        if varies() is Varies.ANGLE:
            st.toggle("Balanced", key=Key.BALANCED, help=BALANCED_HELP, persist_state="session")
        elif varies() is Varies.STRENGTH:
            st.selectbox(
                "Strength",
                list(STEERED),
                format_func=STEERED.__getitem__,
                key=Key.STRENGTH_OF,
                label_visibility="collapsed",
                width=96,
                persist_state="session",
            )
    if varies() is Varies.STRENGTH:
        with row(gap="xsmall", key="followed-by-B"):
            st.markdown(":small[**B**]", width="content")
            st.segmented_control(
                fill("Strength {}", "B"),
                list(STRENGTHS),
                format_func=STRENGTHS.__getitem__,
                key=Key.STRENGTH_B,
                required=True,
                label_visibility="collapsed",
                width="stretch",
                persist_state="session",
            )


def takes_field() -> None:
    """Draw how many takes each side has, beside the price of all of them."""
    with row(width="content", gap="xsmall", key="takes-row"):
        st.caption("Takes", width="content", help=TAKES_HELP)
        st.segmented_control(
            "Takes",
            list(_TAKES),
            key=Key.TAKES,
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )


def varies() -> Varies:
    """What the sides differ in; a widget that holds what it cannot offer has said nothing."""
    return next((each for each in Varies if each == st.session_state.get(Key.VARIES)), Varies.ANGLE)


def is_balanced() -> bool:
    """Whether both sides of a comparison are to have equally many person references."""
    return st.session_state.get(Key.BALANCED) is not False


def strengths_b() -> dict[str, Strength]:
    """What B follows otherwise than A, and how closely: the one slot whose strength is varied, else nothing."""
    if varies() is not Varies.STRENGTH:
        return {}
    state = st.session_state
    slot_id = next((each for each in STEERED if each == state.get(Key.STRENGTH_OF)), Role.TONE.value)
    return {slot_id: next((each for each in Strength if each == state.get(Key.STRENGTH_B)), STRENGTH_OF_B)}


def takes() -> int:
    """How many takes each side has."""
    said = st.session_state.get(Key.TAKES)
    return said if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= TAKES_MAX else 1


def set_varied(wishes: Wishes) -> None:
    """Set the controls to what these wishes vary. Call before they are drawn."""
    state = st.session_state
    state[Key.VARIES], state[Key.BALANCED] = wishes.varies, wishes.balanced
    for slot_id, strength in wishes.strengths_b.items():
        if slot_id in STEERED:
            state[Key.STRENGTH_OF], state[Key.STRENGTH_B] = slot_id, strength
