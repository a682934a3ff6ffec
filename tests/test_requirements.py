"""What is imported is declared, and pinned exactly: nothing rests on what a machine happens to have."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"core", "tests", "bench"}
OPTIONAL = {"pillow_heif", "opentelemetry"}  # used where somebody installed them


def imported(*patterns: str) -> set[str]:
    """The top-level modules of other people that these files import."""
    found = set()
    for pattern in patterns:
        for file in ROOT.glob(pattern):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {name.name.split(".")[0] for name in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                    found.add(node.module.split(".")[0])
    return found - OURS - set(sys.stdlib_module_names)


def declared(*names: str) -> dict[str, str]:
    """Distributions and their pins, as the requirement files say."""
    lines = [line for name in names for line in (ROOT / name).read_text("utf-8").splitlines()]
    rows = [re.fullmatch(r"([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", line) for line in lines if line and line[0] not in "#-"]
    assert all(rows), "every requirement is pinned exactly"
    return {row[1].lower().replace("_", "-"): row[2] for row in rows if row}


def undeclared(modules: set[str], requirements: dict[str, str]) -> set[str]:
    """Modules of which no distribution is declared."""
    of = packages_distributions()
    names = {module: {name.lower().replace("_", "-") for name in of.get(module, [])} for module in modules}
    return {module for module, distributions in names.items() if not distributions & requirements.keys()}


def test_the_dashboard_declares_all_it_imports() -> None:
    modules = imported("app.py", "core/**/*.py", "pages/*.py") - OPTIONAL
    assert undeclared(modules, declared("requirements.txt")) == set()


def test_the_tests_declare_all_they_import() -> None:
    modules = imported("tests/**/*.py", "bench/*.py")
    assert (
        undeclared(modules, declared("requirements.txt", "requirements-telemetry.txt", "requirements-dev.txt")) == set()
    )


# What is declared and imported nowhere, and why it is needed all the same.
NEEDED_UNIMPORTED = {
    "requests": "google-auth fetches Google's certificates with it",
}


def unused(modules: set[str], requirements: dict[str, str]) -> set[str]:
    """Declared distributions of which no module is imported."""
    of = packages_distributions()
    used = {name.lower().replace("_", "-") for module in modules for name in of.get(module, [])}
    return set(requirements) - used


def test_the_dashboard_imports_all_it_declares() -> None:
    modules = imported("app.py", "core/**/*.py", "pages/*.py")
    assert unused(modules, declared("requirements.txt")) - NEEDED_UNIMPORTED.keys() == set()
    assert unused(modules, declared("requirements-telemetry.txt")) == set()


def test_no_exception_outlives_its_reason() -> None:
    modules = imported("app.py", "core/**/*.py", "pages/*.py")
    assert unused(modules, declared("requirements.txt")) >= NEEDED_UNIMPORTED.keys()


def test_a_leftover_requirement_is_noticed() -> None:
    assert unused({"lxml"}, {"lxml": "6", "structlog": "26"}) == {"structlog"}


@pytest.mark.parametrize("module", ["lxml", "pyarrow", "starlette", "werkzeug"])
def test_a_module_that_comes_along_with_another_package_is_noticed(module: str) -> None:
    requirements = declared("requirements.txt")
    assert undeclared({module}, {name: pin for name, pin in requirements.items() if name != module}) == {module}


@pytest.mark.parametrize("file", sorted(file.name for file in ROOT.glob("requirements*.txt")))
def test_whatever_is_installed_is_pinned(file: str) -> None:
    assert declared(file)


def test_the_proxy_of_the_slow_tests_comes_without_what_is_not_free() -> None:
    assert "litellm-enterprise" not in declared("requirements-litellm.txt")


def test_what_is_optional_is_tested_in_the_version_that_is_offered() -> None:
    assert declared("requirements-heic.txt").items() <= declared("requirements-dev.txt").items()
