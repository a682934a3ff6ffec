"""What a slot says about itself, to the letter, and how far a plan looks before it is filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.errors import InputError
from core.injection.plan import Planner
from core.injection.request.slots import Rule
from core.injection.request.wishes import PROMPT_CHARS_MAX, Ages, Mode, SideName, WishedFrom, Wishes, check_prompt
from core.labels.published.label_file import LabelSet
from core.labels.published.label_index import Claim
from core.labels.published.schema import Gender
from core.references.reference import Reference
from tests.injection.libraries import A_PERSON, SILENT, label, library, model_keys, models_of, plan, tone_of

MODEL, TONE = "refs/01. Model", "refs/02. Tone"
NOIR = Wishes(prompt="x", mode=Mode.TONE_ONLY, tone="noir")


def why(done_wishes: Wishes, *keys: str, limit: int = 3) -> str:
    """What the first model slot says."""
    done = plan(library(*keys), done_wishes, limit=limit)
    return models_of(done, SideName.TONE_ONLY)[0].why


def test_a_limit_of_none_is_named_by_its_setting() -> None:
    said = why(NOIR, f"{MODEL}/noir/Ada.jpg", limit=0)
    assert said == "Person references are switched off by MAX_MODEL_REFERENCES."


def test_every_value_that_loosening_a_wish_would_allow_is_a_near_miss_of_its_own() -> None:
    index = library(f"{MODEL}/vivid/Ada.jpg", f"{MODEL}/noir/Ben.jpg")
    (slot,) = models_of(plan(index, replace(NOIR, tone="pastel")), SideName.TONE_ONLY)
    assert [(miss.loosen, miss.to, miss.pictures) for miss in slot.near] == [
        ("tone", "noir", 1),
        ("tone", "vivid", 1),
    ]
    assert slot.why == f"Nothing in “{MODEL}” is tagged pastel."
    assert [(step.rule, step.left, step.value) for step in slot.steps] == [
        (Rule.FOLDER, 2, MODEL),
        (Rule.TONE, 0, "pastel"),
    ]


def test_a_tone_from_elsewhere_in_the_library_is_drawn_from_all_of_it() -> None:
    index = library("refs/a/01. Model/noir/Ada.jpg", "refs/b/02. Tone/noir/street.jpg")
    step = next(s for s in tone_of(plan(index, NOIR), SideName.TONE_ONLY).steps if s.rule is Rule.ANYWHERE)
    assert (step.value, step.left) == ("", 1)


def test_a_person_who_is_named_comes_from_the_prompt() -> None:
    done = plan(library(f"{MODEL}/noir/Ada.jpg"), replace(NOIR, prompt="Ada at sea"), SILENT)
    assert done.settled.persona is not None
    assert (done.settled.persona.value, done.settled.persona.source) == ("Ada", WishedFrom.PROMPT)
    assert (done.settled.person, done.settled.person_from) == (True, WishedFrom.PROMPT)


class CountingLabels(LabelSet):
    """Counts in how many groups pictures were looked up."""

    asked = 0

    def select(self, claim: Claim, pictures: Sequence[Reference]) -> tuple[Reference, ...]:
        self.asked += 1
        return super().select(claim, pictures)


def test_of_many_groups_that_fit_no_more_are_looked_through_than_there_are_slots() -> None:
    keys = [f"{MODEL}/noir {number:03d}/Ada.jpg" for number in range(200)]
    labels = CountingLabels([label(key, Gender.FEMININE) for key in keys])
    planner = Planner(library(*keys), labels, max_model_references=3)
    done = planner.plan(replace(NOIR, gender=Gender.FEMININE), A_PERSON)
    assert model_keys(done, SideName.TONE_ONLY) == keys[:3]
    assert labels.asked == 3


@pytest.mark.parametrize("half", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_half_a_character_is_refused_wherever_it_lies(half: int) -> None:
    with pytest.raises(InputError, match="not text"):
        check_prompt(f"a red {chr(half)} coat")


@pytest.mark.parametrize("whole", ["\ud7ff", "\ue000", "👩🏽‍🎨"])
def test_what_only_borders_on_half_characters_is_text(whole: str) -> None:
    assert check_prompt(whole) == whole


def test_one_character_more_than_the_longest_prompt_is_refused() -> None:
    with pytest.raises(InputError, match="shorten it by 1"):
        check_prompt("x" * (PROMPT_CHARS_MAX + 1))


def test_a_slot_that_was_turned_says_how_often_and_from_which_seed() -> None:
    index = library(*(f"{TONE}/noir/{name}.jpg" for name in ("bridge", "harbour", "street")))
    slot = tone_of(plan(index, replace(NOIR, seed=7, rerolls={"tone": 2})), SideName.TONE_ONLY)
    turn = slot.steps[-1]
    assert (turn.rule, turn.step, turn.left, turn.value) == (Rule.TURN, "re-rolled 2×, drawn with seed 7", 1, "2")


def test_an_age_of_one_year_is_that_year_and_a_range_is_both_its_ends() -> None:
    for ages, words in ((Ages(30, 30), "30"), (Ages(30, 39), "30–39")):
        done = plan(library(f"{MODEL}/noir/Ada.jpg"), replace(NOIR, ages=ages))
        assert done.settled.age is not None
        assert (done.settled.age.value, done.settled.age.source) == (words, WishedFrom.PICKED)
        assert models_of(done, SideName.TONE_ONLY)[0].wished == f"noir + {words}"
