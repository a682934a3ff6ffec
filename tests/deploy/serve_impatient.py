"""Starts the dashboard as `streamlit run app.py` does, with less patience for an S3 that is silent.

Usage: serve_impatient.py READ_TIMEOUT_S [streamlit's options]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from streamlit.web.cli import main

from core.storage.pages import Pages
from core.storage.s3 import Store

read_timeout_s, *options = sys.argv[1:]
for room in (Store, Pages):
    room.__init__.__kwdefaults__["read_timeout_s"] = float(read_timeout_s)  # type: ignore[misc]  # a function's

sys.argv = ["streamlit", "run", "app.py", *options]
main()
