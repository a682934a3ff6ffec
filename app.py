"""The ASGI entry: `streamlit run app.py` looks for exactly this assignment."""

import streamlit as st
from starlette.middleware import Middleware

from core.doorway import PagesOnly, SecurityHeaders
from core.ui.problems import report_script_error
from core.web import ROUTES, lifespan

app = st.App(
    "core/ui/shell.py",
    routes=ROUTES,
    lifespan=lifespan,
    middleware=[Middleware(SecurityHeaders), Middleware(PagesOnly)],
    on_script_error=report_script_error,
)
