"""The dashboard over a library that `bench.list_server` lists: only its catalog looks elsewhere than usual.

`LIBRARY_S3` is that server's address. Started by `bench.reference_page` with `streamlit run`.
"""

import os
from dataclasses import replace

import streamlit as st

from core import studio as room
from core.references.catalog import Catalog
from core.settings import load_settings
from core.storage.client import Reach
from core.storage.list_pages import ListPages
from core.ui.frame.problems import report_script_error
from core.web import ROUTES, lifespan


def over(address: str) -> room.Studio:
    """A studio whose references are those that the server at this address lists."""
    made = room.build_studio(load_settings())
    catalog = Catalog(
        ListPages(Reach("bench", address, "bench", "bench-bench")),
        made.vocabulary,
        library_prefix="refs/",
        app_prefix=made.settings.s3_app_prefix,
        refresh_s=3600,
        workers=made.settings.index_workers,
    )
    catalog.start()
    made.history.start()
    return replace(made, catalog=catalog)


if room._studio is None:
    room._studio = over(os.environ["LIBRARY_S3"])

app = st.App(
    "../core/ui/shell.py",
    routes=ROUTES,
    lifespan=lifespan,
    on_script_error=report_script_error,
)
