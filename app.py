"""The ASGI entry: `streamlit run app.py` looks for exactly this assignment."""

import streamlit as st

from core.ui.frame.problems import report_script_error
from core.web import MIDDLEWARE, ROUTES, lifespan

app = st.App(
    "core/ui/shell.py",
    routes=ROUTES,
    middleware=MIDDLEWARE,
    lifespan=lifespan,
    on_script_error=report_script_error,
)
