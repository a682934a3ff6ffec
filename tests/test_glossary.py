"""The glossary as a test: what stands on the screens is explained there, and one thing has one name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT
from core.ui.frame.words import glossary
from core.ui.frame.words.names import MODES, ROLES
from tests.test_architecture import MODULES, tree_of

TEXT = " ".join((PROJECT_ROOT / "docs" / "glossary.md").read_text("utf-8").split())
TERMS = {term.casefold() for term in re.findall(r"\*\*([^*]+)\*\*", TEXT)}
SCREENS = {module: file for module, file in MODULES.items() if module.startswith(("pages.", "core.ui."))}
# Whose sentences reach screens, too.
SPEAKING_ROOMS = ("core.injection.", "core.generation.", "core.references.", "core.labels.review", "core.votes.")
SPEAKING = SCREENS | {
    module: file for module, file in MODULES.items() if module.startswith(SPEAKING_ROOMS) and "reading" not in module
}
# Names of before, with what the thing is called now.
GONE = {
    r"\bratio\b": "Size",
    r"\bregenerate": "Retry this side",
    r"\bpersonas?\b(?!\.jsonl)": "Person",
    r"\bmodel (?:folder|reference|slot|group)": "Person folder, person reference",
}
FIELDS = ("selectbox", "slider", "segmented_control", "tile_picker", "prompt_box")


def texts(file: Path) -> Iterator[str]:
    """Every text of a module that may be shown: no docstrings, and nothing that is one bare word, as keys are."""
    tree = tree_of(file)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    silent = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and _is_doc(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def _is_doc(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> bool:
    return bool(node.body) and isinstance(node.body[0], ast.Expr)


@pytest.mark.parametrize("name", [name for name in vars(glossary) if name.endswith("_HELP")])
def test_a_tooltip_says_what_the_glossary_says(name: str) -> None:
    term = name.removesuffix("_HELP").casefold()
    assert f"- **{term}**: {vars(glossary)[name]}".casefold() in TEXT.casefold()


@pytest.mark.parametrize("term", [*ROLES.values(), *MODES.values()])
def test_roles_and_modes_are_in_it(term: str) -> None:
    assert term.casefold() in TERMS


def test_every_field_of_the_composer_is_in_it() -> None:
    labels = {
        call.args[0].value
        for module, file in SCREENS.items()
        if module.startswith("core.ui.generate.")
        for call in ast.walk(tree_of(file))
        if isinstance(call, ast.Call)
        and getattr(call.func, "attr", getattr(call.func, "id", "")) in FIELDS
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    assert {"Person folder", "Size", "Engine"} <= labels
    assert {label for label in labels if str(label).casefold() not in TERMS} <= {"How closely it is followed"}


def test_every_term_is_explained_once() -> None:
    found = re.findall(r"\*\*([^*]+)\*\*", TEXT)
    assert sorted(found) == sorted(set(found))


@pytest.mark.parametrize("old", GONE)
def test_a_thing_has_no_second_name(old: str) -> None:
    named = {
        f"{module}: {text}"
        for module, file in SPEAKING.items()
        for text in texts(file)
        if " " in text.strip() and re.search(old, text, re.IGNORECASE)
    }
    assert named == set(), f"it is called {GONE[old]}"
