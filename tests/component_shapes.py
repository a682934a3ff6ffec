"""What Python sends each component, as scripts know it, drawn from it: `python -m tests.component_shapes`."""

from __future__ import annotations

import importlib
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

ROOT = Path(__file__).parents[1]
ROOMS = ROOT / "core" / "ui"
DECLARATIONS = ROOMS / "components" / "shapes.d.ts"
HEAD = "// What Python sends each component, drawn from its dataclasses: `python -m tests.component_shapes`.\n"
PLAIN = {Any: "unknown", str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def drawn() -> str:
    """An interface for every dataclass that a component is sent, and for those in it."""
    found: dict[str, str] = {}
    for file in sorted(ROOMS.rglob("*.py")):
        if " = Component(" not in file.read_text("utf-8"):
            continue
        module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
        for name, value in vars(module).items():
            if name.endswith("Data") and is_dataclass(value):
                _draw(value, found)
    return HEAD + "".join(found[name] for name in sorted(found))


def _draw(shape: Any, found: dict[str, str]) -> None:
    hints = get_type_hints(shape)
    keys = "".join(f"  {field.name}: {_type_of(hints[field.name])};\n" for field in fields(shape))
    found[shape.__name__] = f"\nexport interface {shape.__name__} {{\n{keys}}}\n"
    for hint in hints.values():
        for inner in _all_in(hint):
            if is_dataclass(inner):
                _draw(inner, found)


def _all_in(hint: Any) -> Iterator[Any]:
    """A type and those it is made of, however deep they lie."""
    yield hint
    for inner in get_args(hint):
        yield from _all_in(inner)


def _type_of(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in args)
    if origin in (Union, types.UnionType):
        return " | ".join(_type_of(arg) for arg in args)
    if origin in (Sequence, tuple):
        return f"{_type_of(args[0])}[]"
    if origin in (Mapping, dict):
        return f"Record<string, {_type_of(args[1])}>"
    if is_typeddict(hint):
        return "Record<string, unknown>"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return " | ".join(f'"{each.value}"' for each in hint)
    return PLAIN.get(hint) or str(hint.__name__)


if __name__ == "__main__":
    DECLARATIONS.write_text(drawn(), "utf-8")
