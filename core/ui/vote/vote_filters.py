"""Vote filters: which comparisons a person is shown; they narrow both pictures of a pair alike."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.studio import Studio
from core.ui.frame.filters import key_filter, named_choice, put_name, switch
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import Markdown, fill
from core.ui.frame.words.names import VARIES, ids_by_name
from core.votes.ballots.drawing import BallotFilter

_DAYS: Final = {"Last day": 1, "Last 7 days": 7, "Last 30 days": 30, "Last 90 days": 90, "Last year": 365}
_LONGEST: Final = list(_DAYS)[-1]
_VARIES: Final = {f"Varies {name.lower()}": str(varies.value) for varies, name in VARIES.items()}
_CHOICES: Final = (Key.VOTE_VARIES, Key.VOTE_TONE, Key.VOTE_ANGLE)


def vote_filters(studio: Studio) -> BallotFilter:
    """What is wanted; the filters stand behind one button, and in the address."""
    usual = fill("Last {} days", studio.settings.vote_days)
    says = _says(usual)
    with st.popover(says, type="tertiary", key="vote-filters"):
        put_name({name: str(days) for name, days in _DAYS.items()}, Key.VOTE_DAYS)
        named = st.selectbox(
            "Comparisons of",
            list(_DAYS),
            index=None,
            key=Key.VOTE_DAYS,
            placeholder=usual,
            bind="query-params",
        )
        varies = named_choice("Varies anything", _VARIES, Key.VOTE_VARIES, width=260)
        tone = named_choice("Any tone", ids_by_name(studio.vocabulary.tones), Key.VOTE_TONE, width=260)
        angle = named_choice("Any angle", ids_by_name(studio.vocabulary.angles), Key.VOTE_ANGLE, width=260)
        person = key_filter(
            "Made by", Key.VOTE_PERSON, "Made by anyone", width=260, help="The address of who ordered it."
        )
        include_seen = switch("Also what I have seen the sides of", Key.VOTE_SEEN)
        st.caption("Answers to those are marked, and left out of Insights unless asked for.")
    return BallotFilter(
        days=_DAYS.get(named or ""), person=person, tone=tone, angle=angle, varies=varies, include_seen=include_seen
    )


def clear_filters() -> None:
    """Have everything in again. Call it in a callback: the address follows the widgets."""
    for key in (Key.VOTE_DAYS, *_CHOICES):
        st.session_state[key] = None
    st.session_state[Key.VOTE_PERSON] = ""
    st.session_state[Key.VOTE_SEEN] = False


def go_back() -> None:
    """Have comparisons of the longest time in. Call it in a callback."""
    st.session_state[Key.VOTE_DAYS] = _LONGEST


def goes_further_back() -> bool:
    """Whether there is a longer time than the one chosen."""
    return st.session_state.get(Key.VOTE_DAYS) != _LONGEST


def _says(usual: Markdown) -> Markdown:
    """What the button says: how far back, and how many more narrow."""
    days = st.session_state.get(Key.VOTE_DAYS, st.query_params.get(Key.VOTE_DAYS))
    more = sum(bool(st.session_state.get(key, st.query_params.get(key))) for key in (*_CHOICES, Key.VOTE_PERSON))
    shown = days if days in _DAYS else usual
    return fill("{} · {} more", shown, more) if more else fill("{}", shown)
