"""The shell: the script Streamlit runs for every page. Nobody passes it without being let in.

It lies in a folder without a `pages/` beside it, and registers the pages itself: otherwise Streamlit would
run a page's file on a first request to its URL without running this script before.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.errors import SignInError, StudioError
from core.identity.door import DEMO_EMAIL, reason_of
from core.settings import PROJECT_ROOT, Profile
from core.studio import get_studio
from core.ui.problems import problems_shown, show_problem
from core.ui.reruns import rerun
from core.ui.session import open_session

_HERE = Path(__file__).parent
_PAGES = (
    ("generate", "Generate"),
    ("references", "References"),
    ("labels", "Labels"),
    ("history", "History"),
)


def main() -> None:
    """Draw the frame, let the person in, run the page."""
    st.set_page_config(
        page_title="Studio",
        page_icon=str(_HERE / "static" / "favicon.png"),
        layout="wide",
        initial_sidebar_state=320,
    )
    st.html(_HERE / "style.css")
    st.logo(_HERE / "static" / "logo.svg", size="small")
    try:
        studio, _ = open_session()
    except SignInError as err:
        get_studio().metrics.turned_away(reason_of(err))
        _signed_out()
        return
    except StudioError as err:
        show_problem(err)
        return
    page = st.navigation(
        [
            st.Page(PROJECT_ROOT / "pages" / f"{name}.py", title=title, url_path=name, default=name == "generate")
            for name, title in _PAGES
        ],
        position="top",
    )
    if studio.settings.profile is Profile.EMBEDDED:
        engine = "OpenAI engine" if studio.settings.openai_api_key else "preview engine, no AI"
        st.container(key="demo-line").caption(
            f":material/science: Demo: signed in as {DEMO_EMAIL} · sample library · {engine} · "
            "reachable from this machine only"
        )
    with rerun(studio, page.url_path or "generate"), problems_shown():
        page.run()


def _signed_out() -> None:
    """The closed door: every page's URL leads to it, and nothing of the page is run."""
    doors = [st.Page(_closed, title=title, url_path=name, default=name == "generate") for name, title in _PAGES]
    st.navigation(doors, position="hidden").run()


def _closed() -> None:
    st.title("Studio")
    st.write("Sign in with your studio account to go on.")


main()
