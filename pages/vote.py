"""Vote: two pictures of one comparison, and which is better, by somebody who does not know which is which."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.errors import StorageError
from core.ui.components.vote.vote import vote_desk
from core.ui.frame.layout import row
from core.ui.frame.problems import show_problems
from core.ui.frame.session import fragment, open_session
from core.ui.frame.state import Key
from core.ui.vote.nothing_to_judge import nothing_to_judge, storage_is_away
from core.ui.vote.vote_filters import vote_filters
from core.ui.vote.voting import desk_data, fill_up, looks_again_s, take_news, voting_now
from core.votes.ballots.drawing import BallotFilter


def page() -> None:
    """Narrow what is judged, and judge."""
    studio, _ = open_session()
    with row(spread=True):
        st.markdown("**Vote** :gray[Which picture is better for this prompt?]")
        wanted = vote_filters(studio)
    fragment(partial(_desk, wanted), run_every=voting_now().looks_every_s)()


def _desk(wanted: BallotFilter) -> None:
    """The ballots; an answer runs this alone."""
    studio, viewer = open_session()
    voting, pool = voting_now(), None
    looked_every_s = voting.looks_every_s
    with show_problems():
        try:
            pool = fill_up(studio, viewer, voting, wanted)
        except StorageError as err:
            storage_is_away(err)
    data = desk_data(studio, viewer, voting, pool)
    vote_desk(data, key=Key.VOTE_DESK, take=take_news)
    if pool is not None and not voting.ballots:
        nothing_to_judge(studio, viewer, pool, wanted)
    voting.looks_every_s = looks_again_s(voting, data)
    if voting.looks_every_s != looked_every_s:
        st.rerun()


page()
