"""The picture of the rooms in docs/architecture.md, drawn from the imports: `python -m tests.room_picture`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: drawn from the imports -->\n", "<!-- /rooms -->"
# What every room may stand on; arrows to it would hide all others.
FOUNDATION = ("errors", "objects", "settings", "openai", "logs", "viewer", "incidents", "concurrency")
FLOORS = {
    "what people and operators open": ("app", "pages", "ui", "web", "cli"),
    "what runs it": ("studio", "metrics", "telemetry"),
    "adapters": ("storage", "identity"),
    "domain": ("references", "injection", "generation", "labels", "images"),
}


def room_of(module: str) -> str:
    """The room of a dotted name."""
    parts = module.split(".")
    if parts[0] != "core":
        return parts[0]
    return "cli" if parts[1] == "__main__" else parts[1]


def arrows() -> set[tuple[str, str]]:
    """Which room imports which, imports inside functions included."""
    found = set()
    for file in (ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "core").rglob("*.py")):
        here = room_of(".".join(file.relative_to(ROOT).with_suffix("").parts))
        for name in _imported(ast.parse(file.read_text("utf-8"))):
            if name.startswith(("core.", "pages.")) and room_of(name) != here:
                found.add((here, room_of(name)))
    return found


def drawn() -> str:
    """The rooms as a Mermaid flowchart; an arrow that a longer way implies is left out."""
    everything = {(a, b) for a, b in arrows() if b not in FOUNDATION}
    rooms = {room for arrow in everything for room in arrow} - set(FOUNDATION)
    lines = ["```mermaid", "flowchart TD"]
    for floor, names in FLOORS.items():
        lines += [f'  subgraph "{floor}"', *(f"    {name}" for name in names if name in rooms), "  end"]
    strangers = rooms - {name for names in FLOORS.values() for name in names}
    lines += [f"  {name}" for name in sorted(strangers)]
    shown = sorted((a, b) for a, b in everything if a in rooms and not _implied(a, b, everything))
    return "\n".join([*lines, *(f"  {a} --> {b}" for a, b in shown), "```", ""])


def picture_in(document: str) -> str:
    """What stands between the marks."""
    return document.split(BEGIN)[1].split(END)[0]


def _implied(a: str, b: str, everything: set[tuple[str, str]]) -> bool:
    seen, ahead = {a}, [following for start, following in everything if start == a and following != b]
    while ahead:
        room = ahead.pop()
        if room == b:
            return True
        if room not in seen:
            seen.add(room)
            ahead += [following for start, following in everything if start == room]
    return False


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


if __name__ == "__main__":
    text = DOCUMENT.read_text("utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    DOCUMENT.write_text(before + BEGIN + drawn() + END + after, "utf-8")
