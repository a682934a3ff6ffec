"""What a button says that loosens a wish: names instead of ids, what it replaces, and what it gives."""

from __future__ import annotations

import html

import pytest

from core.injection.request.slots import NearMiss, Rule, Slot, Step
from core.references.vocabulary import Role
from core.ui.generate.slots.near_miss_words import near_miss_words
from tests.injection.libraries import VOCABULARY

SLOT = Slot.empty(
    Role.MODEL,
    "Nothing fits.",
    steps=[
        Step("in the folder", 44, Rule.FOLDER, "refs/01. Model"),
        Step("tagged noir", 4, Rule.TONE, "noir"),
        Step("tagged low-angle", 3, Rule.ANGLE, "low-angle"),
        Step("of Ada", 2, Rule.PERSONA, "Ada"),
        Step("labelled feminine", 1, Rule.GENDER, "feminine"),
        Step("labelled 20–29 years", 0, Rule.AGE, "20–29"),
    ],
)


@pytest.mark.parametrize(
    ("miss", "words"),
    [
        (NearMiss("tone", "natural-film", 7), "Natural film instead of Noir: 7 pictures"),
        (NearMiss("angle", "three-quarter", 1), "Three-quarter instead of Low angle: 1 picture"),
        (NearMiss("persona", "Ben", 2), "Ben instead of Ada: 2 pictures"),
        (NearMiss("persona", "any", 1200), "Anybody instead of Ada: 1,200 pictures"),
        (NearMiss("gender", "masculine", 2), "Man instead of Woman: 2 pictures"),
        (NearMiss("age", "35–44", 1), "35–44 instead of 20–29: 1 picture"),
        (NearMiss("age", "any", 3), "Any age instead of 20–29: 3 pictures"),
        (NearMiss("person", "yes", 7), "With a person: 7 pictures"),
        (NearMiss("pin", "model:refs/01. Model/noir", 3), "Without the pin: 3 pictures"),
        (NearMiss("mode", "compare", 1), "Compare: 1 picture"),
        (NearMiss("folder", "shoots/spring/01. Model", 12), "spring / 01. Model: 12 pictures"),
        (NearMiss("folder", "01. Model", 1), "01. Model: 1 picture"),
        (NearMiss("tone", "a tone of an older file", 2), "a tone of an older file instead of Noir: 2 pictures"),
        (NearMiss("tone", "natural-film, vivid", 2), "Natural film, Vivid instead of Noir: 2 pictures"),
        (NearMiss("tone", "any", 2), "Any tone instead of Noir: 2 pictures"),
    ],
)
def test_a_way_out_says_what_it_changes_and_what_that_gives(miss: NearMiss, words: str) -> None:
    assert html.unescape(near_miss_words(miss, SLOT, VOCABULARY)).replace(":color{}", "") == words


def test_a_slot_of_an_old_record_names_the_value_alone() -> None:
    old = Slot.empty(Role.TONE, "No tone group in S3 is tagged sepia.", near=(NearMiss("tone", "noir", 4),))
    assert html.unescape(near_miss_words(old.near[0], old, VOCABULARY)) == "Noir: 4 pictures"
