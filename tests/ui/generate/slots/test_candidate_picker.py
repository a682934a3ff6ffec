"""Candidates are found by what people call them."""

from __future__ import annotations

import pytest

from core.ui.generate.slots.candidate_picker import matching
from tests.injection.libraries import library

FOLDER = "refs/01. Model/noir low angle"
INDEX = library(f"{FOLDER}/Ada 01.jpg", f"{FOLDER}/Ada 02.jpg", f"{FOLDER}/Zoë café.jpg", f"{FOLDER}/김민지 03.jpg")
CANDIDATES = INDEX.model_folder("refs/01. Model").groups[0].usable


@pytest.mark.parametrize(
    ("sought", "names"),
    [
        ("", ["Ada 01.jpg", "Ada 02.jpg", "Zoë café.jpg", "김민지 03.jpg"]),
        ("ada", ["Ada 01.jpg", "Ada 02.jpg"]),
        ("02 ADA", ["Ada 02.jpg"]),
        ("zoe cafe", ["Zoë café.jpg"]),
        ("김민지", ["김민지 03.jpg"]),
        ("low noir 03", ["김민지 03.jpg"]),
        ("nobody", []),
        ("  ", ["Ada 01.jpg", "Ada 02.jpg", "Zoë café.jpg", "김민지 03.jpg"]),
    ],
)
def test_every_word_has_to_be_in_the_name_or_the_group_in_any_order(sought: str, names: list[str]) -> None:
    assert [each.name for each in matching(CANDIDATES, sought)] == names
