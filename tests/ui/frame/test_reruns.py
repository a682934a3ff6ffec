"""A run that meets Streamlit's end of the run before is begun anew; whatever else goes wrong is told."""

from __future__ import annotations

import time
from collections.abc import Set

from streamlit.testing.v1 import AppTest

from core.ui.frame.state import Key
from tests.support.timeouts import LONG_S


def draws() -> None:
    import streamlit as st

    from core.ui.frame.reruns import rerun_after_race

    with rerun_after_race():
        st.session_state.runs = st.session_state.get("runs", 0) + 1
        if st.session_state.runs in st.session_state.races:
            kept = {1: 1}
            for _ in kept:
                kept[2] = 2  # as the run before does, which has not ended
        if st.session_state.runs in st.session_state.faults:
            raise RuntimeError("anything else")
        st.text(f"run {st.session_state.runs}")


def drawn(races: Set[int], faults: Set[int] = frozenset()) -> AppTest:
    app = AppTest.from_function(draws, default_timeout=LONG_S)
    app.session_state.races, app.session_state.faults = races, faults
    return app.run()


def test_a_run_that_raced_is_drawn_anew() -> None:
    app = drawn({1, 2})
    assert not app.exception
    assert [text.value for text in app.text] == ["run 3"]


def test_what_happens_in_every_run_is_no_race() -> None:
    app = drawn(set(range(1, 100)))
    assert len(app.exception) == 1
    assert app.session_state.runs == 4


def test_races_of_long_ago_do_not_count() -> None:
    app = AppTest.from_function(draws, default_timeout=LONG_S)
    app.session_state.races, app.session_state.faults = {1}, set()
    app.session_state[Key.RACES] = [time.monotonic() - 3600] * 100
    app.run()
    assert not app.exception
    assert [text.value for text in app.text] == ["run 2"]


def test_another_fault_is_no_race() -> None:
    app = drawn(set(), {1})
    assert len(app.exception) == 1
    assert app.session_state.runs == 1
