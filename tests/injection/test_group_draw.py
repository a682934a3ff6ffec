"""The draw is first between groups, then within one: a large group is drawn from no more often than a small one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.injection.request.slots import Rule, Slot
from core.injection.request.wishes import Mode, SideName, Wishes
from core.injection.selection.draw import ticket
from tests.injection.libraries import SILENT, keys_of, library, plan, tone_of

TONE = "refs/02. Tone"
LARGE, SMALL = f"{TONE}/noir archive", f"{TONE}/noir"
WISHES = Wishes(prompt="x", mode=Mode.TONE_ONLY, tone="noir")
SEEDS = 2000  # a draw depends on its seed alone: what is counted here is the same on every machine


def drawn(*keys: str, recent: tuple[str, ...] = (), **wished: object) -> Slot:
    """The tone slot over a library of these keys."""
    wishes = replace(WISHES, **wished)  # type: ignore[arg-type]
    return tone_of(plan(library(*keys), wishes, SILENT, recent=recent), SideName.TONE_ONLY)


def place_of(key: str | None) -> str:
    return (key or "").rpartition("/")[0]


def test_a_group_of_many_pictures_is_drawn_as_often_as_one_of_four_beside_it() -> None:
    index = library(*(f"{LARGE}/{n:04}.jpg" for n in range(3000)), *(f"{SMALL}/{n}.jpg" for n in range(4)))
    taken = Counter[str]()
    for seed in range(400):
        taken[place_of(tone_of(plan(index, replace(WISHES, seed=seed), SILENT), SideName.TONE_ONLY).key)] += 1
    assert 160 < taken[SMALL] < 240


def test_the_draw_is_uniform_over_the_groups_and_then_uniform_within_each() -> None:
    sizes = {f"{TONE}/noir a": 2, f"{TONE}/noir b": 5, f"{TONE}/noir c": 40}
    index = library(*(f"{group}/{n:02}.jpg" for group, size in sizes.items() for n in range(size)))
    taken = Counter[str | None]()
    for seed in range(SEEDS):
        taken[tone_of(plan(index, replace(WISHES, seed=seed), SILENT), SideName.TONE_ONLY).key] += 1
    for group, size in sizes.items():
        of_group = {key: count for key, count in taken.items() if place_of(key) == group}
        assert abs(sum(of_group.values()) - SEEDS / 3) < SEEDS / 15
        expected = sum(of_group.values()) / size
        chi_square = sum((of_group.get(f"{group}/{n:02}.jpg", 0) - expected) ** 2 / expected for n in range(size))
        assert chi_square < size + 4 * (2 * size) ** 0.5, f"{group}: {of_group}"


groups = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 6), min_size=1)


@settings(max_examples=200, deadline=None)
@given(groups, st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_the_picture_has_the_lowest_ticket_in_the_group_with_the_lowest(
    sizes: dict[str, int], seed: int, chance: object
) -> None:
    """Worked out a second time; what was given last time is left out of both draws while there is anything else."""
    keys = [f"{TONE}/noir {name}/{n}.jpg" for name, size in sizes.items() for n in range(size)]
    recent = tuple(key for key in keys if chance.random() < 0.3)  # type: ignore[attr-defined]
    fresh = [key for key in keys if key not in recent] or keys
    group = min({place_of(key) for key in fresh}, key=lambda path: ticket(seed, "tone\0group", path))
    expected = min((key for key in fresh if place_of(key) == group), key=lambda key: ticket(seed, "tone", key))
    assert drawn(*keys, recent=recent, seed=seed).key == expected


@pytest.mark.parametrize("seed", range(20))
def test_a_picture_more_in_one_group_never_moves_the_draw_to_another_group(seed: int) -> None:
    keys = [f"{LARGE}/{n}.jpg" for n in range(30)] + [f"{SMALL}/{n}.jpg" for n in range(4)]
    before, after = drawn(*keys, seed=seed), drawn(*keys, f"{LARGE}/new.jpg", seed=seed)
    assert place_of(after.key) == place_of(before.key)
    assert after.key in (before.key, f"{LARGE}/new.jpg")


@pytest.mark.parametrize("seed", range(8))
def test_re_rolls_go_from_group_to_group_and_show_every_picture_once(seed: int) -> None:
    keys = [f"{LARGE}/{n}.jpg" for n in range(6)] + [f"{SMALL}/{n}.jpg" for n in range(2)]
    shown = [drawn(*keys, seed=seed, rerolls={"tone": turn}).key for turn in range(9)]
    assert len(set(shown[:8])) == 8
    assert shown[8] == shown[0]
    assert [place_of(key) != place_of(shown[0]) for key in shown[:4]] == [False, True, False, True]


@pytest.mark.parametrize("seed", range(20))
def test_within_a_single_group_the_draw_is_what_it_has_always_been(seed: int) -> None:
    keys = [f"{SMALL}/{n}.jpg" for n in range(9)]
    slot = drawn(*keys, seed=seed)
    assert slot.key == min(keys, key=lambda key: ticket(seed, "tone", key))
    assert {step.rule for step in slot.steps}.isdisjoint({Rule.DRAWN_GROUP, Rule.GROUP_BY_GROUP})


def test_groups_of_one_name_in_two_folders_are_two_groups() -> None:
    slot = drawn("refs/a/02. Tone/noir/1.jpg", "refs/b/02. Tone/noir/2.jpg")
    assert Rule.DRAWN_GROUP in {step.rule for step in slot.steps}
    assert "1 of 2 in 2 groups" in slot.why


def test_the_trail_names_the_group_that_was_drawn_and_what_was_left_in_it() -> None:
    slot = drawn(*(f"{LARGE}/{n}.jpg" for n in range(9)), f"{SMALL}/0.jpg", seed=3)
    step = next(step for step in slot.steps if step.rule is Rule.DRAWN_GROUP)
    assert (step.value, step.seed) == (place_of(slot.key), 3)
    assert step.left == (9 if place_of(slot.key) == LARGE else 1)
    assert step.step == f"in the one drawn of 2 groups: “{slot.group}”"


def test_both_sides_of_a_comparison_draw_the_same_tone_reference_whatever_the_groups() -> None:
    keys = [f"{LARGE}/{n}.jpg" for n in range(9)] + [f"{SMALL}/{n}.jpg" for n in range(2)]
    keys += [f"refs/03. Angle/low angle {name}/{n}.jpg" for name in "ab" for n in range(3)]
    for seed in range(30):
        wishes = Wishes(balanced=False, prompt="x", tone="noir", angle="low-angle", seed=seed)
        one, other = keys_of(plan(library(*keys), wishes, SILENT)).values()
        assert one[0] == other[0] is not None
