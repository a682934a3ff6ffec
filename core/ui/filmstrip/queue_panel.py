"""The queue panel: what waits of one's own, in the order in which it will begin, to be moved or cancelled."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st

from core.generation.running.own_queue import Move, Waiting
from core.studio import Studio
from core.ui.frame.layout import row
from core.ui.frame.problems import show_problems
from core.ui.frame.session import open_session
from core.ui.frame.words.markdown import fill, plain
from core.ui.frame.words.quantities import count_of, ordinal
from core.viewer import Viewer

_PROMPT_CHARS: Final = 60
_WORDS_PX: Final = 260


def queue_panel(studio: Studio, viewer: Viewer) -> None:
    """One button with how much waits, and behind it the queue; nothing while nothing waits."""
    waiting = studio.orders.waiting_of(viewer)
    if not waiting:
        return
    label = fill("Queue: {} waiting", count_of(len(waiting), "comparison"))
    with st.popover(label, type="tertiary", icon=":material/hourglass_top:", key="queue"):
        st.caption("Yours alone, in the order in which they begin. Others have their turns in between.")
        for at, each in enumerate(waiting, 1):
            _waiting_row(each, at, is_first=at == 1, is_last=at == len(waiting))


def _waiting_row(waiting: Waiting, place: int, *, is_first: bool, is_last: bool) -> None:
    prompt = " ".join(waiting.prompt.split())
    short = prompt if len(prompt) <= _PROMPT_CHARS else f"{prompt[:_PROMPT_CHARS]}…"
    sides = " and ".join(side.heading for side in waiting.sides)
    begins = f"after {count_of(waiting.ahead, 'side')}" if waiting.ahead else "next to begin"
    with row(spread=True, key=f"waiting-{waiting.comparison}"):
        words = fill(":small[**{}** {}  \n:gray[{} · {}]]", ordinal(place), short, sides, begins)
        st.markdown(words, width=_WORDS_PX)
        with row(width="content", gap="xsmall"):
            for move in Move:
                _move_button(waiting.comparison, move, is_off=is_last if move is Move.LATER else is_first)
            st.button(
                "Cancel",
                type="tertiary",
                key=f"cancel-waiting-{waiting.comparison}",
                on_click=partial(_cancel, waiting.comparison),
            )


def _move_button(comparison_id: str, move: Move, *, is_off: bool) -> None:
    st.button(
        plain(move.value.capitalize()),
        type="tertiary",
        disabled=is_off,
        key=f"{move.value}-{comparison_id}",
        on_click=partial(_move, comparison_id, move),
    )


def _move(comparison_id: str, move: Move) -> None:
    with show_problems():
        studio, viewer = open_session()
        studio.orders.move(comparison_id, move, viewer)


def _cancel(comparison_id: str) -> None:
    with show_problems():
        studio, viewer = open_session()
        studio.orders.cancel_waiting(comparison_id, viewer)
