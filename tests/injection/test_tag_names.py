"""Tag names: plans speak to people in the words of the screen, and code goes on reading ids."""

from __future__ import annotations

import pytest

from core.injection.request.wishes import Mode, Wishes
from core.injection.tag_names import in_screen_words, with_names
from tests.injection.libraries import VOCABULARY, library, plan

IDS = [term.id for term in (*VOCABULARY.tones, *VOCABULARY.angles)]
LIBRARY = library(
    "refs/01. Model/a(natural,film) eye-level/Ada 01.jpg",
    "refs/01. Model/noir low-angle/Ada 02.jpg",
    "refs/02. Tone/natural-film/desk.jpg",
    "refs/03. Angle/low-angle/Emi.jpg",
)


@pytest.mark.parametrize("tag", IDS)
def test_every_id_is_said_by_its_name(tag: str) -> None:
    name = VOCABULARY.name(tag)
    assert (
        in_screen_words(VOCABULARY, f"No tone group in S3 is tagged {tag}.") == f"No tone group in S3 is tagged {name}."
    )


def test_names_of_files_and_folders_are_left_as_they_are() -> None:
    said = "Nothing in “refs/noir” is tagged noir; `vivid/low-angle.jpg` is, and so is extra-noir-ish."
    assert in_screen_words(VOCABULARY, said) == said.replace("tagged noir", "tagged Noir")


def test_an_id_that_the_vocabulary_has_lost_is_said_as_it_is() -> None:
    assert VOCABULARY.name("sepia") == "sepia"
    assert in_screen_words(VOCABULARY, "tagged sepia") == "tagged sepia"


def test_a_gender_is_said_as_the_composer_says_it() -> None:
    assert in_screen_words(VOCABULARY, "tagged noir, labelled feminine") == "tagged Noir, labelled as a woman"


def test_no_sentence_of_a_plan_has_an_id_and_what_code_reads_is_the_same() -> None:
    asked = Wishes(balanced=False, prompt="a woman", mode=Mode.COMPARE, tone="natural-film", angle="low-angle")
    before = plan(LIBRARY, asked)
    after = with_names(before, VOCABULARY)
    slots = [slot for side in after.sides for slot in side.slots]
    said = [slot.why for slot in slots] + [step.step for slot in slots for step in slot.steps]
    said += [one.says for one in after.fairness.differences] if after.fairness else []
    assert any("Natural film" in each for each in said)
    assert [each for each in said if "natural-film" in each or "low-angle" in each.replace("“", "")] == []
    for old, new in zip((slot for side in before.sides for slot in side.slots), slots, strict=True):
        assert (old.key, old.wished, old.near) == (new.key, new.wished, new.near)
        assert [step.value for step in old.steps] == [step.value for step in new.steps]
