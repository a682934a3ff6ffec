"""Files of attempts: whose a key is, and of which kind."""

from __future__ import annotations

import pytest

from core.generation.records.attempt import AttemptId, attempt_file
from core.injection.request.wishes import SideName

FOLDER = "studio/generations/2026/11/22/01M8J2787R8PSJKWWB24XC9D7X/"


@pytest.mark.parametrize("kind", [".started.json", ".later.json", ".json", ".png"])
def test_a_key_says_whose_file_it_is_and_of_which_kind(kind: str) -> None:
    attempt = AttemptId("01M8J2787R8PSJKWWB24XC9D7X", SideName.TONE_ANGLE, 12)
    assert attempt_file(f"{FOLDER}tone-angle-12{kind}") == (attempt, kind)


@pytest.mark.parametrize(
    "name", ["comparison.json", "tone-only-0.json", "tone-only-1.txt", "tone-only-1.json.bak", "angle-1.json", ""]
)
def test_what_is_no_attempts_file_is_none(name: str) -> None:
    assert attempt_file(f"{FOLDER}{name}") is None
    assert attempt_file(f"studio/generations/2026/11/22/elsewhere/{name}") is None
