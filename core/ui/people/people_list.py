"""The people list: everybody who may come in and as what, changed in place, and never over somebody else's change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, LiteralString

import streamlit as st

from core.errors import InputError, StudioError, WriteConflict
from core.identity.access.access_list import ENTRY_CHARS_MAX, AccessChange, AccessLevel, AccessList, is_public_mail
from core.objects.documents import Version
from core.ui.frame.filters import as_text
from core.ui.frame.layout import row
from core.ui.frame.problems import show_problem
from core.ui.frame.session import dialog, open_session
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import Markdown, fill

LEVELS: Final = {
    AccessLevel.DESIGNER: "Designer",
    AccessLevel.OPS: "Operations",
    AccessLevel.ADMIN: "Admin",
    AccessLevel.BLOCKED: "Blocked",
}


@dataclass(frozen=True, slots=True)
class LostChange:
    """A change that came too late, kept so that it can be made after all; `seen` is the list it was meant for."""

    entry: str
    level: AccessLevel | None
    seen: AccessList


def remember(seen: Version[AccessList]) -> None:
    """What the screen shows from now on is what a change is made to."""
    st.session_state[Key.PEOPLE_SEEN] = seen


def add_form() -> None:
    """Add an address or a domain, or give one that is there another level of access."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="people-add"):
        st.text_input(
            "E-mail address or domain",
            key=Key.PEOPLE_ENTRY,
            max_chars=ENTRY_CHARS_MAX,
            placeholder="name@studio.example, or studio.example for everybody there",
            width=420,
        )
        st.selectbox(
            "May come in as", list(AccessLevel), format_func=LEVELS.__getitem__, key=Key.PEOPLE_LEVEL, width=160
        )
        st.button("Save", type="primary", on_click=_add)


def person_rows(entries: Sequence[tuple[str, AccessLevel]]) -> None:
    """One row an entry: who, as what, and the way out."""
    turn = _turn()
    for entry, level in entries:
        is_person = "@" in entry
        widget = f"level-{turn}-{entry}"
        options = list(AccessLevel) if is_person else [AccessLevel.DESIGNER, AccessLevel.OPS]
        with row(key=f"person-{entry}"):
            st.text(entry if is_person else f"{entry}, {_who_is_there(entry)}", width=320)
            st.selectbox(
                f"{entry} comes in as",  # for those who hear the page alone, whom Streamlit tells it as it is written
                options,
                index=options.index(level),
                format_func=LEVELS.__getitem__,
                key=widget,
                label_visibility="collapsed",
                width=140,
                on_change=partial(_change_to_chosen, entry, widget, turn),
            )
            label = fill("Remove *{}*", entry)  # whom is for those who hear the page: it stands in the row already
            if st.button(label, key=f"remove-{turn}-{entry}", type="tertiary", icon=":material/close:"):
                dialog(fill("Remove {}?", entry), _confirm)(entry)


def show_last_problem(now: AccessList) -> None:
    """What came of the last change, if it was not made."""
    if problem := st.session_state.pop(Key.PEOPLE_PROBLEM, None):
        show_problem(problem)
    lost = st.session_state.get(Key.PEOPLE_LOST)
    if not isinstance(lost, LostChange):
        return
    theirs = now.changes[len(lost.seen.changes) :]
    summary = "; ".join(f"{change.by}: {change.entry}, {change_text(change)}" for change in theirs)
    with st.container(border=True, key="people-lost"):
        summary = summary or "It is shown as it is now"
        st.markdown(fill("**Somebody else has changed the list since you opened it.** {}.", summary))
        wanted = LEVELS[lost.level] if lost.level else "removed"
        st.markdown(fill("Yours is not saved yet: {}, {}.", lost.entry, wanted.lower()))
        with st.container(horizontal=True):
            st.button("Save mine as well", type="primary", on_click=_change_after_all)
            st.button("Leave it", on_click=partial(st.session_state.pop, Key.PEOPLE_LOST, None))


def change_text(change: AccessChange) -> str:
    """What a change did, in words."""
    if change.after is None:
        return f"removed (was {change.before})"
    return f"{change.before} → {change.after}" if change.before else f"added as {change.after}"


def _add() -> None:
    if _change(as_text(st.session_state.get(Key.PEOPLE_ENTRY)), as_text(st.session_state.get(Key.PEOPLE_LEVEL))):
        st.session_state[Key.PEOPLE_ENTRY] = ""


def _confirm(entry: str) -> None:
    """What a removal does, before it is done."""
    seen: Version[AccessList] = st.session_state[Key.PEOPLE_SEEN]
    st.markdown(_consequence(entry, seen.value))
    with st.container(horizontal=True):
        if st.button("Remove", type="primary", on_click=partial(_remove, entry)):
            st.rerun()
        if st.button("Cancel"):
            st.rerun()


def _remove(entry: str) -> None:
    _change(entry, None)


def _consequence(entry: str, now: AccessList) -> Markdown:
    if is_public_mail(entry):
        return fill("{} lets nobody in, so nobody is out by this.", entry)
    if "@" not in entry:
        return fill("Everybody of {} without an entry of their own is out within a minute.", entry)
    domain = entry.rpartition("@")[2]
    if now.people.get(entry) is AccessLevel.BLOCKED and domain in now.domains:
        return fill("{} is not blocked any more, and can come in through {}.", entry, domain)
    if domain in now.domains:
        return fill("{} can still come in through {}: to keep the address out, block it instead.", entry, domain)
    return fill("{} is out within a minute, on every server. What they made stays.", entry)


def _who_is_there(domain: str) -> LiteralString:
    return "which lets nobody in: remove it" if is_public_mail(domain) else "everybody there"


def _turn() -> str:
    """Changes whenever the rows are drawn anew: after every change that was made, here or elsewhere, or was not."""
    seen: Version[AccessList] = st.session_state[Key.PEOPLE_SEEN]
    return f"{seen.etag}-{st.session_state.get(Key.PEOPLE_TURN, 0)}"


def _change_to_chosen(entry: str, widget: str, turn: str) -> None:
    if turn == _turn():  # when a fragment runs, Streamlit calls back once more for widgets that have left the page
        _change(entry, as_text(st.session_state.get(widget)))


def _change_after_all() -> None:
    lost = st.session_state.pop(Key.PEOPLE_LOST, None)
    if isinstance(lost, LostChange):
        _change(lost.entry, lost.level)


def _change(entry: str, chosen: str | None) -> bool:
    """Make a change, None for a removal, and return whether it was made; why not is shown on the page that follows."""
    seen: Version[AccessList] = st.session_state[Key.PEOPLE_SEEN]
    st.session_state.pop(Key.PEOPLE_LOST, None)
    try:
        studio, viewer = open_session()
        level = _level(chosen)
        studio.access.change(viewer, entry, level, seen=seen)
    except WriteConflict:
        st.session_state[Key.PEOPLE_LOST] = LostChange(entry, level, seen.value)
    except StudioError as err:
        st.session_state[Key.PEOPLE_PROBLEM] = err
    else:
        return True
    st.session_state[Key.PEOPLE_TURN] = st.session_state.get(Key.PEOPLE_TURN, 0) + 1
    return False


def _level(chosen: str | None) -> AccessLevel | None:
    """The level of that name. Raises InputError for none: a callback hears whatever somebody sends."""
    if chosen is None:
        return None
    try:
        return AccessLevel(chosen)
    except ValueError as err:
        raise InputError("Choose one of the levels that the list offers.") from err
