"""The draft in the browser: the script that stands before those of every part that has to do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_HERE = Path(__file__)
_SHARED: Final = _HERE.with_suffix(".js").read_text("utf-8")


def with_draft(script: Path) -> str:
    """A part's own script behind the shared one. Each part's is a module by itself, so the text is what they share."""
    return f"{_SHARED}\n{script.read_text('utf-8')}"
