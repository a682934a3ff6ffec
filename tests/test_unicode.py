"""What finds what: the form in which everything is searched."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.references.key import fold
from core.unicode import searchable

ANYTHING = st.text(max_size=20) | st.text("aÅéß ıİłﬁｶﾞ각ᄀㄱ\u0301\u0345\u200b／ΐςÆ\ud800", max_size=12)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("cafe", "Café"),
        ("CAFÉ", "cafe\u0301 au lait"),
        ("café", "CAFE"),
        ("creme brulee", "Crème Brûlée"),
        ("strasse", "Straße"),
        ("STRAẞE", "strasse"),
        ("istanbul", "İstanbul"),
        ("ISTANBUL", "ıstanbul"),
        ("soren", "Søren"),
        ("lodz", "Łódź"),
        ("dvorak", "Dvořák"),
        ("aether", "Æther"),
        ("oeuvre", "Œuvre"),
        ("thor", "Þór"),
        ("nguyen", "Nguyễn"),
        ("duc", "Đức"),
        ("ada 01", "Ａｄａ　０１"),
        ("ＡＤＡ", "Ada 01.jpg"),
        ("フィルム", "ﾌｨﾙﾑ"),
        ("ガス", "ｶﾞｽ"),
        ("fine", "ﬁne"),
        ("ελλας", "Ελλάς"),
        ("елка", "Ёлка"),
        ("ben's", "Ben’s"),
        ("three-quarter", "three‑\u200bquarter"),
        ("co-op", "co\u00adop co–op"),
        ("하늘", unicodedata.normalize("NFD", "김하늘")),
        (unicodedata.normalize("NFD", "하늘"), "김하늘"),
    ],
)
def test_a_word_finds_what_it_means(typed: str, text: str) -> None:
    assert searchable(typed) in searchable(text)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("ㄱ", "가"),
        ("가", "각"),
        (unicodedata.normalize("NFD", "가"), "각"),
        ("カ", "ガ"),
        ("か", "が"),
        ("cafe", "cave"),
        ("ก", "บา"),
    ],
)
def test_syllables_and_letters_stay_whole(typed: str, text: str) -> None:
    assert searchable(typed) not in searchable(text)


def test_thai_and_hebrew_keep_their_vowels() -> None:
    for text in ("ผู้หญิง", "שָׁלוֹם", "नमस्ते"):
        assert searchable(text) == unicodedata.normalize("NFC", unicodedata.normalize("NFKD", text))


@given(ANYTHING)
def test_the_form_of_a_form_is_itself_whatever_the_text_was_written_in(text: str) -> None:
    form = searchable(text)
    assert searchable(form) == form
    assert searchable(unicodedata.normalize("NFD", text)) == searchable(unicodedata.normalize("NFC", text)) == form


@given(ANYTHING)
def test_texts_that_were_kept_in_the_older_form_are_found_like_new_ones(text: str) -> None:
    """Month files hold prompts that were folded, without losing accents."""
    assume("\u0345" not in unicodedata.normalize("NFD", text))  # folding makes a letter of it, wherever it stands
    assert searchable(fold(text)) == searchable(text)
