"""Slot cards: the same slot of both sides is one card, and no side's own reason is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.generation.planning import ComparisonPlanner, Planned
from core.injection.reader import OfflineReader
from core.injection.wishes import Mode, Wishes
from core.labels.published.label_file import LabelSet
from core.ui.generate.slots.slot_cards import SlotCard, is_dead_end, letters_of, slot_cards
from tests.generation.test_plan_diff import Listed
from tests.injection.libraries import VOCABULARY, library

EYE = "refs/01. Model/a(natural,film) eye-level"
LOW = "refs/01. Model/a(natural,film) low angle"
STUDIO = library(
    f"{EYE}/Ada 01.jpg",
    f"{EYE}/Ben 01.jpg",
    f"{LOW}/Ada 02.jpg",
    f"{LOW}/Ben 02.jpg",
    "refs/01. Model/noir low angle/Cleo 03.jpg",
    "refs/02. Tone/a(natural,film)/meadow.jpg",
    "refs/02. Tone/noir/street.jpg",
    "refs/03. Angle/low angle/stairs.jpg",
    "refs/03. Angle/overhead/table.jpg",
)
PLANNER = ComparisonPlanner(Listed(STUDIO), lambda: LabelSet(()), OfflineReader(VOCABULARY), VOCABULARY, 3)


def planned(**changes: object) -> Planned:
    return PLANNER.plan(replace(Wishes(prompt="a person", tone="natural-film", angle="low-angle"), **changes))  # type: ignore[arg-type]


def named(cards: Sequence[SlotCard]) -> dict[str, str]:
    return {card.name: card.goes_to for card in cards}


def test_the_same_picture_on_both_sides_is_one_card_and_another_group_s_is_another() -> None:
    cards = slot_cards(planned().sides)
    assert named(cards) == {"Tone": "both", "Angle": "B only", "Person 1": "A only", "Person 2": "both"}
    assert cards[3].slot.id == f"model:{LOW}"


def test_every_reason_of_every_side_is_told_by_a_card() -> None:
    for changes in ({}, {"angle": None}, {"angle": "overhead"}, {"tone": None}, {"tone": "noir"}, {"prompt": "a bowl"}):
        plan = planned(**changes)
        told = {account.slot.why for card in slot_cards(plan.sides) for account in card.accounts}
        assert told == {slot.why for side in plan.sides for slot in side.slots}


def test_every_picture_of_a_side_is_on_a_card_that_goes_to_it() -> None:
    plan = planned(angle="overhead")
    for letter, side in zip("AB", plan.sides, strict=True):
        shown = [card.slot.key for card in slot_cards(plan.sides) if card.goes_to in ("both", f"{letter} only")]
        assert [slot.key for slot in side.slots if slot.filled] == [key for key in shown if key]


def test_a_slot_that_is_off_keeps_its_place_its_number_and_its_id() -> None:
    before = slot_cards(planned().sides)
    after = slot_cards(planned(off=frozenset({f"model:{EYE}"})).sides)
    assert [card.place for card in after] == [card.place for card in before]
    assert [card.name for card in after] == [card.name for card in before]
    off = after[2]
    assert (off.slot.filled, off.slot.why) == (False, "Switched off by you.")


def test_where_neither_side_has_a_match_one_card_is_about_both() -> None:
    plan = planned(prompt="Zoe by a window, a woman of 30", angle="overhead")
    (model,) = (card for card in slot_cards(plan.sides) if card.slot.role == "model")
    assert (model.name, model.goes_to, model.asides) == ("Person", "both", ())
    assert {account.slot.why for account in model.accounts} == {side.slots[2].why for side in plan.sides}


def test_a_side_without_a_match_is_told_beside_a_slot_that_the_other_side_has_switched_off() -> None:
    cards = slot_cards(planned(angle="overhead", off=frozenset({f"model:{EYE}"})).sides)
    people = [(card.name, card.goes_to, card.slot.filled, bool(card.slot.near)) for card in cards[2:]]
    assert people == [
        ("Person 1", "A only", False, False),
        ("Person", "B only", False, True),
        ("Person 2", "A only", True, False),
    ]
    assert [is_dead_end(card.slot) for card in cards[2:]] == [False, True, False]


def test_a_side_without_a_match_is_one_card_with_its_ways_out() -> None:
    cards = slot_cards(planned(angle="overhead").sides)
    (empty,) = (card for card in cards if card.slot.role == "model" and not card.slot.filled)
    assert (empty.name, empty.goes_to) == ("Person", "B only")
    assert empty.slot.near


def test_places_that_only_fill_up_a_side_are_no_cards() -> None:
    cards = slot_cards(planned(angle=None).sides)
    assert [card.name for card in cards] == ["Tone", "Angle", "Person 1", "Person 2"]
    (angle,) = (card for card in cards if card.name == "Angle")
    assert (angle.goes_to, angle.slot.why) == ("B only", "Pick an angle, or name one in the prompt.")
    assert [account.slot.why for account in angle.asides] == ["Off in this mode: tone only sends no angle reference."]


@pytest.mark.parametrize(("mode", "words"), [(Mode.TONE_ONLY, "Tone only"), (Mode.TONE_ANGLE, "Tone + angle")])
def test_of_one_side_the_card_names_the_side_and_no_letter(mode: Mode, words: str) -> None:
    plan = planned(mode=mode)
    cards = slot_cards(plan.sides)
    assert {card.goes_to for card in cards} == {words}
    assert {letters_of(account, plan.sides) for card in cards for account in card.accounts} == {""}


def test_nobody_wanted_is_said_once_for_both_sides() -> None:
    plan = planned(prompt="a bowl of oranges")
    (model,) = (card for card in slot_cards(plan.sides) if card.slot.role == "model")
    assert (model.name, model.goes_to) == ("Person", "both")
    assert {account.slot.why for account in model.accounts} == {plan.sides[0].slots[2].why}
    assert [miss.loosen for miss in model.slot.near] == ["person"]


def test_no_two_cards_have_the_same_place() -> None:
    for angle in (None, "overhead", "low-angle", "profile"):
        places = [card.place for card in slot_cards(planned(angle=angle).sides)]
        assert len(set(places)) == len(places)
