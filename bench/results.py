"""The results file: every measurement keeps its own section in bench/RESULTS.md."""

from __future__ import annotations

from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"


def write_section(heading: str, section: str) -> None:
    """Put a section, which begins with its heading, in place of its predecessor or at the end."""
    before = RESULTS.read_text() if RESULTS.exists() else "# Measured\n\n"
    head, found, tail = before.partition(heading + "\n")
    following = tail.find("\n## ")
    rest = tail[following + 1 :] if found and following >= 0 else ""
    RESULTS.write_text(f"{head.rstrip()}\n\n{section}" + (f"\n{rest}" if rest else ""))
