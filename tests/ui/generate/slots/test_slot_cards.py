"""Slot cards: the same slot of both sides is one card, and no side's own reason is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.generation.planning import ComparisonPlanner, Planned
from core.injection.reading.reader import OfflineReader
from core.injection.request.slots import Loosen, NearMiss
from core.injection.request.wishes import Mode, Varies, Wishes
from core.labels.published.label_file import LabelSet
from core.ui.generate.slots.slot_cards import SlotCard, is_dead_end, letters_of, slot_cards
from core.ui.generate.slots.slot_strip import shown_ways
from tests.generation.differences.test_plan_diff import Listed
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


ALONE = Wishes(prompt="a person", tone="natural-film", angle="low-angle", balanced=False)


def planned(**changes: object) -> Planned:
    """Each side as its mode alone plans it, unless the changes say otherwise."""
    return PLANNER.plan(replace(ALONE, **changes))  # type: ignore[arg-type]


def named(cards: Sequence[SlotCard]) -> dict[str, str]:
    return {card.name: card.goes_to for card in cards}


def test_the_same_picture_on_both_sides_is_one_card_and_another_group_s_is_another() -> None:
    cards = slot_cards(planned().sides)
    assert named(cards) == {"Tone": "both", "Angle": "B only", "Person 1": "A only", "Person 2": "both"}
    assert cards[3].slot.id == f"model:{LOW}"


def test_every_reason_of_every_side_is_told_by_a_card() -> None:
    asked = ({}, {"angle": None}, {"angle": "overhead"}, {"tone": None}, {"tone": "noir"}, {"prompt": "a bowl"})
    ways = ({}, {"balanced": True}, {"varies": Varies.TONE_WAY}, {"varies": Varies.MODEL})
    for changes in ({**one, **way} for one in asked for way in ways):
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


def test_of_balanced_sides_each_person_reference_says_why_the_other_side_has_another() -> None:
    plan = planned(balanced=True)
    people = [card for card in slot_cards(plan.sides) if card.slot.role == "model"]
    assert [(card.name, card.goes_to, card.slot.id) for card in people] == [
        ("Person 1", "A only", f"model:{EYE}"),
        ("Person 2", "B only", f"model:{LOW}"),
    ]
    assert len({card.slot.persona for card in people}) == 1
    assert all("Left out" in aside.slot.why for card in people for aside in card.asides)


def test_where_tone_and_angle_can_have_nobody_one_card_says_what_is_missing_and_how_to_go_over() -> None:
    plan = planned(balanced=True, angle="overhead")
    (model,) = (card for card in slot_cards(plan.sides) if card.slot.role == "model")
    assert (model.name, model.goes_to) == ("Person", "both")
    assert "so that both sides have equally many" in " ".join(account.slot.why for account in model.accounts)
    assert "Overhead" in model.slot.why
    assert model.slot.near[-1].loosen == Loosen.BALANCED


def test_where_tone_only_has_no_other_angle_its_card_says_so_beside_the_other_side_s_picture() -> None:
    plan = planned(balanced=True, off=frozenset({f"model:{EYE}"}))
    people = {card.goes_to: card for card in slot_cards(plan.sides) if card.slot.role == "model" and card.slot.near}
    assert "No other angle of" in people["A only"].slot.why
    assert any(card.slot.filled and card.goes_to == "B only" for card in slot_cards(plan.sides))


def test_of_the_tones_way_the_tone_goes_to_one_side_and_says_that_words_go_to_the_other() -> None:
    tone = slot_cards(planned(varies=Varies.TONE_WAY).sides)[0]
    assert (tone.name, tone.goes_to) == ("Tone", "A only")
    assert [aside.slot.why for aside in tone.asides] == ["In words alone: this side is sent no tone reference."]


@pytest.mark.parametrize("varies", [Varies.MODEL, Varies.STRENGTH])
def test_of_sides_that_are_planned_alike_every_card_goes_to_both(varies: Varies) -> None:
    assert {card.goes_to for card in slot_cards(planned(varies=varies).sides) if card.slot.filled} == {"both"}


def test_going_over_to_each_mode_alone_is_always_among_the_ways_out_on_a_card() -> None:
    near = tuple(NearMiss(Loosen.ANGLE, angle, 1) for angle in ("profile", "overhead", "low-angle", "close-up"))
    alone = NearMiss(Loosen.BALANCED, "alone", 2)
    assert shown_ways((*near, alone), 4) == [*near[:3], alone]
    assert shown_ways((*near, alone), 1) == [alone]
    assert shown_ways(near, 1) == [near[0]]
    assert shown_ways((near[0], alone), 4) == [near[0], alone]
