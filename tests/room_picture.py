"""The pictures of docs/architecture.md, drawn from the imports: `python -m tests.room_picture`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"
PICTURES = ("rooms", "subrooms")
# What every room may stand on; arrows to it would hide all others.
FOUNDATION = (
    "errors",
    "objects",
    "settings",
    "setting_names",
    "setting_values",
    "openai",
    "logs",
    "viewer",
    "unicode",
    "shares",
    "concurrency",
)
FLOORS = {
    "what people and operators open": ("app", "pages", "ui", "web", "cli"),
    "what runs it": ("studio", "metrics", "telemetry"),
    "adapters": ("storage", "identity"),
    "domain": ("references", "record_index", "injection", "generation", "votes", "labels", "images", "search"),
}


def room_of(module: str) -> str:
    """The room of a dotted name."""
    parts = module.split(".")
    if parts[0] != "core":
        return parts[0]
    return "cli" if parts[1] == "__main__" else parts[1]


def folder_of(module: str) -> str:
    """The folder of a module below core, dotted: `generation.records`."""
    return ".".join(module.split(".")[1:-1])


def arrows() -> set[tuple[str, str]]:
    """Which room imports which, imports inside functions included."""
    return {(room_of(a), room_of(b)) for a, b in _imports() if room_of(a) != room_of(b)}


def drawn(picture: str) -> str:
    """One of PICTURES as a Mermaid flowchart; an arrow that a longer way implies is left out."""
    return {"rooms": _rooms, "subrooms": _subrooms}[picture]()


def _rooms() -> str:
    everything = {(a, b) for a, b in arrows() if b not in FOUNDATION}
    rooms = {room for arrow in everything for room in arrow} - set(FOUNDATION)
    lines = ["```mermaid", "flowchart TD"]
    for floor, names in FLOORS.items():
        lines += [f'  subgraph "{floor}"', *(f"    {name}" for name in names if name in rooms), "  end"]
    strangers = rooms - {name for names in FLOORS.values() for name in names}
    lines += [f"  {name}" for name in sorted(strangers)]
    shown = sorted((a, b) for a, b in everything if a in rooms and not _implied(a, b, everything))
    return "\n".join([*lines, *(f"  {a} --> {b}" for a, b in shown), "```", ""])


def _subrooms() -> str:
    """Each room that has subrooms, with the arrows inside it; what lies in the room itself is drawn as `…`."""
    everything = {
        (folder_of(a), folder_of(b))
        for a, b in _imports()
        if a.startswith("core.") and folder_of(a) and room_of(a) == room_of(b) and folder_of(a) != folder_of(b)
    }
    folders = {folder for arrow in everything for folder in arrow}
    lines = ["```mermaid", "flowchart TD"]
    for room in sorted({folder.split(".")[0] for folder in folders}):
        inside = sorted(folder for folder in folders if folder.split(".")[0] == room)
        lines += [f'  subgraph "{room}"', *(f'    {_id(folder)}["{_short(folder)}"]' for folder in inside), "  end"]
    shown = sorted((a, b) for a, b in everything if not _implied(a, b, everything))
    return "\n".join([*lines, *(f"  {_id(a)} --> {_id(b)}" for a, b in shown), "```", ""])


def _id(folder: str) -> str:
    return folder.replace(".", "_")


def _short(folder: str) -> str:
    return folder.partition(".")[2] or "…"


def marks(picture: str) -> tuple[str, str]:
    """What stands before a picture in the document, and what after it."""
    return f"<!-- {picture}: drawn from the imports -->\n", f"<!-- /{picture} -->"


def picture_in(document: str, picture: str) -> str:
    """What stands between the marks."""
    begin, end = marks(picture)
    return document.split(begin)[1].split(end)[0]


def _imports() -> set[tuple[str, str]]:
    """Which module imports what of ours."""
    found = set()
    for file in (ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "core").rglob("*.py")):
        here = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        ours = (name for name in _imported(ast.parse(file.read_text("utf-8"))) if name.startswith(("core.", "pages.")))
        found |= {(here, name) for name in ours}
    return found


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
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                yield module if (ROOT / f"{module.replace('.', '/')}.py").is_file() else node.module


if __name__ == "__main__":
    text = DOCUMENT.read_text("utf-8")
    for each in PICTURES:
        text = text.replace(picture_in(text, each), drawn(each))
    DOCUMENT.write_text(text, "utf-8")
