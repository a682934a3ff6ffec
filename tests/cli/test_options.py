"""What is typed behind a command's options, and what it is understood as."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.cli.comparisons import PlanOptions, parse_ages, parse_size, wishes_of
from core.errors import InputError
from core.injection.request.wishes import SEED_MAX, Ages, Mode, PersonWish
from core.labels.published.schema import Gender
from tests.injection.libraries import VOCABULARY

PLAIN = PlanOptions(
    prompt="x", mode="compare", tone=None, angle=None, folder=None, seed=1, age=None, gender=None, person="auto"
)


def test_everything_that_can_be_wished_arrives() -> None:
    options = PlanOptions(
        "a street", "TONE-ONLY", "느와르", "Bird's eye", "refs/01. Model", 9, "25-34", "Feminine", "yes"
    )
    wishes = wishes_of(options, VOCABULARY)
    assert (wishes.prompt, wishes.mode, wishes.tone, wishes.angle) == ("a street", Mode.TONE_ONLY, "noir", "overhead")
    assert (wishes.folder, wishes.seed, wishes.ages) == ("refs/01. Model", 9, Ages(25, 34))
    assert (wishes.gender, wishes.person) == (Gender.FEMININE, PersonWish.YES)


def test_nothing_typed_wishes_nothing() -> None:
    wishes = wishes_of(PLAIN, VOCABULARY)
    assert (wishes.tone, wishes.angle, wishes.folder, wishes.ages, wishes.gender) == (None,) * 5
    assert wishes.person is PersonWish.AUTO
    assert not wishes.tone_by_chance


def test_chance_is_a_wish_for_a_drawn_tone() -> None:
    wishes = wishes_of(replace(PLAIN, tone="chance"), VOCABULARY)
    assert (wishes.tone, wishes.tone_by_chance) == (None, True)


def test_without_a_seed_one_is_drawn() -> None:
    assert len({wishes_of(replace(PLAIN, seed=None), VOCABULARY).seed for _ in range(5)}) > 1


@pytest.mark.parametrize("seed", [0, SEED_MAX])
def test_the_ends_of_the_seeds_are_seeds(seed: int) -> None:
    assert wishes_of(replace(PLAIN, seed=seed), VOCABULARY).seed == seed


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("mode", "both", "tone-only, tone-angle, compare"),
        ("mode", "", "tone-only"),
        ("tone", "mauve", "choose one of natural-film"),
        ("tone", "low", "no tone"),
        ("angle", "sideways", "choose one of eye-level"),
        ("angle", "noir", "no angle"),
        ("gender", "robot", "feminine, masculine"),
        ("person", "maybe", "auto, yes, no"),
        ("seed", -1, "from 0 to"),
        ("seed", SEED_MAX + 1, "from 0 to"),
        ("age", "young", "25-34"),
        ("age", "34-25", "the younger first"),
        ("age", "121", "between 0 and 120"),
        ("age", "-5", "25-34"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_what_could_be(field: str, value: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        wishes_of(replace(PLAIN, **{field: value}), VOCABULARY)  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(("text", "ages"), [("25-34", (25, 34)), ("30", (30, 30)), (" 0 – 120 ", (0, 120))])
def test_ages_are_a_range_or_one_age(text: str, ages: tuple[int, int]) -> None:
    assert parse_ages(text) == Ages(*ages)


@pytest.mark.parametrize(
    ("text", "size"), [("1024x1280", (1024, 1280)), (" 64 X 4096 ", (64, 4096)), ("96×96", (96, 96))]
)
def test_a_size_is_two_numbers_of_pixels(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "big", "1024", "0x0", "63x64", "64x4097", "9999x9999", "-64x64", "64x64x64", "1e3x64"]
)
def test_any_other_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match="1024x1280"):
        parse_size(text)
