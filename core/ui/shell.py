"""The shell: the script Streamlit runs for every page. Nobody passes it without being let in.

It lies in a folder without a `pages/` beside it, and registers the pages itself: otherwise Streamlit would
run a page's file on a first request to its URL without running this script before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import streamlit as st

from core.errors import AccessDenied, SignedOut, SignInError, StudioError
from core.identity.access.access_list import DEMO_EMAIL
from core.identity.authenticator import reason_of
from core.settings import PROJECT_ROOT, Profile
from core.studio import Studio, get_studio
from core.ui.components.whole_page.whole_page import prepare_browser
from core.ui.frame.account.person_menu import person_menu
from core.ui.frame.account.session_request import is_signing_out, keep_renewed
from core.ui.frame.problems import show_problem, show_problems
from core.ui.frame.reruns import observe_rerun, rerun_after_race
from core.ui.frame.session import cookies, open_session, part_from_others, watch
from core.ui.frame.state import Key
from core.ui.frame.streamlit_internals import learn_address
from core.ui.frame.unknown_page import TITLE, unknown_name, unknown_page
from core.ui.frame.words.markdown import fill
from core.ui.generate.composer.draft_keeper import forget_drafts, meet_browser
from core.ui.generate.work import tell_work
from core.ui.labels.label_lending import leave_desk
from core.ui.sign_in import login
from core.ui.sign_in.token_page import ask_for_token
from core.viewer import Capability, Viewer
from core.web.http.addresses import DEFAULT_PAGE, NO_PAGE, PAGES

_HERE = Path(__file__).parent
_NEEDED: Final = {"people": Capability.ADMINISTER}  # all others are for everybody who may browse


def main() -> None:
    """Draw the frame, let the person in, run the page."""
    part_from_others()
    st.set_page_config(
        page_title="Studio",
        page_icon=str(_HERE / "static" / "favicon.png"),
        layout="wide",
        initial_sidebar_state=320,
    )
    st.html(_HERE / "style.css")
    st.logo(_HERE / "static" / "logo.svg", size="small")
    prepare_browser()
    try:
        studio, viewer = open_session()
        if is_signing_out():
            leave_desk(studio, viewer)
            _instead_of_pages(_draw_nothing)
            return
    except AccessDenied as err:
        get_studio().metrics.turned_away(reason_of(err))
        _instead_of_pages(partial(_not_on_the_list, get_studio(), err))
    except SignInError as err:
        get_studio().metrics.turned_away(reason_of(err))
        if get_studio().settings.asks_for_token:
            _instead_of_pages(partial(ask_for_token, err))
            return
        _instead_of_pages(partial(login.sign_in, get_studio(), _why(get_studio(), err)))
        if isinstance(err, SignedOut):
            forget_drafts()
    except StudioError as err:
        _instead_of_pages(partial(login.out_of_order, err))
    else:
        _pages(studio, viewer)


def _pages(studio: Studio, viewer: Viewer) -> None:
    """The page that was asked for. A page somebody may not use has no place in the menu, and core refuses it."""
    pages = [
        st.Page(
            PROJECT_ROOT / "pages" / f"{name}.py",
            title=name.capitalize(),
            url_path=name,
            default=name == DEFAULT_PAGE,
            visibility="visible" if viewer.may(_NEEDED.get(name, Capability.BROWSE)) else "hidden",
        )
        for name in PAGES
    ]
    offered = [page for page in pages if page.visibility == "visible"]
    page = st.navigation([*pages, *_unknown(partial(unknown_page, offered))], position="top")
    if studio.settings.profile is Profile.EMBEDDED:
        _demo_line(studio)
    else:
        person_menu(viewer)
        watch()
        with show_problems():
            keep_renewed(studio)
        if problem := st.session_state.pop(Key.SIGN_IN_PROBLEM, None):
            show_problem(problem)
    meet_browser(studio, viewer)
    work = st.container(key="work-line")
    if page.url_path != "labels":
        leave_desk(studio, viewer)
    with observe_rerun(studio, _name_of(page)), show_problems():
        page.run()
        learn_address()  # widgets of before that were not drawn take their parameters out of it now
    with work:
        tell_work(is_on_stage=page.url_path in ("", DEFAULT_PAGE))


def _demo_line(studio: Studio) -> None:
    servers = [engine.server for engine in studio.engines.values() if engine.server]
    engine = f"pictures by {servers[0]}" if servers else "preview engine, no AI"
    who = "who has its start-up token" if studio.settings.asks_for_token else "whoever uses this machine"
    st.container(key="demo-line").caption(
        fill(
            ":material/science: Demo: signed in as {} · sample library · {} · on this machine only, for {}",
            DEMO_EMAIL,
            engine,
            who,
        )
    )


def _instead_of_pages(draw: Callable[[], None]) -> None:
    """Draw this under every page's address, which stays as it is; nothing of the page is run."""
    closed = [
        st.Page(_draw_nothing, title=name.capitalize(), url_path=name, default=name == DEFAULT_PAGE) for name in PAGES
    ]
    st.navigation([*closed, *_unknown(_draw_nothing)], position="hidden").run()
    draw()


def _unknown(draw: Callable[[], None]) -> list[st.Page]:
    """A page for the address this tab was loaded under, if it is none of ours: it stays where it is."""
    name = unknown_name(PAGES)
    return [st.Page(draw, title=TITLE, url_path=name, visibility="hidden")] if name else []


def _name_of(page: st.Page) -> str:
    """A page's name for the figures: there are few of them, whatever people type."""
    name = page.url_path or DEFAULT_PAGE
    return name if name in PAGES else NO_PAGE.strip("/")


def _not_on_the_list(studio: Studio, err: AccessDenied) -> None:
    if st.session_state.get(Key.OTHER_ACCOUNT) or login.was_just_refused(studio):
        login.sign_in(studio, None)
    else:
        login.ask_somebody(studio, err)


def _why(studio: Studio, err: SignInError) -> SignInError | None:
    """Why somebody who was signed in is not any more; to all others the sign-in page explains itself."""
    was_here = studio.settings.cookie_name in cookies() or Key.LEFT in st.session_state
    return err if was_here else None


def _draw_nothing() -> None:
    """Nothing of the page."""


with rerun_after_race():
    main()
