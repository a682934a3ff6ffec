"""The spending form: what may be spent a day, by everybody and by one person."""

from __future__ import annotations

from typing import LiteralString

import streamlit as st

from core.errors import InputError, StudioError, WriteConflict
from core.generation.spending.budget import DailyLimits
from core.generation.spending.limits import LimitChange, LimitSheet
from core.objects.documents import Version
from core.ui.frame.problems import show_problem
from core.ui.frame.session import open_session
from core.ui.frame.state import Key


def spending_form(sheet: Version[LimitSheet]) -> None:
    """Two amounts and a button; a change of somebody else is shown before anything is written over it."""
    before = st.session_state.get(Key.LIMITS_SEEN)
    if not isinstance(before, Version) or before.etag != sheet.etag or Key.LIMIT_DAILY not in st.session_state:
        st.session_state[Key.LIMIT_DAILY] = sheet.value.daily_usd
        st.session_state[Key.LIMIT_PERSON] = sheet.value.daily_person_usd
    st.session_state[Key.LIMITS_SEEN] = sheet
    with st.container():  # or the fields below it would be drawn anew, without what is typed in them
        if problem := st.session_state.pop(Key.LIMITS_PROBLEM, None):
            show_problem(problem)
    with st.container(horizontal=True, vertical_alignment="bottom", key="limits"):
        _field("Everybody together, US$", Key.LIMIT_DAILY)
        _field("Each person, US$", Key.LIMIT_PERSON)
        st.button("Save budgets", on_click=_save)


def change_text(change: LimitChange) -> str:
    """What a change did, in words."""
    return f"{_amount(change.before)} → {_amount(change.after)}"


def _field(label: LiteralString, key: Key) -> None:
    st.number_input(label, min_value=0.0, step=5.0, format="%.2f", placeholder="no limit", key=key, width=200)


def _amount(usd: float | None) -> str:
    return "no limit" if usd is None else f"${usd:.2f}"


def _save() -> None:
    if not {Key.LIMIT_DAILY, Key.LIMIT_PERSON, Key.LIMITS_SEEN} <= set(st.session_state):
        st.session_state[Key.LIMITS_PROBLEM] = InputError("The budgets did not arrive: enter them again and save.")
        return
    wanted = DailyLimits(st.session_state[Key.LIMIT_DAILY], st.session_state[Key.LIMIT_PERSON])
    try:
        studio, viewer = open_session()
        studio.spending_limits.change(viewer, wanted, seen=st.session_state[Key.LIMITS_SEEN])
    except WriteConflict:
        st.session_state[Key.LIMITS_PROBLEM] = StudioError(
            "Somebody else has changed the budgets since you opened this page. Theirs are shown now; you wanted "
            "{} for everybody and {} for each person: "
            "enter that again if it still holds.",
            _amount(wanted.daily_usd),
            _amount(wanted.daily_person_usd),
        )
    except StudioError as err:
        st.session_state[Key.LIMITS_PROBLEM] = err
