"""What Python and a component's script agree on: one text for the browser, and one shape for what is sent."""

from __future__ import annotations

import importlib
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

import core.ui
from core.ui.components.component import bundle

ROOMS = Path(core.ui.__file__).parent
SCRIPTS = {file.relative_to(ROOMS).as_posix(): file for file in sorted(ROOMS.rglob("*.js"))}
COMPONENTS = {name: file for name, file in SCRIPTS.items() if "export default" in file.read_text("utf-8")}
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
PLAIN |= {Any: "unknown", object: "unknown"}


def test_what_a_script_imports_stands_in_front_of_it_once(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "a.js").write_text(
        'import { b } from "./room/b.js";\nimport { c } from "./c.js";\n\nexport default b + c;\n'
    )
    (tmp_path / "room" / "b.js").write_text('import {\n  c,\n} from "../c.js";\nexport const b = c;\n')
    (tmp_path / "c.js").write_text('import { b } from "./room/b.js";\nexport const c = 1;\nexport function f() {}\n')
    expected = "const c = 1;\nfunction f() {}\n\nconst b = c;\n\n\nexport default b + c;\n"
    assert bundle(tmp_path / "a.js") == expected


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_reaches_the_browser_without_imports_and_with_each_name_once(name: str) -> None:
    """The scripts that are put together share one scope."""
    text = bundle(SCRIPTS[name])
    assert not re.search(r"^import ", text, re.MULTILINE)
    assert re.findall(r"^export .*", text, re.MULTILINE)[0].startswith("export default function")
    declared = re.findall(r"^(?:async )?(?:const|let|function|class) (\w+)", text, re.MULTILINE)
    assert sorted(set(declared)) == sorted(declared)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_import_gives_another_name(name: str) -> None:
    """There is nothing in the browser that would know it."""
    assert not re.search(r"^import [^;]* as ", SCRIPTS[name].read_text("utf-8"), re.MULTILINE)


def sent() -> Iterator[type]:
    """What components are sent: `…Data` and the dataclasses in it."""
    for file in ROOMS.rglob("*.py"):
        if " = Component(" not in file.read_text("utf-8"):
            continue
        module = importlib.import_module(".".join(file.relative_to(ROOMS.parents[1]).with_suffix("").parts))
        for name, value in vars(module).items():
            if isinstance(value, type) and is_dataclass(value) and name.endswith("Data"):
                yield from (value, *parts_of(value))


def parts_of(shape: Any) -> Iterator[type]:
    for hint in get_type_hints(shape).values():
        for inner in (hint, *get_args(hint)):
            if is_dataclass(inner) and isinstance(inner, type):
                yield from (inner, *parts_of(inner))


def in_javascript(hint: Any) -> str:
    """A type as JSDoc spells it."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in args)
    if origin in (Union, types.UnionType):
        return " | ".join(in_javascript(arg) for arg in args)
    if origin in (Sequence, tuple):
        return f"{in_javascript(args[0])}[]"
    if origin in (Mapping, dict):
        return f"Record<string, {in_javascript(args[1])}>"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return " | ".join(f'"{each.value}"' for each in hint)
    if is_typeddict(hint):
        return "Record<string, unknown>"
    return PLAIN.get(hint) or str(hint.__name__)


def declared_types() -> dict[str, dict[str, str]]:
    """The keys of every JSDoc typedef and their types, by the typedef's name."""
    found = {}
    for file in SCRIPTS.values():
        text = re.sub(r"^ \* ?", "", file.read_text("utf-8"), flags=re.MULTILINE)
        for body, name in re.findall(r"@typedef \{\{(.*?)\}\} (\w+)", text, re.DOTALL):
            keys = re.findall(r"(\w+)\??: ((?:<[^>]*>|[^,<])+)", re.sub(r'import\("[^"]*"\)\.', "", body))
            found[name] = {key: kind.strip() for key, kind in keys}
    return found


@pytest.mark.parametrize(
    "shape", sorted(set(sent()), key=lambda shape: shape.__name__), ids=lambda shape: shape.__name__
)
def test_a_script_declares_what_python_sends_it_key_by_key(shape: Any) -> None:
    hints = get_type_hints(shape)
    expected = {field.name: in_javascript(hints[field.name]) for field in fields(shape)}
    assert declared_types()[shape.__name__] == expected
