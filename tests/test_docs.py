"""Documentation as a test: what can be set is written down."""

from __future__ import annotations

import re

import pytest

from core.settings import PROJECT_ROOT, Settings

README = PROJECT_ROOT / "README.md"


@pytest.mark.parametrize("name", [field.upper() for field in Settings.model_fields])
def test_every_setting_is_explained_in_the_readme(name: str) -> None:
    assert README.is_file(), "README.md is missing: it has to explain every setting."
    assert re.search(rf"\b{name}\b", README.read_text(encoding="utf-8")), f"README.md does not mention {name}."


@pytest.mark.parametrize("name", [field.upper() for field in Settings.model_fields])
def test_every_setting_is_in_the_operators_guide(name: str) -> None:
    assert re.search(rf"\b{name}\b", (PROJECT_ROOT / "docs" / "operate.md").read_text("utf-8")), name


@pytest.mark.parametrize(
    "document",
    [
        *("docs/operate.md", "docs/architecture.md", "docs/scale.md", "docs/security.md", "docs/compatible.md"),
        "README.md",
    ],
)
def test_every_file_that_the_documents_point_to_is_there(document: str) -> None:
    text = (PROJECT_ROOT / document).read_text("utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    named = re.findall(r"`((?:deploy|docs|core|bench|labels|tests)/[\w./-]+\.\w+)`", text)
    missing = [link for link in links if not (PROJECT_ROOT / document).parent.joinpath(link).exists()]
    assert missing + [name for name in named if not (PROJECT_ROOT / name).exists()] == []


def test_the_gateway_that_was_run_is_the_one_that_is_installed() -> None:
    pinned = re.search(r"^litellm==(.+)$", (PROJECT_ROOT / "requirements-litellm.txt").read_text("utf-8"), re.MULTILINE)
    assert pinned
    assert f"| LiteLLM's proxy | {pinned[1]} |" in (PROJECT_ROOT / "docs" / "compatible.md").read_text("utf-8")


@pytest.mark.parametrize("command", ["make run", "make test", "python -m core check"])
def test_the_commands_are_in_the_readme(command: str) -> None:
    assert README.is_file(), "README.md is missing: it has to name the commands."
    assert command in README.read_text(encoding="utf-8"), f"README.md does not mention `{command}`."
