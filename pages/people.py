"""People: who may come in and as what, what may be spent a day, and who changed either."""

from __future__ import annotations

import streamlit as st

from core.generation.spending.limits import LimitSheet
from core.identity.access.access_list import AccessLevel, AccessList
from core.settings import Profile
from core.ui.frame.filters import search_box
from core.ui.frame.layout import PAGE_SIZE, empty_state, page_of
from core.ui.frame.problems import show_problems
from core.ui.frame.session import open_session
from core.ui.frame.state import Key
from core.ui.frame.words.markdown import fill
from core.ui.frame.words.quantities import count_of
from core.ui.frame.words.tables import draw_table
from core.ui.people import spending_form
from core.ui.people.people_list import add_form, change_text, person_rows, remember, show_last_problem
from core.unicode import searchable

_TRAIL = 500


def page() -> None:
    """The list, the budgets and the trail; all three are for admins, which core says."""
    studio, viewer = open_session()
    people = studio.access.read(viewer)
    remember(people)
    content = people.value
    counts = (
        count_of(len(content.people), "person", "people"),
        count_of(len(content.domains), "domain"),
        count_of(len(content.admins), "admin"),
    )
    st.markdown(fill("**People** :gray[{}]", " · ".join(counts)))
    if studio.settings.profile is Profile.EMBEDDED:
        st.caption("In the demo nobody signs in: this list counts as soon as people sign in with Google.")
    elif people.etag is None:
        st.caption("Until the first change here the settings decide. From then on this list alone does.")
    add_form()
    # Each in a place of its own: what comes or goes above a field would draw that anew, without what is typed in it.
    with st.container():
        show_last_problem(content)
    with st.container():
        _people(content)
    st.space("small")
    st.markdown("**Budgets for a day** :gray[they start anew at 00:00 UTC]")
    with show_problems():
        sheet = studio.spending_limits.read(viewer)
        spending_form.spending_form(sheet)
        st.space("small")
        _trail(content, sheet.value)


def _people(content: AccessList) -> None:
    entries: list[tuple[str, AccessLevel]] = [*content.domains.items(), *content.people.items()]
    if not entries:
        empty_state("Nobody is on the list", "Add an address or a whole domain above.")
        return
    if len(entries) > PAGE_SIZE // 4 or st.session_state.get(Key.PEOPLE_SEARCH):
        wanted = searchable(search_box(Key.PEOPLE_SEARCH, "Search people", page=Key.PEOPLE_PAGE).strip())
        entries = [(entry, level) for entry, level in entries if wanted in searchable(entry)]
        if not entries:
            st.caption("Nobody on the list is called that.")
            return
    with page_of(entries, Key.PEOPLE_PAGE) as shown, st.container(gap="xsmall", key="people"):
        person_rows(shown)


def _trail(content: AccessList, sheet: LimitSheet) -> None:
    """Both trails as one, newest first."""
    rows = [(change.at, change.by, change.entry, change_text(change)) for change in content.changes]
    rows += [
        (change.at, change.by, f"budget of {change.whose}", spending_form.change_text(change))
        for change in sheet.changes
    ]
    st.markdown(fill("**Changes** :gray[{:,}, newest first]", len(rows)))
    if not rows:
        st.caption("Nothing has been changed here yet.")
        return
    newest = [
        {"When (UTC)": f"{at:%Y-%m-%d %H:%M}", "Who": by, "What": what, "Change": did}
        for at, by, what, did in sorted(rows, reverse=True)[:_TRAIL]
    ]
    draw_table(newest, alt="Changes of people and budgets, newest first")


page()
