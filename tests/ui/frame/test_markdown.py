"""Markdown: what people and S3 wrote stays what it is."""

from __future__ import annotations

import pytest

from core.ui.frame.markdown import without_formulas


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("$0.02 of $0.10 left", r"\$0.02 of \$0.10 left"),
        ("`a$b.png` cost $1", r"`a$b.png` cost \$1"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_dollars_are_money_and_enclose_no_formula(text: str, shown: str) -> None:
    assert without_formulas(text) == shown
