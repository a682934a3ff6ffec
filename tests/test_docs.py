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


@pytest.mark.parametrize("command", ["make run", "make test", "python -m core check"])
def test_the_commands_are_in_the_readme(command: str) -> None:
    assert README.is_file(), "README.md is missing: it has to name the commands."
    assert command in README.read_text(encoding="utf-8"), f"README.md does not mention `{command}`."
