"""What Python and a component's script agree on: one text for the browser, and one shape for what is sent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.ui.components.component import bundle
from tests.component_shapes import DECLARATIONS, ROOMS, drawn

SCRIPTS = {file.relative_to(ROOMS).as_posix(): file for file in sorted(ROOMS.rglob("*.js"))}
COMPONENTS = {name: file for name, file in SCRIPTS.items() if "export default" in file.read_text("utf-8")}


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


def test_comments_are_not_sent(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text(
        "// What it is.\n\n/**\n * @param {string} a\n */\nexport function f(/** @type {string} */ a) {\n  // why\n"
        "  return `https://${a}//b`;  // an address\n}\n"
    )
    expected = "\nfunction f(a) {\n  return `https://${a}//b`;  // an address\n}\n"
    assert bundle(tmp_path / "a.js") == expected


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_import_gives_another_name(name: str) -> None:
    """There is nothing in the browser that would know it."""
    assert not re.search(r"^import [^;]* as ", SCRIPTS[name].read_text("utf-8"), re.MULTILINE)


def test_scripts_are_checked_against_what_python_sends() -> None:
    """`python -m tests.component_shapes` draws the declarations anew."""
    assert DECLARATIONS.read_text("utf-8") == drawn()
