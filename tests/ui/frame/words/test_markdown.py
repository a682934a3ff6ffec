"""Markdown: what people and S3 wrote stays what it is."""

from __future__ import annotations

import pytest

from core.errors import NotFound, StorageError
from core.ui.frame.words.markdown import code, fill, joined, plain


def test_dollars_are_money_and_enclose_no_formula() -> None:
    assert fill("$0.02 of $0.10 left") == r"\$0.02 of \$0.10 left"


def test_dollars_in_code_stay_as_they_are() -> None:
    assert fill("`{}` cost $1", "a$b.png") == r"`a$b.png` cost \$1"


def test_ordinary_words_are_left_as_they_are() -> None:
    assert plain("Nora 김하늘, 3 pictures; 100 %") == "Nora 김하늘, 3 pictures; 100 %"


@pytest.mark.parametrize(
    ("value", "drawn"),
    [
        ("plain", "`plain`"),
        ("a`b", "``a`b``"),
        ("`a``b", "``` `a``b ```"),
        (":material/home:", "`:`:color{}`material/home:`"),
        ("", ""),
    ],
)
def test_a_value_in_backticks_is_code_to_its_last_character(value: str, drawn: str) -> None:
    assert code(value) == drawn
    assert fill("`{}`", value) == drawn


def test_what_is_filled_already_is_not_filled_again() -> None:
    assert fill("{}: {}", fill("**{}**", "a*"), "b") == "**a&#42;**: b"
    assert joined(" · ", (fill("*{}*", "a"), "b*")) == "*a* · b&#42;"


def test_an_error_in_an_error_keeps_its_words_and_its_values() -> None:
    inner = NotFound("There is no comparison `{key}`.", key="[x](y)")
    assert plain(StorageError("Not today: {} $5", inner)) == r"Not today: There is no comparison `[x](y)`. \$5"
