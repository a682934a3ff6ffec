"""The person menu: who is signed in, as what, and the ways out."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.ui.frame.account.session_request import sign_out
from core.ui.frame.words.markdown import fill, plain
from core.viewer import PersonRole, Viewer

_ROLES = {PersonRole.DESIGNER: "Designer", PersonRole.OPS: "Operations", PersonRole.ADMIN: "Admin"}


def person_menu(viewer: Viewer) -> None:
    """Draw it at the right of the top bar."""
    name = viewer.name or viewer.email
    with (
        st.container(key="person-menu"),
        st.popover(plain(_short(name)), icon=":material/account_circle:", type="tertiary", key="person-menu-popover"),
    ):
        _content(viewer, name)


def _content(viewer: Viewer, name: str) -> None:
    with st.container(width=250, gap="xsmall"):
        st.markdown(fill("**{}** :gray[{}]", name, _ROLES[viewer.role]))
        st.text(viewer.email)
        st.space("xsmall")
        st.button("Sign out", width="stretch", on_click=partial(sign_out, everywhere=False))
        st.button("Sign out all my sessions", width="stretch", on_click=partial(sign_out, everywhere=True))
        st.caption("The second ends your sessions in every browser and on every device, this one too.")


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
