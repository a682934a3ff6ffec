"""The ASGI entry: `streamlit run app.py` looks for exactly this assignment."""

from functools import partial

import streamlit as st

from core.ui.frame.problems import report_script_error
from core.ui.frame.streamlit_internals import guard_browser_values, own_url, read_message
from core.web import ROUTES, lifespan, middleware

guard_browser_values()
app = st.App(
    "core/ui/shell.py",
    routes=ROUTES,
    middleware=middleware(read_message),
    lifespan=partial(lifespan, own_url=own_url),
    on_script_error=report_script_error,
)
