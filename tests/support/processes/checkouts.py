"""Copies of the project, to be started from another place or to be broken."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.processes.programs import ROOT

NEEDED = ("app.py", "core", "pages", "labels", "samples", ".streamlit", "ecosystem.config.js")


def check_out(there: Path) -> Path:
    """What a server needs of the project, in a folder of its own; the packages are the same ones."""
    there.mkdir(parents=True)
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, there / name, ignore=shutil.ignore_patterns("__pycache__", "secrets.toml"))
        else:
            shutil.copy(source, there / name)
    (there / ".venv").symlink_to((ROOT / ".venv").resolve())
    return there
