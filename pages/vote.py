"""Vote: two pictures of one comparison, and which is better, by somebody who does not know which is which."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st

from core.ui.components.vote.vote import vote_desk
from core.ui.frame.layout import row
from core.ui.frame.problems import show_problems
from core.ui.frame.session import fragment, open_session
from core.ui.frame.state import Key
from core.ui.vote.nothing_to_judge import nothing_to_judge
from core.ui.vote.vote_filters import vote_filters
from core.ui.vote.voting import desk_data, fill_up, take_news, voting_now
from core.votes.drawing import BallotFilter

_LOOK_AGAIN_S: Final = 2.0  # while pairs are still read or made


def page() -> None:
    """Narrow what is judged, and judge."""
    studio, _ = open_session()
    with row(spread=True):
        st.markdown("**Vote** :gray[Which picture is better for this prompt?]")
        wanted = vote_filters(studio)
    voting = voting_now()
    fragment(partial(_desk, wanted), run_every=_LOOK_AGAIN_S if voting.expects else None)()


def _desk(wanted: BallotFilter) -> None:
    """The ballots; an answer runs this alone."""
    studio, viewer = open_session()
    voting, pool = voting_now(), None
    expected = voting.expects
    with show_problems():
        pool = fill_up(studio, viewer, voting, wanted)
    vote_desk(desk_data(studio, viewer, voting, pool), key=Key.VOTE_DESK, take=take_news)
    if pool is not None and not voting.ballots:
        nothing_to_judge(studio, viewer, pool, wanted)
    if voting.expects != expected:
        st.rerun()


page()
