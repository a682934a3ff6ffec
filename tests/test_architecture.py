"""The house: who may import whom, walked in the source itself."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from core.ui.frame.state import Key
from tests.room_picture import DOCUMENT, FLOORS, FOUNDATION, PICTURES, arrows, drawn, picture_in

ROOT = Path(__file__).parents[1]
SOURCES = sorted([ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "core").rglob("*.py")])
PAGES = sorted((ROOT / "pages").glob("*.py"))
OPENAI_ADAPTERS = (
    "core.openai.",
    *("core.generation.engines.openai_", "core.labels.machine.openai_", "core.injection.openai_"),
)
# Who alone may import what talks to the outside. A trailing dot or underscore means: whatever begins so.
VENDORS = {
    "streamlit": ("app", "pages.", "core.ui."),
    "boto3": ("core.storage.",),
    "botocore": ("core.storage.",),
    "moto": ("core.storage.",),
    "google": ("core.identity.google",),
    "openai": OPENAI_ADAPTERS,
    "opentelemetry": ("core.telemetry",),
    "prometheus_client": ("core.metrics", "core.web.health"),
}
BELOW_STUDIO = ("core.storage.", "core.identity.")
DOMAIN = ("references", "record_index", "injection", "generation", "votes", "labels", "images", "search")
ADAPTERS_AND_ABOVE = (
    *("storage", "identity", "studio", "web", "ui", "cli", "__main__"),
    *("metrics", "telemetry"),
)


def name_of(file: Path) -> str:
    """The module's dotted name; a package goes by its own name."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in SOURCES}


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports_in(node: ast.AST, *, at_module_level: bool = False) -> Iterator[str]:
    """Dotted names that are imported, inside functions too unless told otherwise."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            base = child.module or ""
            yield from (f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in child.names)
        elif at_module_level and (isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or _is_for_types(child)):
            continue
        else:
            yield from imports_in(child, at_module_level=at_module_level)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def allowed(module: str, places: tuple[str, ...]) -> bool:
    return any(module.startswith(place) if place[-1] in "._" else module == place for place in places)


@pytest.mark.parametrize("vendor", VENDORS)
def test_only_its_own_rooms_import_a_vendor_that_talks_to_the_outside(vendor: str) -> None:
    wrong = [
        module
        for module, file in MODULES.items()
        if vendor in {name.split(".")[0] for name in imports_in(tree_of(file))} and not allowed(module, VENDORS[vendor])
    ]
    assert wrong == []


@pytest.mark.parametrize("room", DOMAIN)
def test_a_domain_room_imports_no_adapter_and_nothing_above(room: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for module, file in MODULES.items()
        if module == f"core.{room}" or module.startswith(f"core.{room}.")
        for name in imports_in(tree_of(file))
        if name.startswith("core.") and name.split(".")[1] in ADAPTERS_AND_ABOVE
    ]
    assert wrong == []


def test_adapters_do_not_import_what_builds_them() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, file in MODULES.items()
        if module.startswith(("core.storage", "core.identity"))
        for name in imports_in(tree_of(file))
        if name.split(".")[:2] in (["core", "studio"], ["core", "ui"], ["core", "web"], ["core", "cli"])
    ]
    assert wrong == []


def test_nothing_in_core_imports_a_page() -> None:
    wrong = [
        module for module, file in MODULES.items() if any(n.startswith("pages") for n in imports_in(tree_of(file)))
    ]
    assert wrong == []


def test_only_the_composition_root_and_what_stands_above_it_build_adapters() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, file in MODULES.items()
        if not allowed(module, ("app", "pages.", "core.studio", "core.web.", *BELOW_STUDIO, "core.ui.", "core.cli."))
        for name in imports_in(tree_of(file))
        if name.startswith(("core.storage.", "core.identity."))
    ]
    assert wrong == []


def test_errors_import_nothing_of_ours() -> None:
    assert [name for name in imports_in(tree_of(ROOT / "core/errors.py")) if name.startswith("core")] == []


def test_the_ground_stands_on_errors_and_incidents_alone() -> None:
    """Or a loop could not be everybody's."""
    found = {
        name
        for module, file in MODULES.items()
        if module == "core.logs.incidents" or module.startswith("core.concurrency")
        for name in imports_in(tree_of(file))
        if name.startswith("core.")
    }
    assert found == {"core.errors", "core.logs.incidents"}


def test_threads_begin_where_their_failures_are_seen() -> None:
    """Elsewhere only those begin that hand every exception to somebody who waits for it, or a server of its own."""
    threads = ("threading.Thread", "Thread")
    begun = {
        module
        for module, file in MODULES.items()
        for node in ast.walk(tree_of(file))
        if (isinstance(node, ast.Call) and ast.unparse(node.func) in threads)
        or (isinstance(node, ast.ClassDef) and any(ast.unparse(base) in threads for base in node.bases))
    }
    assert begun == {
        "core.concurrency.background",
        "core.concurrency.periodic",
        "core.openai.call",
        "core.references.listing.worker_pool",
        "core.storage.embedded.server",
        "core.web.server.stop",  # the end of the process: whatever it is, it is logged, and the process ends
    }


def test_no_modules_import_each_other_in_a_circle() -> None:
    arrows = {
        module: {name for name in imports_in(tree_of(file), at_module_level=True) if name in MODULES and name != module}
        for module, file in MODULES.items()
    }
    done: set[str] = set()
    circles: list[str] = []

    def walk(module: str, path: tuple[str, ...]) -> None:
        if module in path:
            circles.append(" → ".join((*path[path.index(module) :], module)))
        elif module not in done:
            for following in sorted(arrows[module]):
                walk(following, (*path, module))
            done.add(module)

    for module in MODULES:
        walk(module, ())
    assert circles == []


def subroom_of(module: str) -> str:
    """The folder of a module, dotted."""
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


@pytest.mark.parametrize("room", sorted({module.split(".")[1] for module in MODULES if module.startswith("core.")}))
def test_arrows_between_the_subrooms_of_a_room_point_one_way(room: str) -> None:
    """What lies in the room itself stands on its subrooms."""
    arrows: dict[str, set[str]] = {}
    for module, file in MODULES.items():
        if module != f"core.{room}" and not module.startswith(f"core.{room}."):
            continue
        here = subroom_of(module)
        there = {subroom_of(name) for name in imports_in(tree_of(file)) if name in MODULES}
        arrows.setdefault(here, set()).update(
            name for name in there if name != here and (name == f"core.{room}" or name.startswith(f"core.{room}."))
        )
    assert tuple(TopologicalSorter(arrows).static_order()) != ()  # raises CycleError, which names the circle


@pytest.mark.parametrize("picture", PICTURES)
def test_the_pictures_of_the_rooms_are_true(picture: str) -> None:
    """`python -m tests.room_picture` draws them anew."""
    assert picture_in(DOCUMENT.read_text("utf-8"), picture) == drawn(picture)


def test_every_room_stands_on_a_floor_of_the_picture() -> None:
    rooms = {room for arrow in arrows() for room in arrow}
    assert rooms - set(FOUNDATION) - {room for names in FLOORS.values() for room in names} == set()


def test_what_streamlit_runs_without_the_shell_asks_who_is_there() -> None:
    """Fragments and dialogs are run again by themselves: only the session's own, guarded ones are used."""
    unguarded = {"st.fragment", "st.dialog", "st.experimental_fragment", "st.experimental_dialog"}
    wrong = [
        f"{module}: {ast.unparse(node)}"
        for module, file in MODULES.items()
        if module != "core.ui.frame.session"
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in unguarded
    ]
    assert wrong == []


def test_streamlit_is_imported_as_st_alone() -> None:
    """Or what is forbidden above could go by another name. Its internals are one module's."""
    named = {
        ast.unparse(node)
        for module, file in MODULES.items()
        if module != "core.ui.frame.streamlit_internals"
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and "streamlit" in ast.unparse(node).replace("streamlit_", "")  # names of others that begin so
    }
    assert named == {"import streamlit as st"}


def test_a_function_lives_in_the_room_of_its_noun() -> None:
    files = [file for room in ("core", "pages", "tests") for file in ROOT.joinpath(room).rglob("*")]
    ours = [file for file in files if "node_modules" not in file.parts]
    assert [file for file in ours if file.stem in ("utils", "util", "helpers", "helper", "common", "misc")] == []


def test_a_room_has_a_dozen_files_at_most() -> None:
    """What is written by hand, but for the line that says what the room owns."""
    kinds = (".py", ".js", ".css", ".toml")
    files = [file for file in ROOT.joinpath("core").rglob("*") if file.suffix in kinds and file.stem != "__init__"]
    assert {str(room): count for room, count in Counter(file.parent for file in files).items() if count > 12} == {}


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_a_module_says_in_a_docstring_what_it_owns(file: Path) -> None:
    assert ast.get_docstring(tree_of(file))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
class TestPages:
    """A page reads widgets, calls one core function and renders."""

    def test_it_has_40_to_150_lines(self, page: Path) -> None:
        lines = len(page.read_text(encoding="utf-8").splitlines())
        assert 40 <= lines <= 150, f"{page.name} has {lines} lines"

    def test_it_imports_no_vendor_of_storage_models_or_tables(self, page: Path) -> None:
        tops = {name.split(".")[0] for name in imports_in(tree_of(page))}
        assert tops & {"boto3", "botocore", "openai", "pandas", "pyarrow", "google"} == set()

    def test_it_never_catches_a_vendors_error(self, page: Path) -> None:
        caught = [
            ast.unparse(node.type)
            for node in ast.walk(tree_of(page))
            if isinstance(node, ast.ExceptHandler) and node.type
        ]
        assert [
            name for name in caught if "Client" in name or "Boto" in name or "OpenAI" in name or name == "Exception"
        ] == []

    def test_it_never_spells_a_session_key(self, page: Path) -> None:
        spelled = {key.value for key in Key}
        wrong = [literal for literal in session_literals(tree_of(page)) if literal is None or literal in spelled]
        assert wrong == []


def session_literals(tree: ast.Module) -> Iterator[str | None]:
    """String literals used to reach into the session, or to name a widget after a declared key."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript | ast.Attribute) and _is_session(node.value):
            spelled = (
                isinstance(node.slice, ast.Constant) if isinstance(node, ast.Subscript) else node.attr not in dir(dict)
            )
            yield from (None for _ in range(spelled))
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and _is_session(node.func.value):
                yield from (None for arg in node.args[:1] if isinstance(arg, ast.Constant))
            for keyword in node.keywords:
                if keyword.arg == "key" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value)


def _is_session(node: ast.AST) -> bool:
    return ast.unparse(node) in ("st.session_state", "session_state")


def test_every_session_key_is_declared_once() -> None:
    values = [key.value for key in Key]
    assert len(values) == len(set(values))
