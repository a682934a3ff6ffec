"""A copy of the checkout, for whoever must not write into this one."""

from __future__ import annotations

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def copy_of_the_checkout(folder: Path) -> Path:
    """A checkout that may be published into: everything but the sample pictures is a copy.

    So is what Python has compiled: without it every start there would compile the whole program.
    """
    checkout = folder / "checkout"
    for room in ("core", "pages", "labels", ".streamlit"):
        shutil.copytree(REPOSITORY / room, checkout / room, ignore=shutil.ignore_patterns("secrets.toml"))
    shutil.copy(REPOSITORY / "app.py", checkout)
    (checkout / "samples").symlink_to(REPOSITORY / "samples")
    return checkout
