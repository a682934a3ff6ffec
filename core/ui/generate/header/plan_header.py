"""The header of a plan: what it holds, whether it is fair, what it costs, the button that makes it; or no plan yet."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import streamlit as st

from core.generation.planning import Planned
from core.generation.records.side_titles import planned_title
from core.injection.request.fairness import Difference, Fairness
from core.injection.request.wishes import Mode, SideName, Varies, Wishes
from core.references.vocabulary import Vocabulary
from core.studio import Studio
from core.ui.frame.layout import empty_state, row
from core.ui.frame.state import Key
from core.ui.frame.words.glossary import CONTROLLED_HELP
from core.ui.frame.words.markdown import fill, plain
from core.ui.frame.words.names import MODES
from core.ui.frame.words.quantities import count_of
from core.ui.generate.composer.composer import clear_composer, recent_keys
from core.ui.generate.composer.draft import adopt, mend, set_draft, shuffle
from core.ui.generate.composer.render_fields import renders_by_side
from core.ui.generate.composer.stored_draft import refused_chars
from core.ui.generate.composer.varied import takes, takes_field
from core.ui.generate.header.choices_line import choices_line
from core.ui.generate.header.known_so_far import known_so_far
from core.ui.generate.header.price import Price
from core.ui.generate.header.reading_line import HELP, reading_line
from core.ui.generate.header.sent_prompt import sent_prompt
from core.viewer import Viewer

_COMPARED: Final = {
    Varies.ANGLE: "the angle",
    Varies.MODEL: "the image model",
    Varies.TONE_WAY: "the tone's way",
    Varies.STRENGTH: "the strength",
}


def plan_header(studio: Studio, viewer: Viewer, planned: Planned, price: Price, *, verdict: bool, unsent: bool) -> None:
    """Draw it; `verdict` once there is something to judge, `unsent` once there is something to lose.

    Work that goes on blocks nothing: each press of Generate orders another comparison.
    """
    fairness = planned.injection.fairness if verdict else None
    with st.container(gap=None):
        with row(spread=True, key="plan-first"):
            _title(studio, planned, fairness)
            can_generate = price.objection is None
            with row(width="content"):
                _buttons(studio, viewer, can_generate=can_generate, can_clear=unsent or verdict)
        with row(spread=True, key="plan-line"):
            with row(key="plan-says"):
                _reading(planned, studio.vocabulary)
                if verdict:
                    sent_prompt(planned.sides, _titles(studio, planned))
                choices_line(planned)
                known_so_far(studio, viewer, planned)
            with row(width="content", gap="small", key="plan-price"):
                takes_field()
                st.caption(plain(price.line), width="content")
    if price.objection is not None:
        st.error(plain(price.objection), icon=":material/error:")


def show_empty_plan() -> None:
    """The empty stage; where the header says why there is no plan, nothing stands below it."""
    if refused_chars():
        return
    text = "Write a prompt or pick a tone. The references that will go in appear here, before anything is sent."
    with empty_state("Nothing planned yet", text, key="nothing-planned"):
        with st.container(key="composer-hidden"):  # shown on a phone, where the composer is folded away
            st.caption("Prompt and tones are behind » at the top.", text_alignment="center")
        st.button(
            "Let chance pick a tone",
            type="tertiary",
            icon=":material/casino:",
            on_click=partial(set_draft, tone_by_chance=True),
        )


def _title(studio: Studio, planned: Planned, fairness: Fairness | None) -> None:
    """What is planned, and beside it whether that is fair: no line of its own, or the stage would move with it."""
    filled = sum(slot.filled for side in planned.sides for slot in side.slots)
    wishes = planned.injection.wishes
    told = [*_compared(wishes), count_of(filled, "reference")]
    title = fill("**{}** :gray[{}]", MODES[wishes.mode], " · ".join(told))
    with row(key="plan-title"):
        st.markdown(title, width="content")
        if fairness is not None:
            st.badge(fill("controlled: {}", "yes" if fairness.controlled else "no"), color="gray", help=CONTROLLED_HELP)
            with st.container(gap=None, width="content", key="plan-fairness"):
                _fairness(studio, planned, fairness)


def _buttons(studio: Studio, viewer: Viewer, *, can_generate: bool, can_clear: bool) -> None:
    """Begin anew, draw anew, and make it. A session's first press of Generate calls nobody back: it is answered here,
    for the session met it before it had drawn the button.
    """
    st.button(
        "Clear",
        type="tertiary",
        help="Begin anew, with nothing on the stage. What you have made stays in History.",
        disabled=not can_clear,
        on_click=partial(clear_composer, studio),
    )
    st.button(
        "Shuffle",
        icon=":material/shuffle:",
        help="Draw all references anew, away from what you were given last time.",
        on_click=lambda: shuffle(recent_keys(studio, viewer.email)),
    )
    is_pressed = st.button(
        "Generate",
        type="primary",
        shortcut="Ctrl+Enter",
        disabled=not can_generate,
        on_click=partial(st.session_state.__setitem__, Key.ORDERED, True),
    )
    is_known = st.session_state.get(Key.BUTTON_DRAWN, False)
    st.session_state[Key.BUTTON_DRAWN] = True
    if is_pressed and not is_known:
        st.session_state[Key.ORDERED] = True
        st.rerun()


def _reading(planned: Planned, vocabulary: Vocabulary) -> None:
    """What the reader took from the prompt, so that nothing is guessed behind anyone's back."""
    reading = planned.injection.reading
    if refused_chars():
        st.caption("Prompt too long to be read", width="content")
        return
    if not planned.injection.wishes.prompt.strip():
        st.caption("No prompt yet", width="content")
        return
    if reading.note:
        st.caption(fill(":material/cloud_off: {}", reading.note), width="content")
    st.caption(reading_line(planned, vocabulary), width="content", help=HELP)


def _compared(wishes: Wishes) -> Iterator[str]:
    """What is compared, how its sides are planned where that is not the usual way, and how many takes there are."""
    if wishes.mode is Mode.COMPARE:
        yield _COMPARED[wishes.varies]
        if wishes.varies is Varies.ANGLE and not wishes.balanced:
            yield "as each mode alone"
    if takes() > 1:
        yield f"{takes()} takes a side"


def _titles(studio: Studio, planned: Planned) -> dict[SideName, str]:
    renders = renders_by_side(studio)
    return {side.side: planned_title(planned.injection.wishes, side.side, renders) for side in planned.sides}


def _fairness(studio: Studio, planned: Planned, fairness: Fairness) -> None:
    """The first thing that differs, in one line, and its mend; behind a press everything that does. Of a fair pair
    what it cannot tell.
    """
    if fairness.controlled:
        if fairness.note:
            st.caption(fill(":material/info: {}", fairness.note), width="content")
        return
    differences = sorted(fairness.differences, key=lambda each: each.mend is None)
    st.caption(fill(":material/balance: {}", differences[0].says), width="content")
    with row(gap="small", key="plan-mends"):
        if not _mend(differences[0], "first"):
            _fair_choice(studio, planned)
        with st.popover(fill("Differs: {}", str(len(differences))), type="tertiary", key="plan-differences"):
            for number, each in enumerate(differences):
                with st.container(gap=None, key=f"plan-difference-{number}"):
                    st.markdown(plain(each.says))
                    _mend(each, f"{number}")


def _mend(difference: Difference, place: str) -> bool:
    """The one change that mends a difference, if there is one, and whether there is."""
    if difference.mend is None:
        return False
    st.button(
        plain(difference.mend.says),
        type="tertiary",
        wrap=True,
        help="The one change that mends this: it has been planned, and the difference was gone.",
        on_click=partial(mend, difference.mend),
        key=f"mend-{place}",
    )
    return True


def _fair_choice(studio: Studio, planned: Planned) -> None:
    """The nearest wishes with which nothing but what varies would differ."""
    choice = studio.planner.fair_choice(planned)
    if choice is None:
        if planned.injection.wishes.varies not in (Varies.MODEL, Varies.STRENGTH):  # those are chosen in the composer
            st.caption("Nothing in the library would make it fair.", width="content")
        return
    st.button(
        plain(choice.says),
        type="tertiary",
        wrap=True,
        help="The nearest change that makes the pair fair: it has been planned, and came out controlled.",
        on_click=partial(adopt, choice.wishes),
        key="fair-choice",
    )
