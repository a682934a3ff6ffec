"""Quantities are said as people say them."""

from __future__ import annotations

import pytest

from core.ui.frame.words.quantities import count_of, file_size, ordinal, signed, time_span, year_span


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (count_of(0, "picture"), "0 pictures"),
        (count_of(1, "picture"), "1 picture"),
        (count_of(1200, "picture"), "1,200 pictures"),
        (count_of(1, "person", "people"), "1 person"),
        (count_of(2, "person", "people"), "2 people"),
        (" ".join(map(ordinal, (1, 2, 3, 4, 10))), "1st 2nd 3rd 4th 10th"),
        (" ".join(map(ordinal, (11, 12, 13, 21, 112, 1002))), "11th 12th 13th 21st 112th 1,002nd"),
        (year_span(30, 30), "30"),
        (year_span(30, 34), "30–34"),
        (time_span(None), "an unknown time"),
        (time_span(89), "89 s"),
        (time_span(120), "2 min"),
        (time_span(7200), "2 h"),
        (file_size(999), "999 bytes"),
        (file_size(1500), "2 kB"),
        (file_size(2_500_000), "2.5 MB"),
    ],
)
def test_a_quantity_is_said_in_words(said: str, words: str) -> None:
    assert said == words


@pytest.mark.parametrize(
    ("number", "decimals", "words"),
    [
        (3.94, 1, "+3.9"),
        (-0.016, 2, "\u22120.02"),
        (1234.56, 1, "+1234.6"),
        (0.0, 1, "0.0"),
        (-0.0, 1, "0.0"),
        (0.004, 2, "0.00"),
        (-0.001, 2, "0.00"),
        (-0.0049, 2, "0.00"),
        (0.0051, 2, "+0.01"),
        (-0.0051, 2, "\u22120.01"),
        (0.4, 0, "0"),
        (-0.6, 0, "\u22121"),
    ],
)
def test_a_number_has_its_sign_unless_it_is_told_as_nothing(number: float, decimals: int, words: str) -> None:
    assert signed(number, decimals) == words
