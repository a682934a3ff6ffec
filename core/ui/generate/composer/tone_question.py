"""The tone question: a run whose chosen tone puts in no tone reference asks first, in place."""

from __future__ import annotations

import streamlit as st

from core.generation.planning import Planned
from core.injection.request.slots import Slot
from core.injection.request.wishes import Wishes
from core.references.vocabulary import Role, Vocabulary
from core.ui.frame.layout import row
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import fill
from core.ui.generate.composer.draft import draft, set_draft


def must_ask(planned: Planned) -> bool:
    """Whether a press of Generate is answered with the question, which then stands until it is answered or moot.

    Who has switched the tone slot off and said yes once is not asked again in this draft.
    """
    if _toneless(planned) is None:
        return False
    if st.session_state.pop(Key.TONE_AGREED, None) == planned.injection.wishes:
        return False
    if Role.TONE.value in planned.injection.wishes.off and draft().is_toneless:
        return False
    st.session_state[Key.TONE_ASKED] = planned.injection.wishes
    return True


def tone_question(planned: Planned, vocabulary: Vocabulary, *, can_generate: bool) -> None:
    """Draw the question, if it was asked about this very plan."""
    slot, asked, tone = _toneless(planned), st.session_state.get(Key.TONE_ASKED), planned.injection.settled.tone
    if slot is None or tone is None or asked != planned.injection.wishes:
        st.session_state.pop(Key.TONE_ASKED, None)
        return
    name = vocabulary.tone(tone.value).name
    with st.container(key="tone-question", gap="xsmall"):
        st.markdown(fill("**{} is wished, and no tone reference goes in.** :gray[{}]", name, slot.why))
        with row(gap="small"):
            st.button(
                "Generate all the same",
                key="tone-yes",
                disabled=not can_generate,
                on_click=_agree,
                args=(planned.injection.wishes,),
            )
            st.button("Not now", key="tone-no", on_click=_leave)


def _toneless(planned: Planned) -> Slot | None:
    """The tone slot that is empty although a tone is wished."""
    if planned.injection.settled.tone is None:
        return None
    slots = [slot for side in planned.sides for slot in side.slots if slot.role is Role.TONE]
    return next((slot for slot in slots if not slot.filled), None)


def _agree(wishes: Wishes) -> None:
    """The press of Generate again, this time with a yes to it."""
    _leave()
    if Role.TONE.value in wishes.off:
        set_draft(is_toneless=True)
    st.session_state[Key.TONE_AGREED] = wishes
    st.session_state[Key.ORDERED] = True


def _leave() -> None:
    st.session_state.pop(Key.TONE_ASKED, None)
