"""Slot cards: the slots of all sides of a plan, one card for what is the same slot on each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from core.generation.records.comparison import SideRecord
from core.injection.request.slots import Rule, Slot
from core.references.vocabulary import Role
from core.ui.frame.words.names import ROLES
from core.ui.generate.header.sent_prompt import SIDE_LETTERS


@dataclass(frozen=True, slots=True)
class Account:
    """What one side says about a slot, or several in the same words; `sides` are positions in the plan."""

    sides: tuple[int, ...]
    slot: Slot


@dataclass(frozen=True, slots=True)
class SlotCard:
    """One slot as it is drawn.

    `accounts` are of every side, equal ones once and the one that is shown first; `asides` those of sides that the card
    is not about, whose slot stays empty. `goes_to` says in words which sides its picture goes to, or would. `place` is
    unique in a plan and stays with the slot from plan to plan.
    """

    name: str
    place: str
    goes_to: str
    accounts: tuple[Account, ...]
    asides: tuple[Account, ...]

    @property
    def slot(self) -> Slot:
        """The slot as the sides have it that the card is about."""
        return self.accounts[0].slot


def slot_cards(sides: Sequence[SideRecord]) -> tuple[SlotCard, ...]:
    """The cards of a plan: tone, angle, then the person references, each where a side names it first.

    The same slot with another picture on each side makes two cards, and so does one that one side fills and for which
    the other has no match in any group.
    """
    return tuple(_numbered(card for told in _places(sides) for card in _cards_of(told, sides)))


def letters_of(account: Account, sides: Sequence[SideRecord]) -> str:
    """The letters of the sides that say so; nothing where there is one side."""
    return " and ".join(SIDE_LETTERS[at] for at in account.sides) if len(sides) > 1 else ""


def _places(sides: Sequence[SideRecord]) -> Iterable[list[Account]]:
    """What is told of each slot. What a side says of none in particular is told with its last model reference."""
    found: dict[str, list[Account]] = {}
    of_none: list[Account] = []
    for at, side in enumerate(sides):
        for slot in side.slots:
            is_of_none = slot.id == Role.MODEL and not (slot.steps or slot.near)
            (of_none if is_of_none else found.setdefault(slot.id, [])).append(Account((at,), slot))
    models = [told for told in found.values() if told[0].slot.role is Role.MODEL]
    if of_none:
        (models[-1] if models else found.setdefault(Role.MODEL, [])).extend(of_none)
    return map(_merged, found.values())


def _cards_of(told: Sequence[Account], sides: Sequence[SideRecord]) -> list[SlotCard]:
    dead_ends = tuple(each for each in told if is_dead_end(each.slot))
    own = tuple(each for each in told if each not in dead_ends)
    if not any(each.slot.filled or each.slot.is_off or each.slot.near for each in own):
        return [_empty_card(told[0].slot.id, tuple(told), sides)]
    cards = _own_cards(own, sides)
    return [*cards, _empty_card(f"{cards[0].place}@empty", dead_ends, sides)] if dead_ends else cards


def _own_cards(told: tuple[Account, ...], sides: Sequence[SideRecord]) -> list[SlotCard]:
    """One card for each picture in the slot, or one for none."""
    empty = tuple(each for each in told if not each.slot.filled)
    keys = dict.fromkeys(each.slot.key for each in told if each.slot.filled)
    if not keys:
        return [_empty_card(told[0].slot.id, told, sides)]
    cards = []
    for number, key in enumerate(keys):
        holding = tuple(each for each in told if each.slot.key == key)
        place = f"{holding[0].slot.id}@{number}" if number else holding[0].slot.id
        cards.append(_card(place, holding, () if number else empty, sides))
    return cards


def _empty_card(place: str, empty: tuple[Account, ...], sides: Sequence[SideRecord]) -> SlotCard:
    """The fullest account is shown, one of a slot that is off before all; the card is about all sides like it."""
    shown = max(empty, key=lambda each: (each.slot.is_off, len(each.slot.near), bool(each.slot.steps), each.sides))
    alike = tuple(each for each in empty if each is not shown and _is_like(each.slot, shown.slot))
    rest = tuple(each for each in empty if each is not shown and each not in alike)
    return _card(place, (shown, *alike), rest, sides)


def _is_like(slot: Slot, shown: Slot) -> bool:
    return slot.why == shown.why or (slot.is_off and shown.is_off) or (is_dead_end(slot) and is_dead_end(shown))


def is_dead_end(slot: Slot) -> bool:
    """Whether no group of the folder has a match; it may stand in the place of a group that the other side fills."""
    return bool(slot.steps) and slot.steps[0].rule is Rule.FOLDER


def _card(place: str, about: tuple[Account, ...], rest: tuple[Account, ...], sides: Sequence[SideRecord]) -> SlotCard:
    its_sides = sorted(at for each in about for at in each.sides)
    if len(sides) == 1:
        goes_to: str = sides[0].side.heading
    else:
        goes_to = "both" if len(its_sides) == len(sides) else f"{SIDE_LETTERS[its_sides[0]]} only"
    return SlotCard(ROLES[about[0].slot.role], place, goes_to, (*about, *rest), rest)


def _merged(accounts: Iterable[Account]) -> list[Account]:
    """Accounts that say the same as one, of all the sides that do."""
    merged: list[Account] = []
    for account in accounts:
        same = next((at for at, each in enumerate(merged) if each.slot == account.slot), None)
        if same is None:
            merged.append(account)
        elif account.sides[0] not in merged[same].sides:
            merged[same] = replace(merged[same], sides=(*merged[same].sides, *account.sides))
    return merged


def _numbered(cards: Iterable[SlotCard]) -> Iterator[SlotCard]:
    """Person references are numbered by their groups; a card of no group is about all of them."""
    number = 0
    for card in cards:
        is_group = card.slot.role is Role.MODEL and card.slot.id != Role.MODEL and not is_dead_end(card.slot)
        number += is_group
        yield replace(card, name=f"{card.name} {number}") if is_group else card
